/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/strings.h"
#include "client/media/preprocess.h"

/* Chooses the planned shape if it has @n elements; else one dynamic dimension, or the only
 * dimension, takes the rest. */
static int shape_for(
	const struct tensor_spec *spec, uint32_t n, struct shape *ret_shape, struct error *err)
{
	char shown[SHAPE_TEXT_SIZE];
	uint64_t others = 1;
	unsigned int free_at = 0, n_free = 0;
	*ret_shape = spec->shape;
	if (tensor_spec_elements(spec) == n) {
		return 0;
	}
	for (unsigned int i = 0; i < spec->declared.rank; i++) {
		bool is_free = spec->declared.dim[i] < 0 || spec->declared.rank == 1;
		others *= is_free ? 1 : (uint64_t)spec->declared.dim[i];
		free_at = is_free ? i : free_at;
		n_free += is_free;
	}
	if (n_free != 1 || others == 0 || n % others != 0) {
		return error_set(err, -EINVAL, "%u strings for the shape %s", n,
			shape_format(shown, sizeof(shown), &spec->declared));
	}
	*ret_shape = spec->declared;
	ret_shape->dim[free_at] = (int32_t)(n / others);
	return 0;
}

/* Returns the length of the line at @at without its line end; *ret_next is the start of the next
 * line. */
static size_t line_length(const uint8_t *data, size_t size, size_t at, size_t *ret_next)
{
	const uint8_t *end = memchr(data + at, '\n', size - at);
	size_t length = end ? (size_t)(end - data) - at : size - at;
	*ret_next = at + length + (end != NULL);
	return end && length > 0 && data[at + length - 1] == '\r' ? length - 1 : length;
}

/* Makes a tensor for @n strings of @bytes bytes in all. *ret_writer fills it. */
static int strings_new(const struct tensor_spec *spec, uint32_t n, uint64_t bytes,
	struct tensor_bytes *ret_tensor, struct strings_writer *ret_writer, struct error *err)
{
	struct shape shape;
	int r = shape_for(spec, n, &shape, err);
	bytes += strings_head_bytes(n);
	r = r < 0 ? r : tensor_reserve(DTYPE_STRING, &shape, bytes, ret_tensor, err);
	if (r == 0) {
		*ret_writer = strings_writer_of(ret_tensor->data, n);
	}
	return r;
}

int preprocess_lines(const struct tensor_spec *spec, const uint8_t *data, size_t size,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	struct strings_writer w;
	uint32_t n = 0;
	uint64_t text = 0;
	for (size_t at = 0; at < size; n++) {
		text += line_length(data, size, at, &at);
	}
	int r = strings_new(spec, n, text, ret_tensor, &w, err);
	for (size_t at = 0, begin = 0; at < size && r == 0; begin = at) {
		size_t length = line_length(data, size, begin, &at);
		strings_put(&w, data + begin, (uint32_t)length);
	}
	return r;
}

int preprocess_string(const struct tensor_spec *spec, const uint8_t *data, size_t size,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	struct strings_writer w;
	int r = strings_new(spec, 1, size, ret_tensor, &w, err);
	if (r == 0) {
		strings_put(&w, data, (uint32_t)size);
	}
	return r;
}

int preprocess_string_table(const struct tensor_spec *spec, const uint8_t *data, size_t size,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	struct strings strings;
	struct shape shape;
	uint32_t n = size >= 4 ? bytes_get_u32(data) : 0;
	int r = strings_open(&strings, data, size, n, err);
	r = r < 0 ? r : shape_for(spec, n, &shape, err);
	return r < 0 ? r : tensor_copy(DTYPE_STRING, &shape, data, size, ret_tensor, err);
}
