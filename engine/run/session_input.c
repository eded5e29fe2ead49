/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run/input.h"

#include <inttypes.h>
#include <string.h>

#include "base/strings.h"

void input_deinit(struct input *input)
{
	block_deinit(&input->own);
}

/* Bytes of a tensor of that shape; of strings, of empty ones. */
static int bytes_of(unsigned int type, const struct shape *shape, uint64_t *ret_bytes)
{
	uint64_t elements = 0;
	if (type != DTYPE_STRING) {
		return shape_bytes(shape, type, ret_bytes);
	}
	int r = shape_elements(shape, &elements);
	*ret_bytes = strings_head_bytes(elements);
	return r;
}

int input_reshape(
	struct input *input, const struct shape *shape, uint64_t max_bytes, struct error *err)
{
	uint64_t bytes = 0;
	char text[SHAPE_TEXT_SIZE];
	if (bytes_of(input->type, shape, &bytes) < 0) {
		return error_set(err, -EINVAL, "shape %s cannot be",
			shape_format(text, sizeof(text), shape));
	}
	if (bytes > max_bytes) {
		return error_set(
			err, -EFBIG, "%" PRIu64 " bytes, the limit is %" PRIu64, bytes, max_bytes);
	}
	if (bytes != input->bytes || input->type == DTYPE_STRING) {
		input->bound = NULL;
		block_deinit(&input->own);
	}
	input->shape = *shape;
	input->bytes = bytes;
	return 0;
}

static int bind_strings(struct input *input, const void *data, uint64_t bytes, uint64_t max_bytes,
	struct error *err)
{
	uint64_t elements = 0;
	struct block own = {0};
	struct strings strings;
	if (bytes > max_bytes) {
		return error_set(err, -EFBIG, "%" PRIu64 " bytes of strings, the limit is %" PRIu64,
			bytes, max_bytes);
	}
	int r = shape_elements(&input->shape, &elements);
	if (r == 0) {
		r = block_init(&own, bytes ? bytes : 1);
	}
	if (r < 0) {
		return error_no_memory(err);
	}
	memcpy(own.data, data, (size_t)bytes);
	if (strings_open(&strings, own.data, bytes, elements, err) < 0) {
		block_deinit(&own);
		return err && err->text[0] ? error_set(err, -EINVAL, "%s", err->text) : -EINVAL;
	}
	block_deinit(&input->own);
	input->own = own;
	input->bytes = bytes;
	input->bound = own.data;
	return 0;
}

int input_bind(struct input *input, const void *data, uint64_t bytes, uint64_t max_bytes,
	struct error *err)
{
	if (!data || (uintptr_t)data % 16 != 0) {
		return error_set(err, -EINVAL, "not aligned to 16 bytes");
	}
	if (input->type == DTYPE_STRING) {
		return bind_strings(input, data, bytes, max_bytes, err);
	}
	if (bytes != input->bytes) {
		return error_set(
			err, -EINVAL, "takes %" PRIu64 " bytes, not %" PRIu64, input->bytes, bytes);
	}
	input->bound = data;
	return 0;
}

void *input_own(struct input *input)
{
	if (input->own.data) {
		return input->own.data;
	}
	if (block_init(&input->own, input->bytes ? input->bytes : 1) < 0) {
		return NULL;
	}
	if (input->type == DTYPE_STRING) {
		uint32_t n = (uint32_t)(input->bytes / 4 - 2);
		struct strings_writer w = strings_writer_of(input->own.data, n);
		for (uint32_t i = 0; i < n; i++) {
			strings_put(&w, "", 0);
		}
	}
	return input->own.data;
}

/* Whoever has the input's own memory may have written anything. */
static int check_own_strings(const struct input *input, struct error *err)
{
	uint64_t elements = 0;
	struct strings strings;
	int r = shape_elements(&input->shape, &elements);
	r = r < 0 ? r : strings_open(&strings, input->own.data, input->bytes, elements, err);
	return r < 0 ? -EINVAL : 0;
}

int input_data(struct input *input, bool privately, const void **ret_data, struct error *err)
{
	bool strings = input->type == DTYPE_STRING;
	if (input->bound && !strings && (!privately || input->bound == input->own.data)) {
		*ret_data = input->bound;
		return 0;
	}
	void *own = input_own(input);
	if (!own) {
		return error_no_memory(err);
	}
	if (input->bound && !strings) {
		memcpy(own, input->bound, (size_t)input->bytes);
	}
	*ret_data = own;
	return strings ? check_own_strings(input, err) : 0;
}
