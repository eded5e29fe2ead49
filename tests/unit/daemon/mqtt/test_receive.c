/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/fakes/fake_bridge.h"
#include "tests/unit/daemon/temp_folder.h"

#define DIGIT                                                                                      \
	"[source]\nkind = picture\n[model]\nname = digits\n"                                       \
	"[post]\nkind = classes\n"

static struct bridge bridge; /* too large for the stack */

static int setup(void **state)
{
	(void)state;
	fake_bridge_start(&bridge, 10, 100);
	bridge.settings.max_message = 1000;
	bridge.started_ns = clock_now_ns();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_bridge_end(&bridge);
	return 0;
}

static struct mosq_message message_of(const char *topic, const char *payload)
{
	return (struct mosq_message){.topic = topic,
		.payload = payload,
		.size = strlen(payload),
		.response_topic = "",
		.content_type = "",
		.expiry_s = MOSQ_NO_EXPIRY,
		.priority = "",
		.accept = "",
		.traceparent = "",
		.deadline = "",
		.arrived_ns = clock_now_ns()};
}

static void receive(const struct mosq_message *message)
{
	receive_message(&bridge, bridge.brokers.connections[0], message);
}

static void receive_text(const char *topic, const char *payload)
{
	const struct mosq_message message = message_of(topic, payload);
	receive(&message);
}

static const struct mqtt_request *only_request(void)
{
	assert_int_equal(bridge.requests.n, 1);
	return bridge.requests.first;
}

static const struct mqtt_request *newest_request(void)
{
	const struct mqtt_request *request = bridge.requests.first;
	assert_non_null(request);
	while (request->next) {
		request = request->next;
	}
	return request;
}

static bool subscribed(const char *filter)
{
	return broker_connection_is_subscribed(bridge.brokers.connections[0], filter);
}

static void a_model_topic_becomes_a_request(void **state)
{
	(void)state;
	receive_text("edged/gw1/digits/infer", "1,2");
	const struct mqtt_request *request = only_request();
	assert_string_equal(request->target, "digits");
	assert_string_equal(request->source, "infer");
	assert_false(request->of_pipeline);
	assert_int_equal(request->size, 3);
	assert_memory_equal(request->payload, "1,2", 4);
	assert_ptr_equal(request->conn, bridge.brokers.connections[0]);
	assert_int_equal(bridge.counts.requests, 1);
}

static void a_topic_of_another_gateway_is_ignored(void **state)
{
	(void)state;
	receive_text("edged/gw2/digits/infer", "1,2");
	receive_text("edged/gw1/digits/infer/more", "1,2");
	assert_int_equal(bridge.requests.n, 0);
	assert_int_equal(bridge.counts.requests, 0);
}

static void a_pool_request_of_an_old_subscription_is_served_and_unsubscribed_later(void **state)
{
	(void)state;
	struct broker_connection *conn = bridge.brokers.connections[0];
	char filter[TOPIC_SIZE];
	settings_pool_filter(&bridge.settings, false, "digits", filter);
	receive_text("edged/pool/digits/infer", "1,2");
	assert_string_equal(only_request()->source, "pool");
	assert_int_equal(conn->subscriptions.n, 0); /* models are not known yet */
	bridge.models.listed = true;
	receive_text("edged/pool/digits/infer", "1,2");
	assert_int_equal(conn->subscriptions.n, 1);
	assert_string_equal(conn->subscriptions.items[0].filter, filter);
	assert_true(conn->subscriptions.items[0].gone);
	free(conn->subscriptions.items[0].filter);
	conn->subscriptions.n = 0;
}

static void a_pool_request_of_a_present_subscription_keeps_it(void **state)
{
	(void)state;
	struct broker_connection *conn = bridge.brokers.connections[0];
	char filter[TOPIC_SIZE];
	bridge.models.listed = true;
	settings_pool_filter(&bridge.settings, false, "digits", filter);
	assert_int_equal(broker_connection_subscribe(conn, filter, 1, NULL), 0);
	receive_text("edged/pool/digits/infer", "1,2");
	assert_true(subscribed(filter));
	assert_false(conn->subscriptions.items[0].gone);
	free(conn->subscriptions.items[0].filter);
	conn->subscriptions.n = 0;
}

