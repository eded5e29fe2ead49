/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_bench - one operator on the CPU backend, with operands made by hand
 *
 *   struct op_bench b;
 *   op_bench_init(&b, OP_ADD);
 *   op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(2), x), 0.5f, 0);
 *   op_bench_output(&b, DTYPE_INT8, SHAPE(2), y);
 *   assert_int_equal(op_bench_run(&b), 0);
 */
#ifndef TESTS_FAKES_OP_BENCH_H
#define TESTS_FAKES_OP_BENCH_H

#include "engine/backend.h"
#include "engine/operators.h"
#include "tests/fakes/graph_builder.h"

#define OP_BENCH_TENSORS 32

struct op_bench {
	struct graph graph;
	struct subgraph subgraph;
	struct node node;
	struct tensor tensors[OP_BENCH_TENSORS];
	struct shape shapes[OP_BENCH_TENSORS];
	const uint8_t *constants[OP_BENCH_TENSORS];
	struct value values[OP_BENCH_TENSORS];
	int32_t inputs[OP_BENCH_TENSORS], outputs[OP_BENCH_TENSORS],
		intermediates[OP_BENCH_TENSORS];
	float scales[OP_BENCH_TENSORS];
	int64_t zeros[OP_BENCH_TENSORS];
	uint64_t cpu_features; /* ~0 at the start */
	const struct run_control *control; /* NULL at the start */
	struct error err; /* of the last run */
	/* What an operator keeps between runs of one session. */
	_Alignas(64) uint8_t state[1024];
	/* Outputs that the operator gave memory itself; their shape is in values[]. */
	_Alignas(64) uint8_t given[1024];
	size_t given_bytes;
	char detail[64]; /* what the backend called the node */
};

/* The bench points into itself: it must not move. */
void op_bench_init(struct op_bench *b, enum op op);

/* Each gives the tensor's number. @data: as many bytes as the shape asks for, the caller's. */
int32_t op_bench_input(struct op_bench *b, enum dtype type, struct shape shape, const void *data);
int32_t op_bench_constant(
	struct op_bench *b, enum dtype type, struct shape shape, const void *data);
int32_t op_bench_output(struct op_bench *b, enum dtype type, struct shape shape, void *data);

/* An output whose shape or size only the run knows: op_bench_run() leaves it in values[]. */
int32_t op_bench_given(struct op_bench *b, enum dtype type);

/* Tensors of strings: @table of @bytes bytes (base/strings.h), and an output in a shape that the
 * planner knows, which op_bench_run() leaves in values[]. */
int32_t op_bench_strings(struct op_bench *b, struct shape shape, const void *table, uint64_t bytes);
int32_t op_bench_given_strings(struct op_bench *b, struct shape shape);

/* A tensor of one element that tells a scale only. */
int32_t op_bench_intermediate(struct op_bench *b, enum dtype type);
/* An optional operand that is left out. */
void op_bench_absent(struct op_bench *b);

void op_bench_scale(struct op_bench *b, int32_t tensor, float scale, int64_t zero);

/* Accepts, compiles and runs: the first negative result, or 0. */
int op_bench_run(struct op_bench *b);

#endif
