/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>

#include "tests/fakes/fake_bridge.h"
#include "tests/fakes/fake_edged_client.h"
#include "tests/unit/daemon/temp_folder.h"

#define DIGIT                                                                                      \
	"[source]\nkind = picture\n[model]\nname = digits\n"                                       \
	"[post]\nkind = classes\n"

static struct bridge bridge; /* too large for the stack */
static char connection[8]; /* stands for the connection to edged */

/* Pipeline "digit" with source "cam"; edged is there. */
static int setup(void **state)
{
	size_t bad = 1;
	assert_int_equal(temp_folder_set_up(state), 0);
	const struct temp_folder *folder = *state;
	memset(&edged, 0, sizeof(edged));
	fake_bridge_start(&bridge, 10, 100);
	temp_folder_put(folder, "digit.conf", DIGIT);
	snprintf(bridge.settings.pipelines, sizeof(bridge.settings.pipelines), "%s", folder->path);
	assert_int_equal(pipelines_load(&bridge.pipelines, &bad, NULL), 0);
	assert_int_equal(bad, 0);
	pipelines_add_known_source(
		&bridge.pipelines, bridge.brokers.connections[0], "digit", "cam");
	bridge.edged.client = (struct edge_client *)connection;
	return 0;
}

static int teardown(void **state)
{
	bridge.pipelines.stopped = true;
	bridge.pipelines.epoch++;
	pipelines_forget_requests(&bridge.pipelines);
	end_calls(edged.runs, edged.n_runs);
	end_calls(edged.opens, edged.n_opens);
	bridge.edged.client = NULL;
	fake_bridge_end(&bridge);
	return temp_folder_tear_down(state);
}

static struct worker_model_request wanted(uint64_t id)
{
	struct worker_model_request q = {.id = id,
		.model = "digits",
		.connection_id = 1,
		.source = "cam",
		.priority = EDGE_CLIENT_NORMAL,
		.n = 1,
		.tensors = {{.type = DTYPE_INT8, .shape = {.rank = 1, .dim = {2}}, .bytes = 2}}};
	q.tensors[0].data = calloc(1, 2);
	assert_non_null(q.tensors[0].data);
	return q;
}

static bool request_with(struct worker_model_request q)
{
	return pipelines_request_model(&bridge.pipelines, &q, 0);
}

static void request(uint64_t id)
{
	assert_true(request_with(wanted(id)));
}

static void request_of_session(uint64_t id, uint64_t session)
{
	struct worker_model_request q = wanted(id);
	q.session = session;
	assert_true(request_with(q));
}

static void start_waiting(void)
{
	pipelines_start_waiting(&bridge.pipelines);
}

static void succeed(struct call *call)
{
	static const int8_t numbers[3] = {3, 4, 5};
	const struct edge_client_tensor output = {.type = EDGE_CLIENT_INT8,
		.shape = {.rank = 2, .dim = {1, 3}},
		.data = numbers,
		.bytes = 3};
	const struct edge_client_answer answer = {.n_outputs = 1, .outputs = &output};
	reply_to(call, &(struct edge_client_reply){.answer = &answer});
}

static void fail_with(struct call *call, int code, unsigned int status)
{
	struct edge_client_reply reply = {.error = {.code = code, .status = status}};
	strcpy(reply.error.text, "why");
	reply_to(call, &reply);
}

static void open_session(struct call *call, uint32_t session)
{
	reply_to(call, &(struct edge_client_reply){.session = session});
}

