/* SPDX-License-Identifier: Apache-2.0 */
/* op_accept - what an operator's accept() says, in the same words everywhere */
#ifndef BACKENDS_CPU_OP_ACCEPT_H
#define BACKENDS_CPU_OP_ACCEPT_H

#include "backends/cpu/op.h"

#define ACCEPT(type) (1u << DTYPE_##type)
#define ACCEPT_QUANTISED (ACCEPT(INT8) | ACCEPT(UINT8) | ACCEPT(INT16))

/* Types of one width that moves need not tell apart: 1, 2, 4, 8 or 16 bytes. */
#define ACCEPT_FIXED                                                                               \
	(ACCEPT(BOOL) | ACCEPT(INT8) | ACCEPT(UINT8) | ACCEPT(INT16) | ACCEPT(UINT16) |            \
		ACCEPT(FLOAT16) | ACCEPT(BFLOAT16) | ACCEPT(INT32) | ACCEPT(UINT32) |              \
		ACCEPT(FLOAT32) | ACCEPT(INT64) | ACCEPT(UINT64) | ACCEPT(FLOAT64) |               \
		ACCEPT(COMPLEX64) | ACCEPT(COMPLEX128))

/* 0 when the type of @t (an operand or result of the node) is one of @types, a sum of ACCEPT();
 * else -EOPNOTSUPP naming the type; the planner puts operator and place in front. */
int must_check op_accept_type(const struct tensor *t, uint32_t types, struct error *err);

/* The same for input 0 and output 0, which must have one type. */
int must_check op_accept_same(const struct op_setup *setup, uint32_t types, struct error *err);

/* Operands and result have types that the row @op names. */
int must_check op_accept_types(
	const struct op_setup *setup, const struct cpu_op *op, struct error *err);

/* -EOPNOTSUPP with "<what> is not there yet". */
int must_check op_accept_missing(const char *what, struct error *err);

/* Bytes of one element of a type of ACCEPT_FIXED. */
static inline size_t op_accept_element_bytes(const struct tensor *t)
{
	return dtype_bits(t->type) / 8;
}

#endif
