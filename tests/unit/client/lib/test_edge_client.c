/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/wire/wire.h"
#include "client/lib/edge_client.h"

/* The daemon's end of a connection: what it says is written before anybody asks, since ids count
 * from 1 (HELLO). */
struct fake {
	int fd;
	struct edge_client *client;
};

static void say_header(int fd, const struct wire_header *header)
{
	uint8_t bytes[WIRE_HEADER_BYTES];
	wire_header_encode(header, bytes);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
}

static void say(int fd, uint16_t type, uint64_t id, uint32_t status, struct bytes_writer *body)
{
	struct wire_header header = {.type = type | WIRE_REPLY,
		.id = id,
		.body_bytes = (uint32_t)body->size,
		.status = status};
	say_header(fd, &header);
	assert_int_equal(write(fd, body->data, body->size), body->size);
	bytes_writer_deinit(body);
}

static void say_empty(int fd, uint16_t type, uint64_t id)
{
	struct bytes_writer body = {0};
	say(fd, type, id, EDGE_OK, &body);
}

static void say_hello(int fd, uint16_t major, uint32_t max_body)
{
	struct bytes_writer body = {0};
	struct wire_hello_reply hello = {.major = major,
		.minor = 1,
		.capabilities = WIRE_CAP_SESSIONS,
		.max_sessions = 3,
		.max_body = max_body,
		.max_in_flight = 16,
		.max_tensors = WIRE_MAX_TENSORS,
		.name = wire_text_of("fake\x1b"),
		.version = wire_text_of("9")};
	wire_hello_reply_encode(&body, &hello);
	say(fd, WIRE_HELLO, 1, EDGE_OK, &body);
}

static void say_answer(int fd, uint64_t id, const char *version, int8_t value)
{
	struct bytes_writer body = {0};
	struct wire_infer_reply reply = {.version = wire_text_of(version),
		.run_us = 7,
		.n_outputs = 1,
		.outputs = {{.name = wire_text_of("scores"),
			.type = DTYPE_INT8,
			.shape = {2, {1, 1}},
			.bytes = 1,
			.data = &value}}};
	wire_infer_reply_encode(&body, &reply);
	say(fd, WIRE_INFER, id, EDGE_OK, &body);
}

static int connected(void **state)
{
	static struct fake fake;
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fake.fd = pair[1];
	say_hello(fake.fd, WIRE_MAJOR, 1 << 20);
	assert_int_equal(edge_client_open_fd(pair[0], 1000, &fake.client, NULL), 0);
	*state = &fake;
	return 0;
}

static int disconnected(void **state)
{
	struct fake *fake = *state;
	edge_client_close(fake->client);
	close(fake->fd);
	return 0;
}

static const int8_t sample = 5;
static const struct edge_client_tensor input = {
	.type = EDGE_CLIENT_INT8, .shape = {2, {1, 1}}, .data = &sample, .bytes = 1};
static const struct edge_client_request question = {
	.model = "echo", .n_inputs = 1, .inputs = &input};

static void the_greeting_is_kept_and_escaped(void **state)
{
	struct fake *fake = *state;
	const struct edge_client_peer *peer = edge_client_peer(fake->client);
	assert_string_equal(peer->name, "fake\\x1b");
	assert_string_equal(peer->version, "9");
	assert_int_equal(peer->max_body_bytes, 1 << 20);
	assert_int_equal(peer->protocol_minor, 1);
	assert_int_equal(peer->max_sessions, 3);
}

