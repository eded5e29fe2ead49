/* SPDX-License-Identifier: Apache-2.0 */
/* arith_q_x86 - rows of the lists of kernels/elementwise/arith_q.h for x86-64, and how they find the lines of
 * kernels/requant/float_requant.h */
#ifndef KERNELS_ELEMENTWISE_ARITH_Q_X86_H
#define KERNELS_ELEMENTWISE_ARITH_Q_X86_H

#include <stdbool.h>

#include "kernels/elementwise/arith_q.h"

/* The rescaled operands of a sum, for the 256 codes from @first on; b's with the sign. */
struct float_requant_codes {
	int32_t first;
	int32_t a[256], b[256];
	int32_t doubtful; /* the first to be tried: of a where the last line failed */
};

/* True where the line gives the code of the integers for every pair of codes. */
typedef bool ek_add_holds_fn(const struct ek_arith_q *params, const struct ek_float_requant *line,
	struct float_requant_codes *codes);
typedef bool ek_mul_holds_fn(
	const struct ek_arith_q *params, const struct ek_float_requant *line, int32_t first);

#define ARITH_Q_ISA(isa)                                                                           \
	ek_arith_q_fn ek_add_s8__##isa, ek_add_u8__##isa, ek_add_s16__##isa,                       \
		ek_add_s16_pot__##isa;                                                             \
	ek_arith_q_fn ek_mul_s8__##isa, ek_mul_u8__##isa, ek_mul_s16__##isa;                       \
	ek_arith_q_prove_fn ek_add_s8_prove__##isa, ek_add_u8_prove__##isa;                        \
	ek_arith_q_prove_fn ek_mul_s8_prove__##isa, ek_mul_u8_prove__##isa;                        \
	ek_add_holds_fn ek_add_float_requant_holds__##isa;                                         \
	ek_mul_holds_fn ek_mul_float_requant_holds__##isa;

ARITH_Q_ISA(avx2)
ARITH_Q_ISA(avx512vnni)

#endif
