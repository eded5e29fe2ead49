/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/fakes/fake_bridge.h"
#include "tests/unit/daemon/temp_folder.h"

#define DIGIT                                                                                      \
	"[source]\nkind = picture\nlatest-only = yes\n[model]\nname = digits\n"                    \
	"[post]\nkind = classes\n"

static struct bridge bridge; /* too large for the stack */

/* One pipeline, "digit". */
static int setup(void **state)
{
	size_t bad = 1;
	assert_int_equal(temp_folder_set_up(state), 0);
	const struct temp_folder *folder = *state;
	temp_folder_put(folder, "digit.conf", DIGIT);
	fake_bridge_start(&bridge, 10, 100);
	snprintf(bridge.settings.pipelines, sizeof(bridge.settings.pipelines), "%s", folder->path);
	assert_int_equal(pipelines_load(&bridge.pipelines, &bad, NULL), 0);
	assert_int_equal(bad, 0);
	assert_int_equal(bridge.pipelines.n, 1);
	return 0;
}

static int teardown(void **state)
{
	fake_bridge_end(&bridge);
	return temp_folder_tear_down(state);
}

/* An input of "digit" in the queue. */
static struct mqtt_request *queued(const char *source)
{
	struct mqtt_request *request = fake_bridge_ask(&bridge, 0, MQTT_REQUEST_NORMAL);
	request->of_pipeline = true;
	strcpy(request->target, "digit");
	strcpy(request->source, source);
	pipelines_accept(&bridge.pipelines, request);
	mqtt_requests_add(&bridge.requests, request);
	return request;
}

/* Like queued(), but the worker has it. */
static struct mqtt_request *in_work(const char *source)
{
	struct mqtt_request *request = queued(source);
	pipelines_tag(&bridge.pipelines, bridge.pipelines.items[0], request);
	request->state = MQTT_REQUEST_DECODING;
	bridge.pipelines.job = (struct pipelines_job){.request = request};
	return request;
}

static struct worker_result result_of(uint64_t tag, const char *flat)
{
	struct worker_result result = {.kind = PIPELINE_RESULT,
		.tag = tag,
		.connection_id = 1,
		.source = "cam",
		.flat_json = flat,
		.flat_json_bytes = strlen(flat)};
	return result;
}

static size_t count_messages(void)
{
	return bridge.brokers.connections[0]->outbox.n;
}

static void end_job(enum worker_frame order, int code)
{
	struct error failed = {0};
	if (code) {
		error_set(&failed, code, "why");
	}
	pipelines_job_end(&bridge.pipelines, order, &failed);
}

static bool take_envelope(const struct decode_envelope *envelope)
{
	struct bytes_writer w = {0};
	worker_frames_write(&w, WORKER_FRAME_ENVELOPE, envelope);
	struct bytes_reader r = bytes_reader_of((const uint8_t *)w.data + 5, w.size - 5);
	bool taken = pipelines_job_take_envelope(&bridge.pipelines, &r);
	bytes_writer_deinit(&w);
	return taken;
}

static void the_last_of_several_results_is_marked_as_such(void **state)
{
	const struct worker_done done = {.n = 0};
	(void)state;
	struct mqtt_request *request = in_work("cam");
	const uint64_t tag = request->responses.tag;
	assert_true(tag > 0);
	end_job(WORKER_COMMAND_INPUT, 0);
	assert_int_equal(request->state, MQTT_REQUEST_RUNNING);
	assert_null(request->payload);
	assert_int_equal(bridge.requests.n, 0); /* it takes no place of others */
	assert_int_equal(bridge.requests.running_inputs, 1);
	struct worker_done more = {.n = 1, .tags = {tag}};
	struct worker_result one = result_of(tag, "{\"n\":1}"), two = result_of(tag, "{\"n\":2}");
	one.only_for_requester = two.only_for_requester = true;
	assert_true(pipelines_publish(&bridge.pipelines, &one));
	pipelines_complete_running(&bridge.pipelines, &more);
	assert_int_equal(count_messages(), 0);
	assert_true(pipelines_publish(&bridge.pipelines, &two));
	assert_true(fake_bridge_says(fake_bridge_newest(&bridge, 0), "\"n\":1}"));
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "MORE");
	pipelines_complete_running(&bridge.pipelines, &done);
	assert_int_equal(count_messages(), 2);
	assert_true(fake_bridge_says(fake_bridge_newest(&bridge, 0), "\"n\":2}"));
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "OK");
	assert_null(bridge.requests.first);
	assert_int_equal(bridge.requests.running_inputs, 0);
	assert_int_equal(bridge.pipelines.items[0]->max_responses, 2);
}