static void a_question_is_sent_as_the_protocol_has_it_and_answered(void **state)
{
	struct fake *fake = *state;
	struct edge_client_answer *answer = NULL;
	uint8_t sent[256];
	say_answer(fake->fd, 2, "v1", -3);
	assert_int_equal(edge_client_infer(fake->client, &question, 1000, &answer, NULL), 0);
	assert_string_equal(answer->version, "v1");
	assert_int_equal(answer->run_us, 7);
	assert_int_equal(answer->n_outputs, 1);
	assert_string_equal(answer->outputs[0].name, "scores");
	assert_int_equal(*(const int8_t *)answer->outputs[0].data, -3);
	assert_int_equal((uintptr_t)answer->outputs[0].data % 64, 0);
	edge_client_answer_free(answer);

	struct wire_header header = {0};
	struct wire_infer infer = {0};
	ssize_t n = recv(fake->fd, sent, sizeof(sent), 0);
	uint32_t hello_bytes = WIRE_HEADER_BYTES + bytes_get_u32(sent + 16);
	assert_true(n > (ssize_t)(hello_bytes + WIRE_HEADER_BYTES));
	assert_int_equal(wire_header_decode(sent + hello_bytes, &header, NULL), 0);
	assert_int_equal(header.type, WIRE_INFER);
	assert_int_equal(header.id, 2);
	assert_int_equal(header.deadline_us, 1000000);
	assert_int_equal(wire_infer_decode(sent + hello_bytes + WIRE_HEADER_BYTES,
				 header.body_bytes, 0, &infer, NULL),
		0);
	assert_true(wire_text_is(infer.model, "echo"));
	assert_int_equal(*(const int8_t *)infer.inputs[0].data, 5);
}

/* What callbacks saw, in order. */
struct seen {
	uint64_t id[8];
	int code[8];
	int8_t value[8];
	size_t n;
	struct edge_client *client; /* asked again from within the callback, if not NULL */
};

static void note(void *data, const struct edge_client_reply *reply)
{
	struct seen *seen = data;
	assert_true(seen->n < 8);
	seen->id[seen->n] = reply->id;
	seen->code[seen->n] = reply->error.code;
	if (reply->answer) {
		seen->value[seen->n] = *(const int8_t *)reply->answer->outputs[0].data;
	}
	seen->n++;
	if (seen->client) {
		uint64_t id = 0;
		struct edge_client *client = seen->client;
		seen->client = NULL;
		assert_int_equal(
			edge_client_start_infer(client, &question, note, seen, &id, NULL), 0);
	}
}

static void answers_find_their_questions_in_any_order(void **state)
{
	struct fake *fake = *state;
	struct seen seen = {0};
	uint64_t first = 0, second = 0, third = 0;
	assert_int_equal(
		edge_client_start_infer(fake->client, &question, note, &seen, &first, NULL), 0);
	assert_int_equal(
		edge_client_start_infer(fake->client, &question, note, &seen, &second, NULL), 0);
	assert_int_equal(edge_client_start_status(fake->client, note, &seen, &third, NULL), 0);
	assert_int_equal(edge_client_events(fake->client), POLLIN | POLLOUT);
	say_answer(fake->fd, second, "", 22);
	struct bytes_writer refusal = {0};
	wire_error_encode(&refusal, "queue is full");
	say(fake->fd, WIRE_STATUS, third, EDGE_OVERLOADED, &refusal);
	say_answer(fake->fd, first, "", 11);
	assert_int_equal(edge_client_process(fake->client, NULL), 0);
	assert_int_equal(edge_client_events(fake->client), POLLIN);
	assert_int_equal(seen.n, 3);
	assert_true(seen.id[0] == second && seen.value[0] == 22);
	assert_true(seen.id[1] == third && seen.code[1] == -EAGAIN);
	assert_true(seen.id[2] == first && seen.value[2] == 11);
	assert_int_equal(edge_client_in_flight(fake->client), 0);
}

static void a_callback_may_ask_again(void **state)
{
	struct fake *fake = *state;
	struct seen seen = {.client = fake->client};
	uint64_t id = 0;
	assert_int_equal(
		edge_client_start_infer(fake->client, &question, note, &seen, &id, NULL), 0);
	say_answer(fake->fd, 2, "", 1);
	say_answer(fake->fd, 3, "", 2);
	assert_int_equal(edge_client_process(fake->client, NULL), 0);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.value[1], 2);
}

static void bytes_may_come_one_by_one(void **state)
{
	struct fake *fake = *state;
	struct seen seen = {0};
	uint64_t id = 0;
	int pipe[2];
	uint8_t frame[512];
	assert_int_equal(
		edge_client_start_infer(fake->client, &question, note, &seen, &id, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pipe), 0);
	say_answer(pipe[1], id, "v", 9);
	ssize_t n = recv(pipe[0], frame, sizeof(frame), 0);
	for (ssize_t i = 0; i < n; i++) {
		assert_int_equal(seen.n, 0);
		assert_int_equal(write(fake->fd, frame + i, 1), 1);
		assert_int_equal(edge_client_process(fake->client, NULL), 0);
	}
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.value[0], 9);
	close(pipe[0]);
	close(pipe[1]);
}

