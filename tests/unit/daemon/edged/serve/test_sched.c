/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/edged/serve/request.h"
#include "daemon/edged/serve/sched.h"

#define CONNECTIONS 3
#define MS INT64_C(1000000)
#define NOW (UINT64_C(1) << 40)
#define CALM UINT64_C(250000000)

struct bench {
	struct sched sched;
	struct queue_user
		users[2]; /* all connections are the first one's, unless a test says otherwise */
	struct queue_connection connections[CONNECTIONS];
	struct request requests[CONNECTIONS][4];
	unsigned int woken;
	struct sched_refusal refusal; /* of the last push() */
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
	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		bench->connections[i].user = &bench->users[0];
		for (unsigned int j = 0; j < 4; j++) {
			bench->requests[i][j].id = i * 10 + j;
			bench->requests[i][j].item.connection = &bench->connections[i];
			bench->requests[i][j].item.class = QUEUE_NORMAL;
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

static int push(struct bench *bench, unsigned int connection, unsigned int n, uint32_t limit)
{
	struct request *request = &bench->requests[connection][n];
	const struct sched_request wanted = {.connection = request->item.connection,
		.class = request->item.class,
		.cost_ns = request->item.cost_ns,
		.now_ns = NOW,
		.left_ns = UINT64_MAX,
		.max_queued = limit};
	request->item.user = request->item.connection->user;
	atomic_init(&request->state, REQUEST_READING);
	return sched_push(&bench->sched, request, &wanted, &bench->refusal);
}

/* What the requests of a connection are, and what they take. */
static void line_is(struct bench *bench, unsigned int connection, unsigned int user,
	enum queue_class class, int64_t cost_ns)
{
	bench->connections[connection].user = &bench->users[user];
	for (unsigned int i = 0; i < 4; i++) {
		bench->requests[connection][i].item.class = class;
		bench->requests[connection][i].item.cost_ns = cost_ns;
	}
}

static struct sched_request sched_request_of(
	struct bench *bench, unsigned int connection, uint64_t left_ns)
{
	const struct request *request = &bench->requests[connection][0];
	return (struct sched_request){.connection = request->item.connection,
		.class = request->item.class,
		.cost_ns = request->item.cost_ns,
		.now_ns = NOW,
		.left_ns = left_ns,
		.max_queued = 100};
}

/* Takes one and gives it back; its id. */
static uint64_t work(struct bench *bench)
{
	bool alone;
	struct request *request = sched_take(&bench->sched, &alone);
	assert_non_null(request);
	uint64_t id = request->id;
	sched_give_back(&bench->sched, request, (uint64_t)request->item.cost_ns);
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
	for (unsigned int i = 0; i < 4; i++, done = request_of(done->item.next)) {
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
	sched_give_back(&bench->sched, request, 0);
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
	sched_give_back(&bench->sched, first, 0);
	sched_give_back(&bench->sched, second, 0);
	assert_int_equal(push(bench, 2, 0, 3), 0);
	sched_give_back(&bench->sched, sched_take(&bench->sched, &alone), 0);
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
	assert_true(sched_remove(&bench->sched, &bench->requests[0][3]));
	assert_true(sched_remove(&bench->sched, &bench->requests[0][1]));
	assert_true(sched_remove(&bench->sched, &bench->requests[0][0]));
	assert_false(sched_remove(&bench->sched, &bench->requests[0][0]));
	assert_int_equal(push(bench, 0, 1, 10), 0);
	assert_int_equal(work(bench), 2);
	assert_int_equal(work(bench), 10);
	assert_int_equal(work(bench), 1);
	assert_false(sched_remove(&bench->sched, &bench->requests[0][1]));
	sched_collect(&bench->sched);
}

static void removing_the_last_one_ends_the_lines_turn(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(push(bench, 0, 0, 10), 0);
	assert_int_equal(push(bench, 1, 0, 10), 0);
	assert_true(sched_remove(&bench->sched, &bench->requests[0][0]));
	assert_int_equal(work(bench), 10);
	assert_int_equal(push(bench, 2, 0, 10), 0);
	assert_true(sched_remove(&bench->sched, &bench->requests[2][0]));
	assert_int_equal(priority_queue_top(&bench->sched.queue), -1);
	sched_collect(&bench->sched);
}

static void push_all(struct bench *bench, unsigned int connection)
{
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(push(bench, connection, i, 100), 0);
	}
}

static void expect(struct bench *bench, const uint64_t *wanted, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(work(bench), wanted[i]);
	}
	sched_collect(&bench->sched);
}

static void a_higher_class_goes_first(void **state)
{
	struct bench *bench = *state;
	static const uint64_t wanted[] = {20, 10, 0};
	line_is(bench, 0, 0, QUEUE_BATCH, MS);
	line_is(bench, 1, 0, QUEUE_NORMAL, MS);
	line_is(bench, 2, 0, QUEUE_CONTROL, MS);
	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		assert_int_equal(push(bench, i, 0, 100), 0);
	}
	expect(bench, wanted, 3);
}