static void a_retained_message_is_counted_and_is_no_request(void **state)
{
	(void)state;
	struct mosq_message message = message_of("edged/gw1/digits/infer", "1,2");
	message.retain = true;
	receive(&message);
	assert_int_equal(bridge.counts.retained, 1);
	message.size = 0; /* an emptied topic */
	receive(&message);
	assert_int_equal(bridge.counts.retained, 1);
	assert_int_equal(bridge.requests.n, 0);
	assert_int_equal(bridge.counts.requests, 0);
}

static void an_expired_message_is_counted_and_not_answered(void **state)
{
	(void)state;
	struct mosq_message message = message_of("edged/gw1/digits/infer", "1,2");
	message.response_topic = "edged/reply/me";
	message.expiry_s = 0;
	receive(&message);
	assert_int_equal(bridge.requests.n, 0);
	assert_int_equal(bridge.counts.requests, 1);
	assert_int_equal(bridge.counts.expired, 1);
	assert_null(bridge.brokers.connections[0]->outbox.first);
}

static void a_foreign_response_topic_is_refused_without_an_answer(void **state)
{
	(void)state;
	struct mosq_message message = message_of("edged/gw1/digits/infer", "1,2");
	message.response_topic = "other/me";
	receive(&message);
	assert_int_equal(bridge.requests.n, 0);
	assert_int_equal(bridge.counts.refused, 1);
	assert_null(bridge.brokers.connections[0]->outbox.first);
}

static void a_message_above_max_message_is_answered_with_too_large(void **state)
{
	(void)state;
	struct mosq_message message = message_of("edged/gw1/digits/infer", "1234");
	message.response_topic = "edged/reply/me";
	bridge.settings.max_message = 4;
	receive(&message);
	assert_int_equal(bridge.requests.n, 1);
	bridge.settings.max_message = 3;
	receive(&message);
	assert_int_equal(bridge.requests.n, 1);
	assert_string_equal(fake_bridge_newest(&bridge, 0)->topic, "edged/reply/me");
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "TOO_LARGE");
}

static void a_message_of_qos_1_that_comes_twice_is_one_request(void **state)
{
	(void)state;
	struct mosq_message message = message_of("edged/gw1/digits/infer", "1,2");
	message.qos = 1;
	message.correlation = "abc";
	message.correlation_bytes = 3;
	receive(&message);
	receive(&message);
	assert_int_equal(bridge.requests.n, 1);
	assert_int_equal(bridge.counts.duplicates, 1);
	message.correlation = "abd";
	receive(&message);
	assert_int_equal(bridge.requests.n, 2);
	message.qos = 0; /* the broker delivers it once */
	receive(&message);
	assert_int_equal(bridge.requests.n, 3);
	message.qos = 1;
	message.correlation_bytes = 0; /* the same numbers may be measured twice */
	receive(&message);
	receive(&message);
	assert_int_equal(bridge.requests.n, 5);
	assert_int_equal(bridge.counts.duplicates, 1);
}

static void without_a_duplicate_window_nothing_is_a_duplicate(void **state)
{
	(void)state;
	struct mosq_message message = message_of("edged/gw1/digits/infer", "1,2");
	message.qos = 1;
	message.correlation = "abc";
	message.correlation_bytes = 3;
	bridge.settings.duplicate_window_ms = 0;
	receive(&message);
	receive(&message);
	assert_int_equal(bridge.requests.n, 2);
	assert_int_equal(bridge.requests.first->key, 0);
}

static struct settings_route *add_route(const char *name, const char *topic)
{
	struct settings_route *route = &bridge.settings.routes[bridge.settings.n_routes++];
	strcpy(route->name, name);
	strcpy(route->topic, topic);
	strcpy(route->format, "csv");
	return route;
}

