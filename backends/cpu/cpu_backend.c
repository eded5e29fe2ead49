/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/cpu_backend.h"

#include <assert.h>
#include <stdlib.h>

#include "backends/cpu/chains.h"
#include "backends/cpu/op.h"
#include "backends/cpu/op_accept.h"
#include "backends/cpu/op_memory.h"
#include "backends/cpu/packing.h"
#include "backends/cpu/pads.h"
#include "backends/cpu/tune.h"
#include "base/background_yield.h"
#include "base/probe.h"

#define OP_ROW(name) extern const struct cpu_op op_##name;
#include "backends/cpu/op_table.h"
#undef OP_ROW

static const struct cpu_op *const rows[] = {
#define OP_ROW(name) &op_##name,
#include "backends/cpu/op_table.h"
#undef OP_ROW
};

struct program {
	struct compile_request request; /* what it points to outlives the program */
	struct op_memory memory;
	uint32_t n_nodes;
	struct prepared nodes[];
};

static bool row_serves(const struct cpu_op *row, unsigned int op)
{
	bool found = row->op == op;
	for (size_t i = 0; i < row->also.n && !found; i++) {
		found = row->also.ops[i] == op;
	}
	return found;
}

static const struct cpu_op *row_find(unsigned int op)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (row_serves(rows[i], op)) {
			return rows[i];
		}
	}
	return NULL;
}

static struct op_setup setup_of(const struct compile_request *request, const struct node *node)
{
	return (struct op_setup){
		.graph = request->graph,
		.subgraph = request->subgraph,
		.node = node,
		.shapes = request->shapes,
		.constants = request->constants,
		.cpu_features = request->cpu_features,
		.threads = request->threads ? request->threads : 1,
	};
}

static bool shapes_known(const struct shape *shapes, const int32_t *tensors, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (tensors[i] >= 0 && !shape_known(&shapes[tensors[i]])) {
			return false;
		}
	}
	return true;
}

/* True when the values of all operands that @op's prepare() reads are known at load. */
static bool params_known(const struct op_setup *setup, const struct cpu_op *op)
{
	for (uint32_t i = 0; i < setup->node->n_inputs && op->params >> i; i++) {
		if ((op->params >> i & 1) && setup->node->inputs[i] >= 0 &&
			!op_constant(setup, i)) {
			return false;
		}
	}
	return true;
}

static int cpu_accept(const struct compile_request *request, uint32_t index, struct error *err)
{
	const struct node *node = &request->subgraph->nodes[index];
	const struct cpu_op *op = row_find(node->op);
	if (!op) {
		return error_set(err, -EOPNOTSUPP, "%s is not there yet", operators_name(node->op));
	}
	struct op_setup setup = setup_of(request, node);
	int r = op_accept_types(&setup, op, err);
	return r < 0 || !op->accept ? r : op->accept(&setup, err);
}

void *op_alloc(struct op_setup *setup, uint64_t bytes)
{
	return op_memory_alloc(setup->memory, bytes);
}

void *op_alloc_pack(struct op_setup *setup, uint64_t bytes, bool *ret_filled)
{
	*ret_filled = false;
	void *kept = setup->packs ? setup->packs->reserve(setup->packs->context, bytes, ret_filled)
				  : NULL;
	return kept ? kept : op_alloc(setup, bytes);
}

int op_alloc_failed(const struct op_setup *setup, struct error *err)
{
	if (!setup->memory->over) {
		return error_no_memory(err);
	}
	return error_set(err, -EFBIG, "prepared weights and tables pass the limit of %llu bytes",
		(unsigned long long)setup->memory->limit);
}

void op_pack_weights(struct op_setup *setup, op_pack_fn *pack, const void *state, uint64_t bytes)
{
	const struct packing_job job = {pack, state, bytes};
	if (!setup->packing || !packing_add(setup->packing, &job)) {
		pack(state);
	}
}

static void cpu_free_program(struct program *program)
{
	if (!program) {
		return;
	}
	for (uint32_t i = 0; i < program->n_nodes; i++) {
		const struct prepared *node = &program->nodes[i];
		if (node->op && node->op->release && node->state) {
			node->op->release(node->state);
		}
	}
	op_memory_deinit(&program->memory);
	free(program);
}
DEFINE_OWNED(struct program *, cpu_free_program)

