/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/fake_bridge.h"

#define REQUESTS 3

static struct bridge bridge; /* too large for the stack */

static int setup(void **state)
{
	(void)state;
	fake_bridge_start(&bridge, REQUESTS, 100);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_bridge_end(&bridge);
	return 0;
}

/* Accepts a request that is recognized by its id. */
static struct mqtt_request *accept_one(
	const char *id, size_t conn, enum mqtt_request_priority priority)
{
	struct mqtt_request *request = fake_bridge_ask(&bridge, conn, priority);
	strcpy(request->id, id);
	pipelines_dispatch_accept(&bridge.pipelines, request);
	return request;
}

/* The ids of the requests in the queue, in its order. */
static void assert_queue(const char *wanted)
{
	char ids[64] = "";
	for (const struct mqtt_request *request = bridge.requests.first; request;
		request = request->next) {
		strcat(ids, request->id);
	}
	assert_string_equal(ids, wanted);
}

static void the_queue_is_by_priority_then_by_age(void **state)
{
	(void)state;
	accept_one("n", 0, MQTT_REQUEST_NORMAL);
	accept_one("l", 0, MQTT_REQUEST_LOW);
	accept_one("h", 1, MQTT_REQUEST_HIGH);
	assert_queue("hnl");
	assert_true(
		uv_is_active((uv_handle_t *)&bridge.requests.expiry)); /* deadlines are looked at */
}

static void of_a_full_queue_the_oldest_of_the_lowest_priority_is_refused(void **state)
{
	(void)state;
	accept_one("1", 0, MQTT_REQUEST_NORMAL);
	accept_one("2", 0, MQTT_REQUEST_NORMAL);
	accept_one("3", 0, MQTT_REQUEST_HIGH);
	accept_one("4", 0, MQTT_REQUEST_NORMAL);
	assert_queue("324");
	assert_true(fake_bridge_says(fake_bridge_newest(&bridge, 0), "\"id\":\"1\""));
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "OVERLOADED");
	accept_one("5", 0, MQTT_REQUEST_LOW); /* nothing of its priority or below waits */
	assert_queue("324");
	assert_true(fake_bridge_says(fake_bridge_newest(&bridge, 0), "\"id\":\"5\""));
	assert_int_equal(bridge.counts.shed, 2);
}

static void a_broker_that_takes_no_answers_loses_its_own_requests(void **state)
{
	(void)state;
	bridge.brokers.connections[1]->outbox.max_messages = 0;
	accept_one("a", 0, MQTT_REQUEST_NORMAL);
	accept_one("x", 1, MQTT_REQUEST_HIGH);
	accept_one("y", 1, MQTT_REQUEST_HIGH);
	accept_one("b", 0, MQTT_REQUEST_LOW); /* takes the place of the newest that is stuck */
	assert_queue("xab");
	accept_one("z", 1, MQTT_REQUEST_HIGH); /* of its own broker */
	assert_queue("zab");
}

static void what_is_late_goes_without_an_answer(void **state)
{
	(void)state;
	struct mqtt_request *request = accept_one("1", 0, MQTT_REQUEST_NORMAL);
	request->key = 9;
	request->arrived_ns = 1;
	request->deadline.ns = UINT64_MAX;
	assert_false(request_serve_is_duplicate(&bridge.requests, request));
	pipelines_dispatch(&bridge.pipelines);
	assert_queue("1");
	request->deadline.ns = 2;
	pipelines_dispatch(&bridge.pipelines);
	assert_queue("");
	assert_int_equal(bridge.counts.expired, 1);
	assert_null(bridge.brokers.connections[0]->outbox.first);
	assert_false(dedup_check(&bridge.dedup, 9, 0, UINT64_MAX));
}

static void what_runs_takes_no_room_and_neither_expires_nor_gives_way(void **state)
{
	struct mqtt_requests *requests = &bridge.requests;
	(void)state;
	accept_one("1", 0, MQTT_REQUEST_NORMAL);
	accept_one("2", 0, MQTT_REQUEST_NORMAL);
	accept_one("3", 0, MQTT_REQUEST_NORMAL);
	for (struct mqtt_request *request = requests->first; request; request = request->next) {
		mqtt_requests_set_running(requests, request, true);
		request->deadline.ns = 1;
	}
	accept_one("4", 0, MQTT_REQUEST_NORMAL);
	accept_one("5", 0, MQTT_REQUEST_NORMAL);
	accept_one("6", 0, MQTT_REQUEST_NORMAL);
	assert_queue("123456");
	assert_int_equal(bridge.counts.shed, 0);
	accept_one("7", 0, MQTT_REQUEST_NORMAL);
	assert_queue("123567");
	assert_int_equal(bridge.counts.shed, 1);
	assert_int_equal(bridge.counts.expired, 0);
}

