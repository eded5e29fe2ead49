/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_put(daemon, "echo.labels.txt", "one\ntwo\n");
	daemon_put(daemon, "wide.tflite", "echo 100000");
	daemon_put(daemon, "bad.tflite", "subgraph 0, node 3: no such thing");
	daemon_config(daemon, "[limits]\nmax-body = 1M\nmax-in-flight = 4\n");
	daemon_start(daemon, false);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

static void hello_tells_version_and_limits(void **state)
{
	struct peer peer = peer_connect(*state);
	struct bytes_writer w = {0};
	/* A later minor, every capability, fields that nobody knows. */
	const struct wire_hello hello = {.major = 1,
		.minor = 9,
		.capabilities = ~UINT64_C(0),
		.name = wire_text_of("later")};
	wire_hello_encode(&w, &hello);
	bytes_write_u64(&w, 1);
	peer_send(&peer, WIRE_HELLO, 5, 0, &w);
	struct answer answer = peer_receive(&peer);
	struct wire_hello_reply reply;
	assert_int_equal(answer.header.type, WIRE_HELLO | WIRE_REPLY);
	assert_int_equal(answer.header.id, 5);
	assert_int_equal(
		wire_hello_reply_decode(answer.body, answer.header.body_bytes, &reply, NULL), 0);
	assert_int_equal(reply.major, 1);
	assert_int_equal(reply.minor, WIRE_MINOR);
	assert_int_equal(reply.capabilities,
		WIRE_CAP_SESSIONS | WIRE_CAP_SHARED_MEMORY | WIRE_CAP_ADMIN | WIRE_CAP_STREAMS |
			WIRE_CAP_RINGS);
	assert_int_equal(reply.max_body, 1 << 20);
	assert_int_equal(reply.max_in_flight, 4);
	assert_true(wire_text_is(reply.name, "edged"));
	peer_send(&peer, WIRE_HELLO, 6, 0, &w);
	peer_expect(&peer, 6, EDGE_INVALID);
	peer_send(&peer, WIRE_LIST, 7, 0, NULL);
	peer_expect(&peer, 7, EDGE_OK);
	answer_free(&answer);
	bytes_writer_deinit(&w);
	peer_close(&peer);
}

static void another_major_is_unsupported_and_closed(void **state)
{
	struct peer peer = peer_connect(*state);
	struct bytes_writer w = {0};
	const struct wire_hello hello = {.major = 2, .name = wire_text_of("far")};
	wire_hello_encode(&w, &hello);
	peer_send(&peer, WIRE_HELLO, 1, 0, &w);
	peer_expect(&peer, 1, EDGE_UNSUPPORTED);
	peer_expect_closed(&peer);
	bytes_writer_deinit(&w);
	peer_close(&peer);
}