static int op_prepare(const struct cpu_op *op, struct op_setup *setup, struct error *err)
{
	if (op->state_bytes) {
		setup->state = op_alloc(setup, op->state_bytes);
		if (!setup->state) {
			return op_alloc_failed(setup, err);
		}
	}
	if (op->init) {
		op->init(setup);
	}
	return op->prepare ? op->prepare(setup, err) : 0;
}

static int node_prepare(struct program *program, struct prepared *p, struct packing *packing,
	struct node_memory *ret_memory, struct error *err)
{
	struct op_setup setup = setup_of(&program->request, p->node);
	setup.memory = &program->memory;
	setup.packing = packing;
	setup.packs = program->request.packs;
	setup.pad = p->pad;
	p->each_run = !shapes_known(setup.shapes, p->node->inputs, p->node->n_inputs) ||
		!shapes_known(setup.shapes, p->node->outputs, p->node->n_outputs) ||
		!params_known(&setup, p->op);
	setup.session_bytes = p->op->session_bytes;
	int r = 0;
	if (!p->each_run) {
		r = op_prepare(p->op, &setup, err);
	}
	p->state = setup.state;
	p->detail = setup.detail;
	*ret_memory =
		(struct node_memory){.scratch = setup.scratch_bytes, .state = setup.session_bytes};
	if (r < 0) {
		error_prefix(err, "%s", operators_name(p->node->op));
	}
	return r;
}

/* Nodes that are part of others have nothing of their own. */
static int prepare_all(struct program *program, struct node_memory *ret_memory, struct error *err)
{
	struct packing list = {0};
	owned(packing_deinit) struct packing *packing = &list;
	const struct compile_request *request = &program->request;
	int r = pads_fold(request, program->nodes, &program->memory, err);
	for (uint32_t i = 0; r == 0 && i < request->n_nodes; i++) {
		ret_memory[i] = (struct node_memory){0};
		if (!program->nodes[i].is_inner) {
			background_yield_if_due();
			r = node_prepare(program, &program->nodes[i], packing, &ret_memory[i], err);
		}
	}
	r = r < 0 ? r : chains_make(request, program->nodes, &program->memory, ret_memory, err);
	if (r == 0) {
		packing_run(packing);
	}
	return r;
}

/* Operators and kernels use a node's tensors without a look at their indices. */
static void assert_operands(const struct compile_request *request, const struct node *node)
{
	const int32_t n_tensors = (int32_t)request->subgraph->n_tensors;
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		assert(node->inputs[i] < n_tensors);
	}
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		assert(node->outputs[i] >= 0 && node->outputs[i] < n_tensors);
	}
}

static int cpu_compile(const struct compile_request *request, struct node_memory *ret_memory,
	struct program **ret_program, struct error *err)
{
	size_t bytes = sizeof(struct program) + request->n_nodes * sizeof(struct prepared);
	owned(cpu_free_program) struct program *program = calloc(1, bytes);
	if (!program) {
		return error_no_memory(err);
	}
	program->request = *request;
	program->request.cpu_features = tune_allowed(request->cpu_features);
	program->memory.limit = request->max_program_bytes;
	program->n_nodes = request->n_nodes;
	for (uint32_t i = 0; i < request->n_nodes; i++) {
		const struct node *node = &request->subgraph->nodes[request->nodes[i]];
		assert_operands(request, node);
		program->nodes[i].node = node;
		program->nodes[i].op = row_find(node->op);
	}
	int r = prepare_all(program, ret_memory, err);
	if (r < 0) {
		return r;
	}
	*ret_program = take(program);
	return 0;
}

DEFINE_OWNED(struct op_memory *, op_memory_deinit)

int op_give_output(const struct op_call *call, uint32_t i, const struct shape *shape,
	uint64_t bytes, struct error *err)
{
	assert(call->outputs);
	return call->outputs->give(
		call->outputs->context, (uint32_t)call->node->outputs[i], shape, bytes, err);
}

