/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BATCH_MATMUL. Source: tflite kernels/batch_matmul.cc.
 *
 * All kernels take rows of the left operand and columns of the right one, each with its elements
 * side by side; an operand that is stored the other way round is transposed into scratch, matrix
 * by matrix (a constant right operand once, into the program).
 */
#include <math.h>

#include "backends/cpu/accept.h"
#include "backends/cpu/blas.h"
#include "backends/cpu/hybrid.h"
#include "backends/cpu/move.h"
#include "backends/cpu/params.h"
#include "backends/cpu/quant.h"
#include "backends/cpu/tile.h"
#include "kernels/batch_matmul.h"
#include "kernels/matmul.h"

#define NO_MATRIX UINT64_MAX

/* One operand: matrices of rows x depth elements, of which each product takes one. */
struct side {
	uint32_t element_bytes;
	uint64_t rows, depth;
	bool transpose; /* stored as depth x rows */
	const void *ready; /* all matrices transposed, in the program; NULL: by each run */
	uint64_t scratch_at; /* of one transposed matrix */
	uint64_t step[SHAPE_MAX_RANK]; /* matrices from one batch to the next; 0: broadcast */
};

struct matmul_state {
	struct side left, right;
	uint32_t n_batch_dims;
	uint64_t batches; /* of the output */
	uint64_t out_bytes; /* of one matrix of it */
	ek_batch_matmul_fn *kernel; /* codes; else NULL */
	struct ek_batch_matmul q;
	struct ek_matmul_f32 f32;
	const struct ek_matmul_f32_row *row_f32;
	struct blas blas; /* open where it does the float product */
	const struct ek_matmul_h_row *row_h; /* hybrid; else NULL */
	struct ek_matmul_h h;
	uint64_t codes_at, rows_at; /* hybrid: the left matrix in scratch */
	bool asymmetric;
};

static int matmul_accept(const struct op_setup *setup, struct error *err)
{
	uint32_t types = ACCEPT(FLOAT32) | ACCEPT(INT8) | ACCEPT(INT16);
	int r = accept_type(op_tensor_in(setup, 0), types, err);
	return r < 0 ? r : accept_type(op_tensor_in(setup, 1), types, err);
}

static ek_batch_matmul_fn *pick(const struct op_setup *setup)
{
	unsigned int right = op_tensor_in(setup, 1)->type;
	switch (op_tensor_in(setup, 0)->type) {
	case DTYPE_INT8:
		return op_tensor_out(setup, 0)->type == DTYPE_INT32 ? ek_batch_matmul_s8s32
								    : ek_batch_matmul_s8;
	case DTYPE_INT16:
		return right == DTYPE_INT16 ? ek_batch_matmul_s16 : ek_batch_matmul_s16s8;
	default:
		return NULL;
	}
}

/* Steps over the batches of operand @i, as one of as many dimensions as the output has. */
static void prepare_side(
	const struct op_setup *setup, uint32_t i, bool transpose, struct side *side)
{
	const struct shape *shape = op_shape_in(setup, i), *out = op_shape_out(setup, 0);
	const uint32_t missing = out->rank - shape->rank;
	const int32_t *matrix = &shape->dim[shape->rank - 2];
	side->element_bytes = (uint32_t)accept_element_bytes(op_tensor_in(setup, i));
	side->transpose = transpose;
	side->rows = (uint64_t)matrix[transpose ? 1 : 0];
	side->depth = (uint64_t)matrix[transpose ? 0 : 1];
	uint64_t step = 1;
	for (uint32_t d = out->rank - 2u; d-- > missing;) {
		int32_t dim = shape->dim[d - missing];
		side->step[d] = dim == 1 ? 0 : step;
		step *= (uint64_t)dim;
	}
}

static uint64_t side_bytes(const struct side *side)
{
	return side->rows * side->depth * side->element_bytes;
}

static int transpose(const struct side *side, void *dst, const void *src,
	const struct run_control *control, struct error *err)
{
	const ptrdiff_t element = (ptrdiff_t)side->element_bytes;
	const struct ek_walk walk = {
		.rank = 2,
		.size = {(size_t)side->rows, (size_t)side->depth},
		.dst_step = {(ptrdiff_t)side->depth * element, element},
		.src_step = {element, (ptrdiff_t)side->rows * element},
	};
	return move_run(dst, src, side->element_bytes, &walk, control, err);
}

