/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/edged/models/probation.h"
#include "daemon/system/check_finite.h"

#define MS UINT64_C(1000000)

static const struct probation_limits limits = {.runs = 10, .time_ns = 1000 * MS, .slower = 5};

static enum probation_verdict count_many(
	struct probation *probation, enum probation_outcome outcome, uint64_t run_ns, int n)
{
	enum probation_verdict verdict = PROBATION_GOES_ON;
	for (int i = 0; i < n && verdict == PROBATION_GOES_ON; i++) {
		verdict = probation_count(probation, &limits, outcome, run_ns);
	}
	return verdict;
}

static void good_runs_prove(void **state)
{
	(void)state;
	struct probation probation;
	probation_begin(&probation, 1 * MS, 0);
	assert_int_equal(count_many(&probation, PROBATION_FINE, 1 * MS, 9), PROBATION_GOES_ON);
	assert_int_equal(count_many(&probation, PROBATION_FINE, 1 * MS, 1), PROBATION_PASSED);
	assert_false(probation.on);
	assert_int_equal(count_many(&probation, PROBATION_NAN, 1 * MS, 9), PROBATION_GOES_ON);
}

static void time_proves(void **state)
{
	(void)state;
	struct probation probation;
	probation_begin(&probation, 0, 500 * MS);
	assert_int_equal(
		probation_check_time(&probation, &limits, false, 1499 * MS), PROBATION_GOES_ON);
	assert_int_equal(probation_left(&probation, &limits, 1499 * MS), MS);
	assert_int_equal(probation_left(&probation, &limits, 1501 * MS), 0);
	assert_int_equal(
		probation_check_time(&probation, &limits, false, 1500 * MS), PROBATION_PASSED);
	assert_int_equal(
		probation_check_time(&probation, &limits, false, 1500 * MS), PROBATION_GOES_ON);
	assert_true(probation_left(&probation, &limits, 1500 * MS) == UINT64_MAX);
}

static void time_proves_none_that_never_ended_well(void **state)
{
	(void)state;
	struct probation probation;
	probation_begin(&probation, 0, 0);
	assert_int_equal(probation_check_time(&probation, &limits, true, 1000 * MS),
		PROBATION_GOES_ON); /* runs */
	assert_int_equal(probation_left(&probation, &limits, 1000 * MS), 1000 * MS);
	assert_int_equal(count_many(&probation, PROBATION_CUT, 900 * MS, 99), PROBATION_GOES_ON);
	assert_int_equal(
		probation_check_time(&probation, &limits, false, 2000 * MS), PROBATION_GOES_ON);
	assert_int_equal(count_many(&probation, PROBATION_FINE, 900 * MS, 1), PROBATION_GOES_ON);
	assert_int_equal(
		probation_check_time(&probation, &limits, true, 2999 * MS), PROBATION_GOES_ON);
	assert_int_equal(
		probation_check_time(&probation, &limits, true, 3000 * MS), PROBATION_PASSED);
	probation_begin(&probation, 1 * MS, 0);
	assert_int_equal(
		count_many(&probation, PROBATION_RESHAPED, 900 * MS, 99), PROBATION_GOES_ON);
	assert_int_equal(
		probation_check_time(&probation, &limits, true, 1000 * MS), PROBATION_PASSED);
	for (int outcome = PROBATION_FAILURE; outcome <= PROBATION_REFUSED; outcome++) {
		probation_begin(&probation, 0, 0);
		count_many(&probation, (enum probation_outcome)outcome, 0, 1);
		assert_int_equal(probation_check_time(&probation, &limits, false, 1000 * MS),
			PROBATION_GOES_ON);
	}
}

static void three_bad_runs_and_most_of_all_fail(void **state)
{
	(void)state;
	struct probation probation;
	char reason[128];
	probation_begin(&probation, 0, 0);
	assert_int_equal(count_many(&probation, PROBATION_FAILURE, 0, 2), PROBATION_GOES_ON);
	assert_int_equal(count_many(&probation, PROBATION_FINE, 0, 2), PROBATION_GOES_ON);
	assert_int_equal(count_many(&probation, PROBATION_NAN, 0, 1), PROBATION_FAILED);
	assert_string_equal(probation_reason(&probation, reason, sizeof(reason)),
		"3 of 5 runs were bad: 2 failed, 1 gave NaN, 0 were too slow");
}

