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
#include "daemon/edged/serve/admission.h"
#include "daemon/edged/serve/serve.h"

#define REQUESTS 4
#define NOW (1000 * NSEC_PER_SEC)

struct bench {
	struct serve serve;
	struct config config;
	struct loaded_model loaded, other;
	struct account accounts[2];
	struct queue_connection connections[2]; /* one of each account */
	struct request *requests[REQUESTS];
	size_t n;
};

static void on_wake(void *context)
{
	(void)context;
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	bench->config.queue_length = 10;
	bench->serve.config = &bench->config;
	assert_int_equal(sched_init(&bench->serve.sched, on_wake, NULL), 0);
	strcpy(bench->loaded.name, "digits");
	strcpy(bench->other.name, "letters");
	for (size_t i = 0; i < 2; i++) {
		bench->connections[i].user = &bench->accounts[i].queue;
	}
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	for (size_t i = 0; i < bench->n; i++) {
		if (request_state(bench->requests[i]) == REQUEST_QUEUED) {
			assert_true(sched_remove(&bench->serve.sched, bench->requests[i]));
		}
		free(bench->requests[i]);
	}
	sched_deinit(&bench->serve.sched);
	free(bench);
	return 0;
}

/* An INFER of model "digits" with @key, in the dispatcher's list. */
static struct request *infer(struct bench *bench, size_t account, uint64_t key)
{
	assert_true(bench->n < REQUESTS);
	struct request *request = calloc(1, sizeof(*request));
	assert_non_null(request);
	bench->requests[bench->n++] = request;
	request->type = WIRE_INFER;
	request->infer.key = key;
	request->loaded = &bench->loaded;
	request->client.account = &bench->accounts[account];
	request->item = (struct queue_item){.connection = &bench->connections[account],
		.user = bench->connections[account].user,
		.class = QUEUE_NORMAL,
		.cost_ns = 1000000};
	request->next = bench->serve.first;
	bench->serve.first = request;
	return request;
}

static struct request *queued(struct bench *bench, size_t account, uint64_t key)
{
	struct request *request = infer(bench, account, key);
	assert_int_equal(admission_push(&bench->serve, request, NULL), 0);
	assert_int_equal(request_state(request), REQUEST_QUEUED);
	return request;
}

static int check_header(struct bench *bench, const struct wire_header *header, struct error *err)
{
	return admission_check_header(&bench->serve, header, &bench->connections[0], NOW, err);
}

static void a_pushed_request_is_queued_until_a_worker_takes_it(void **state)
{
	struct bench *bench = *state;
	uint32_t n = 0, running = 0;
	queued(bench, 0, 0);
	queued(bench, 1, 0);
	sched_count(&bench->serve.sched, &n, &running);
	assert_int_equal(n, 2);
	assert_int_equal(running, 0);
}

static void a_full_queue_refuses_and_says_why(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};
	bench->config.queue_length = 1;
	queued(bench, 0, 0);
	struct request *request = infer(bench, 0, 0);
	assert_int_equal(admission_push(&bench->serve, request, &err), -EAGAIN);
	assert_int_equal(request_state(request), REQUEST_READING);
	assert_memory_equal(err.text, "the queue is full", 17);
	assert_int_equal(admission_check_room(&bench->serve, request, &err), -EAGAIN);
	assert_string_equal(err.text, "the queue is full"); /* no time is known */
	bench->config.queue_length = 2;
	assert_int_equal(admission_check_room(&bench->serve, request, &err), 0);
}

static void requests_that_wait_for_their_session_take_room_of_the_queue(void **state)
{
	struct bench *bench = *state;
	struct request *request = infer(bench, 0, 0);
	bench->config.queue_length = 3;
	bench->serve.n_waiting = 2;
	assert_int_equal(admission_check_room(&bench->serve, request, NULL), 0);
	bench->serve.n_waiting = 3;
	assert_int_equal(admission_check_room(&bench->serve, request, NULL), -EAGAIN);
	bench->serve.n_waiting = 4; /* queue-length was lowered meanwhile */
	assert_int_equal(admission_check_room(&bench->serve, request, NULL), -EAGAIN);
}

static void a_class_that_is_held_back_is_refused_for_heat_with_a_time(void **state)
{
	const struct wire_header header = {.type = WIRE_INFER};
	struct bench *bench = *state;
	struct error err = {0};
	sched_throttle(&bench->serve.sched, QUEUE_REALTIME, SCHED_ALL);
	assert_int_equal(check_header(bench, &header, &err), -EAGAIN);
	assert_memory_equal(err.text, "the machine is hot", 18);
	assert_true(err.retry_after_us > 0);
	sched_throttle(&bench->serve.sched, QUEUE_BATCH, SCHED_ALL);
	assert_int_equal(check_header(bench, &header, NULL), 0);
}

