/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/edged/serve/deadlines.h"

#define LONGEST_MS 10u
#define LONGEST_NS UINT64_C(10000000)

static struct request requests[2]; /* each is larger than a frame may be */

static struct request *make_request(
	size_t i, enum request_state state, uint64_t received_ns, uint64_t deadline_ns)
{
	struct request *request = &requests[i];
	atomic_store(&request->state, state);
	request->received_ns = received_ns;
	request->deadline_ns = deadline_ns;
	request->parked_until_ns = 0;
	request->next = NULL;
	return request;
}

static void a_queued_request_ends_at_its_deadline_and_not_before(void **state)
{
	(void)state;
	const char *why = NULL;
	struct request *request = make_request(0, REQUEST_QUEUED, 1000, 5000);
	assert_int_equal(deadlines_status(request, LONGEST_MS, 4999, &why), EDGE_OK);
	assert_int_equal(deadlines_status(request, LONGEST_MS, 5000, &why), EDGE_DEADLINE);
	assert_non_null(why);
	assert_int_equal(deadlines_nearest(request, LONGEST_MS), 5000);
}

static void without_a_deadline_answer_timeout_ends_what_waits_or_runs(void **state)
{
	(void)state;
	const char *why = NULL;
	static const enum request_state states[] = {
		REQUEST_SESSION_WAIT, REQUEST_QUEUED, REQUEST_RUNNING};
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct request *request = make_request(0, states[i], 1000, 0);
		assert_int_equal(
			deadlines_status(request, LONGEST_MS, 999 + LONGEST_NS, &why), EDGE_OK);
		assert_int_equal(deadlines_status(request, LONGEST_MS, 1000 + LONGEST_NS, &why),
			EDGE_DEADLINE);
	}
	struct request *answered = make_request(0, REQUEST_RUNNING_ANSWERED, 1000, 5000);
	assert_int_equal(deadlines_status(answered, LONGEST_MS, UINT64_MAX - 1, &why), EDGE_OK);
	assert_int_equal(deadlines_nearest(answered, LONGEST_MS), UINT64_MAX);
}

static void a_parked_request_is_overloaded_at_load_wait(void **state)
{
	(void)state;
	const char *why = NULL;
	struct request *request = make_request(0, REQUEST_PARKED, 1000, 9000);
	request->parked_until_ns = 6000;
	assert_int_equal(deadlines_status(request, LONGEST_MS, 5999, &why), EDGE_OK);
	assert_int_equal(deadlines_status(request, LONGEST_MS, 6000, &why), EDGE_OVERLOADED);
	assert_int_equal(deadlines_status(request, LONGEST_MS, 9000, &why), EDGE_DEADLINE);
	assert_int_equal(deadlines_nearest(request, LONGEST_MS), 6000);
}

static void the_nearest_of_a_list_sets_the_timer(void **state)
{
	(void)state;
	struct request *late = make_request(0, REQUEST_QUEUED, 1000, 8000);
	struct request *soon = make_request(1, REQUEST_RUNNING, 1000, 3000);
	late->next = soon;
	assert_int_equal(deadlines_nearest(late, LONGEST_MS), 3000);
	late->next = NULL;
	soon->next = late;
	assert_int_equal(deadlines_nearest(soon, LONGEST_MS), 3000);
	assert_int_equal(deadlines_nearest(NULL, LONGEST_MS), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queued_request_ends_at_its_deadline_and_not_before),
		cmocka_unit_test(without_a_deadline_answer_timeout_ends_what_waits_or_runs),
		cmocka_unit_test(a_parked_request_is_overloaded_at_load_wait),
		cmocka_unit_test(the_nearest_of_a_list_sets_the_timer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