static void a_refusal_has_a_status_and_a_text(void **state)
{
	struct fake *fake = *state;
	struct edge_client_answer *answer = NULL;
	struct edge_client_error err = {0};
	struct bytes_writer refusal = {0};
	wire_error_encode(&refusal, "no model \x01");
	say(fake->fd, WIRE_INFER, 2, EDGE_NOT_FOUND, &refusal);
	assert_int_equal(edge_client_infer(fake->client, &question, 1000, &answer, &err), -ENOENT);
	assert_int_equal(err.status, EDGE_CLIENT_NOT_FOUND);
	assert_string_equal(err.text, "no model \\x01");
	assert_null(answer);
}

static void who_gave_up_is_not_told_and_the_connection_goes_on(void **state)
{
	struct fake *fake = *state;
	struct edge_client_answer *answer = NULL;
	struct edge_client_status status = {0};
	struct edge_client_error err = {0};
	assert_int_equal(edge_client_infer(fake->client, &question, 1, &answer, &err), -ETIMEDOUT);
	assert_int_equal(err.status, EDGE_CLIENT_DEADLINE);
	assert_null(answer);
	assert_int_equal(edge_client_in_flight(fake->client), 2); /* INFER and its CANCEL */
	say_answer(fake->fd, 2, "late", 1);
	say_empty(fake->fd, WIRE_CANCEL, 3);
	struct bytes_writer body = {0};
	wire_status_encode(
		&body, &(struct wire_status){.workers = 3, .n_counts = 2, .counts = {8, 9}});
	say(fake->fd, WIRE_STATUS, 4, EDGE_OK, &body);
	assert_int_equal(edge_client_status(fake->client, 1000, &status, NULL), 0);
	assert_int_equal(status.workers, 3);
	assert_int_equal(status.counts[1], 9);
	assert_int_equal(edge_client_in_flight(fake->client), 0);
}

static void say_session(int fd, uint64_t id, uint32_t session)
{
	struct bytes_writer body = {0};
	wire_session_open_reply_encode(
		&body, &(struct wire_session_open_reply){.session = session});
	say(fd, WIRE_SESSION_OPEN, id, EDGE_OK, &body);
}

/* The header and body of message number @n of them. */
static struct wire_header message_of(const uint8_t *bytes, int n, const uint8_t **ret_body)
{
	struct wire_header header = {0};
	for (int i = 0; i < n; i++) {
		assert_int_equal(wire_header_decode(bytes, &header, NULL), 0);
		*ret_body = bytes + WIRE_HEADER_BYTES;
		bytes += WIRE_HEADER_BYTES + header.body_bytes;
	}
	return header;
}

static void a_session_is_opened_asked_reset_and_closed(void **state)
{
	struct fake *fake = *state;
	struct edge_client_answer *answer = NULL;
	uint32_t session = 0, named = 0;
	uint8_t bytes[1024];
	const uint8_t *body = NULL;
	say_session(fake->fd, 2, 77);
	assert_int_equal(edge_client_session_open(fake->client, "m", "7", 1000, &session, NULL), 0);
	assert_int_equal(session, 77);
	say_answer(fake->fd, 3, "v1", 4);
	assert_int_equal(
		edge_client_session_infer(fake->client, session, &question, 1000, &answer, NULL),
		0);
	edge_client_answer_free(answer);
	say_empty(fake->fd, WIRE_SESSION_RESET, 4);
	assert_int_equal(edge_client_session_reset(fake->client, session, 1000, NULL), 0);
	say_empty(fake->fd, WIRE_SESSION_CLOSE, 5);
	assert_int_equal(edge_client_session_close(fake->client, session, 1000, NULL), 0);

	assert_true(recv(fake->fd, bytes, sizeof(bytes), 0) > 0);
	struct wire_header header = message_of(bytes, 2, &body);
	struct wire_session_open open = {0};
	assert_int_equal(wire_session_open_decode(body, header.body_bytes, &open, NULL), 0);
	assert_true(wire_text_is(open.model, "m") && wire_text_is(open.version, "7"));
	header = message_of(bytes, 3, &body);
	assert_int_equal(header.type, WIRE_INFER);
	assert_int_equal(header.session, 77);
	header = message_of(bytes, 5, &body);
	assert_int_equal(header.type, WIRE_SESSION_CLOSE);
	assert_int_equal(header.session, 0);
	assert_int_equal(
		wire_session_decode(body, header.body_bytes, header.type, &named, NULL), 0);
	assert_int_equal(named, 77);
}

