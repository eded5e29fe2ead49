/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/ops/conv/conv_state.h"

/* Patches of a float tile that stay in a core's cache. */
#define PATCH_BYTES ((uint64_t)256 << 10)

static struct ek_conv_shape shape_of(const struct op_setup *setup)
{
	const struct shape *in = op_shape_in(setup, 0), *w = op_shape_in(setup, 1);
	struct ek_conv_shape s = {
		.window = conv_prepare_window(setup),
		.in_c = (uint32_t)in->dim[3],
		.out_c = (uint32_t)w->dim[0],
	};
	s.groups = s.in_c / (uint32_t)w->dim[3];
	return s;
}

static const struct ek_conv_q_row *pick(unsigned int type, uint64_t features)
{
	switch (type) {
	case DTYPE_INT8:
		return OP_PICK(ek_conv_s8, features);
	case DTYPE_UINT8:
		return OP_PICK(ek_conv_u8, features);
	default:
		return OP_PICK(ek_conv_s16, features);
	}
}

/* ---- float products by OpenBLAS, where there is no kernel but plain C: for tiles of pixels whose
 * patches are gathered in scratch */

static void gather(const struct ek_conv_f32 *a, const struct ek_tile *tile, float *patches)
{
	size_t depth = ek_conv_depth(&a->shape);
	for (uint32_t i = 0; i < tile->n_rows; i++) {
		struct ek_pixel pixel = ek_window_pixel(&a->shape.window, tile->first_row + i);
		ek_conv_patch(&a->shape, a->input, sizeof(float), 0, pixel, 0, patches + i * depth);
	}
}

static void tile_blas(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct conv_state *state = args;
	const struct ek_conv_f32 *a = &state->f32;
	struct ek_matmul_f32 product = {
		.shape = {tile->n_rows, a->shape.out_c, (uint32_t)ek_conv_depth(&a->shape)},
		.a = a->input + tile->first_row * (size_t)a->shape.in_c,
		.w = a->weights,
		.bias = a->bias,
		.lo = a->lo,
		.hi = a->hi,
		.output = a->output + tile->first_row * (size_t)a->shape.out_c,
	};
	if (state->patch_rows) {
		gather(a, tile, scratch);
		product.a = scratch;
	}
	const struct ek_tile all_rows = {0, tile->n_rows, tile->first_col, tile->n_cols};
	blas_matmul(&state->blas, &product, &all_rows);
}

/* True for 1x1 filters that see every pixel once: the input is the matrix of patches. */
static bool is_product(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	return y->taps == 1 && x->taps == 1 && y->stride == 1 && x->stride == 1 && s->groups == 1;
}

static void prepare_blas(struct op_setup *setup, struct conv_state *state)
{
	const struct ek_conv_shape *s = &state->shape;
	uint64_t depth = ek_conv_depth(s), rows = PATCH_BYTES / (depth * sizeof(float));
	rows = rows < 8 ? 8 : rows;
	rows = rows < state->job.rows ? rows : state->job.rows;
	if (s->groups > 1 || !blas_pays(rows, s->out_c, depth) || !blas_open(&state->blas)) {
		return;
	}
	state->patch_rows = is_product(s) ? 0 : (uint32_t)rows;
	state->job.threads = 1;
	state->job.run = tile_blas;
	state->job.tile_rows = state->patch_rows;
	state->job.row_work = BLAS_ROW_WORK;
	setup->scratch_bytes = state->patch_rows * depth * sizeof(float);
	setup->detail = "conv_f32__openblas";
}

/* ---- products between two looks at the clock */

#define FEW_CHANNELS 16 /* fewer than kernels make side by side */
#define GROUPS_LOOK_WORK (PLAIN_LOOK_WORK / 4) /* of groups */

/* Products of floats, a few milliseconds of denormal ones, and the rows that a tile has at least even
 * so: with fewer kernels lose time. */
#define FLOAT_LOOK_WORK (4 * PLAIN_LOOK_WORK)
#define FLOAT_LOOK_ROWS 16

static uint64_t float_look_work(const struct ek_conv_shape *s)
{
	const uint64_t rows_work = FLOAT_LOOK_ROWS * s->out_c * ek_conv_depth(s);
	return rows_work > FLOAT_LOOK_WORK ? rows_work : FLOAT_LOOK_WORK;
}

/* Groups are made by plain C, whatever the kernel. */
static uint64_t look_work(const struct conv_state *state)
{
	const struct ek_variant *kernel = conv_state_variant(state);
	if (state->shape.groups > 1) {
		return state->row_f32 ? DENORMAL_LOOK_WORK : GROUPS_LOOK_WORK;
	}
	if (state->blas.library) {
		return 0;
	}
	if (state->row_f32 && (!kernel->needs || state->shape.out_c < FEW_CHANNELS)) {
		return tile_grid_float_look_work(kernel, state->shape.out_c);
	}
	return !kernel->needs                       ? PLAIN_LOOK_WORK
		: state->shape.out_c < FEW_CHANNELS ? 4 * PLAIN_LOOK_WORK
		: state->row_f32                    ? float_look_work(&state->shape)
						    : 0;
}

static bool has_different_scales(const struct quant *q)
{
	for (uint32_t i = 1; i < q->n_scales; i++) {
		if (q->scale[i] != q->scale[0]) {
			return true;
		}
	}
	return false;
}

/* Hybrid: one scale for all weights (or as many equal ones) has symmetric rows; different ones, or
 * groups, asymmetric rows, whatever the option says (tflite kernels/conv.cc). */
static int conv_prepare(struct op_setup *setup, struct error *err)
{
	struct conv_state *state = setup->state;
	const struct tensor *in = op_tensor_in(setup, 0);
	state->shape = shape_of(setup);
	const uint64_t features = conv_prepare_features(setup, conv_state_pixels(state));
	if (conv_prepare_is_hybrid(setup)) {
		state->row_h = OP_PICK(ek_conv_h8, setup->cpu_features);
	} else if (in->type == DTYPE_FLOAT32) {
		state->row_f32 = OP_PICK(ek_conv_f32, features);
	} else {
		state->row_q = pick(in->type, features);
	}
	int r = conv_state_prepare(setup, state,
		state->shape.groups > 1 || has_different_scales(&op_tensor_in(setup, 1)->quant),
		err);
	if (r == 0 && state->row_f32 && !state->weights.packed) {
		prepare_blas(setup, state);
	}
	state->job.tile_work = state->blas.library ? BLAS_TILE_WORK
		: state->weights.packed            ? PACKED_TILE_WORK
						   : 0;
	state->job.look_work = look_work(state);
	return r;
}

static void conv_release(void *data)
{
	struct conv_state *state = data;
	if (state) {
		blas_close(&state->blas);
	}
}

const struct cpu_op op_conv_2d = {
	.op = OP_CONV_2D,
	.accept = conv_prepare_accept_types,
	.state_bytes = sizeof(struct conv_state),
	.prepare = conv_prepare,
	.run = conv_state_run,
	.release = conv_release,
	.row_shape = conv_state_row_shape,
	.run_rows = conv_state_run_rows,
};