static void a_first_message_other_than_hello_is_closed(void **state)
{
	struct peer peer = peer_connect(*state);
	peer_send(&peer, WIRE_LIST, 3, 0, NULL);
	peer_expect(&peer, 3, EDGE_INVALID);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

static void an_unknown_message_is_unsupported_and_the_connection_stays(void **state)
{
	struct peer peer = peer_open(*state);
	struct bytes_writer w = {0};
	bytes_reserve(&w, 100000);
	peer_send(&peer, 77, 1, 0, &w);
	peer_expect(&peer, 1, EDGE_UNSUPPORTED);
	peer_send(&peer, WIRE_LIST, 2, 0, NULL);
	peer_expect(&peer, 2, EDGE_OK);
	bytes_writer_deinit(&w);
	peer_close(&peer);
}

static void list_names_ready_and_refused_models(void **state)
{
	struct peer peer = peer_open(*state);
	peer_send(&peer, WIRE_LIST, 1, 0, NULL);
	struct answer answer = peer_receive(&peer);
	struct wire_list_item echo = answer_find(&answer, "echo");
	struct wire_list_item bad = answer_find(&answer, "bad");
	assert_true(wire_text_is(echo.state, "ready"));
	assert_true(wire_text_is(echo.version, "1"));
	assert_int_not_equal(echo.generation, 0);
	assert_true(wire_text_is(bad.state, "refused"));
	assert_true(wire_text_is(bad.reason, "subgraph 0, node 3: no such thing"));
	assert_int_equal(bad.generation, 0);
	answer_free(&answer);
	peer_close(&peer);
}

static void describe(struct peer *peer, uint64_t id, const char *model, const char *version)
{
	struct bytes_writer w = {0};
	const struct wire_describe describe = {
		.model = wire_text_of(model), .version = wire_text_of(version)};
	wire_describe_encode(&w, &describe);
	peer_send(peer, WIRE_DESCRIBE, id, 0, &w);
	bytes_writer_deinit(&w);
}

static void describe_has_every_signature_and_tensor(void **state)
{
	struct peer peer = peer_open(*state);
	describe(&peer, 1, "echo", "");
	struct answer answer = peer_receive(&peer);
	struct bytes_reader r = bytes_reader_of(answer.body, answer.header.body_bytes);
	struct wire_model model;
	assert_int_equal(wire_model_decode(&r, &model, NULL), 0);
	assert_true(wire_text_is(model.labels, "one\ntwo\n"));
	assert_int_equal(model.n_signatures, 2);
	for (uint32_t i = 0; i < 2; i++) {
		struct wire_signature signature;
		struct wire_tensor_info x, y;
		assert_int_equal(wire_signature_decode(&r, &signature, NULL), 0);
		assert_true(wire_text_is(signature.key, i == 0 ? "" : "serve"));
		assert_int_equal(wire_tensor_info_decode(&r, &x, NULL), 0);
		assert_int_equal(wire_tensor_info_decode(&r, &y, NULL), 0);
		assert_true(wire_text_is(x.name, "x"));
		assert_true(wire_text_is(y.name, "y"));
		assert_int_equal(x.type, DTYPE_INT8);
		assert_int_equal(x.shape.dim[0], 1);
		assert_int_equal(x.declared.dim[0], -1);
		assert_true(x.scale == 0.5f);
		assert_true(isnan(x.score_threshold));
	}
	assert_int_equal(wire_end(&r, WIRE_DESCRIBE, NULL), 0);
	answer_free(&answer);
	peer_close(&peer);
}

static void describe_of_what_is_not_there_says_why(void **state)
{
	struct peer peer = peer_open(*state);
	describe(&peer, 1, "nobody", "");
	peer_expect(&peer, 1, EDGE_NOT_FOUND);
	describe(&peer, 2, "echo", "7");
	peer_expect(&peer, 2, EDGE_NOT_FOUND);
	describe(&peer, 3, "bad", "");
	peer_expect(&peer, 3, EDGE_MODEL_REFUSED);
	describe(&peer, 4, "../echo", "");
	peer_expect(&peer, 4, EDGE_NOT_FOUND);
	describe(&peer, 5, "", "");
	peer_expect(&peer, 5, EDGE_NOT_FOUND);
	peer_close(&peer);
}

static void a_name_has_every_byte_that_it_has(void **state)
{
	struct peer peer = peer_open(*state);
	struct bytes_writer w = {0};
	const struct wire_describe asked = {.model = {.data = "echo\0x", .length = 6}};
	wire_describe_encode(&w, &asked);
	peer_send(&peer, WIRE_DESCRIBE, 1, 0, &w);
	peer_expect(&peer, 1, EDGE_NOT_FOUND);
	bytes_writer_deinit(&w);
	peer_close(&peer);
}

static void infer_answers_small_and_large(void **state)
{
	struct peer peer = peer_open(*state);
	peer_infer(&peer, 1, "echo", 4, 42, 0);
	peer_expect_echo(&peer, 1, 4, 42);
	peer_infer(&peer, 2, "wide", 100000, -3, 0);
	peer_expect_echo(&peer, 2, 100000, -3);
	peer_infer(&peer, 2, "wide", 100000, 7, 60000000);
	peer_expect_echo(&peer, 2, 100000, 7);
	peer_close(&peer);
}

static void send_infer(struct peer *peer, uint64_t id, struct wire_infer *infer)
{
	struct bytes_writer w = {0};
	wire_infer_encode(&w, infer);
	peer_send(peer, WIRE_INFER, id, 0, &w);
	bytes_writer_deinit(&w);
}

static void infer_by_name_signature_shape_and_wanted_output(void **state)
{
	struct peer peer = peer_open(*state);
	const int8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct wire_infer infer = {.model = wire_text_of("echo"),
		.version = wire_text_of("1"),
		.signature = wire_text_of("serve"),
		.n_inputs = 1,
		.n_wanted = 1,
		.inputs = {{.index = WIRE_BY_NAME,
			.name = wire_text_of("x"),
			.type = DTYPE_INT8,
			.shape = {2, {2, 4}},
			.bytes = 8,
			.data = data}}};
	send_infer(&peer, 1, &infer);
	struct answer answer = peer_receive(&peer);
	static struct wire_infer_reply reply;
	assert_int_equal(
		wire_infer_reply_decode(answer.body, answer.header.body_bytes, 0, &reply, NULL), 0);
	assert_true(wire_text_is(reply.version, "1"));
	assert_true(wire_text_is(reply.outputs[0].name, "y"));
	assert_int_equal(reply.outputs[0].shape.dim[0], 2);
	assert_memory_equal(reply.outputs[0].data, data, 8);
	answer_free(&answer);
	infer.n_wanted = 2; /* the only one, twice; and its place counts, whatever it is called */
	infer.inputs[0].index = 0;
	infer.inputs[0].name = wire_text_of("nobody");
	send_infer(&peer, 2, &infer);
	answer = peer_receive(&peer);
	assert_int_equal(
		wire_infer_reply_decode(answer.body, answer.header.body_bytes, 0, &reply, NULL), 0);
	assert_int_equal(reply.n_outputs, 2);
	assert_memory_equal(reply.outputs[0].data, data, 8);
	assert_memory_equal(reply.outputs[1].data, data, 8);
	answer_free(&answer);
	infer.n_wanted = 0; /* nothing wanted: it runs, and says how long it took */
	send_infer(&peer, 2, &infer);
	peer_expect(&peer, 2, EDGE_OK);
	/* The session that was resized serves the planned shape again. */
	peer_infer(&peer, 3, "echo", 4, 9, 0);
	peer_expect_echo(&peer, 3, 4, 9);
	peer_close(&peer);
}

static void infer_that_does_not_fit_the_model_is_refused(void **state)
{
	struct peer peer = peer_open(*state);
	const int8_t data[16] = {0};
	const struct wire_infer good = {.model = wire_text_of("echo"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8, .shape = {2, {1, 4}}, .bytes = 4, .data = data}}};
	static struct wire_infer infer; /* large */
	infer = good;
	infer.inputs[0].type = DTYPE_UINT8;
	send_infer(&peer, 1, &infer);
	peer_expect(&peer, 1, EDGE_INVALID);
	infer = good;
	infer.inputs[0].shape = (struct shape){2, {1, 5}};
	infer.inputs[0].bytes = 5;
	send_infer(&peer, 2, &infer);
	peer_expect(&peer, 2, EDGE_INVALID);
	infer = good;
	infer.n_inputs = 2;
	infer.inputs[1] = infer.inputs[0];
	send_infer(&peer, 3, &infer);
	peer_expect(&peer, 3, EDGE_INVALID);
	infer = good;
	infer.n_inputs = 0;
	send_infer(&peer, 4, &infer);
	peer_expect(&peer, 4, EDGE_INVALID);
	infer = good;
	infer.n_wanted = 1;
	infer.wanted[0] = 1;
	send_infer(&peer, 5, &infer);
	peer_expect(&peer, 5, EDGE_NOT_FOUND);
	infer = good;
	infer.signature = wire_text_of("other");
	send_infer(&peer, 6, &infer);
	peer_expect(&peer, 6, EDGE_NOT_FOUND);
	infer = good;
	infer.inputs[0].index = WIRE_BY_NAME;
	infer.inputs[0].name = wire_text_of("z");
	send_infer(&peer, 7, &infer);
	peer_expect(&peer, 7, EDGE_NOT_FOUND);
	infer = good;
	infer.inputs[0].bytes = 3;
	send_infer(&peer, 8, &infer);
	peer_expect(&peer, 8, EDGE_INVALID);
	send_infer(&peer, 9, &(struct wire_infer){.model = good.model, .n_inputs = 1});
	peer_expect(&peer, 9, EDGE_INVALID);
	peer_infer(&peer, 10, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 10, 4, 1);
	peer_close(&peer);
}

