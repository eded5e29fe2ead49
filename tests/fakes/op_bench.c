/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/op_bench.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/cpu/cpu_backend.h"

void op_bench_init(struct op_bench *b, enum op op)
{
	*b = (struct op_bench){.cpu_features = ~0ull};
	b->node = (struct node){.op = (uint16_t)op,
		.version = 1,
		.inputs = b->inputs,
		.outputs = b->outputs,
		.intermediates = b->intermediates};
	b->subgraph = (struct subgraph){.tensors = b->tensors, .nodes = &b->node, .n_nodes = 1};
	b->graph = (struct graph){.subgraphs = &b->subgraph, .n_subgraphs = 1};
}

static int32_t add(struct op_bench *b, enum dtype type, struct shape shape, const void *data)
{
	uint32_t t = b->subgraph.n_tensors++;
	uint64_t bytes = 0;
	assert(t < OP_BENCH_TENSORS);
	int r = shape_bytes(&shape, type, &bytes);
	assert(r == 0);
	(void)r;
	b->tensors[t] = (struct tensor){.type = (uint8_t)type, .shape = shape};
	b->shapes[t] = shape;
	b->values[t] = (struct value){(void *)(uintptr_t)data, bytes, shape};
	return (int32_t)t;
}

int32_t op_bench_input(struct op_bench *b, enum dtype type, struct shape shape, const void *data)
{
	return b->inputs[b->node.n_inputs++] = add(b, type, shape, data);
}

int32_t op_bench_constant(struct op_bench *b, enum dtype type, struct shape shape, const void *data)
{
	int32_t t = op_bench_input(b, type, shape, data);
	b->tensors[t].data = data;
	b->tensors[t].data_bytes = b->values[t].bytes;
	b->constants[t] = data;
	return t;
}

int32_t op_bench_output(struct op_bench *b, enum dtype type, struct shape shape, void *data)
{
	return b->outputs[b->node.n_outputs++] = add(b, type, shape, data);
}

int32_t op_bench_given(struct op_bench *b, enum dtype type)
{
	uint32_t t = b->subgraph.n_tensors++;
	assert(t < OP_BENCH_TENSORS);
	b->tensors[t] = (struct tensor){.type = (uint8_t)type};
	b->shapes[t] = (struct shape){.rank = 1, .dim = {-1}};
	return b->outputs[b->node.n_outputs++] = (int32_t)t;
}

static int32_t add_strings(
	struct op_bench *b, struct shape shape, const void *table, uint64_t bytes)
{
	uint32_t t = b->subgraph.n_tensors++;
	assert(t < OP_BENCH_TENSORS);
	b->tensors[t] = (struct tensor){.type = DTYPE_STRING, .shape = shape};
	b->shapes[t] = shape;
	b->values[t] = (struct value){(void *)(uintptr_t)table, bytes, shape};
	return (int32_t)t;
}

int32_t op_bench_strings(struct op_bench *b, struct shape shape, const void *table, uint64_t bytes)
{
	return b->inputs[b->node.n_inputs++] = add_strings(b, shape, table, bytes);
}

int32_t op_bench_given_strings(struct op_bench *b, struct shape shape)
{
	return b->outputs[b->node.n_outputs++] = add_strings(b, shape, NULL, 0);
}

int32_t op_bench_intermediate(struct op_bench *b, enum dtype type)
{
	return b->intermediates[b->node.n_intermediates++] = add(b, type, (struct shape){0}, NULL);
}

void op_bench_absent(struct op_bench *b)
{
	b->inputs[b->node.n_inputs++] = TENSOR_NONE;
}

void op_bench_scale(struct op_bench *b, int32_t tensor, float scale, int64_t zero)
{
	b->scales[tensor] = scale;
	b->zeros[tensor] = zero;
	b->tensors[tensor].quant = (struct quant){.scale = &b->scales[tensor],
		.zero_point = (const uint8_t *)&b->zeros[tensor],
		.n_scales = 1,
		.n_zero_points = 1};
}

static int give(void *context, uint32_t tensor, const struct shape *shape, uint64_t bytes,
	struct error *err)
{
	struct op_bench *b = context;
	(void)err;
	assert(b->given_bytes + bytes <= sizeof(b->given));
	b->values[tensor] = (struct value){b->given + b->given_bytes, bytes, *shape};
	b->given_bytes = (b->given_bytes + (size_t)bytes + 63) / 64 * 64;
	return 0;
}

static int run_program(struct op_bench *b, const struct program *program, uint64_t scratch_bytes)
{
	size_t bytes = (size_t)scratch_bytes / 64 * 64 + 64;
	owned_mem void *scratch = aligned_alloc(64, bytes);
	assert(scratch);
	memset(scratch, 0xa5, bytes);
	const uint8_t *known[OP_BENCH_TENSORS];
	void *const state = b->state;
	for (uint32_t t = 0; t < OP_BENCH_TENSORS; t++) {
		known[t] = b->values[t].data;
	}
	const struct run_outputs outputs = {give, b};
	const struct run_frame frame = {
		.values = b->values,
		.scratch = &scratch,
		.state = &state,
		.shapes = b->shapes,
		.constants = known,
		.outputs = &outputs,
		.control = b->control,
	};
	b->given_bytes = 0;
	const char *detail = cpu_backend.node_detail(program, 0);
	snprintf(b->detail, sizeof(b->detail), "%s", detail ? detail : "");
	return cpu_backend.run(program, &frame, &b->err);
}

int op_bench_run(struct op_bench *b)
{
	static const uint32_t first = 0;
	struct compile_request request = {
		.graph = &b->graph,
		.subgraph = &b->subgraph,
		.shapes = b->shapes,
		.constants = b->constants,
		.max_program_bytes = 1 << 24,
		.cpu_features = b->cpu_features,
	};
	struct program *program = NULL;
	struct node_memory memory = {0};
	b->err = (struct error){0};
	int r = cpu_backend.accept(&request, 0, &b->err);
	if (r < 0) {
		return r;
	}
	request.nodes = &first;
	request.n_nodes = 1;
	r = cpu_backend.compile(&request, &memory, &program, &b->err);
	if (r < 0) {
		return r;
	}
	r = run_program(b, program, memory.scratch);
	cpu_backend.free_program(program);
	return r;
}
