/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/mqtt/request/mqtt_request.h"

#define MOST 100

static struct mqtt_request *add(struct mqtt_requests *requests, enum mqtt_request_priority priority,
	size_t memory, size_t answer)
{
	struct mqtt_request *request = calloc(1, sizeof(*request));
	assert_non_null(request);
	request->priority = priority;
	request->memory.bytes = memory;
	request->memory.response_bytes = answer;
	mqtt_requests_add(requests, request);
	return request;
}

static void end(struct mqtt_requests *requests)
{
	while (requests->first) {
		struct mqtt_request *request = requests->first;
		mqtt_requests_remove(requests, request);
		mqtt_request_free(request);
	}
}

static void what_is_decoded_counts_and_answers_once(void **state)
{
	struct mqtt_requests requests = {.max = 10, .max_bytes = 1000, .max_decoded_bytes = MOST};
	struct mqtt_request *a = add(&requests, MQTT_REQUEST_NORMAL, 30, 20),
			    *b = add(&requests, MQTT_REQUEST_NORMAL, 30, 40);
	struct mqtt_request *c = add(&requests, MQTT_REQUEST_NORMAL, 30, 10);
	(void)state;
	assert_true(
		mqtt_requests_may_decode(&requests, c)); /* nobody works yet, however many wait */
	a->state = MQTT_REQUEST_DECODING;
	assert_true(mqtt_requests_may_decode(
		&requests, b)); /* 60 and the larger answer: all there is */
	b->memory.bytes++;
	assert_false(mqtt_requests_may_decode(&requests, b));
	b->memory.bytes--;
	b->state = MQTT_REQUEST_READY;
	assert_false(mqtt_requests_may_decode(&requests, c)); /* 90 and 40 */
	b->memory.response_bytes = 0;
	assert_false(mqtt_requests_may_decode(&requests, c)); /* 90 and the 20 of the first */
	a->state = MQTT_REQUEST_READY;
	mqtt_requests_set_running(&requests, a, true);
	assert_false(mqtt_requests_may_decode(&requests, c)); /* edged having it changes nothing */
	a->memory.response_bytes = 0;
	assert_true(mqtt_requests_may_decode(&requests, c));
	end(&requests);
}

static void the_first_may_whatever_it_takes(void **state)
{
	struct mqtt_requests requests = {.max = 10, .max_bytes = 1000, .max_decoded_bytes = MOST};
	struct mqtt_request *large = add(&requests, MQTT_REQUEST_NORMAL, 10 * MOST, 0);
	struct mqtt_request *input = add(&requests, MQTT_REQUEST_NORMAL, 0, 0),
			    *small = add(&requests, MQTT_REQUEST_LOW, 1, 0);
	(void)state;
	input->of_pipeline = true;
	input->state = MQTT_REQUEST_DECODING; /* is with the process of the pipelines */
	assert_true(mqtt_requests_may_decode(&requests, large));
	large->state = MQTT_REQUEST_DECODING;
	assert_true(mqtt_requests_may_decode(&requests, large)); /* it is not counted twice */
	assert_false(mqtt_requests_may_decode(&requests, small));
	mqtt_requests_remove(&requests, large);
	mqtt_request_free(large);
	assert_true(mqtt_requests_may_decode(&requests, small));
	end(&requests);
}

static void those_behind_give_way_the_last_first(void **state)
{
	struct mqtt_requests requests = {.max = 10, .max_bytes = 1000, .max_decoded_bytes = MOST};
	struct mqtt_request *ahead = add(&requests, MQTT_REQUEST_HIGH, 10, 0),
			    *now = add(&requests, MQTT_REQUEST_NORMAL, 10, 0);
	struct mqtt_request *low = add(&requests, MQTT_REQUEST_LOW, 10, 0),
			    *lower = add(&requests, MQTT_REQUEST_LOW, 10, 0);
	struct mqtt_request *lowest = add(&requests, MQTT_REQUEST_LOW, 10, 0);
	(void)state;
	ahead->state = low->state = lower->state = MQTT_REQUEST_READY;
	lowest->state = MQTT_REQUEST_DECODING;
	assert_ptr_equal(mqtt_requests_decoded_victim(&requests, now), lower);
	mqtt_request_forget_decoded(lower);
	assert_int_equal(lower->state, MQTT_REQUEST_NEW);
	mqtt_requests_set_running(&requests, low, true);
	assert_null(mqtt_requests_decoded_victim(&requests, now));
	char conn = 0;
	ahead->reserve.is_short = true;
	assert_null(mqtt_requests_decoded_victim(&requests, now)); /* its broker has gone */
	ahead->conn =
		(struct broker_connection *)&conn; /* its turn has come, and there was no room */
	assert_ptr_equal(mqtt_requests_decoded_victim(&requests, now), ahead);
	end(&requests);
}

static void what_runs_is_counted_apart(void **state)
{
	struct mqtt_requests requests = {.max = 2, .max_bytes = 10, .max_decoded_bytes = MOST};
	struct mqtt_request *plain = add(&requests, MQTT_REQUEST_NORMAL, 1, 0),
			    *input = add(&requests, MQTT_REQUEST_NORMAL, 1, 0);
	(void)state;
	input->of_pipeline = true;
	mqtt_requests_set_running(&requests, input, true);
	mqtt_requests_set_running(&requests, plain, true);
	assert_int_equal(requests.running, 1); /* in edged */
	assert_int_equal(requests.running_inputs, 1); /* results are outstanding */
	assert_int_equal(requests.n, 0);
	assert_int_equal(requests.bytes, 0);
	mqtt_requests_remove(&requests, input);
	assert_int_equal(requests.running_inputs, 0);
	assert_int_equal(requests.running, 1);
	mqtt_request_free(input);
	end(&requests);
}

static void a_deadline_that_has_passed_is_not_none(void **state)
{
	const uint64_t now = 5000000000;
	uint32_t us = 77;
	(void)state;
	assert_int_equal(mqtt_request_deadline_us(0, now, &us), 0);
	assert_int_equal(us, 0); /* there is none */
	assert_int_equal(mqtt_request_deadline_us(now + 1, now, &us), 0);
	assert_int_equal(us, 1);
	assert_int_equal(mqtt_request_deadline_us(now + 1500, now, &us), 0);
	assert_int_equal(us, 2);
	us = 77;
	assert_int_equal(mqtt_request_deadline_us(now, now, &us), -ETIMEDOUT);
	assert_int_equal(mqtt_request_deadline_us(now - 1, now, &us), -ETIMEDOUT);
	assert_int_equal(mqtt_request_deadline_us(1, now, &us), -ETIMEDOUT);
	assert_int_equal(us, 77);
	assert_int_equal(mqtt_request_deadline_us(now + UINT64_C(1000) * UINT32_MAX, now, &us), 0);
	assert_true(us == UINT32_MAX);
	assert_int_equal(
		mqtt_request_deadline_us(now + UINT64_C(1000) * UINT32_MAX + 1, now, &us), 0);
	assert_int_equal(us, 0); /* further away than a request can say */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deadline_that_has_passed_is_not_none),
		cmocka_unit_test(what_is_decoded_counts_and_answers_once),
		cmocka_unit_test(the_first_may_whatever_it_takes),
		cmocka_unit_test(what_runs_is_counted_apart),
		cmocka_unit_test(those_behind_give_way_the_last_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