/* The next answer for the child is to @id, with error @code and @text. */
static void assert_answer(uint64_t id, int code, const char *text)
{
	struct bytes_writer frame = {0};
	struct worker_model_response answer;
	assert_true(pipelines_next_model_response(&bridge.pipelines, &frame));
	struct bytes_reader r = bytes_reader_of((const uint8_t *)frame.data + 5, frame.size - 5);
	assert_int_equal(((const uint8_t *)frame.data)[4], WORKER_COMMAND_MODEL_RESPONSE);
	assert_int_equal(
		worker_frames_read(&r, WORKER_COMMAND_MODEL_RESPONSE, 1000, &answer, NULL), 0);
	assert_int_equal(answer.id, id);
	assert_int_equal(answer.error.code, code);
	assert_string_equal(answer.error.text, text);
	assert_int_equal(answer.n, code < 0 ? 0 : 1);
	if (code == 0) {
		assert_int_equal(answer.tensors[0].type, DTYPE_INT8);
		assert_int_equal(answer.tensors[0].shape.rank, 2);
		assert_int_equal(answer.tensors[0].shape.dim[1], 3);
		assert_memory_equal(answer.tensors[0].data, "\3\4\5", 3);
	}
	worker_frames_free(WORKER_COMMAND_MODEL_RESPONSE, &answer);
	bytes_writer_deinit(&frame);
}

static void assert_no_answer(void)
{
	struct bytes_writer frame = {0};
	assert_false(pipelines_next_model_response(&bridge.pipelines, &frame));
}

static void a_request_goes_to_edged_and_its_outputs_go_to_the_child(void **state)
{
	(void)state;
	struct worker_model_request q = wanted(5);
	q.priority = EDGE_CLIENT_REALTIME;
	q.deadline_ns = clock_now_ns() + NSEC_PER_SEC;
	assert_true(request_with(q));
	start_waiting();
	start_waiting(); /* it runs already */
	assert_int_equal(edged.n_runs, 1);
	assert_string_equal(edged.runs[0].model, "digits");
	assert_int_equal(edged.runs[0].priority, EDGE_CLIENT_REALTIME);
	assert_int_equal(edged.runs[0].deadline_ns, q.deadline_ns);
	assert_int_equal(edged.runs[0].n, 1);
	assert_no_answer();
	succeed(&edged.runs[0]);
	assert_answer(5, 0, "");
	assert_no_answer(); /* the child has it */
	assert_int_equal(bridge.pipelines.n_requests, 1);
	pipelines_command_ended(&bridge.pipelines);
	assert_int_equal(bridge.pipelines.n_requests, 0);
	assert_int_equal(bridge.pipelines.counts.model_requests, 1);
}

static void answers_go_to_the_child_in_the_order_of_the_requests(void **state)
{
	(void)state;
	request(1);
	request(2);
	start_waiting();
	succeed(&edged.runs[1]);
	succeed(&edged.runs[0]);
	assert_answer(1, 0, "");
	assert_answer(2, 0, "");
}

static void a_child_may_ask_for_models_of_its_pipelines_only(void **state)
{
	(void)state;
	struct worker_model_request q = wanted(1);
	strcpy(q.model, "letters");
	assert_false(request_with(q));
	q = wanted(1);
	strcpy(q.signature, "serve");
	assert_false(request_with(q));
	q = wanted(1);
	q.pipeline = 1;
	assert_false(request_with(q));
	q = wanted(1);
	q.priority = EDGE_CLIENT_REALTIME + 1;
	assert_false(request_with(q));
	assert_int_equal(bridge.pipelines.n_requests, 0);
	assert_int_equal(bridge.pipelines.counts.model_requests, 0);
}

static void a_child_has_no_more_requests_open_than_in_flight_allows(void **state)
{
	(void)state;
	bridge.settings.in_flight = 2;
	request(1);
	request(2);
	assert_false(request_with(wanted(3)));
	start_waiting();
	succeed(&edged.runs[0]);
	assert_answer(1, 0, "");
	bridge.pipelines.worker.command =
		WORKER_COMMAND_MODEL_RESPONSE; /* request 1 is about to end */
	request(3);
	assert_false(request_with(wanted(4)));
}

static void without_edged_a_request_waits_until_its_deadline(void **state)
{
	(void)state;
	struct worker_model_request q = wanted(2);
	bridge.edged.client = NULL;
	q.deadline_ns = 1; /* has passed */
	request(1);
	assert_true(request_with(q));
	start_waiting();
	assert_int_equal(edged.n_runs, 0);
	assert_answer(2, -ETIMEDOUT, "deadline exceeded");
	assert_no_answer();
	bridge.edged.client = (struct edge_client *)connection;
	start_waiting();
	assert_int_equal(edged.n_runs, 1);
}

