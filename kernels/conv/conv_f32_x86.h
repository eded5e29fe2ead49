/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_f32_x86 - body of the rows of ek_conv_f32; ROW(name) gives a function its instruction set
 *
 * Output pixels of one row stand equally far apart in the input, so a filter's row is a segment of
 * the product there (with dilation, each tap is one). Nothing is gathered.
 */
#include <stdbool.h>
#include <string.h>

#include "kernels/conv/conv.h"
#include "kernels/conv/padded_rows_x86.h"

/* Others are entry 0's. */
static bool is_walked(const struct ek_conv_shape *s)
{
	return s->groups == 1 &&
		(lines_stay_inside(&s->window) || lines_fit(&s->window, s->in_c * sizeof(float)));
}

uint64_t ROW(ek_conv_f32_packed_bytes)(const struct ek_conv_shape *shape)
{
	return !is_walked(shape) ? 0 : panel_packed_bytes(shape->out_c, ek_conv_depth(shape));
}

void ROW(ek_conv_f32_pack)(const struct ek_conv_f32 *args, void *packed)
{
	panel_pack(args->weights, args->shape.out_c, (size_t)ek_conv_depth(&args->shape), packed);
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

static size_t pixel_bytes(const struct ek_conv_shape *s)
{
	return s->in_c * sizeof(float);
}

uint64_t ROW(ek_conv_f32_scratch_bytes)(const struct ek_conv_shape *s)
{
	if (!is_walked(s)) {
		return ek_conv_f32[0].scratch_bytes(s);
	}
	bool copies = !lines_stay_inside(&s->window);
	return lines_round(segments_of(s) * sizeof(float *)) +
		(copies ? lines_scratch_bytes(&s->window, pixel_bytes(s)) : 0);
}

/* Points to what the first pixel of output row @y reads, moved to pixel @x. */
static void point(struct lines *l, uint32_t y, uint32_t x, const float **segments)
{
	const struct ek_window_axis *ay = &l->window->y, *ax = &l->window->x;
	uint32_t parts = ax->dilation > 1 ? ax->taps : 1;
	for (uint32_t ky = 0; ky < ay->taps; ky++) {
		const uint8_t *line = lines_at(l, y * ay->stride + ky * ay->dilation);
		for (uint32_t kx = 0; kx < parts; kx++) {
			size_t at = (size_t)x * ax->stride + (size_t)kx * ax->dilation;
			*segments++ = (const float *)(line + at * l->pixel);
		}
	}
}

static void run_lines(
	const struct ek_conv_f32 *a, const struct ek_tile *t, struct product *p, void *scratch)
{
	const struct ek_window *w = &a->shape.window;
	uint32_t segments = segments_of(&a->shape), end = t->first_row + t->n_rows, n;
	const float **at = scratch;
	struct lines l = {
		.window = w, .in_pixel = pixel_bytes(&a->shape), .pixel = pixel_bytes(&a->shape)};
	const struct rows rows = {.at = at,
		.segments = segments,
		.length = (uint32_t)(p->depth / segments),
		.step = (size_t)w->x.stride * a->shape.in_c};
	size_t picture = (size_t)w->y.in * w->x.in * a->shape.in_c;
	uint32_t batch = UINT32_MAX;
	for (uint32_t row = t->first_row; row < end; row += n, p->output += (size_t)n * p->cols) {
		struct ek_pixel pixel = ek_window_pixel(w, row);
		n = panel_least(w->x.out - pixel.x, end - row);
		if (pixel.batch != batch) {
			batch = pixel.batch;
			l.picture = (const uint8_t *)(a->input + batch * picture);
			if (!lines_stay_inside(w)) {
				lines_init(&l,
					(char *)scratch + lines_round(segments * sizeof(float *)));
			}
		}
		point(&l, pixel.y, pixel.x, at);
		gemm_rows(p, &rows, n, t->first_col, t->first_col + t->n_cols);
	}
}

void ROW(ek_conv_f32)(const struct ek_conv_f32 *a, const struct ek_tile *t, void *scratch)
{
	if (!is_walked(&a->shape)) {
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
		gemm_dense(&p, a->input + (size_t)t->first_row * p.depth, t->n_rows, t->first_col,
			t->first_col + t->n_cols);
	} else {
		run_lines(a, t, &p, scratch);
	}
}
