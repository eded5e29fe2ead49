/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/wire/wire.h"

static void header_has_its_32_bytes_in_place(void **state)
{
	(void)state;
	const struct wire_header header = {.type = WIRE_INFER,
		.id = 0x1122334455667788u,
		.body_bytes = 0x01020304,
		.deadline_us = 1000000,
		.session = 0x0a0b0c0d};
	const uint8_t wanted[WIRE_HEADER_BYTES] = {'E', 'D', 'G', '1', 4, 0, 0, 0, 0x88, 0x77, 0x66,
		0x55, 0x44, 0x33, 0x22, 0x11, 4, 3, 2, 1, 0, 0, 0, 0, 0x40, 0x42, 0x0f, 0, 0x0d,
		0x0c, 0x0b, 0x0a};
	uint8_t bytes[WIRE_HEADER_BYTES];
	wire_header_encode(&header, bytes);
	assert_memory_equal(bytes, wanted, sizeof(wanted));
	struct wire_header back;
	assert_int_equal(wire_header_decode(bytes, &back, NULL), 0);
	assert_int_equal(back.type, WIRE_INFER);
	assert_int_equal(back.id, header.id);
	assert_int_equal(back.body_bytes, header.body_bytes);
	assert_int_equal(back.deadline_us, 1000000);
	assert_int_equal(back.session, 0x0a0b0c0d);
}

static void header_with_any_unknown_bit_is_refused_but_can_be_answered(void **state)
{
	(void)state;
	const struct wire_header request = {.type = WIRE_LIST, .id = 9};
	const struct wire_header reply = {.type = WIRE_LIST | WIRE_REPLY, .id = 9, .status = 3};
	const size_t of_request[] = {6, 7, 20, 23, 28, 29, 30, 31};
	uint8_t bytes[WIRE_HEADER_BYTES];
	struct wire_header back;
	for (size_t i = 0; i < sizeof(of_request) / sizeof(of_request[0]); i++) {
		wire_header_encode(&request, bytes);
		bytes[of_request[i]] ^= 0x10;
		assert_int_equal(wire_header_decode(bytes, &back, NULL), -EPROTO);
		assert_int_equal(back.id, 9);
	}
	wire_header_encode(&reply, bytes);
	assert_int_equal(wire_header_decode(bytes, &back, NULL), 0);
	bytes[24] = 1;
	assert_int_equal(wire_header_decode(bytes, &back, NULL), -EPROTO);
	bytes[0] = 'e';
	assert_int_equal(wire_header_decode(bytes, &back, NULL), -EPROTO);
	assert_int_equal(back.id, 0);
}

static void hello_of_a_later_minor_is_understood(void **state)
{
	(void)state;
	const struct wire_hello hello = {
		.major = 1, .minor = 7, .capabilities = ~UINT64_C(0), .name = wire_text_of("demo")};
	struct bytes_writer w = {0};
	wire_hello_encode(&w, &hello);
	bytes_write_u64(&w, 42);
	struct wire_hello back;
	assert_int_equal(wire_hello_decode(w.data, w.size, &back, NULL), 0);
	assert_int_equal(back.minor, 7);
	assert_true(back.capabilities == ~UINT64_C(0));
	assert_true(wire_text_is(back.name, "demo"));
	assert_int_equal(wire_hello_decode(w.data, 17, &back, NULL), -EPROTO);
	bytes_writer_deinit(&w);
}

static void hello_reply_comes_back(void **state)
{
	(void)state;
	const struct wire_hello_reply reply = {.major = 1,
		.max_body = 1 << 20,
		.max_in_flight = 8,
		.max_tensors = 64,
		.name = wire_text_of("edged"),
		.version = wire_text_of("0.1.0")};
	struct bytes_writer w = {0};
	wire_hello_reply_encode(&w, &reply);
	struct wire_hello_reply back;
	assert_int_equal(wire_hello_reply_decode(w.data, w.size, &back, NULL), 0);
	assert_int_equal(back.max_body, 1 << 20);
	assert_int_equal(back.max_in_flight, 8);
	assert_int_equal(back.max_tensors, 64);
	assert_true(wire_text_is(back.version, "0.1.0"));
	bytes_writer_deinit(&w);
}

