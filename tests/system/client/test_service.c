/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, strings, sizes that only a run knows, loops and checkpoints, with the real engine and
 * the client library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strings.h"
#include "client/lib/edge_client.h"
#include "tests/system/daemon.h"

#define PATIENCE_MS 60000
#define CONFIG                                                                                     \
	"[daemon]\nworkers = 4\n[limits]\nmax-body = 1M\n"                                         \
	"[models]\nmax-loops = 100000\nmax-checkpoint-bytes = 1K\n"

static void model_put(struct daemon *daemon, const char *from, const char *file)
{
	char path[256];
	static uint8_t bytes[65536];
	snprintf(path, sizeof(path), "tests/data/%s/model.tflite", from);
	FILE *in = fopen(path, "re");
	assert_non_null(in);
	size_t n = fread(bytes, 1, sizeof(bytes), in);
	fclose(in);
	daemon_put_bytes(daemon, file, bytes, n);
}

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_config(daemon, CONFIG);
	model_put(daemon, "SERVICE_signatures", "sig.tflite");
	model_put(daemon, "SERVICE_endless", "endless.tflite");
	daemon_start(daemon, true);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

/* ---- asking */

static struct edge_client *open_client(const struct daemon *daemon)
{
	struct edge_client *client = NULL;
	struct edge_client_error err;
	if (edge_client_open(daemon->socket, PATIENCE_MS, &client, &err) < 0) {
		fail_msg("%s", err.text);
	}
	return client;
}

static uint32_t open_session(struct edge_client *client)
{
	uint32_t session = 0;
	struct edge_client_error err;
	if (edge_client_session_open(client, "sig", NULL, PATIENCE_MS, &session, &err) < 0) {
		fail_msg("%s", err.text);
	}
	return session;
}

/* What is asked of one signature, with at most two inputs. */
struct question {
	struct edge_client_request request;
	struct edge_client_tensor inputs[2];
	float x[4];
	int32_t pads[2];
	uint8_t table[256];
};

static struct question *make(struct question *q, const char *signature, uint32_t n_inputs)
{
	memset(q, 0, sizeof(*q));
	q->request = (struct edge_client_request){
		.model = "sig", .signature = signature, .n_inputs = n_inputs, .inputs = q->inputs};
	return q;
}

static struct question *add_question(struct question *q, float value)
{
	make(q, "add", 1);
	for (int i = 0; i < 4; i++) {
		q->x[i] = value * (float)(i + 1);
	}
	q->inputs[0] = (struct edge_client_tensor){
		.name = "x", .shape = {1, {4}}, .data = q->x, .bytes = sizeof(q->x)};
	return q;
}

static struct question *text_question(struct question *q, const char *signature, const char *text)
{
	make(q, signature, 1);
	struct strings_writer w = strings_writer_of(q->table, 1);
	strings_put(&w, text, (uint32_t)strlen(text));
	q->inputs[0] = (struct edge_client_tensor){
		.type = EDGE_CLIENT_STRING, .data = q->table, .bytes = w.end};
	return q;
}

static struct question *pad_question(struct question *q, int32_t before, int32_t after)
{
	make(q, "pad", 2);
	q->pads[0] = before;
	q->pads[1] = after;
	q->x[0] = 1;
	q->x[1] = 2;
	q->inputs[0] = (struct edge_client_tensor){
		.name = "x", .shape = {1, {2}}, .data = q->x, .bytes = 8};
	q->inputs[1] = (struct edge_client_tensor){.name = "pads",
		.type = EDGE_CLIENT_INT32,
		.shape = {2, {1, 2}},
		.data = q->pads,
		.bytes = 8};
	return q;
}

static int ask(struct edge_client *client, uint32_t session, const struct question *q,
	struct edge_client_answer **ret_answer, struct edge_client_error *err)
{
	*ret_answer = NULL;
	return session ? edge_client_session_infer(
				 client, session, &q->request, PATIENCE_MS, ret_answer, err)
		       : edge_client_infer(client, &q->request, PATIENCE_MS, ret_answer, err);
}

