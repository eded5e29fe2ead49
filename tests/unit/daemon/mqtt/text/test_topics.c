/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/mqtt/text/topics.h"

static void parse_tells_requests_orders_and_the_pool_apart(void **state)
{
	(void)state;
	struct topics_parts p = topics_parse("edged", "gw1", "edged/gw1/a.b-c_1/infer");
	assert_int_equal(p.kind, TOPICS_INFER);
	assert_string_equal(p.model, "a.b-c_1");
	p = topics_parse("edged", "gw1", "edged/gw1/m/set/threshold");
	assert_int_equal(p.kind, TOPICS_SET);
	assert_string_equal(p.key, "threshold");
	assert_int_equal(topics_parse("edged", "gw1", "edged/pool/m/infer").kind, TOPICS_POOL);
	p = topics_parse("edged", "gw1", "edged/pool/pipeline/door/in/cam.1");
	assert_int_equal(p.kind, TOPICS_PIPELINE_POOL);
	assert_string_equal(p.model, "door");
	assert_string_equal(p.key, "cam.1");
	p = topics_parse("edged", "gw1", "edged/pool/pipeline/infer");
	assert_int_equal(p.kind, TOPICS_POOL);
	p = topics_parse("edged", "gw1", "edged/pool/pipeline/door/set/enable");
	assert_int_equal(p.kind, TOPICS_OTHER);
	p = topics_parse("edged", "gw1", "edged/pool/pipeline/door/last/cam");
	assert_int_equal(p.kind, TOPICS_OTHER);
}

static void parse_takes_nothing_else(void **state)
{
	(void)state;
	static const char *const others[] = {"", "edged", "edged/gw1", "edged/gw1//infer",
		"edged/gw1/M/infer", "edged/gw1/../infer", "edged/gw1/m/infer/",
		"edged/gw1/m/infer/x", "edged/gw2/m/infer", "edged/gw10/m/infer",
		"edgedx/gw1/m/infer", "edged/pool/m/set/x", "edged/gw1/m/set/",
		"edged/gw1/m/set/a/b", "edged/gw1/m/set/a.b", "edged/gw1/-m/infer",
		"edged/gw1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/infer"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(topics_parse("edged", "gw1", others[i]).kind, TOPICS_OTHER);
	}
}

/* MQTT 5, section 4.7, with its own examples. */
static void match_follows_the_standard(void **state)
{
	(void)state;
	static const struct {
		const char *filter, *topic;
		bool match;
	} cases[] = {{"sport/tennis/player1/#", "sport/tennis/player1", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
		{"sport/#", "sport", true}, {"#", "a/b/c", true}, {"#", "$SYS/x", false},
		{"+/monitor", "$SYS/monitor", false}, {"$SYS/#", "$SYS/x", true},
		{"sport/tennis/+", "sport/tennis/player1", true},
		{"sport/tennis/+", "sport/tennis/player1/ranking", false},
		{"sport/+", "sport", false}, {"sport/+", "sport/", true}, {"+/+", "/finance", true},
		{"/+", "/finance", true}, {"+", "/finance", false}, {"a/b", "a/b", true},
		{"a/b", "a/bc", false}, {"a/b", "a/b/", false}, {"a//b", "a//b", true},
		{"a/+/b", "a//b", true}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(topics_overlap(cases[i].filter, cases[i].topic), cases[i].match);
	}
}

static void filters_and_names_are_judged(void **state)
{
	(void)state;
	assert_true(topics_is_filter("a/+/b/#"));
	assert_true(topics_is_filter("#"));
	assert_false(topics_is_filter(""));
	assert_false(topics_is_filter("a/b+"));
	assert_false(topics_is_filter("a/#/b"));
	assert_false(topics_is_filter("a#"));
	assert_true(topics_is_name("a/b"));
	assert_false(topics_is_name("a/+"));
	assert_false(topics_is_name(""));
}

static void what_a_broker_ends_the_connection_for_is_no_name(void **state)
{
	(void)state;
	char deep[TOPICS_MAX_LEVELS + 1];
	memset(deep, '/', sizeof(deep));
	deep[TOPICS_MAX_LEVELS - 1] = 0;
	assert_true(topics_is_name(deep));
	deep[TOPICS_MAX_LEVELS - 1] = '/';
	deep[TOPICS_MAX_LEVELS] = 0;
	assert_false(topics_is_name(deep));
	static const char *const malformed[] = {"a\x01", "a/\x1f", "\x7f", "\xc2\x80", "\xc2\x9f",
		"\xed\xa0\x80", "\xef\xbf\xbf", "\xef\xbf\xbe", "\xef\xb7\x90", "\xf0\x9f\xbf\xbf",
		"\xc0\x80", "\xff", "\xe2\x82"};
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		assert_false(topics_is_text(malformed[i]));
		assert_false(topics_is_name(malformed[i]));
	}
	assert_true(topics_is_text(""));
	assert_true(topics_is_name("K\xc3\xbc"
				   "che/\xe2\x82\xac/\xf0\x9f\x98\x80"));
}

