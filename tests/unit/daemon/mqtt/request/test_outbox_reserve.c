/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/fakes/fake_bridge.h"
#include "tests/unit/daemon/temp_folder.h"

#define SMALL 1024 /* bytes that an error response may have */

/* A pipeline of two models, which gives an answer for each. */
#define TWO_STAGES                                                                                 \
	"[source]\nkind = picture\n"                                                               \
	"[stage one]\n[model]\nname = digits\n[post]\nkind = classes\n"                            \
	"[stage two]\n[model]\nname = letters\n[post]\nkind = classes\n"

static struct bridge bridge; /* too large for the stack */

static int setup(void **state)
{
	(void)state;
	fake_bridge_start(&bridge, 10, 100);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_bridge_end(&bridge);
	return 0;
}

static struct outbox *outbox(void)
{
	return &bridge.brokers.connections[0]->outbox;
}

static struct mqtt_request *ask(enum mqtt_request_response answer)
{
	struct mqtt_request *request = fake_bridge_ask(&bridge, 0, MQTT_REQUEST_NORMAL);
	request->response_format = answer;
	mqtt_requests_add(&bridge.requests, request);
	return request;
}

/* The bytes for the payload of one response to edged/reply/me. */
static size_t payload_of(const struct mqtt_request *request)
{
	return request->reserve.bytes - request->reserve.n * outbox_cost("edged/reply/me", 0);
}

/* Returns what is reserved for an answer to a model with one output of @bytes. */
static size_t reserved_for(enum mqtt_request_response answer, uint64_t bytes)
{
	fake_bridge_model(&bridge)->outputs[0].bytes = bytes;
	struct mqtt_request *request = ask(answer);
	assert_true(outbox_reserve_take(&bridge.requests, request));
	assert_int_equal(request->reserve.n, 1);
	const size_t payload = payload_of(request);
	outbox_reserve_give_back(request);
	request_serve_finish(&bridge.requests, request);
	known_models_deinit(&bridge.models);
	return payload;
}

static void room_for_a_first_answer_is_estimated_by_its_form(void **state)
{
	(void)state;
	assert_int_equal(reserved_for(MQTT_REQUEST_RAW, 6000), 6000);
	assert_int_equal(reserved_for(MQTT_REQUEST_RAW, 8), SMALL); /* an error has room */
	assert_int_equal(reserved_for(MQTT_REQUEST_BASE64, 6000), SMALL + 8000);
	assert_int_equal(reserved_for(MQTT_REQUEST_OIP, 6000), SMALL + 18000);
	assert_int_equal(reserved_for(MQTT_REQUEST_JSON, 6000), SMALL);
}

static void room_for_a_later_answer_is_that_of_the_largest_so_far(void **state)
{
	(void)state;
	struct model_entry *model = fake_bridge_model(&bridge);
	model->response_bytes[MQTT_REQUEST_JSON] = 5000;
	struct mqtt_request *request = ask(MQTT_REQUEST_JSON);
	assert_true(outbox_reserve_take(&bridge.requests, request));
	assert_int_equal(payload_of(request), 5000);
	outbox_reserve_give_back(request);
	request->reserve.response_bytes = 7000; /* this very answer found no room before */
	assert_true(outbox_reserve_take(&bridge.requests, request));
	assert_int_equal(payload_of(request), 7000);
	outbox_reserve_give_back(request);
}

static void an_answer_that_the_outbox_never_holds_gets_room_for_an_error(void **state)
{
	(void)state;
	const size_t largest = outbox_largest_response(outbox(), "edged/reply/me");
	assert_int_equal(reserved_for(MQTT_REQUEST_RAW, largest), largest);
	assert_int_equal(reserved_for(MQTT_REQUEST_RAW, largest + 1), SMALL);
}

static void a_request_without_a_response_topic_needs_no_room(void **state)
{
	(void)state;
	struct mqtt_request *request = ask(MQTT_REQUEST_JSON);
	free(take(request->response_topic));
	outbox()->max_messages = 0;
	assert_true(outbox_reserve_take(&bridge.requests, request));
	assert_true(outbox_reserve_has_room_for_error(request));
	assert_false(outbox_reserve_is_stuck(&bridge.requests, request));
	assert_int_equal(request->reserve.bytes, 0);
	assert_int_equal(outbox()->reserved_messages, 0);
}

static void room_is_reserved_once_and_given_back_whole(void **state)
{
	(void)state;
	struct mqtt_request *request = ask(MQTT_REQUEST_JSON);
	assert_true(outbox_reserve_take(&bridge.requests, request));
	const size_t bytes = request->reserve.bytes;
	assert_true(outbox_reserve_take(&bridge.requests, request));
	assert_int_equal(outbox()->reserved_messages, 1);
	assert_int_equal(outbox()->reserved_bytes, bytes);
	outbox_reserve_give_back(request);
	outbox_reserve_give_back(request);
	assert_int_equal(outbox()->reserved_messages, 0);
	assert_int_equal(outbox()->reserved_bytes, 0);
}