static struct edge_client_answer *expect_ok(
	struct edge_client *client, uint32_t session, const struct question *q)
{
	struct edge_client_answer *answer = NULL;
	struct edge_client_error err;
	if (ask(client, session, q, &answer, &err) < 0) {
		fail_msg("%s", err.text);
	}
	return answer;
}

/* The error's text has @text in it. */
static void expect_error(struct edge_client *client, uint32_t session, const struct question *q,
	unsigned int status, const char *text)
{
	struct edge_client_answer *answer = NULL;
	struct edge_client_error err = {0};
	assert_true(ask(client, session, q, &answer, &err) < 0);
	if (err.status != status || !strstr(err.text, text)) {
		fail_msg("%s: %s", edge_client_code_name(err.status), err.text);
	}
}

static float first_of(struct edge_client *client, uint32_t session, const struct question *q)
{
	struct edge_client_answer *answer = expect_ok(client, session, q);
	float value = *(const float *)answer->outputs[0].data;
	edge_client_answer_free(answer);
	return value;
}

static float add(struct edge_client *client, uint32_t session, float value)
{
	struct question q;
	return first_of(client, session, add_question(&q, value));
}

static float read_total(struct edge_client *client, uint32_t session)
{
	struct question q;
	return first_of(client, session, make(&q, "read", 0));
}

static void tell(struct edge_client *client, uint32_t session, const char *what, const char *text)
{
	struct question q;
	edge_client_answer_free(expect_ok(client, session, text_question(&q, what, text)));
}

static void restart(struct daemon *daemon)
{
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_start(daemon, true);
}

/* ---- the tests */

static void signatures_share_the_state_of_a_session(void **state)
{
	struct edge_client *client = open_client(*state);
	uint32_t session = open_session(client);
	assert_true(add(client, session, 1) == 1);
	assert_true(add(client, session, 2) == 3);
	assert_true(read_total(client, session) == 3);
	tell(client, session, "save", "three");
	assert_true(add(client, session, 4) == 7);
	tell(client, session, "restore", "three");
	assert_true(read_total(client, session) == 3);
	assert_int_equal(edge_client_session_reset(client, session, PATIENCE_MS, NULL), 0);
	assert_true(read_total(client, session) == 0);
	assert_int_equal(edge_client_session_close(client, session, PATIENCE_MS, NULL), 0);
	edge_client_close(client);
}

static void sessions_and_requests_without_are_independent(void **state)
{
	struct edge_client *client = open_client(*state), *other = open_client(*state);
	uint32_t a = open_session(client), b = open_session(client), c = open_session(other);
	for (int i = 1; i <= 10; i++) {
		assert_true(add(client, a, 1) == (float)i);
		assert_true(add(client, b, 10) == (float)(10 * i));
		assert_true(add(other, c, 100) == (float)(100 * i));
		assert_true(add(client, 0, 5) == 5);
		assert_true(read_total(other, 0) == 0);
	}
	edge_client_close(client);
	edge_client_close(other);
}

struct order {
	int answered;
	float total;
};

static void on_answer(void *data, const struct edge_client_reply *reply)
{
	struct order *order = data;
	assert_int_equal(reply->error.code, 0);
	order->answered++;
	order->total += (float)order->answered;
	const float *sum = reply->answer->outputs[0].data;
	assert_true(sum[0] == order->total && sum[3] == 4 * order->total);
}

static void process_until(struct edge_client *client, const int *value, int wanted)
{
	while (*value != wanted) {
		struct pollfd ready = {edge_client_fd(client), edge_client_events(client), 0};
		assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
		assert_int_equal(edge_client_process(client, NULL), 0);
	}
}

static void many_at_once_come_in_their_order(void **state)
{
	struct edge_client *client = open_client(*state);
	uint32_t session = open_session(client);
	struct order order = {0};
	struct question q;
	uint64_t id = 0;
	for (int i = 1; i <= 100; i++) {
		assert_int_equal(
			edge_client_start_session_infer(client, session,
				&add_question(&q, (float)i)->request, on_answer, &order, &id, NULL),
			0);
	}
	process_until(client, &order.answered, 100);
	edge_client_close(client);
}