static void a_model_that_does_not_serve_is_refused_and_one_that_comes_is_waited_for(void **state)
{
	(void)state;
	accept_one("1", 0, MQTT_REQUEST_NORMAL);
	assert_queue("1"); /* edged has not told its models */
	struct model_entry *model = fake_bridge_model(&bridge);
	model->usable = false; /* it is not described yet */
	model->described = 0;
	pipelines_dispatch(&bridge.pipelines);
	assert_queue("1");
	model->off = model->usable = true;
	model->described = 1;
	pipelines_dispatch(&bridge.pipelines);
	assert_queue("");
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "DENIED");
	model->off = model->listed = false;
	bridge.edged.status.uptime_us = EDGED_CLIENT_YOUNG_US;
	accept_one("2", 0, MQTT_REQUEST_NORMAL);
	assert_queue("");
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "NOT_FOUND");
}

static void raw_bytes_are_ready_without_the_worker(void **state)
{
	static const float numbers[2] = {1, 2};
	(void)state;
	fake_bridge_model(&bridge);
	struct mqtt_request *request = fake_bridge_ask(&bridge, 0, MQTT_REQUEST_NORMAL);
	free(take(request->payload));
	assert_int_equal(mqtt_request_set_payload(request, numbers, sizeof(numbers)), 0);
	request->format = DECODE_RAW;
	pipelines_dispatch_accept(&bridge.pipelines, request);
	assert_int_equal(request->state, MQTT_REQUEST_READY);
	assert_memory_equal(request->tensors.tensors[0].data, numbers, sizeof(numbers));
	assert_null(bridge.pipelines.worker.process);
}

static void the_earlier_deadline_and_the_priority_of_json_count(void **state)
{
	(void)state;
	accept_one("1", 0, MQTT_REQUEST_NORMAL);
	struct mqtt_request *request = accept_one("2", 0, MQTT_REQUEST_NORMAL);
	struct decode_envelope envelope = {
		.there = true, .id = "3", .priority = "high", .deadline_ms = 1000};
	request->deadline.ns = request->arrived_ns + 2 * NSEC_PER_SEC;
	assert_true(request_serve_take_envelope(&bridge.requests, request, &envelope));
	assert_queue("31");
	assert_int_equal(request->deadline.ns, request->arrived_ns + NSEC_PER_SEC);
	assert_true(request->deadline.named);
	envelope.deadline_ms = 3000;
	assert_true(request_serve_take_envelope(&bridge.requests, request, &envelope));
	assert_int_equal(request->deadline.ns, request->arrived_ns + NSEC_PER_SEC);
}

static void reply_to_is_below_the_prefix_and_the_message_takes_precedence(void **state)
{
	(void)state;
	struct mqtt_request *request = accept_one("1", 0, MQTT_REQUEST_NORMAL);
	struct decode_envelope envelope = {.there = true, .reply_to = "edged/gw1/x/set/enable"};
	assert_true(request_serve_take_envelope(
		&bridge.requests, request, &envelope)); /* the message has a topic */
	assert_string_equal(request->response_topic, "edged/reply/me");
	free(take(request->response_topic));
	assert_false(request_serve_take_envelope(&bridge.requests, request, &envelope));
	strcpy(envelope.reply_to, "edged/reply/you");
	assert_true(request_serve_take_envelope(&bridge.requests, request, &envelope));
	assert_string_equal(request->response_topic, "edged/reply/you");
}

static void a_request_is_a_duplicate_within_the_window_or_its_own_deadline(void **state)
{
	(void)state;
	struct mqtt_request *request = accept_one("1", 0, MQTT_REQUEST_NORMAL);
	request->key = 7;
	assert_false(request_serve_is_duplicate(&bridge.requests, request));
	assert_true(request_serve_is_duplicate(&bridge.requests, request));
	request->key = 8;
	request->deadline.ns = request->arrived_ns; /* has passed, but not the window */
	request->deadline.named = true;
	assert_false(request_serve_is_duplicate(&bridge.requests, request));
	assert_false(request_serve_is_duplicate(&bridge.requests, request));
	request->deadline.ns = 0;
	request->deadline.named = false;
	request->arrived_ns = clock_now_ns();
	request->key = 9;
	assert_false(request_serve_drop_repeated(&bridge.requests, request));
	assert_true(request_serve_drop_repeated(&bridge.requests, request)); /* frees it */
	assert_queue("");
	assert_int_equal(bridge.counts.duplicates, 1);
}

static void without_memory_a_request_is_answered(void **state)
{
	(void)state;
	request_serve_lack_memory(&bridge.requests, accept_one("1", 0, MQTT_REQUEST_NORMAL));
	assert_queue("");
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "OVERLOADED");
	assert_int_equal(bridge.counts.shed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_queue_is_by_priority_then_by_age),
		TEST(of_a_full_queue_the_oldest_of_the_lowest_priority_is_refused),
		TEST(a_broker_that_takes_no_answers_loses_its_own_requests),
		TEST(what_is_late_goes_without_an_answer),
		TEST(what_runs_takes_no_room_and_neither_expires_nor_gives_way),
		TEST(a_model_that_does_not_serve_is_refused_and_one_that_comes_is_waited_for),
		TEST(raw_bytes_are_ready_without_the_worker),
		TEST(the_earlier_deadline_and_the_priority_of_json_count),
		TEST(reply_to_is_below_the_prefix_and_the_message_takes_precedence),
		TEST(a_request_is_a_duplicate_within_the_window_or_its_own_deadline),
		TEST(without_memory_a_request_is_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