static void after_one_request_without_room_the_small_ones_behind_it_wait(void **state)
{
	(void)state;
	struct mqtt_request *large = ask(MQTT_REQUEST_RAW), *small = ask(MQTT_REQUEST_JSON);
	fake_bridge_model(&bridge)->outputs[0].bytes = 60000;
	struct mqtt_request *first = ask(MQTT_REQUEST_RAW);
	assert_true(outbox_reserve_take(&bridge.requests, first));
	assert_false(outbox_reserve_take(&bridge.requests, large));
	assert_true(large->reserve.is_short);
	assert_false(outbox_reserve_take(&bridge.requests, small));
	assert_int_equal(small->reserve.bytes, 0);
	outbox_reserve_give_back(first);
	bridge.brokers.connections[0]->full = false; /* as each turn begins */
	assert_true(outbox_reserve_take(&bridge.requests, large));
	assert_false(large->reserve.is_short);
	outbox_reserve_give_back(large);
}

static void an_error_needs_room_for_itself_only(void **state)
{
	(void)state;
	struct broker_connection *conn = bridge.brokers.connections[0];
	struct mqtt_request *request = ask(MQTT_REQUEST_RAW);
	fake_bridge_model(&bridge)->outputs[0].bytes = 60000;
	struct mqtt_request *first = ask(MQTT_REQUEST_RAW);
	assert_true(outbox_reserve_take(&bridge.requests, first));
	assert_true(outbox_reserve_has_room_for_error(request));
	assert_int_equal(outbox()->reserved_messages, 1); /* only looked at */
	assert_false(conn->full_for_errors);
	outbox()->max_messages = 1;
	assert_false(outbox_reserve_has_room_for_error(request));
	assert_true(conn->full_for_errors);
	outbox()->max_messages = 100;
	assert_false(outbox_reserve_has_room_for_error(request)); /* until the next turn */
	outbox_reserve_give_back(first);
}

/* ---- several answers to one input of a pipeline */

static int setup_pipeline(void **state)
{
	size_t bad = 1;
	assert_int_equal(temp_folder_set_up(state), 0);
	const struct temp_folder *folder = *state;
	setup(NULL);
	temp_folder_put(folder, "two.conf", TWO_STAGES);
	snprintf(bridge.settings.pipelines, sizeof(bridge.settings.pipelines), "%s", folder->path);
	assert_int_equal(pipelines_load(&bridge.pipelines, &bad, NULL), 0);
	assert_int_equal(bad, 0);
	return 0;
}

static int teardown_pipeline(void **state)
{
	teardown(NULL);
	return temp_folder_tear_down(state);
}

static struct mqtt_request *ask_pipeline(void)
{
	struct mqtt_request *request = ask(MQTT_REQUEST_JSON);
	request->of_pipeline = true;
	strcpy(request->target, "two");
	strcpy(request->source, "cam");
	return request;
}

static void a_first_input_has_room_for_one_answer_of_each_stage(void **state)
{
	(void)state;
	struct mqtt_request *request = ask_pipeline();
	assert_true(outbox_reserve_take(&bridge.requests, request));
	assert_int_equal(request->reserve.n, 2);
	assert_int_equal(payload_of(request), 2 * SMALL);
	assert_int_equal(outbox()->reserved_messages, 2);
	outbox_reserve_give_back(request);
}

static void a_later_input_has_room_for_as_many_answers_as_one_ever_had(void **state)
{
	(void)state;
	struct mqtt_pipeline *pipeline = bridge.pipelines.items[0];
	pipeline->max_responses = 5;
	pipeline->max_response_bytes = 9000;
	struct mqtt_request *request = ask_pipeline();
	assert_true(outbox_reserve_take(&bridge.requests, request));
	assert_int_equal(request->reserve.n, 5);
	assert_int_equal(payload_of(request), 9000);
	outbox_reserve_give_back(request);
}

static void an_input_takes_half_of_the_outbox_at_most(void **state)
{
	(void)state;
	const size_t head = outbox_cost("edged/reply/me", 0);
	const size_t half = (outbox_largest_response(outbox(), "edged/reply/me") + head) / 2;
	struct mqtt_pipeline *pipeline = bridge.pipelines.items[0];
	pipeline->max_responses = 1000;
	pipeline->max_response_bytes = 1u << 20;
	struct mqtt_request *request = ask_pipeline();
	assert_true(outbox_reserve_take(&bridge.requests, request));
	assert_int_equal(request->reserve.n, half / (head + SMALL));
	assert_int_equal(request->reserve.bytes, half);
	outbox_reserve_give_back(request);
	outbox()->max_messages = 6;
	assert_true(outbox_reserve_take(&bridge.requests, request));
	assert_int_equal(request->reserve.n, 3);
	outbox_reserve_give_back(request);
}

