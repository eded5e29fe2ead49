/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view - what several readers of a walked file ask of it: a tensor's constant, an operator's code
 *
 * Every table here has passed flatbuffer_verify(); nothing else is presumed unless said.
 */
#ifndef ENGINE_MODEL_VIEW_H
#define ENGINE_MODEL_VIEW_H

#include "engine/graph.h"
#include "engine/model/flatbuffer.h"

/* Bytes that the file holds for something; @data is NULL where it holds none, not where it holds
 * zero of them. */
struct view_bytes {
	const uint8_t *data;
	uint64_t size;
};

/*
 * The content of a Buffer: its vector, or where that is left out and its offset is above 1 (0 and 1
 * mean "none"), the bytes outside the FlatBuffer. False when those are not inside the file.
 */
bool view_buffer(const struct flat *f, uint32_t buffer, struct view_bytes *ret_bytes);

/* The constant of @tensor, whose buffer index and buffer have been verified. Buffer 0 is nobody's
 * content. */
struct view_bytes view_constant(const struct flat *f, uint32_t model, uint32_t tensor);

/* Alignment that elements of @type need in memory: complex numbers are two. */
uint32_t view_alignment(unsigned int type);

/* Numbers of 8 bytes that stand at a multiple of 4 only, as converters write them: the graph has a
 * copy of these, so that every kernel may read them as they are. */
bool view_needs_copy(const struct flat *f, const struct view_bytes *data, unsigned int type);

/* The options bytes of a custom operator, by the same rule. False as above. */
bool view_custom_options(const struct flat *f, uint32_t operator, struct view_bytes * ret_bytes);

/* The builtin operator of an OperatorCode: the greater of its two fields, as files from before and
 * after the field grew need it (schema 3a). Any number. */
int32_t view_builtin_code(const struct flat *f, uint32_t operator_code);

struct text view_text(const struct flat *f, uint32_t table, uint32_t slot);

/* A vector as a shape; false when it has more than SHAPE_MAX_RANK elements. */
bool view_shape(const struct flat_vector *v, struct shape *ret_shape);

/* The shape of a verified tensor as it is declared: its signature where it has one, with -1 for
 * what only a run tells, else its shape. */
struct shape view_declared_shape(const struct flat *f, uint32_t tensor);

/* Most bytes of a blockwise tensor that may be left out of the file. */
#define VIEW_ZEROS 4096

/* Whether a tensor without bytes reads as zeros where no node writes it: one of no elements, or int4 or
 * int8 of at most VIEW_ZEROS bytes with blockwise scales, which LiteRT leaves as its memory is. */
bool view_reads_as_zeros(const struct shape *declared, unsigned int type, bool blockwise);

#endif
