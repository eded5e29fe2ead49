/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>

#include "daemon/mqtt/worker/decode.h"
#include "daemon/mqtt/worker/worker_frames.h"
#include "tests/unit/memory.h"

#define MAX_BYTES 1000

/* Behind the length and the byte that says what it is. */
static struct bytes_reader body_of(const struct bytes_writer *w)
{
	assert_false(w->failed);
	return bytes_reader_of(w->data + FRAME_HEADER_BYTES + 1, w->size - FRAME_HEADER_BYTES - 1);
}

static struct worker_model_request make_request(const struct tensor_bytes *tensor)
{
	return (struct worker_model_request){.pipeline = 3,
		.id = 7,
		.model = "ssd",
		.tensors = {*tensor},
		.n = 1,
		.deadline_ns = 99,
		.source = "cam1",
		.priority = 2,
		.session = 5};
}

static int read_request(
	struct bytes_reader *r, uint64_t max_bytes, struct worker_model_request *ret_request)
{
	return worker_frames_read(r, WORKER_FRAME_MODEL_REQUEST, max_bytes, ret_request, NULL);
}

static void a_model_request_arrives_as_it_was_sent(void **state)
{
	(void)state;
	uint8_t bytes[] = {1, 2, 3, 4};
	const struct tensor_bytes tensor = {
		.type = DTYPE_INT8, .shape = {.rank = 2, .dim = {1, 4}}, .data = bytes, .bytes = 4};
	const struct worker_model_request asked = make_request(&tensor);
	struct bytes_writer w = {0};
	struct worker_model_request wanted;
	worker_frames_write(&w, WORKER_FRAME_MODEL_REQUEST, &asked);
	struct bytes_reader r = body_of(&w);
	assert_int_equal(read_request(&r, MAX_BYTES, &wanted), 0);
	assert_int_equal(wanted.pipeline, 3);
	assert_int_equal(wanted.id, 7);
	assert_string_equal(wanted.model, "ssd");
	assert_string_equal(wanted.signature, "");
	assert_string_equal(wanted.source, "cam1");
	assert_int_equal(wanted.session, 5);
	assert_int_equal(wanted.deadline_ns, 99);
	assert_int_equal(wanted.priority, 2);
	assert_int_equal(wanted.n, 1);
	assert_memory_equal(wanted.tensors[0].data, bytes, 4);
	worker_frames_free(WORKER_FRAME_MODEL_REQUEST, &wanted);
	bytes_writer_deinit(&w);
}

static void a_model_request_that_is_cut_or_too_large_is_refused(void **state)
{
	(void)state;
	uint8_t bytes[] = {1, 2, 3, 4};
	const struct tensor_bytes tensor = {
		.type = DTYPE_INT8, .shape = {.rank = 2, .dim = {1, 4}}, .data = bytes, .bytes = 4};
	const struct worker_model_request asked = make_request(&tensor);
	struct bytes_writer w = {0};
	struct worker_model_request wanted;
	worker_frames_write(&w, WORKER_FRAME_MODEL_REQUEST, &asked);
	struct bytes_reader whole = body_of(&w);
	for (size_t size = 0; size < whole.size; size++) {
		struct bytes_reader r = bytes_reader_of(whole.data, size);
		assert_int_equal(read_request(&r, MAX_BYTES, &wanted), -EPROTO);
	}
	struct bytes_reader r = whole;
	assert_int_equal(read_request(&r, 3, &wanted), -EPROTO);
	/* Each byte changed in each way: a question or a refusal, and nothing is lost. */
	for (size_t at = 0; at < whole.size; at++) {
		for (unsigned int value = 0; value < 256; value++) {
			uint8_t was = whole.data[at];
			((uint8_t *)(uintptr_t)whole.data)[at] = (uint8_t)value;
			r = bytes_reader_of(whole.data, whole.size);
			if (read_request(&r, MAX_BYTES, &wanted) == 0) {
				worker_frames_free(WORKER_FRAME_MODEL_REQUEST, &wanted);
			}
			((uint8_t *)(uintptr_t)whole.data)[at] = was;
		}
	}
	bytes_writer_deinit(&w);
}

#define LARGE (32 << 20)