/*
 * A node whose shapes only this run knows: prepared for them, run once, forgotten. Outputs have
 * their shape and memory already (the session's business), but for those that the node gives.
 */
static int node_run_anew(const struct program *program, const struct prepared *node,
	const struct run_frame *frame, struct op_call *call, struct error *err)
{
	struct op_memory memory = {.limit = program->memory.limit};
	owned(op_memory_deinit) struct op_memory *held = &memory;
	struct op_setup setup = setup_of(&program->request, node->node);
	setup.memory = held;
	setup.for_one_run = true;
	setup.control = frame->control;
	setup.threads = 1; /* memory for one run is not planned for more */
	setup.shapes = frame->shapes;
	setup.constants = frame->constants;
	int r = op_prepare(node->op, &setup, err);
	call->state = setup.state;
	call->scratch = r < 0 ? NULL : op_alloc(&setup, setup.scratch_bytes);
	if (r == 0) {
		r = call->scratch ? node->op->run(call, err) : op_alloc_failed(&setup, err);
	}
	if (node->op->release) {
		node->op->release(setup.state);
	}
	return r;
}

/* What the run of a node that is prepared anew was given: its shapes and places are new in each run. */
static void assert_bound(const struct node *node, const struct run_frame *frame)
{
	const bool reads = node->op != OP_SHAPE && node->op != OP_RANK; /* else only the shape */
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		const int32_t t = node->inputs[i];
		assert(t < 0 || !reads || frame->values[t].data || frame->values[t].bytes == 0);
	}
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		const struct value *out = &frame->values[node->outputs[i]];
		assert(out->data || out->bytes == 0 || frame->outputs);
	}
	assert(frame->shapes && frame->constants);
}

static int run_node(const struct program *program, uint32_t index, const struct run_frame *frame,
	struct error *err)
{
	if (frame->control && frame->control->between) {
		frame->control->between(frame->control->context);
	}
	int r = run_control_check(frame->control);
	if (r < 0) {
		return error_set(err, r, "given up before the operator was run");
	}
	const struct prepared *node = &program->nodes[index];
	struct op_call call = {
		.node = node->node,
		.subgraph = program->request.subgraph,
		.values = frame->values,
		.state = node->state,
		.scratch = frame->scratch[index],
		.session = frame->state ? frame->state[index] : NULL,
		.outputs = frame->outputs,
		.control = frame->control,
	};
	if (node->is_inner) {
		return 0;
	}
	if (node->row_fusion) {
		return row_fusion_run(node->row_fusion, &call, err);
	}
	assert((uintptr_t)call.scratch % 64 == 0);
	if (node->each_run) {
		assert_bound(call.node, frame);
		return node_run_anew(program, node, frame, &call, err);
	}
	return node->op->run(&call, err);
}

static int cpu_run_node(const struct program *program, uint32_t index,
	const struct run_frame *frame, struct error *err)
{
	PROBE2(operator_start, (int)program->nodes[index].node->op, index);
	int r = run_node(program, index, frame, err);
	PROBE3(operator_done, (int)program->nodes[index].node->op, index, r);
	if (r < 0) {
		error_prefix(err, "%s", operators_name(program->nodes[index].node->op));
	}
	return r;
}

static int cpu_run(const struct program *program, const struct run_frame *frame, struct error *err)
{
	int r = 0;
	for (uint32_t i = 0; i < program->n_nodes && r == 0; i++) {
		r = cpu_run_node(program, i, frame, err);
	}
	return r;
}

static uint64_t cpu_program_bytes(const struct program *program)
{
	return sizeof(*program) + program->n_nodes * sizeof(struct prepared) +
		program->memory.bytes;
}

static const char *cpu_node_detail(const struct program *program, uint32_t index)
{
	return program->nodes[index].detail;
}

const struct backend cpu_backend = {
	.name = "cpu",
	.accept = cpu_accept,
	.compile = cpu_compile,
	.run = cpu_run,
	.free_program = cpu_free_program,
	.program_bytes = cpu_program_bytes,
	.node_detail = cpu_node_detail,
	.run_node = cpu_run_node,
};
