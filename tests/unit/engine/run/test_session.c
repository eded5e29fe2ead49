/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/run/session.h"
#include "tests/fakes/fake_backend.h"
#include "tests/fakes/graph_builder.h"

static const struct backend *const one_backend[] = {&fake_backend_one, NULL};

/* total += x; y = total * x. One input, one output, one variable. */
struct counter {
	struct graph_builder builder;
	struct plan_cache plans;
	struct session *session;
};

static void open_counter(struct counter *c, struct shape shape)
{
	struct graph_builder *b = &c->builder;
	fake_backend_reset();
	memset(c, 0, sizeof(*c));
	graph_builder_init(b);
	int32_t x = graph_builder_input(b, DTYPE_FLOAT32, shape);
	int32_t total = graph_builder_variable(b, DTYPE_FLOAT32, shape);
	int32_t sum = graph_builder_tensor(b, DTYPE_FLOAT32, shape);
	int32_t y = graph_builder_tensor(b, DTYPE_FLOAT32, shape);
	graph_builder_node(b, OP_ADD, x, total, sum);
	graph_builder_node(b, OP_MUL, sum, x, y);
	graph_builder_output(b, y);
}

/* As above without state: y = (x + x) * x, any shape. */
static void open_square(struct counter *c)
{
	open_counter(c, SHAPE(2));
	c->builder.operands[0][1] = 0;
	c->builder.tensors[1].is_variable = false;
}

static void start(struct counter *c)
{
	c->plans = (struct plan_cache){
		.graph = &c->builder.graph,
		.backends = one_backend,
		.max_arena_bytes = 1 << 20,
		.max_prepared_bytes = 1 << 20,
		.max_macs = 1000000,
		.max_plans = 2,
	};
	assert_int_equal(plan_cache_init(&c->plans, NULL), 0);
	assert_int_equal(plan_cache_enter(&c->plans, 0, NULL), 0);
	assert_int_equal(session_new(&c->plans, 0, &c->session, NULL), 0);
}

static void finish(struct counter *c)
{
	session_free(c->session);
	plan_cache_deinit(&c->plans);
	assert_int_equal(fake_backend()->compiled, fake_backend()->freed);
}

static void set_input(struct counter *c, float first, float second)
{
	uint64_t bytes = 0;
	float *x = session_input(c->session, 0, &bytes);
	assert_non_null(x);
	assert_int_equal(bytes, 8);
	x[0] = first;
	x[1] = second;
}

static void assert_output(struct counter *c, float first, float second)
{
	uint64_t bytes = 0;
	const float *y = session_output(c->session, 0, &bytes);
	assert_non_null(y);
	assert_int_equal(bytes, 8);
	assert_true(y[0] == first);
	assert_true(y[1] == second);
}

static void state_carries_on_and_a_reset_takes_it_back(void **state)
{
	(void)state;
	struct counter c;
	open_counter(&c, SHAPE(2));
	start(&c);
	set_input(&c, 1, 10);
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_output(&c, 1, 100);
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_output(&c, 2, 200);
	session_reset(c.session);
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_output(&c, 1, 100);
	finish(&c);
}

static void int8_variables_start_at_their_zero_point(void **state)
{
	(void)state;
	const int64_t zero = -5;
	struct counter c;
	open_counter(&c, SHAPE(2));
	int32_t v = graph_builder_variable(&c.builder, DTYPE_INT8, SHAPE(3));
	c.builder.tensors[v].quant.n_zero_points = 1;
	c.builder.tensors[v].quant.zero_point = (const uint8_t *)&zero;
	graph_builder_output(&c.builder, v);
	start(&c);
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	uint64_t bytes = 0;
	const int8_t *out = session_output(c.session, 1, &bytes);
	assert_non_null(out);
	assert_int_equal(bytes, 3);
	assert_int_equal(out[0], -5);
	assert_int_equal(out[2], -5);
	finish(&c);
}

