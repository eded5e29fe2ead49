/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

/* One unit that doubles its input and adds its last output: sums of what came so far. */
struct unit {
	float w, r, bias, state;
};

static void add_unit(struct op_bench *b, struct unit *u)
{
	op_bench_constant(b, DTYPE_FLOAT32, SHAPE(1, 1), &u->w);
	op_bench_constant(b, DTYPE_FLOAT32, SHAPE(1, 1), &u->r);
	op_bench_constant(b, DTYPE_FLOAT32, SHAPE(1), &u->bias);
	op_bench_input(b, DTYPE_FLOAT32, SHAPE(1, 1), &u->state);
}

static void a_sequence_goes_on_from_its_state(void **state)
{
	(void)state;
	static const float x[3] = {1, 2, 3};
	float y[3];
	struct unit u = {.w = 2, .r = 1, .bias = 0.5f};
	struct op_bench b;
	op_bench_init(&b, OP_UNIDIRECTIONAL_SEQUENCE_RNN);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 3, 1), x);
	add_unit(&b, &u);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 3, 1), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((float[]){2.5f, 7, 13.5f}), sizeof(y));
	assert_true(u.state == 13.5f);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((float[]){16, 20.5f, 27}), sizeof(y));
}

static void entries_have_states_of_their_own(void **state)
{
	(void)state;
	static const float x[4] = {1, 10, 2, 20}, w = 1, r = 1, bias = 0;
	float y[4], h[2] = {100, 200};
	struct op_bench b;
	op_bench_init(&b, OP_UNIDIRECTIONAL_SEQUENCE_RNN);
	b.node.options.recurrent.time_major = true;
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 2, 1), x);
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(1, 1), &w);
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(1, 1), &r);
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(1), &bias);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 1), h);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 2, 1), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((float[]){101, 210, 103, 230}), sizeof(y));
	assert_memory_equal(h, ((float[]){103, 230}), sizeof(h));
}

/* Two units, forward and backward, with @aux as second input and @weights for it or none. */
static void run_two_ways(bool time_major, bool merge, const float *weights, float ret[static 6])
{
	static const float x[3] = {1, 2, 3}, aux[3] = {100, 200, 300};
	struct unit forward = {.w = 1, .r = 1}, backward = {.w = 1, .r = 1};
	struct shape rows = time_major ? SHAPE(3, 1, 1) : SHAPE(1, 3, 1), wide = rows;
	struct op_bench b;
	op_bench_init(&b, OP_BIDIRECTIONAL_SEQUENCE_RNN);
	b.node.options.recurrent.time_major = time_major;
	b.node.options.recurrent.merge_outputs = merge;
	op_bench_input(&b, DTYPE_FLOAT32, rows, x);
	add_unit(&b, &forward);
	add_unit(&b, &backward);
	op_bench_input(&b, DTYPE_FLOAT32, rows, aux);
	for (int i = 0; i < 2; i++) {
		if (weights) {
			op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(1, 1), weights);
		} else {
			op_bench_absent(&b);
		}
	}
	wide.dim[2] = 2;
	op_bench_output(&b, DTYPE_FLOAT32, merge ? wide : rows, ret);
	if (!merge) {
		op_bench_output(&b, DTYPE_FLOAT32, rows, ret + 3);
	}
	assert_int_equal(op_bench_run(&b), 0);
}

static void two_ways_meet_in_one_output_or_keep_two(void **state)
{
	(void)state;
	static const float none = 0, weight = 1;
	float y[6];
	run_two_ways(false, false, &none, y);
	assert_memory_equal(y, ((float[]){1, 3, 6, 6, 5, 3}), sizeof(y));
	run_two_ways(false, true, &none, y);
	assert_memory_equal(y, ((float[]){1, 6, 3, 5, 6, 3}), sizeof(y));
	run_two_ways(true, true, &weight, y);
	assert_memory_equal(y, ((float[]){101, 606, 303, 505, 606, 303}), sizeof(y));
}

static void a_second_input_without_weights_goes_backward_where_steps_come_first(void **state)
{
	(void)state;
	float y[6];
	run_two_ways(true, false, NULL, y);
	assert_memory_equal(y, ((float[]){1, 3, 6, 600, 500, 300}), sizeof(y));
	run_two_ways(false, false, NULL, y);
	assert_memory_equal(y, ((float[]){1, 3, 6, 6, 5, 3}), sizeof(y));
}

/* A hybrid unit of 127 * scale = 1 that keeps its state: each round adds the sum of the input. */
static void int8_steps_first_go_round_once_for_each_step(void **state)
{
	(void)state;
	static const float x[2] = {1, 2}, bias = 0;
	static const int8_t weight = 127;
	float y[4], h[2] = {0, 0};
	struct op_bench b;
	op_bench_init(&b, OP_BIDIRECTIONAL_SEQUENCE_RNN);
	b.node.options.recurrent.time_major = true;
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 1, 1), x);
	for (int way = 0; way < 2; way++) {
		for (int i = 0; i < 2; i++) {
			op_bench_scale(&b, op_bench_constant(&b, DTYPE_INT8, SHAPE(1, 1), &weight),
				1.0f / 127, 0);
		}
		op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(1), &bias);
		op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1), &h[way]);
	}
	for (int i = 0; i < 3; i++) {
		op_bench_absent(&b);
	}
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 1, 1), y);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 1, 1), y + 2);
	assert_int_equal(op_bench_run(&b), 0);
	const float expected[4] = {
		4, 6, 6, 5}; /* of the second round; 1, 3 and 3, 2 of the first */
	for (int i = 0; i < 4; i++) {
		assert_true(y[i] > expected[i] - 0.01f && y[i] < expected[i] + 0.01f);
	}
	assert_true(h[0] == y[1] && h[1] == y[2]);
}

static void a_cancelled_run_says_so(void **state)
{
	(void)state;
	static const float x[1] = {1};
	const atomic_bool cancelled = true;
	const struct run_control control = {.cancelled = &cancelled};
	float y[1];
	struct unit u = {.w = 1};
	struct op_bench b;
	op_bench_init(&b, OP_RNN);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1), x);
	add_unit(&b, &u);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1), y);
	b.control = &control;
	assert_int_equal(op_bench_run(&b), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sequence_goes_on_from_its_state),
		cmocka_unit_test(entries_have_states_of_their_own),
		cmocka_unit_test(two_ways_meet_in_one_output_or_keep_two),
		cmocka_unit_test(
			a_second_input_without_weights_goes_backward_where_steps_come_first),
		cmocka_unit_test(int8_steps_first_go_round_once_for_each_step),
		cmocka_unit_test(a_cancelled_run_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
