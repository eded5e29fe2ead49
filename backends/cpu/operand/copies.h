/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copies - moves that are strided copies one after the other, planned in prepare()
 *
 *   struct copies *p = copies_new(setup, 0, 1);      // it is the node's state from here on
 *   struct copy copy = copies_one(p, size, in, out);
 *   copy.src += ...; copy.walk.src_step[i] = ...;
 *   copies_add(p, copy);
 *
 * and copies_run() is the operator's run(). A tensor of strings is moved as the numbers of its
 * strings, by the same copies, and then written in the order that came out.
 */
#ifndef BACKENDS_CPU_OPERAND_COPIES_H
#define BACKENDS_CPU_OPERAND_COPIES_H

#include "backends/cpu/op.h"
#include "kernels/move/strided_copy.h"

enum copies_fill {
	COPIES_NO_FILL, /* the copies reach every element of the result */
	COPIES_FILL_CODE, /* first the element in copies.code everywhere */
	COPIES_FILL_INPUT, /* first the first element of input copies.fill_input everywhere */
};

#define COPIES_FROM_RESULT UINT32_MAX

struct copy {
	uint32_t from; /* input, or COPIES_FROM_RESULT: what earlier copies have left there */
	ptrdiff_t src, dst; /* bytes to the first element */
	struct ek_strided_copy walk;
};

struct copies {
	uint32_t element_bytes;
	uint32_t value; /* the input whose elements are moved */
	bool is_strings;
	uint32_t n_in, n_out; /* strings of the input and of the result */
	struct shape shape; /* of the result */
	uint8_t fill; /* enum copies_fill */
	uint32_t fill_input;
	uint8_t code[16];
	uint32_t count;
	struct copy copy[];
};

/* Room for @n copies of elements of input @value into output 0; it becomes setup->state. NULL when
 * memory is out. */
struct copies *copies_new(struct op_setup *setup, uint32_t value, uint32_t n);

/* The first @size elements of each dimension, from a dense tensor @src to a dense tensor @dst. All
 * three have one rank. */
struct copy copies_one(const struct copies *p, const struct shape *size, const struct shape *src,
	const struct shape *dst);

/* A step that is taken @times as wide, where there is more than one element to step through (what
 * could not be a distance inside a tensor is not computed). */
static inline ptrdiff_t copies_stretch(ptrdiff_t step, int64_t times, size_t elements)
{
	return elements > 1 ? (ptrdiff_t)(step * times) : 0;
}

/* Adds it where it has elements. */
void copies_add(struct copies *p, struct copy copy);

int copies_run(const struct op_call *call, struct error *err);

#endif