static void a_model_request_without_memory_for_its_tensors_still_says_whose_it_is(void **state)
{
	(void)state;
	owned_mem uint8_t *bytes = calloc(1, LARGE);
	assert_non_null(bytes);
	const struct tensor_bytes tensor = {.type = DTYPE_INT8,
		.shape = {.rank = 2, .dim = {1024, LARGE / 1024}},
		.data = bytes,
		.bytes = LARGE};
	const struct worker_model_request asked = make_request(&tensor);
	struct bytes_writer w = {0};
	struct worker_model_request wanted;
	struct rlimit before;
	worker_frames_write(&w, WORKER_FRAME_MODEL_REQUEST, &asked);
	struct bytes_reader r = body_of(&w);
	assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
	const struct rlimit little = {
		.rlim_cur = 4096, .rlim_max = before.rlim_max}; /* 0 is none for Linux */
	assert_int_equal(setrlimit(RLIMIT_DATA, &little), 0);
	void *volatile more = SANITIZED ? NULL : malloc(LARGE);
	const bool limited = !SANITIZED && !more; /* qemu limits nothing */
	free(more);
	int code = limited ? read_request(&r, LARGE, &wanted) : 0;
	assert_int_equal(setrlimit(RLIMIT_DATA, &before), 0);
	bytes_writer_deinit(&w);
	if (!limited) {
		print_message("SKIPPED: nothing limits memory here\n");
		return;
	}
	assert_int_equal(code, -ENOMEM);
	assert_int_equal(wanted.pipeline, 3);
	assert_true(wanted.id == asked.id);
	assert_string_equal(wanted.model, asked.model);
	assert_int_equal(wanted.n, 0);
}

static void a_result_is_an_object_or_refused(void **state)
{
	(void)state;
	static const struct {
		const char *flat_json;
		int code;
	} cases[] = {{"{\"a\":1}", 0}, {"{}", -EPROTO}, {"", -EPROTO}, {"[1,2]", -EPROTO},
		{"{\"a\":1", -EPROTO}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct worker_result sent = {.pipeline = 1,
			.kind = PIPELINE_RESULT,
			.source = "cam1",
			.event = true,
			.time_us = 9,
			.tag = 77,
			.only_for_requester = true,
			.flat_json = cases[i].flat_json,
			.flat_json_bytes = strlen(cases[i].flat_json),
			.snapshot = "png",
			.snapshot_bytes = 3};
		struct bytes_writer w = {0};
		struct worker_result result;
		worker_frames_write(&w, WORKER_FRAME_RESULT, &sent);
		struct bytes_reader r = body_of(&w);
		assert_int_equal(worker_frames_read(&r, WORKER_FRAME_RESULT, 0, &result, NULL),
			cases[i].code);
		if (cases[i].code == 0) {
			assert_int_equal(result.flat_json_bytes, strlen(cases[i].flat_json));
			assert_memory_equal(
				result.flat_json, cases[i].flat_json, result.flat_json_bytes);
			assert_memory_equal(result.snapshot, "png", 3);
			assert_true(result.event);
			assert_int_equal(result.time_us, 9);
			assert_int_equal(result.tag, 77);
			assert_true(result.only_for_requester);
		}
		bytes_writer_deinit(&w);
	}
}

static void what_is_done_says_what_is_not(void **state)
{
	(void)state;
	static const struct worker_done sent = {
		.error = {.code = -EINVAL, .text = "no \\x5c"}, .n = 2, .tags = {7, UINT64_MAX}};
	struct bytes_writer w = {0};
	struct worker_done done;
	worker_frames_write(&w, WORKER_FRAME_DONE, &sent);
	struct bytes_reader r = body_of(&w);
	assert_int_equal(worker_frames_read(&r, WORKER_FRAME_DONE, 0, &done, NULL), 0);
	assert_int_equal(done.error.code, -EINVAL);
	assert_string_equal(done.error.text, sent.error.text);
	assert_int_equal(done.n, 2);
	assert_true(done.tags[0] == 7 && done.tags[1] == UINT64_MAX);
	for (size_t cut = 1; cut < 20; cut++) {
		r = body_of(&w);
		r.size -= cut;
		assert_int_equal(
			worker_frames_read(&r, WORKER_FRAME_DONE, 0, &done, NULL), -EPROTO);
	}
	/* behind the code and the text: the number of tags */
	const uint32_t many = PIPELINES_MAX_TAGS + 1;
	memcpy(w.data + w.size - 2 * sizeof(uint64_t) - sizeof(many), &many, sizeof(many));
	bytes_write(&w, done.tags, sizeof(done.tags));
	r = body_of(&w);
	assert_int_equal(worker_frames_read(&r, WORKER_FRAME_DONE, 0, &done, NULL), -EPROTO);
	bytes_writer_deinit(&w);
}

