/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/strings.h"
#include "engine/model/schema.h"
#include "engine/model/verify.h"

static int check_shape(struct verify *v, uint32_t tensor, struct shape *ret_shape)
{
	struct flat_vector dims = flat_get_vector(v->f, tensor, SLOT(TENSOR, shape));
	struct shape known;
	uint64_t elements = 0;
	if (!view_shape(&dims, ret_shape)) {
		return error_set(
			v->err, -EBADMSG, "rank %u, at most %d", dims.count, SHAPE_MAX_RANK);
	}
	known = *ret_shape;
	for (uint32_t i = 0; i < known.rank; i++) {
		if (known.dim[i] == -1) {
			known.dim[i] = 1; /* not known yet: old converters write it here */
		}
		if (known.dim[i] < 0 || known.dim[i] > SHAPE_MAX_DIM) {
			return error_set(v->err, -EBADMSG, "dimension %u is %d, at most %d", i,
				(int)known.dim[i], SHAPE_MAX_DIM);
		}
	}
	if (shape_elements(&known, &elements) < 0) {
		return error_set(v->err, -EBADMSG, "more than 2^31 - 1 elements");
	}
	return 0;
}

/* The signature says the same as the shape, or -1. */
static int check_shape_signature(struct verify *v, uint32_t tensor, const struct shape *shape)
{
	struct flat_vector dims = flat_get_vector(v->f, tensor, SLOT(TENSOR, shape_signature));
	if (dims.count == 0) {
		return 0;
	}
	if (dims.count != shape->rank) {
		return error_set(v->err, -EBADMSG, "shape signature of rank %u, shape of rank %u",
			dims.count, shape->rank);
	}
	for (uint32_t i = 0; i < dims.count; i++) {
		int32_t dim = flat_vector_i32(&dims, i);
		if (dim != -1 && dim != shape->dim[i]) {
			return error_set(v->err, -EBADMSG,
				"dimension %u is %d, in the shape signature %d", i,
				(int)shape->dim[i], (int)dim);
		}
	}
	return 0;
}

static int check_strings(struct verify *v, const struct view_bytes *data, const struct shape *shape)
{
	uint64_t elements = 0;
	struct strings strings;
	if (shape_elements(shape, &elements) < 0) {
		return error_set(v->err, -EBADMSG, "strings: a constant of unknown shape");
	}
	int r = verify_charge(v, data->size / 4);
	return r < 0 ? r : strings_open(&strings, data->data, data->size, elements, v->err);
}

static int check_dense(struct verify *v, const struct view_bytes *data, const struct shape *shape,
	unsigned int type)
{
	uint64_t bytes = 0;
	char text[SHAPE_TEXT_SIZE];
	if (shape_bytes(shape, type, &bytes) < 0) {
		return error_set(v->err, -EBADMSG, "constant of type %s and shape %s",
			dtype_name(type), shape_format(text, sizeof(text), shape));
	}
	if (bytes != data->size) {
		return error_set(v->err, -EBADMSG, "%llu bytes of data, %s %s needs %llu",
			(unsigned long long)data->size, dtype_name(type),
			shape_format(text, sizeof(text), shape), (unsigned long long)bytes);
	}
	return 0;
}

static int check_sparse(struct verify *v, uint32_t sparsity, const struct view_bytes *data,
	const struct shape *shape, unsigned int type)
{
	uint64_t elements = 0;
	if (dtype_bits(type) < 8 || !shape_known(shape)) {
		return error_set(v->err, -EBADMSG, "sparse constant of type %s", dtype_name(type));
	}
	int r = verify_sparsity(v, sparsity, shape, &elements);
	if (r == 0 && elements * (dtype_bits(type) / 8) != data->size) {
		r = error_set(v->err, -EBADMSG, "sparsity: %llu bytes of data for %llu elements",
			(unsigned long long)data->size, (unsigned long long)elements);
	}
	return r;
}

static int check_constant(struct verify *v, uint32_t tensor, const struct view_bytes *data,
	const struct shape *shape, unsigned int type)
{
	uint32_t sparsity = flat_get_table(v->f, tensor, SLOT(TENSOR, sparsity));
	if (flat_get_u8(v->f, tensor, SLOT(TENSOR, is_variable), 0)) {
		return error_set(v->err, -EBADMSG, "a variable with constant data");
	}
	uint32_t alignment = view_alignment(type) < 4 ? view_alignment(type) : 4;
	if (data->size && (data->data - v->f->data) % alignment) {
		return error_set(v->err, -EBADMSG, "data is not aligned for %s", dtype_name(type));
	}
	int r = view_needs_copy(v->f, data, type) ? verify_charge(v, data->size) : 0;
	if (r < 0) {
		return r;
	}
	if (type == DTYPE_STRING) {
		return check_strings(v, data, shape);
	}
	return sparsity ? check_sparse(v, sparsity, data, shape, type)
			: check_dense(v, data, shape, type);
}

int verify_tensor(struct verify *v, uint32_t tensor)
{
	unsigned int type = flat_get_u8(v->f, tensor, SLOT(TENSOR, type), 0);
	uint32_t buffer = flat_get_u32(v->f, tensor, SLOT(TENSOR, buffer), 0);
	struct shape shape = {0};
	if (buffer && buffer >= v->buffers.count) { /* buffer 0 is empty, listed or not */
		return error_set(v->err, -EBADMSG, "buffer %u of %u", buffer, v->buffers.count);
	}
	if (flat_get_u32(v->f, tensor, SLOT(TENSOR, external_buffer), 0)) {
		return error_set(v->err, -EOPNOTSUPP, "data in another file is not supported");
	}
	int r = check_shape(v, tensor, &shape);
	if (r == 0) {
		r = check_shape_signature(v, tensor, &shape);
	}
	if (r == 0) {
		r = verify_quant(v, tensor, &shape, type);
	}
	struct view_bytes data = view_constant(v->f, v->model, tensor);
	if (r == 0 && data.data) {
		r = check_constant(v, tensor, &data, &shape, type);
	} else if (r == 0 && flat_get_table(v->f, tensor, SLOT(TENSOR, sparsity))) {
		r = error_set(v->err, -EBADMSG, "sparsity without constant data");
	}
	return r;
}