static void a_session_that_came_too_late_is_closed(void **state)
{
	struct fake *fake = *state;
	struct edge_client_status status = {0};
	uint32_t session = 0, named = 0;
	uint8_t bytes[1024];
	const uint8_t *body = NULL;
	assert_int_equal(
		edge_client_session_open(fake->client, "m", NULL, 1, &session, NULL), -ETIMEDOUT);
	assert_int_equal(session, 0);
	say_session(fake->fd, 2, 5);
	say_empty(fake->fd, WIRE_CANCEL, 3);
	struct bytes_writer reply = {0};
	wire_status_encode(&reply, &(struct wire_status){0});
	say(fake->fd, WIRE_STATUS, 4, EDGE_OK, &reply);
	assert_int_equal(edge_client_status(fake->client, 1000, &status, NULL), 0);
	assert_int_equal(edge_client_in_flight(fake->client), 1);
	assert_int_equal(edge_client_process(fake->client, NULL), 0);
	assert_true(recv(fake->fd, bytes, sizeof(bytes), 0) > 0);
	struct wire_header header = message_of(bytes, 5, &body);
	assert_int_equal(
		wire_session_decode(body, header.body_bytes, WIRE_SESSION_CLOSE, &named, NULL), 0);
	assert_int_equal(header.type, WIRE_SESSION_CLOSE);
	assert_int_equal(named, 5);
}

static void a_daemon_of_1_0_has_no_sessions(void **state)
{
	(void)state;
	int pair[2];
	uint32_t session = 0;
	struct edge_client *client = NULL;
	struct edge_client_error err = {0};
	struct bytes_writer body = {0};
	const struct wire_hello_reply hello = {.major = 1, .max_body = 1000};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	wire_hello_reply_encode(&body, &hello);
	say(pair[1], WIRE_HELLO, 1, EDGE_OK, &body);
	assert_int_equal(edge_client_open_fd(pair[0], 1000, &client, NULL), 0);
	assert_int_equal(edge_client_peer(client)->max_sessions, 0);
	assert_int_equal(
		edge_client_session_open(client, "m", NULL, 1000, &session, &err), -EOPNOTSUPP);
	assert_int_equal(err.status, EDGE_CLIENT_UNSUPPORTED);
	assert_int_equal(edge_client_session_close(client, 1, 1000, NULL), -EOPNOTSUPP);
	edge_client_close(client);
	close(pair[1]);
}

static void an_answers_strings_are_whole(void **state)
{
	struct fake *fake = *state;
	struct edge_client_answer *answer = NULL;
	struct edge_client_error err = {0};
	uint8_t table[15] = {1, 0, 0, 0, 12, 0, 0, 0, 15, 0, 0, 0, 'y', 'e', 's'};
	for (int round = 0; round < 2; round++) {
		struct bytes_writer body = {0};
		struct wire_infer_reply reply = {.n_outputs = 1,
			.outputs = {{.type = DTYPE_STRING, .bytes = 15, .data = table}}};
		wire_infer_reply_encode(&body, &reply);
		say(fake->fd, WIRE_INFER, 2 + (uint64_t)round, EDGE_OK, &body);
		int r = edge_client_infer(fake->client, &question, 1000, &answer, &err);
		assert_int_equal(r, round == 0 ? 0 : -EPROTO);
		if (round == 0) {
			assert_int_equal(answer->outputs[0].bytes, 15);
			edge_client_answer_free(answer);
		}
		table[8] = 16;
	}
	assert_non_null(strstr(err.text, "output 0"));
}

static void cancelling_what_is_not_waiting_is_an_error(void **state)
{
	struct fake *fake = *state;
	assert_int_equal(edge_client_cancel(fake->client, 77, NULL), -ENOENT);
}

