/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/tensor.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/strings.h"

#define TENSOR_ALIGNMENT 64
#define TENSOR_MAX_BYTES (1u << 30)

int tensor_reserve(unsigned int type, const struct shape *shape, uint64_t bytes,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	if (bytes > TENSOR_MAX_BYTES) {
		return error_set(err, -EFBIG, "a tensor of %llu bytes", (unsigned long long)bytes);
	}
	size_t room = (size_t)bytes_align_up(bytes + 1, TENSOR_ALIGNMENT);
	void *data = aligned_alloc(TENSOR_ALIGNMENT, room);
	if (!data) {
		return error_no_memory(err);
	}
	memset(data, 0, room);
	*ret_tensor =
		(struct tensor_bytes){.type = type, .shape = *shape, .data = data, .bytes = bytes};
	return 0;
}

int tensor_new(unsigned int type, const struct shape *shape, struct tensor_bytes *ret_tensor,
	struct error *err)
{
	uint64_t bytes = 0;
	int r = shape_bytes(shape, type, &bytes);
	if (r == -EINVAL) {
		return error_set(err, -EOPNOTSUPP, "%s tensors cannot be filled from a file",
			dtype_name(type));
	}
	if (r < 0) {
		return error_set(err, r, "the shape is out of range");
	}
	return tensor_reserve(type, shape, bytes, ret_tensor, err);
}

int tensor_new_strings(
	const struct shape *shape, struct tensor_bytes *ret_tensor, struct error *err)
{
	uint64_t elements = 0;
	int r = shape_elements(shape, &elements);
	if (r < 0) {
		return error_set(err, r, "the shape is out of range");
	}
	r = tensor_reserve(DTYPE_STRING, shape, strings_head_bytes(elements), ret_tensor, err);
	if (r < 0) {
		return r;
	}
	struct strings_writer w = strings_writer_of(ret_tensor->data, (uint32_t)elements);
	for (uint64_t i = 0; i < elements; i++) {
		strings_put(&w, "", 0);
	}
	return 0;
}

int tensor_copy(unsigned int type, const struct shape *shape, const void *data, uint64_t bytes,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	int r = tensor_reserve(type, shape, bytes, ret_tensor, err);
	if (r == 0 && bytes > 0) {
		memcpy(ret_tensor->data, data, (size_t)bytes);
	}
	return r;
}

void tensor_free(struct tensor_bytes *tensor)
{
	free(tensor->data);
	*tensor = (struct tensor_bytes){0};
}
