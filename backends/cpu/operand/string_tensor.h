/* SPDX-License-Identifier: Apache-2.0 */
/* string_tensor - tensors of strings: read as a run finds them, written in a new order */
#ifndef BACKENDS_CPU_OPERAND_STRING_TENSOR_H
#define BACKENDS_CPU_OPERAND_STRING_TENSOR_H

#include "backends/cpu/op.h"
#include "base/strings.h"

/* Opens input @i, @elements strings. -EINVAL when its bytes are no whole table. */
int must_check string_tensor_open(const struct op_call *call, uint32_t i, uint64_t elements,
	struct strings *ret, struct error *err);

/* Gives output @i the shape @shape and the @count strings @index[0], @index[1], ... of @from (each
 * below its count). -EFBIG beyond what a table can hold, or as op_give_output(). */
int must_check string_tensor_give(const struct op_call *call, uint32_t i, const struct shape *shape,
	const struct strings *from, const uint32_t *index, uint32_t count, struct error *err);

/* 0 when @w has written the whole table, else -EINVAL: what said which strings it was has changed since
 * they were measured, as a client's memory may. */
int must_check string_tensor_check(const struct strings_writer *w, struct error *err);

/* Gives output @i the shape @shape and all strings of input @from, in their order. */
int must_check string_tensor_copy(const struct op_call *call, uint32_t i, const struct shape *shape,
	uint32_t from, struct error *err);

#endif