/* Everybody who waits is told, and the connection stays dead. */
static void check_lost(struct fake *fake, int code)
{
	struct seen seen = {0};
	uint64_t id = 0;
	struct edge_client_status status;
	assert_int_equal(
		edge_client_start_infer(fake->client, &question, note, &seen, &id, NULL), 0);
	struct edge_client_error err = {0};
	assert_int_equal(edge_client_process(fake->client, &err), code);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.code[0], code);
	assert_true(err.text[0] != 0);
	assert_int_equal(edge_client_status(fake->client, 1000, &status, &err), code);
}

static void a_peer_that_hangs_up_loses_all_questions(void **state)
{
	struct fake *fake = *state;
	shutdown(fake->fd, SHUT_RDWR);
	check_lost(fake, -ENOTCONN);
}

static void a_frame_without_magic_ends_the_connection(void **state)
{
	struct fake *fake = *state;
	char garbage[WIRE_HEADER_BYTES] = "HTTP/1.1 400 Bad Request";
	assert_int_equal(write(fake->fd, garbage, sizeof(garbage)), sizeof(garbage));
	check_lost(fake, -EPROTO);
}

static void a_reply_nobody_asked_for_ends_the_connection(void **state)
{
	struct fake *fake = *state;
	say_empty(fake->fd, WIRE_LIST, 99);
	check_lost(fake, -EPROTO);
}

static void a_reply_of_another_type_ends_the_connection(void **state)
{
	struct fake *fake = *state;
	say_empty(fake->fd, WIRE_LIST, 2);
	check_lost(fake, -EPROTO);
}

static void an_oversized_reply_is_not_allocated(void **state)
{
	struct fake *fake = *state;
	say_header(fake->fd,
		&(struct wire_header){
			.type = WIRE_INFER | WIRE_REPLY, .id = 2, .body_bytes = UINT32_MAX});
	check_lost(fake, -EPROTO);
}

static void a_truncated_body_ends_the_connection(void **state)
{
	struct fake *fake = *state;
	struct bytes_writer body = {0};
	struct wire_infer_reply reply = {.n_outputs = 1,
		.outputs = {{.type = DTYPE_INT8, .shape = {1, {4}}, .bytes = 4, .data = "abcd"}}};
	wire_infer_reply_encode(&body, &reply);
	body.size -= 1;
	say(fake->fd, WIRE_INFER, 2, EDGE_OK, &body);
	check_lost(fake, -EPROTO);
}

static void a_list_is_copied_text_by_text(void **state)
{
	struct fake *fake = *state;
	struct edge_client_list *list = NULL;
	struct bytes_writer body = {0};
	wire_list_encode(&body, 2);
	wire_list_item_encode(&body,
		&(struct wire_list_item){.name = wire_text_of("a"),
			.version = wire_text_of("1"),
			.state = wire_text_of("ready"),
			.generation = 4});
	wire_list_item_encode(&body,
		&(struct wire_list_item){.name = wire_text_of("b"),
			.state = wire_text_of("refused"),
			.reason = wire_text_of("why")});
	say(fake->fd, WIRE_LIST, 2, EDGE_OK, &body);
	assert_int_equal(edge_client_list(fake->client, 1000, &list, NULL), 0);
	assert_int_equal(list->n_items, 2);
	assert_string_equal(list->items[0].name, "a");
	assert_int_equal(list->items[0].generation, 4);
	assert_string_equal(list->items[1].version, "");
	assert_string_equal(list->items[1].reason, "why");
	edge_client_list_free(list);
}