/* 19 ms of realtime work owe batch 1 ms. */
static void the_lowest_class_gets_its_twentieth(void **state)
{
	struct bench *bench = *state;
	unsigned int before = 0;
	line_is(bench, 0, 0, QUEUE_BATCH, MS);
	line_is(bench, 1, 1, QUEUE_REALTIME, MS);
	assert_int_equal(push(bench, 0, 0, 100), 0);
	assert_int_equal(push(bench, 1, 0, 100), 0);
	while (work(bench) == 10) {
		sched_collect(&bench->sched);
		assert_int_equal(push(bench, 1, 0, 100), 0);
		before++;
	}
	assert_int_equal(before, QUEUE_FLOOR + 1);
	assert_int_equal(work(bench), 10);
	sched_collect(&bench->sched);
}

/* Line 0 is a user's, connections 1 and 2 another's. */
static void users_share_before_connections_do(void **state)
{
	struct bench *bench = *state;
	static const uint64_t wanted[] = {0, 10, 1, 20, 2, 11, 3, 21};
	line_is(bench, 0, 0, QUEUE_NORMAL, MS);
	line_is(bench, 1, 1, QUEUE_NORMAL, MS);
	line_is(bench, 2, 1, QUEUE_NORMAL, MS);
	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		push_all(bench, i);
	}
	expect(bench, wanted, 8);
	for (unsigned int i = 0; i < 4; i++) {
		work(bench);
	}
	sched_collect(&bench->sched);
}

/* Three runs of 1 ms for one of 3 ms. */
static void turns_are_of_time_not_of_requests(void **state)
{
	struct bench *bench = *state;
	line_is(bench, 0, 0, QUEUE_NORMAL, 3 * MS);
	line_is(bench, 1, 1, QUEUE_NORMAL, MS);
	unsigned int big = 0;
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(push(bench, 0, i, 100), 0);
	}
	push_all(bench, 1);
	for (unsigned int i = 0; i < 4; i++) {
		big += work(bench) < 10;
	}
	assert_int_equal(big, 1);
	work(bench);
	work(bench);
	sched_collect(&bench->sched);
}

static void a_deadline_behind_what_is_ahead_is_not_let_in(void **state)
{
	struct bench *bench = *state;
	struct sched_refusal refusal;
	bool alone = false;
	line_is(bench, 0, 0, QUEUE_NORMAL, 10 * MS);
	struct sched_request wanted = sched_request_of(bench, 0, 5 * MS);
	assert_true(sched_admits(&bench->sched, &wanted, &refusal)); /* what it takes is a guess */
	push_all(bench, 0);
	struct request *runs = sched_take(&bench->sched, &alone);
	wanted.left_ns = 45 * MS; /* 30 ms wait, 10 run, 10 are its own */
	assert_true(sched_admits(&bench->sched, &wanted, &refusal));
	wanted.left_ns = 44 * MS;
	assert_false(sched_admits(&bench->sched, &wanted, &refusal));
	assert_int_equal(refusal.retry_us, 35000);
	assert_int_equal(refusal.reason, SCHED_LATE);
	line_is(bench, 1, 0, QUEUE_REALTIME, 10 * MS); /* what is less urgent is not ahead of it */
	wanted = sched_request_of(bench, 1, 15 * MS);
	assert_true(sched_admits(&bench->sched, &wanted, &refusal));
	sched_give_back(&bench->sched, runs, 0);
	for (unsigned int i = 0; i < 3; i++) {
		work(bench);
	}
	sched_collect(&bench->sched);
}

