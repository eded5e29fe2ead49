/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation, mapping, read and thread start of edged fails once in turn: of its start, of a
 * client's messages, of a reload that finds a model changed, gone and come back, and of
 * cancellations. edged may
 * refuse to start and say why, a model may be refused with a reason, a request may be answered with
 * an error or its connection closed. What comes after that is right, and nothing is leaked (the
 * address sanitizer's build sees that at each end).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define N_MODELS 3
#define MOST_BYTES ((size_t)1 << 20)
#define MOST_CALLS 20000 /* a fault that is never unused would go on for ever */

static const char *const names[N_MODELS] = {"digits", "keyword", "vibration"};

/* What is asked of a model, and what it answers. */
struct question {
	uint8_t type;
	struct shape shape;
	uint32_t bytes;
	void *input;
	struct answer right;
};

struct bench {
	struct daemon daemon;
	struct question questions[N_MODELS];
	uint8_t *file; /* a model's bytes on their way */
};

/* ---- models */

static void model_put(struct bench *bench, const char *name)
{
	char path[256], file[64];
	snprintf(path, sizeof(path), "packaging/models/%s.tflite", name);
	FILE *in = fopen(path, "re");
	assert_non_null(in);
	size_t n = fread(bench->file, 1, MOST_BYTES, in);
	fclose(in);
	snprintf(file, sizeof(file), "%s.tflite", name);
	daemon_put_bytes(&bench->daemon, file, bench->file, n);
}

/* ---- the armed call */

/* Says whether the last one has failed. */
static bool arm(struct bench *bench, unsigned long call)
{
	struct daemon *daemon = &bench->daemon;
	assert_int_equal(sigqueue(daemon->pid, SIGUSR2, (union sigval){.sival_int = (int)call}), 0);
	daemon_wait_log(daemon, "fault: ");
	return strncmp(daemon->text + daemon->seen, "fired", 5) == 0;
}

/* ---- messages */

/* Asks, in a session or with 0, and gets the answer, if any comes. An error has a text. */
static bool ask_in(struct peer *peer, uint32_t session, enum wire_type type,
	const struct bytes_writer *body, struct answer *ret_answer)
{
	struct error err = {0};
	peer_send_in(peer, session, type, (uint64_t)type, 0, body);
	if (!peer_try_receive(peer, ret_answer)) {
		return false;
	}
	const struct wire_header *header = &ret_answer->header;
	if (header->status != EDGE_OK) {
		wire_error_decode(ret_answer->body, header->body_bytes, header->status, &err);
		assert_true(err.text[0] != 0);
	}
	return true;
}

static bool ask(struct peer *peer, enum wire_type type, const struct bytes_writer *body,
	struct answer *ret_answer)
{
	return ask_in(peer, 0, type, body, ret_answer);
}

/* As above, nobody looks at the answer. True when there was one, of status OK. */
static bool ask_plain(struct peer *peer, enum wire_type type, const struct bytes_writer *body)
{
	struct answer answer = {0};
	bool ok = ask(peer, type, body, &answer) && answer.header.status == EDGE_OK;
	answer_free(&answer);
	return ok;
}

static bool say_hello(struct peer *peer)
{
	struct bytes_writer w = {0};
	const struct wire_hello hello = {.major = WIRE_MAJOR,
		.minor = WIRE_MINOR,
		.capabilities = WIRE_CAP_SESSIONS,
		.name = wire_text_of("faults")};
	wire_hello_encode(&w, &hello);
	bool ok = ask_plain(peer, WIRE_HELLO, &w);
	bytes_writer_deinit(&w);
	return ok;
}

static bool describe(struct peer *peer, const char *name, struct answer *ret_answer)
{
	struct bytes_writer w = {0};
	const struct wire_describe wanted = {.model = wire_text_of(name)};
	wire_describe_encode(&w, &wanted);
	bool there = ask(peer, WIRE_DESCRIBE, &w, ret_answer);
	bytes_writer_deinit(&w);
	return there;
}

static bool cancel(struct peer *peer)
{
	struct bytes_writer w = {0};
	struct answer answer = {0};
	wire_cancel_encode(&w, 77);
	bool ok = ask(peer, WIRE_CANCEL, &w, &answer) && answer.header.status == EDGE_NOT_FOUND;
	bytes_writer_deinit(&w);
	answer_free(&answer);
	return ok;
}

static bool infer(struct peer *peer, uint32_t session, const char *name, struct question *question,
	struct answer *ret_answer)
{
	struct bytes_writer w = {0};
	const struct wire_infer wanted = {.model = wire_text_of(name),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = question->type,
			.shape = question->shape,
			.bytes = question->bytes,
			.data = question->input}}};
	wire_infer_encode(&w, &wanted);
	bool there = ask_in(peer, session, WIRE_INFER, &w, ret_answer);
	bytes_writer_deinit(&w);
	return there;
}

