/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run/session_input.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/strings.h"
#include "engine/run/copy.h"

void session_input_deinit(struct session_input *input)
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

int session_input_reshape(struct session_input *input, const struct shape *shape,
	uint64_t max_bytes, struct error *err)
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

static int bind_strings(struct session_input *input, const void *data, uint64_t bytes,
	uint64_t max_bytes, struct error *err)
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

int session_input_bind(struct session_input *input, const void *data, uint64_t bytes,
	uint64_t max_bytes, struct error *err)
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

void *session_input_own(struct session_input *input)
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

void session_input_fill(struct session_input *input, uint8_t value)
{
	input->bound = NULL;
	if (input->type == DTYPE_STRING) {
		block_deinit(&input->own);
		int r = bytes_of(input->type, &input->shape, &input->bytes);
		assert(r == 0); /* of a shape that was accepted */
	} else if (input->own.data) {
		memset(input->own.data, value, input->own.bytes);
	}
}

/* Whoever has the input's own memory may have written anything. */
static int check_own_strings(
	const struct session_input *input, const struct run_control *control, struct error *err)
{
	uint64_t elements = 0;
	struct strings strings;
	const struct value table = {.data = input->own.data, .bytes = input->bytes};
	int r = shape_elements(&input->shape, &elements);
	r = r < 0 ? r : run_control_open_strings(control, &strings, &table, elements, err);
	return r == -ETIMEDOUT || r == -ECANCELED ? r : r < 0 ? -EINVAL : 0;
}

static int copy_bound(
	struct session_input *input, const struct run_control *control, struct error *err)
{
	int r = input->bytes > 0 ? run_control_check(control) : 0;
	return r < 0 ? error_set(err, r, "given up before it was copied")
		     : copy_bytes(input->own.data, input->bound, input->bytes, control, err);
}

int session_input_data(struct session_input *input, bool privately,
	const struct run_control *control, const void **ret_data, struct error *err)
{
	bool strings = input->type == DTYPE_STRING;
	if (input->bound && !strings && (!privately || input->bound == input->own.data)) {
		*ret_data = input->bound;
		return 0;
	}
	void *own = session_input_own(input);
	if (!own) {
		return error_no_memory(err);
	}
	if (input->bound && !strings) {
		int r = copy_bound(input, control, err);
		if (r < 0) {
			return r;
		}
	}
	*ret_data = own;
	return strings ? check_own_strings(input, control, err) : 0;
}
