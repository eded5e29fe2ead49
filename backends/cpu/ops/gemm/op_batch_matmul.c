/* SPDX-License-Identifier: Apache-2.0 */
/* BATCH_MATMUL. Source: tflite kernels/batch_matmul.cc. */
#include <math.h>

#include "backends/cpu/blas.h"
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/hybrid_operand.h"
#include "backends/cpu/operand/matrices.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/tile_grid.h"
#include "kernels/gemm/batch_matmul.h"
#include "kernels/gemm/matmul.h"

struct matmul_state {
	struct matrices left, right;
	uint64_t batches; /* of the output */
	uint64_t out_bytes; /* of one matrix of it */
	ek_batch_matmul_fn *kernel; /* codes; else NULL */
	struct ek_batch_matmul q;
	struct ek_matmul_f32 f32;
	const struct ek_matmul_f32_row *row_f32;
	struct blas blas; /* open where it does the float product */
	const struct ek_matmul_h_row *row_h; /* hybrid; else NULL */
	const struct ek_hybrid *quantise;
	struct ek_matmul_h h;
	uint64_t codes_at, rows_at; /* hybrid: the left matrix in scratch */
	bool asymmetric;
};

#define MATMUL_TYPES (ACCEPT(FLOAT32) | ACCEPT(INT8) | ACCEPT(INT16))

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

static void prepare_f32(struct op_setup *setup, struct matmul_state *state)
{
	struct ek_matmul_f32 *a = &state->f32;
	*a = (struct ek_matmul_f32){
		.shape = {state->q.rows, state->q.cols, state->q.depth},
		.lo = -INFINITY,
		.hi = INFINITY,
	};
	state->row_f32 = &ek_matmul_f32[0]; /* which packs nothing */
	setup->detail = state->row_f32->variant.name;
	if (blas_pays(a->shape.rows, a->shape.cols, a->shape.depth) && blas_open(&state->blas)) {
		setup->detail = "matmul_f32__openblas";
	}
}

/* Each row of the left operand has a scale of its own. */
static int prepare_h(struct op_setup *setup, struct matmul_state *state, struct error *err)
{
	state->row_h = OP_PICK(ek_matmul_h8, setup->cpu_features);
	state->quantise = OP_PICK(ek_hybrid, setup->cpu_features);
	setup->detail = state->row_h->variant.name;
	state->h = (struct ek_matmul_h){
		.shape = {state->q.rows, state->q.cols, state->q.depth},
		.block = state->q.depth ? state->q.depth : 1,
		.lo = -INFINITY,
		.hi = INFINITY,
	};
	op_scratch(setup, state->row_h->scratch_bytes(&state->h.shape));
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
	/* Several scales count as 0: see the rule. */
	float right_scale = right->quant.n_scales > 1 ? 0.0f : quant_params_scale(right, 0);
	float product = quant_params_scale(left, 0) * right_scale;
	*scale = quant_params_split((double)product / (double)quant_params_scale(out, 0));
	q->scale = scale;
	q->input_zero = (int32_t)quant_zero(&left->quant, 0);
	q->weights_zero = (int32_t)quant_zero(&right->quant, 0);
	q->output_zero = (int32_t)quant_zero(&out->quant, 0);
	q->wide = left->type == DTYPE_INT16;
	quant_params_type_range(out->type, &q->lo, &q->hi);
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
	struct matmul_state *state = setup->state;
	const struct options_batch_matmul *o = &setup->node->options.batch_matmul;
	const struct shape *out = op_shape_out(setup, 0);
	int r = matrices_prepare(setup, 0, o->adj_x, &state->left, err);
	r = r < 0 ? r : matrices_prepare(setup, 1, !o->adj_y, &state->right, err);
	if (r < 0) {
		return r;
	}
	state->batches = op_gemm(out, 0, out->rank - 2u);
	state->q.rows = (uint32_t)state->left.rows;
	state->q.cols = (uint32_t)state->right.rows;
	state->q.depth = (uint32_t)state->left.depth;
	state->out_bytes = state->left.rows * state->right.rows *
		op_accept_element_bytes(op_tensor_out(setup, 0));
	return prepare_kernel(setup, state, err);
}

static int quantise_rows(const struct op_call *call, const struct matmul_state *s,
	const float *values, struct error *err)
{
	int8_t *codes = (int8_t *)call->scratch + s->codes_at;
	struct ek_hybrid_row *rows = (void *)((char *)call->scratch + s->rows_at);
	const size_t depth = (size_t)s->left.depth;
	for (uint64_t i = 0; i < s->left.rows; i++) {
		int r = i % 64 == 0 || depth > 4096 ? run_control_check(call->control) : 0;
		r = r < 0 ? r
			  : hybrid_quantise(s->quantise, values + i * depth, depth, s->asymmetric,
				    call->control, codes + i * depth, &rows[i]);
		if (r < 0) {
			return error_set(err, r, "given up while a row was quantised");
		}
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
	const struct matmul_state *state = args;
	state->row_h->run(&state->h, tile, scratch);
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

static int multiply(const struct op_call *call, struct matmul_state *s, const struct matrix *left,
	const struct matrix *right, void *output, struct error *err)
{
	s->q.a = left->data;
	s->q.b = right->data;
	s->q.output = output;
	s->f32.a = left->data;
	s->f32.w = right->data;
	s->f32.output = output;
	if (s->row_h) {
		int r = left->changed ? quantise_rows(call, s, left->data, err) : 0;
		if (r < 0) {
			return r;
		}
		s->h.w = right->data;
		s->h.output = output;
		s->h.a = (const int8_t *)call->scratch + s->codes_at;
		s->h.row = (const void *)((const char *)call->scratch + s->rows_at);
	}
	const struct tile_grid_job job = {
		.rows = s->q.rows,
		.cols = s->q.cols,
		.work = s->q.depth,
		.col_step = 1,
		.tile_work = s->blas.library ? BLAS_TILE_WORK : 0,
		.row_work = s->blas.library ? BLAS_ROW_WORK : 0,
		.look_work = s->blas.library ? 0
			: s->row_h           ? tile_grid_look_work(&s->row_h->variant)
			: s->kernel          ? PLAIN_LOOK_WORK
					     : DENORMAL_LOOK_WORK,
		.run = s->kernel   ? tile_q
			: s->row_h ? tile_h
				   : tile_f32,
		.args = s,
	};
	return tile_grid_run(call, &job, err);
}

static int matmul_run(const struct op_call *call, struct error *err)
{
	struct matmul_state s = *(const struct matmul_state *)call->state;
	struct matrix left = matrix_none(), right = matrix_none();
	char *out = op_out(call, 0)->data;
	for (uint64_t i = 0; s.out_bytes > 0 && i < s.batches; i++) {
		int r = matrix_take(call, &s.left, i, &left, err);
		r = r < 0 ? r : matrix_take(call, &s.right, i, &right, err);
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
	.types_in = {MATMUL_TYPES, MATMUL_TYPES},
	.state_bytes = sizeof(struct matmul_state),
	.prepare = matmul_prepare,
	.run = matmul_run,
	.release = matmul_release};