static void some_bad_runs_among_good_ones_do_not(void **state)
{
	(void)state;
	struct probation probation;
	probation_begin(&probation, 0, 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(count_many(&probation, PROBATION_FINE, 0, 1), PROBATION_GOES_ON);
		assert_int_equal(count_many(&probation, PROBATION_NAN, 0, 1), PROBATION_GOES_ON);
	}
}

static void slow_is_a_multiple_of_what_was_usual(void **state)
{
	(void)state;
	struct probation probation;
	probation_begin(&probation, 1 * MS, 0);
	assert_int_equal(count_many(&probation, PROBATION_FINE, 5 * MS, 3), PROBATION_GOES_ON);
	probation_begin(&probation, 1 * MS, 0);
	assert_int_equal(count_many(&probation, PROBATION_FINE, 6 * MS, 3), PROBATION_FAILED);
	assert_int_equal(probation.outcomes[PROBATION_SLOW], 3);
	probation_begin(&probation, MS / 100, 0); /* twenty times as long, but 0.2 ms */
	assert_int_equal(count_many(&probation, PROBATION_FINE, MS / 5, 9), PROBATION_GOES_ON);
	probation_begin(&probation, MS / 50, 0);
	assert_int_equal(count_many(&probation, PROBATION_FINE, MS * 2 / 5, 3), PROBATION_FAILED);
	probation_begin(&probation, 0, 0); /* nothing is known */
	assert_int_equal(count_many(&probation, PROBATION_FINE, 900 * MS, 9), PROBATION_GOES_ON);
	const struct probation_limits any = {.runs = 10, .time_ns = MS};
	probation_begin(&probation, 1 * MS, 0);
	for (int i = 0; i < 9; i++) {
		assert_int_equal(probation_count(&probation, &any, PROBATION_FINE, 900 * MS),
			PROBATION_GOES_ON);
	}
}

static void runs_that_were_refused_or_cut_short_do_not_count(void **state)
{
	(void)state;
	struct probation probation;
	probation_begin(&probation, 1 * MS, 0);
	assert_int_equal(count_many(&probation, PROBATION_REFUSED, 0, 99), PROBATION_GOES_ON);
	assert_int_equal(count_many(&probation, PROBATION_CUT, 5 * MS, 99), PROBATION_GOES_ON);
	assert_int_equal(count_many(&probation, PROBATION_FINE, 3 * MS, 2), PROBATION_GOES_ON);
	assert_int_equal(probation.runs, 2);
	assert_int_equal(probation.run_ns, 6 * MS);
	assert_int_equal(count_many(&probation, PROBATION_CUT, 6 * MS, 2), PROBATION_GOES_ON);
	assert_int_equal(count_many(&probation, PROBATION_CUT, 6 * MS, 1), PROBATION_FAILED);
	assert_int_equal(probation.outcomes[PROBATION_SLOW], 3);
}

static void one_that_ends_no_run_in_all_its_time_where_the_usual_would_fails(void **state)
{
	(void)state;
	struct probation probation;
	char reason[128];
	probation_begin(&probation, 1 * MS, 0);
	assert_int_equal(count_many(&probation, PROBATION_CUT, 2 * MS, 99), PROBATION_GOES_ON);
	assert_int_equal(count_many(&probation, PROBATION_CUT, 3 * MS, 2), PROBATION_GOES_ON);
	assert_int_equal(
		probation_check_time(&probation, &limits, false, 1000 * MS), PROBATION_GOES_ON);
	assert_int_equal(count_many(&probation, PROBATION_CUT, 3 * MS, 1), PROBATION_GOES_ON);
	assert_int_equal(
		probation_check_time(&probation, &limits, false, 1999 * MS), PROBATION_GOES_ON);
	assert_int_equal(
		probation_check_time(&probation, &limits, false, 2000 * MS), PROBATION_FAILED);
	assert_false(probation.on);
	assert_string_equal(probation_reason(&probation, reason, sizeof(reason)),
		"no run ended well, and 3 were cut short after twice the usual time");
	probation_begin(&probation, 1 * MS, 0); /* one good run, and it was the deadlines */
	assert_int_equal(count_many(&probation, PROBATION_CUT, 3 * MS, 99), PROBATION_GOES_ON);
	assert_int_equal(count_many(&probation, PROBATION_FINE, 3 * MS, 1), PROBATION_GOES_ON);
	assert_int_equal(
		probation_check_time(&probation, &limits, false, 1000 * MS), PROBATION_PASSED);
}

