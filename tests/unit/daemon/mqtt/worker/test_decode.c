/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "daemon/mqtt/request/dedup.h"
#include "daemon/mqtt/worker/decode.h"
#include "daemon/mqtt/worker/worker_frames.h"
#include "daemon/system/base64.h"

/* int8[1,4], scale 0.5, zero point 2. */
static struct tensor_spec small_spec(void)
{
	struct tensor_spec spec = {.name = "x",
		.type = DTYPE_INT8,
		.shape = {.rank = 2, .dim = {1, 4}},
		.declared = {.rank = 2, .dim = {1, 4}},
		.scale = 0.5,
		.zero_point = 2,
		.bytes = 4,
		.score_threshold = NAN};
	return spec;
}

/* A frame without its length and its first byte. */
static struct bytes_reader body_of(const struct bytes_writer *w, size_t size)
{
	return bytes_reader_of((const uint8_t *)w->data + 5, size - 5);
}

static int read_tensors(
	struct bytes_reader *r, uint64_t max_bytes, struct decode_result *ret_result)
{
	return worker_frames_read(r, WORKER_FRAME_TENSORS, max_bytes, ret_result, NULL);
}

/* Decodes @text, over the bytes that both processes exchange. Returns the error's code. */
static int run(enum decode_format format, const char *fields, const char *text, uint32_t n_specs,
	struct decode_result *ret_result)
{
	struct tensor_spec specs[2] = {small_spec(), small_spec()};
	struct decode_job read,
		job = {.format = format,
			.specs = specs,
			.n_specs = n_specs,
			.fields = fields,
			.payload = text,
			.size = strlen(text)};
	struct bytes_writer w = {0}, answer = {0}, envelope = {0};
	struct decode_result result, none;
	struct error err = {0};
	snprintf(specs[1].name, sizeof(specs[1].name), "y");
	worker_frames_write(&w, WORKER_COMMAND_DECODE, &job);
	for (size_t i = 5; i < w.size; i++) { /* cut short anywhere it is refused */
		struct bytes_reader cut = body_of(&w, i);
		assert_int_equal(
			worker_frames_read(&cut, WORKER_COMMAND_DECODE, 0, &read, NULL), -EPROTO);
	}
	struct bytes_reader r = body_of(&w, w.size);
	assert_int_equal(worker_frames_read(&r, WORKER_COMMAND_DECODE, 0, &read, &err), 0);
	int code = decode_run(&read, &result, &err);
	assert_int_equal(code, err.code);
	worker_frames_free(WORKER_COMMAND_DECODE, &read);
	worker_frames_write(&envelope, WORKER_FRAME_ENVELOPE, &result.envelope);
	worker_frames_write(&answer, WORKER_FRAME_TENSORS, &result);
	decode_result_free(&result);
	*ret_result = (struct decode_result){0};
	if (code == 0) {
		r = body_of(&answer, answer.size);
		assert_int_equal(read_tensors(&r, 1000, ret_result), 0);
		assert_int_equal(ret_result->n, n_specs);
		for (uint32_t i = 0; i < n_specs; i++) {
			assert_int_equal(ret_result->tensors[i].type, DTYPE_INT8);
		}
		r = body_of(&answer, answer.size);
		assert_int_equal(read_tensors(&r, 3, &none), -EPROTO);
		for (size_t i = 5; i < answer.size; i++) {
			r = body_of(&answer, i);
			assert_int_equal(read_tensors(&r, 1000, &none), -EPROTO);
		}
	}
	r = body_of(&envelope, envelope.size);
	assert_int_equal(
		worker_frames_read(&r, WORKER_FRAME_ENVELOPE, 0, &ret_result->envelope, NULL), 0);
	bytes_writer_deinit(&w);
	bytes_writer_deinit(&answer);
	bytes_writer_deinit(&envelope);
	return code;
}

static void expect(
	enum decode_format format, const char *fields, const char *text, const char *bytes)
{
	struct decode_result result;
	assert_int_equal(run(format, fields, text, 1, &result), 0);
	assert_int_equal(result.n, 1);
	assert_memory_equal(result.tensors[0].data, bytes, 4);
	decode_result_free(&result);
}

