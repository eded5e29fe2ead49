/* SPDX-License-Identifier: Apache-2.0 */
/* On a clock that is only counted: a step a second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/edged/model/energy.h"
#include "daemon/system/governor.h"

#define SECOND UINT64_C(1000000000)
#define DEGREE 1000

/* @n seconds at so many degrees before the limit; how often something changed. */
static int hold(struct governor *governor, enum governor_policy policy, int32_t degrees, int n,
	uint64_t *now_ns)
{
	int changes = 0;
	for (int i = 0; i < n; i++) {
		*now_ns += SECOND;
		changes += governor_step(governor, policy, degrees * DEGREE, *now_ns);
	}
	return changes;
}

static void batch_work_goes_first_and_comes_back_three_degrees_later(void **state)
{
	(void)state;
	struct governor g = {0};
	uint64_t now = 0;
	assert_int_equal(hold(&g, GOVERNOR_BALANCED, 9, 10, &now), 0);
	assert_int_equal(hold(&g, GOVERNOR_BALANCED, 8, 10, &now), 1);
	assert_true(g.refuses_batch);
	assert_int_equal(governor_duty(&g), 100);
	assert_int_equal(hold(&g, GOVERNOR_BALANCED, 10, 10, &now), 0);
	assert_true(g.refuses_batch);
	assert_int_equal(hold(&g, GOVERNOR_BALANCED, 11, 10, &now), 1);
	assert_false(g.refuses_batch);
}

static void workers_rest_in_steps_and_never_altogether(void **state)
{
	(void)state;
	struct governor g = {0};
	uint64_t now = 0;
	assert_int_equal(hold(&g, GOVERNOR_BALANCED, 4, 1, &now), 1);
	assert_int_equal(governor_duty(&g), 75);
	assert_int_equal(hold(&g, GOVERNOR_BALANCED, 4, 2, &now), 0);
	assert_int_equal(hold(&g, GOVERNOR_BALANCED, 4, 1, &now), 1);
	assert_int_equal(governor_duty(&g), 50);
	hold(&g, GOVERNOR_BALANCED, -20, 100, &now);
	assert_int_equal(governor_duty(&g), GOVERNOR_LEAST_DUTY);
	assert_int_equal(hold(&g, GOVERNOR_BALANCED, 6, 100, &now), 0); /* between */
	assert_int_equal(hold(&g, GOVERNOR_BALANCED, 7, 1, &now), 1);
	assert_int_equal(governor_duty(&g), 50);
	assert_int_equal(hold(&g, GOVERNOR_BALANCED, 30, 100, &now), 3); /* two steps; batch work */
	assert_int_equal(governor_duty(&g), 100);
	assert_false(g.refuses_batch);
}

/* A temperature that goes up and down by two degrees, for an hour. */
static void what_wavers_is_not_followed(void **state)
{
	(void)state;
	struct governor g = {0};
	uint64_t now = 0;
	int changes = 0;
	for (int i = 0; i < 1800; i++) {
		changes += hold(&g, GOVERNOR_BALANCED, 8, 1, &now);
		changes += hold(&g, GOVERNOR_BALANCED, 10, 1, &now);
	}
	assert_int_equal(changes, 1);
}

static void policies_differ_in_when(void **state)
{
	(void)state;
	struct governor g = {0};
	uint64_t now = 0;
	assert_int_equal(hold(&g, GOVERNOR_PERFORMANCE, -10, 100, &now), 0);
	assert_int_equal(hold(&g, GOVERNOR_COOL, 20, 1, &now), 1);
	assert_true(g.refuses_batch && g.pause_percent == 0);
	assert_int_equal(hold(&g, GOVERNOR_COOL, 15, 1, &now), 1);
	assert_true(g.pause_percent > 0);
	assert_int_equal(hold(&g, GOVERNOR_PERFORMANCE, 15, 1, &now), 1);
	assert_true(!g.refuses_batch && g.pause_percent == 0);
}

