/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "client/lib/edge_client.h"
#include "daemon/mqtt/request/request_parse.h"

#define CAME (100 * NSEC_PER_SEC)

static struct settings settings = {.prefix = "edged",
	.gateway = "gw1",
	.response_prefix = "edged/reply",
	.discovery_prefix = "homeassistant",
	.deadline_ms = 5000,
	.max_message = 1000};

static int setup(void **state)
{
	struct broker_connection *conn = calloc(1, sizeof(*conn));
	assert_non_null(conn);
	conn->number = 7;
	conn->settings = &conn->options.broker;
	strcpy(conn->options.broker.name, "a");
	*state = conn;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static struct mosq_message message(void)
{
	return (struct mosq_message){.topic = "edged/gw1/digits/infer",
		.payload = (const uint8_t *)"1,2",
		.size = 3,
		.qos = 1,
		.arrived_ns = CAME,
		.expiry_s = MOSQ_NO_EXPIRY,
		.response_topic = "",
		.content_type = "",
		.traceparent = "",
		.priority = "",
		.deadline = "",
		.accept = ""};
}

static struct mqtt_request *parse(struct broker_connection *conn, const struct mosq_message *m)
{
	struct mqtt_request *request = request_parse(&settings, conn, m, "digits", "infer", NULL);
	assert_non_null(request);
	return request;
}

static void the_earliest_deadline_counts_and_only_the_message_names_it(void **state)
{
	static const struct {
		uint32_t expiry_s;
		const char *deadline;
		uint64_t wanted_ns;
		bool names, expires;
	} cases[] = {
		{MOSQ_NO_EXPIRY, "", 5 * NSEC_PER_SEC, false, false},
		{MOSQ_NO_EXPIRY, "0", 5 * NSEC_PER_SEC, false, false},
		{MOSQ_NO_EXPIRY, "200", NSEC_PER_SEC / 5, true, false},
		{MOSQ_NO_EXPIRY, "9000", 5 * NSEC_PER_SEC, true, false},
		{60, "", 60 * NSEC_PER_SEC, true, true}, /* replaces that of the settings */
		{60, "9000", 9 * NSEC_PER_SEC, true, true},
		{1, "9000", NSEC_PER_SEC, true, true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mosq_message m = message();
		m.expiry_s = cases[i].expiry_s;
		m.deadline = cases[i].deadline;
		struct mqtt_request *request = parse(*state, &m);
		assert_int_equal(request->deadline.ns, CAME + cases[i].wanted_ns);
		assert_int_equal(request->deadline.named, cases[i].names);
		assert_int_equal(request->deadline.expires_response, cases[i].expires);
		mqtt_request_free(request);
	}
}

static void the_form_of_the_answer_follows_accept_then_the_content(void **state)
{
	static const struct {
		const char *type, *accept;
		enum mqtt_request_response wanted;
	} cases[] = {
		{"", "", MQTT_REQUEST_JSON},
		{"image/png", "", MQTT_REQUEST_JSON},
		{"application/octet-stream", "", MQTT_REQUEST_RAW},
		{"application/octet-stream", "application/json", MQTT_REQUEST_JSON},
		{"image/png", "application/octet-stream", MQTT_REQUEST_RAW},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mosq_message m = message();
		m.content_type = cases[i].type;
		m.accept = cases[i].accept;
		struct mqtt_request *request = parse(*state, &m);
		assert_int_equal(request->response_format, cases[i].wanted);
		mqtt_request_free(request);
	}
}

static void a_route_names_format_and_fields_and_is_answered_in_json(void **state)
{
	static const struct settings_route route = {.format = "csv", .fields = "a.x b"};
	struct mosq_message m = message();
	m.content_type = "application/octet-stream";
	struct mqtt_request *request =
		request_parse(&settings, *state, &m, "digits", "press", &route);
	assert_non_null(request);
	assert_int_equal(request->format, DECODE_CSV);
	assert_string_equal(request->fields, "a.x b");
	assert_string_equal(request->source, "press");
	assert_int_equal(request->response_format, MQTT_REQUEST_JSON);
	assert_int_equal(request->connection_id, 7);
	mqtt_request_free(request);
}

static void what_is_wrong_is_refused_with_its_code(void **state)
{
	struct broker_connection *conn = *state;
	unsigned int status = 0;
	struct mosq_message good = message(), m = good;
	struct mqtt_request *request = parse(conn, &m);
	assert_null(request_parse_refusal(&settings, request, &m, &status));
	m.correlation_bytes = OUTBOX_MAX_CORRELATION + 1;
	assert_non_null(request_parse_refusal(&settings, request, &m, &status));
	assert_int_equal(status, EDGE_CLIENT_INVALID);
	m = good;
	m.deadline = "86400001";
	assert_non_null(request_parse_refusal(&settings, request, &m, &status));
	assert_int_equal(status, EDGE_CLIENT_INVALID);
	m.deadline = "-1";
	assert_non_null(request_parse_refusal(&settings, request, &m, &status));
	m.deadline = "86400000";
	assert_null(request_parse_refusal(&settings, request, &m, &status));
	m = good;
	m.size = 1001;
	assert_non_null(request_parse_refusal(&settings, request, &m, &status));
	assert_int_equal(status, EDGE_CLIENT_TOO_LARGE);
	conn->stopped_published = true;
	assert_non_null(request_parse_refusal(&settings, request, &good, &status));
	assert_int_equal(status, EDGE_CLIENT_DRAINING);
	conn->stopped_published = false;
	request->format = DECODE_N_FORMATS;
	assert_non_null(request_parse_refusal(&settings, request, &good, &status));
	assert_int_equal(status, EDGE_CLIENT_UNSUPPORTED);
	mqtt_request_free(request);
}

static void answers_go_below_the_response_prefix_only(void **state)
{
	struct mosq_message m = message();
	(void)state;
	assert_true(request_parse_may_respond(&settings, &m));
	m.response_topic = "edged/reply/me";
	assert_true(request_parse_may_respond(&settings, &m));
	m.response_topic = "edged/gw1/digits/set/enable";
	assert_false(request_parse_may_respond(&settings, &m));
	m.response_topic = "other/me";
	assert_false(request_parse_may_respond(&settings, &m));
}

static void the_key_is_of_all_but_times_and_priority(void **state)
{
	static struct dedup dedup;
	struct broker_connection *conn = *state;
	struct mosq_message good = message(), m = good;
	dedup_init(&dedup);
	struct mqtt_request *request = parse(conn, &good);
	const uint64_t key = request_parse_key(&dedup, request, &good);
	m.priority = "high";
	m.deadline = "10";
	m.expiry_s = 3;
	m.arrived_ns++;
	assert_int_equal(request_parse_key(&dedup, request, &m), key);
	m = good;
	m.payload = (const uint8_t *)"1,3";
	assert_int_not_equal(request_parse_key(&dedup, request, &m), key);
	m = good;
	m.topic = "edged/gw1/words/infer";
	assert_int_not_equal(request_parse_key(&dedup, request, &m), key);
	m = good;
	m.accept = "application/json";
	const uint64_t of_json = request_parse_key(&dedup, request, &m);
	assert_int_not_equal(of_json, key);
	m.accept = "application/jso9";
	assert_int_not_equal(request_parse_key(&dedup, request, &m), of_json);
	m = good;
	m.response_topic = "edged/reply/me";
	assert_int_not_equal(request_parse_key(&dedup, request, &m), key);
	strcpy(conn->options.broker.name, "b");
	assert_int_not_equal(request_parse_key(&dedup, request, &good), key);
	mqtt_request_free(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_earliest_deadline_counts_and_only_the_message_names_it, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			the_form_of_the_answer_follows_accept_then_the_content, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_route_names_format_and_fields_and_is_answered_in_json, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_wrong_is_refused_with_its_code, setup, teardown),
		cmocka_unit_test_setup_teardown(
			answers_go_below_the_response_prefix_only, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_key_is_of_all_but_times_and_priority, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