static void a_model_is_described_with_its_tensors(void **state)
{
	struct fake *fake = *state;
	struct edge_client_model *model = NULL;
	struct bytes_writer body = {0};
	const float mean[2] = {1.5f, 2.5f};
	struct wire_tensor_info info = {.name = wire_text_of("in"),
		.type = DTYPE_UINT8,
		.shape = {1, {4}},
		.declared = {1, {-1}},
		.scale = 0.5f,
		.zero_point = -3,
		.bytes = 4,
		.n_mean = 2,
		.mean = (const uint8_t *)mean,
		.labels = wire_text_of("x\ny")};
	wire_model_encode(&body,
		&(struct wire_model){.name = wire_text_of("m"), .macs = 12, .n_signatures = 1});
	wire_signature_encode(&body, &(struct wire_signature){.n_inputs = 1, .n_outputs = 1});
	wire_tensor_info_encode(&body, &info);
	wire_tensor_info_encode(&body, &info);
	say(fake->fd, WIRE_DESCRIBE, 2, EDGE_OK, &body);
	assert_int_equal(edge_client_describe(fake->client, "m", NULL, 1000, &model, NULL), 0);
	assert_int_equal(model->macs, 12);
	const struct edge_client_tensor_info *in = &model->signatures[0].inputs[0];
	assert_string_equal(in->name, "in");
	assert_int_equal(in->declared.dim[0], -1);
	assert_int_equal(in->zero_point, -3);
	assert_true(in->n_mean == 2 && in->mean[1] == 2.5f);
	assert_string_equal(model->signatures[0].outputs[0].labels, "x\ny");
	edge_client_model_free(model);
}

static void a_question_above_the_daemons_limit_is_not_sent(void **state)
{
	struct fake *fake = *state;
	static int8_t big[2 << 20];
	struct edge_client_tensor tensor = {.type = EDGE_CLIENT_INT8,
		.shape = {1, {sizeof(big)}},
		.data = big,
		.bytes = sizeof(big)};
	struct edge_client_request request = {.model = "echo", .n_inputs = 1, .inputs = &tensor};
	struct edge_client_answer *answer = NULL;
	assert_int_equal(edge_client_infer(fake->client, &request, 1000, &answer, NULL), -EFBIG);
	tensor.bytes--;
	assert_int_equal(edge_client_infer(fake->client, &request, 1000, &answer, NULL), -EINVAL);
}

static void another_major_version_is_refused(void **state)
{
	(void)state;
	int pair[2];
	struct edge_client *client = NULL;
	struct edge_client_error err = {0};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	say_hello(pair[1], WIRE_MAJOR + 1, 1000);
	assert_int_equal(edge_client_open_fd(pair[0], 1000, &client, &err), -EPROTO);
	assert_null(client);
	close(pair[1]);
}

static void nobody_listens_where_there_is_no_socket(void **state)
{
	(void)state;
	struct edge_client *client = NULL;
	struct edge_client_error err = {0};
	assert_int_equal(
		edge_client_open("/nonexistent/edged.sock", 1000, &client, &err), -ENOTCONN);
	assert_int_equal(edge_client_open("", 1000, &client, &err), -EINVAL);
}

#define connected_test(f) cmocka_unit_test_setup_teardown(f, connected, disconnected)

int main(void)
{
	const struct CMUnitTest tests[] = {
		connected_test(the_greeting_is_kept_and_escaped),
		connected_test(a_question_is_sent_as_the_protocol_has_it_and_answered),
		connected_test(answers_find_their_questions_in_any_order),
		connected_test(a_callback_may_ask_again),
		connected_test(bytes_may_come_one_by_one),
		connected_test(a_refusal_has_a_status_and_a_text),
		connected_test(who_gave_up_is_not_told_and_the_connection_goes_on),
		connected_test(a_session_is_opened_asked_reset_and_closed),
		connected_test(a_session_that_came_too_late_is_closed),
		cmocka_unit_test(a_daemon_of_1_0_has_no_sessions),
		connected_test(an_answers_strings_are_whole),
		connected_test(cancelling_what_is_not_waiting_is_an_error),
		connected_test(a_peer_that_hangs_up_loses_all_questions),
		connected_test(a_frame_without_magic_ends_the_connection),
		connected_test(a_reply_nobody_asked_for_ends_the_connection),
		connected_test(a_reply_of_another_type_ends_the_connection),
		connected_test(an_oversized_reply_is_not_allocated),
		connected_test(a_truncated_body_ends_the_connection),
		connected_test(a_list_is_copied_text_by_text),
		connected_test(a_model_is_described_with_its_tensors),
		connected_test(a_question_above_the_daemons_limit_is_not_sent),
		cmocka_unit_test(another_major_version_is_refused),
		cmocka_unit_test(nobody_listens_where_there_is_no_socket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