static void who_was_turned_away_shortens_the_queue_for_a_while(void **state)
{
	struct bench *bench = *state;
	struct sched_refusal refusal;
	bool alone = false;
	line_is(bench, 0, 0, QUEUE_NORMAL, MS);
	line_is(bench, 1, 0, QUEUE_NORMAL, MS);
	push_all(bench, 0);
	push_all(bench, 1);
	struct request *runs = sched_take(&bench->sched, &alone);
	struct sched_request wanted =
		sched_request_of(bench, 0, UINT64_MAX); /* behind 3 of its own and 4 others */
	assert_true(sched_admits(&bench->sched, &wanted, &refusal));
	wanted.max_queued = 7;
	assert_false(sched_admits(&bench->sched, &wanted, &refusal));
	assert_int_equal(refusal.reason, SCHED_FULL);
	wanted.max_queued = 100;
	assert_false(sched_admits(&bench->sched, &wanted, &refusal));
	assert_int_equal(refusal.reason, SCHED_OVERLOAD);
	assert_int_equal(push(bench, 2, 0, 7), -EAGAIN); /* a third, of which two had it all */
	assert_int_equal(bench->refusal.reason, SCHED_FULL);
	assert_false(sched_admits(&bench->sched, &wanted, &refusal));
	assert_int_equal(refusal.reason, SCHED_FAIR_SHARE);
	wanted.now_ns += CALM - 1;
	assert_false(sched_admits(&bench->sched, &wanted, &refusal)); /* again somebody */
	wanted.now_ns += CALM;
	assert_true(sched_admits(&bench->sched, &wanted, &refusal));
	sched_give_back(&bench->sched, runs, 0);
	for (unsigned int i = 0; i < 7; i++) {
		work(bench);
	}
	sched_collect(&bench->sched);
}

/* With two users that ask, one of them cannot have it all. */
static void a_user_leaves_room_for_another(void **state)
{
	struct bench *bench = *state;
	line_is(bench, 1, 1, QUEUE_NORMAL, 0);
	assert_int_equal(push(bench, 1, 0, 5), 0);
	assert_int_equal(push(bench, 0, 0, 5), 0);
	assert_int_equal(push(bench, 0, 1, 5), 0);
	assert_int_equal(push(bench, 0, 2, 5), 0);
	assert_int_equal(push(bench, 0, 3, 5), -EAGAIN);
	assert_int_equal(bench->refusal.reason, SCHED_CROWDED);
	for (unsigned int i = 0; i < 4; i++) {
		work(bench);
	}
	sched_collect(&bench->sched);
}

/* Who comes when all is taken gets one place; while it waits there, the other one gets none. */
static void who_comes_has_room_however_full_the_queue_is(void **state)
{
	struct bench *bench = *state;
	struct sched_refusal refusal;
	line_is(bench, 1, 1, QUEUE_NORMAL, 0);
	for (unsigned int i = 0; i < 4; i++) { /* alone: all of it */
		assert_int_equal(push(bench, 0, i, 4), 0);
	}
	assert_int_equal(push(bench, 1, 0, 4), 0);
	assert_int_equal(push(bench, 1, 1, 4), -EAGAIN);
	assert_int_equal(bench->refusal.reason, SCHED_FULL);
	struct sched_request wanted = sched_request_of(bench, 0, UINT64_MAX);
	wanted.max_queued = 6;
	assert_false(sched_admits(&bench->sched, &wanted, &refusal));
	assert_int_equal(refusal.reason, SCHED_CROWDED);
	while (bench->users[1].n_queued > 0) {
		work(bench);
	}
	wanted.now_ns += NOW;
	assert_true(sched_admits(&bench->sched, &wanted, &refusal));
	while (bench->users[0].n_queued > 0) {
		work(bench);
	}
	sched_collect(&bench->sched);
}

static void a_newer_one_takes_the_place_of_an_older(void **state)
{
	struct bench *bench = *state;
	static const uint64_t wanted[] = {0, 3, 2};
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(push(bench, 0, i, 100), 0);
	}
	assert_true(sched_swap(&bench->sched, &bench->requests[0][1], &bench->requests[0][3]));
	assert_false(sched_swap(&bench->sched, &bench->requests[0][1], &bench->requests[0][3]));
	expect(bench, wanted, 3);
}