static void a_deadline_before_the_predicted_end_is_refused(void **state)
{
	struct wire_header header = {.type = WIRE_INFER, .deadline_us = 1};
	struct bench *bench = *state;
	struct error err = {0};
	bench->connections[0].cost_ns = 1000000; /* as the last request of the connection */
	assert_int_equal(check_header(bench, &header, NULL), 0); /* nothing is ahead */
	bench->serve.sched.n_running = 1;
	bench->serve.sched.running_ns = 1000000;
	assert_int_equal(check_header(bench, &header, &err), -EAGAIN);
	assert_memory_equal(err.text, "it cannot be done before its deadline", 37);
	header.deadline_us = 60000000;
	assert_int_equal(check_header(bench, &header, NULL), 0);
	header.deadline_us = 0; /* none */
	assert_int_equal(check_header(bench, &header, NULL), 0);
	bench->serve.sched.n_running = 0;
}

static void a_header_with_a_key_is_admitted_if_it_may_supersede_a_request(void **state)
{
	struct wire_header header = {.type = WIRE_INFER, .flags = WIRE_FLAG_KEY};
	struct bench *bench = *state;
	bench->config.queue_length = 2;
	queued(bench, 0, 0);
	queued(bench, 1, 5);
	assert_int_equal(check_header(bench, &header, NULL), -EAGAIN); /* another user's key */
	bench->config.queue_length = 3;
	struct request *keyed = queued(bench, 0, 5);
	assert_int_equal(check_header(bench, &header, NULL), 0);
	header.flags = 0;
	assert_int_equal(check_header(bench, &header, NULL), -EAGAIN);
	header.flags = WIRE_FLAG_KEY;
	keyed->type = WIRE_SESSION_OPEN; /* has no key */
	assert_int_equal(check_header(bench, &header, NULL), -EAGAIN);
	keyed->type = WIRE_INFER;
}

static void the_older_request_has_the_same_user_model_and_key(void **state)
{
	struct bench *bench = *state;
	struct request *older = queued(bench, 0, 5);
	struct request *request = infer(bench, 0, 5);
	assert_ptr_equal(admission_find_older(&bench->serve, request), older);
	assert_null(admission_find_older(&bench->serve, older)); /* the other is being read */
	request->infer.key = 6;
	assert_null(admission_find_older(&bench->serve, request));
	request->infer.key = 5;
	request->loaded = &bench->other;
	assert_null(admission_find_older(&bench->serve, request));
	request->loaded = &bench->loaded;
	request->client.account = &bench->accounts[1];
	assert_null(admission_find_older(&bench->serve, request));
	request->client.account = &bench->accounts[0];
	older->infer.key = request->infer.key = 0; /* no key */
	assert_null(admission_find_older(&bench->serve, request));
}

static void opening_a_session_costs_a_fixed_time(void **state)
{
	struct bench *bench = *state;
	struct request *request = infer(bench, 0, 0);
	request->type = WIRE_SESSION_OPEN;
	request->item.connection = NULL;
	admission_check(&bench->serve, request, &bench->connections[1]);
	assert_ptr_equal(request->item.connection, &bench->connections[1]);
	assert_int_equal(request->item.cost_ns, 50000);
	assert_int_equal(bench->connections[1].cost_ns, 50000);
	assert_int_equal(
		admission_check_head(&bench->serve, request, &bench->connections[1], NULL), 0);
}

static void a_head_that_supersedes_a_queued_request_is_admitted_to_a_full_queue(void **state)
{
	struct bench *bench = *state;
	bench->config.queue_length = 1;
	struct request *older = queued(bench, 0, 5);
	struct request *request = infer(bench, 0, 5);
	older->type = WIRE_SESSION_OPEN; /* whose costs need no model */
	request->type = WIRE_SESSION_OPEN;
	assert_int_equal(admission_check_head(&bench->serve, request, &bench->connections[0], NULL),
		-EAGAIN);
	older->type = WIRE_INFER;
	assert_int_equal(
		admission_check_head(&bench->serve, request, &bench->connections[0], NULL), 0);
	request->infer.key = 6;
	assert_int_equal(admission_check_head(&bench->serve, request, &bench->connections[0], NULL),
		-EAGAIN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pushed_request_is_queued_until_a_worker_takes_it),
		TEST(a_full_queue_refuses_and_says_why),
		TEST(requests_that_wait_for_their_session_take_room_of_the_queue),
		TEST(a_class_that_is_held_back_is_refused_for_heat_with_a_time),
		TEST(a_deadline_before_the_predicted_end_is_refused),
		TEST(a_header_with_a_key_is_admitted_if_it_may_supersede_a_request),
		TEST(the_older_request_has_the_same_user_model_and_key),
		TEST(opening_a_session_costs_a_fixed_time),
		TEST(a_head_that_supersedes_a_queued_request_is_admitted_to_a_full_queue),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
