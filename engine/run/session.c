/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run/session.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "engine/run/run.h"
#include "engine/run/session_input.h"

struct session {
	struct plan_cache *plans;
	struct run run;
	uint32_t subgraph_index; /* the one that is entered */
	const struct subgraph *subgraph;
	struct call_frame
		*frame; /* of the entered subgraph, with the plan of the last make_plan() */
	bool stale; /* inputs have other shapes than the plan */
	bool resized; /* an input got another shape since the last plan */
	bool has_run; /* outputs hold something, and were not made stale since */
	struct session_input *inputs;
	bool profiling;
	uint64_t *node_ns; /* one per node, once profiling was on */
};

static void free_inputs(struct session_input *inputs, uint32_t n)
{
	for (uint32_t i = 0; inputs && i < n; i++) {
		session_input_deinit(&inputs[i]);
	}
	free(inputs);
}

void session_free(struct session *session)
{
	if (!session) {
		return;
	}
	free_inputs(session->inputs, session->subgraph ? session->subgraph->n_inputs : 0);
	run_deinit(&session->run);
	free(session->node_ns);
	free(session);
}

void session_reset(struct session *session)
{
	run_reset(&session->run);
}

/* @control: of the run that wants it; NULL: none does. */
static int make_plan(struct session *session, const struct run_control *control, struct error *err)
{
	if (!session->stale) {
		return 0;
	}
	uint32_t n = session->subgraph->n_inputs;
	owned_mem struct shape *shapes = calloc((size_t)n + 1, sizeof(*shapes));
	if (!shapes) {
		return error_no_memory(err);
	}
	for (uint32_t i = 0; i < n; i++) {
		shapes[i] = session->inputs[i].shape;
	}
	struct plan *plan = NULL;
	int r = plan_cache_get(session->plans, session->subgraph_index, shapes, &plan, err);
	if (r < 0) {
		return r;
	}
	r = run_attach(&session->run, plan, &session->frame, err);
	plan_unref(plan);
	/* LiteRT starts variables and random numbers anew where an input was resized. */
	if (r == 0 && session->resized) {
		r = call_frame_reset(session->frame, control, err);
	}
	session->stale = r < 0;
	session->resized = session->resized && r < 0;
	return r;
}

/* One per input of @subgraph, in the declared shapes. */
static int new_inputs(const struct subgraph *subgraph, uint64_t max_bytes,
	struct session_input **ret_inputs, struct error *err)
{
	struct session_input *inputs = calloc((size_t)subgraph->n_inputs + 1, sizeof(*inputs));
	if (!inputs) {
		return error_no_memory(err);
	}
	for (uint32_t i = 0; i < subgraph->n_inputs; i++) {
		const struct tensor *tensor = &subgraph->tensors[subgraph->inputs[i]];
		struct shape shape = plan_declared_shape(tensor);
		inputs[i].type = tensor->type;
		int r = session_input_reshape(&inputs[i], &shape, max_bytes, err);
		if (r < 0) {
			error_prefix(err, "input %u", i);
			free_inputs(inputs, subgraph->n_inputs);
			return r;
		}
	}
	*ret_inputs = inputs;
	return 0;
}

int session_enter(struct session *session, uint32_t subgraph, struct error *err)
{
	const struct subgraph *entered = &session->plans->graph->subgraphs[subgraph];
	struct session_input *inputs = NULL;
	int r = new_inputs(entered, session->plans->max_arena_bytes, &inputs, err);
	if (r < 0) {
		return r;
	}
	free_inputs(session->inputs, session->subgraph ? session->subgraph->n_inputs : 0);
	free(session->node_ns);
	session->node_ns = NULL;
	session->profiling = false;
	session->subgraph_index = subgraph;
	session->subgraph = entered;
	session->inputs = inputs;
	session->stale = true;
	session->resized = session->has_run = false;
	return 0;
}

int session_new(struct plan_cache *plans, uint32_t subgraph, struct session **ret_session,
	struct error *err)
{
	owned(session_free) struct session *session = calloc(1, sizeof(*session));
	if (!session) {
		return error_no_memory(err);
	}
	session->plans = plans;
	session->run.heap.limit = plans->max_arena_bytes;
	session->run.max_macs = plans->max_macs;
	session->run.max_loops = plans->max_loops;
	if (run_init(&session->run, plans->graph) < 0) {
		return error_no_memory(err);
	}
	int r = session_enter(session, subgraph, err);
	r = r < 0 ? r : make_plan(session, NULL, err);
	if (r < 0) {
		return r;
	}
	*ret_session = take(session);
	return 0;
}

/* NULL, with the error set, when there is no such input. */
static struct session_input *find_input(struct session *session, uint32_t input, struct error *err)
{
	if (input >= session->subgraph->n_inputs) {
		error_set(err, -EINVAL, "input %u of %u", input, session->subgraph->n_inputs);
		return NULL;
	}
	return &session->inputs[input];
}

