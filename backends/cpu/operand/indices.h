/* SPDX-License-Identifier: Apache-2.0 */
/* indices - operands whose values say where: read one by one, and proved in range each time */
#ifndef BACKENDS_CPU_OPERAND_INDICES_H
#define BACKENDS_CPU_OPERAND_INDICES_H

#include "backends/cpu/op.h"

struct indices {
	const void *data;
	uint8_t type; /* int16, int32 or int64 */
	const char *name; /* in errors */
};

/* Input @i of a running node. */
static inline struct indices indices_of(const struct op_call *call, uint32_t i, const char *name)
{
	return (struct indices){
		op_in(call, i)->data, call->subgraph->tensors[call->node->inputs[i]].type, name};
}

/* Value @k, whatever it is. */
static inline int64_t indices_get(const struct indices *x, uint64_t k)
{
	return x->type == DTYPE_INT64    ? ((const int64_t *)x->data)[k]
		: x->type == DTYPE_INT32 ? ((const int32_t *)x->data)[k]
					 : ((const int16_t *)x->data)[k];
}

/* -EINVAL: "indices[3] is 17, must be below 10". */
int must_check indices_refuse(
	const struct indices *x, uint64_t k, int64_t value, int64_t limit, struct error *err);

/* Value @k, which must be 0 .. @limit - 1. */
static inline int must_check indices_read(
	const struct indices *x, uint64_t k, int64_t limit, int64_t *ret, struct error *err)
{
	int64_t value = indices_get(x, k);
	if (value < 0 || value >= limit) {
		return indices_refuse(x, k, value, limit, err);
	}
	*ret = value;
	return 0;
}

/* Values @k to @k + n - 1 as indices into dimensions 0 .. n - 1 of @shape; *ret is where they lead,
 * in row-major order over these dimensions. */
int must_check indices_read_vector(const struct indices *x, uint64_t k, uint32_t n,
	const struct shape *shape, uint64_t *ret, struct error *err);

#endif
