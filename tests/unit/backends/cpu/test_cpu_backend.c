/* SPDX-License-Identifier: Apache-2.0 */
/* One FULLY_CONNECTED by hand: y = clamp(round(x . w * 0.5 * 0.25 / 0.125) + 3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/cpu/cpu_backend.h"
#include "engine/operators.h"
#include "kernels/gemm/matmul.h"

struct fixture {
	int8_t weights[6];
	float scales[3];
	uint8_t zero[8];
	struct tensor tensors[3];
	int32_t inputs[2], output;
	struct node node;
	struct subgraph subgraph;
	struct shape shapes[3];
	const uint8_t *constants[3];
	uint32_t index;
	struct compile_request request;
	_Alignas(64) int8_t x[3], y[2];
	struct value values[3];
	const char *detail; /* of the last run */
};

static void setup_tensor(struct fixture *f, uint32_t i, int32_t rows, int32_t columns)
{
	f->shapes[i] = (struct shape){.rank = 2, .dim = {rows, columns}};
	f->tensors[i] = (struct tensor){
		.type = DTYPE_INT8,
		.shape = f->shapes[i],
		.quant = {.scale = &f->scales[i], .n_scales = 1},
	};
	f->values[i].shape = f->shapes[i];
}

static void setup(struct fixture *f)
{
	*f = (struct fixture){
		.weights = {1, 2, 3, -1, -2, 127},
		.scales = {0.5f, 0.25f, 0.125f},
		.zero = {3},
		.inputs = {0, 1},
		.output = 2,
		.x = {10, -20, 1},
	};
	setup_tensor(f, 0, 1, 3);
	setup_tensor(f, 1, 2, 3);
	setup_tensor(f, 2, 1, 2);
	f->tensors[2].quant.zero_point = f->zero;
	f->tensors[2].quant.n_zero_points = 1;
	f->constants[1] = (const uint8_t *)f->weights;
	f->values[0].data = f->x;
	f->values[1].data = f->weights;
	f->values[2].data = f->y;
	f->node = (struct node){.op = OP_FULLY_CONNECTED,
		.version = 4,
		.n_inputs = 2,
		.inputs = f->inputs,
		.n_outputs = 1,
		.outputs = &f->output};
	f->subgraph = (struct subgraph){
		.tensors = f->tensors, .nodes = &f->node, .n_tensors = 3, .n_nodes = 1};
	f->request = (struct compile_request){.subgraph = &f->subgraph,
		.shapes = f->shapes,
		.constants = f->constants,
		.nodes = &f->index,
		.n_nodes = 1,
		.max_program_bytes = 1 << 20};
}

/* Compiles and runs once. */
static int compile_and_run(struct fixture *f, const struct run_control *control, struct error *err)
{
	struct node_memory memory = {0};
	struct program *program = NULL;
	int r = cpu_backend.compile(&f->request, &memory, &program, err);
	if (r < 0) {
		return r;
	}
	_Alignas(64) uint8_t scratch[256];
	assert_true(memory.scratch <= sizeof(scratch));
	void *const scratches[] = {scratch};
	struct shape shapes[3];
	const uint8_t *known[3];
	for (int t = 0; t < 3; t++) {
		shapes[t] = f->values[t].shape;
		known[t] = f->values[t].data;
	}
	const struct run_frame frame = {
		.values = f->values,
		.scratch = scratches,
		.shapes = shapes,
		.constants = known,
		.control = control,
	};
	r = cpu_backend.run(program, &frame, err);
	f->detail = cpu_backend.node_detail(program, 0);
	cpu_backend.free_program(program);
	return r;
}

static void a_node_runs_by_its_formula(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	assert_int_equal(cpu_backend.accept(&f.request, 0, NULL), 0);
	assert_int_equal(compile_and_run(&f, NULL, NULL), 0);
	assert_int_equal(f.y[0], 10 - 40 + 3 + 3);
	assert_int_equal(f.y[1], 127); /* -10 + 40 + 127 + 3, clamped */
}

static void a_node_whose_shapes_only_a_run_knows_runs_the_same(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	f.shapes[0].dim[0] = -1;
	assert_int_equal(compile_and_run(&f, NULL, NULL), 0);
	assert_int_equal(f.y[0], -24);
	assert_int_equal(f.y[1], 127);
}

/* The mask is what may be used, not what there is. */
static void kernels_need_features_that_are_asked_for_and_there(void **state)
{
	(void)state;
	const uint64_t masks[] = {0, EK_CPU_AVX2, ~0ull};
	for (size_t i = 0; i < 3; i++) {
		struct fixture f;
		setup(&f);
		f.request.cpu_features = masks[i];
		assert_int_equal(compile_and_run(&f, NULL, NULL), 0);
		assert_int_equal(f.y[0], -24);
		assert_int_equal(f.y[1], 127);
		const struct ek_matmul_q_row *row = ek_pick(
			ek_matmul_s8, ek_matmul_s8_count, sizeof(*row), masks[i] & ek_cpu_detect());
		assert_string_equal(f.detail, row->variant.name);
	}
}

static void a_program_above_its_budget_is_refused(void **state)
{
	(void)state;
	struct fixture f;
	struct error err = {0};
	setup(&f);
	f.request.max_program_bytes = 100;
	assert_int_equal(compile_and_run(&f, NULL, &err), -EFBIG);
	assert_non_null(strstr(err.text, "FULLY_CONNECTED"));
	assert_non_null(strstr(err.text, "100"));
}

static void a_run_after_its_deadline_gives_up(void **state)
{
	(void)state;
	struct fixture f;
	struct error err = {0};
	setup(&f);
	const struct run_control control = {.deadline_ns = 1};
	assert_int_equal(compile_and_run(&f, &control, &err), -ETIMEDOUT);
}

static void what_is_not_there_is_refused_by_name(void **state)
{
	(void)state;
	struct fixture f;
	struct error err = {0};
	setup(&f);
	f.tensors[1].type = DTYPE_INT16;
	assert_int_equal(cpu_backend.accept(&f.request, 0, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "int8 input with int16 weights"));
	f.node.op = OP_CONCAT_EMBEDDINGS;
	assert_int_equal(cpu_backend.accept(&f.request, 0, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "CONCAT_EMBEDDINGS"));
}

static void int4_weights_are_unpacked_low_nibble_first(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	/* 1 2 3, -1 -2 7 */
	const uint8_t packed[] = {0x21, 0xf3, 0x7e};
	f.tensors[1].type = DTYPE_INT4;
	f.constants[1] = packed;
	f.values[1].data = (void *)(uintptr_t)packed;
	assert_int_equal(compile_and_run(&f, NULL, NULL), 0);
	assert_int_equal(f.y[0], -24);
	assert_int_equal(f.y[1], -10 + 40 + 7 + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_runs_by_its_formula),
		cmocka_unit_test(a_node_whose_shapes_only_a_run_knows_runs_the_same),
		cmocka_unit_test(kernels_need_features_that_are_asked_for_and_there),
		cmocka_unit_test(a_program_above_its_budget_is_refused),
		cmocka_unit_test(a_run_after_its_deadline_gives_up),
		cmocka_unit_test(what_is_not_there_is_refused_by_name),
		cmocka_unit_test(int4_weights_are_unpacked_low_nibble_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
