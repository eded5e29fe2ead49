/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of output pixels at a time: what they see is brought to scratch as rows of the product,
 * padding as the zero point, and stays in the first level's cache while all panels of columns are
 * multiplied with it. A filter of one tap over int8 reads the picture where it lies, if it can.
 */
#include "kernels/conv/conv_variants.h"

#include <string.h>

#include "kernels/gemm/gemm_arm.h"

static uint64_t packed_bytes(const struct ek_conv_shape *shape)
{
	return shape->groups > 1 ? 0 : gemm_packed_bytes(shape->out_c, ek_conv_depth(shape));
}

static uint64_t pixels(const struct ek_conv_shape *shape)
{
	const struct ek_window *w = &shape->window;
	return (uint64_t)w->batch * w->y.out * w->x.out;
}

static uint64_t panels_bytes(const struct ek_conv_shape *shape)
{
	return gemm_panels(shape->out_c) * sizeof(struct gemm_panel);
}

/* Panels' scales by pairs of columns, where the instruction set reads those. */
static uint64_t pairs_bytes(const struct gemm_isa *isa, const struct ek_conv_shape *shape)
{
	return isa->pair == 2 ? gemm_panels(shape->out_c) * sizeof(struct gemm_pairs) : 0;
}

/* Panels, a block, and the patches of a pair of rows; with groups a patch. */
static uint64_t scratch_bytes(const struct gemm_isa *isa, const struct ek_conv_shape *shape)
{
	uint64_t depth = ek_conv_depth(shape);
	return shape->groups > 1 ? depth
				 : panels_bytes(shape) + pairs_bytes(isa, shape) +
			gemm_block_bytes(isa, pixels(shape), depth) + 2 * depth;
}

static void pack(
	const struct gemm_isa *isa, const struct ek_conv_q *a, bool is_signed, void *packed)
{
	const struct gemm_weights w = {
		.w = a->weights,
		.cols = a->shape.out_c,
		.depth = (size_t)ek_conv_depth(&a->shape),
		.is_signed = is_signed,
		.weights_zero = a->weights_zero,
	};
	gemm_pack(isa, &w, packed);
}

/* A filter of one tap that meets every pixel once: output rows are input rows. */
static bool is_pointwise(const struct ek_window *w)
{
	return w->y.taps == 1 && w->x.taps == 1 && w->y.stride == 1 && w->x.stride == 1 &&
		w->y.out == w->y.in && w->x.out == w->x.in;
}

/* Output positions whose taps are all in the picture; none where the filter is dilated. */
struct inside {
	uint32_t first, end;
};

static struct inside inside_of(const struct ek_window_axis *axis)
{
	uint64_t beyond = (uint64_t)axis->in + axis->pad;
	struct inside i = {(uint32_t)(((uint64_t)axis->pad + axis->stride - 1) / axis->stride), 0};
	if (axis->dilation == 1 && beyond >= axis->taps) {
		uint64_t end = (beyond - axis->taps) / axis->stride + 1;
		i.end = end < axis->out ? (uint32_t)end : axis->out;
	}
	return i;
}

/* One call. */
struct job {
	const struct gemm_isa *isa;
	const struct ek_conv_q *args;
	struct gemm_output output;
	struct gemm_panel *panels; /* of the tile's columns */
	struct gemm_pairs *pairs; /* of each of them; NULL: none */
	struct gemm_block block;
	int8_t *rows; /* room for those of a block */
	int32_t *sums;
	uint8_t *patches;
	bool rests; /* a panel asks for sums of rows */
	bool pointwise;
	uint8_t flip;
	struct inside x, y;
};

/* Panels of the tile's columns. */
static void make_panels(struct job *job, const struct ek_tile *t)
{
	const struct ek_conv_q *a = job->args;
	size_t depth = (size_t)ek_conv_depth(&a->shape);
	int32_t zero = a->input_zero - job->flip;
	struct gemm_panel *p = job->panels;
	for (uint32_t n = t->first_col; n < t->first_col + t->n_cols; n += GEMM_COLS, p++) {
		uint32_t cols = gemm_least(a->shape.out_c - n, GEMM_COLS);
		const int32_t *bias = a->bias32 ? a->bias32 + n : NULL;
		const struct gemm_head *head = gemm_head(a->weights, depth, n);
		gemm_panel_start(p, head, depth, bias, zero, cols);
		gemm_panel_scale(p, head, depth, bias, a->scale + n, zero, &job->output, cols);
		job->rests = job->rests || p->rests;
		if (job->pairs) {
			gemm_panel_pair(p, job->pairs + (p - job->panels));
		}
	}
}