static void what_is_more_urgent_is_taken_while_something_runs(void **state)
{
	struct bench *bench = *state;
	bool alone = false;
	line_is(bench, 0, 0, QUEUE_BATCH, MS);
	line_is(bench, 1, 0, QUEUE_REALTIME, MS);
	assert_int_equal(push(bench, 0, 0, 100), 0);
	struct request *batch = sched_take(&bench->sched, &alone);
	assert_false(sched_has_above(&bench->sched, QUEUE_BATCH));
	assert_int_equal(push(bench, 0, 1, 100), 0);
	assert_null(sched_take_above(&bench->sched, QUEUE_BATCH));
	assert_int_equal(push(bench, 1, 0, 100), 0);
	assert_true(sched_has_above(&bench->sched, QUEUE_BATCH));
	assert_false(sched_has_above(&bench->sched, QUEUE_REALTIME));
	struct request *urgent = sched_take_above(&bench->sched, QUEUE_BATCH);
	assert_ptr_equal(urgent, &bench->requests[1][0]);
	sched_give_back(&bench->sched, urgent, 0);
	sched_give_back(&bench->sched, batch, 0);
	assert_int_equal(work(bench), 1);
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
	sched_give_back(&bench->sched, got, 0);
	assert_int_equal(pthread_create(&second, NULL, wait_for_work, &bench->sched), 0);
	sched_stop(&bench->sched);
	pthread_join(second, &got);
	assert_null(got);
	sched_collect(&bench->sched);
}

/* ---- what a hot machine does less of */

static void classes_below_the_least_are_turned_away(void **state)
{
	struct bench *bench = *state;
	bench->requests[0][0].item.class = QUEUE_BATCH;
	bench->requests[0][2].item.class = QUEUE_BATCH;
	assert_int_equal(push(bench, 0, 0, 10), 0);
	sched_throttle(&bench->sched, QUEUE_NORMAL, SCHED_ALL);
	assert_int_equal(push(bench, 0, 2, 10), -EAGAIN);
	assert_int_equal(bench->refusal.reason, SCHED_HOT);
	assert_int_equal(push(bench, 0, 1, 10), 0);
	sched_throttle(&bench->sched, QUEUE_BATCH, SCHED_ALL);
	assert_int_equal(push(bench, 0, 2, 10), 0);
	for (int i = 0; i < 3; i++) { /* what was queued stayed */
		sched_give_back(&bench->sched, wait_for_work(&bench->sched), 0);
	}
	sched_collect(&bench->sched);
}

static void a_worker_rests_as_long_as_it_ran_at_half_duty(void **state)
{
	struct bench *bench = *state;
	const uint64_t ran_ns = 50 * MS;
	sched_throttle(&bench->sched, QUEUE_BATCH, 50);
	assert_int_equal(push(bench, 0, 0, 10), 0);
	struct request *request = wait_for_work(&bench->sched);
	const uint64_t start = clock_now_ns();
	sched_give_back(&bench->sched, request, ran_ns);
	assert_int_equal(push(bench, 0, 1, 10), 0);
	request = wait_for_work(&bench->sched);
	assert_true(clock_now_ns() - start >= ran_ns);
	sched_give_back(&bench->sched, request, 0);
	sched_collect(&bench->sched);
}

/* A rest of an hour: who waited for its end would be seen. */
static void urgent_work_and_full_duty_end_a_rest(void **state)
{
	struct bench *bench = *state;
	sched_throttle(&bench->sched, QUEUE_BATCH, 50);
	bench->requests[0][1].item.class = QUEUE_REALTIME;
	bench->requests[0][2].item.class = QUEUE_NORMAL;
	assert_int_equal(push(bench, 0, 0, 10), 0);
	struct request *request = wait_for_work(&bench->sched);
	sched_give_back(&bench->sched, request, UINT64_C(3600000000000));
	assert_int_equal(push(bench, 0, 2, 10), 0);
	assert_int_equal(push(bench, 0, 1, 10), 0);
	request = wait_for_work(&bench->sched);
	assert_ptr_equal(request, &bench->requests[0][1]);
	sched_give_back(&bench->sched, request, 0);
	assert_true(bench->sched.rest_ns > UINT64_C(3000000000000)); /* what is left of it */
	sched_throttle(&bench->sched, QUEUE_BATCH, SCHED_ALL);
	request = wait_for_work(&bench->sched);
	assert_ptr_equal(request, &bench->requests[0][2]);
	sched_give_back(&bench->sched, request, 0);
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
		cmocka_unit_test_setup_teardown(a_higher_class_goes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_lowest_class_gets_its_twentieth, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			users_share_before_connections_do, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			turns_are_of_time_not_of_requests, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_deadline_behind_what_is_ahead_is_not_let_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_was_turned_away_shortens_the_queue_for_a_while, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_user_leaves_room_for_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_comes_has_room_however_full_the_queue_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_newer_one_takes_the_place_of_an_older, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_more_urgent_is_taken_while_something_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_waiting_worker_is_woken_by_work_and_by_the_stop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			classes_below_the_least_are_turned_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_worker_rests_as_long_as_it_ran_at_half_duty, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			urgent_work_and_full_duty_end_a_rest, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
