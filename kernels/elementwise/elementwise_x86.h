/* SPDX-License-Identifier: Apache-2.0 */
/* elementwise_x86 - rows of the lists of kernels/elementwise/add.h and kernels/elementwise/mul.h for x86-64, and how they find the
 * lines of kernels/requant/float_requant.h */
#ifndef KERNELS_ELEMENTWISE_ELEMENTWISE_X86_H
#define KERNELS_ELEMENTWISE_ELEMENTWISE_X86_H

#include <stdbool.h>

#include "kernels/elementwise/add_params.h"
#include "kernels/elementwise/mul_params.h"

ek_add_fn ek_add_s8__avx2, ek_add_u8__avx2, ek_add_s16__avx2, ek_add_s16_pot__avx2;
ek_add_fn ek_add_s8__avx512vnni, ek_add_u8__avx512vnni, ek_add_s16__avx512vnni,
	ek_add_s16_pot__avx512vnni;
ek_mul_fn ek_mul_s8__avx2, ek_mul_u8__avx2, ek_mul_s16__avx2;
ek_mul_fn ek_mul_s8__avx512vnni, ek_mul_u8__avx512vnni, ek_mul_s16__avx512vnni;

typedef void ek_add_prove_fn(struct ek_add_params *params);
typedef void ek_mul_prove_fn(struct ek_mul_params *params);

ek_add_prove_fn ek_add_s8_prove__avx2, ek_add_u8_prove__avx2, ek_add_s8_prove__avx512vnni,
	ek_add_u8_prove__avx512vnni;
ek_mul_prove_fn ek_mul_s8_prove__avx2, ek_mul_u8_prove__avx2, ek_mul_s8_prove__avx512vnni,
	ek_mul_u8_prove__avx512vnni;

/* The rescaled operands of a sum, for the 256 codes from @first on; b's with the sign. */
struct float_requant_codes {
	int32_t first;
	int32_t a[256], b[256];
	int32_t doubtful; /* the first to be tried: of a where the last line failed */
};

/* True where the line gives the code of the integers for every pair of codes. */
typedef bool ek_add_holds_fn(const struct ek_add_params *params,
	const struct ek_float_requant *line, struct float_requant_codes *codes);
typedef bool ek_mul_holds_fn(
	const struct ek_mul_params *params, const struct ek_float_requant *line, int32_t first);

ek_add_holds_fn ek_add_float_requant_holds__avx2, ek_add_float_requant_holds__avx512vnni;
ek_mul_holds_fn ek_mul_float_requant_holds__avx2, ek_mul_float_requant_holds__avx512vnni;

#endif
