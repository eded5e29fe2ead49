/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_panel_arm - panels of packed columns, blocks of rows and outputs of the products of gemm_arm.h */
#ifndef KERNELS_GEMM_GEMM_PANEL_ARM_H
#define KERNELS_GEMM_GEMM_PANEL_ARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/math/quant.h"

#define GEMM_COLS 16
#define GEMM_BLOCK_ROWS 96 /* of a block, at most */

struct gemm_head {
	int32_t sum[GEMM_COLS]; /* of w' */
	uint32_t size[GEMM_COLS]; /* sum of |w - zw|, UINT32_MAX where it is more */
	int32_t rest[GEMM_COLS]; /* -d */
	uint32_t rests; /* one of them is not zero */
	uint32_t lowest; /* one of w' is -128 */
	uint32_t wide; /* depthwise: the weights behind have 16 bits */
	uint32_t unused[13];
};

/* The operands as they are in the file. */
struct gemm_weights {
	const void *w; /* [cols][depth] */
	uint32_t cols;
	size_t depth;
	bool is_signed;
	int32_t weights_zero;
};

/*
 * How sums become codes. TOTAL is right for every scale, with the zero point added in 32 bits, where
 * it wraps. The others are for panels whose shifts are all to the right, by one at least: AWAY has
 * the second rounding's ties away from zero; FULL has them up, for outputs with all codes of the type
 * of which the lowest is the zero point, so that all below it, where ties differ, are one. UP is TOTAL
 * for ek_mbqm_up(), whose ties go up.
 */
enum gemm_rounding {
	GEMM_TOTAL,
	GEMM_UP,
	GEMM_AWAY,
	GEMM_FULL
};

/* A panel's scales as sums of two rows by two columns want them: of each pair of columns, twice. */
struct gemm_pairs {
	int32_t scale[GEMM_COLS / 2][2][4]; /* as in struct gemm_panel */
};

/* One panel of a call. */
struct gemm_panel {
	int32_t start[GEMM_COLS];
	int32_t rest[GEMM_COLS]; /* times the row's sum */
	/* Of four columns each: multipliers, and right shifts as VRSHL takes them, 0 or below. */
	int32_t scale[GEMM_COLS / 4][2][4];
	int32_t left[GEMM_COLS];
	const struct gemm_pairs *pairs; /* NULL: of an instruction set that has no use for them */
	enum gemm_rounding rounding;
	const int8_t *weights;
	bool rests, lowest;
	/* No requantised value leaves 16 bits, and rounding is AWAY or FULL: what the tiles of the
	 * instruction sets requantise by themselves. Else it is gemm_put(). */
	bool fits;
};

/* What becomes of a value between requantisation and the output. */
struct gemm_output {
	int32_t zero, lo, hi;
	bool is_signed; /* int8, else uint8 */
	bool ties_up; /* ek_mbqm_up() for ek_mbqm() */
};

/* Rows of x'. Row r begins at rows + r * depth; of an instruction set that takes rows in pairs,
 * both rows of a pair lie there in turns of 8. */
struct gemm_block {
	const int8_t *rows;
	size_t depth; /* rounded up */
	const int32_t *sums; /* of each row; read where a panel has rests */
	uint32_t n;
};

/* Where a panel's codes go: @cols of each row, rows @step bytes apart. */
struct gemm_target {
	uint8_t *to;
	size_t step;
	uint32_t cols;
};

struct gemm_isa {
	uint32_t rows; /* of a tile */
	uint32_t cols, group; /* of packed weights */
	int32_t lowest; /* weight that costs nothing extra: -128 or -127 */
	uint32_t pair; /* rows that are brought together: 1 or 2 */
	/*
	 * Writes isa->pair rows of @depth codes to @to, as a block has them, zeros behind; each code
	 * is XORed with @flip. @ret_sums: of the rows, or NULL. @rows[0] may be @to of one row.
	 */
	void (*bring)(int8_t *to, const uint8_t *const rows[2], size_t depth, uint8_t flip,
		int32_t *ret_sums);
	/* All rows of a block, requantised; panels have pairs where rows come in pairs. */
	void (*codes)(const struct gemm_block *b, const struct gemm_panel *p,
		const struct gemm_output *o, const struct gemm_target *to);
	/* All rows of a block, sums as they are: [b->n][16]. */
	void (*sums)(const struct gemm_block *b, const struct gemm_panel *p, int32_t *to);
};

/* Tiles may make codes by themselves. */
static inline bool gemm_is_plain(const struct gemm_panel *p, const struct gemm_target *to)
{
	return p->fits && to->cols == GEMM_COLS;
}

static inline uint32_t gemm_least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* memcpy() of @n < 16 bytes, in place, by pieces that may overlap. */
static inline void gemm_copy_few(uint8_t *to, const uint8_t *from, size_t n)
{
	if (n >= 8) {
		memcpy(to, from, 8);
		memcpy(to + n - 8, from + n - 8, 8);
	} else if (n >= 4) {
		memcpy(to, from, 4);
		memcpy(to + n - 4, from + n - 4, 4);
	} else {
		for (size_t at = 0; at < n; at++) {
			to[at] = from[at];
		}
	}
}

/* The same of a number of bytes that is not large. */
static inline void gemm_copy(uint8_t *to, const uint8_t *from, size_t n)
{
	if (n < 16) {
		gemm_copy_few(to, from, n);
		return;
	}
	for (size_t at = 0; at + 16 < n; at += 16) {
		memcpy(to + at, from + at, 16);
	}
	memcpy(to + n - 16, from + n - 16, 16);
}

/* Bytes of a row of a block. */
static inline uint64_t gemm_stride(uint64_t depth)
{
	return (depth + 15) & ~(uint64_t)15;
}

static inline uint64_t gemm_panels(uint32_t cols)
{
	return ((uint64_t)cols + GEMM_COLS - 1) / GEMM_COLS;
}

static inline uint64_t gemm_packed_bytes(uint32_t cols, uint64_t depth)
{
	return gemm_panels(cols) * (sizeof(struct gemm_head) + GEMM_COLS * gemm_stride(depth));
}

static inline const struct gemm_head *gemm_head(
	const void *packed, size_t depth, uint32_t first_col)
{
	size_t panel = sizeof(struct gemm_head) + GEMM_COLS * (size_t)gemm_stride(depth);
	return (const struct gemm_head *)((const char *)packed + first_col / GEMM_COLS * panel);
}

/* Room for the sums of a block's rows, which stand in front of it: so many. */
static inline uint32_t gemm_sums(uint32_t rows)
{
	return (rows + 15) / 16 * 16;
}

/* What a panel's sums start at, and the weights; @input_zero is that of x'. */
void gemm_panel_start(struct gemm_panel *p, const struct gemm_head *head, uint64_t depth,
	const int32_t *bias, int32_t input_zero, uint32_t n);
/* The constants of requantisation of the panel's first @n columns; after gemm_panel_start(). */
void gemm_panel_scale(struct gemm_panel *p, const struct gemm_head *head, uint64_t depth,
	const int32_t *bias, const struct ek_scale *scale, int32_t input_zero,
	const struct gemm_output *o, uint32_t n);
/* Its scales by pairs of columns; @pairs lives as long as the panel. */
void gemm_panel_pair(struct gemm_panel *p, struct gemm_pairs *pairs);

/* Requantises @n rows of sums, [n][16], for every panel. */
void gemm_put(const int32_t *sums, uint32_t n, const struct gemm_panel *p,
	const struct gemm_output *o, const struct gemm_target *to);

#endif
