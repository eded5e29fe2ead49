/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dtype - element types and shapes
 *
 * The numbers are those of TensorType in TensorFlow Lite's schema, version 3. Model files, engine,
 * protocol and client all use them.
 */
#ifndef BASE_DTYPE_H
#define BASE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

enum dtype {
	DTYPE_FLOAT32 = 0,
	DTYPE_FLOAT16 = 1,
	DTYPE_INT32 = 2,
	DTYPE_UINT8 = 3,
	DTYPE_INT64 = 4,
	DTYPE_STRING = 5,
	DTYPE_BOOL = 6,
	DTYPE_INT16 = 7,
	DTYPE_COMPLEX64 = 8,
	DTYPE_INT8 = 9,
	DTYPE_FLOAT64 = 10,
	DTYPE_COMPLEX128 = 11,
	DTYPE_UINT64 = 12,
	DTYPE_RESOURCE = 13,
	DTYPE_VARIANT = 14,
	DTYPE_UINT32 = 15,
	DTYPE_UINT16 = 16,
	DTYPE_INT4 = 17,
	DTYPE_BFLOAT16 = 18,
	DTYPE_COUNT
};

/* Returns "float32", "int8", ...; "unknown" for other numbers. */
const char *dtype_name(unsigned int dtype);

/* Returns the number of a name, or -1. */
int dtype_find(const char *name);

/* Returns the bits of one element; 0 for types without fixed width (string, resource, variant). */
unsigned int dtype_bits(unsigned int dtype);

#define SHAPE_MAX_RANK 8
#define SHAPE_MAX_DIM (1 << 24)

/* Row major. Rank 0 is a scalar with one element. A dimension is 0..SHAPE_MAX_DIM, or -1: not
 * known. */
struct shape {
	uint8_t rank;
	int32_t dim[SHAPE_MAX_RANK];
};

bool shape_equal(const struct shape *a, const struct shape *b);

/* Returns true if no dimension is -1. */
bool shape_known(const struct shape *shape);

/* Counts elements. -ERANGE if a dimension is unknown or out of range, or if the product of all
 * non-zero dimensions exceeds 2^31 - 1 ([0, huge, huge] must not hide an overflow). */
int must_check shape_elements(const struct shape *shape, uint64_t *ret_elements);

/* Bytes of a dense tensor; int4 elements are packed two to a byte, low nibble first. -ERANGE as
 * shape_elements(), -EINVAL for a type without fixed width. */
int must_check shape_bytes(const struct shape *shape, unsigned int dtype, uint64_t *ret_bytes);

/* Writes "1x96x96x3"; "-" for a scalar, "?" for an unknown dimension. Returns @out. */
char *shape_format(char *out, size_t size, const struct shape *shape);

#define SHAPE_TEXT_SIZE 96

#endif