/* All matrices of a constant right operand, once. */
static int transpose_constant(struct op_setup *setup, struct side *side, struct error *err)
{
	const struct shape *shape = op_shape_in(setup, 1);
	uint64_t n = params_product(shape, 0, shape->rank - 2u), bytes = side_bytes(side);
	const char *src = op_constant(setup, 1);
	char *ready = op_alloc(setup, n * bytes);
	if (!ready) {
		return op_alloc_failed(setup, err);
	}
	side->ready = ready;
	for (uint64_t i = 0; i < n; i++) {
		int r = transpose(side, ready + i * bytes, src + i * bytes, NULL, err);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int prepare_transposed(struct op_setup *setup, struct matmul_state *state, struct error *err)
{
	struct side *left = &state->left, *right = &state->right;
	if (left->transpose) {
		left->scratch_at = op_scratch(setup, side_bytes(left));
	}
	if (right->transpose && op_constant(setup, 1)) {
		return transpose_constant(setup, right, err);
	}
	if (right->transpose) {
		right->scratch_at = op_scratch(setup, side_bytes(right));
	}
	return 0;
}

static void prepare_f32(struct op_setup *setup, struct matmul_state *state)
{
	struct ek_matmul_f32 *a = &state->f32;
	*a = (struct ek_matmul_f32){
		.shape = {state->q.rows, state->q.cols, state->q.depth},
		.lo = -INFINITY,
		.hi = INFINITY,
	};
	state->row_f32 = ek_pick(
		ek_matmul_f32, ek_matmul_f32_count, sizeof(*ek_matmul_f32), setup->cpu_features);
	setup->detail = state->row_f32->variant.name;
	if (blas_pays(a->shape.rows, a->shape.cols, a->shape.depth) && blas_open(&state->blas)) {
		setup->detail = "matmul_f32__openblas";
	}
}

/* Each row of the left operand has a scale of its own. */
static int prepare_h(struct op_setup *setup, struct matmul_state *state, struct error *err)
{
	state->row_h = ek_pick(
		ek_matmul_h8, ek_matmul_h8_count, sizeof(*ek_matmul_h8), setup->cpu_features);
	setup->detail = state->row_h->variant.name;
	state->h = (struct ek_matmul_h){
		.shape = {state->q.rows, state->q.cols, state->q.depth},
		.block = state->q.depth ? state->q.depth : 1,
		.lo = -INFINITY,
		.hi = INFINITY,
	};
	state->asymmetric = setup->node->options.batch_matmul.asymmetric_quantize_inputs;
	state->codes_at = op_scratch(setup, state->left.rows * state->left.depth);
	state->rows_at = op_scratch(setup, state->left.rows * sizeof(struct ek_hybrid_row));
	return hybrid_scales(setup, state->q.cols, &state->h.scale, err);
}

/* The product of the scales is rounded to float, as the reference has it. */
static int prepare_q(struct op_setup *setup, struct matmul_state *state, struct error *err)
{
	const struct tensor *left = op_tensor_in(setup, 0), *right = op_tensor_in(setup, 1);
	const struct tensor *out = op_tensor_out(setup, 0);
	struct ek_weighted *q = &state->q.q;
	struct ek_scale *scale = op_alloc(setup, sizeof(*scale));
	if (!scale) {
		return op_alloc_failed(setup, err);
	}
	float product = quant_scale(left, 0) * quant_scale(right, 0);
	*scale = quant_split((double)product / (double)quant_scale(out, 0));
	q->scale = scale;
	q->input_zero = (int32_t)quant_zero(&left->quant, 0);
	q->weights_zero = (int32_t)quant_zero(&right->quant, 0);
	q->output_zero = (int32_t)quant_zero(&out->quant, 0);
	q->wide = left->type == DTYPE_INT16;
	quant_type_range(out->type, &q->lo, &q->hi);
	return 0;
}

static int prepare_kernel(struct op_setup *setup, struct matmul_state *state, struct error *err)
{
	state->kernel = pick(setup);
	if (state->kernel) {
		return prepare_q(setup, state, err);
	}
	if (op_tensor_in(setup, 1)->type == DTYPE_INT8) {
		return prepare_h(setup, state, err);
	}
	prepare_f32(setup, state);
	return 0;
}

static int matmul_prepare(struct op_setup *setup, struct error *err)
{
	struct matmul_state *state = setup->state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	const struct options_batch_matmul *o = &setup->node->options.batch_matmul;
	const struct shape *out = op_shape_out(setup, 0);
	prepare_side(setup, 0, o->adj_x, &state->left);
	prepare_side(setup, 1, !o->adj_y, &state->right);
	state->n_batch_dims = out->rank - 2u;
	state->batches = params_product(out, 0, out->rank - 2u);
	state->q.rows = (uint32_t)state->left.rows;
	state->q.cols = (uint32_t)state->right.rows;
	state->q.depth = (uint32_t)state->left.depth;
	state->out_bytes = state->left.rows * state->right.rows *
		accept_element_bytes(op_tensor_out(setup, 0));
	int r = prepare_transposed(setup, state, err);
	return r < 0 ? r : prepare_kernel(setup, state, err);
}

/* Which matrix of the operand product @batch takes. */
static uint64_t matrix_of(const struct op_call *call, const struct matmul_state *s,
	const struct side *side, uint64_t batch)
{
	const struct shape *out = &op_out(call, 0)->shape;
	uint64_t matrix = 0;
	for (uint32_t d = s->n_batch_dims; d-- > 0;) {
		uint64_t dim = (uint64_t)out->dim[d];
		matrix += batch % dim * side->step[d];
		batch /= dim;
	}
	return matrix;
}

/* One operand in the run. */
struct current {
	const struct side *side;
	const char *data;
	uint64_t matrix; /* the one that @ready is */
	const void *ready; /* as the kernels want it */
	bool changed;
};

static int take_matrix(
	const struct op_call *call, struct current *c, uint64_t matrix, struct error *err)
{
	const struct side *side = c->side;
	const char *src = c->data + matrix * side_bytes(side);
	c->changed = matrix != c->matrix;
	c->matrix = matrix;
	if (!side->transpose) {
		c->ready = src;
	} else if (side->ready) {
		c->ready = (const char *)side->ready + matrix * side_bytes(side);
	} else if (c->changed) {
		char *dst = (char *)call->scratch + side->scratch_at;
		c->ready = dst;
		return transpose(side, dst, src, call->control, err);
	}
	return 0;
}

static int quantise_rows(const struct op_call *call, const struct matmul_state *s,
	const float *values, struct error *err)
{
	int8_t *codes = (int8_t *)call->scratch + s->codes_at;
	struct ek_hybrid_row *rows = (void *)((char *)call->scratch + s->rows_at);
	const size_t depth = (size_t)s->left.depth;
	for (uint64_t i = 0; i < s->left.rows; i++) {
		int r = i % 64 == 0 || depth > 4096 ? run_control_check(call->control) : 0;
		if (r < 0) {
			return error_set(err, r, "given up between two rows");
		}
		rows[i] = ek_hybrid_quantise(
			values + i * depth, depth, s->asymmetric, codes + i * depth);
	}
	return 0;
}

static void tile_q(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct matmul_state *state = args;
	state->kernel(&state->q, tile);
}

static void tile_h(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct matmul_state *state = args;
	state->row_h->run(&state->h, tile);
}

static void tile_f32(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct matmul_state *state = args;
	if (state->blas.library) {
		blas_matmul(&state->blas, &state->f32, tile);
	} else {
		state->row_f32->run(&state->f32, tile);
	}
}

static int multiply(const struct op_call *call, struct matmul_state *s, const struct current *left,
	const struct current *right, void *output, struct error *err)
{
	s->q.a = left->ready;
	s->q.b = right->ready;
	s->q.output = output;
	s->f32.a = left->ready;
	s->f32.w = right->ready;
	s->f32.output = output;
	if (s->row_h) {
		int r = left->changed ? quantise_rows(call, s, left->ready, err) : 0;
		if (r < 0) {
			return r;
		}
		s->h.w = right->ready;
		s->h.output = output;
		s->h.a = (const int8_t *)call->scratch + s->codes_at;
		s->h.row = (const void *)((const char *)call->scratch + s->rows_at);
	}
	const struct tile_job job = {
		.rows = s->q.rows,
		.cols = s->q.cols,
		.work = s->q.depth,
		.col_step = 1,
		.tile_work = s->blas.library ? BLAS_TILE_WORK : 0,
		.run = s->kernel   ? tile_q
			: s->row_h ? tile_h
				   : tile_f32,
		.args = s,
	};
	return tile_run(call, &job, err);
}

static int matmul_run(const struct op_call *call, struct error *err)
{
	struct matmul_state s = *(const struct matmul_state *)call->state;
	struct current left = {&s.left, op_in(call, 0)->data, NO_MATRIX, NULL, false};
	struct current right = {&s.right, op_in(call, 1)->data, NO_MATRIX, NULL, false};
	char *out = op_out(call, 0)->data;
	for (uint64_t i = 0; s.out_bytes > 0 && i < s.batches; i++) {
		int r = take_matrix(call, &left, matrix_of(call, &s, &s.left, i), err);
		r = r < 0 ? r : take_matrix(call, &right, matrix_of(call, &s, &s.right, i), err);
		r = r < 0 ? r : multiply(call, &s, &left, &right, out + i * s.out_bytes, err);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static void matmul_release(void *data)
{
	struct matmul_state *state = data;
	if (state) {
		blas_close(&state->blas);
	}
}

const struct cpu_op op_batch_matmul = {.op = OP_BATCH_MATMUL,
	.accept = matmul_accept,
	.prepare = matmul_prepare,
	.run = matmul_run,
	.release = matmul_release};