/* The bytes of the first output. */
static struct wire_tensor output_of(const struct answer *answer)
{
	static struct wire_infer_reply reply;
	assert_int_equal(
		wire_infer_reply_decode(answer->body, answer->header.body_bytes, 0, &reply, NULL),
		0);
	return reply.outputs[0];
}

/* An answer of status OK is right, always. */
static bool infer_and_compare(
	struct peer *peer, uint32_t session, const char *name, struct question *question)
{
	struct answer answer = {0};
	bool ok = infer(peer, session, name, question, &answer) && answer.header.status == EDGE_OK;
	if (ok) {
		struct wire_tensor output = output_of(&answer);
		struct wire_tensor right = output_of(&question->right);
		assert_int_equal(output.bytes, right.bytes);
		assert_memory_equal(output.data, right.data, right.bytes);
	}
	answer_free(&answer);
	return ok;
}

/* As above, within a session of the first model. */
static bool talk_in_a_session(struct peer *peer, struct question *question)
{
	struct bytes_writer open = {0}, named = {0};
	struct wire_session_open_reply reply;
	struct answer answer = {0};
	wire_session_open_encode(
		&open, &(struct wire_session_open){.model = wire_text_of(names[0])});
	bool ok = ask(peer, WIRE_SESSION_OPEN, &open, &answer) && answer.header.status == EDGE_OK;
	if (ok) {
		assert_int_equal(wire_session_open_reply_decode(
					 answer.body, answer.header.body_bytes, &reply, NULL),
			0);
		wire_session_encode(&named, reply.session);
		ok = infer_and_compare(peer, reply.session, names[0], question);
		ok = ask_plain(peer, WIRE_SESSION_RESET, &named) && ok;
		ok = infer_and_compare(peer, reply.session, "", question) && ok;
		ok = ask_plain(peer, WIRE_SESSION_CLOSE, &named) && ok;
	}
	answer_free(&answer);
	bytes_writer_deinit(&open);
	bytes_writer_deinit(&named);
	return ok;
}

/* One of each message. True when every answer came and was right. */
static bool talk(struct bench *bench)
{
	struct peer peer = peer_connect(&bench->daemon);
	peer.may_be_closed = true;
	bool ok = say_hello(&peer);
	ok = ask_plain(&peer, WIRE_LIST, NULL) && ok;
	for (size_t i = 0; i < N_MODELS; i++) {
		struct answer answer = {0};
		ok = describe(&peer, names[i], &answer) && answer.header.status == EDGE_OK && ok;
		answer_free(&answer);
		ok = infer_and_compare(&peer, 0, names[i], &bench->questions[i]) && ok;
	}
	ok = talk_in_a_session(&peer, &bench->questions[0]) && ok;
	ok = ask_plain(&peer, WIRE_STATUS, NULL) && ok;
	ok = cancel(&peer) && ok;
	ok = ask_plain(&peer, WIRE_RELOAD, NULL) && ok;
	peer_close(&peer);
	return ok;
}

/* ---- questions and right answers, of an edged that has no faults */