static void a_model_arrives_with_its_labels(void **state)
{
	(void)state;
	struct tensor_spec input = {.name = "in", .type = DTYPE_UINT8, .score_threshold = NAN};
	struct tensor_spec output = {.name = "out",
		.type = DTYPE_INT8,
		.scale = 0.5,
		.labels = "cat\ndog",
		.labels_bytes = 7,
		.score_threshold = 0.25f};
	const struct worker_model sent = {.name = "ssd",
		.signature = "fast",
		.is_served = true,
		.model = {.inputs = &input,
			.outputs = &output,
			.n_inputs = 1,
			.n_outputs = 1,
			.version = "3"}};
	struct worker_model read;
	struct bytes_writer w = {0};
	worker_frames_write(&w, WORKER_COMMAND_MODEL, &sent);
	struct bytes_reader r = body_of(&w);
	assert_int_equal(worker_frames_read(&r, WORKER_COMMAND_MODEL, 0, &read, NULL), 0);
	assert_true(read.is_served);
	assert_string_equal(read.name, "ssd");
	assert_string_equal(read.signature, "fast");
	assert_string_equal(read.model.version, "3");
	assert_int_equal(read.model.outputs[0].labels_bytes, 7);
	assert_memory_equal(read.model.outputs[0].labels, "cat\ndog", 7);
	assert_true(read.model.outputs[0].score_threshold == 0.25f);
	worker_frames_free(WORKER_COMMAND_MODEL, &read);
	for (size_t cut = 1; cut < w.size - FRAME_HEADER_BYTES; cut++) {
		r = body_of(&w);
		r.size -= cut;
		assert_int_equal(
			worker_frames_read(&r, WORKER_COMMAND_MODEL, 0, &read, NULL), -EPROTO);
	}
	bytes_writer_deinit(&w);

	const struct worker_model removal = {.name = "ssd"};
	w = (struct bytes_writer){0};
	worker_frames_write(&w, WORKER_COMMAND_MODEL, &removal);
	r = body_of(&w);
	assert_int_equal(worker_frames_read(&r, WORKER_COMMAND_MODEL, 0, &read, NULL), 0);
	assert_false(read.is_served);
	worker_frames_free(WORKER_COMMAND_MODEL, &read);
	bytes_writer_deinit(&w);
}