static void hello_reply_of_1_1_tells_the_sessions(void **state)
{
	(void)state;
	const struct wire_hello_reply reply = {
		.major = 1, .minor = 1, .capabilities = WIRE_CAP_SESSIONS, .max_sessions = 16};
	struct bytes_writer w = {0};
	wire_hello_reply_encode(&w, &reply);
	struct wire_hello_reply back;
	assert_int_equal(wire_hello_reply_decode(w.data, w.size, &back, NULL), 0);
	assert_int_equal(back.capabilities, WIRE_CAP_SESSIONS);
	assert_int_equal(back.max_sessions, 16);
	assert_int_equal(wire_hello_reply_decode(w.data, w.size - 1, &back, NULL), -EPROTO);
	w.data[2] = 0; /* a daemon of 1.0, which ends before */
	assert_int_equal(wire_hello_reply_decode(w.data, w.size - 4, &back, NULL), 0);
	assert_int_equal(back.max_sessions, 0);
	bytes_writer_deinit(&w);
}

static void session_messages_have_their_bytes_in_place(void **state)
{
	(void)state;
	const uint8_t wanted_open[] = {4, 0, 'e', 'c', 'h', 'o', 1, 0, '7'};
	const uint8_t wanted_reply[] = {2, 1, 0, 0, 1, 0, '7', 9, 0, 0, 0, 0, 0, 0, 0};
	const uint8_t wanted_close[] = {4, 3, 2, 1};
	struct wire_session_open open = {
		.model = wire_text_of("echo"), .version = wire_text_of("7")};
	struct wire_session_open_reply reply = {
		.session = 258, .version = wire_text_of("7"), .generation = 9};
	struct bytes_writer w = {0};
	uint32_t session = 0;
	wire_session_open_encode(&w, &open);
	assert_int_equal(w.size, sizeof(wanted_open));
	assert_memory_equal(w.data, wanted_open, sizeof(wanted_open));
	assert_int_equal(wire_session_open_decode(w.data, w.size, &open, NULL), 0);
	assert_true(wire_text_is(open.model, "echo") && wire_text_is(open.version, "7"));
	assert_int_equal(wire_session_open_decode(w.data, w.size - 1, &open, NULL), -EPROTO);
	w.size = 0;
	wire_session_open_reply_encode(&w, &reply);
	assert_int_equal(w.size, sizeof(wanted_reply));
	assert_memory_equal(w.data, wanted_reply, sizeof(wanted_reply));
	reply = (struct wire_session_open_reply){0};
	assert_int_equal(wire_session_open_reply_decode(w.data, w.size, &reply, NULL), 0);
	assert_int_equal(reply.session, 258);
	assert_int_equal(reply.generation, 9);
	w.data[0] = w.data[1] = 0;
	assert_int_equal(wire_session_open_reply_decode(w.data, w.size, &reply, NULL), -EPROTO);
	w.size = 0;
	wire_session_encode(&w, 0x01020304);
	assert_int_equal(w.size, sizeof(wanted_close));
	assert_memory_equal(w.data, wanted_close, sizeof(wanted_close));
	assert_int_equal(
		wire_session_decode(w.data, w.size, WIRE_SESSION_CLOSE, &session, NULL), 0);
	assert_int_equal(session, 0x01020304);
	bytes_write_u8(&w, 0);
	assert_int_equal(
		wire_session_decode(w.data, w.size, WIRE_SESSION_CLOSE, &session, NULL), -EPROTO);
	bytes_writer_deinit(&w);
}

static void errors_text_is_escaped_and_keeps_its_status(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	wire_error_encode(&w, "no\x1b[31m model a\\x0a");
	struct error err = {0};
	assert_int_equal(wire_error_decode(w.data, w.size, EDGE_NOT_FOUND, &err), -ENOENT);
	assert_int_equal(err.status, EDGE_NOT_FOUND);
	assert_string_equal(err.text, "no\\x1b[31m model a\\x0a");
	assert_int_equal(wire_error_decode(w.data, 1, EDGE_DRAINING, &err), -ESHUTDOWN);
	assert_int_equal(err.status, EDGE_DRAINING);
	assert_string_equal(err.text, "DRAINING");
	assert_int_equal(wire_error_decode(w.data, w.size, 77, &err), -EPROTO);
	assert_int_equal(err.status, EDGE_INTERNAL);
	bytes_writer_deinit(&w);
}

static void a_long_errors_text_is_cut(void **state)
{
	(void)state;
	char text[400];
	memset(text, 'x', sizeof(text));
	text[399] = 0;
	struct bytes_writer w = {0};
	wire_error_encode(&w, text);
	assert_int_equal(w.size, 2 + WIRE_MAX_TEXT);
	bytes_writer_deinit(&w);
}