static void question_make(struct peer *peer, const char *name, struct question *question)
{
	struct answer answer = {0};
	struct wire_model model;
	struct wire_signature signature;
	struct wire_tensor_info info;
	assert_true(describe(peer, name, &answer));
	assert_int_equal(answer.header.status, EDGE_OK);
	struct bytes_reader r = bytes_reader_of(answer.body, answer.header.body_bytes);
	assert_int_equal(wire_model_decode(&r, &model, NULL), 0);
	assert_int_equal(wire_signature_decode(&r, &signature, NULL), 0);
	assert_int_equal(signature.n_inputs, 1);
	assert_int_equal(wire_tensor_info_decode(&r, &info, NULL), 0);
	*question = (struct question){
		.type = info.type, .shape = info.shape, .bytes = (uint32_t)info.bytes};
	answer_free(&answer);
	uint8_t *input = malloc(question->bytes);
	assert_non_null(input);
	for (uint32_t i = 0; i < question->bytes; i++) {
		input[i] = (uint8_t)(i * 37 + 11);
	}
	question->input = input;
	assert_true(infer(peer, 0, name, question, &question->right));
	assert_int_equal(question->right.header.status, EDGE_OK);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	bench->file = malloc(MOST_BYTES);
	assert_non_null(bench->file);
	daemon_prepare(&bench->daemon);
	daemon_config(&bench->daemon, "[daemon]\nworkers = 2\n");
	for (size_t i = 0; i < N_MODELS; i++) {
		model_put(bench, names[i]);
	}
	daemon_start(&bench->daemon, true);
	struct peer peer = peer_open(&bench->daemon);
	for (size_t i = 0; i < N_MODELS; i++) {
		question_make(&peer, names[i], &bench->questions[i]);
	}
	peer_close(&peer);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	daemon_end(&bench->daemon);
	for (size_t i = 0; i < N_MODELS; i++) {
		free(bench->questions[i].input);
		answer_free(&bench->questions[i].right);
	}
	free(bench->file);
	free(bench);
	return 0;
}

static void stop(struct bench *bench)
{
	daemon_signal(&bench->daemon, SIGTERM);
	assert_int_equal(daemon_wait(&bench->daemon), 0);
}

static void reload(struct bench *bench)
{
	daemon_signal(&bench->daemon, SIGHUP);
	daemon_wait_log(&bench->daemon, "reloading");
	daemon_wait_log(&bench->daemon, "models ready");
}

/* ---- the tests */

/* True when the fault came. */
static bool start_with(struct bench *bench, unsigned long call)
{
	char text[24];
	struct daemon *daemon = &bench->daemon;
	snprintf(text, sizeof(text), "%lu", call);
	setenv("FAULT_CALL", text, 1);
	daemon_spawn(daemon, true);
	unsetenv("FAULT_CALL");
	if (!daemon_look_log(daemon, "models ready")) {
		int status = daemon_wait(daemon);
		if ((status != 1 && status != 2) || daemon->length == 0) {
			fail_msg("call %lu: status %d: %s", call, status, daemon->text);
		}
		return true;
	}
	bool fired = arm(bench, 0);
	reload(bench);
	if (!talk(bench)) {
		fail_msg("call %lu: %s", call, daemon->text);
	}
	stop(bench);
	return fired;
}

static void a_start_survives_or_says_why_not(void **state)
{
	struct bench *bench = *state;
	unsigned long call = 1;
	stop(bench);
	while (start_with(bench, call)) {
		assert_true(++call < MOST_CALLS);
	}
	print_message("%lu calls\n", call - 1);
	assert_true(call > N_MODELS);
	daemon_start(&bench->daemon, true);
}

static void a_message_fails_alone(void **state)
{
	struct bench *bench = *state;
	unsigned long call = 0;
	assert_true(talk(bench));
	do {
		assert_true(++call < MOST_CALLS);
		arm(bench, call);
		talk(bench);
	} while (arm(bench, 0) && talk(bench));
	print_message("%lu calls\n", call - 1);
	assert_true(call > N_MODELS);
	assert_true(talk(bench));
}

static void expect_models(struct bench *bench, unsigned int n)
{
	struct peer peer = peer_open(&bench->daemon);
	struct answer answer = {0};
	assert_true(ask(&peer, WIRE_LIST, NULL, &answer));
	struct bytes_reader r = bytes_reader_of(answer.body, answer.header.body_bytes);
	uint32_t found = 0;
	assert_int_equal(wire_list_decode(&r, &found, NULL), 0);
	assert_int_equal(found, n);
	answer_free(&answer);
	peer_close(&peer);
}

/* A reload in which a call fails, and one in which none does. True when the fault came. */
static bool reload_twice(struct bench *bench, unsigned long call)
{
	arm(bench, call);
	reload(bench);
	bool fired = arm(bench, 0);
	reload(bench);
	return fired;
}