static void a_request_without_a_deadline_gets_that_of_the_settings(void **state)
{
	(void)state;
	request(1);
	bridge.settings.deadline_ms = 60000;
	const uint64_t before = clock_now_ns();
	request(2);
	const uint64_t after = clock_now_ns();
	struct worker_model_request q = wanted(3);
	q.deadline_ns = after + 1000 * NSEC_PER_SEC;
	assert_true(request_with(q));
	start_waiting();
	assert_int_equal(edged.runs[0].deadline_ns, 0);
	assert_in_range(
		edged.runs[1].deadline_ns, before + 60 * NSEC_PER_SEC, after + 60 * NSEC_PER_SEC);
	assert_int_equal(edged.runs[2].deadline_ns, q.deadline_ns);
}

static void an_error_of_edged_tells_the_child_whether_the_stage_may_be_skipped(void **state)
{
	static const struct {
		int code;
		unsigned int status;
		int wanted;
	} cases[] = {{-EIO, EDGE_CLIENT_OVERLOADED, -EBUSY},
		{-EIO, EDGE_CLIENT_DEADLINE, -ETIMEDOUT}, {-EIO, EDGE_CLIENT_CANCELLED, -ETIMEDOUT},
		{-EIO, EDGE_CLIENT_SUPERSEDED, -ETIMEDOUT}, {-EINVAL, EDGE_CLIENT_INVALID, -EINVAL},
		{0, EDGE_CLIENT_OK, -EIO}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		edged.n_runs = 0;
		request(i);
		start_waiting();
		assert_int_equal(edged.n_runs, 1);
		fail_with(&edged.runs[0], cases[i].code, cases[i].status);
		assert_answer(i, cases[i].wanted, "why");
		pipelines_command_ended(&bridge.pipelines);
	}
}

static void a_request_that_edged_took_along_is_run_once_more(void **state)
{
	(void)state;
	request(1);
	start_waiting();
	fail_with(&edged.runs[0], -ENOTCONN, EDGE_CLIENT_OK);
	assert_int_equal(edged.n_runs, 2); /* at once, as edged is there */
	fail_with(&edged.runs[1], -ENOTCONN, EDGE_CLIENT_OK);
	assert_int_equal(edged.n_runs, 2);
	assert_answer(1, -ENOTCONN, "why");
	request(2);
	start_waiting();
	bridge.edged.stopping = true;
	fail_with(&edged.runs[2], -ENOTCONN, EDGE_CLIENT_OK);
	assert_int_equal(edged.n_runs, 3);
	assert_answer(2, -ENOTCONN, "why");
}

static void a_request_that_edged_does_not_take_now_waits_and_an_error_ends_it(void **state)
{
	(void)state;
	request(1);
	edged.code = -EAGAIN;
	start_waiting();
	edged.code = -ENOTCONN;
	start_waiting();
	assert_no_answer();
	edged.code = -EMSGSIZE;
	start_waiting();
	assert_answer(1, -EMSGSIZE, "not now");
}

static void an_answer_with_too_many_outputs_is_an_error(void **state)
{
	static const struct edge_client_tensor outputs[PIPELINES_MAX_TENSORS + 1];
	const struct edge_client_answer answer = {
		.n_outputs = PIPELINES_MAX_TENSORS + 1, .outputs = outputs};
	(void)state;
	request(1);
	start_waiting();
	reply_to(&edged.runs[0], &(struct edge_client_reply){.answer = &answer});
	assert_answer(1, -EOPNOTSUPP, "too many outputs");
}

static void a_request_whose_tensors_found_no_memory_is_answered_at_once(void **state)
{
	(void)state;
	struct worker_model_request q = wanted(1);
	assert_true(pipelines_request_model(&bridge.pipelines, &q, -ENOMEM));
	start_waiting();
	assert_int_equal(edged.n_runs, 0);
	assert_answer(1, -ENOMEM, "no memory");
}

/* ---- sessions */