static void a_variable_dequantised_from_a_constant_starts_with_it(void **state)
{
	(void)state;
	const int8_t first[] = {100, 7};
	const float scale = 1;
	struct counter c;
	open_counter(&c, SHAPE(2));
	/* Node 2 comes first: it writes the variable that node 0, moved behind it, adds to. */
	struct graph_builder *b = &c.builder;
	int32_t constant = graph_builder_constant(b, DTYPE_INT8, SHAPE(2), first);
	b->tensors[constant].quant = (struct quant){.scale = &scale, .n_scales = 1};
	graph_builder_node(b, OP_DEQUANTIZE, constant, TENSOR_NONE, 1);
	struct node last = b->nodes[2];
	b->nodes[2] = b->nodes[1];
	b->nodes[1] = b->nodes[0];
	b->nodes[0] = last;
	start(&c);
	set_input(&c, 1, 2);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(session_run(c.session, NULL, NULL), 0);
		assert_output(&c, 101, 18);
		assert_int_equal(session_run(c.session, NULL, NULL), 0);
		assert_output(&c, 102, 22);
		session_reset(c.session);
	}
	finish(&c);
}

static void a_failed_run_leaves_the_state_as_it_was(void **state)
{
	(void)state;
	struct counter c;
	struct error err = {0};
	uint64_t bytes = 0;
	open_counter(&c, SHAPE(2));
	start(&c);
	set_input(&c, 1, 10);
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	fake_backend()->fail_run_op = OP_MUL;
	assert_int_equal(session_run(c.session, NULL, &err), -EIO);
	assert_string_equal(err.text, "told to fail");
	assert_null(session_output(c.session, 0, &bytes));
	fake_backend()->fail_run_op = -1;
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_output(&c, 2, 200);
	finish(&c);
}

static void a_deadline_in_the_past_and_a_cancelled_run_say_so(void **state)
{
	(void)state;
	struct counter c;
	struct error err = {0};
	atomic_bool cancelled = true;
	open_counter(&c, SHAPE(2));
	start(&c);
	const struct run_control late = {.deadline_ns = 1};
	assert_int_equal(session_run(c.session, &late, &err), -ETIMEDOUT);
	assert_int_equal(err.status, EDGE_DEADLINE);
	assert_string_equal(err.text, "the deadline passed during the run");
	const struct run_control taken_back = {.cancelled = &cancelled};
	assert_int_equal(session_run(c.session, &taken_back, &err), -ECANCELED);
	assert_int_equal(err.status, EDGE_CANCELLED);
	assert_int_equal(fake_backend()->nodes_run, 0);
	finish(&c);
}

static void an_input_starts_as_zeros_and_a_bound_one_is_read_in_place(void **state)
{
	(void)state;
	struct counter c;
	struct error err = {0};
	_Alignas(16) float mine[5] = {2, 3};
	open_square(&c);
	start(&c);
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_output(&c, 0, 0);
	assert_int_equal(session_bind_input(c.session, 0, mine, 8, NULL), 0);
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_output(&c, 8, 18);
	mine[0] = 1;
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_output(&c, 2, 18);
	assert_int_equal(session_bind_input(c.session, 0, mine, 12, &err), -EINVAL);
	assert_string_equal(err.text, "input 0: takes 8 bytes, not 12");
	assert_int_equal(session_bind_input(c.session, 0, mine + 1, 8, &err), -EINVAL);
	assert_string_equal(err.text, "input 0: not aligned to 16 bytes");
	assert_int_equal(session_bind_input(c.session, 1, mine, 8, &err), -EINVAL);
	assert_string_equal(err.text, "input 1 of 1");
	finish(&c);
}

static void a_resize_is_planned_at_the_next_run_and_kept(void **state)
{
	(void)state;
	struct counter c;
	uint64_t bytes = 0;
	open_square(&c);
	start(&c);
	assert_int_equal(fake_backend()->compiled, 1);
	assert_int_equal(session_resize(c.session, 0, &SHAPE(3), NULL), 0);
	assert_null(session_output(c.session, 0, &bytes));
	float *x = session_input(c.session, 0, &bytes);
	assert_int_equal(bytes, 12);
	x[2] = 3;
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	const float *y = session_output(c.session, 0, &bytes);
	assert_int_equal(bytes, 12);
	assert_true(y[2] == 18);
	assert_int_equal(fake_backend()->compiled, 2);
	assert_int_equal(session_resize(c.session, 0, &SHAPE(2), NULL), 0);
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_int_equal(session_resize(c.session, 0, &SHAPE(3), NULL), 0);
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_int_equal(fake_backend()->compiled, 2);
	finish(&c);
}