static void a_reload_is_made_up_for_by_the_next(void **state)
{
	struct bench *bench = *state;
	unsigned long call = 0;
	bool fired = true;
	while (fired) {
		assert_true(++call < MOST_CALLS);
		daemon_remove(&bench->daemon, "vibration.tflite");
		model_put(bench, "digits");
		fired = reload_twice(bench, call);
		expect_models(bench, N_MODELS - 1);
		model_put(bench, "vibration");
		fired = reload_twice(bench, call) || fired;
		expect_models(bench, N_MODELS);
		if (!talk(bench)) {
			fail_msg("call %lu: %s", call, bench->daemon.text);
		}
	}
	print_message("%lu calls\n", call - 1);
	assert_true(call > N_MODELS);
}

/* Waits until the last request has left: then nothing runs, and nothing is counted. */
static void wait_idle(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	for (bool busy = true; busy;) {
		struct wire_status status;
		struct answer answer = {0};
		assert_true(ask(&peer, WIRE_STATUS, NULL, &answer));
		assert_int_equal(
			wire_status_decode(answer.body, answer.header.body_bytes, &status, NULL),
			0);
		busy = status.running + status.queue_length > 0 || status.clients > 1;
		answer_free(&answer);
	}
	peer_close(&peer);
}

/* One request runs, one waits, both are cancelled, each with a call that fails. True when it came.
 * With another engine: this one's models run until they are let go. */
static bool cancel_with(struct bench *bench, unsigned long call)
{
	struct daemon *daemon = &bench->daemon;
	struct answer answer = {0};
	struct peer peer = peer_open(daemon);
	peer.may_be_closed = true;
	peer_infer(&peer, 1, "slow", 4, 1, 0);
	daemon_wait_running(daemon);
	peer_infer(&peer, 2, "slow", 4, 2, 0);
	peer_infer(&peer, 3, "slow", 4, 3, 0);
	peer_send(&peer, WIRE_STATUS, 4, 0, NULL); /* its answer: the others are in the queue */
	peer_expect(&peer, 4, EDGE_OK);
	arm(bench, call);
	peer_cancel(&peer, 10, 2);
	peer_cancel(&peer, 11, 1);
	peer_cancel(&peer, 12, 3);
	for (int cancels = 0; cancels < 3 && peer_try_receive(&peer, &answer);) {
		cancels += answer.header.id >= 10;
		answer_free(&answer);
	}
	peer_close(&peer);
	bool fired = arm(bench, 0);
	wait_idle(daemon);
	peer = peer_open(daemon);
	peer_infer(&peer, 1, "echo", 4, 7, 0);
	peer_expect_echo(&peer, 1, 4, 7);
	peer_close(&peer);
	return fired;
}

static void a_cancellation_fails_alone(void **state)
{
	char line[128];
	struct bench *bench = calloc(1, sizeof(*bench));
	unsigned long call = 1;
	(void)state;
	assert_non_null(bench);
	daemon_prepare(&bench->daemon);
	daemon_config(&bench->daemon, "[daemon]\nworkers = 1\n");
	snprintf(line, sizeof(line), "slow %s/gate", bench->daemon.folder);
	daemon_put(&bench->daemon, "slow.tflite", line);
	daemon_put(&bench->daemon, "echo.tflite", "echo 4");
	daemon_start(&bench->daemon, false);
	while (cancel_with(bench, call)) {
		assert_true(++call < MOST_CALLS);
	}
	print_message("%lu calls\n", call - 1);
	assert_true(call > N_MODELS);
	daemon_end(&bench->daemon);
	free(bench);
}

int main(void)
{
	for (size_t i = 0; i < N_MODELS; i++) {
		char path[256];
		snprintf(path, sizeof(path), "packaging/models/%s.tflite", names[i]);
		if (access(path, R_OK) != 0) {
			printf("SKIPPED: %s is not there\n", path);
			return 77;
		}
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_survives_or_says_why_not),
		cmocka_unit_test(a_message_fails_alone),
		cmocka_unit_test(a_reload_is_made_up_for_by_the_next),
		cmocka_unit_test(a_cancellation_fails_alone),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