static void list_items_come_back(void **state)
{
	(void)state;
	const struct wire_list_item item = {.name = wire_text_of("digits"),
		.version = wire_text_of("3"),
		.state = wire_text_of("refused"),
		.reason = wire_text_of("subgraph 0: why"),
		.generation = 5};
	struct bytes_writer w = {0};
	wire_list_encode(&w, 2);
	wire_list_item_encode(&w, &item);
	wire_list_item_encode(&w, &item);
	struct bytes_reader r = bytes_reader_of(w.data, w.size);
	uint32_t n = 0;
	struct wire_list_item back = {0};
	assert_int_equal(wire_list_decode(&r, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(wire_list_item_decode(&r, &back, NULL), 0);
	assert_int_equal(wire_end(&r, WIRE_LIST, NULL), -EPROTO);
	assert_int_equal(wire_list_item_decode(&r, &back, NULL), 0);
	assert_int_equal(wire_end(&r, WIRE_LIST, NULL), 0);
	assert_true(wire_text_is(back.reason, "subgraph 0: why"));
	assert_int_equal(back.generation, 5);
	w.data[0] = 200;
	r = bytes_reader_of(w.data, w.size);
	assert_int_equal(wire_list_decode(&r, &n, NULL), -EPROTO);
	bytes_writer_deinit(&w);
}

static void a_described_model_comes_back(void **state)
{
	(void)state;
	const float mean[2] = {127.5f, 1};
	const struct wire_model model = {.name = wire_text_of("m"),
		.macs = UINT64_C(1) << 40,
		.flags = WIRE_MODEL_FLOAT,
		.labels = wire_text_of("a\nb\n"),
		.n_signatures = 1};
	const struct wire_signature signature = {.key = wire_text_of("serve"), .n_inputs = 1};
	const struct wire_tensor_info info = {.name = wire_text_of("x"),
		.type = DTYPE_INT8,
		.shape = {2, {1, 4}},
		.declared = {2, {-1, 4}},
		.scale = 0.5f,
		.zero_point = -128,
		.bytes = 4,
		.score_threshold = NAN,
		.n_mean = 2,
		.mean = (const uint8_t *)mean};
	struct bytes_writer w = {0};
	wire_model_encode(&w, &model);
	wire_signature_encode(&w, &signature);
	wire_tensor_info_encode(&w, &info);
	struct bytes_reader r = bytes_reader_of(w.data, w.size);
	struct wire_model m = {0};
	struct wire_signature s = {0};
	struct wire_tensor_info t = {0};
	assert_int_equal(wire_model_decode(&r, &m, NULL), 0);
	assert_int_equal(wire_signature_decode(&r, &s, NULL), 0);
	assert_int_equal(wire_tensor_info_decode(&r, &t, NULL), 0);
	assert_int_equal(wire_end(&r, WIRE_DESCRIBE, NULL), 0);
	assert_true(m.macs == UINT64_C(1) << 40);
	assert_true(wire_text_is(m.labels, "a\nb\n"));
	assert_true(wire_text_is(s.key, "serve"));
	assert_int_equal(t.declared.dim[0], -1);
	assert_int_equal(t.zero_point, -128);
	assert_true(isnan(t.score_threshold));
	assert_true(wire_f32(t.mean, 0) == 127.5f);
	assert_int_equal(t.n_std, 0);
	bytes_writer_deinit(&w);
}

static const uint8_t some_data[3] = {7, 8, 9};

static void infer_fill(struct wire_infer *infer)
{
	*infer = (struct wire_infer){.model = wire_text_of("echo"),
		.n_inputs = 2,
		.n_wanted = 1,
		.wanted = {1},
		.inputs = {{.index = WIRE_BY_NAME,
				   .name = wire_text_of("first"),
				   .type = DTYPE_UINT8,
				   .shape = {1, {3}},
				   .bytes = 3,
				   .data = some_data},
			{.index = 1, .type = DTYPE_INT8, .bytes = 1, .data = some_data}}};
}

static void infer_data_stands_at_multiples_of_64(void **state)
{
	(void)state;
	struct wire_infer infer, back;
	infer_fill(&infer);
	struct bytes_writer w = {0};
	wire_infer_encode(&w, &infer);
	assert_int_equal(wire_infer_decode(w.data, w.size, 0, &back, NULL), 0);
	assert_int_equal(((const uint8_t *)back.inputs[0].data - w.data) % WIRE_ALIGNMENT, 0);
	assert_int_equal(((const uint8_t *)back.inputs[1].data - w.data) % WIRE_ALIGNMENT, 0);
	assert_memory_equal(back.inputs[0].data, some_data, 3);
	assert_ptr_equal((const uint8_t *)back.inputs[1].data + 1, w.data + w.size);
	assert_int_equal(back.wanted[0], 1);
	assert_int_equal(back.inputs[1].shape.rank, 0);
	bytes_writer_deinit(&w);
}

static void infer_head_is_judged_before_its_data_came(void **state)
{
	(void)state;
	struct wire_infer infer, back;
	struct error err = {0};
	infer_fill(&infer);
	struct bytes_writer head = {0}, all = {0};
	wire_infer_encode_head(&head, &infer);
	wire_infer_encode(&all, &infer);
	uint32_t n = (uint32_t)all.size;
	assert_int_equal(wire_infer_decode_head(all.data, head.size, n, 0, &back, NULL), 0);
	assert_int_equal(back.inputs[0].bytes, 3);
	assert_null(back.inputs[0].data);
	assert_int_equal(
		wire_infer_decode_head(all.data, head.size - 1, n, 0, &back, NULL), -EAGAIN);
	assert_int_equal(
		wire_infer_decode_head(all.data, head.size, n + 1, 0, &back, &err), -EPROTO);
	assert_non_null(strstr(err.text, "head and data have 129 bytes, the body 130"));
	bytes_writer_deinit(&head);
	bytes_writer_deinit(&all);
}

static void a_tensor_whose_bytes_do_not_fit_its_shape_is_named(void **state)
{
	(void)state;
	struct wire_infer infer, back;
	struct error err = {0};
	infer_fill(&infer);
	infer.inputs[1].shape = (struct shape){2, {1, 96}};
	struct bytes_writer w = {0};
	wire_infer_encode(&w, &infer);
	assert_int_equal(wire_infer_decode(w.data, w.size, 0, &back, &err), -EPROTO);
	assert_string_equal(err.text, "INFER: input 1: int8 1x96 has 96 bytes, not 1");
	bytes_writer_deinit(&w);
}

static void every_shorter_infer_is_refused(void **state)
{
	(void)state;
	struct wire_infer infer, back;
	infer_fill(&infer);
	struct bytes_writer w = {0};
	wire_infer_encode(&w, &infer);
	for (size_t size = 0; size < w.size; size++) {
		uint8_t *exact = malloc(size + 1); /* a sanitizer sees a read past the end */
		assert_non_null(exact);
		memcpy(exact + 1, w.data, size);
		assert_int_equal(wire_infer_decode(exact + 1, size, 0, &back, NULL), -EPROTO);
		free(exact);
	}
	bytes_write_u8(&w, 0);
	assert_int_equal(wire_infer_decode(w.data, w.size, 0, &back, NULL), -EPROTO);
	bytes_writer_deinit(&w);
}

static void too_many_tensors_are_refused(void **state)
{
	(void)state;
	struct wire_infer infer, back;
	infer_fill(&infer);
	struct bytes_writer w = {0};
	wire_infer_encode(&w, &infer);
	w.data[10] = WIRE_MAX_TENSORS + 1;
	struct error err = {0};
	assert_int_equal(wire_infer_decode(w.data, w.size, 0, &back, &err), -EPROTO);
	assert_string_equal(err.text, "INFER: more than 64 tensors");
	bytes_writer_deinit(&w);
}

static void infer_reply_comes_back(void **state)
{
	(void)state;
	struct wire_infer_reply reply = {.version = wire_text_of("2"),
		.generation = 3,
		.queue_us = 10,
		.run_us = 20,
		.n_outputs = 1,
		.outputs = {{.index = 0,
			.name = wire_text_of("y"),
			.type = DTYPE_UINT8,
			.shape = {2, {1, 3}},
			.bytes = 3,
			.data = some_data}}};
	struct wire_infer_reply back;
	struct bytes_writer w = {0};
	wire_infer_reply_encode(&w, &reply);
	assert_int_equal(wire_infer_reply_decode(w.data, w.size, 0, &back, NULL), 0);
	assert_int_equal(back.generation, 3);
	assert_int_equal(back.run_us, 20);
	assert_memory_equal(back.outputs[0].data, some_data, 3);
	assert_true(wire_text_is(back.outputs[0].name, "y"));
	assert_int_equal(wire_infer_reply_decode(w.data, w.size - 1, 0, &back, NULL), -EPROTO);
	bytes_writer_deinit(&w);
}

static void status_of_a_version_with_more_codes_is_understood(void **state)
{
	(void)state;
	struct wire_status status = {.uptime_us = 5,
		.queue_length = 2,
		.n_counts = EDGE_STATUS_COUNT,
		.counts = {11, 12}};
	struct bytes_writer w = {0};
	wire_status_encode(&w, &status);
	bytes_write_u64(&w, 99);
	size_t at = w.size - 8 * (EDGE_STATUS_COUNT + 1) - 4;
	w.data[at]++;
	struct wire_status back;
	assert_int_equal(wire_status_decode(w.data, w.size, &back, NULL), 0);
	assert_int_equal(back.n_counts, EDGE_STATUS_COUNT);
	assert_int_equal(back.counts[1], 12);
	assert_int_equal(back.queue_length, 2);
	bytes_writer_deinit(&w);
}

/* ---- the manual's example */

/* The hex bytes that lead each line of the @nth block of docs/protocol.md that begins with "45 44
 * 47 31". Two or more pairs of digits make a line of bytes. */
static size_t manual_frame(unsigned int nth, uint8_t *out, size_t size)
{
	FILE *file = fopen(SOURCE_ROOT "/docs/protocol.md", "r");
	assert_non_null(file);
	char line[512];
	size_t n = 0;
	bool inside = false;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "45 44 47 31", 11) == 0) {
			inside = nth-- == 1;
		} else if (strncmp(line, "```", 3) == 0) {
			inside = false;
		}
		unsigned int byte = 0;
		for (char *at = line; inside && n < size && isxdigit((unsigned char)at[0]) &&
			isxdigit((unsigned char)at[1]) && isspace((unsigned char)at[2]);) {
			sscanf(at, "%2x", &byte);
			out[n++] = (uint8_t)byte;
			at += 2;
			while (*at == ' ') {
				at++;
			}
		}
	}
	fclose(file);
	return n;
}