static void a_traceparent_is_of_the_standard(void **state)
{
	(void)state;
	assert_true(
		topics_is_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
	static const char *const none[] = {"", "00-1", "00-1-2-01",
		"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
		"00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319\x01-b7ad6b7169203331-01"};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_false(topics_is_traceparent(none[i]));
	}
}

static void answers_go_only_where_they_may(void **state)
{
	(void)state;
	const char *allowed = "edged/reply/ r/";
	assert_true(topics_is_response_topic(
		"edged/reply/x", allowed, "edged", "gw1", "homeassistant"));
	assert_true(topics_is_response_topic("r/x", allowed, "edged", "gw1", "homeassistant"));
	static const char *const never[] = {"s/x", "$SYS/x", "edged/reply/+", "", "edged/reply/#"};
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		assert_false(topics_is_response_topic(
			never[i], allowed, "edged", "gw1", "homeassistant"));
	}
	static const char *const own[] = {"edged/gw1/m/set/enable", "edged/pool/m/infer",
		"homeassistant/device/x/config", "$share/x"};
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		assert_false(
			topics_is_response_topic(own[i], "*", "edged", "gw1", "homeassistant"));
	}
	assert_true(topics_is_response_topic("any/thing", "*", "edged", "gw1", "homeassistant"));
}

static void templates_are_filled_or_refused(void **state)
{
	(void)state;
	char out[32];
	assert_true(topics_fill(
		out, sizeof(out), "{prefix}/{gw}/{model}/{source}", "e", "g", "m", "s"));
	assert_string_equal(out, "e/g/m/s");
	assert_false(topics_fill(out, sizeof(out), "{other}", "e", "g", "m", "s"));
	assert_false(topics_fill(out, 5, "{prefix}/{gw}/{model}", "e", "g", "m", "s"));
}

static void pipelines_have_topics_of_their_own(void **state)
{
	(void)state;
	static const struct {
		const char *topic;
		enum topics_kind kind;
	} cases[] = {{"edged/gw1/pipeline/door/in/cam.1", TOPICS_PIPELINE_IN},
		{"edged/gw1/pipeline/set/set/enable", TOPICS_PIPELINE_SET},
		{"edged/gw1/pipeline/infer", TOPICS_INFER}, /* a model of that name */
		{"edged/gw1/pipeline/set/enable", TOPICS_SET},
		{"edged/gw1/pipeline/door/in/a/b", TOPICS_PIPELINE_NO_SOURCE},
		{"edged/gw1/pipeline/door/in/", TOPICS_PIPELINE_NO_SOURCE},
		{"edged/gw1/pipeline/door/in/a b", TOPICS_PIPELINE_NO_SOURCE},
		{"edged/gw1/pipeline/door/set/a b", TOPICS_OTHER},
		{"edged/gw1/pipeline/door/last/a b", TOPICS_OTHER},
		{"edged/gw1/pipeline/door/result/cam1", TOPICS_OTHER},
		{"edged/gw2/pipeline/door/in/cam1", TOPICS_OTHER},
		{"edged/pool/pipeline/door/in/cam1", TOPICS_PIPELINE_POOL},
		{"edged/pool/pipeline/door/in/a/b", TOPICS_PIPELINE_NO_SOURCE}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct topics_parts parts = topics_parse("edged", "gw1", cases[i].topic);
		assert_int_equal(parts.kind, cases[i].kind);
	}
	struct topics_parts parts =
		topics_parse("edged", "gw1", "edged/gw1/pipeline/door/in/cam.1");
	assert_string_equal(parts.model, "door");
	assert_string_equal(parts.key, "cam.1");
}