int session_resize(
	struct session *session, uint32_t index, const struct shape *shape, struct error *err)
{
	struct session_input *input = find_input(session, index, err);
	if (!input) {
		return -EINVAL;
	}
	if (shape_equal(&input->shape, shape)) {
		return 0;
	}
	int r = session_input_reshape(input, shape, session->plans->max_arena_bytes, err);
	if (r < 0) {
		error_prefix(err, "input %u", index);
		return r;
	}
	session->stale = session->resized = true;
	session->has_run = false;
	return 0;
}

const struct session_input *session_get_input(const struct session *session, uint32_t input)
{
	return &session->inputs[input];
}

int session_plan(struct session *session, const struct subgraph_plan **ret_plan, struct error *err)
{
	int r = make_plan(session, NULL, err);
	if (r < 0) {
		return r;
	}
	*ret_plan = plan_entered(session->frame->plan);
	return 0;
}

const struct value *session_output_value(const struct session *session, uint32_t output)
{
	return session->has_run && output < session->subgraph->n_outputs
		? &session->frame->values[session->subgraph->outputs[output]]
		: NULL;
}

int session_bind_input(struct session *session, uint32_t index, const void *data, uint64_t bytes,
	struct error *err)
{
	struct session_input *input = find_input(session, index, err);
	if (!input) {
		return -EINVAL;
	}
	int r = session_input_bind(input, data, bytes, session->plans->max_arena_bytes, err);
	if (r < 0) {
		error_prefix(err, "input %u", index);
	}
	return r;
}

void *session_input(struct session *session, uint32_t index, uint64_t *ret_bytes)
{
	struct session_input *input = find_input(session, index, NULL);
	void *own = input ? session_input_own(input) : NULL;
	if (own) {
		*ret_bytes = input->bytes;
	}
	return own;
}

/* Whoever bound an input may write to it during the run: what a kernel must not see change is copied. */
static int place_inputs_now(
	struct session *session, const struct run_control *control, struct error *err)
{
	const struct subgraph_plan *part = plan_entered(session->frame->plan);
	for (uint32_t i = 0; i < session->subgraph->n_inputs; i++) {
		int32_t t = session->subgraph->inputs[i];
		const void *data = NULL;
		int r = session_input_data(
			&session->inputs[i], part->tensors[t].is_copied, control, &data, err);
		if (r < 0) {
			error_prefix(err, "input %u", i);
			return r;
		}
		assert(data || session->inputs[i].bytes == 0);
		session->frame->values[t] = (struct value){
			(void *)data, session->inputs[i].bytes, session->inputs[i].shape};
	}
	return 0;
}

/* A backend may leave the words to the session where the code says all. */
static int explain(int code, struct error *err)
{
	if (err && err->code != code) {
		error_set(err, code, "%s",
			code == -ETIMEDOUT           ? "the deadline passed during the run"
				: code == -ECANCELED ? "cancelled during the run"
				: code == -ENOMEM    ? "out of memory"
						     : "a backend failed");
	}
	return code;
}

static int start_run(struct session *session, const struct run_control *control, struct error *err)
{
	struct run *run = &session->run;
	run->control = control;
	run->macs = session->frame->plan->own_macs; /* within the limit, or there were no plan */
	run->loops = 0;
	run->node_ns = session->profiling ? session->node_ns : NULL;
	run->profiled = session->frame;
	if (run->node_ns) { /* a run that is given up has not come to all */
		memset(run->node_ns, 0, session->subgraph->n_nodes * sizeof(*run->node_ns));
	}
	call_frame_clear(session->frame);
	return call_frame_save(session->frame, control, err);
}

int session_run(struct session *session, const struct run_control *control, struct error *err)
{
	session->has_run = false;
	int r = make_plan(session, control, err);
	if (r == 0) {
		r = place_inputs_now(session, control, err);
	}
	if (r < 0) {
		return r;
	}
	if (err) {
		*err = (struct error){0};
	}
	r = start_run(session, control, err);
	r = r < 0 ? r : run_steps(&session->run, session->frame, err);
	r = run_settle(&session->run, r, err);
	session->run.control = NULL;
	if (r < 0) {
		return explain(r, err);
	}
	session->has_run = true;
	return 0;
}

const void *session_output(struct session *session, uint32_t output, uint64_t *ret_bytes)
{
	const struct value *value = session_output_value(session, output);
	if (!value) {
		return NULL;
	}
	*ret_bytes = value->bytes;
	return value->data;
}

void session_fill(struct session *session, uint8_t value)
{
	session->has_run = false;
	for (uint32_t i = 0; i < session->subgraph->n_inputs; i++) {
		session_input_fill(&session->inputs[i], value);
	}
	run_fill(&session->run, value);
}

uint64_t session_bytes(const struct session *session)
{
	return session->run.heap.charged;
}

void session_set_checkpoints(struct session *session, int folder, uint64_t max_bytes)
{
	session->run.checkpoints.folder = folder;
	session->run.checkpoints.max_bytes = max_bytes;
}

int session_profile(struct session *session, bool on)
{
	if (on && !session->node_ns) {
		session->node_ns =
			calloc((size_t)session->subgraph->n_nodes + 1, sizeof(*session->node_ns));
		if (!session->node_ns) {
			return -ENOMEM;
		}
	}
	session->profiling = on;
	return 0;
}

const uint64_t *session_node_ns(const struct session *session)
{
	return session->node_ns;
}
