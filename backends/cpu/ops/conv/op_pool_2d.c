/* SPDX-License-Identifier: Apache-2.0 */
/* AVERAGE_POOL_2D, L2_POOL_2D and MAX_POOL_2D */
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/conv/conv_prepare.h"
#include "backends/cpu/tile_grid.h"
#include "kernels/pool/pool.h"

/* Arguments as far as they are known before a run; pointers to operands are filled in by run(). */
struct pool_state {
	const struct ek_pool_row *row;
	struct ek_pool args;
};

static const struct {
	uint16_t op;
	uint8_t type; /* enum dtype */
	const struct ek_pool_row *list;
	const size_t *count;
} lists[] = {
	{OP_AVERAGE_POOL_2D, DTYPE_INT8, ek_average_pool_s8, &ek_average_pool_s8_count},
	{OP_AVERAGE_POOL_2D, DTYPE_UINT8, ek_average_pool_u8, &ek_average_pool_u8_count},
	{OP_AVERAGE_POOL_2D, DTYPE_INT16, ek_average_pool_s16, &ek_average_pool_s16_count},
	{OP_AVERAGE_POOL_2D, DTYPE_FLOAT32, ek_average_pool_f32, &ek_average_pool_f32_count},
	{OP_L2_POOL_2D, DTYPE_FLOAT32, ek_l2_pool_f32, &ek_l2_pool_f32_count},
	{OP_MAX_POOL_2D, DTYPE_INT8, ek_max_pool_s8, &ek_max_pool_s8_count},
	{OP_MAX_POOL_2D, DTYPE_UINT8, ek_max_pool_u8, &ek_max_pool_u8_count},
	{OP_MAX_POOL_2D, DTYPE_INT16, ek_max_pool_s16, &ek_max_pool_s16_count},
	{OP_MAX_POOL_2D, DTYPE_FLOAT32, ek_max_pool_f32, &ek_max_pool_f32_count},
};

/* NULL for types that are not there. */
static const struct ek_pool_row *pick(unsigned int op, unsigned int type, uint64_t features)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (lists[i].op == op && lists[i].type == type) {
			return ek_pick(lists[i].list, *lists[i].count, sizeof(struct ek_pool_row),
				features);
		}
	}
	return NULL;
}

static int pool_accept(const struct op_setup *setup, struct error *err)
{
	unsigned int in = op_tensor_in(setup, 0)->type, out = op_tensor_out(setup, 0)->type;
	if (in != out || !pick(setup->node->op, in, 0)) {
		return error_set(err, -EOPNOTSUPP, "%s input with %s output", dtype_name(in),
			dtype_name(out));
	}
	return 0;
}

static struct ek_window window_of(const struct op_setup *setup)
{
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	const struct options_pool *o = &setup->node->options.pool;
	return (struct ek_window){
		.batch = (uint32_t)in->dim[0],
		.y = conv_prepare_axis(in->dim[1], out->dim[1], o->filter_h, o->stride_h, 1),
		.x = conv_prepare_axis(in->dim[2], out->dim[2], o->filter_w, o->stride_w, 1),
	};
}

static int pool_prepare(struct op_setup *setup, struct error *err)
{
	unsigned int type = op_tensor_in(setup, 0)->type;
	unsigned int activation = setup->node->options.pool.activation;
	struct pool_state *state = setup->state;
	state->row = pick(setup->node->op, type, setup->cpu_features);
	setup->detail = state->row->variant.name;
	struct ek_pool *a = &state->args;
	a->window = window_of(setup);
	a->channels = (uint32_t)op_shape_in(setup, 0)->dim[3];
	if (type == DTYPE_FLOAT32) {
		return quant_params_activation_range_float(activation, &a->lo_f32, &a->hi_f32, err);
	}
	return quant_params_activation_range(
		activation, op_tensor_out(setup, 0), &a->lo, &a->hi, err);
}

static void pool_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct pool_state *state = args;
	state->row->run(&state->args, tile);
}

static int pool_run(const struct op_call *call, struct error *err)
{
	struct pool_state state = *(const struct pool_state *)call->state;
	const struct ek_window *w = &state.args.window;
	state.args.input = op_in(call, 0)->data;
	state.args.output = op_out(call, 0)->data;
	const struct tile_grid_job job = {
		.rows = (uint64_t)w->batch * w->y.out * w->x.out,
		.cols = state.args.channels,
		.work = (uint64_t)w->y.taps * w->x.taps,
		.col_step = 1,
		.look_work = PLAIN_LOOK_WORK, /* what taps outside cost, and single channels */
		.run = pool_tile,
		.args = &state,
	};
	return tile_grid_run(call, &job, err);
}

const struct cpu_op op_pool_2d = {
	.op = OP_AVERAGE_POOL_2D,
	.also = OP_ALSO(OP_L2_POOL_2D, OP_MAX_POOL_2D),
	.accept = pool_accept,
	.state_bytes = sizeof(struct pool_state),
	.prepare = pool_prepare,
	.run = pool_run,
};