/* ek_conv_patch() of output pixel @row; rows of taps are short, and most of them inside. */
static void gather(const struct job *job, uint32_t row, uint8_t *patch)
{
	const struct ek_conv_q *a = job->args;
	const struct ek_window *w = &a->shape.window;
	struct ek_pixel p = ek_window_pixel(w, row);
	if (p.x < job->x.first || p.x >= job->x.end || p.y < job->y.first || p.y >= job->y.end) {
		ek_conv_patch(&a->shape, a->input, 1, a->input_zero, p, 0, patch);
		return;
	}
	size_t x = (size_t)p.x * w->x.stride - w->x.pad;
	size_t y = (size_t)p.y * w->y.stride - w->y.pad;
	size_t pixel = a->shape.in_c, line = pixel * w->x.in, n = pixel * w->x.taps;
	const uint8_t *from = (const uint8_t *)a->input + p.batch * (w->y.in * line) + y * line;
	from += x * pixel;
	for (uint32_t ky = 0; ky < w->y.taps; ky++, from += line, patch += n) {
		gemm_copy(patch, from, n);
	}
}

/* Output pixels [row, row + job->block.n) as rows of the block, gathered. */
static void bring_patches(struct job *job, uint32_t row, size_t depth)
{
	const struct gemm_block *b = &job->block;
	for (uint32_t r = 0; r < b->n; r += job->isa->pair) {
		const uint8_t *rows[2] = {job->patches, job->patches};
		for (uint32_t i = 0; i < job->isa->pair && r + i < b->n; i++) {
			uint8_t *patch = job->patches + i * depth;
			gather(job, row + r + i, patch);
			rows[i] = patch;
		}
		job->isa->bring(job->rows + r * b->depth, rows, depth, job->flip,
			job->rests ? job->sums + r : NULL);
	}
}

/* The same, or the picture itself where it can be read. */
static void bring_block(struct job *job, uint32_t row)
{
	size_t depth = (size_t)ek_conv_depth(&job->args->shape);
	struct gemm_block *b = &job->block;
	const uint8_t *from = (const uint8_t *)job->args->input + row * depth;
	if (job->pointwise && !job->flip && depth % 16 == 0 && job->isa->pair == 1) {
		b->rows = (const int8_t *)from;
		return;
	}
	b->rows = job->rows;
	if (job->pointwise) {
		gemm_bring(job->isa, from, depth, job->flip, b->n, job->rows,
			job->rests ? job->sums : NULL);
	} else {
		bring_patches(job, row, depth);
	}
}

static struct job job_init(const struct gemm_isa *isa, const struct ek_conv_q *a, bool is_signed,
	const struct ek_tile *t, void *scratch)
{
	uint64_t depth = ek_conv_depth(&a->shape), all = pixels(&a->shape);
	struct job job = {
		.isa = isa,
		.args = a,
		.output = {a->output_zero, a->lo, a->hi, is_signed, a->ties_up},
		.panels = scratch,
		.pointwise = is_pointwise(&a->shape.window),
		.flip = is_signed ? 0 : 128,
		.x = inside_of(&a->shape.window.x),
		.y = inside_of(&a->shape.window.y),
	};
	char *behind = (char *)scratch + panels_bytes(&a->shape);
	job.pairs = pairs_bytes(isa, &a->shape) ? (struct gemm_pairs *)behind : NULL;
	job.sums = (int32_t *)(behind + pairs_bytes(isa, &a->shape));
	job.rows = (int8_t *)(job.sums + gemm_sums(gemm_block_rows(isa, all, depth)));
	job.patches = (uint8_t *)job.sums + gemm_block_bytes(isa, all, depth);
	job.block.depth = (size_t)gemm_stride(depth);
	job.block.sums = job.sums;
	make_panels(&job, t);
	return job;
}

static void run(const struct gemm_isa *isa, const struct ek_conv_q *a, bool is_signed,
	const struct ek_tile *t, void *scratch)
{
	if (a->shape.groups > 1) {
		(is_signed ? ek_conv_s8 : ek_conv_u8)[0].run(a, t, scratch);
		return;
	}
	struct job job = job_init(isa, a, is_signed, t, scratch);
	uint32_t end_row = t->first_row + t->n_rows, end_col = t->first_col + t->n_cols;
	uint32_t most = gemm_block_rows(isa, t->n_rows, ek_conv_depth(&a->shape));
	size_t step = a->shape.out_c;
	for (uint32_t row = t->first_row; row < end_row; row += job.block.n) {
		job.block.n = gemm_least(most, end_row - row);
		bring_block(&job, row);
		const struct gemm_panel *p = job.panels;
		for (uint32_t n = t->first_col; n < end_col; n += GEMM_COLS, p++) {
			const struct gemm_target to = {
				.to = (uint8_t *)a->output + row * step + n,
				.step = step,
				.cols = gemm_least(end_col - n, GEMM_COLS),
			};
			isa->codes(&job.block, p, &job.output, &to);
		}
	}
}

GEMM_ROWS(conv, neon)
#if defined(__aarch64__)
GEMM_ROWS(conv, inorder)
GEMM_ROWS(conv, dotprod)
GEMM_ROWS(conv, i8mm)
#endif
