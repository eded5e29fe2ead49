/* SPDX-License-Identifier: Apache-2.0 */
/* grid - prints rows of text with aligned columns */
#ifndef CLIENT_EDGECTL_VIEW_GRID_H
#define CLIENT_EDGECTL_VIEW_GRID_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/own.h"
#include "client/edgectl/cli.h"

struct grid {
	char **cells; /* owned, row by row */
	size_t n_cells;
	unsigned int columns;
	unsigned int right_aligned; /* bit mask of the right-aligned columns */
	bool failed; /* out of memory; reported by grid_print() */
};

/* Begins a grid without rows. @right_aligned: bit mask of the right-aligned columns, bit 0 for the
 * first. */
void grid_init(struct grid *grid, unsigned int columns, unsigned int right_aligned);
/* Begins a grid whose first row is @titles: one per column, separated by "|". The titles give the
 * number of columns. */
void grid_init_with_titles(struct grid *grid, const char *titles, unsigned int right_aligned);
void grid_deinit(struct grid *grid);

/* Adds a column: its title becomes the next cell of the first row. Call before any cell of the
 * second row is added. */
void grid_add_column(struct grid *grid, const char *title, bool right_aligned);

/* Adds the next cell. The caller has escaped control characters. */
void grid_add(struct grid *grid, const char *format, ...) printf_like(2, 3);
void grid_vadd(struct grid *grid, const char *format, va_list args) printf_like(2, 0);
/* Adds @text escaped. */
void grid_add_escaped(struct grid *grid, const char *text);

/* Prints the rows. @heading: the first row is a heading, bold with colours, omitted with
 * no_legend. -ENOMEM. */
int must_check grid_print(
	const struct grid *grid, FILE *out, bool heading, const struct cli_settings *settings);

/* True if colours are allowed on @out: --color, NO_COLOR, TERM=dumb, and whether @out is a
 * terminal. */
bool grid_use_colour(FILE *out, const struct cli_settings *settings);

#define owned_grid __attribute__((cleanup(grid_deinit)))

#endif