static void an_input_without_results_is_answered_too(void **state)
{
	const struct worker_done done = {.n = 0};
	(void)state;
	in_work("cam");
	end_job(WORKER_COMMAND_INPUT, 0);
	pipelines_complete_running(&bridge.pipelines, &done);
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "SUPERSEDED");
}

static void the_latest_input_of_a_source_replaces_the_one_that_waits(void **state)
{
	(void)state;
	queued("cam");
	struct mqtt_request *other = queued("door");
	struct mqtt_request *newer = queued("cam");
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "SUPERSEDED");
	assert_int_equal(bridge.requests.n, 2);
	assert_ptr_equal(bridge.requests.first, other);
	assert_ptr_equal(other->next, newer);
	assert_int_equal(bridge.pipelines.counts.sampled, 1);
}

static void a_process_that_ends_gets_the_input_once_more(void **state)
{
	(void)state;
	struct mqtt_request *request = in_work("cam");
	pipelines_job_retry(&bridge.pipelines, "gone", true);
	assert_int_equal(request->state, MQTT_REQUEST_NEW);
	assert_int_equal(count_messages(), 0);
	request->state = MQTT_REQUEST_DECODING;
	bridge.pipelines.job.request = request;
	pipelines_job_retry(&bridge.pipelines, "gone", true);
	assert_null(bridge.requests.first);
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "INVALID");
	in_work("cam"); /* it took too long */
	pipelines_job_retry(&bridge.pipelines, "late", false);
	assert_null(bridge.requests.first);
}

static void an_envelope_makes_the_input_wait_for_its_second_pass(void **state)
{
	const struct decode_envelope envelope = {.there = true, .id = "5"};
	(void)state;
	struct mqtt_request *request = in_work("cam");
	assert_true(take_envelope(&envelope));
	assert_false(take_envelope(&envelope)); /* one is all that a payload has */
	end_job(WORKER_COMMAND_INPUT, 0);
	assert_int_equal(request->state, MQTT_REQUEST_NEW);
	assert_true(request->envelope_parsed);
	assert_string_equal(request->id, "5");
	request->state = MQTT_REQUEST_DECODING; /* the next process has not read it */
	bridge.pipelines.job = (struct pipelines_job){.request = request, .state = JOB_OPENED};
	pipelines_job_retry(&bridge.pipelines, "gone", true);
	assert_false(request->envelope_parsed);
}

static void an_envelope_with_a_foreign_reply_to_is_denied(void **state)
{
	const struct decode_envelope envelope = {.there = true, .reply_to = "other/me"};
	(void)state;
	struct mqtt_request *request = in_work("cam");
	free(take(request->response_topic));
	assert_true(take_envelope(&envelope));
	end_job(WORKER_COMMAND_INPUT, 0);
	assert_null(bridge.requests.first);
	assert_true(fake_bridge_says(fake_bridge_newest(&bridge, 0), "DENIED"));
	assert_int_equal(bridge.counts.refused, 1);
}

static void a_refused_input_is_answered_by_its_error(void **state)
{
	static const struct {
		int code;
		const char *status;
	} cases[] = {{-EBADMSG, "INVALID"}, {-EINVAL, "INVALID"}, {-ENOSPC, "OVERLOADED"}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		in_work("cam");
		end_job(WORKER_COMMAND_INPUT, cases[i].code);
		assert_null(bridge.requests.first);
		assert_string_equal(fake_bridge_newest(&bridge, 0)->status, cases[i].status);
	}
	assert_int_equal(bridge.pipelines.counts.refused, 3);
}

/* A request to a model in the worker, which is to send one tensor of @type. */
static struct mqtt_request *decoding(uint32_t type)
{
	struct mqtt_request *request = fake_bridge_ask(&bridge, 0, MQTT_REQUEST_NORMAL);
	mqtt_requests_add(&bridge.requests, request);
	request->state = MQTT_REQUEST_DECODING;
	bridge.pipelines.job =
		(struct pipelines_job){.request = request, .types = {type}, .n_types = 1};
	bridge.pipelines.worker.max_tensor_bytes = 100;
	return request;
}

static bool take_tensors(void)
{
	int8_t numbers[2] = {1, 2};
	struct bytes_writer w = {0};
	struct decode_result result = {.n = 1,
		.tensors = {{.type = DTYPE_INT8,
			.shape = {.rank = 1, .dim = {2}},
			.data = numbers,
			.bytes = 2}}};
	worker_frames_write(&w, WORKER_FRAME_TENSORS, &result);
	struct bytes_reader r = bytes_reader_of((const uint8_t *)w.data + 5, w.size - 5);
	bool taken = pipelines_job_take_tensors(&bridge.pipelines, &r);
	bytes_writer_deinit(&w);
	return taken;
}

