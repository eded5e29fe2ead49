/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of pixels is gathered into scratch, what each sees side by side, and multiplied with one
 * panel of weights after the other. Padding is the zero point, so that it adds nothing.
 */
#include "kernels/x86/conv.h"
#include "kernels/x86/product_avx512vnni.h"

uint64_t ek_conv_packed_bytes__avx512vnni(const struct ek_conv_shape *shape)
{
	return shape->groups > 1 ? 0 : product_packed_bytes(shape->out_c, ek_conv_depth(shape));
}

/* The panels of a call, a block of rows. One panel is not worth room in the arena. */
static uint64_t panels_bytes(const struct ek_conv_shape *shape)
{
	uint64_t panels = ((uint64_t)shape->out_c + PANEL_COLS - 1) / PANEL_COLS;
	return panels > 1 ? panels * sizeof(struct panel) : 0;
}

uint64_t ek_conv_scratch_bytes__avx512vnni(const struct ek_conv_shape *shape)
{
	const struct ek_window *w = &shape->window;
	uint64_t depth = ek_conv_depth(shape), rows = (uint64_t)w->batch * w->y.out * w->x.out;
	return shape->groups > 1 ? depth : panels_bytes(shape) + product_scratch_bytes(rows, depth);
}

static void pack(const struct ek_conv_q *a, bool is_signed, void *packed)
{
	const struct product_weights w = {
		.w = a->weights,
		.cols = a->shape.out_c,
		.depth = (size_t)ek_conv_depth(&a->shape),
		.is_signed = is_signed,
		.input_zero = a->input_zero,
		.weights_zero = a->weights_zero,
	};
	product_pack(&w, packed);
}

void ek_conv_s8_pack__avx512vnni(const struct ek_conv_q *args, void *packed)
{
	pack(args, true, packed);
}

void ek_conv_u8_pack__avx512vnni(const struct ek_conv_q *args, void *packed)
{
	pack(args, false, packed);
}

/* A filter of one tap that meets every pixel once: output rows are input rows. */
static bool is_pointwise(const struct ek_window *w)
{
	return w->y.taps == 1 && w->x.taps == 1 && w->y.stride == 1 && w->x.stride == 1 &&
		w->y.out == w->y.in && w->x.out == w->x.in;
}

static void copy_bytes(uint8_t *to, const uint8_t *from, size_t n)
{
	if (n > 64) {
		memcpy(to, from, n);
		return;
	}
	__mmask64 m = panel_bytes((uint32_t)n);
	_mm512_mask_storeu_epi8(to, m, _mm512_maskz_loadu_epi8(m, from));
}

/* ek_conv_patch() where all taps are inside and those of a row side by side; else false. */
static bool copy_inside(const struct ek_conv_q *a, struct ek_pixel pixel, uint8_t *to)
{
	const struct ek_window_axis *ay = &a->shape.window.y, *ax = &a->shape.window.x;
	int64_t y = (int64_t)pixel.y * ay->stride - ay->pad;
	int64_t x = (int64_t)pixel.x * ax->stride - ax->pad;
	int64_t reach = (int64_t)(ay->taps - 1) * ay->dilation;
	if (y < 0 || x < 0 || y + reach >= ay->in || x + ax->taps > ax->in ||
		(ax->dilation > 1 && ax->taps > 1)) {
		return false;
	}
	size_t pixel_bytes = a->shape.in_c, row_bytes = ax->in * pixel_bytes;
	const uint8_t *from = (const uint8_t *)a->input +
		((size_t)pixel.batch * ay->in + (size_t)y) * row_bytes + (size_t)x * pixel_bytes;
	for (uint32_t k = 0; k < ay->taps; k++) {
		copy_bytes(to, from, ax->taps * pixel_bytes);
		to += ax->taps * pixel_bytes;
		from += ay->dilation * row_bytes;
	}
	return true;
}

static void fill(const struct ek_conv_q *a, uint32_t first, struct product_block *b)
{
	size_t depth = (size_t)ek_conv_depth(&a->shape);
	const uint8_t *input = a->input;
	if (is_pointwise(&a->shape.window) && b->stride == depth) {
		memcpy(b->rows, input + first * depth, b->n * depth);
		return;
	}
	for (uint32_t r = 0; r < b->n; r++) {
		uint8_t *to = b->rows + r * b->stride;
		struct ek_pixel pixel = ek_window_pixel(&a->shape.window, first + r);
		memset(to + b->stride - 4, 0, 4);
		if (!copy_inside(a, pixel, to)) {
			ek_conv_patch(&a->shape, a->input, 1, a->input_zero, pixel, 0, to);
		}
	}
}