static void the_plan_unused_for_longest_goes_first(void **state)
{
	(void)state;
	struct counter c;
	open_square(&c);
	start(&c);
	/* Two plans are kept: with the fourth shape the second is forgotten, the third is not. */
	const int32_t sizes[] = {3, 4, 3, 5, 3, 4};
	const unsigned int compiled[] = {2, 3, 3, 4, 4, 5};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(session_resize(c.session, 0, &SHAPE(sizes[i]), NULL), 0);
		assert_int_equal(session_run(c.session, NULL, NULL), 0);
		assert_int_equal(fake_backend()->compiled, compiled[i]);
	}
	finish(&c);
}

static void a_shape_that_cannot_be_planned_leaves_the_session_usable(void **state)
{
	(void)state;
	struct counter c;
	struct error err = {0};
	open_counter(&c, SHAPE(2));
	start(&c);
	set_input(&c, 1, 10);
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_int_equal(session_resize(c.session, 0, &SHAPE(3), NULL), 0);
	assert_int_equal(session_run(c.session, NULL, &err), -EINVAL);
	assert_int_equal(session_resize(c.session, 0, &SHAPE(2), NULL), 0);
	set_input(&c, 1, 10);
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_output(&c, 1, 100); /* a resize starts the state anew */
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_output(&c, 2, 200);
	assert_int_equal(session_resize(c.session, 0, &SHAPE(2), NULL), 0); /* none */
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_output(&c, 3, 300);
	assert_int_equal(session_resize(c.session, 0, &SHAPE(-1), &err), -EINVAL);
	assert_string_equal(err.text, "input 0: shape ? cannot be");
	assert_int_equal(session_resize(c.session, 0, &SHAPE(1024, 1024), &err), -EFBIG);
	finish(&c);
}

static void a_profile_has_a_time_for_every_node(void **state)
{
	(void)state;
	struct counter c;
	open_counter(&c, SHAPE(2));
	start(&c);
	assert_null(session_node_ns(c.session));
	assert_int_equal(session_profile(c.session, true), 0);
	set_input(&c, 1, 10);
	assert_int_equal(session_run(c.session, NULL, NULL), 0);
	assert_output(&c, 1, 100);
	assert_int_equal(fake_backend()->nodes_run, 2);
	const uint64_t *ns = session_node_ns(c.session);
	assert_non_null(ns);
	assert_true(ns[0] < 1000000000u);
	assert_true(ns[1] < 1000000000u);
	finish(&c);
}

struct worker {
	pthread_t thread;
	struct plan_cache *plans;
	uint32_t wrong;
};

static void *run_many(void *context)
{
	struct worker *worker = context;
	owned(session_free) struct session *session = NULL;
	worker->wrong += session_new(worker->plans, 0, &session, NULL) < 0;
	for (int i = 0; i < 50 && worker->wrong == 0; i++) {
		uint64_t bytes = 0;
		const struct shape shape = SHAPE(2 + i % 5);
		worker->wrong += session_resize(session, 0, &shape, NULL) < 0;
		float *x = session_input(session, 0, &bytes);
		x[0] = (float)i;
		worker->wrong += session_run(session, NULL, NULL) < 0;
		const float *y = session_output(session, 0, &bytes);
		worker->wrong += !y || y[0] != 2.0f * (float)i * (float)i;
	}
	return NULL;
}

static void four_threads_share_the_plans_of_one_model(void **state)
{
	(void)state;
	struct counter c;
	struct worker workers[4];
	open_square(&c);
	start(&c);
	for (int i = 0; i < 4; i++) {
		workers[i] = (struct worker){.plans = &c.plans};
		assert_int_equal(
			pthread_create(&workers[i].thread, NULL, run_many, &workers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	finish(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_carries_on_and_a_reset_takes_it_back),
		cmocka_unit_test(int8_variables_start_at_their_zero_point),
		cmocka_unit_test(a_variable_dequantised_from_a_constant_starts_with_it),
		cmocka_unit_test(a_failed_run_leaves_the_state_as_it_was),
		cmocka_unit_test(a_deadline_in_the_past_and_a_cancelled_run_say_so),
		cmocka_unit_test(an_input_starts_as_zeros_and_a_bound_one_is_read_in_place),
		cmocka_unit_test(a_resize_is_planned_at_the_next_run_and_kept),
		cmocka_unit_test(the_plan_unused_for_longest_goes_first),
		cmocka_unit_test(a_shape_that_cannot_be_planned_leaves_the_session_usable),
		cmocka_unit_test(a_profile_has_a_time_for_every_node),
		cmocka_unit_test(four_threads_share_the_plans_of_one_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