static void a_decoded_request_is_ready_with_the_tensors_of_its_model(void **state)
{
	(void)state;
	struct mqtt_request *request = decoding(DTYPE_UINT8);
	assert_false(take_tensors()); /* of another type */
	bridge.pipelines.job.types[0] = bridge.pipelines.job.types[1] = DTYPE_INT8;
	bridge.pipelines.job.n_types = 2;
	assert_false(take_tensors()); /* too few */
	bridge.pipelines.job.n_types = 1;
	assert_true(take_tensors());
	assert_false(take_tensors()); /* a second time */
	end_job(WORKER_COMMAND_DECODE, 0);
	assert_int_equal(request->state, MQTT_REQUEST_READY);
	assert_int_equal(request->tensors.n, 1);
	assert_null(bridge.pipelines.job.request);
}

static void a_request_without_tensors_or_memory_for_them_is_answered(void **state)
{
	(void)state;
	decoding(DTYPE_INT8);
	end_job(WORKER_COMMAND_DECODE, 0);
	assert_null(bridge.requests.first);
	assert_int_equal(count_messages(), 1);
	decoding(DTYPE_INT8);
	bridge.pipelines.job.state = JOB_NO_MEMORY;
	end_job(WORKER_COMMAND_DECODE, 0);
	assert_null(bridge.requests.first);
	assert_string_equal(fake_bridge_newest(&bridge, 0)->status, "OVERLOADED");
}

static void results_go_to_the_topics_of_their_source(void **state)
{
	struct worker_result result = result_of(0, "{\"label\":\"7\"}");
	(void)state;
	assert_true(pipelines_publish(&bridge.pipelines, &result));
	assert_int_equal(count_messages(), 0); /* of a source that is not known */
	struct mqtt_request *request = queued("cam");
	assert_true(pipelines_publish(&bridge.pipelines, &result));
	assert_string_equal(
		fake_bridge_newest(&bridge, 0)->topic, "edged/gw1/pipeline/digit/result/cam");
	assert_true(fake_bridge_says(fake_bridge_newest(&bridge, 0), "\"gw\":\"gw1\",\"seq\":1,"));
	result.event = true;
	assert_true(pipelines_publish(&bridge.pipelines, &result));
	assert_string_equal(
		fake_bridge_newest(&bridge, 0)->topic, "edged/gw1/pipeline/digit/last/cam");
	const size_t before = count_messages();
	result.kind = PIPELINE_SKIPPED;
	assert_true(pipelines_publish(&bridge.pipelines, &result));
	assert_true(pipelines_publish(&bridge.pipelines, &result)); /* within the same second */
	assert_int_equal(count_messages(), before + 1);
	assert_string_equal(
		fake_bridge_newest(&bridge, 0)->topic, "edged/gw1/pipeline/digit/error/cam");
	result.pipeline = 1;
	assert_false(pipelines_publish(&bridge.pipelines, &result));
	request_serve_finish(&bridge.requests, request);
}

static void what_is_set_is_told_and_a_mistake_is_refused(void **state)
{
	struct mqtt_pipeline *pipeline = bridge.pipelines.items[0];
	struct error err = {0};
	bool changed = false;
	(void)state;
	assert_true(pipelines_set_off(&bridge.pipelines, pipeline, true));
	assert_true(pipeline->off);
	assert_false(pipelines_set_off(&bridge.pipelines, pipeline, true));
	assert_int_equal(
		pipelines_set_threshold(&bridge.pipelines, pipeline, "2", &changed, &err), -EINVAL);
	assert_false(changed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_last_of_several_results_is_marked_as_such),
		TEST(an_input_without_results_is_answered_too),
		TEST(the_latest_input_of_a_source_replaces_the_one_that_waits),
		TEST(a_process_that_ends_gets_the_input_once_more),
		TEST(an_envelope_makes_the_input_wait_for_its_second_pass),
		TEST(an_envelope_with_a_foreign_reply_to_is_denied),
		TEST(a_refused_input_is_answered_by_its_error),
		TEST(a_decoded_request_is_ready_with_the_tensors_of_its_model),
		TEST(a_request_without_tensors_or_memory_for_them_is_answered),
		TEST(results_go_to_the_topics_of_their_source),
		TEST(what_is_set_is_told_and_a_mistake_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
