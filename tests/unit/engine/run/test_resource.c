/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fakes/session_bench.h"

static const int32_t TEN[] = {10};

static int32_t handle_of(struct graph_builder *b, const char *container, const char *name)
{
	int32_t handle = graph_builder_tensor(b, DTYPE_RESOURCE, (struct shape){0});
	struct node *node =
		graph_builder_wide_node(b, OP_VAR_HANDLE, NO_OPERANDS, OPERANDS(handle));
	node->options.table = OPTIONS_VAR_HANDLE;
	node->options.var_handle.container = (struct text){container, (uint32_t)strlen(container)};
	node->options.var_handle.shared_name = (struct text){name, (uint32_t)strlen(name)};
	return handle;
}

static int32_t table_of(struct graph_builder *b, int32_t number)
{
	int32_t handle = graph_builder_tensor(b, DTYPE_RESOURCE, SHAPE(1));
	struct node *node = graph_builder_wide_node(b, OP_HASHTABLE, NO_OPERANDS, OPERANDS(handle));
	node->options.table = OPTIONS_HASHTABLE;
	node->options.hashtable.table_id = number;
	node->options.hashtable.key_type = DTYPE_STRING;
	node->options.hashtable.value_type = DTYPE_INT64;
	return handle;
}

static void assign(struct graph_builder *b, int32_t handle, int32_t value)
{
	graph_builder_wide_node(b, OP_ASSIGN_VARIABLE, OPERANDS(handle, value), NO_OPERANDS);
}

static int32_t read_as(struct graph_builder *b, int32_t handle, enum dtype type, struct shape shape)
{
	int32_t out = graph_builder_tensor(b, type, shape);
	graph_builder_node(b, OP_READ_VARIABLE, handle, TENSOR_NONE, out);
	return out;
}

/* Subgraph 0 assigns its input to "v", then fails where input 1 is 0. Subgraph 1 reads "v", whole. */
static struct session_bench *new_bench(void)
{
	struct session_bench *bench = session_bench_new();
	struct graph_builder *writer = &bench->parts[0], *reader = &bench->parts[1];
	int32_t x = graph_builder_input(writer, DTYPE_INT32, SHAPE(2));
	int32_t divisor = graph_builder_input(writer, DTYPE_INT32, SHAPE(1));
	int32_t out = graph_builder_tensor(writer, DTYPE_INT32, SHAPE(1));
	assign(writer, handle_of(writer, "", "v"), x);
	graph_builder_node(writer, OP_DIV,
		graph_builder_constant(writer, DTYPE_INT32, SHAPE(1), TEN), divisor, out);
	graph_builder_output(writer, out);
	graph_builder_output(reader,
		read_as(reader, handle_of(reader, "", "v"), DTYPE_INT32, (struct shape){0}));
	return bench;
}

static int write_numbers(struct session_bench *bench, int32_t first, int32_t divisor)
{
	assert_int_equal(session_enter(bench->session, 0, NULL), 0);
	BENCH_SET_INTS(bench, 0, first, first + 1);
	BENCH_SET_INTS(bench, 1, divisor);
	return session_run(bench->session, NULL, NULL);
}

static int read_back(struct session_bench *bench, struct error *err)
{
	assert_int_equal(session_enter(bench->session, 1, NULL), 0);
	return session_run(bench->session, NULL, err);
}

static void a_variable_is_shared_by_all_entries_of_the_session(void **state)
{
	(void)state;
	struct session_bench *bench = new_bench();
	struct error err = {0};
	assert_int_equal(session_bench_start(bench, 2, 2, NULL), 0);
	assert_int_equal(read_back(bench, &err), -EINVAL);
	assert_string_equal(err.text,
		"subgraph 1, node 1 (READ_VARIABLE v1): variable 'v' is read before it is assigned");
	assert_int_equal(write_numbers(bench, 3, 1), 0);
	assert_int_equal(read_back(bench, NULL), 0);
	BENCH_EXPECT_INTS(bench, 0, 3, 4);
	session_reset(bench->session);
	assert_int_equal(read_back(bench, NULL), -EINVAL);
	session_bench_finish(bench);
}

static void what_a_failed_run_assigned_is_dropped(void **state)
{
	(void)state;
	struct session_bench *bench = new_bench();
	assert_int_equal(session_bench_start(bench, 2, 2, NULL), 0);
	assert_int_equal(write_numbers(bench, 1, 0), -EINVAL);
	assert_int_equal(read_back(bench, NULL), -EINVAL); /* there is no such variable again */
	assert_int_equal(write_numbers(bench, 5, 1), 0);
	assert_int_equal(write_numbers(bench, 7, 0), -EINVAL);
	assert_int_equal(read_back(bench, NULL), 0);
	BENCH_EXPECT_INTS(bench, 0, 5, 6);
	session_bench_finish(bench);
}

static void a_variable_takes_another_shape_with_each_value(void **state)
{
	(void)state;
	struct session_bench *bench = new_bench();
	assert_int_equal(session_bench_start(bench, 2, 2, NULL), 0);
	assert_int_equal(write_numbers(bench, 3, 1), 0);
	assert_int_equal(session_resize(bench->session, 0, &SHAPE(1, 3), NULL), 0);
	BENCH_SET_INTS(bench, 0, 7, 8, 9);
	BENCH_SET_INTS(bench, 1, 1);
	assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	assert_int_equal(read_back(bench, NULL), 0);
	BENCH_EXPECT_INTS(bench, 0, 7, 8, 9);
	const struct value *value = session_output_value(bench->session, 0);
	assert_true(shape_equal(&value->shape, &SHAPE(1, 3)));
	session_bench_finish(bench);
}

