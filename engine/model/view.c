/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/view.h"

#include "engine/model/schema.h"

static bool view_outside(
	const struct flat *f, uint64_t offset, uint64_t size, struct view_bytes *ret_bytes)
{
	*ret_bytes = (struct view_bytes){0};
	if (offset <= 1) {
		return true;
	}
	if (size > f->size || offset > f->size - size) {
		return false;
	}
	*ret_bytes = (struct view_bytes){f->data + offset, size};
	return true;
}

bool view_buffer(const struct flat *f, uint32_t buffer, struct view_bytes *ret_bytes)
{
	struct flat_vector data = flat_get_vector(f, buffer, SLOT(BUFFER, data));
	if (data.data) {
		*ret_bytes = (struct view_bytes){data.data, data.count};
		return true;
	}
	return view_outside(f, flat_get_u64(f, buffer, SLOT(BUFFER, offset), 0),
		flat_get_u64(f, buffer, SLOT(BUFFER, size), 0), ret_bytes);
}

struct view_bytes view_constant(const struct flat *f, uint32_t model, uint32_t tensor)
{
	struct view_bytes bytes = {0};
	struct flat_vector buffers = flat_get_vector(f, model, SLOT(MODEL, buffers));
	uint32_t index = flat_get_u32(f, tensor, SLOT(TENSOR, buffer), 0);
	if (index == 0 || !view_buffer(f, flat_vector_table(f, &buffers, index), &bytes)) {
		return (struct view_bytes){0};
	}
	return bytes;
}

uint32_t view_alignment(unsigned int type)
{
	unsigned int bytes = dtype_bits(type) / 8;
	if (type == DTYPE_COMPLEX64 || type == DTYPE_COMPLEX128) {
		bytes /= 2;
	}
	return bytes ? bytes : 1;
}

bool view_needs_copy(const struct flat *f, const struct view_bytes *data, unsigned int type)
{
	return data->size && view_alignment(type) == 8 && (data->data - f->data) % 8 != 0;
}

bool view_custom_options(const struct flat *f, uint32_t operator, struct view_bytes * ret_bytes)
{
	struct flat_vector data = flat_get_vector(f, operator, SLOT(OPERATOR, custom_options));
	if (data.data) {
		*ret_bytes = (struct view_bytes){data.data, data.count};
		return true;
	}
	return view_outside(f,
		flat_get_u64(f, operator, SLOT(OPERATOR, large_custom_options_offset), 0),
		flat_get_u64(f, operator, SLOT(OPERATOR, large_custom_options_size), 0), ret_bytes);
}

int32_t view_builtin_code(const struct flat *f, uint32_t operator_code)
{
	int8_t old = (int8_t)flat_get_u8(
		f, operator_code, SLOT(OPERATOR_CODE, deprecated_builtin_code), 0);
	int32_t code = flat_get_i32(f, operator_code, SLOT(OPERATOR_CODE, builtin_code), 0);
	return old > code ? old : code;
}

struct text view_text(const struct flat *f, uint32_t table, uint32_t slot)
{
	struct flat_vector v = flat_get_vector(f, table, slot);
	return (struct text){(const char *)v.data, v.count};
}

bool view_shape(const struct flat_vector *v, struct shape *ret_shape)
{
	if (v->count > SHAPE_MAX_RANK) {
		return false;
	}
	*ret_shape = (struct shape){.rank = (uint8_t)v->count};
	for (uint32_t i = 0; i < v->count; i++) {
		ret_shape->dim[i] = flat_vector_i32(v, i);
	}
	return true;
}

struct shape view_declared_shape(const struct flat *f, uint32_t tensor)
{
	struct flat_vector dims = flat_get_vector(f, tensor, SLOT(TENSOR, shape_signature));
	struct shape shape = {0};
	if (dims.count == 0) {
		dims = flat_get_vector(f, tensor, SLOT(TENSOR, shape));
	}
	(void)view_shape(&dims, &shape);
	return shape;
}

bool view_reads_as_zeros(const struct shape *declared, unsigned int type, bool blockwise)
{
	uint64_t elements = 1, bytes = 0;
	if (shape_elements(declared, &elements) == 0 && elements == 0) {
		return true;
	}
	return blockwise && (type == DTYPE_INT4 || type == DTYPE_INT8) &&
		shape_bytes(declared, type, &bytes) == 0 && bytes <= VIEW_ZEROS;
}