static void each_published_answer_gives_its_part_back_but_the_last_ones(void **state)
{
	(void)state;
	struct mqtt_request *request = ask_pipeline();
	assert_true(outbox_reserve_take(&bridge.requests, request));
	const size_t before = request->reserve.bytes;
	outbox_reserve_use(request, 100);
	assert_int_equal(request->reserve.n, 1);
	assert_int_equal(request->reserve.bytes, before - outbox_cost("edged/reply/me", 100));
	assert_int_equal(outbox()->reserved_messages, 1);
	assert_int_equal(outbox()->reserved_bytes, request->reserve.bytes);
	outbox_reserve_use(request, 100); /* the last one's stays until it is published */
	assert_int_equal(request->reserve.n, 1);
	assert_int_equal(outbox()->reserved_messages, 1);
	outbox_reserve_give_back(request);
}

static void a_large_first_answer_leaves_room_for_an_error_as_the_last(void **state)
{
	(void)state;
	struct mqtt_request *request = ask_pipeline();
	assert_true(outbox_reserve_take(&bridge.requests, request));
	outbox_reserve_use(request, 50000);
	assert_int_equal(request->reserve.bytes, outbox_cost("edged/reply/me", SMALL));
	outbox_reserve_give_back(request);
	assert_int_equal(outbox()->reserved_bytes, 0);
}

/* ---- brokers that take no answers */

static void requests_of_a_broker_without_room_are_stuck_and_others_are_live(void **state)
{
	(void)state;
	struct mqtt_request *a = ask(MQTT_REQUEST_JSON), *b = ask(MQTT_REQUEST_JSON);
	struct mqtt_request *other = fake_bridge_ask(&bridge, 1, MQTT_REQUEST_NORMAL);
	mqtt_requests_add(&bridge.requests, other);
	outbox()->max_messages = 0;
	const struct outbox_reserve_live live = outbox_reserve_update_stuck(&bridge.requests);
	assert_true(a->reserve.stuck);
	assert_true(b->reserve.stuck);
	assert_false(other->reserve.stuck);
	assert_true(bridge.brokers.connections[0]->stuck);
	assert_false(bridge.brokers.connections[1]->stuck);
	assert_int_equal(live.n, 1);
	assert_int_equal(live.bytes, other->size);
	outbox()->max_messages = 100;
	assert_int_equal(outbox_reserve_update_stuck(&bridge.requests).n, 3);
	assert_false(a->reserve.stuck);
}

static void a_request_behind_a_stuck_one_is_stuck_too(void **state)
{
	(void)state;
	fake_bridge_model(&bridge)->outputs[0].bytes = 60000;
	struct mqtt_request *large = ask(MQTT_REQUEST_RAW), *small = ask(MQTT_REQUEST_JSON);
	static const uint8_t answer[50000];
	struct outbox_message *queued =
		outbox_message_new(OUTBOX_RESPONSE, "edged/reply/you", answer, sizeof(answer));
	assert_non_null(queued);
	queued->qos = 1; /* it is not dropped */
	assert_true(outbox_put(outbox(), queued));
	const struct outbox_reserve_live live = outbox_reserve_update_stuck(&bridge.requests);
	assert_true(large->reserve.stuck);
	assert_true(small->reserve.stuck);
	assert_int_equal(live.n, 0);
}

static void what_runs_is_neither_stuck_nor_waiting(void **state)
{
	(void)state;
	struct mqtt_request *request = ask(MQTT_REQUEST_JSON);
	mqtt_requests_set_running(&bridge.requests, request, true);
	outbox()->max_messages = 0;
	assert_int_equal(outbox_reserve_update_stuck(&bridge.requests).n, 0);
	assert_false(request->reserve.stuck);
	mqtt_requests_set_running(&bridge.requests, request, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define PIPELINE_TEST(name) cmocka_unit_test_setup_teardown(name, setup_pipeline, teardown_pipeline)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(room_for_a_first_answer_is_estimated_by_its_form),
		TEST(room_for_a_later_answer_is_that_of_the_largest_so_far),
		TEST(an_answer_that_the_outbox_never_holds_gets_room_for_an_error),
		TEST(a_request_without_a_response_topic_needs_no_room),
		TEST(room_is_reserved_once_and_given_back_whole),
		TEST(after_one_request_without_room_the_small_ones_behind_it_wait),
		TEST(an_error_needs_room_for_itself_only),
		PIPELINE_TEST(a_first_input_has_room_for_one_answer_of_each_stage),
		PIPELINE_TEST(a_later_input_has_room_for_as_many_answers_as_one_ever_had),
		PIPELINE_TEST(an_input_takes_half_of_the_outbox_at_most),
		PIPELINE_TEST(each_published_answer_gives_its_part_back_but_the_last_ones),
		PIPELINE_TEST(a_large_first_answer_leaves_room_for_an_error_as_the_last),
		TEST(requests_of_a_broker_without_room_are_stuck_and_others_are_live),
		TEST(a_request_behind_a_stuck_one_is_stuck_too),
		TEST(what_runs_is_neither_stuck_nor_waiting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