static void members_of_json_become_a_row(void **state)
{
	(void)state;
	static const struct {
		const char *json, *fields, *row;
	} cases[] = {
		{"{\"x\":1,\"y\":-2.5,\"z\":true}", "x y z", "1,-2.5,1"},
		{"{\"a\":{\"b\":[1,[2,3]]},\"c\":4}", "a.b c", "1,2,3,4"},
		{"{\"x\":1}", "x y", NULL},
		{"{\"x\":\"1\"}", "x", NULL},
		{"{\"x\":1", "x", NULL},
		{"[1]", "x", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *row = NULL;
		size_t size = 0;
		int code = envelope_fields(
			cases[i].json, strlen(cases[i].json), cases[i].fields, &row, &size, NULL);
		assert_int_equal(code, cases[i].row ? 0 : -EINVAL);
		if (cases[i].row) {
			assert_string_equal(row, cases[i].row);
			assert_int_equal(size, strlen(cases[i].row));
		}
		free(row);
	}
}

static void an_envelope_is_opened(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		bool there;
		int code;
		const char *reply_to, *id, *data;
		enum decode_format format;
	} cases[] = {
		{"{\"reply_to\":\"a/b\",\"id\":17,\"content_type\":\"image/png\",\"data\":\"YWJj\"}",
			true, 0, "a/b", "17", "abc", DECODE_IMAGE},
		{"{\"id\":\"x\",\"data\":\"YQ==\"}", true, 0, "", "x", "a", DECODE_AUTO},
		{"{\"id\":1,\"data\":[[1,-2.5],[3,4]]}", true, 0, "", "1", "[[1,-2.5],[3,4]]",
			DECODE_JSON},
		{"{\"reply_to\":\"a\"}", true, -EINVAL, "a", "", NULL, DECODE_AUTO},
		{"{\"reply_to\":\"a\",\"data\":7}", true, -EINVAL, "a", "", NULL, DECODE_AUTO},
		{"{\"id\":[],\"reply_to\":\"a\"}", true, -EINVAL, "a", "", NULL, DECODE_AUTO},
		{"{\"reply_to\":\"a\",\"data\":\"Y\"}", true, -EINVAL, "a", "", NULL, DECODE_AUTO},
		{"{\"reply_to\":\"a\",\"content_type\":\"x/y\",\"data\":\"YQ==\"}", true,
			-EOPNOTSUPP, "a", "", NULL, DECODE_AUTO},
		/* Numbers, and what is none of ours, stay what they are. */
		{"{\"values\":[1],\"id\":1,\"reply_to\":\"a\",\"data\":[2]}", false, 0, "", "",
			NULL, DECODE_AUTO},
		{"{\"data\":[1]}", false, 0, "", "", NULL, DECODE_AUTO},
		{"{\"id\":1}", false, 0, "", "", NULL, DECODE_AUTO},
		{"[1]", false, 0, "", "", NULL, DECODE_AUTO},
		{"{\"reply_to\":\"a\",\"reply_to\":\"b\"}", false, 0, "", "", NULL, DECODE_AUTO},
		{"{nothing", false, 0, "", "", NULL, DECODE_AUTO},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decode_envelope e;
		enum decode_format format = DECODE_AUTO;
		uint8_t *data = NULL;
		size_t size = 0;
		int code = envelope_open(
			cases[i].json, strlen(cases[i].json), &e, &data, &size, &format, NULL);
		assert_int_equal(code, cases[i].code);
		assert_int_equal(e.there, cases[i].there);
		assert_string_equal(e.reply_to, cases[i].reply_to);
		assert_string_equal(e.id, cases[i].id);
		assert_int_equal(data != NULL, cases[i].data != NULL);
		if (cases[i].data) {
			assert_int_equal(format, cases[i].format);
			assert_int_equal(size, strlen(cases[i].data));
			assert_string_equal((char *)data, cases[i].data);
		}
		free(data);
	}
}

static void an_envelope_arrives_whole_or_is_refused(void **state)
{
	(void)state;
	const struct decode_envelope sent = {.there = true,
		.id = "17",
		.reply_to = "a/b",
		.priority = "high",
		.traceparent = "00",
		.deadline_ms = 9};
	struct decode_envelope received;
	struct bytes_writer w = {0};
	worker_frames_write(&w, WORKER_FRAME_ENVELOPE, &sent);
	struct bytes_reader r = body_of(&w);
	assert_int_equal(worker_frames_read(&r, WORKER_FRAME_ENVELOPE, 0, &received, NULL), 0);
	assert_string_equal(received.id, "17");
	assert_string_equal(received.reply_to, "a/b");
	assert_string_equal(received.priority, "high");
	assert_string_equal(received.traceparent, "00");
	assert_int_equal(received.deadline_ms, 9);
	size_t whole = body_of(&w).size;
	for (size_t cut = 1; cut <= whole; cut++) {
		r = body_of(&w);
		r.size -= cut;
		assert_int_equal(
			worker_frames_read(&r, WORKER_FRAME_ENVELOPE, 0, &received, NULL), -EPROTO);
	}
	bytes_writer_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_request_arrives_as_it_was_sent),
		cmocka_unit_test(a_model_request_that_is_cut_or_too_large_is_refused),
		cmocka_unit_test(
			a_model_request_without_memory_for_its_tensors_still_says_whose_it_is),
		cmocka_unit_test(a_result_is_an_object_or_refused),
		cmocka_unit_test(what_is_done_says_what_is_not),
		cmocka_unit_test(a_model_arrives_with_its_labels),
		cmocka_unit_test(members_of_json_become_a_row),
		cmocka_unit_test(an_envelope_is_opened),
		cmocka_unit_test(an_envelope_arrives_whole_or_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