static void numbers_come_as_csv_json_base64_and_bytes(void **state)
{
	(void)state;
	expect(DECODE_CSV, "", "0,0.5,1,-1", "\x02\x03\x04\x00");
	expect(DECODE_AUTO, "", "a,b,c,d\n0,0.5,1,-1\n", "\x02\x03\x04\x00");
	expect(DECODE_JSON, "", "[0, 0.5, 1, -1]", "\x02\x03\x04\x00");
	expect(DECODE_AUTO, "", " {\"data\": [[0, 0.5], [1, -1]]}", "\x02\x03\x04\x00");
	expect(DECODE_RAW, "", "abcd", "abcd");
	expect(DECODE_AUTO, "", "{bcd", "{bcd"); /* no JSON, but a tensor's size */
	expect(DECODE_JSON, "",
		"{\"data\":\"YWJjZA==\",\"content_type\":\"application/octet-stream\"}", "abcd");
	expect(DECODE_JSON, "a.b c", "{\"a\":{\"b\":[0,0.5]},\"c\":[1,-1],\"d\":7}",
		"\x02\x03\x04\x00");
}

static void the_envelope_is_read(void **state)
{
	struct decode_result result;
	(void)state;
	assert_int_equal(
		run(DECODE_JSON, "",
			"{\"id\":17,\"reply_to\":\"a/b\",\"accept\":\"x/y\",\"priority\":\"high\",\"deadline_ms\":250,"
			"\"traceparent\":\"00-1\",\"inputs\":[{\"name\":\"y\",\"datatype\":\"INT8\",\"data\":[1,2,3,4]},"
			"{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,4],\"data\":[0,0.5,1,-1]}]}",
			2, &result),
		0);
	assert_true(result.envelope.there && result.envelope.oip);
	assert_string_equal(result.envelope.id, "17");
	assert_string_equal(result.envelope.reply_to, "a/b");
	assert_string_equal(result.envelope.accept, "x/y");
	assert_string_equal(result.envelope.priority, "high");
	assert_string_equal(result.envelope.traceparent, "00-1");
	assert_int_equal(result.envelope.deadline_ms, 250);
	assert_memory_equal(result.tensors[0].data, "\x02\x03\x04\x00", 4);
	assert_memory_equal(result.tensors[1].data, "\1\2\3\4", 4);
	decode_result_free(&result);
}

static void fields_are_all_that_is_looked_at(void **state)
{
	(void)state;
	static const char *const others[] = {"\"id\":{\"a\":1}", "\"id\":1.5", "\"priority\":{}",
		"\"deadline_ms\":-1", "\"reply_to\":true", "\"accept\":[1]", "\"reply_to\":\"a/b\"",
		"\"data\":7", "\"inputs\":[]"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		char text[128];
		struct decode_result result;
		snprintf(text, sizeof(text), "{\"x\":[0,0.5,1,-1],%s}", others[i]);
		assert_int_equal(run(DECODE_JSON, "x", text, 1, &result), 0);
		assert_memory_equal(result.tensors[0].data, "\x02\x03\x04\x00", 4);
		assert_false(result.envelope.there);
		assert_string_equal(result.envelope.reply_to, "");
		decode_result_free(&result);
	}
}

static void a_deadline_of_zero_is_none(void **state)
{
	(void)state;
	static const struct {
		const char *said;
		int64_t ms; /* -1: refused */
	} cases[] = {{"0", 0}, {"\"0\"", 0}, {"250", 250}, {"\"\"", 0}, {"86400000", 86400000},
		{"86400001", -1}, {"-1", -1}, {"0.5", -1}, {"\"0x10\"", -1}, {"\" 7\"", -1},
		{"\"+7\"", -1}, {"\"99999999999999999999999\"", -1}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[128];
		struct decode_result result;
		snprintf(text, sizeof(text), "{\"data\":[1,2,3,4],\"deadline_ms\":%s}",
			cases[i].said);
		assert_int_equal(run(DECODE_JSON, "", text, 1, &result) < 0, cases[i].ms < 0);
		assert_int_equal(result.envelope.deadline_ms, cases[i].ms < 0 ? 0 : cases[i].ms);
		decode_result_free(&result);
	}
}

static void what_is_wrong_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "{", "{}", "[]", "[1,2,3]", "[1,2,3,\"4\"]",
		"[1,2,3,4,5]", "{\"data\":1}", "{\"data\":\"****\"}", "{\"data\":\"YWJjZA\"}",
		"{\"data\":[1,2,3,4],\"data\":[1,2,3,4]}", "[[[[[[[[[1,2,3,4]]]]]]]]]",
		"{\"inputs\":[]}", "{\"inputs\":[{\"data\":[1,2,3]}]}",
		"{\"inputs\":[{\"datatype\":\"INT8\",\"data\":[1,2,3,400]}]}",
		"{\"inputs\":[{\"datatype\":\"BYTES\",\"data\":[1,2,3,4]}]}",
		"{\"inputs\":[{\"shape\":[4,1],\"data\":[1,2,3,4]}]}",
		"{\"data\":[1,2,3,4],\"id\":{}}", "{\"data\":[1,2,3,4],\"deadline_ms\":-1}",
		"{\"data\":[1,2,3,4],\"id\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}",
		"{\"data\":\"W10=\",\"content_type\":\"application/json\"}", "[1e999,1,1,1]",
		"[NaN,1,1,1]"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct decode_result result;
		if (run(DECODE_JSON, "", wrong[i], 1, &result) == 0) {
			fail_msg("taken: %s", wrong[i]);
		}
	}
	struct decode_result result;
	assert_true(run(DECODE_JSON, "a.b", "{\"a\":{\"c\":1}}", 1, &result) < 0);
	assert_true(run(DECODE_RAW, "", "abc", 1, &result) < 0);
	assert_true(run(DECODE_CSV, "", "1,2,3,4", 2, &result) < 0);
	assert_true(run(DECODE_IMAGE, "", "\xff\xd8\xff", 1, &result) < 0);
}

