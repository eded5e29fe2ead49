/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run/session.h"

#include <inttypes.h>
#include <string.h>

#include "engine/run/block.h"
#include "engine/run/profile.h"

struct session_input {
	struct shape shape; /* asked for; the plan follows at the next run */
	uint64_t bytes;
	const void *bound; /* NULL: @own is read */
	struct block own; /* made when first needed */
};

struct session {
	struct plan_cache *plans;
	uint32_t subgraph_index;
	const struct subgraph *subgraph;
	struct plan *plan; /* NULL, or a reference to what the memory below is laid out for */
	bool stale; /* inputs have other shapes than the plan */
	bool has_run; /* outputs hold something, and were not made stale since */
	struct session_input *inputs;
	struct value *values; /* one per tensor */
	void **scratch, **state; /* one per entry of the plan's order */
	struct block arena, variables;
	struct block saved; /* variables as they were before the run */
	bool profiling;
	uint64_t *node_ns; /* one per node, once profiling was on */
};

void session_free(struct session *session)
{
	if (!session) {
		return;
	}
	for (uint32_t i = 0; session->inputs && i < session->subgraph->n_inputs; i++) {
		block_deinit(&session->inputs[i].own);
	}
	block_deinit(&session->arena);
	block_deinit(&session->variables);
	block_deinit(&session->saved);
	plan_unref(session->plan);
	free(session->inputs);
	free(session->values);
	free(session->scratch);
	free(session->state);
	free(session->node_ns);
	free(session);
}

/* int8 variables start at their zero point, all others at 0 (as TensorFlow Lite resets them), but
 * for those that the plan gives a start of their own. */
static void start_variables(struct session *session)
{
	const struct subgraph_plan *part = plan_entered(session->plan);
	if (session->variables.bytes > 0) { /* the nodes' own state */
		memset(session->variables.data, 0, session->variables.bytes);
	}
	for (uint32_t t = 0; t < session->subgraph->n_tensors; t++) {
		const struct tensor *tensor = &session->subgraph->tensors[t];
		const struct tensor_plan *planned = &part->tensors[t];
		if (planned->place != PLACE_VARIABLE) {
			continue;
		}
		uint8_t *data = session->variables.data + planned->offset;
		if (planned->initial) {
			memcpy(data, planned->initial, (size_t)planned->bytes);
		} else {
			int zero =
				tensor->type == DTYPE_INT8 ? (int)quant_zero(&tensor->quant, 0) : 0;
			memset(data, zero, (size_t)planned->bytes);
		}
	}
}

void session_reset(struct session *session)
{
	if (session->plan) {
		start_variables(session);
	}
}

static void *address_of(const struct session *session, const struct subgraph_plan *part, uint32_t t)
{
	const struct tensor_plan *tensor = &part->tensors[t];
	switch (tensor->place) {
	case PLACE_CONSTANT:
	case PLACE_FOLDED:
		return (void *)part->constants[t];
	case PLACE_ARENA:
		return session->arena.data + tensor->offset;
	case PLACE_VARIABLE:
		return session->variables.data + tensor->offset;
	default: /* inputs: set in each run */
		return NULL;
	}
}

static void fill_tables(struct session *session)
{
	const struct subgraph_plan *part = plan_entered(session->plan);
	for (uint32_t t = 0; t < session->subgraph->n_tensors; t++) {
		session->values[t] = (struct value){.data = address_of(session, part, t),
			.bytes = part->tensors[t].bytes,
			.shape = part->shapes[t]};
	}
	for (uint32_t i = 0; i < part->n_order; i++) {
		session->state[i] = session->variables.data + part->state_offset[i];
		session->scratch[i] = session->arena.data + part->scratch_offset[i];
	}
}

/* Variables keep their contents when another plan lays them out alike. */
static bool same_variables(const struct subgraph_plan *a, const struct subgraph_plan *b)
{
	bool same = a->variable_bytes == b->variable_bytes;
	for (uint32_t t = 0; same && t < a->subgraph->n_tensors; t++) {
		same = a->tensors[t].place != PLACE_VARIABLE ||
			(a->tensors[t].offset == b->tensors[t].offset &&
				a->tensors[t].bytes == b->tensors[t].bytes);
	}
	return same;
}

/* Takes over the reference to @plan. On -ENOMEM the session is as before. */
static int attach(struct session *session, struct plan *plan)
{
	const struct subgraph_plan *part = plan_entered(plan);
	bool keep = session->plan && same_variables(plan_entered(session->plan), part);
	struct block arena = {0}, variables = {0}, saved = {0};
	/* Never empty, so that tensors without elements have an address too. */
	int r = block_init(&arena, part->arena_bytes ? part->arena_bytes : 1);
	if (r == 0 && !keep) {
		r = block_init(&variables, part->variable_bytes);
	}
	if (r == 0 && !keep) {
		r = block_init(&saved, part->variable_bytes);
	}
	if (r < 0) {
		block_deinit(&arena);
		block_deinit(&variables);
		plan_unref(plan);
		return r;
	}
	block_deinit(&session->arena);
	session->arena = arena;
	plan_unref(session->plan);
	session->plan = plan;
	if (!keep) {
		block_deinit(&session->variables);
		block_deinit(&session->saved);
		session->variables = variables;
		session->saved = saved;
		start_variables(session);
	}
	fill_tables(session);
	session->stale = false;
	return 0;
}

static int make_plan(struct session *session, struct error *err)
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
	return attach(session, plan) < 0 ? error_no_memory(err) : 0;
}

