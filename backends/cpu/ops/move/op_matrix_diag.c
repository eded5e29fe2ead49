/* SPDX-License-Identifier: Apache-2.0 */
/* MATRIX_DIAG and MATRIX_SET_DIAG. Source: tflite kernels/matrix_diag.cc, matrix_set_diag.cc. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/copies.h"

/* Input @from onto the diagonals of the matrices in the result. */
static struct copy diagonal_piece(const struct copies *p, uint32_t from)
{
	const uint32_t rank = p->shape.rank;
	const int32_t rows = p->shape.dim[rank - 2], columns = p->shape.dim[rank - 1];
	const int32_t batch = (int32_t)op_gemm(&p->shape, 0, rank - 2);
	const struct shape diagonal = {.rank = 2, .dim = {batch, rows < columns ? rows : columns}};
	struct copy copy = copies_one(p, &diagonal, &diagonal, &diagonal);
	copy.from = from;
	copy.walk.dst_step[0] = (ptrdiff_t)rows * columns * (ptrdiff_t)p->element_bytes;
	copy.walk.dst_step[1] = (columns + (ptrdiff_t)1) * (ptrdiff_t)p->element_bytes;
	return copy;
}

static int diag_prepare(struct op_setup *setup, struct error *err)
{
	struct copies *p = copies_new(setup, 0, 1);
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	p->fill = COPIES_FILL_CODE; /* code 0, whatever the zero point */
	copies_add(p, diagonal_piece(p, 0));
	return 0;
}

static int set_diag_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *in = op_shape_in(setup, 0);
	struct copies *p = copies_new(setup, 0, 2);
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	copies_add(p, copies_one(p, in, in, in));
	copies_add(p, diagonal_piece(p, 1));
	return 0;
}

const struct cpu_op op_matrix_diag = {
	.op = OP_MATRIX_DIAG, .types = ACCEPT_FIXED, .prepare = diag_prepare, .run = copies_run};
const struct cpu_op op_matrix_set_diag = {.op = OP_MATRIX_SET_DIAG,
	.types = ACCEPT_FIXED,
	.prepare = set_diag_prepare,
	.run = copies_run};
