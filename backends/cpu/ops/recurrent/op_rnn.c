/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RNN, UNIDIRECTIONAL_SEQUENCE_RNN, BIDIRECTIONAL_SEQUENCE_RNN
 *
 *   h = activation(bias + W x + A aux + R h), and h is the output of the step
 *
 * Source: tflite kernels/internal/kernel_utils.cc (RnnBatchStep). Where the reference goes its own
 * ways, in BIDIRECTIONAL_SEQUENCE_RNN, so does this: see rounds_of() and ways_of().
 */
#include <string.h>

#include "backends/cpu/operand/activation.h"
#include "backends/cpu/ops/recurrent/recurrent.h"
#include "backends/cpu/tile_grid.h"

/* Where the operands of one direction stand among the node's inputs. */
struct rnn_operands {
	uint8_t w, r, bias, state, aux_w;
};

static const struct rnn_operands one_way = {1, 2, 3, 4, RECURRENT_NONE};
static const struct rnn_operands two_ways[2] = {{1, 2, 3, 4, 10}, {5, 6, 7, 8, 11}};
#define BIDIRECTIONAL_AUX 9

struct rnn_state {
	uint32_t n_directions;
	struct recurrent_direction way[2];
	struct rnn_operands at[2];
	struct recurrent_product product;
	uint32_t rounds; /* how often the sequence is gone through */
	uint8_t activation;
};

/* One direction with the memory of this run. */
struct bound {
	const struct rnn_state *state;
	const struct recurrent_direction *way;
	struct ek_matvec w, aux_w, r;
	const float *bias;
	const float *x, *aux; /* all rows */
	float *h; /* state of all entries */
	float *output;
	int8_t *codes; /* of a row of the input, the second input, the state */
};

static uint32_t units_of(const struct op_setup *setup, const struct rnn_operands *at)
{
	return (uint32_t)op_shape_in(setup, at->w)->dim[0];
}

/* A second input without weights is the backward direction's input, but the batch-major loop of the
 * reference gives the first one to both. */
static void ways_of(const struct op_setup *setup, struct recurrent_direction ret[static 2])
{
	const uint32_t units[2] = {units_of(setup, &two_ways[0]), units_of(setup, &two_ways[1])};
	bool weighted = op_tensor_in(setup, two_ways[0].aux_w);
	recurrent_two_ways(setup, BIDIRECTIONAL_AUX, weighted, units, ret);
	if (!setup->node->options.recurrent.time_major) {
		ret[1].input = ret[0].input;
		ret[1].inputs = ret[0].inputs;
	}
}

/* The reference's hybrid time-major loop goes through the whole sequence once for each of its
 * steps, and the state carries on from one round to the next. */
static uint32_t rounds_of(const struct op_setup *setup, const struct rnn_state *state)
{
	bool again = setup->node->op == OP_BIDIRECTIONAL_SEQUENCE_RNN && state->product.hybrid &&
		setup->node->options.recurrent.time_major;
	return again ? state->way[0].walk.steps : 1;
}

static void directions(const struct op_setup *setup, struct rnn_state *state)
{
	if (setup->node->op == OP_BIDIRECTIONAL_SEQUENCE_RNN) {
		state->n_directions = 2;
		memcpy(state->at, two_ways, sizeof(two_ways));
		ways_of(setup, state->way);
	} else {
		state->n_directions = 1;
		state->at[0] = one_way;
		state->way[0] = recurrent_one_way(setup, units_of(setup, &one_way));
	}
}

static void rnn_init(struct op_setup *setup)
{
	const struct options_recurrent *o = &setup->node->options.recurrent;
	struct rnn_state *state = setup->state;
	directions(setup, state);
	state->product = recurrent_product_of(
		setup, op_tensor_in(setup, one_way.w), o->asymmetric_quantize_inputs);
	state->rounds = rounds_of(setup, state);
	state->activation = o->activation;
	setup->detail = state->product.row->variant.name;
	for (uint32_t i = 0; state->product.hybrid && i < state->n_directions; i++) {
		const struct recurrent_direction *w = &state->way[i];
		uint64_t bytes = (uint64_t)w->inputs + w->aux_inputs + w->outputs;
		setup->scratch_bytes = bytes > setup->scratch_bytes ? bytes : setup->scratch_bytes;
	}
}

