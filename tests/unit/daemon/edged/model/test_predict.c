/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/backends.h"
#include "daemon/edged/model/predict.h"
#include "engine/edge.h"

#define MODEL "tests/data/ADD_s8/model.tflite"
#define MS INT64_C(1000000)

static int set_up(void **state)
{
	const struct edge_options options = {.backends = backends_builtin()};
	struct edge_model *model = NULL;
	int code = edge_model_open_file(SOURCE_ROOT "/" MODEL, &options, &model, NULL);
	*state = model;
	return code;
}

static int tear_down(void **state)
{
	edge_model_unref(*state);
	return 0;
}

static void what_never_ran_takes_what_its_plan_says_on_a_machine_of_that_speed(void **state)
{
	struct predict first = {0}, second = {0};
	struct predict_machine machine = {0};
	const int64_t planned = predict_ns(&first, &machine, *state, 0, 1);
	assert_true(planned >= 1000);
	predict_note(&first, &machine, *state, 0, 1, 6 * planned);
	assert_int_equal(predict_ns(&first, &machine, *state, 0, 1), 6 * planned);
	assert_int_equal(predict_ns(&second, &machine, *state, 0, 1), 6 * planned);
}

static void runs_teach_and_larger_inputs_take_longer(void **state)
{
	struct predict predict = {0};
	struct predict_machine machine = {0};
	for (int i = 0; i < 60; i++) {
		predict_note(&predict, &machine, *state, 0, 1, i < 30 ? 3 * MS : 2 * MS);
	}
	assert_in_range(predict_ns(&predict, &machine, *state, 0, 1), 2 * MS, 21 * MS / 10);
	assert_in_range(predict_ns(&predict, &machine, *state, 0, 4), 8 * MS, 84 * MS / 10);
	predict_note(&predict, &machine, *state, 0, 4, 8 * MS); /* as expected */
	assert_in_range(predict_ns(&predict, &machine, *state, 0, 1), 2 * MS, 21 * MS / 10);
}

static void one_hiccup_keeps_nobody_out_for_long(void **state)
{
	struct predict predict = {0};
	struct predict_machine machine = {0};
	for (int i = 0; i < 20; i++) {
		predict_note(&predict, &machine, *state, 0, 1, MS);
	}
	predict_note(&predict, &machine, *state, 0, 1, 10000 * MS);
	assert_true(predict_ns(&predict, &machine, *state, 0, 1) < 2 * MS);
}

static void signatures_beyond_the_table_share_its_last_place(void **state)
{
	struct predict predict = {0};
	struct predict_machine machine = {0};
	predict_note(&predict, &machine, *state, PREDICT_SIGNATURES + 5, 1, 7 * MS);
	assert_int_equal(predict_ns(&predict, &machine, *state, PREDICT_SIGNATURES - 1, 1), 7 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_never_ran_takes_what_its_plan_says_on_a_machine_of_that_speed),
		cmocka_unit_test(runs_teach_and_larger_inputs_take_longer),
		cmocka_unit_test(one_hiccup_keeps_nobody_out_for_long),
		cmocka_unit_test(signatures_beyond_the_table_share_its_last_place),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
