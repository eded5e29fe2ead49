/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/matrices.h"

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/strided.h"

static uint64_t matrix_bytes(const struct matrices *m)
{
	return m->rows * m->depth * m->element_bytes;
}

static int transpose(const struct matrices *m, void *dst, const void *src,
	const struct run_control *control, struct error *err)
{
	const ptrdiff_t element = (ptrdiff_t)m->element_bytes;
	const struct ek_strided_copy walk = {
		.rank = 2,
		.size = {(size_t)m->rows, (size_t)m->depth},
		.dst_step = {(ptrdiff_t)m->depth * element, element},
		.src_step = {element, (ptrdiff_t)m->rows * element},
	};
	return strided_copy(dst, src, m->element_bytes, &walk, control, err);
}

static int transpose_constant(struct op_setup *setup, struct matrices *m, struct error *err)
{
	const struct shape *shape = op_shape_in(setup, m->operand);
	uint64_t n = op_gemm(shape, 0, shape->rank - 2u), bytes = matrix_bytes(m);
	const char *src = op_constant(setup, m->operand);
	char *ready = op_alloc(setup, n * bytes);
	if (!ready) {
		return op_alloc_failed(setup, err);
	}
	m->ready = ready;
	for (uint64_t i = 0; i < n; i++) {
		int r = transpose(m, ready + i * bytes, src + i * bytes, NULL, err);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

int matrices_prepare(
	struct op_setup *setup, uint32_t i, bool transpose, struct matrices *ret, struct error *err)
{
	const struct shape *shape = op_shape_in(setup, i), *out = op_shape_out(setup, 0);
	const uint32_t missing = out->rank - shape->rank;
	const int32_t *size = &shape->dim[shape->rank - 2];
	*ret = (struct matrices){
		.operand = i,
		.element_bytes = (uint32_t)op_accept_element_bytes(op_tensor_in(setup, i)),
		.rows = (uint64_t)size[transpose ? 1 : 0],
		.depth = (uint64_t)size[transpose ? 0 : 1],
		.transpose = transpose,
	};
	uint64_t step = 1;
	for (uint32_t d = out->rank - 2u; d-- > missing;) {
		int32_t dim = shape->dim[d - missing];
		ret->step[d] = dim == 1 ? 0 : step;
		step *= (uint64_t)dim;
	}
	if (transpose && op_constant(setup, i)) {
		return transpose_constant(setup, ret, err);
	}
	ret->scratch_at = transpose ? op_scratch(setup, matrix_bytes(ret)) : 0;
	return 0;
}

static uint64_t index_of(const struct op_call *call, const struct matrices *m, uint64_t batch)
{
	const struct shape *out = &op_out(call, 0)->shape;
	uint64_t index = 0;
	for (uint32_t d = out->rank - 2u; d-- > 0;) {
		uint64_t dim = (uint64_t)out->dim[d];
		index += batch % dim * m->step[d];
		batch /= dim;
	}
	return index;
}

int matrix_take(const struct op_call *call, const struct matrices *m, uint64_t batch,
	struct matrix *matrix, struct error *err)
{
	const uint64_t index = index_of(call, m, batch), at = index * matrix_bytes(m);
	const char *src = (const char *)op_in(call, m->operand)->data + at;
	matrix->changed = index != matrix->index;
	matrix->index = index;
	if (!m->transpose) {
		matrix->data = src;
	} else if (m->ready) {
		matrix->data = (const char *)m->ready + at;
	} else if (matrix->changed) {
		char *dst = (char *)call->scratch + m->scratch_at;
		matrix->data = dst;
		return transpose(m, dst, src, call->control, err);
	}
	return 0;
}