struct step_job {
	const struct bound *b;
	struct ek_matvec_x x, aux, h;
	float *y;
};

static void step_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct step_job *job = args;
	const struct bound *b = job->b;
	const struct ek_matvec_row *product = b->state->product.row;
	uint32_t first = tile->first_col, end = first + tile->n_cols;
	memcpy(job->y + first, b->bias + first, tile->n_cols * sizeof(*job->y));
	product->add(&b->w, &job->x, first, end, job->y);
	if (b->aux_w.w) {
		product->add(&b->aux_w, &job->aux, first, end, job->y);
	}
	product->add(&b->r, &job->h, first, end, job->y);
}

static int step_run(
	const struct op_call *call, const void *args, uint32_t entry, size_t row, struct error *err)
{
	const struct bound *b = args;
	const struct recurrent_direction *w = b->way;
	const struct recurrent_product *product = &b->state->product;
	float *h = b->h + (size_t)entry * w->outputs;
	int8_t *aux_codes = b->codes + w->inputs, *h_codes = aux_codes + w->aux_inputs;
	struct step_job step = {.b = b, .y = b->output + row * w->out_width + w->out_offset};
	step.x = recurrent_x(product, b->x + row * w->inputs, w->inputs, b->codes);
	step.h = recurrent_x(product, h, w->outputs, h_codes);
	if (b->aux_w.w) {
		step.aux = recurrent_x(
			product, b->aux + row * w->aux_inputs, w->aux_inputs, aux_codes);
	}
	const struct tile_grid_job job = {
		.rows = 1,
		.cols = w->outputs,
		.work = (uint64_t)w->inputs + w->aux_inputs + w->outputs,
		.col_step = 1,
		.look_work = DENORMAL_LOOK_WORK,
		.run = step_tile,
		.args = &step,
	};
	int r = tile_grid_run(call, &job, err);
	activation_apply(b->state->activation, step.y, w->outputs);
	memcpy(h, step.y, w->outputs * sizeof(*h));
	return r;
}

static int direction_run(
	const struct op_call *call, const struct rnn_state *state, uint32_t i, struct error *err)
{
	const struct rnn_operands *at = &state->at[i];
	const struct bound b = {
		.state = state,
		.way = &state->way[i],
		.w = recurrent_weights(call, at->w),
		.aux_w = recurrent_weights(call, at->aux_w),
		.r = recurrent_weights(call, at->r),
		.bias = recurrent_data(call, at->bias),
		.x = recurrent_data(call, state->way[i].input),
		.aux = recurrent_data(call, state->way[i].aux),
		.h = recurrent_data(call, at->state),
		.output = op_out(call, state->way[i].output)->data,
		.codes = call->scratch,
	};
	return recurrent_walk_run(call, &state->way[i].walk, step_run, &b, err);
}

static int rnn_run(const struct op_call *call, struct error *err)
{
	const struct rnn_state *state = call->state;
	int r = 0;
	for (uint64_t i = 0; r == 0 && i < (uint64_t)state->rounds * state->n_directions; i++) {
		r = direction_run(call, state, (uint32_t)(i % state->n_directions), err);
	}
	return r;
}

const struct cpu_op op_rnn = {.op = OP_RNN,
	.also = OP_ALSO(OP_UNIDIRECTIONAL_SEQUENCE_RNN, OP_BIDIRECTIONAL_SEQUENCE_RNN),
	.state_bytes = sizeof(struct rnn_state),
	.init = rnn_init,
	.run = rnn_run};