static void a_route_leads_a_foreign_topic_to_its_model(void **state)
{
	(void)state;
	strcpy(add_route("first", "plant/+/door")->model, "doors");
	strcpy(add_route("second", "plant/#")->model, "digits");
	strcpy(bridge.settings.routes[1].fields, "a b");
	receive_text("plant/7/numbers", "1,2");
	const struct mqtt_request *request = only_request();
	assert_string_equal(request->target, "digits");
	assert_string_equal(request->source, "second");
	assert_string_equal(request->fields, "a b");
	assert_int_equal(request->format, DECODE_CSV);
	receive_text("plant/7/door", "1,2"); /* the first route that matches */
	assert_string_equal(newest_request()->target, "doors");
	receive_text("yard/7", "1,2");
	assert_int_equal(bridge.requests.n, 2);
}

/* Pipeline "digit" of a file. */
static void load_digit(const struct temp_folder *folder)
{
	size_t bad = 1;
	temp_folder_put(folder, "digit.conf", DIGIT);
	snprintf(bridge.settings.pipelines, sizeof(bridge.settings.pipelines), "%s", folder->path);
	assert_int_equal(pipelines_load(&bridge.pipelines, &bad, NULL), 0);
	assert_int_equal(bad, 0);
}

static int setup_folder(void **state)
{
	assert_int_equal(temp_folder_set_up(state), 0);
	return setup(NULL);
}

static int teardown_folder(void **state)
{
	teardown(NULL);
	return temp_folder_tear_down(state);
}

static void a_route_leads_a_foreign_topic_to_its_pipeline_by_source(void **state)
{
	load_digit(*state);
	strcpy(add_route("gate", "plant/+/cam")->pipeline, "digit");
	strcpy(add_route("yard", "yard/cam")->pipeline, "digit");
	receive_text("plant/7/cam", "x");
	const struct mqtt_request *request = only_request();
	assert_true(request->of_pipeline);
	assert_string_equal(request->target, "digit");
	assert_string_equal(request->source, "7"); /* the level of the wildcard */
	receive_text("yard/cam", "x");
	assert_string_equal(newest_request()->source, "yard"); /* without one: the route's name */
}

static void an_input_of_a_pipeline_names_its_source_in_the_topic(void **state)
{
	load_digit(*state);
	receive_text("edged/gw1/pipeline/digit/in/cam", "x");
	assert_string_equal(only_request()->source, "cam");
	receive_text("edged/pool/pipeline/digit/in/door", "x");
	assert_string_equal(newest_request()->source, "door");
	assert_true(newest_request()->of_pipeline);
}

/* Sends an input that wants an answer. */
static void assert_refused(const char *topic, const char *status, const char *why)
{
	struct mosq_message message = message_of(topic, "x");
	const size_t before = bridge.requests.n;
	message.response_topic = "edged/reply/me";
	receive(&message);
	assert_int_equal(bridge.requests.n, before);
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, status);
	assert_true(fake_bridge_says(fake_bridge_newest(&bridge, 0), why));
}

static void an_input_that_its_pipeline_cannot_take_is_refused(void **state)
{
	load_digit(*state);
	assert_refused("edged/gw1/pipeline/letter/in/cam", "NOT_FOUND", "no such pipeline");
	assert_refused("edged/gw1/pipeline/digit/in/a b", "INVALID", "a source is");
	bridge.pipelines.items[0]->off = true;
	assert_refused("edged/gw1/pipeline/digit/in/cam", "DENIED", "switched off");
	strcpy(bridge.pipelines.items[0]->refused, "line 3");
	assert_refused("edged/gw1/pipeline/digit/in/cam", "NOT_FOUND", "line 3");
	receive_text("edged/gw1/pipeline/digit/in/a b", "x"); /* nobody waits for an answer */
	assert_int_equal(bridge.brokers.connections[0]->outbox.n, 4);
}