static void the_manuals_hello_is_what_the_encoder_writes(void **state)
{
	(void)state;
	uint8_t manual[256];
	size_t n = manual_frame(1, manual, sizeof(manual));
	struct bytes_writer w = {0};
	const struct wire_hello hello = {.major = 1, .name = wire_text_of("demo")};
	wire_hello_encode(&w, &hello);
	uint8_t header[WIRE_HEADER_BYTES];
	wire_header_encode(
		&(struct wire_header){.type = WIRE_HELLO, .id = 1, .body_bytes = (uint32_t)w.size},
		header);
	assert_int_equal(n, sizeof(header) + w.size);
	assert_memory_equal(manual, header, sizeof(header));
	assert_memory_equal(manual + sizeof(header), w.data, w.size);
	bytes_writer_deinit(&w);
}

static void the_manuals_infer_is_what_the_encoder_writes(void **state)
{
	(void)state;
	uint8_t manual[256];
	size_t n = manual_frame(2, manual, sizeof(manual));
	const int8_t data[4] = {1, 2, 3, -1};
	const struct wire_infer infer = {.model = wire_text_of("echo"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8, .shape = {2, {1, 4}}, .bytes = 4, .data = data}}};
	struct bytes_writer w = {0};
	wire_infer_encode(&w, &infer);
	struct wire_header header;
	assert_int_equal(wire_header_decode(manual, &header, NULL), 0);
	assert_int_equal(header.body_bytes, w.size);
	assert_int_equal(header.deadline_us, 1000000);
	assert_int_equal(n, WIRE_HEADER_BYTES + w.size);
	assert_memory_equal(manual + WIRE_HEADER_BYTES, w.data, w.size);
	bytes_writer_deinit(&w);
}