static int set_declared_inputs(struct session *session)
{
	for (uint32_t i = 0; i < session->subgraph->n_inputs; i++) {
		const struct tensor *tensor =
			&session->subgraph->tensors[session->subgraph->inputs[i]];
		struct session_input *input = &session->inputs[i];
		input->shape = plan_declared_shape(tensor);
		int r = shape_bytes(&input->shape, tensor->type, &input->bytes);
		if (r < 0) {
			return r;
		}
	}
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
	session->subgraph_index = subgraph;
	session->subgraph = &plans->graph->subgraphs[subgraph];
	session->stale = true;
	session->inputs = calloc((size_t)session->subgraph->n_inputs + 1, sizeof(*session->inputs));
	session->values =
		calloc((size_t)session->subgraph->n_tensors + 1, sizeof(*session->values));
	session->scratch = calloc((size_t)session->subgraph->n_nodes + 1, sizeof(void *));
	session->state = calloc((size_t)session->subgraph->n_nodes + 1, sizeof(void *));
	if (!session->inputs || !session->values || !session->scratch || !session->state) {
		return error_no_memory(err);
	}
	int r = set_declared_inputs(session);
	if (r < 0) {
		return error_set(err, r, "an input's declared shape has no size");
	}
	r = make_plan(session, err);
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
	uint64_t bytes = 0;
	char text[SHAPE_TEXT_SIZE];
	if (!input) {
		return -EINVAL;
	}
	if (shape_equal(&input->shape, shape)) {
		return 0;
	}
	unsigned int type = session->subgraph->tensors[session->subgraph->inputs[index]].type;
	if (shape_bytes(shape, type, &bytes) < 0) {
		return error_set(err, -EINVAL, "input %u: shape %s cannot be", index,
			shape_format(text, sizeof(text), shape));
	}
	if (bytes > session->plans->max_arena_bytes) {
		return error_set(err, -EFBIG, "input %u: %" PRIu64 " bytes, the limit is %" PRIu64,
			index, bytes, session->plans->max_arena_bytes);
	}
	if (bytes != input->bytes) {
		input->bound = NULL;
		block_deinit(&input->own);
	}
	input->shape = *shape;
	input->bytes = bytes;
	session->stale = true;
	session->has_run = false;
	return 0;
}

const struct shape *session_input_shape(const struct session *session, uint32_t input)
{
	return &session->inputs[input].shape;
}

int session_plan(struct session *session, const struct subgraph_plan **ret_plan, struct error *err)
{
	int r = make_plan(session, err);
	if (r < 0) {
		return r;
	}
	*ret_plan = plan_entered(session->plan);
	return 0;
}

int session_bind_input(struct session *session, uint32_t index, const void *data, uint64_t bytes,
	struct error *err)
{
	struct session_input *input = find_input(session, index, err);
	if (!input) {
		return -EINVAL;
	}
	if (bytes != input->bytes) {
		return error_set(err, -EINVAL, "input %u: takes %" PRIu64 " bytes, not %" PRIu64,
			index, input->bytes, bytes);
	}
	if (!data || (uintptr_t)data % 16 != 0) {
		return error_set(err, -EINVAL, "input %u: not aligned to 16 bytes", index);
	}
	input->bound = data;
	return 0;
}

void *session_input(struct session *session, uint32_t index, uint64_t *ret_bytes)
{
	struct session_input *input = find_input(session, index, NULL);
	if (!input ||
		(!input->own.data &&
			block_init(&input->own, input->bytes ? input->bytes : 1) < 0)) {
		return NULL;
	}
	*ret_bytes = input->bytes;
	return input->own.data;
}

static int place_inputs_now(struct session *session, struct error *err)
{
	for (uint32_t i = 0; i < session->subgraph->n_inputs; i++) {
		const void *data = session->inputs[i].bound;
		uint64_t bytes = 0;
		if (!data) {
			data = session_input(session, i, &bytes);
		}
		if (!data) {
			return error_no_memory(err);
		}
		session->values[session->subgraph->inputs[i]].data = (void *)data;
	}
	return 0;
}

static int run_steps(struct session *session, const struct run_control *control, struct error *err)
{
	const struct subgraph_plan *part = plan_entered(session->plan);
	int r = run_control_check(control);
	for (uint32_t i = 0; r == 0 && i < part->n_steps; i++) {
		const struct plan_step *step = &part->steps[i];
		const struct run_frame frame = {
			.values = session->values,
			.scratch = session->scratch + step->first_node,
			.state = session->state + step->first_node,
			.control = control,
		};
		r = session->profiling ? profile_run_step(part, step, &frame, session->node_ns, err)
				       : step->backend->run(step->program, &frame, err);
	}
	return r;
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

int session_run(struct session *session, const struct run_control *control, struct error *err)
{
	session->has_run = false;
	int r = make_plan(session, err);
	if (r == 0) {
		r = place_inputs_now(session, err);
	}
	if (r < 0) {
		return r;
	}
	if (err) {
		*err = (struct error){0};
	}
	size_t state_bytes = session->variables.bytes;
	if (state_bytes > 0) {
		memcpy(session->saved.data, session->variables.data, state_bytes);
	}
	r = run_steps(session, control, err);
	if (r < 0) {
		if (state_bytes > 0) {
			memcpy(session->variables.data, session->saved.data, state_bytes);
		}
		return explain(r, err);
	}
	session->has_run = true;
	return 0;
}

const void *session_output(struct session *session, uint32_t output, uint64_t *ret_bytes)
{
	if (!session->has_run || output >= session->subgraph->n_outputs) {
		return NULL;
	}
	const struct value *value = &session->values[session->subgraph->outputs[output]];
	*ret_bytes = value->bytes;
	return value->data;
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
