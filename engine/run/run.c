/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run/run.h"

#include <assert.h>
#include <inttypes.h>

#include "engine/run/profile.h"

int run_init(struct run *run, const struct graph *graph)
{
	run->graph = graph;
	run->checkpoints.folder = -1;
	run->frames = calloc((size_t)graph->n_subgraphs + 1, sizeof(*run->frames));
	if (!run->frames) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < graph->n_subgraphs; i++) {
		run->frames[i].heap = &run->heap;
		run->frames[i].subgraph = &graph->subgraphs[i];
	}
	return resources_init(&run->resources, &run->heap, graph->n_subgraphs);
}

void run_deinit(struct run *run)
{
	for (uint32_t i = 0; run->frames && i < run->graph->n_subgraphs; i++) {
		call_frame_deinit(&run->frames[i]);
	}
	free(run->frames);
	resources_deinit(&run->resources);
	assert(run->heap.n_cells == 0);
	heap_deinit(&run->heap);
}

int run_attach(struct run *run, struct plan *plan, struct call_frame **ret_frame, struct error *err)
{
	struct call_frame *frame = &run->frames[plan_entered(plan)->index];
	if (frame->plan == plan && frame->arena.data) {
		*ret_frame = frame;
		return 0;
	}
	int r = call_frame_attach(frame, plan_ref(plan), err);
	for (uint32_t i = 0; r == -EFBIG && i < run->graph->n_subgraphs; i++) {
		if (!run->frames[i].is_saved) { /* of a subgraph that this run has not come to */
			call_frame_rest(&run->frames[i]);
		}
	}
	if (r == -EFBIG) {
		r = call_frame_attach(frame, plan_ref(plan), err);
	}
	*ret_frame = frame;
	return r;
}

int run_enter(struct run *run, struct plan *plan, struct call_frame **ret_frame, struct error *err)
{
	struct call_frame *frame = NULL;
	int r = run_attach(run, plan, &frame, err);
	if (r < 0) {
		return r;
	}
	r = call_frame_save(frame, run->control, err);
	if (r < 0) {
		return r;
	}
	*ret_frame = frame;
	return 0;
}

int run_settle(struct run *run, int result, struct error *err)
{
	int r = result < 0 ? result : checkpoint_commit(&run->checkpoints, err);
	checkpoint_drop(&run->checkpoints);
	for (uint32_t i = 0; i < run->graph->n_subgraphs; i++) {
		call_frame_settle(&run->frames[i], r == 0);
	}
	resources_settle(&run->resources, r == 0);
	return r;
}

void run_reset(struct run *run)
{
	for (uint32_t i = 0; i < run->graph->n_subgraphs; i++) {
		(void)!call_frame_reset(&run->frames[i], NULL, NULL); /* never given up */
	}
	resources_reset(&run->resources);
}

void run_fill(struct run *run, uint8_t value)
{
	for (uint32_t i = 0; i < run->graph->n_subgraphs; i++) {
		call_frame_fill(&run->frames[i], value);
	}
	heap_fill(&run->heap, value);
}

int run_count(struct run *run, uint64_t macs, struct error *err)
{
	uint64_t left = run->max_macs - run->macs;
	if (macs > left) {
		return error_set(err, run->loops > 0 ? -ETIMEDOUT : -EFBIG,
			"the run takes more than %" PRIu64 " multiply-accumulates, the limit",
			run->max_macs);
	}
	run->macs += macs;
	return 0;
}

static int give(void *context, uint32_t tensor, const struct shape *shape, uint64_t bytes,
	struct error *err)
{
	return call_frame_give(context, tensor, shape, bytes, err);
}

/* The shapes and bytes that the node's operands have in this run. */
static void set_operands(struct call_frame *frame, const struct node *node)
{
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		int32_t t = node->inputs[i];
		if (t >= 0) {
			frame->shapes[t] = frame->values[t].shape;
			frame->constants[t] = frame->values[t].data;
		}
	}
}