static void a_message_on_a_set_topic_is_a_command(void **state)
{
	load_digit(*state);
	strcpy(bridge.settings.commands, "enable");
	struct model_entry *model = fake_bridge_model(&bridge);
	receive_text("edged/gw1/digits/set/enable", "OFF");
	assert_true(model->off);
	receive_text("edged/gw1/pipeline/digit/set/enable", "OFF");
	assert_true(bridge.pipelines.items[0]->off);
	assert_int_equal(bridge.counts.commands, 2);
	assert_int_equal(bridge.counts.requests, 0);
}

static void the_birth_of_home_assistant_starts_discovery_again(void **state)
{
	(void)state;
	uv_timer_init(&bridge.loop, &bridge.announce.rediscover_timer);
	receive_text("homeassistant/status", "offline");
	receive_text("homeassistant/status", "on-air"); /* of that length */
	assert_false(uv_is_active((uv_handle_t *)&bridge.announce.rediscover_timer));
	receive_text("homeassistant/status", "online");
	assert_true(uv_is_active((uv_handle_t *)&bridge.announce.rediscover_timer));
	const uint64_t wait_ms = uv_timer_get_due_in(&bridge.announce.rediscover_timer);
	assert_in_range(wait_ms, 1, 2200);
	uv_close((uv_handle_t *)&bridge.announce.rediscover_timer, NULL);
}

/* ---- the journal */

static void open_journal(const struct temp_folder *folder)
{
	struct error err = {0};
	journal_init(&bridge.journal);
	assert_int_equal(journal_open(&bridge.journal, folder->path, 1u << 20, &err), 0);
}

/* As after a start: the journal has these requests of broker @broker. */
static void journal_of_an_earlier_run(
	const struct temp_folder *folder, const char *broker, size_t n)
{
	struct mosq_message message = message_of("edged/gw1/digits/infer", "1,2");
	message.qos = 1;
	open_journal(folder);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(journal_add(&bridge.journal, broker, &message));
	}
	journal_close(&bridge.journal);
	open_journal(folder);
	assert_int_equal(bridge.journal.n_waiting, n);
}

static void requests_of_qos_1_are_in_the_journal(void **state)
{
	struct mosq_message message = message_of("edged/gw1/digits/infer", "1,2");
	load_digit(*state);
	open_journal(*state);
	receive(&message);
	assert_null(only_request()->journal);
	assert_int_equal(bridge.journal.n_used, 0);
	message.qos = 1;
	receive(&message);
	assert_non_null(newest_request()->journal);
	assert_int_equal(bridge.journal.n_used, 1);
	message.topic = "edged/gw1/pipeline/digit/in/cam"; /* its sources have state */
	receive(&message);
	assert_null(newest_request()->journal);
	assert_int_equal(bridge.journal.n_used, 1);
	request_serve_finish(&bridge.requests, bridge.requests.first->next);
	assert_int_equal(bridge.journal.n_used, 0);
	journal_close(&bridge.journal);
}

static void requests_of_an_earlier_run_are_resumed(void **state)
{
	journal_of_an_earlier_run(*state, "a", 2);
	receive_journalled(&bridge);
	assert_int_equal(bridge.requests.n, 2);
	assert_int_equal(bridge.counts.resumed, 2);
	assert_int_equal(bridge.counts.requests, 2);
	assert_int_equal(bridge.journal.n_waiting, 0);
	assert_int_equal(bridge.journal.n_used, 2); /* until they are answered */
	assert_memory_equal(bridge.requests.first->payload, "1,2", 3);
	journal_close(&bridge.journal);
}

static void requests_of_a_removed_broker_are_given_up(void **state)
{
	journal_of_an_earlier_run(*state, "z", 2);
	receive_journalled(&bridge);
	assert_int_equal(bridge.requests.n, 0);
	assert_int_equal(bridge.counts.resumed, 0);
	assert_int_equal(bridge.journal.given_up, 2);
	assert_int_equal(bridge.journal.n_used, 0);
	journal_close(&bridge.journal);
}

