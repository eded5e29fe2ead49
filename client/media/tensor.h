/* SPDX-License-Identifier: Apache-2.0 */
/* tensor - the bytes that go into a model or come out of it */
#ifndef CLIENT_PIPELINE_TENSOR_H
#define CLIENT_PIPELINE_TENSOR_H

#include "base/error.h"
#include "client/pipeline/spec.h"

struct tensor_bytes {
	unsigned int type; /* enum dtype */
	struct shape shape;
	void *data; /* owned, 64-byte aligned, dense, row major, little endian */
	uint64_t bytes;
};

/* Zeros of that type and shape. -EOPNOTSUPP for types without a fixed width. */
int must_check tensor_new(unsigned int type, const struct shape *shape,
	struct tensor_bytes *ret_tensor, struct error *err);
/* Empty strings of that shape, as a table (base/strings.h). */
int must_check tensor_new_strings(
	const struct shape *shape, struct tensor_bytes *ret_tensor, struct error *err);
/* @bytes zeros, whatever the type says. */
int must_check tensor_reserve(unsigned int type, const struct shape *shape, uint64_t bytes,
	struct tensor_bytes *ret_tensor, struct error *err);
/* A copy of @bytes bytes at @data, whatever the type says. */
int must_check tensor_copy(unsigned int type, const struct shape *shape, const void *data,
	uint64_t bytes, struct tensor_bytes *ret_tensor, struct error *err);
void tensor_free(struct tensor_bytes *tensor); /* zeroed is fine */

#define owned_tensor __attribute__((cleanup(tensor_free)))

#endif