/* The operator table's judgement on this run's shapes and parameters; a fault is the request's. */
static int check_again(
	struct run *run, struct call_frame *frame, const struct node *node, struct error *err)
{
	const struct op_context context = {
		.graph = run->graph,
		.subgraph = frame->subgraph,
		.node = node,
		.shapes = frame->shapes,
		.constants = frame->constants,
	};
	struct op_result result = {.shapes = frame->results};
	int r = opinfo_check(&context, &result, err);
	if (r == -EBADMSG && err) {
		err->code = -EINVAL;
		err->status = error_status_of(-EINVAL);
	}
	if (r < 0) {
		return r == -EBADMSG ? -EINVAL : r;
	}
	return run_count(run, result.macs, err);
}

/* Memory for the outputs whose shape is known by now; the others are the operator's to size. */
static int give_output(
	struct call_frame *frame, int32_t t, const struct shape *shape, struct error *err)
{
	const struct tensor_plan *planned = &plan_entered(frame->plan)->tensors[t];
	unsigned int type = frame->subgraph->tensors[t].type;
	uint64_t bytes = 0;
	frame->shapes[t] = *shape;
	if (type == DTYPE_STRING || !shape_known(shape)) {
		return planned->place == PLACE_RUN_TIME
			? 0
			: error_set(err, -EINVAL, "an output's shape turned out to be unknown");
	}
	if (shape_bytes(shape, type, &bytes) < 0) {
		return error_set(err, -EFBIG, "an output has too many elements");
	}
	if (planned->place == PLACE_RUN_TIME) {
		return call_frame_give(frame, (uint32_t)t, shape, bytes, err);
	}
	return bytes == planned->bytes && shape_equal(shape, &frame->values[t].shape)
		? 0
		: error_set(err, -EINVAL, "an output's shape is not the one that was planned");
}

static int run_node(struct run *run, struct call_frame *frame, const struct plan_step *step,
	const struct run_frame *of_step, struct error *err)
{
	const struct subgraph_plan *part = plan_entered(frame->plan);
	uint32_t index = part->order[step->first_node];
	const struct node *node = &frame->subgraph->nodes[index];
	struct run_frame with_shapes = *of_step;
	with_shapes.shapes = frame->shapes;
	with_shapes.constants = frame->constants;
	set_operands(frame, node);
	int r = check_again(run, frame, node, err);
	for (uint32_t i = 0; r == 0 && i < node->n_outputs; i++) {
		r = give_output(frame, node->outputs[i], &frame->results[i], err);
	}
	if (r < 0) {
		return plan_node_error(part, index, r, err);
	}
	r = step->backend->run(step->program, &with_shapes, err);
	for (uint32_t i = 0; r == 0 && i < node->n_outputs; i++) {
		if (!frame->values[node->outputs[i]].data) {
			r = error_set(
				err, -EIO, "%s gave no output %u", operators_name(node->op), i);
		}
	}
	return r;
}

static int run_step(
	struct run *run, struct call_frame *frame, const struct plan_step *step, struct error *err)
{
	const struct subgraph_plan *part = plan_entered(frame->plan);
	const struct run_outputs outputs = {give, frame};
	const struct run_frame of_step = {
		.values = frame->values,
		.scratch = frame->scratch + step->first_node,
		.state = frame->state + step->first_node,
		.outputs = &outputs,
		.control = run->control,
	};
	uint64_t *node_ns = run->profiled == frame ? run->node_ns : NULL;
	uint64_t start = node_ns ? clock_now_ns() : 0;
	int r = 0;
	if (step->kind == STEP_BACKEND) {
		return node_ns ? profile_run_step(part, step, &of_step, node_ns, err)
			       : step->backend->run(step->program, &of_step, err);
	}
	if (step->kind == STEP_NODE) {
		r = run_node(run, frame, step, &of_step, err);
	} else {
		r = control_run(run, frame, step->first_node, err);
	}
	if (node_ns) {
		node_ns[part->order[step->first_node]] = clock_now_ns() - start;
	}
	return r;
}

int run_steps(struct run *run, struct call_frame *frame, struct error *err)
{
	const struct subgraph_plan *part = plan_entered(frame->plan);
	int r = run_control_check(run->control);
	for (uint32_t i = 0; r == 0 && i < part->n_steps; i++) {
		const struct plan_step *step = &part->steps[i];
		r = run_step(run, frame, step, err);
		for (uint32_t k = 0; r == 0 && part->has_run_time && k < step->n_nodes; k++) {
			call_frame_release(frame, step->first_node + k);
		}
	}
	return r;
}
