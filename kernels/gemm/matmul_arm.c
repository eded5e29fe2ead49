/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows by panels of 16 columns, as a convolution of one tap. Sums are few and become codes by a
 * product in double here: AArch64 has vectors of double, and VFP one after the other.
 */
#include "kernels/gemm/matmul_variants.h"

#include <string.h>

#include "kernels/gemm/gemm_arm.h"
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

static uint64_t packed_bytes(const struct ek_matmul_shape *shape)
{
	return gemm_packed_bytes(shape->cols, shape->depth);
}

/* Sums of a panel by a block of as many rows, aligned as the block wants it. */
static uint64_t sums_bytes(uint32_t rows)
{
	return (uint64_t)rows * GEMM_COLS * sizeof(int32_t);
}

/* A block, and its sums of a panel. */
static uint64_t scratch_bytes(const struct gemm_isa *isa, const struct ek_matmul_shape *shape)
{
	return sums_bytes(gemm_block_rows(isa, shape->rows, shape->depth)) +
		gemm_block_bytes(isa, shape->rows, shape->depth);
}

static void pack(
	const struct gemm_isa *isa, const struct ek_matmul_q *a, bool is_signed, void *packed)
{
	const struct gemm_weights w = {
		.w = a->w,
		.cols = a->shape.cols,
		.depth = a->shape.depth,
		.is_signed = is_signed,
		.weights_zero = a->weights_zero,
	};
	gemm_pack(isa, &w, packed);
}

/* One call. */
struct job {
	const struct gemm_isa *isa;
	const struct ek_matmul_q *args;
	struct gemm_block block;
	int8_t *rows; /* room for those of a block */
	int32_t *row_sums;
	int32_t *sums; /* [rows][16] */
	bool rests; /* a panel asks for sums of rows */
	uint8_t flip;
};

/* Rows [row, row + job->block.n) of a as rows of the block. */
static void bring_block(struct job *job, uint32_t row)
{
	size_t depth = job->args->shape.depth;
	struct gemm_block *b = &job->block;
	const uint8_t *from = (const uint8_t *)job->args->a + row * depth;
	if (!job->flip && depth % 16 == 0 && job->isa->pair == 1) {
		b->rows = (const int8_t *)from;
		return;
	}
	b->rows = job->rows;
	gemm_bring(job->isa, from, depth, job->flip, b->n, job->rows,
		job->rests ? job->row_sums : NULL);
}

/* Sums times scales, ties away from zero, 16 of them; ek_round32(). */
#if defined(__aarch64__)
static inline int32x2_t rescale_two(int32x2_t sums, const double *scale)
{
	float64x2_t x = vcvtq_f64_s64(vmovl_s32(sums));
	return vqmovn_s64(vcvtaq_s64_f64(vmulq_f64(x, vld1q_f64(scale))));
}

static void rescale(int32_t y[GEMM_COLS], const int32_t *sums, const double *scale)
{
	for (int i = 0; i < GEMM_COLS; i += 2) {
		vst1_s32(y + i, rescale_two(vld1_s32(sums + i), scale + i));
	}
}
#else
static void rescale(int32_t y[GEMM_COLS], const int32_t *sums, const double *scale)
{
	/* The largest double below a half, with the sign: what truncation then leaves is rounded. */
	const double half = 0x1.fffffffffffffp-2;
	for (int i = 0; i < GEMM_COLS; i++) {
		double x = (double)sums[i] * scale[i];
		x += x < 0 ? -half : half;
		y[i] = x >= 2147483647.0 ? INT32_MAX : x <= -2147483648.0 ? INT32_MIN : (int32_t)x;
	}
}
#endif

/* One panel of a call. */
struct columns {
	uint32_t first, n; /* of the output */
	struct gemm_panel panel;
	double scale[GEMM_COLS];
};

static void values(const struct ek_matmul_q *a, const struct columns *c, const int32_t *sums,
	int32_t y[GEMM_COLS])
{
	if (!a->fixed) {
		rescale(y, sums, c->scale);
	}
	for (uint32_t i = 0; i < c->n; i++) {
		int32_t v = a->fixed ? ek_mbqm(sums[i], a->fixed[c->first + i]) : y[i];
		y[i] = ek_clamp32(ek_add32(v, a->output_zero), a->lo, a->hi);
	}
}

/* One row of a panel's columns. */
static void put(
	const struct ek_matmul_q *a, const struct columns *c, size_t row, const int32_t *sums)
{
	int32_t y[GEMM_COLS];
	size_t at = row * a->shape.cols + c->first;
	values(a, c, sums, y);
	for (uint32_t i = 0; i < c->n; i++) {
		if (a->output_s16) {
			((int16_t *)a->output)[at + i] = (int16_t)y[i];
		} else {
			((uint8_t *)a->output)[at + i] = (uint8_t)y[i];
		}
	}
}

static struct columns columns_at(const struct job *job, uint32_t first, uint32_t end)
{
	const struct ek_matmul_q *a = job->args;
	size_t depth = a->shape.depth;
	struct columns c = {.first = first, .n = gemm_least(end - first, GEMM_COLS)};
	gemm_panel_start(&c.panel, gemm_head(a->w, depth, first), depth,
		a->bias32 ? a->bias32 + first : NULL, a->input_zero - job->flip, c.n);
	if (!a->fixed) {
		memcpy(c.scale, a->scale + first, c.n * sizeof(*c.scale));
	}
	return c;
}

static bool any_rests(const struct ek_matmul_q *a, const struct ek_tile *t)
{
	bool rests = false;
	for (uint32_t n = t->first_col; n < t->first_col + t->n_cols; n += GEMM_COLS) {
		rests = rests || gemm_head(a->w, a->shape.depth, n)->rests;
	}
	return rests;
}

static void run(const struct gemm_isa *isa, const struct ek_matmul_q *a, bool is_signed,
	const struct ek_tile *t, void *scratch)
{
	struct job job = {.isa = isa, .args = a, .sums = scratch, .flip = is_signed ? 0 : 128};
	uint32_t end_row = t->first_row + t->n_rows, end_col = t->first_col + t->n_cols;
	uint32_t most = gemm_block_rows(isa, t->n_rows, a->shape.depth);
	job.row_sums = (int32_t *)((char *)scratch + sums_bytes(most));
	job.rows = (int8_t *)(job.row_sums + gemm_sums(most));
	job.block.depth = (size_t)gemm_stride(a->shape.depth);
	job.block.sums = job.row_sums;
	job.rests = any_rests(a, t);
	for (uint32_t row = t->first_row; row < end_row; row += job.block.n) {
		job.block.n = gemm_least(most, end_row - row);
		bring_block(&job, row);
		for (uint32_t n = t->first_col; n < end_col; n += GEMM_COLS) {
			const struct columns c = columns_at(&job, n, end_col);
			isa->sums(&job.block, &c.panel, job.sums);
			for (uint32_t r = 0; r < job.block.n; r++) {
				put(a, &c, (size_t)row + r, job.sums + r * GEMM_COLS);
			}
		}
	}
}

GEMM_ROWS(matmul, neon)
#if defined(__aarch64__)
GEMM_ROWS(matmul, inorder)
GEMM_ROWS(matmul, dotprod)
GEMM_ROWS(matmul, i8mm)
#endif