static void without_a_temperature_nothing_is_held_back(void **state)
{
	(void)state;
	struct governor g = {0};
	uint64_t now = SECOND;
	hold(&g, GOVERNOR_BALANCED, 0, 10, &now);
	assert_true(g.refuses_batch && g.pause_percent > 0);
	assert_true(governor_step(&g, GOVERNOR_BALANCED, INT32_MAX, now));
	assert_true(!g.refuses_batch && g.pause_percent == 0);
	assert_false(governor_step(&g, GOVERNOR_BALANCED, INT32_MAX, now));
}

/* ---- energy: a machine that takes 2 W without work */

static void interval(struct energy *energy, uint64_t watts, struct energy_share *a,
	struct energy_share *b, bool idle)
{
	const double active = energy_end(energy, watts * 1000000, SECOND, idle);
	energy_divide(energy, a, active);
	energy_divide(energy, b, active);
	energy_begin(energy);
}

static void what_runs_take_is_what_the_machine_takes_more(void **state)
{
	(void)state;
	struct energy energy = {0};
	struct energy_share a = {0}, b = {0};
	interval(&energy, 2, &a, &b, true);
	assert_int_equal(energy_of_run(&a), 0);
	for (int i = 0; i < 100; i++) { /* 10 runs of 60 ms and 5 of 80 ms */
		for (int k = 0; k < 10; k++) {
			energy_note_run(&energy, &a, 60000000);
			if (k % 2) {
				energy_note_run(&energy, &b, 80000000);
			}
		}
		interval(&energy, 7, &a, &b, false);
	}
	/* 5 J a second: 3 J for ten runs, 2 J for five */
	assert_in_range(energy_of_run(&a), 299000000, 301000000);
	assert_in_range(energy_of_run(&b), 399000000, 401000000);
}

static void a_run_of_many_intervals_gets_all_of_them(void **state)
{
	(void)state;
	struct energy energy = {0};
	struct energy_share a = {0}, b = {0};
	interval(&energy, 2, &a, &b, true);
	for (int i = 0; i < 4; i++) {
		interval(&energy, 12, &a, &b, false);
	}
	energy_note_run(&energy, &a, 5 * SECOND);
	interval(&energy, 12, &a, &b, false);
	assert_in_range(energy_of_run(&a), 49900000000, 50100000000);
}

static void what_is_not_measured_does_not_count(void **state)
{
	(void)state;
	struct energy energy = {0};
	struct energy_share a = {0};
	energy_note_run(&energy, &a, SECOND / 2);
	energy_divide(&energy, &a, -1);
	energy_begin(&energy);
	assert_int_equal(energy_of_run(&a), 0);
	assert_true(a.runs == 0 && a.n == 0);
	assert_true(energy_end(&energy, 1000, 0, false) < 0);
}

static void what_it_takes_without_work_is_learned_anew(void **state)
{
	(void)state;
	struct energy energy = {0};
	struct energy_share a = {0}, b = {0};
	interval(&energy, 2, &a, &b, true);
	for (int i = 0; i < 100; i++) { /* somebody plugged something in */
		interval(&energy, 4, &a, &b, true);
	}
	assert_in_range((uint64_t)energy.idle_uw, 3990000, 4000000);
	interval(&energy, 3, &a, &b, true);
	assert_int_equal((uint64_t)energy.idle_uw, 3000000);
	energy_note_run(&energy, &a, 1000); /* after an hour in which somebody else was busy */
	const double active = energy_end(&energy, UINT64_C(1) << 40, 3600 * SECOND, true);
	energy_divide(&energy, &a, active);
	assert_int_equal(energy_of_run(&a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_work_goes_first_and_comes_back_three_degrees_later),
		cmocka_unit_test(workers_rest_in_steps_and_never_altogether),
		cmocka_unit_test(what_wavers_is_not_followed),
		cmocka_unit_test(policies_differ_in_when),
		cmocka_unit_test(without_a_temperature_nothing_is_held_back),
		cmocka_unit_test(what_runs_take_is_what_the_machine_takes_more),
		cmocka_unit_test(a_run_of_many_intervals_gets_all_of_them),
		cmocka_unit_test(what_is_not_measured_does_not_count),
		cmocka_unit_test(what_it_takes_without_work_is_learned_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