static void the_journal_fills_the_queue_by_half(void **state)
{
	journal_of_an_earlier_run(*state, "a", 9);
	bridge.requests.max = 8;
	bridge.requests.max_bytes = 1u << 20;
	receive_journalled(&bridge);
	assert_int_equal(bridge.requests.n, 5); /* one more while no more than half are there */
	assert_int_equal(bridge.journal.n_waiting, 4);
	request_serve_finish(&bridge.requests, bridge.requests.first);
	receive_journalled(&bridge);
	assert_int_equal(bridge.requests.n, 5);
	assert_int_equal(bridge.journal.n_waiting, 3);
	journal_close(&bridge.journal);
}

static void a_request_of_the_journal_above_the_queues_bytes_waits_for_an_empty_queue(void **state)
{
	journal_of_an_earlier_run(*state, "a", 2);
	bridge.requests.max_bytes = 100; /* a record has a page */
	receive_journalled(&bridge);
	assert_int_equal(bridge.requests.n, 1);
	assert_int_equal(bridge.journal.n_waiting, 1);
	request_serve_finish(&bridge.requests, bridge.requests.first);
	receive_journalled(&bridge);
	assert_int_equal(bridge.requests.n, 1);
	assert_int_equal(bridge.journal.n_waiting, 0);
	journal_close(&bridge.journal);
}

static void a_request_that_was_tried_too_often_is_answered_with_an_error(void **state)
{
	struct mosq_message message = message_of("edged/gw1/digits/infer", "1,2");
	message.qos = 1;
	message.response_topic = "edged/reply/me";
	open_journal(*state);
	assert_non_null(journal_add(&bridge.journal, "a", &message));
	journal_close(&bridge.journal);
	open_journal(*state);
	for (size_t i = 0; i < JOURNAL_SLOTS; i++) {
		if (bridge.journal.entries[i].waits) {
			bridge.journal.entries[i].tries = JOURNAL_TRIES;
		}
	}
	receive_journalled(&bridge);
	assert_int_equal(bridge.requests.n, 0);
	assert_int_equal(bridge.journal.given_up, 1);
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "INTERNAL");
	journal_close(&bridge.journal);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, setup_folder, teardown_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_model_topic_becomes_a_request),
		TEST(a_topic_of_another_gateway_is_ignored),
		TEST(a_pool_request_of_an_old_subscription_is_served_and_unsubscribed_later),
		TEST(a_pool_request_of_a_present_subscription_keeps_it),
		TEST(a_retained_message_is_counted_and_is_no_request),
		TEST(an_expired_message_is_counted_and_not_answered),
		TEST(a_foreign_response_topic_is_refused_without_an_answer),
		TEST(a_message_above_max_message_is_answered_with_too_large),
		TEST(a_message_of_qos_1_that_comes_twice_is_one_request),
		TEST(without_a_duplicate_window_nothing_is_a_duplicate),
		TEST(a_route_leads_a_foreign_topic_to_its_model),
		FOLDER_TEST(a_route_leads_a_foreign_topic_to_its_pipeline_by_source),
		FOLDER_TEST(an_input_of_a_pipeline_names_its_source_in_the_topic),
		FOLDER_TEST(an_input_that_its_pipeline_cannot_take_is_refused),
		FOLDER_TEST(a_message_on_a_set_topic_is_a_command),
		TEST(the_birth_of_home_assistant_starts_discovery_again),
		FOLDER_TEST(requests_of_qos_1_are_in_the_journal),
		FOLDER_TEST(requests_of_an_earlier_run_are_resumed),
		FOLDER_TEST(requests_of_a_removed_broker_are_given_up),
		FOLDER_TEST(the_journal_fills_the_queue_by_half),
		FOLDER_TEST(
			a_request_of_the_journal_above_the_queues_bytes_waits_for_an_empty_queue),
		FOLDER_TEST(a_request_that_was_tried_too_often_is_answered_with_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
