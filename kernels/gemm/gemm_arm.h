/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_arm - products of rows of codes and panels of 16 packed columns, for Arm
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
 * Packed weights, for each panel of 16 columns: struct gemm_head, then 16 * depth codes, the
 * depth rounded up to 16: for each 16 / cols parts of the panel [depth / group][cols][group], both
 * of the instruction set. Zeros fill up.
 */
#ifndef KERNELS_GEMM_GEMM_ARM_H
#define KERNELS_GEMM_GEMM_ARM_H

#include "kernels/gemm/gemm_panel_arm.h"

void gemm_pack(const struct gemm_isa *isa, const struct gemm_weights *w, void *packed);

/* Rows of a block, so that it stays in the cache of the first level: whole tiles, or all @rows. */
uint32_t gemm_block_rows(const struct gemm_isa *isa, uint64_t rows, uint64_t depth);

/*
 * @n rows of @depth codes, one behind the other, become rows of a block at @rows, as isa->bring()
 * has them. @sums: NULL, or room for as many, rounded up to whole pairs.
 */
void gemm_bring(const struct gemm_isa *isa, const uint8_t *from, size_t depth, uint8_t flip,
	uint32_t n, int8_t *rows, int32_t *sums);

/* Room for such a block: its rows and their sums. */
uint64_t gemm_block_bytes(const struct gemm_isa *isa, uint64_t rows, uint64_t depth);

/* The rows of @family, conv or matmul, for the instruction set @isa: its .c file has packed_bytes(), scratch_bytes(),
 * pack() and run(). */
#define GEMM_ROWS(family, isa)                                                                     \
	uint64_t ek_##family##_packed_bytes__##isa(const struct ek_##family##_shape *shape)        \
	{                                                                                          \
		return packed_bytes(shape);                                                        \
	}                                                                                          \
	uint64_t ek_##family##_scratch_bytes__##isa(const struct ek_##family##_shape *shape)       \
	{                                                                                          \
		return scratch_bytes(&gemm_##isa, shape);                                          \
	}                                                                                          \
	GEMM_ROWS_OF_TYPE(family, s8, true, isa)                                                   \
	GEMM_ROWS_OF_TYPE(family, u8, false, isa)
#define GEMM_ROWS_OF_TYPE(family, type, is_signed, isa)                                            \
	void ek_##family##_##type##_pack__##isa(const struct ek_##family##_q *args, void *packed)  \
	{                                                                                          \
		pack(&gemm_##isa, args, is_signed, packed);                                        \
	}                                                                                          \
	void ek_##family##_##type##__##isa(                                                        \
		const struct ek_##family##_q *args, const struct ek_tile *tile, void *scratch)     \
	{                                                                                          \
		run(&gemm_##isa, args, is_signed, tile, scratch);                                  \
	}

extern const struct gemm_isa gemm_neon;
#if defined(__aarch64__)
extern const struct gemm_isa gemm_inorder, gemm_dotprod, gemm_i8mm;
#endif

#endif
