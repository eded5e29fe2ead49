/* SPDX-License-Identifier: Apache-2.0 */
/* lookup_table - functions of an 8-bit code, worked out for all 256 codes at prepare time */
#ifndef BACKENDS_CPU_OPERAND_LOOKUP_TABLE_H
#define BACKENDS_CPU_OPERAND_LOOKUP_TABLE_H

#include "backends/cpu/op.h"
#include "kernels/elementwise/lut.h"
#include "kernels/elementwise/quantized.h"
#include "kernels/math/curve.h"
#include "kernels/requant/requant.h"

struct lookup_table {
	uint8_t entry_bytes; /* 1, 2 or 4: width of the result */
	ek_lut8_fn *run; /* for entries of 1 byte */
	union {
		uint8_t u8[256]; /* indexed by the code's byte */
		uint16_t u16[256];
		uint32_t u32[256];
		float f32[256];
	};
};

/* The code that byte @i of a tensor of type @dtype (int8 or uint8) stands for. */
static inline int32_t lookup_table_code(unsigned int dtype, unsigned int i)
{
	return dtype == DTYPE_INT8 ? (int8_t)i : (int32_t)i;
}

/* Picks the kernel and sets setup->detail; the caller fills the entries. */
void lookup_table_init(struct op_setup *setup, size_t entry_bytes, struct lookup_table *table);

/*
 * For int8 and uint8: each entry is clamp(round(f(v) / scale) + zero point) of output 0, v the real
 * value of input 0's code; beyond int32 the nearest of its ends, 0 for NaN.
 * @undefined: handed on to @curve. Source: LUTPopulateInt8 of tflite kernels/internal/common.h.
 */
void lookup_table_fill_curve(const struct op_setup *setup, ek_curve_fn *curve, float undefined,
	struct lookup_table *table);

/* Each entry is @one of the code. */
void lookup_table_fill_codes(const struct op_setup *setup, ek_quantized_one_fn *one,
	const struct ek_quantized *params, struct lookup_table *table);

/* Each entry is ek_requant_one() of the code; @params holds the whole formula. */
void lookup_table_fill_requant(const struct op_setup *setup, const struct ek_requant_params *params,
	struct lookup_table *table);

/* row_shape() and run_rows() of a row whose state begins with its table: pictures of a batch of one. */
bool lookup_table_row_shape(
	const struct op_setup *setup, uint32_t operand, struct row_fusion_shape *ret);
void lookup_table_run_rows(const struct op_call *call, const struct row_fusion_rows *rows);

/* All elements, in tiles. */
int must_check lookup_table_run(
	const struct lookup_table *table, const struct op_call *call, struct error *err);

#endif
