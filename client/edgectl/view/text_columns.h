/* SPDX-License-Identifier: Apache-2.0 */
/* grid - rows of text in columns that line up */
#ifndef CLIENT_GRID_H
#define CLIENT_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/own.h"
#include "client/cli.h"

struct grid {
	char **cells; /* owned, row after row */
	size_t n_cells, capacity;
	unsigned int columns;
	unsigned int right; /* bits of columns that are aligned to the right */
	bool failed; /* out of memory: grid_print() says so */
};

void grid_init(struct grid *grid, unsigned int columns, unsigned int right);
void grid_deinit(struct grid *grid);

/* The next cell. Control characters have been escaped by the caller. */
void grid_add(struct grid *grid, const char *format, ...) printf_like(2, 3);

/* @heading: the first row is one, printed bold with @colour, left out with @no_legend. -ENOMEM. */
int must_check grid_print(
	const struct grid *grid, FILE *out, bool heading, const struct settings *settings);

/* May colours be used on @out? --color, NO_COLOR, TERM=dumb, terminal. */
bool grid_colours(FILE *out, const struct settings *settings);

#define owned_grid __attribute__((cleanup(grid_deinit)))

#endif