static void wildcards_name_the_source(void **state)
{
	(void)state;
	char source[TOPICS_SOURCE_SIZE], deep[TOPIC_SIZE];
	static const char *const cases[][3] = {
		{"frigate/+/person/snapshot", "frigate/front door/person/snapshot",
			"front_door_7279998f94469b0f"},
		{"zigbee2mqtt/#", "zigbee2mqtt/hall/pump4", "hall_pump4"},
		{"+/+/x", "a/b/x", "a_b"}, {"a/b", "a/b", ""}, {"a/#", "a", ""},
		{"#", "a/b", "a_b"}, {"+", "a_b", "a_b"},
		{"+/x", "\xc3\xa4/x", "___33e6d73fee82904c"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		topics_source(cases[i][0], cases[i][1], source);
		assert_string_equal(source, cases[i][2]);
	}
	memset(deep, 'x', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = 0;
	topics_source("#", deep, source);
	assert_int_equal(strlen(source), TOPICS_SOURCE_SIZE - 1);
	assert_true(topics_is_level(source));
}

/* Windows of one are not to be filled by another. */
static void no_two_sources_have_one_name(void **state)
{
	(void)state;
	static const char *const same[][4] = {{"z/+", "z/\xd0\xa1", "z/+", "z/\xd0\x97"},
		{"z/+", "z/pump 4", "z/+", "z/pump_4"}, {"z/#", "z/a/b", "z/#", "z/a_b"},
		{"+/+", "a_b/c", "+/+", "a/b_c"}, {"#", "a//b", "#", "a/b"}, {"#", "/b", "#", "b"},
		{"+/+", "a/", "#", "a"}};
	char one[TOPICS_SOURCE_SIZE], other[TOPICS_SOURCE_SIZE], topic[TOPICS_SOURCE_SIZE + 4];
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		topics_source(same[i][0], same[i][1], one);
		topics_source(same[i][2], same[i][3], other);
		assert_string_not_equal(one, other);
		assert_true(topics_is_level(one));
		assert_true(topics_is_level(other));
	}
	/* What somebody calls as another one is shown. */
	topics_source("z/+", "z/pump 4", one);
	snprintf(topic, sizeof(topic), "z/%s", one);
	topics_source("z/+", topic, other);
	assert_string_not_equal(one, other);
	assert_true(topics_is_level(other));
}

static void filters_overlap_where_a_topic_matches_both(void **state)
{
	(void)state;
	static const char *const both[][2] = {{"a", "a"}, {"a/+", "+/b"}, {"#", "a/b/c"},
		{"a/#", "a"}, {"a/#", "+"}, {"a/+/c", "a/b/#"}, {"a/+/#", "a/b"}, {"+/+", "/"},
		{"a//b", "a/+/b"}, {"$SYS/#", "$SYS/+/x"}, {"a/#", "a/b/#"}};
	static const char *const none[][2] = {{"a", "b"}, {"a/+", "a"}, {"a/+", "a/b/c"},
		{"a/b", "a/bc"}, {"#", "$SYS/x"}, {"+/x", "$SYS/x"}, {"a/+/#", "a"},
		{"a/+/c", "+/b/d"}, {"", "a"}, {"+", "/"}};
	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
		assert_true(topics_overlap(both[i][0], both[i][1]));
		assert_true(topics_overlap(both[i][1], both[i][0]));
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_false(topics_overlap(none[i][0], none[i][1]));
		assert_false(topics_overlap(none[i][1], none[i][0]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_tells_requests_orders_and_the_pool_apart),
		cmocka_unit_test(parse_takes_nothing_else),
		cmocka_unit_test(match_follows_the_standard),
		cmocka_unit_test(filters_and_names_are_judged),
		cmocka_unit_test(filters_overlap_where_a_topic_matches_both),
		cmocka_unit_test(what_a_broker_ends_the_connection_for_is_no_name),
		cmocka_unit_test(a_traceparent_is_of_the_standard),
		cmocka_unit_test(answers_go_only_where_they_may),
		cmocka_unit_test(templates_are_filled_or_refused),
		cmocka_unit_test(pipelines_have_topics_of_their_own),
		cmocka_unit_test(wildcards_name_the_source),
		cmocka_unit_test(no_two_sources_have_one_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
