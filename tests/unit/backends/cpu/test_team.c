/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "backends/cpu/team.h"

#define MOST_PARTS 500

struct parts {
	unsigned int times[MOST_PARTS]; /* not atomic: a part is one member's alone */
	atomic_uint busy[TEAM_MAX_MEMBERS];
	unsigned int members;
	unsigned int value; /* written by the caller before the job */
};

static void do_part(void *args, unsigned int member, unsigned int part)
{
	struct parts *parts = args;
	assert_true(member < parts->members);
	assert_int_equal(atomic_fetch_add(&parts->busy[member], 1), 0);
	parts->times[part] += parts->value;
	atomic_fetch_sub(&parts->busy[member], 1);
}

static void every_part_is_done_once_and_is_done_when_the_job_ends(void **state)
{
	(void)state;
	for (unsigned int members = 1; members <= 4; members++) {
		struct parts parts = {.members = members};
		owned(team_free) struct team *team = NULL;
		assert_int_equal(team_new(members, false, &team, NULL), 0);
		assert_int_equal(team_members(team), members);
		for (unsigned int n = 0; n <= MOST_PARTS; n = n * 2 + 1) {
			memset(parts.times, 0, sizeof(parts.times));
			parts.value = n + 7;
			team_run(team, n, do_part, &parts);
			for (unsigned int i = 0; i < MOST_PARTS; i++) {
				assert_int_equal(parts.times[i], i < n ? n + 7 : 0);
			}
		}
	}
}

static void many_jobs_follow_each_other(void **state)
{
	(void)state;
	struct parts parts = {.members = 3, .value = 1};
	owned(team_free) struct team *team = NULL;
	assert_int_equal(team_new(3, false, &team, NULL), 0);
	for (unsigned int job = 0; job < 20000; job++) {
		team_run(team, 1 + job % 7, do_part, &parts);
	}
	unsigned int sum = 0;
	for (unsigned int i = 0; i < MOST_PARTS; i++) {
		sum += parts.times[i];
	}
	/* 1 + 2 + ... + 7 parts in each seven jobs, and the first of the next seven. */
	assert_int_equal(sum, 20000 / 7 * 28 + 1);
}

static void members_that_fell_asleep_are_woken(void **state)
{
	(void)state;
	struct parts parts = {.members = 2, .value = 1};
	owned(team_free) struct team *team = NULL;
	assert_int_equal(team_new(2, false, &team, NULL), 0);
	for (unsigned int job = 0; job < 20; job++) {
		usleep(2000); /* they sleep by then, or not: both must work */
		team_run(team, MOST_PARTS, do_part, &parts);
	}
	for (unsigned int i = 0; i < MOST_PARTS; i++) {
		assert_int_equal(parts.times[i], 20);
	}
}

static void a_team_that_never_worked_ends(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		owned(team_free) struct team *team = NULL;
		assert_int_equal(team_new(4, false, &team, NULL), 0);
	}
	team_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_is_done_once_and_is_done_when_the_job_ends),
		cmocka_unit_test(many_jobs_follow_each_other),
		cmocka_unit_test(members_that_fell_asleep_are_woken),
		cmocka_unit_test(a_team_that_never_worked_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