struct columns {
	uint32_t first, n; /* of the output */
	const struct panel *panel;
	const int8_t *weights;
	struct panel_output output;
};

/* Rows [first_row, first_row + b->n) of one panel's columns. */
ALWAYS_INLINE void block_columns(const struct ek_conv_q *a, const struct product_block *b,
	uint32_t first_row, const struct columns *c, const bool fused, const int vectors)
{
	__m512i sums[BLOCK_STEP][PANEL_VECTORS];
	__mmask64 bytes = panel_bytes(c->n);
	size_t cols = a->shape.out_c;
	uint8_t *to = (uint8_t *)a->output + first_row * cols + c->first;
	for (uint32_t r = 0; r < b->n;) {
		uint32_t n =
			product_run((uint32_t)vectors, b, r, c->weights, c->panel->start, sums);
		for (uint32_t i = 0; i < n; i++, to += cols) {
			panel_requant(c->panel, &c->output, fused, vectors, sums[i]);
			_mm512_mask_storeu_epi8(to, bytes, panel_pack_natural(&c->output, sums[i]));
		}
		r += n;
	}
}

static void block_panel(const struct ek_conv_q *a, const struct product_block *b,
	uint32_t first_row, const struct columns *c, uint32_t vectors)
{
	if (!c->panel->fused) {
		switch (vectors) {
		case 1:
			block_columns(a, b, first_row, c, false, 1);
			break;
		case 2:
			block_columns(a, b, first_row, c, false, 2);
			break;
		case 3:
			block_columns(a, b, first_row, c, false, 3);
			break;
		default:
			block_columns(a, b, first_row, c, false, 4);
		}
		return;
	}
	switch (vectors) {
	case 1:
		block_columns(a, b, first_row, c, true, 1);
		break;
	case 2:
		block_columns(a, b, first_row, c, true, 2);
		break;
	case 3:
		block_columns(a, b, first_row, c, true, 3);
		break;
	default:
		block_columns(a, b, first_row, c, true, 4);
	}
}

/* Panels of the tile's columns. */
static void make_panels(
	const struct ek_conv_q *a, const struct ek_tile *t, bool is_signed, struct panel *panels)
{
	uint64_t products = ek_conv_depth(&a->shape) * 255 * (is_signed ? 128 : 255);
	const int32_t *start = a->weights;
	uint32_t last = t->first_col + t->n_cols;
	for (uint32_t n = t->first_col; n < last; n += PANEL_COLS) {
		panel_init(panels++, start + n, a->bias32 ? a->bias32 + n : NULL, a->scale + n,
			panel_least(a->shape.out_c - n, PANEL_COLS), products);
	}
}

static void run(const struct ek_conv_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	size_t depth = (size_t)ek_conv_depth(&a->shape);
	struct panel one, *panels = panels_bytes(&a->shape) ? scratch : &one;
	struct product_block b = product_block((char *)scratch + panels_bytes(&a->shape), depth);
	uint32_t end_row = t->first_row + t->n_rows, end_col = t->first_col + t->n_cols;
	make_panels(a, t, is_signed, panels);
	for (uint32_t row = t->first_row; row < end_row; row += b.n) {
		b.n = panel_least(product_block_rows(depth), end_row - row);
		fill(a, row, &b);
		product_block_ready(&b, is_signed, a->weights_zero);
		for (uint32_t n = t->first_col; n < end_col; n += PANEL_COLS) {
			const struct columns c = {
				.first = n,
				.n = panel_least(end_col - n, PANEL_COLS),
				.panel = &panels[(n - t->first_col) / PANEL_COLS],
				.weights = product_panel(a->weights, a->shape.out_c, depth, n),
				.output = {a->output_zero, a->lo, a->hi, is_signed},
			};
			uint32_t in_panel = panel_least(a->shape.out_c - n, PANEL_COLS);
			block_panel(a, &b, row, &c, (in_panel + 15) / 16);
		}
	}
}

void ek_conv_s8__avx512vnni(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	if (args->shape.groups > 1) {
		ek_conv_s8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, true, scratch);
}

void ek_conv_u8__avx512vnni(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	if (args->shape.groups > 1) {
		ek_conv_u8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, false, scratch);
}