static void answers_that_differ_too_often_fail(void **state)
{
	(void)state;
	const struct probation_limits some = {.runs = 10, .time_ns = MS, .differ = 20};
	struct probation probation;
	char reason[128];
	probation_begin(&probation, 0, 0);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(probation_compare(&probation, &some, false), PROBATION_GOES_ON);
	}
	for (int i = 0; i < 3; i++) { /* 3 of 15 are just as many as may be */
		assert_int_equal(probation_compare(&probation, &some, true), PROBATION_GOES_ON);
	}
	assert_int_equal(probation_compare(&probation, &some, true), PROBATION_FAILED);
	assert_string_equal(probation_reason(&probation, reason, sizeof(reason)),
		"4 of 16 answers are not those of the version before");
	assert_int_equal(probation_compare(&probation, &some, true), PROBATION_GOES_ON);
	probation_begin(&probation, 0, 0);
	assert_int_equal(probation_compare(&probation, &some, true), PROBATION_GOES_ON);
	assert_int_equal(probation_compare(&probation, &some, true), PROBATION_GOES_ON);
	assert_int_equal(probation_compare(&probation, &some, true), PROBATION_FAILED);
}

static void one_is_well_while_it_answers_and_no_run_is_bad(void **state)
{
	(void)state;
	struct probation probation;
	probation_begin(&probation, 0, 0);
	assert_false(probation_trial_passed(&probation));
	count_many(&probation, PROBATION_REFUSED, 0, 1);
	count_many(&probation, PROBATION_CUT, 0, 1);
	assert_false(probation_trial_passed(&probation));
	count_many(&probation, PROBATION_FINE, 0, 1);
	assert_true(probation_trial_passed(&probation));
	count_many(&probation, PROBATION_NAN, 0, 1);
	assert_false(probation_trial_passed(&probation));
	count_many(&probation, PROBATION_FINE, 0, 1);
	assert_false(probation_trial_passed(&probation));
}

static void nan_is_found_in_floats_only(void **state)
{
	(void)state;
	static const uint16_t half[2] = {0x7c00, 0xfc01};
	static const uint32_t single[2] = {0x7f800000, 0xff800001};
	static const uint64_t dbl[2] = {UINT64_C(0x7ff0000000000000), UINT64_C(0x7ff0000000000001)};
	struct wire_tensor tensors[] = {
		{.type = DTYPE_INT8, .bytes = 8, .data = single},
		{.type = DTYPE_FLOAT16, .bytes = 2, .data = half},
		{.type = DTYPE_FLOAT32, .bytes = 4, .data = single},
		{.type = DTYPE_FLOAT64, .bytes = 8, .data = dbl},
	};
	assert_false(check_finite_any_nan(tensors, 4)); /* infinities */
	assert_false(check_finite_any_nan_or_infinity(tensors, 1));
	for (uint32_t i = 1; i < 4; i++) {
		assert_true(check_finite_any_nan_or_infinity(&tensors[i], 1));
	}
	for (uint32_t i = 1; i < 4; i++) {
		tensors[i].bytes *= 2;
		assert_true(check_finite_any_nan(&tensors[i], 1));
	}
	assert_true(check_finite_any_nan(tensors, 4));
	assert_false(check_finite_any_nan(tensors, 1));
	static const uint16_t most_16 = 0xfbff;
	static const uint32_t most_32 = 0xff7fffff;
	static const uint64_t most_64 = UINT64_C(0xffefffffffffffff);
	const struct wire_tensor finite[] = {
		{.type = DTYPE_FLOAT16, .bytes = 2, .data = &most_16},
		{.type = DTYPE_FLOAT32, .bytes = 4, .data = &most_32},
		{.type = DTYPE_FLOAT64, .bytes = 8, .data = &most_64},
	};
	assert_false(check_finite_any_nan_or_infinity(finite, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_runs_prove),
		cmocka_unit_test(time_proves),
		cmocka_unit_test(time_proves_none_that_never_ended_well),
		cmocka_unit_test(three_bad_runs_and_most_of_all_fail),
		cmocka_unit_test(some_bad_runs_among_good_ones_do_not),
		cmocka_unit_test(slow_is_a_multiple_of_what_was_usual),
		cmocka_unit_test(runs_that_were_refused_or_cut_short_do_not_count),
		cmocka_unit_test(one_that_ends_no_run_in_all_its_time_where_the_usual_would_fails),
		cmocka_unit_test(answers_that_differ_too_often_fail),
		cmocka_unit_test(one_is_well_while_it_answers_and_no_run_is_bad),
		cmocka_unit_test(nan_is_found_in_floats_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