static void requests_of_a_session_wait_until_it_is_open(void **state)
{
	(void)state;
	request_of_session(1, 7);
	request_of_session(2, 7);
	request(3);
	start_waiting();
	assert_int_equal(edged.n_opens, 1); /* one for both */
	assert_string_equal(edged.opens[0].model, "digits");
	assert_int_equal(edged.n_runs, 1); /* the one without a session */
	assert_int_equal(edged.runs[0].session, 0);
	open_session(&edged.opens[0], 33);
	assert_int_equal(edged.n_runs, 3);
	assert_int_equal(edged.runs[1].session, 33);
	assert_int_equal(edged.runs[2].session, 33);
	bridge.pipelines.epoch++;
	pipelines_forget_requests(&bridge.pipelines);
	assert_int_equal(edged.n_closed, 1);
	assert_int_equal(edged.closed[0], 33);
	for (size_t i = 0; i < 3; i++) {
		succeed(&edged.runs[i]); /* for a child that has ended: freed */
	}
	assert_no_answer();
}

static void a_session_that_does_not_open_fails_its_requests(void **state)
{
	(void)state;
	bridge.settings.in_flight = 8;
	request_of_session(1, 7);
	request_of_session(2, 8);
	start_waiting();
	assert_int_equal(edged.n_opens, 2);
	fail_with(&edged.opens[0], -EAGAIN, EDGE_CLIENT_OVERLOADED);
	assert_answer(1, -EBUSY, "why");
	assert_no_answer();
	open_session(&edged.opens[1], 34);
	assert_int_equal(edged.n_runs, 1);
	request_of_session(3, 7); /* the slot is free again */
	start_waiting();
	assert_int_equal(edged.n_opens, 3);
	edged.code = -EINVAL;
	request_of_session(4, 9);
	start_waiting();
	assert_answer(4, -EINVAL, "not now");
	edged.code = 0;
	request_of_session(5, 9); /* is not taken to be opening */
	start_waiting();
	assert_int_equal(edged.n_opens, 4);
	open_session(&edged.opens[3], 36);
	open_session(&edged.opens[2], 35);
}

static void a_session_of_an_older_model_is_opened_anew_once(void **state)
{
	(void)state;
	request_of_session(1, 7);
	start_waiting();
	open_session(&edged.opens[0], 33);
	fail_with(&edged.runs[0], -ENOENT, EDGE_CLIENT_NOT_FOUND);
	assert_int_equal(edged.n_opens, 2);
	open_session(&edged.opens[1], 34);
	assert_int_equal(edged.n_runs, 2);
	assert_int_equal(edged.runs[1].session, 34);
	fail_with(&edged.runs[1], -ENOENT, EDGE_CLIENT_NOT_FOUND);
	assert_answer(1, -ENOENT, "why");
}

static void the_session_that_was_used_least_recently_makes_room(void **state)
{
	(void)state;
	bridge.settings.in_flight = 1;
	for (uint64_t session = 1; session <= PIPELINES_MAX_SESSIONS; session++) {
		request_of_session(session, session);
		start_waiting();
		open_session(&edged.opens[session - 1], (uint32_t)(100 + session));
		succeed(&edged.runs[session - 1]);
		assert_answer(session, 0, "");
		pipelines_command_ended(&bridge.pipelines);
	}
	request_of_session(50, 1); /* used again */
	start_waiting();
	assert_int_equal(edged.runs[PIPELINES_MAX_SESSIONS].session, 101);
	succeed(&edged.runs[PIPELINES_MAX_SESSIONS]);
	assert_answer(50, 0, "");
	pipelines_command_ended(&bridge.pipelines);
	request_of_session(51, 60);
	start_waiting();
	assert_int_equal(edged.n_closed, 1);
	assert_int_equal(edged.closed[0], 102);
	assert_int_equal(edged.n_opens, PIPELINES_MAX_SESSIONS + 1);
	open_session(&edged.opens[PIPELINES_MAX_SESSIONS], 160);
	succeed(&edged.runs[PIPELINES_MAX_SESSIONS + 1]);
}

