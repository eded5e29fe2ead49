/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/fake_bridge.h"

#define MESSAGES 4

static struct bridge bridge; /* too large for the stack */

static const float outputs[2] = {0.25f, 0.75f};

static const struct edge_client_tensor output = {
	.type = DTYPE_FLOAT32, .shape = {.rank = 2, .dim = {1, 2}}, .data = outputs, .bytes = 8};

static const struct edge_client_answer answer = {
	.version = "3", .n_outputs = 1, .outputs = &output};

static int setup(void **state)
{
	(void)state;
	fake_bridge_start(&bridge, 10, MESSAGES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_bridge_end(&bridge);
	return 0;
}

/* A decoded request in the queue. */
static struct mqtt_request *decoded(void)
{
	static const float inputs[2] = {1, 2};
	const struct shape shape = {.rank = 2, .dim = {1, 2}};
	struct mqtt_request *request = fake_bridge_ask(&bridge, 0, MQTT_REQUEST_NORMAL);
	assert_int_equal(tensor_copy(DTYPE_FLOAT32, &shape, inputs, sizeof(inputs),
				 &request->tensors.tensors[0], NULL),
		0);
	request->tensors.n = 1;
	mqtt_requests_add(&bridge.requests, request);
	request->state = MQTT_REQUEST_READY;
	return request;
}

static void a_response_has_what_the_request_had(void **state)
{
	struct model_entry *model = fake_bridge_model(&bridge);
	struct mqtt_request *request = decoded();
	(void)state;
	strcpy(request->id, "17");
	memcpy(request->correlation.data, "xyz", 3);
	request->correlation.bytes = 3;
	request->deadline.ns = clock_now_ns() + NSEC_PER_SEC;
	const uint64_t deadline_ns = request->deadline.ns;
	request_respond_succeed(&bridge.requests, request, model, &answer);
	const struct outbox_message *m = fake_bridge_newest(&bridge, 0);
	assert_ptr_equal(
		m, bridge.brokers.connections[0]->outbox.first); /* there is no result beside it */
	assert_string_equal(m->topic, "edged/reply/me");
	assert_string_equal(m->status, "OK");
	assert_int_equal(m->qos, 1);
	assert_int_equal(m->expires_ns, deadline_ns);
	assert_int_equal(m->correlation_bytes, 3);
	assert_memory_equal(m->correlation, "xyz", 3);
	assert_true(fake_bridge_says(m, "\"id\":\"17\""));
	assert_true(fake_bridge_says(m, "\"version\":\"3\""));
	assert_true(fake_bridge_says(m, "\"index\":1,\"score\":0.75"));
	assert_int_equal(bridge.requests.n, 0);
	assert_int_equal(bridge.counts.by_code[EDGE_CLIENT_OK], 1);
	assert_null(bridge.brokers.connections[1]->outbox.first);
}

static void raw_bytes_are_those_of_the_outputs(void **state)
{
	struct model_entry *model = fake_bridge_model(&bridge);
	struct mqtt_request *request = decoded();
	(void)state;
	request->response_format = MQTT_REQUEST_RAW;
	request_respond_succeed(&bridge.requests, request, model, &answer);
	const struct outbox_message *m = fake_bridge_newest(&bridge, 0);
	assert_int_equal(m->size, sizeof(outputs));
	assert_memory_equal(m->payload, outputs, sizeof(outputs));
	assert_string_equal(m->tensors, "x:float32[1,2]");
}

static void feed_says_which_results_are_published(void **state)
{
	static const struct {
		const char *feed;
		bool answered;
		size_t wanted;
	} cases[] = {{"unanswered", true, 0}, {"unanswered", false, 1}, {"all", true, 1},
		{"all", false, 1}, {"none", true, 0}, {"none", false, 0}};
	struct model_entry *model = fake_bridge_model(&bridge);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mqtt_request *request = decoded();
		const uint64_t before = bridge.counts.results;
		strcpy(bridge.settings.feed, cases[i].feed);
		if (!cases[i].answered) {
			free(take(request->response_topic));
		}
		request_respond_succeed(&bridge.requests, request, model, &answer);
		assert_int_equal(bridge.counts.results - before, cases[i].wanted);
	}
}