static void the_manuals_infer_in_shared_memory_is_what_the_encoder_writes(void **state)
{
	(void)state;
	uint8_t manual[256];
	size_t n = manual_frame(3, manual, sizeof(manual));
	static const struct wire_infer infer = {.regions = true,
		.model = {.data = "echo", .length = 4},
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.n_places = 1,
		.places = {{.region = 1, .offset = 64, .room = 64}},
		.inputs = {{.type = DTYPE_INT8, .shape = {2, {1, 4}}, .bytes = 4, .region = 1}}};
	struct bytes_writer w = {0};
	wire_infer_encode(&w, &infer);
	struct wire_header header;
	assert_int_equal(wire_header_decode(manual, &header, NULL), 0);
	assert_int_equal(header.flags, WIRE_FLAG_REGIONS);
	assert_int_equal(header.body_bytes, w.size);
	assert_int_equal(n, WIRE_HEADER_BYTES + w.size);
	assert_memory_equal(manual + WIRE_HEADER_BYTES, w.data, w.size);
	bytes_writer_deinit(&w);
}

static void store_messages_come_back(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	struct wire_store store = {.verb = WIRE_STORE_FORGET_BAD,
				  .model = wire_text_of("m"),
				  .argument = wire_text_of("0123abcd")},
			  back;
	wire_store_encode(&w, &store);
	for (size_t cut = 0; cut < w.size; cut++) {
		assert_int_equal(wire_store_decode(w.data, cut, &back, NULL), -EPROTO);
	}
	assert_int_equal(wire_store_decode(w.data, w.size, &back, NULL), 0);
	assert_int_equal(back.verb, WIRE_STORE_FORGET_BAD);
	assert_true(wire_text_is(back.model, "m"));
	assert_true(wire_text_is(back.argument, "0123abcd"));
	bytes_writer_deinit(&w);
	struct bytes_writer lines = {0};
	struct wire_text text;
	wire_store_reply_encode(&lines, wire_text_of("a\nb\n"));
	assert_int_equal(wire_store_reply_decode(lines.data, lines.size - 1, &text, NULL), -EPROTO);
	assert_int_equal(wire_store_reply_decode(lines.data, lines.size, &text, NULL), 0);
	assert_true(wire_text_is(text, "a\nb\n"));
	bytes_writer_deinit(&lines);
}