static void a_session_that_opens_for_a_child_that_has_ended_is_closed(void **state)
{
	(void)state;
	request_of_session(1, 7);
	start_waiting();
	bridge.pipelines.epoch++;
	pipelines_forget_requests(&bridge.pipelines);
	assert_int_equal(edged.n_closed, 0);
	open_session(&edged.opens[0], 33);
	assert_int_equal(edged.n_closed, 1);
	assert_int_equal(edged.closed[0], 33);
}

/* ---- a child that ends */

static void an_answer_for_a_child_that_has_ended_touches_no_session_of_the_next(void **state)
{
	(void)state;
	request_of_session(1, 7);
	start_waiting();
	open_session(&edged.opens[0], 33);
	bridge.pipelines.epoch++;
	pipelines_forget_requests(&bridge.pipelines);
	request_of_session(2, 7); /* of the next child, which numbers them the same */
	start_waiting();
	open_session(&edged.opens[1], 34);
	fail_with(&edged.runs[0], -ENOENT, EDGE_CLIENT_NOT_FOUND);
	request_of_session(3, 7);
	start_waiting();
	assert_int_equal(edged.n_opens, 2);
	assert_int_equal(edged.runs[2].session, 34);
}

static size_t count_reports(void)
{
	size_t n = 0;
	for (const struct outbox_message *m = bridge.brokers.connections[0]->outbox.first; m;
		m = m->next) {
		assert_string_equal(m->topic, "edged/gw1/pipeline/digit/error/cam");
		assert_true(fake_bridge_says(m, "\"error\":\"the worker process ended\""));
		n++;
	}
	return n;
}

static void an_input_that_a_child_took_along_is_reported_once(void **state)
{
	(void)state;
	request(1);
	bridge.pipelines.worker.command = WORKER_COMMAND_INPUT;
	request(2); /* the next child gets its input again */
	pipelines_forget_requests(&bridge.pipelines);
	assert_int_equal(count_reports(), 1);
	assert_int_equal(bridge.pipelines.n_requests, 0);
}

static void an_input_whose_result_was_published_is_not_reported(void **state)
{
	(void)state;
	request(1);
	start_waiting();
	succeed(&edged.runs[0]);
	assert_answer(1, 0, "");
	bridge.pipelines.result_sent = true;
	pipelines_forget_requests(&bridge.pipelines);
	assert_int_equal(count_reports(), 0);
}

static void at_the_end_of_the_program_nothing_is_reported(void **state)
{
	(void)state;
	request(1);
	bridge.pipelines.stopped = true;
	pipelines_forget_requests(&bridge.pipelines);
	assert_int_equal(count_reports(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_goes_to_edged_and_its_outputs_go_to_the_child),
		TEST(answers_go_to_the_child_in_the_order_of_the_requests),
		TEST(a_child_may_ask_for_models_of_its_pipelines_only),
		TEST(a_child_has_no_more_requests_open_than_in_flight_allows),
		TEST(without_edged_a_request_waits_until_its_deadline),
		TEST(a_request_without_a_deadline_gets_that_of_the_settings),
		TEST(an_error_of_edged_tells_the_child_whether_the_stage_may_be_skipped),
		TEST(a_request_that_edged_took_along_is_run_once_more),
		TEST(a_request_that_edged_does_not_take_now_waits_and_an_error_ends_it),
		TEST(an_answer_with_too_many_outputs_is_an_error),
		TEST(a_request_whose_tensors_found_no_memory_is_answered_at_once),
		TEST(requests_of_a_session_wait_until_it_is_open),
		TEST(a_session_that_does_not_open_fails_its_requests),
		TEST(a_session_of_an_older_model_is_opened_anew_once),
		TEST(the_session_that_was_used_least_recently_makes_room),
		TEST(a_session_that_opens_for_a_child_that_has_ended_is_closed),
		TEST(an_answer_for_a_child_that_has_ended_touches_no_session_of_the_next),
		TEST(an_input_that_a_child_took_along_is_reported_once),
		TEST(an_input_whose_result_was_published_is_not_reported),
		TEST(at_the_end_of_the_program_nothing_is_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
