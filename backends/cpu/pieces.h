/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pieces - moves that are strided copies one after the other, planned in prepare()
 *
 *   struct pieces *p = pieces_new(setup, 0, 1);      // it is the node's state from here on
 *   struct piece piece = pieces_piece(p, size, in, out);
 *   piece.src += ...; piece.walk.src_step[i] = ...;
 *   pieces_add(p, piece);
 *
 * and pieces_run() is the operator's run(). A tensor of strings is moved as the numbers of its
 * strings, by the same pieces, and then written in the order that came out.
 */
#ifndef BACKENDS_CPU_PIECES_H
#define BACKENDS_CPU_PIECES_H

#include "backends/cpu/op.h"
#include "kernels/walk.h"

enum pieces_fill {
	PIECES_NO_FILL, /* the pieces reach every element of the result */
	PIECES_FILL_CODE, /* first the element in pieces.code everywhere */
	PIECES_FILL_INPUT, /* first the first element of input pieces.fill_input everywhere */
};

#define PIECES_FROM_RESULT UINT32_MAX

struct piece {
	uint32_t from; /* input, or PIECES_FROM_RESULT: what earlier pieces have left there */
	ptrdiff_t src, dst; /* bytes to the first element */
	struct ek_walk walk;
};

struct pieces {
	uint32_t element_bytes;
	uint32_t value; /* the input whose elements are moved */
	bool is_strings;
	uint32_t n_in, n_out; /* strings of the input and of the result */
	struct shape shape; /* of the result */
	uint8_t fill; /* enum pieces_fill */
	uint32_t fill_input;
	uint8_t code[16];
	uint32_t count;
	struct piece piece[];
};

/* Room for @n pieces of elements of input @value into output 0; it becomes setup->state. NULL when
 * memory is out. */
struct pieces *pieces_new(struct op_setup *setup, uint32_t value, uint32_t n);

/* The first @size elements of each dimension, from a dense tensor @src to a dense tensor @dst. All
 * three have one rank. */
struct piece pieces_piece(const struct pieces *p, const struct shape *size, const struct shape *src,
	const struct shape *dst);

/* A step that is taken @times as wide, where there is more than one element to step through (what
 * could not be a distance inside a tensor is not computed). */
static inline ptrdiff_t pieces_stretch(ptrdiff_t step, int64_t times, size_t elements)
{
	return elements > 1 ? (ptrdiff_t)(step * times) : 0;
}

/* Adds it where it has elements. */
void pieces_add(struct pieces *p, struct piece piece);

int pieces_run(const struct op_call *call, struct error *err);

#endif