static void an_answer_without_room_runs_again_and_is_not_lost(void **state)
{
	struct model_entry *model = fake_bridge_model(&bridge);
	(void)state;
	for (size_t i = 0; i < MESSAGES; i++) {
		request_respond_succeed(&bridge.requests, decoded(), model, &answer);
	}
	struct mqtt_request *request = decoded();
	mqtt_requests_set_running(&bridge.requests, request, true);
	request_respond_succeed(&bridge.requests, request, model, &answer);
	assert_ptr_equal(bridge.requests.first, request);
	assert_int_equal(request->state, MQTT_REQUEST_READY);
	assert_true(request->reserve.response_bytes > 0);
	assert_int_equal(bridge.counts.responses, MESSAGES);
}

static void an_answer_that_never_fits_becomes_an_error(void **state)
{
	struct model_entry *model = fake_bridge_model(&bridge);
	struct mqtt_request *request = decoded();
	(void)state;
	bridge.brokers.connections[0]->outbox.max_bytes = 600;
	request->response_format = MQTT_REQUEST_JSON;
	memset(request->source, 's', sizeof(request->source) - 1);
	strcpy(bridge.settings.gateway, "a-gateway-of-a-long-name-that-takes-room-in-the-answer");
	size_t most = outbox_largest_response(
		&bridge.brokers.connections[0]->outbox, request->response_topic);
	bridge.brokers.connections[0]->outbox.max_bytes -= most - 300;
	request_respond_succeed(&bridge.requests, request, model, &answer);
	assert_int_equal(bridge.counts.by_code[EDGE_CLIENT_TOO_LARGE], 1);
	assert_int_equal(bridge.requests.n, 0);
}

static void a_refusal_may_be_asked_again_at_once(void **state)
{
	struct mqtt_request *request = fake_bridge_ask(&bridge, 0, MQTT_REQUEST_NORMAL);
	(void)state;
	request->key = 5;
	assert_false(dedup_check(&bridge.dedup, 5, 0, UINT64_MAX));
	request_respond_refuse(
		&bridge.requests, request, EDGE_CLIENT_OVERLOADED, "too much \"here\"");
	const struct outbox_message *m = fake_bridge_newest(&bridge, 0);
	assert_string_equal(m->status, "OVERLOADED");
	assert_true(fake_bridge_says(m, "\"error\":\"OVERLOADED\""));
	assert_true(fake_bridge_says(m, "\"code\":"));
	assert_false(dedup_check(&bridge.dedup, 5, 0, UINT64_MAX));
	mqtt_request_free(request);
}

static void without_a_response_topic_errors_go_to_the_error_topic(void **state)
{
	struct mqtt_request *request = fake_bridge_ask(&bridge, 1, MQTT_REQUEST_NORMAL);
	(void)state;
	free(take(request->response_topic));
	request_respond_refuse(&bridge.requests, request, EDGE_CLIENT_INVALID, "no numbers");
	assert_string_equal(fake_bridge_newest(&bridge, 1)->topic, "edged/gw1/digits/error");
	request->of_pipeline = true;
	strcpy(request->source, "cam");
	request_respond_refuse(&bridge.requests, request, EDGE_CLIENT_INVALID, "no numbers");
	assert_string_equal(
		fake_bridge_newest(&bridge, 1)->topic, "edged/gw1/pipeline/digits/error/cam");
	assert_null(bridge.brokers.connections[0]->outbox.first);
	mqtt_request_free(request);
}

static void of_several_responses_the_last_says_that_one_was_lost(void **state)
{
	struct mqtt_request *request = fake_bridge_ask(&bridge, 0, MQTT_REQUEST_NORMAL);
	(void)state;
	request->of_pipeline = true;
	request_respond_with(&bridge.requests, request, "{1}", 3, EDGE_CLIENT_OK, true);
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "MORE");
	assert_int_equal(bridge.counts.responses, 0);
	request->responses.incomplete = true;
	request_respond_with(&bridge.requests, request, "{2}", 3, EDGE_CLIENT_OK, false);
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "OVERLOADED");
	assert_memory_equal(fake_bridge_newest(&bridge, 0)->payload, "{2}", 3);
	assert_int_equal(bridge.counts.responses, 1);
	mqtt_request_free(request);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_response_has_what_the_request_had),
		TEST(raw_bytes_are_those_of_the_outputs),
		TEST(feed_says_which_results_are_published),
		TEST(an_answer_without_room_runs_again_and_is_not_lost),
		TEST(an_answer_that_never_fits_becomes_an_error),
		TEST(a_refusal_may_be_asked_again_at_once),
		TEST(without_a_response_topic_errors_go_to_the_error_topic),
		TEST(of_several_responses_the_last_says_that_one_was_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
