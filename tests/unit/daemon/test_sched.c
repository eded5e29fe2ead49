/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/request.h"
#include "daemon/sched.h"

#define LINES 3

struct bench {
	struct sched sched;
	struct sched_line lines[LINES];
	struct request requests[LINES][4];
	unsigned int woken;
};

static void count_wake(void *context)
{
	(*(unsigned int *)context)++;
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	assert_int_equal(sched_init(&bench->sched, count_wake, &bench->woken), 0);
	for (unsigned int i = 0; i < LINES; i++) {
		for (unsigned int j = 0; j < 4; j++) {
			bench->requests[i][j].id = i * 10 + j;
		}
	}
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	sched_deinit(&bench->sched);
	free(bench);
	return 0;
}

static int push(struct bench *bench, unsigned int line, unsigned int n, uint32_t limit)
{
	return sched_push(&bench->sched, &bench->lines[line], &bench->requests[line][n], limit);
}

/* Takes one and gives it back; its id. */
static uint64_t work(struct bench *bench)
{
	bool alone;
	struct request *request = sched_take(&bench->sched, &alone);
	assert_non_null(request);
	uint64_t id = request->id;
	sched_give_back(&bench->sched, request);
	return id;
}

static void one_line_keeps_its_order(void **state)
{
	struct bench *bench = *state;
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(push(bench, 0, i, 10), 0);
	}
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(work(bench), i);
	}
	assert_int_equal(bench->woken, 4);
	const struct request *done = sched_collect(&bench->sched);
	for (unsigned int i = 0; i < 4; i++, done = done->queue_next) {
		assert_int_equal(done->id, i);
	}
	assert_null(done);
	assert_null(sched_collect(&bench->sched));
}

static void lines_take_turns(void **state)
{
	struct bench *bench = *state;
	static const uint64_t wanted[] = {0, 10, 20, 1, 11, 2, 3};
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(push(bench, 0, i, 10), 0);
	}
	assert_int_equal(push(bench, 1, 0, 10), 0);
	assert_int_equal(push(bench, 1, 1, 10), 0);
	assert_int_equal(push(bench, 2, 0, 10), 0);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_int_equal(work(bench), wanted[i]);
	}
	sched_collect(&bench->sched);
}

static void the_limit_refuses_and_a_place_that_is_free_again_takes(void **state)
{
	struct bench *bench = *state;
	uint32_t queued = 0, running = 0;
	assert_int_equal(push(bench, 0, 0, 2), 0);
	assert_int_equal(push(bench, 1, 0, 2), 0);
	assert_int_equal(push(bench, 2, 0, 2), -EAGAIN);
	bool alone = true;
	struct request *request = sched_take(&bench->sched, &alone);
	assert_false(alone); /* another one waits */
	sched_count(&bench->sched, &queued, &running);
	assert_int_equal(queued, 1);
	assert_int_equal(running, 1);
	assert_int_equal(push(bench, 2, 0, 2), 0);
	sched_give_back(&bench->sched, request);
	work(bench);
	work(bench);
	sched_collect(&bench->sched);
}

static void a_worker_is_told_when_its_request_is_the_only_one(void **state)
{
	struct bench *bench = *state;
	bool alone = false;
	assert_int_equal(push(bench, 0, 0, 3), 0);
	struct request *first = sched_take(&bench->sched, &alone);
	assert_true(alone);
	assert_int_equal(push(bench, 1, 0, 3), 0);
	struct request *second = sched_take(&bench->sched, &alone);
	assert_false(alone); /* the first is still run */
	sched_give_back(&bench->sched, first);
	sched_give_back(&bench->sched, second);
	assert_int_equal(push(bench, 2, 0, 3), 0);
	sched_give_back(&bench->sched, sched_take(&bench->sched, &alone));
	assert_true(alone);
	sched_collect(&bench->sched);
}

static void a_queued_request_can_be_removed_from_anywhere(void **state)
{
	struct bench *bench = *state;
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(push(bench, 0, i, 10), 0);
	}
	assert_int_equal(push(bench, 1, 0, 10), 0);
	struct sched_line *line = &bench->lines[0];
	assert_true(sched_remove(&bench->sched, line, &bench->requests[0][3]));
	assert_true(sched_remove(&bench->sched, line, &bench->requests[0][1]));
	assert_true(sched_remove(&bench->sched, line, &bench->requests[0][0]));
	assert_false(sched_remove(&bench->sched, line, &bench->requests[0][0]));
	assert_int_equal(push(bench, 0, 1, 10), 0);
	assert_int_equal(work(bench), 2);
	assert_int_equal(work(bench), 10);
	assert_int_equal(work(bench), 1);
	assert_false(sched_remove(&bench->sched, line, &bench->requests[0][1]));
	sched_collect(&bench->sched);
}

static void removing_the_last_one_ends_the_lines_turn(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(push(bench, 0, 0, 10), 0);
	assert_int_equal(push(bench, 1, 0, 10), 0);
	assert_true(sched_remove(&bench->sched, &bench->lines[0], &bench->requests[0][0]));
	assert_int_equal(work(bench), 10);
	assert_int_equal(push(bench, 2, 0, 10), 0);
	assert_true(sched_remove(&bench->sched, &bench->lines[2], &bench->requests[2][0]));
	assert_null(bench->sched.turn);
	sched_collect(&bench->sched);
}

static void *wait_for_work(void *sched)
{
	bool alone;
	return sched_take(sched, &alone);
}

static void a_waiting_worker_is_woken_by_work_and_by_the_stop(void **state)
{
	struct bench *bench = *state;
	pthread_t first, second;
	void *got = NULL;
	assert_int_equal(pthread_create(&first, NULL, wait_for_work, &bench->sched), 0);
	assert_int_equal(push(bench, 0, 0, 10), 0);
	pthread_join(first, &got);
	assert_ptr_equal(got, &bench->requests[0][0]);
	sched_give_back(&bench->sched, got);
	assert_int_equal(pthread_create(&second, NULL, wait_for_work, &bench->sched), 0);
	sched_stop(&bench->sched);
	pthread_join(second, &got);
	assert_null(got);
	sched_collect(&bench->sched);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_line_keeps_its_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lines_take_turns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_worker_is_told_when_its_request_is_the_only_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_limit_refuses_and_a_place_that_is_free_again_takes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_queued_request_can_be_removed_from_anywhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			removing_the_last_one_ends_the_lines_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_waiting_worker_is_woken_by_work_and_by_the_stop, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
