/* SPDX-License-Identifier: Apache-2.0 */
/* tensor - data of an input or output tensor */
#ifndef CLIENT_MEDIA_TENSOR_H
#define CLIENT_MEDIA_TENSOR_H

#include "base/error.h"
#include "client/media/tensor_spec.h"

struct tensor_bytes {
	unsigned int type; /* enum dtype */
	struct shape shape;
	void *data; /* owned, 64-byte aligned, row major without padding, little endian */
	uint64_t bytes;
};

/* Allocates a zeroed tensor. -EOPNOTSUPP: the type has no fixed size. */
int must_check tensor_new(unsigned int type, const struct shape *shape,
	struct tensor_bytes *ret_tensor, struct error *err);
/* Allocates a tensor of empty strings, as a table (base/strings.h). */
int must_check tensor_new_strings(
	const struct shape *shape, struct tensor_bytes *ret_tensor, struct error *err);
/* Allocates @bytes zeroed bytes. The size is not checked against the type. */
int must_check tensor_reserve(unsigned int type, const struct shape *shape, uint64_t bytes,
	struct tensor_bytes *ret_tensor, struct error *err);
/* Copies @bytes bytes of @data. The size is not checked against the type. */
int must_check tensor_copy(unsigned int type, const struct shape *shape, const void *data,
	uint64_t bytes, struct tensor_bytes *ret_tensor, struct error *err);
void tensor_free(struct tensor_bytes *tensor); /* @tensor may be zeroed */

#define owned_tensor __attribute__((cleanup(tensor_free)))

#endif
