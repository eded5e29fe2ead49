/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f32_conv - body of the rows of ek_conv_f32; ROW(name) gives a function its instruction set
 *
 * Output pixels of one row stand equally far apart in the input, so a filter's row is a segment of
 * the product there (with dilation, each tap is one). Nothing is gathered; but where a filter reaches
 * over the edge, input rows are copied to lines with zeros around them, each once.
 */
#include <stdbool.h>
#include <string.h>

#include "kernels/conv.h"

uint64_t ROW(ek_conv_f32_packed_bytes)(const struct ek_conv_shape *shape)
{
	return shape->groups > 1 ? 0 : panel_packed_bytes(shape->out_c, ek_conv_depth(shape));
}

void ROW(ek_conv_f32_pack)(const struct ek_conv_f32 *args, void *packed)
{
	panel_pack(args->weights, args->shape.out_c, (size_t)ek_conv_depth(&args->shape), packed);
}

/* Input positions that the filter spans. */
static uint64_t reach(const struct ek_window_axis *axis)
{
	return (uint64_t)(axis->taps - 1) * axis->dilation + 1;
}

/* Input positions that all outputs together ask for, from @pad before the first on. */
static uint64_t span(const struct ek_window_axis *axis)
{
	return (uint64_t)(axis->out - 1) * axis->stride + reach(axis);
}

static bool stays_inside(const struct ek_window_axis *axis)
{
	return axis->pad == 0 && span(axis) <= axis->in;
}

static bool is_dense(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	return y->taps == 1 && x->taps == 1 && y->stride == 1 && x->stride == 1 &&
		y->out == y->in && x->out == x->in;
}

static uint32_t segments_of(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *x = &s->window.x;
	return s->window.y.taps * (x->dilation > 1 ? x->taps : 1);
}

static uint64_t round_64(uint64_t bytes)
{
	return (bytes + 63) & ~(uint64_t)63;
}

static uint64_t line_floats(const struct ek_conv_shape *s)
{
	uint64_t wide = span(&s->window.x), in = s->window.x.pad + (uint64_t)s->window.x.in;
	return (wide > in ? wide : in) * s->in_c;
}

/* Lines that are kept: those of one filter position. */
static uint64_t lines_of(const struct ek_conv_shape *s)
{
	bool inside = stays_inside(&s->window.x) && stays_inside(&s->window.y);
	return inside ? 0 : reach(&s->window.y);
}

uint64_t ROW(ek_conv_f32_scratch_bytes)(const struct ek_conv_shape *s)
{
	if (s->groups > 1) {
		return ek_conv_f32[0].scratch_bytes(s);
	}
	return round_64(segments_of(s) * sizeof(float *)) +
		round_64(lines_of(s) * sizeof(uint32_t)) +
		lines_of(s) * line_floats(s) * sizeof(float);
}

/* What a call keeps from output row to output row. */
struct lines {
	const struct ek_conv_f32 *args;
	const float **at; /* segments of the row's first pixel */
	uint32_t n; /* lines, 0: the picture itself is read */
	uint32_t *held; /* [n], 1 + the number of the input row, padding included; 0: nothing */
	float *floats;
	size_t line; /* floats of one */
};

static struct lines lines_init(const struct ek_conv_f32 *a, void *scratch)
{
	struct lines l = {.args = a, .at = scratch, .n = (uint32_t)lines_of(&a->shape)};
	char *to = (char *)scratch + round_64(segments_of(&a->shape) * sizeof(float *));
	l.held = (uint32_t *)to;
	l.floats = (float *)(to + round_64(l.n * sizeof(uint32_t)));
	l.line = (size_t)line_floats(&a->shape);
	return l;
}

static void lines_forget(struct lines *l)
{
	if (l->n) {
		memset(l->held, 0, l->n * sizeof(*l->held));
	}
}

/* Input row @row, counted from the first of the padding on, with zeros where there is no picture. */
static const float *line_of(struct lines *l, const float *picture, uint32_t row)
{
	const struct ek_window_axis *y = &l->args->shape.window.y, *x = &l->args->shape.window.x;
	size_t channels = l->args->shape.in_c, width = x->in * channels;
	if (l->n == 0) {
		return picture + row * width;
	}
	uint32_t slot = row % l->n;
	float *line = l->floats + slot * l->line;
	if (l->held[slot] == row + 1) {
		return line;
	}
	l->held[slot] = row + 1;
	if (row < y->pad || row - y->pad >= y->in) {
		memset(line, 0, l->line * sizeof(float));
		return line;
	}
	size_t before = x->pad * channels;
	memset(line, 0, before * sizeof(float));
	memcpy(line + before, picture + (row - y->pad) * width, width * sizeof(float));
	memset(line + before + width, 0, (l->line - before - width) * sizeof(float));
	return line;
}

/* Points to what pixel @x of output row @y reads. */
static void lines_point(struct lines *l, const float *picture, uint32_t y, uint32_t x)
{
	const struct ek_window_axis *ay = &l->args->shape.window.y, *ax = &l->args->shape.window.x;
	size_t channels = l->args->shape.in_c, segment = 0;
	uint32_t parts = ax->dilation > 1 ? ax->taps : 1;
	for (uint32_t ky = 0; ky < ay->taps; ky++) {
		const float *line = line_of(l, picture, y * ay->stride + ky * ay->dilation);
		line += (size_t)x * ax->stride * channels;
		for (uint32_t kx = 0; kx < parts; kx++) {
			l->at[segment++] = line + (size_t)kx * ax->dilation * channels;
		}
	}
}

static void run_lines(
	const struct ek_conv_f32 *a, const struct ek_tile *t, struct product *p, void *scratch)
{
	const struct ek_window *w = &a->shape.window;
	struct lines l = lines_init(a, scratch);
	uint32_t segments = segments_of(&a->shape), end = t->first_row + t->n_rows, n;
	const struct rows rows = {.at = l.at,
		.segments = segments,
		.length = (uint32_t)(p->depth / segments),
		.step = (size_t)w->x.stride * a->shape.in_c};
	size_t picture = (size_t)w->y.in * w->x.in * a->shape.in_c;
	uint32_t batch = UINT32_MAX;
	for (uint32_t row = t->first_row; row < end; row += n, p->output += (size_t)n * p->cols) {
		struct ek_pixel pixel = ek_window_pixel(w, row);
		n = panel_least(w->x.out - pixel.x, end - row);
		if (pixel.batch != batch) {
			lines_forget(&l);
			batch = pixel.batch;
		}
		lines_point(&l, a->input + batch * picture, pixel.y, pixel.x);
		product_rows(p, &rows, n, t->first_col, t->first_col + t->n_cols);
	}
}

void ROW(ek_conv_f32)(const struct ek_conv_f32 *a, const struct ek_tile *t, void *scratch)
{
	if (a->shape.groups > 1) {
		ek_conv_f32[0].run(a, t, scratch);
		return;
	}
	struct product p = {
		.packed = a->weights,
		.bias = a->bias,
		.cols = a->shape.out_c,
		.depth = (size_t)ek_conv_depth(&a->shape),
		.lo = a->lo,
		.hi = a->hi,
		.output = a->output + (size_t)t->first_row * a->shape.out_c,
	};
	if (is_dense(&a->shape)) {
		product_dense(&p, a->input + (size_t)t->first_row * p.depth, t->n_rows,
			t->first_col, t->first_col + t->n_cols);
	} else {
		run_lines(a, t, &p, scratch);
	}
}