/* 900,000 bytes for a model that takes 4 are the planner's to refuse; those for nobody are refused by
 * their head, and the rest is thrown away. */
static void a_large_body_for_a_small_model_is_refused(void **state)
{
	struct peer peer = peer_open(*state);
	peer_infer(&peer, 1, "echo", 900000, 1, 0);
	peer_expect(&peer, 1, EDGE_INVALID);
	peer_infer(&peer, 2, "nobody", 900000, 1, 0);
	peer_expect(&peer, 2, EDGE_NOT_FOUND);
	peer_infer(&peer, 3, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 3, 4, 1);
	peer_close(&peer);
}

static void a_body_above_the_limit_closes_the_connection(void **state)
{
	struct peer peer = peer_open(*state);
	uint8_t header[WIRE_HEADER_BYTES];
	wire_header_encode(
		&(struct wire_header){.type = WIRE_INFER, .id = 8, .body_bytes = (1 << 20) + 1},
		header);
	peer_send_bytes(&peer, header, sizeof(header));
	peer_expect(&peer, 8, EDGE_TOO_LARGE);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

static void status_counts_by_code(void **state)
{
	struct peer peer = peer_open(*state);
	struct wire_status before, after;
	peer_send(&peer, WIRE_STATUS, 1, 0, NULL);
	struct answer answer = peer_receive(&peer);
	assert_int_equal(
		wire_status_decode(answer.body, answer.header.body_bytes, &before, NULL), 0);
	answer_free(&answer);
	peer_infer(&peer, 2, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 2, 4, 1);
	peer_infer(&peer, 3, "nobody", 4, 1, 0);
	peer_expect(&peer, 3, EDGE_NOT_FOUND);
	peer_send(&peer, WIRE_STATUS, 4, 0, NULL);
	answer = peer_receive(&peer);
	assert_int_equal(
		wire_status_decode(answer.body, answer.header.body_bytes, &after, NULL), 0);
	answer_free(&answer);
	assert_int_equal(after.models_ready, 2);
	assert_int_equal(after.models_refused, 1);
	assert_int_equal(after.counts[EDGE_OK], before.counts[EDGE_OK] + 1);
	assert_int_equal(after.counts[EDGE_NOT_FOUND], before.counts[EDGE_NOT_FOUND] + 1);
	assert_true(after.uptime_us > before.uptime_us);
	assert_true(after.resident_bytes > 0);
	assert_int_equal(after.queue_length, 0);
	peer_close(&peer);
}

static void requests_with_a_body_that_they_do_not_have_are_invalid(void **state)
{
	static const unsigned int types[] = {
		WIRE_LIST, WIRE_STATUS, WIRE_RELOAD, WIRE_CANCEL, WIRE_DESCRIBE, WIRE_INFER};
	struct peer peer = peer_open(*state);
	struct bytes_writer w = {0};
	bytes_write_u8(&w, 1);
	for (uint64_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		peer_send(&peer, types[i], i, 0, &w);
		peer_expect(&peer, i, EDGE_INVALID);
	}
	bytes_reserve(&w, 5000);
	peer_send(&peer, WIRE_LIST, 9, 0, &w);
	peer_expect(&peer, 9, EDGE_INVALID);
	peer_send(&peer, WIRE_LIST, 10, 0, NULL);
	peer_expect(&peer, 10, EDGE_OK);
	bytes_writer_deinit(&w);
	peer_close(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_tells_version_and_limits),
		cmocka_unit_test(another_major_is_unsupported_and_closed),
		cmocka_unit_test(a_first_message_other_than_hello_is_closed),
		cmocka_unit_test(an_unknown_message_is_unsupported_and_the_connection_stays),
		cmocka_unit_test(list_names_ready_and_refused_models),
		cmocka_unit_test(describe_has_every_signature_and_tensor),
		cmocka_unit_test(describe_of_what_is_not_there_says_why),
		cmocka_unit_test(a_name_has_every_byte_that_it_has),
		cmocka_unit_test(infer_answers_small_and_large),
		cmocka_unit_test(infer_by_name_signature_shape_and_wanted_output),
		cmocka_unit_test(infer_that_does_not_fit_the_model_is_refused),
		cmocka_unit_test(a_large_body_for_a_small_model_is_refused),
		cmocka_unit_test(a_body_above_the_limit_closes_the_connection),
		cmocka_unit_test(status_counts_by_code),
		cmocka_unit_test(requests_with_a_body_that_they_do_not_have_are_invalid),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
