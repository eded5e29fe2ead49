/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake_backend.h"

#include <stdlib.h>
#include <string.h>

#include "engine/operators.h"

struct program {
	struct compile_request request;
	uint64_t scratch_bytes;
};

static struct fake_backend fake = {.refuse_op = -1, .fail_run_op = -1};

struct fake_backend *fake_backend(void)
{
	return &fake;
}

void fake_backend_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.refuse_op = -1;
	fake.fail_run_op = -1;
}

static int accept_one(const struct compile_request *request, uint32_t node, struct error *err)
{
	int op = request->subgraph->nodes[node].op;
	bool known = op == OP_ADD || op == OP_MUL || op == OP_RESHAPE || op == OP_DEQUANTIZE ||
		op == OP_CONCATENATION || op == OP_SPLIT;
	return known && op != fake.refuse_op ? 0 : error_set(err, -EOPNOTSUPP, "not for the fake");
}

static int accept_two(const struct compile_request *request, uint32_t node, struct error *err)
{
	return request->subgraph->nodes[node].op == OP_MUL
		? 0
		: error_set(err, -EOPNOTSUPP, "only MUL");
}

static int fake_compile(const struct compile_request *request, struct node_memory *ret_memory,
	struct program **ret_program, struct error *err)
{
	struct program *program = calloc(1, sizeof(*program));
	if (!program) {
		return error_no_memory(err);
	}
	program->request = *request;
	program->scratch_bytes = fake.scratch_bytes;
	for (uint32_t i = 0; i < request->n_nodes; i++) {
		const unsigned int op = request->subgraph->nodes[request->nodes[i]].op;
		ret_memory[i] = (struct node_memory){.scratch = fake.scratch_bytes,
			.in_place = op == OP_ADD || op == OP_MUL ? fake.in_place : 0};
	}
	atomic_fetch_add(&fake.compiled, 1);
	*ret_program = program;
	return 0;
}

static void combine(int op, enum dtype type, const uint8_t *a, const uint8_t *b, uint8_t *out)
{
	if (type == DTYPE_INT32) {
		int32_t x = 0, y = 0;
		memcpy(&x, a, 4);
		memcpy(&y, b, 4);
		x = op == OP_ADD ? x + y : x * y;
		memcpy(out, &x, 4);
	} else {
		float x = 0, y = 0;
		memcpy(&x, a, 4);
		memcpy(&y, b, 4);
		x = op == OP_ADD ? x + y : x * y;
		memcpy(out, &x, 4);
	}
}

static void run_arithmetic(
	const struct node *node, const struct subgraph *subgraph, const struct value *values)
{
	const uint8_t *a = values[node->inputs[0]].data;
	uint8_t *b = values[node->inputs[1]].data, *out = values[node->outputs[0]].data;
	const struct tensor *second = &subgraph->tensors[node->inputs[1]];
	for (uint64_t i = 0; i < values[node->outputs[0]].bytes; i += 4) {
		combine(node->op, (enum dtype)second->type, a + i, b + i, out + i);
	}
	if (second->is_variable) {
		memcpy(b, out, values[node->inputs[1]].bytes);
	}
}

static int fake_run_node(const struct program *program, uint32_t index,
	const struct run_frame *frame, struct error *err)
{
	const struct subgraph *subgraph = program->request.subgraph;
	const struct node *node = &subgraph->nodes[program->request.nodes[index]];
	const struct value *in = &frame->values[node->inputs[0]];
	const struct value *out = &frame->values[node->outputs[0]];
	int r = run_control_check(frame->control);
	if (r < 0) {
		return r;
	}
	atomic_fetch_add(&fake.nodes_run, 1);
	memset(frame->scratch[index], 0xA5, (size_t)program->scratch_bytes);
	if (node->op == OP_RESHAPE) {
		memmove(out->data, in->data, out->bytes);
	} else if (node->op == OP_DEQUANTIZE) {
		for (uint64_t i = 0; i < in->bytes; i++) {
			((float *)out->data)[i] = ((const int8_t *)in->data)[i];
		}
	} else {
		run_arithmetic(node, subgraph, frame->values);
	}
	return node->op == fake.fail_run_op ? error_set(err, -EIO, "told to fail") : 0;
}

static int fake_run(const struct program *program, const struct run_frame *frame, struct error *err)
{
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < program->request.n_nodes; i++) {
		r = fake_run_node(program, i, frame, err);
	}
	return r;
}

static void fake_free_program(struct program *program)
{
	if (program) {
		atomic_fetch_add(&fake.freed, 1);
		free(program);
	}
}

static uint64_t fake_program_bytes(const struct program *program)
{
	(void)program;
	return fake.program_bytes;
}

static const char *fake_node_detail(const struct program *program, uint32_t index)
{
	(void)program;
	(void)index;
	return "fake__c";
}

const struct backend fake_backend_one = {
	.name = "one",
	.accept = accept_one,
	.compile = fake_compile,
	.run = fake_run,
	.free_program = fake_free_program,
	.program_bytes = fake_program_bytes,
	.node_detail = fake_node_detail,
	.run_node = fake_run_node,
};

const struct backend fake_backend_two = {
	.name = "two",
	.accept = accept_two,
	.compile = fake_compile,
	.run = fake_run,
	.free_program = fake_free_program,
	.program_bytes = fake_program_bytes,
	.node_detail = fake_node_detail,
	.run_node = fake_run_node,
};