static void a_run_that_fails_leaves_the_state(void **state)
{
	struct edge_client *client = open_client(*state);
	uint32_t session = open_session(client);
	struct question q;
	add(client, session, 5);
	expect_error(client, session, text_question(&q, "restore", "never saved"),
		EDGE_CLIENT_INVALID, "never saved");
	expect_error(
		client, session, text_question(&q, "restore", "none"), EDGE_CLIENT_INVALID, "none");
	expect_error(client, session, text_question(&q, "save", "../out"), EDGE_CLIENT_INVALID,
		"../out");
	expect_error(client, session, pad_question(&q, -1, 0), EDGE_CLIENT_INVALID, "PAD");
	assert_true(read_total(client, session) == 5);
	edge_client_close(client);
}

static void checkpoints_survive_a_restart(void **state)
{
	struct daemon *daemon = *state;
	char path[256];
	struct stat st;
	struct edge_client *client = open_client(daemon);
	uint32_t session = open_session(client);
	add(client, session, 6);
	tell(client, session, "save", "kept");
	edge_client_close(client);
	snprintf(path, sizeof(path), "%s/state/checkpoints/sig", daemon->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(path, sizeof(path), "%s/state/checkpoints/endless", daemon->folder);
	assert_int_not_equal(stat(path, &st), 0); /* it saves nothing */
	snprintf(path, sizeof(path), "%s/state/checkpoints/sig/.left.0x1", daemon->folder);
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
	restart(daemon);
	assert_int_not_equal(stat(path, &st), 0);
	client = open_client(daemon);
	session = open_session(client);
	tell(client, session, "restore", "kept");
	assert_true(read_total(client, session) == 6);
	edge_client_close(client);
}

static void checkpoints_have_a_limit(void **state)
{
	struct edge_client *client = open_client(*state);
	uint32_t session = open_session(client);
	struct edge_client_answer *answer = NULL;
	struct edge_client_error err = {0};
	struct question q;
	char name[16];
	int r = 0;
	for (int i = 0; i < 60 && r == 0; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		r = ask(client, session, text_question(&q, "save", name), &answer, &err);
		edge_client_answer_free(answer);
	}
	assert_int_equal(err.status, EDGE_CLIENT_TOO_LARGE);
	assert_non_null(strstr(err.text, "1024"));
	assert_true(add(client, session, 1) == 1);
	edge_client_close(client);
}

static void without_a_state_folder_nothing_is_saved(void **state)
{
	struct daemon *daemon = *state;
	char from[256], to[256];
	snprintf(from, sizeof(from), "%s/state", daemon->folder);
	snprintf(to, sizeof(to), "%s/away", daemon->folder);
	assert_int_equal(rename(from, to), 0);
	restart(daemon);
	struct edge_client *client = open_client(daemon);
	uint32_t session = open_session(client);
	struct question q;
	expect_error(client, session, text_question(&q, "save", "a"), EDGE_CLIENT_DENIED, "folder");
	assert_true(add(client, session, 1) == 1);
	edge_client_close(client);
	assert_int_equal(rename(to, from), 0);
	restart(daemon);
}

static void what_only_the_run_sizes_is_answered(void **state)
{
	struct edge_client *client = open_client(*state);
	struct edge_client_model *model = NULL;
	struct question q;
	assert_int_equal(edge_client_describe(client, "sig", NULL, PATIENCE_MS, &model, NULL), 0);
	assert_int_equal(model->n_signatures, 8);
	assert_string_equal(model->signatures[6].key, "pad");
	assert_true(model->signatures[6].outputs[0].run_time_shape);
	assert_false(model->signatures[1].outputs[0].run_time_shape);
	edge_client_model_free(model);
	for (int32_t n = 0; n < 200000; n = 3 * n + 1) {
		struct edge_client_answer *answer = expect_ok(client, 0, pad_question(&q, 1, n));
		const struct edge_client_tensor *y = &answer->outputs[0];
		const float *data = y->data;
		assert_int_equal(y->shape.dim[0], n + 3);
		assert_int_equal(y->bytes, 4 * (n + 3));
		assert_true(data[0] == 0 && data[1] == 1 && data[2] == 2);
		edge_client_answer_free(answer);
	}
	edge_client_close(client);
}

/* The answer would have 4 MB, and max-body is 1 MB. */
static void a_reply_above_the_limit_is_refused_and_the_session_goes_on(void **state)
{
	struct edge_client *client = open_client(*state);
	uint32_t session = open_session(client);
	struct question q;
	assert_true(add(client, session, 1) == 1);
	expect_error(
		client, session, pad_question(&q, 0, 1000000), EDGE_CLIENT_TOO_LARGE, "1048576");
	expect_error(client, 0, pad_question(&q, 0, 1000000), EDGE_CLIENT_TOO_LARGE, "1048576");
	assert_true(add(client, session, 1) == 2);
	assert_true(first_of(client, session, pad_question(&q, 0, 1)) == 1);
	edge_client_close(client);
}

/* @n strings of @length bytes, and what came back: which are "yes", and all of them twice. */
static void expect_words(struct edge_client *client, uint32_t n, uint32_t length)
{
	struct question q;
	uint8_t *table =
		aligned_alloc(64, ((size_t)strings_head_bytes(n) + n * length + 64) & ~63u);
	char *text = malloc(length + 1);
	assert_true(table && text);
	memset(text, 'z', length + 1);
	struct strings_writer w = strings_writer_of(table, n);
	for (uint32_t i = 0; i < n; i++) {
		strings_put(&w, i % 2 ? "yes" : text, i % 2 && length >= 3 ? 3 : length);
	}
	make(&q, "words", 1);
	q.inputs[0] = (struct edge_client_tensor){.type = EDGE_CLIENT_STRING,
		.shape = {1, {(int32_t)n}},
		.data = table,
		.bytes = w.end};
	struct edge_client_answer *answer = expect_ok(client, 0, &q);
	struct strings twice, sent;
	const bool *is_yes = answer->outputs[1].data;
	assert_int_equal(strings_open(&sent, table, w.end, n, NULL), 0);
	assert_int_equal(strings_open(&twice, answer->outputs[0].data, answer->outputs[0].bytes,
				 2 * (uint64_t)n, NULL),
		0);
	for (uint32_t i = 0; i < 2 * n; i++) {
		uint32_t got = 0, wanted = 0;
		const void *a = strings_get(&twice, i, &got);
		const void *b = strings_get(&sent, i % n, &wanted);
		assert_int_equal(got, wanted);
		assert_memory_equal(a, b, wanted);
	}
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(is_yes[i], i % 2 && length >= 3);
	}
	edge_client_answer_free(answer);
	free(table);
	free(text);
}

