/* SPDX-License-Identifier: Apache-2.0 */
/*
 * product - products of rows of codes and panels of 16 packed columns, for Arm
 *
 * The instruction sets differ in how they multiply; what is around that is the same, and here:
 * signed codes on both sides, zero points in what the sums start at, and constants of
 * requantisation for each panel.
 *
 *   sum of (x - zx) (w - zw) = sum of x' w' - zx' sum of w' - d sum of x' + depth zx' d
 *
 * x' is x, of uint8 less 128 (its highest bit is flipped); w' is w less an offset of the column, and
 * d = zw - offset. The offset is zw where the column then fits in 8 bits, so that d is zero: only
 * the other columns ask for sums of x'.
 *
 * Packed weights, for each panel of 16 columns: struct product_head, then 16 * depth codes, the
 * depth rounded up to 16: for each 16 / cols parts of the panel [depth / group][cols][group], both
 * of the instruction set. Zeros fill up.
 */
#ifndef KERNELS_ARM_PRODUCT_H
#define KERNELS_ARM_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/quant.h"

#define PRODUCT_COLS 16
#define PRODUCT_BLOCK_ROWS 96 /* of a block, at most */

struct product_head {
	int32_t sum[PRODUCT_COLS]; /* of w' */
	uint32_t size[PRODUCT_COLS]; /* sum of |w - zw|, UINT32_MAX where it is more */
	int32_t rest[PRODUCT_COLS]; /* -d */
	uint32_t rests; /* one of them is not zero */
	uint32_t lowest; /* one of w' is -128 */
	uint32_t wide; /* depthwise: the weights behind have 16 bits */
	uint32_t unused[13];
};

/* The operands as they are in the file. */
struct product_weights {
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
enum product_rounding {
	PRODUCT_TOTAL,
	PRODUCT_UP,
	PRODUCT_AWAY,
	PRODUCT_FULL
};

/* A panel's scales as sums of two rows by two columns want them: of each pair of columns, twice. */
struct product_pairs {
	int32_t scale[PRODUCT_COLS / 2][2][4]; /* as in struct product_panel */
};

/* One panel of a call. */
struct product_panel {
	int32_t start[PRODUCT_COLS];
	int32_t rest[PRODUCT_COLS]; /* times the row's sum */
	/* Of four columns each: multipliers, and right shifts as VRSHL takes them, 0 or below. */
	int32_t scale[PRODUCT_COLS / 4][2][4];
	int32_t left[PRODUCT_COLS];
	const struct product_pairs
		*pairs; /* NULL: of an instruction set that has no use for them */
	enum product_rounding rounding;
	const int8_t *weights;
	bool rests, lowest;
	/* No requantised value leaves 16 bits, and rounding is AWAY or FULL: what the tiles of the
	 * instruction sets requantise by themselves. Else it is product_put(). */
	bool fits;
};

/* What becomes of a value between requantisation and the output. */
struct product_output {
	int32_t zero, lo, hi;
	bool is_signed; /* int8, else uint8 */
	bool ties_up; /* ek_mbqm_up() for ek_mbqm() */
};

/* Rows of x'. Row r begins at rows + r * depth; of an instruction set that takes rows in pairs,
 * both rows of a pair lie there in turns of 8. */
struct product_block {
	const int8_t *rows;
	size_t depth; /* rounded up */
	const int32_t *sums; /* of each row; read where a panel has rests */
	uint32_t n;
};

/* Where a panel's codes go: @cols of each row, rows @step bytes apart. */
struct product_target {
	uint8_t *to;
	size_t step;
	uint32_t cols;
};

struct product_isa {
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
	void (*codes)(const struct product_block *b, const struct product_panel *p,
		const struct product_output *o, const struct product_target *to);
	/* All rows of a block, sums as they are: [b->n][16]. */
	void (*sums)(const struct product_block *b, const struct product_panel *p, int32_t *to);
};

/* Tiles may make codes by themselves. */
static inline bool product_is_plain(const struct product_panel *p, const struct product_target *to)
{
	return p->fits && to->cols == PRODUCT_COLS;
}

static inline uint32_t product_least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* memcpy() of @n < 16 bytes, in place, by pieces that may overlap. */
static inline void product_copy_few(uint8_t *to, const uint8_t *from, size_t n)
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
static inline void product_copy(uint8_t *to, const uint8_t *from, size_t n)
{
	if (n < 16) {
		product_copy_few(to, from, n);
		return;
	}
	for (size_t at = 0; at + 16 < n; at += 16) {
		memcpy(to + at, from + at, 16);
	}
	memcpy(to + n - 16, from + n - 16, 16);
}

/* Bytes of a row of a block. */
static inline uint64_t product_stride(uint64_t depth)
{
	return (depth + 15) & ~(uint64_t)15;
}

static inline uint64_t product_panels(uint32_t cols)
{
	return ((uint64_t)cols + PRODUCT_COLS - 1) / PRODUCT_COLS;
}

static inline uint64_t product_packed_bytes(uint32_t cols, uint64_t depth)
{
	return product_panels(cols) *
		(sizeof(struct product_head) + PRODUCT_COLS * product_stride(depth));
}

static inline const struct product_head *product_head(
	const void *packed, size_t depth, uint32_t first_col)
{
	size_t panel = sizeof(struct product_head) + PRODUCT_COLS * (size_t)product_stride(depth);
	return (const struct product_head *)((const char *)packed +
		first_col / PRODUCT_COLS * panel);
}

void product_pack(const struct product_isa *isa, const struct product_weights *w, void *packed);

/* Rows of a block, so that it stays in the cache of the first level: whole tiles, or all @rows. */
uint32_t product_block_rows(const struct product_isa *isa, uint64_t rows, uint64_t depth);
/* Room for the sums of a block's rows, which stand in front of it: so many. */
static inline uint32_t product_sums(uint32_t rows)
{
	return (rows + 15) / 16 * 16;
}

/*
 * @n rows of @depth codes, one behind the other, become rows of a block at @rows, as isa->bring()
 * has them. @sums: NULL, or room for as many, rounded up to whole pairs.
 */
void product_bring(const struct product_isa *isa, const uint8_t *from, size_t depth, uint8_t flip,
	uint32_t n, int8_t *rows, int32_t *sums);

/* Room for such a block: its rows and their sums. */
uint64_t product_block_bytes(const struct product_isa *isa, uint64_t rows, uint64_t depth);

/* What a panel's sums start at, and the weights; @input_zero is that of x'. */
void product_panel_start(struct product_panel *p, const struct product_head *head, uint64_t depth,
	const int32_t *bias, int32_t input_zero, uint32_t n);
/* The constants of requantisation of the panel's first @n columns; after product_panel_start(). */
void product_panel_scale(struct product_panel *p, const struct product_head *head, uint64_t depth,
	const int32_t *bias, const struct ek_scale *scale, int32_t input_zero,
	const struct product_output *o, uint32_t n);
/* Its scales by pairs of columns; @pairs lives as long as the panel. */
void product_panel_pair(struct product_panel *p, struct product_pairs *pairs);

/* Requantises @n rows of sums, [n][16], for every panel. */
void product_put(const int32_t *sums, uint32_t n, const struct product_panel *p,
	const struct product_output *o, const struct product_target *to);

extern const struct product_isa product_neon;
#if defined(__aarch64__)
extern const struct product_isa product_inorder, product_dotprod, product_i8mm;
#endif

#endif