static void base64_goes_there_and_back(void **state)
{
	(void)state;
	for (size_t n = 0; n < 70; n++) {
		uint8_t data[70], *back = NULL;
		size_t size = 0;
		struct bytes_writer w = {0};
		for (size_t i = 0; i < n; i++) {
			data[i] = (uint8_t)(i * 37 + n);
		}
		base64_write(&w, data, n);
		assert_int_equal(
			base64_decode(w.data ? (char *)w.data : "", w.size, &back, &size, NULL), 0);
		assert_int_equal(size, n);
		assert_memory_equal(back, data, n);
		free(back);
		bytes_writer_deinit(&w);
	}
}

/* Bits that undid each other in a hash that multiplies, whatever its seed was. */
static void nobody_makes_two_contents_one_key(void **state)
{
	uint8_t a[64], b[64];
	static struct dedup dedup;
	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		dedup_init(&dedup);
		memset(a, (int)i, sizeof(a));
		memcpy(b, a, sizeof(b));
		b[7] ^= 0x80;
		b[8 + 3] ^= 0x10;
		b[8 + 5] ^= 0x40;
		assert_int_not_equal(dedup_keyed_hash(&dedup, 1, a, sizeof(a)),
			dedup_keyed_hash(&dedup, 1, b, sizeof(b)));
		assert_int_not_equal(dedup_keyed_hash(&dedup, 0, a, sizeof(a)),
			dedup_keyed_hash(&dedup, 1, a, sizeof(a)));
		assert_int_not_equal(
			dedup_keyed_hash(&dedup, 0, a, 63), dedup_keyed_hash(&dedup, 0, a, 64));
	}
}

static void a_request_is_seen_for_its_time_and_may_be_forgotten(void **state)
{
	static struct dedup dedup;
	(void)state;
	dedup_init(&dedup);
	uint64_t a = dedup_keyed_hash(&dedup, 0, "abcdefghij", 10),
		 b = dedup_keyed_hash(&dedup, 0, "abcdefghik", 10);
	assert_int_not_equal(a, b);
	assert_int_equal(a, dedup_keyed_hash(&dedup, 0, "abcdefghij", 10));
	assert_int_not_equal(
		dedup_keyed_hash(&dedup, 0, "a", 1), dedup_keyed_hash(&dedup, 0, "a\0", 2));
	assert_false(dedup_check(&dedup, a, 100, 150));
	assert_true(dedup_check(&dedup, a, 149, 250)); /* its own time counts */
	assert_false(dedup_check(&dedup, a, 150, 200));
	dedup_forget(&dedup, a);
	assert_false(dedup_check(&dedup, a, 151, 201));
	assert_true(dedup_check(&dedup, a, 151, 201));
	for (uint64_t i = 1; i < DEDUP_SLOTS; i++) {
		assert_false(
			dedup_check(&dedup, dedup_keyed_hash(&dedup, 0, &i, sizeof(i)), 152, 202));
	}
	for (uint64_t i = 1; i < DEDUP_SLOTS; i++) {
		assert_true(
			dedup_check(&dedup, dedup_keyed_hash(&dedup, 0, &i, sizeof(i)), 152, 202));
	}
	assert_true(dedup_check(&dedup, a, 153, 203));
	assert_false(dedup_check(&dedup, b, 153, 203));
	assert_false(dedup_check(&dedup, a, 153, 203)); /* another has taken its place */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_as_csv_json_base64_and_bytes),
		cmocka_unit_test(the_envelope_is_read),
		cmocka_unit_test(fields_are_all_that_is_looked_at),
		cmocka_unit_test(a_deadline_of_zero_is_none),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(base64_goes_there_and_back),
		cmocka_unit_test(nobody_makes_two_contents_one_key),
		cmocka_unit_test(a_request_is_seen_for_its_time_and_may_be_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