static void strings_of_any_number_and_size(void **state)
{
	struct edge_client *client = open_client(*state);
	expect_words(client, 1, 0);
	expect_words(client, 1, 400000);
	expect_words(client, 2, 3);
	expect_words(client, 1000, 100);
	expect_words(client, 20000, 1);
	edge_client_close(client);
}

static void a_table_that_is_not_whole_is_invalid(void **state)
{
	struct edge_client *client = open_client(*state);
	struct question q;
	const size_t sizes[] = {0, 4, 8, 12, 14};
	text_question(&q, "words", "yes");
	q.inputs[0].shape = (struct edge_client_shape){1, {1}};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		q.inputs[0].bytes = sizes[i];
		expect_error(client, 0, &q, EDGE_CLIENT_INVALID, "input 0");
	}
	q.inputs[0].bytes = 15;
	edge_client_answer_free(expect_ok(client, 0, &q));
	for (size_t at = 0; at < 12; at++) { /* every bit of count and offsets */
		for (unsigned int bit = 0; bit < 8; bit++) {
			q.table[at] ^= (uint8_t)(1u << bit);
			expect_error(client, 0, &q, EDGE_CLIENT_INVALID, "input 0");
			q.table[at] ^= (uint8_t)(1u << bit);
		}
	}
	q.inputs[0].shape.dim[0] = 2;
	expect_error(client, 0, &q, EDGE_CLIENT_INVALID, "input 0");
	edge_client_close(client);
}

