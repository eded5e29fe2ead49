/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/view/grid.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"

#define MAX_COLUMNS 12
#define GAP 2

void grid_init(struct grid *grid, unsigned int columns, unsigned int right_aligned)
{
	*grid = (struct grid){.columns = columns < MAX_COLUMNS ? columns : MAX_COLUMNS,
		.right_aligned = right_aligned};
}

void grid_init_with_titles(struct grid *grid, const char *titles, unsigned int right_aligned)
{
	unsigned int columns = 1;
	for (const char *at = titles; *at; at++) {
		columns += *at == '|';
	}
	grid_init(grid, columns, right_aligned);
	for (unsigned int i = 0; i < columns; i++) {
		const int length = (int)strcspn(titles, "|");
		grid_add(grid, "%.*s", length, titles);
		titles += length + 1;
	}
}

void grid_add_column(struct grid *grid, const char *title, bool right_aligned)
{
	assert(grid->columns < MAX_COLUMNS);
	grid->right_aligned |= (unsigned int)right_aligned << grid->columns++;
	grid_add(grid, "%s", title);
}

void grid_deinit(struct grid *grid)
{
	for (size_t i = 0; i < grid->n_cells; i++) {
		free(grid->cells[i]);
	}
	free(grid->cells);
	*grid = (struct grid){0};
}

void grid_add(struct grid *grid, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	grid_vadd(grid, format, args);
	va_end(args);
}

void grid_vadd(struct grid *grid, const char *format, va_list args)
{
	char *text = NULL;
	const int n = vasprintf(&text, format, args);
	char **cell = n < 0 ? NULL : array_add(&grid->cells, &grid->n_cells, sizeof(*cell));
	if (cell) {
		*cell = text;
		return;
	}
	grid->failed = true;
	if (n >= 0) {
		free(text);
	}
}

void grid_add_escaped(struct grid *grid, const char *text)
{
	char escaped[512];
	grid_add(grid, "%s", error_escape(escaped, sizeof(escaped), text, strlen(text)));
}

/* Counts code points: bytes that are no UTF-8 continuation. */
static size_t width_of(const char *text)
{
	size_t width = 0;
	for (; *text; text++) {
		width += ((unsigned char)*text & 0xC0) != 0x80;
	}
	return width;
}

bool grid_use_colour(FILE *out, const struct cli_settings *settings)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	if (settings->colour != CLI_COLOUR_AUTO) {
		return settings->colour == CLI_COLOUR_ALWAYS;
	}
	return isatty(fileno(out)) && !(no_color && no_color[0]) && term &&
		strcmp(term, "dumb") != 0;
}

static void print_row(const struct grid *grid, FILE *out, size_t first, const size_t *width)
{
	for (unsigned int c = 0; c < grid->columns; c++) {
		const char *cell = grid->cells[first + c];
		size_t pad = width[c] - width_of(cell);
		bool right_aligned = grid->right_aligned >> c & 1, last = c + 1 == grid->columns;
		fprintf(out, "%*s%s%*s", right_aligned ? (int)pad : 0, "", cell,
			right_aligned || last ? 0 : (int)pad, "");
		fprintf(out, "%*s", last ? 0 : GAP, "");
	}
	fputc('\n', out);
}

int grid_print(
	const struct grid *grid, FILE *out, bool heading, const struct cli_settings *settings)
{
	size_t width[MAX_COLUMNS] = {0};
	size_t skip = heading && settings->no_legend ? grid->columns : 0;
	bool bold = heading && !settings->no_legend && grid_use_colour(out, settings);
	if (grid->failed) {
		return -ENOMEM;
	}
	for (size_t i = skip; i < grid->n_cells; i++) {
		size_t w = width_of(grid->cells[i]);
		width[i % grid->columns] =
			w > width[i % grid->columns] ? w : width[i % grid->columns];
	}
	for (size_t i = skip; i + grid->columns <= grid->n_cells; i += grid->columns) {
		fputs(bold && i == 0 ? "\033[1m" : "", out);
		print_row(grid, out, i, width);
		fputs(bold && i == 0 ? "\033[0m" : "", out);
	}
	return 0;
}