static void store_items_come_back(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	const struct wire_store_item item = {.model = {.name = wire_text_of("m"),
						     .version = wire_text_of("3"),
						     .state = wire_text_of("ready"),
						     .reason = wire_text_of(""),
						     .generation = 7},
		.sha256 = wire_text_of("ab"),
		.since = 1700000000,
		.by = 1000,
		.last_good = 2,
		.flags = WIRE_STORE_TRIAL};
	struct wire_store_item back;
	wire_store_item_encode(&w, &item);
	for (size_t cut = 0; cut < w.size; cut++) {
		struct bytes_reader r = bytes_reader_of(w.data, cut);
		assert_int_equal(wire_store_item_decode(&r, &back, NULL), -EPROTO);
	}
	struct bytes_reader r = bytes_reader_of(w.data, w.size);
	assert_int_equal(wire_store_item_decode(&r, &back, NULL), 0);
	assert_true(wire_text_is(back.sha256, "ab"));
	assert_int_equal(back.since, 1700000000);
	assert_int_equal(back.by, 1000);
	assert_int_equal(back.last_good, 2);
	assert_int_equal(back.flags, WIRE_STORE_TRIAL);
	assert_int_equal(back.model.generation, 7);
	bytes_writer_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_has_its_32_bytes_in_place),
		cmocka_unit_test(header_with_any_unknown_bit_is_refused_but_can_be_answered),
		cmocka_unit_test(hello_of_a_later_minor_is_understood),
		cmocka_unit_test(hello_reply_comes_back),
		cmocka_unit_test(hello_reply_of_1_1_tells_the_sessions),
		cmocka_unit_test(session_messages_have_their_bytes_in_place),
		cmocka_unit_test(errors_text_is_escaped_and_keeps_its_status),
		cmocka_unit_test(a_long_errors_text_is_cut),
		cmocka_unit_test(list_items_come_back),
		cmocka_unit_test(a_described_model_comes_back),
		cmocka_unit_test(infer_data_stands_at_multiples_of_64),
		cmocka_unit_test(infer_head_is_judged_before_its_data_came),
		cmocka_unit_test(a_tensor_whose_bytes_do_not_fit_its_shape_is_named),
		cmocka_unit_test(every_shorter_infer_is_refused),
		cmocka_unit_test(too_many_tensors_are_refused),
		cmocka_unit_test(infer_reply_comes_back),
		cmocka_unit_test(status_of_a_version_with_more_codes_is_understood),
		cmocka_unit_test(the_manuals_hello_is_what_the_encoder_writes),
		cmocka_unit_test(the_manuals_infer_is_what_the_encoder_writes),
		cmocka_unit_test(the_manuals_infer_in_shared_memory_is_what_the_encoder_writes),
		cmocka_unit_test(store_messages_come_back),
		cmocka_unit_test(store_items_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