/* The file says [4]: another length is the planner's to judge, who finds the variable's to differ. */
static void inputs_may_have_any_shape_that_can_be_run(void **state)
{
	struct edge_client *client = open_client(*state);
	uint32_t session = open_session(client);
	struct question q;
	pad_question(&q, 0, 1);
	q.inputs[0].shape = (struct edge_client_shape){1, {1}};
	q.inputs[0].bytes = 4;
	struct edge_client_answer *answer = expect_ok(client, session, &q);
	assert_int_equal(answer->outputs[0].shape.dim[0], 2);
	edge_client_answer_free(answer);
	q.inputs[0].shape = (struct edge_client_shape){2, {1, 1}};
	expect_error(client, session, &q, EDGE_CLIENT_INVALID, "PAD");
	add_question(&q, 1);
	q.inputs[0].shape = (struct edge_client_shape){1, {3}};
	q.inputs[0].bytes = 12;
	expect_error(client, session, &q, EDGE_CLIENT_INVALID, "ADD");
	assert_true(add(client, session, 1) == 1);
	edge_client_close(client);
}

static struct question *endless_question(struct question *q, uint32_t deadline_us)
{
	add_question(q, 1);
	q->request.model = "endless";
	q->request.signature = NULL;
	q->request.deadline_us = deadline_us;
	q->inputs[0].shape = (struct edge_client_shape){1, {1}};
	q->inputs[0].bytes = 4;
	return q;
}

static void a_loop_without_end_is_ended(void **state)
{
	struct daemon *daemon = *state;
	struct edge_client *client = open_client(daemon);
	struct question q;
	expect_error(client, 0, endless_question(&q, 0), EDGE_CLIENT_DEADLINE, "100000");
	edge_client_close(client);
	daemon_config(daemon, "[models]\nmax-loops = 4000000000000000000\n");
	restart(daemon);
	client = open_client(daemon);
	/* The loop or the run itself, whoever is first, finds the words. */
	expect_error(client, 0, endless_question(&q, 20000), EDGE_CLIENT_DEADLINE, "");
	edge_client_close(client);
}

static void ignore(void *data, const struct edge_client_reply *reply)
{
	(void)reply;
	(*(int *)data)++;
}

/* In the configuration of the test before nothing else ends the loop. */
static void a_client_that_leaves_ends_its_run(void **state)
{
	struct daemon *daemon = *state;
	struct edge_client *client = open_client(daemon), *other = open_client(daemon);
	struct edge_client_status status;
	struct question q;
	uint32_t session = 0;
	int told = 0;
	uint64_t id = 0;
	assert_int_equal(
		edge_client_session_open(client, "endless", NULL, PATIENCE_MS, &session, NULL), 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(
			edge_client_start_session_infer(client, session,
				&endless_question(&q, 0)->request, ignore, &told, &id, NULL),
			0);
	}
	do {
		assert_int_equal(edge_client_process(client, NULL), 0);
		assert_int_equal(edge_client_status(other, PATIENCE_MS, &status, NULL), 0);
	} while (status.running != 1 || status.queue_length != 4);
	edge_client_close(client);
	assert_int_equal(told, 5);
	do {
		assert_int_equal(edge_client_status(other, PATIENCE_MS, &status, NULL), 0);
	} while (status.running + status.queue_length > 0 || status.clients > 1);
	edge_client_close(other);
	daemon_config(daemon, CONFIG);
	restart(daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_share_the_state_of_a_session),
		cmocka_unit_test(sessions_and_requests_without_are_independent),
		cmocka_unit_test(many_at_once_come_in_their_order),
		cmocka_unit_test(a_run_that_fails_leaves_the_state),
		cmocka_unit_test(checkpoints_survive_a_restart),
		cmocka_unit_test(checkpoints_have_a_limit),
		cmocka_unit_test(without_a_state_folder_nothing_is_saved),
		cmocka_unit_test(what_only_the_run_sizes_is_answered),
		cmocka_unit_test(a_reply_above_the_limit_is_refused_and_the_session_goes_on),
		cmocka_unit_test(strings_of_any_number_and_size),
		cmocka_unit_test(a_table_that_is_not_whole_is_invalid),
		cmocka_unit_test(inputs_may_have_any_shape_that_can_be_run),
		cmocka_unit_test(a_loop_without_end_is_ended),
		cmocka_unit_test(a_client_that_leaves_ends_its_run),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