static void containers_and_names_tell_variables_apart(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	static const char *const names[][2] = {{"", "a"}, {"a", ""}, {"a", "a"}, {"", "b"}};
	for (int i = 0; i < 4; i++) {
		int32_t x = graph_builder_input(b, DTYPE_INT32, SHAPE(1));
		assign(b, handle_of(b, names[i][0], names[i][1]), x);
	}
	for (int i = 0; i < 4; i++) {
		int32_t handle = handle_of(b, names[i][0], names[i][1]);
		graph_builder_output(b, read_as(b, handle, DTYPE_INT32, SHAPE(1)));
	}
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	for (int32_t i = 0; i < 4; i++) {
		BENCH_SET_INTS(bench, (uint32_t)i, 100 + i);
	}
	assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	for (int32_t i = 0; i < 4; i++) {
		BENCH_EXPECT_INTS(bench, (uint32_t)i, 100 + i);
	}
	session_bench_finish(bench);
}

static void assert_refused(struct session_bench *bench, const char *text)
{
	struct error err = {0};
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	assert_int_equal(session_run(bench->session, NULL, &err), -EINVAL);
	assert_string_equal(err.text, text);
	assert_int_equal(session_run(bench->session, NULL, NULL), -EINVAL);
	session_bench_finish(bench);
}

static void a_handle_of_the_other_kind_is_refused(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	graph_builder_output(b, read_as(b, table_of(b, 1), DTYPE_INT32, SHAPE(1)));
	assert_refused(
		bench, "subgraph 0, node 1 (READ_VARIABLE v1): the handle is of no variable");
	bench = session_bench_new();
	b = &bench->parts[0];
	int32_t size = graph_builder_tensor(b, DTYPE_INT64, SHAPE(1));
	graph_builder_node(b, OP_HASHTABLE_SIZE, handle_of(b, "", "v"), TENSOR_NONE, size);
	graph_builder_output(b, size);
	assert_refused(bench, "subgraph 0, node 1 (HASHTABLE_SIZE v1): the handle is of no table");
}

/* A handle that nobody has made: the state of a variable tensor, which starts as 0. */
static void a_handle_from_nowhere_is_refused(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	int32_t handle = graph_builder_variable(b, DTYPE_RESOURCE, SHAPE(1));
	graph_builder_output(b, read_as(b, handle, DTYPE_INT32, SHAPE(1)));
	assert_refused(
		bench, "subgraph 0, node 0 (READ_VARIABLE v1): the handle is of no variable");
}

static void a_variable_of_another_type_or_too_short_is_refused(void **state)
{
	(void)state;
	static const enum dtype types[] = {DTYPE_FLOAT32, DTYPE_INT32};
	static const char *const texts[] = {
		"subgraph 0, node 2 (READ_VARIABLE v1): variable 'v' holds int32, is read as float32",
		"subgraph 0, node 2 (READ_VARIABLE v1): variable 'v' holds 4 bytes, 8 are read",
	};
	for (int i = 0; i < 2; i++) {
		struct session_bench *bench = session_bench_new();
		struct graph_builder *b = &bench->parts[0];
		int32_t handle = handle_of(b, "", "v");
		assign(b, handle, graph_builder_constant(b, DTYPE_INT32, SHAPE(1), TEN));
		graph_builder_output(b, read_as(b, handle, types[i], SHAPE(2)));
		assert_refused(bench, texts[i]);
	}
}

/* Who gives the keys may change them while they are looked up: twice, for the bytes and for the
 * values. */
static void keys_are_looked_up_in_a_private_copy(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	int32_t handle = table_of(b, 1);
	b->nodes[0].options.hashtable.key_type = DTYPE_INT64;
	b->nodes[0].options.hashtable.value_type = DTYPE_STRING;
	int32_t keys = graph_builder_input(b, DTYPE_INT64, SHAPE(2));
	int32_t fallback = graph_builder_input(b, DTYPE_STRING, SHAPE(1));
	int32_t out = graph_builder_tensor(b, DTYPE_STRING, SHAPE(2));
	graph_builder_wide_node(
		b, OP_HASHTABLE_FIND, OPERANDS(handle, keys, fallback), OPERANDS(out));
	graph_builder_output(b, out);
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	assert_true(plan_entered(bench->plans.declared[0])->tensors[keys].is_copied);
	assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	session_bench_finish(bench);
}

static void handles_stay_inside(void **state)
{
	(void)state;
	struct error err = {0};
	struct session_bench *bench = session_bench_new();
	graph_builder_output(&bench->parts[0], handle_of(&bench->parts[0], "", "v"));
	assert_int_equal(session_bench_start(bench, 1, 1, &err), -EOPNOTSUPP);
	assert_string_equal(
		err.text, "subgraph 0, output 0: a resource cannot be given to the outside");
	session_bench_finish(bench);
	bench = session_bench_new();
	graph_builder_input(&bench->parts[0], DTYPE_RESOURCE, SHAPE(1));
	assert_int_equal(session_bench_start(bench, 1, 1, &err), -EOPNOTSUPP);
	assert_string_equal(
		err.text, "subgraph 0, input 0: a resource cannot be given from outside");
	session_bench_finish(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_variable_is_shared_by_all_entries_of_the_session),
		cmocka_unit_test(what_a_failed_run_assigned_is_dropped),
		cmocka_unit_test(a_variable_takes_another_shape_with_each_value),
		cmocka_unit_test(containers_and_names_tell_variables_apart),
		cmocka_unit_test(a_handle_of_the_other_kind_is_refused),
		cmocka_unit_test(a_handle_from_nowhere_is_refused),
		cmocka_unit_test(keys_are_looked_up_in_a_private_copy),
		cmocka_unit_test(handles_stay_inside),
		cmocka_unit_test(a_variable_of_another_type_or_too_short_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
