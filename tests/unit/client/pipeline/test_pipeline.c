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
#include <time.h>

#include "client/media/json_numbers.h"
#include "client/pipeline/pipeline.h"
#include "tests/unit/client/pipeline/float_models.h"

/* A world of two models: "sum" takes a row of numbers and gives one, their sum; "boxes" takes a picture
 * of 4 x 4 and gives detections. */
struct world {
	size_t asked, told, skipped, failed;
	char last[2048], all[8192]; /* JSON */
	int refuse; /* errno of the next runs */
	struct shape sum_shape; /* of sum's input */
	float last_input[64];
	size_t last_n;
	uint64_t last_session;
	bool slow, png;
};

static int describe(void *context, const char *model, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	const struct world *world = context;
	(void)signature;
	const bool sum = strcmp(model, "sum") == 0;
	if (strcmp(model, "missing") == 0) {
		return error_set(err, -ENOENT, "no model missing");
	}
	struct pipeline_model m =
		float_model(sum ? world->sum_shape : (struct shape){4, {1, 4, 4, 3}}, sum ? 1 : 4);
	if (sum) {
		m.outputs[0].shape = (struct shape){2, {1, 1}};
	}
	strcpy(m.version, "7");
	*ret_model = m;
	return 0;
}

static int run(void *context, const struct pipeline_question *q, struct tensor_bytes *outputs,
	uint32_t n_outputs, struct error *err)
{
	static const float boxes[12] = {
		0, 0, 0.5f, 0.5f, 0.5f, 0.5f, 1, 1, 0.25f, 0.25f, 0.75f, 0.75f};
	struct world *world = context;
	const float *in = q->inputs[0].data;
	float sum = 0;
	assert_int_equal(q->n_inputs, 1);
	world->asked++;
	world->last_session = q->session;
	if (world->slow) {
		nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
	}
	if (world->refuse) {
		return error_set(err, world->refuse, "refused");
	}
	world->last_n = (size_t)q->inputs[0].bytes / 4;
	memcpy(world->last_input, in,
		world->last_n < 64 ? 4 * world->last_n : sizeof(world->last_input));
	for (size_t i = 0; i < world->last_n; i++) {
		sum += in[i];
	}
	if (strcmp(q->model, "sum") == 0) {
		float_output(&outputs[0], (struct shape){2, {1, 1}}, &sum);
		return 0;
	}
	assert_int_equal(n_outputs, 4);
	float_output(&outputs[0], (struct shape){3, {1, 3, 4}}, boxes);
	float_output(&outputs[1], (struct shape){2, {1, 3}}, (const float[]){0, 1, 0});
	float_output(&outputs[2], (struct shape){2, {1, 3}}, (const float[]){0.9f, 0.8f, 0.7f});
	float_output(&outputs[3], (struct shape){1, {1}}, (const float[]){3});
	return 0;
}

static void hear(void *context, const struct pipeline_result *result)
{
	struct world *world = context;
	world->told += result->kind == PIPELINE_RESULT;
	world->skipped += result->kind == PIPELINE_SKIPPED;
	world->failed += result->kind == PIPELINE_FAILED;
	world->png = result->snapshot && memcmp(result->snapshot, "\x89PNG", 4) == 0;
	snprintf(world->last, sizeof(world->last), "%s", result->json);
	strncat(world->all, result->text, sizeof(world->all) - strlen(world->all) - 1);
	strncat(world->all, "\n", sizeof(world->all) - strlen(world->all) - 1);
}

static struct pipeline *open_text(struct world *world, const char *text)
{
	const struct pipeline_models models = {.describe = describe, .run = run, .context = world};
	const struct pipeline_sink sink = {.result = hear, .context = world};
	struct pipeline *p = NULL;
	struct error err = {0};
	if (world->sum_shape.rank == 0) {
		world->sum_shape = (struct shape){2, {1, 4}};
	}
	if (pipeline_open_text("t.conf", text, strlen(text), &models, &sink, &p, &err) < 0) {
		fail_msg("%s", err.text);
	}
	return p;
}

static int push(struct pipeline *p, const char *text, const char *source, struct error *err)
{
	const struct pipeline_input input = {.data = text,
		.size = strlen(text),
		.content_type = "text/csv",
		.source = source,
		.time_us = 1000000};
	return pipeline_run(p, &input, err);
}

/* A grey picture of 8 x 8 whose pixels count up, as PGM. */
static size_t make_picture(char *out)
{
	int n = sprintf(out, "P5\n8 8\n255\n");
	for (int i = 0; i < 64; i++) {
		out[n + i] = (char)i;
	}
	return (size_t)n + 64;
}

static int push_picture(struct pipeline *p, struct error *err)
{
	char picture[128];
	const struct pipeline_input input = {
		.size = make_picture(picture), .data = picture, .source = "cam", .time_us = 5};
	return pipeline_run(p, &input, err);
}

#define NUMBERS "[model]\nname = sum\n[post]\nkind = numbers\n"
#define BOXES "[model]\nname = boxes\n[post]\nkind = detections\n"

static void numbers_become_a_flat_result(void **state)
{
	(void)state;
	struct world world = {0};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, NUMBERS "names = level\nunit = m\ngain = 2\n");
	assert_int_equal(push(p, "1,2,3,4", "tank", NULL), 0);
	assert_int_equal(world.told, 1);
	assert_non_null(strstr(world.last, "\"pipeline\":\"t\""));
	assert_non_null(strstr(world.last, "\"source\":\"tank\""));
	assert_non_null(strstr(world.last, "\"version\":\"7\""));
	assert_non_null(strstr(world.last, "\"level\":20.0,\"unit\":\"m\""));
	assert_non_null(strstr(world.last, "\"time_us\":1000000"));
}

static void json_numbers_are_read_too(void **state)
{
	(void)state;
	struct world world = {0};
	owned(pipeline_close) struct pipeline *p = open_text(&world, NUMBERS);
	static const char *const good[] = {"[1,2,3,4]", "[[1,2],[3,4]]",
		"{\"a\":{\"b\":[\"}\"]},\"values\":[1, 2,3, 4],\"c\":null}"};
	static const char *const bad[] = {"[1,2,3,4", "[1,2,3,]", "[1 2]", "{}", "{\"values\":1}",
		"{\"x\":[1]}", "[1,2,3,4]x", "[+1,2,3,4]", "[0x1,2,3,4]", "[1e999,2,3,4]",
		"[[[[[[[[[1]]]]]]]]]", "{\"values\":[1,2,3,4]", "[\"1\",2,3,4]"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct pipeline_input input = {.data = good[i],
			.size = strlen(good[i]),
			.content_type = "application/json; charset=utf-8"};
		assert_int_equal(pipeline_run(p, &input, NULL), 0);
		assert_non_null(strstr(world.last, "\"value\":10.0"));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct pipeline_input input = {
			.data = bad[i], .size = strlen(bad[i]), .content_type = "application/json"};
		if (pipeline_run(p, &input, NULL) == 0) {
			fail_msg("%s was taken", bad[i]);
		}
	}
	assert_int_equal(pipeline_counts(p).refused, sizeof(bad) / sizeof(bad[0]));
}

static void windows_slide_over_rows_of_each_source(void **state)
{
	(void)state;
	struct world world = {.sum_shape = {2, {2, 2}}};
	owned(pipeline_close) struct pipeline *p = open_text(&world,
		"[source]\nkind = numbers\ncolumns = 2\n" NUMBERS "[pre]\nwindow = 2\nhop = 1\n");
	assert_int_equal(push(p, "1,1\n2,2\n3,3\n", "a", NULL), 0);
	assert_int_equal(world.told, 2);
	assert_non_null(strstr(world.last, "\"from_row\":1,\"to_row\":3"));
	assert_non_null(strstr(world.last, "\"value\":10.0"));
	assert_int_equal(push(p, "100,100\n", "b", NULL), 0);
	assert_int_equal(world.told, 2); /* the other source's window is its own */
	assert_int_equal(push(p, "4,4\n", "a", NULL), 0);
	assert_non_null(strstr(world.last, "\"value\":14.0"));
}

static uint64_t last_time_us(const struct world *world)
{
	const char *at = strstr(world->last, "\"time_us\":");
	assert_non_null(at);
	return strtoull(at + 10, NULL, 10);
}

static void a_stream_of_sound_is_its_own_clock(void **state)
{
	(void)state;
	struct world world = {.sum_shape = {2, {1, 8}}};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[source]\nkind = sound\nrate = 16000\n" NUMBERS);
	const int16_t samples[16] = {16384, 16384};
	const struct pipeline_input input = {
		.data = samples, .size = sizeof(samples), .content_type = "audio/L16"};
	assert_int_equal(pipeline_run(p, &input, NULL), 0);
	assert_int_equal(world.told, 2);
	assert_non_null(strstr(world.last, "\"to_s\":0.001"));
	uint64_t first = last_time_us(&world);
	/* However fast they come: 1000 pieces of a millisecond are a second. */
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(pipeline_run(p, &input, NULL), 0);
	}
	assert_int_equal(last_time_us(&world) - first, 1000000);
}

static void sound_at_another_rate_is_resampled_by_the_window(void **state)
{
	(void)state;
	struct world world = {.sum_shape = {2, {1, 16}}};
	owned(pipeline_close) struct pipeline *p = open_text(
		&world, "[source]\nkind = sound\nrate = 48000\n" NUMBERS "[pre]\nsr = 16000\n");
	int16_t samples[96];
	for (int i = 0; i < 96; i++) {
		samples[i] = 16384;
	}
	const struct pipeline_input input = {
		.data = samples, .size = sizeof(samples), .content_type = "audio/l16"};
	assert_int_equal(pipeline_run(p, &input, NULL), 0);
	assert_int_equal(world.told, 2); /* 48 samples are a window of 16 */
	assert_int_equal(world.last_n, 16);
	assert_true(fabsf(world.last_input[8] - 0.5f) < 0.05f);
}

static void rows_that_no_window_has_are_left_out(void **state)
{
	(void)state;
	struct world world = {.sum_shape = {2, {1, 2}}};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[source]\nkind = numbers\n" NUMBERS "[pre]\nhop = 5\n");
	for (int i = 0; i < 12; i++) {
		char row[8];
		snprintf(row, sizeof(row), "%d\n", i);
		assert_int_equal(push(p, row, "a", NULL), 0);
	}
	assert_int_equal(world.told, 3); /* 0 1, 5 6, 10 11 */
	assert_non_null(strstr(world.last, "\"value\":21.0"));
}

static void only_each_nth_input_is_asked(void **state)
{
	(void)state;
	struct world world = {0};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[source]\nevery = 3\n" NUMBERS);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(push(p, "1,2,3,4", "a", NULL), 0);
	}
	assert_int_equal(world.asked, 3);
	assert_int_equal(pipeline_counts(p).sampled_out, 4);
}

static void the_latest_input_takes_the_place_of_one_that_waits(void **state)
{
	(void)state;
	struct world world = {0};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[source]\nlatest-only = yes\n" NUMBERS);
	for (int i = 0; i < 5; i++) {
		char row[32];
		const struct pipeline_input input = {.data = row,
			.size = (size_t)snprintf(row, sizeof(row), "[%d,0,0,0]", i),
			.source = "a"};
		assert_int_equal(pipeline_push(p, &input, NULL), 0);
	}
	const struct pipeline_question *q = pipeline_next(p);
	assert_non_null(q);
	assert_true(((const float *)q->inputs[0].data)[0] == 4);
	assert_null(pipeline_next(p));
	struct error why = {0};
	error_set(&why, -EBUSY, "no");
	pipeline_fail(p, q, &why);
	assert_int_equal(world.skipped, 1);
	assert_int_equal(pipeline_pending(p), 0);
}

static void questions_that_wait_are_bounded(void **state)
{
	(void)state;
	struct world world = {0};
	owned(pipeline_close) struct pipeline *p = open_text(&world, NUMBERS);
	const struct pipeline_input input = {.data = "[1,2,3,4]", .size = 9};
	for (int i = 0; i < PIPELINE_MAX_QUESTIONS; i++) {
		assert_int_equal(pipeline_push(p, &input, NULL), 0);
	}
	assert_int_equal(pipeline_push(p, &input, NULL), -ENOSPC);
	assert_int_equal(pipeline_pending(p), PIPELINE_MAX_QUESTIONS);
}

static void pictures_that_wait_are_bounded_by_their_bytes(void **state)
{
	(void)state;
	struct world world = {0};
	enum {
		SIDE = 5000
	}; /* 25 MB each */
	owned(pipeline_close) struct pipeline *p = open_text(&world, BOXES);
	char head[32];
	size_t n = (size_t)snprintf(head, sizeof(head), "P5\n%d %d\n255\n", SIDE, SIDE);
	owned_mem char *picture = calloc(1, n + (size_t)SIDE * SIDE);
	assert_non_null(picture);
	memcpy(picture, head, n);
	const struct pipeline_input input = {.data = picture, .size = n + (size_t)SIDE * SIDE};
	size_t taken = 0;
	while (taken < PIPELINE_MAX_QUESTIONS && pipeline_push(p, &input, NULL) == 0) {
		taken++;
	}
	assert_int_equal(taken, PIPELINE_MAX_HELD_BYTES / (SIDE * SIDE));
}

static void more_sources_than_fit_forget_the_oldest(void **state)
{
	(void)state;
	struct world world = {.sum_shape = {2, {1, 2}}};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[source]\nkind = numbers\n" NUMBERS);
	for (int i = 0; i <= PIPELINE_MAX_SOURCES; i++) {
		char name[16];
		snprintf(name, sizeof(name), "s%d", i);
		assert_int_equal(push(p, "1\n", name, NULL), 0);
	}
	assert_int_equal(push(p, "1\n", "s1", NULL), 0); /* still there: its window is full */
	assert_int_equal(world.told, 1);
	assert_int_equal(push(p, "1\n", "s0", NULL), 0); /* gone: it begins anew */
	assert_int_equal(world.told, 1);
}

static void boxes_are_told_in_pixels_of_the_picture(void **state)
{
	(void)state;
	struct world world = {0};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, BOXES "[pre]\ncrop = 0.5,0,0.5,1\n");
	assert_int_equal(push_picture(p, NULL), 0);
	assert_non_null(strstr(world.last, "\"count\":3"));
	assert_non_null(strstr(world.last, "\"box\":[4.0,0.0,6.0,4.0]"));
	assert_non_null(strstr(world.last, "\"box_norm\":[0.5,0.0,0.75,0.5]"));
}

static void a_letterbox_is_taken_away_from_boxes(void **state)
{
	(void)state;
	struct world world = {0};
	char picture[64] = "P5\n8 4\n255\n";
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, BOXES "[pre]\nresize = pad\npad = 51\nmean = 0\nstd = 1\n");
	size_t head = strlen(picture);
	memset(picture + head, 100, 32);
	const struct pipeline_input input = {.data = picture, .size = head + 32};
	assert_int_equal(pipeline_run(p, &input, NULL), 0);
	assert_true(world.last_input[0] == 51 && world.last_input[3 * 4] == 100);
	/* The upper half of the tensor's middle is the picture's: 0.25 becomes 0, 0.75 becomes 1. */
	assert_non_null(strstr(world.last, "\"box_norm\":[0.25,0.0,0.75,1.0]"));
}

static void another_stage_looks_at_each_box(void **state)
{
	(void)state;
	struct world world = {0};
	owned(pipeline_close) struct pipeline *p = open_text(&world,
		"[stage find]\n" BOXES "labels = /dev/null\n"
		"[stage look]\ninput = crop\nmax-crops = 2\n" BOXES);
	assert_int_equal(push_picture(p, NULL), 0);
	assert_int_equal(world.asked, 3);
	assert_int_equal(world.told, 3);
	assert_int_equal(world.skipped, 1);
	assert_non_null(strstr(world.all, "max-crops: 1 more boxes"));
	/* A box in the second box lies in its quarter of the picture. */
	assert_non_null(strstr(world.last, "\"stage\":\"look\""));
	assert_non_null(strstr(world.last, "\"box_norm\":[0.5,0.5,0.75,0.75]"));
}

static void a_stage_asks_only_when_its_condition_holds(void **state)
{
	(void)state;
	static const struct {
		const char *condition;
		size_t asked;
	} cases[] = {{"min-score = 0.85\n", 2}, {"min-score = 0.95\n", 1}, {"when = none\n", 1},
		{"", 2}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world = {0};
		char text[512];
		snprintf(text, sizeof(text), "[stage find]\n" BOXES "[stage look]\n%s" BOXES,
			cases[i].condition);
		owned(pipeline_close) struct pipeline *p = open_text(&world, text);
		assert_int_equal(push_picture(p, NULL), 0);
		assert_int_equal(world.asked, cases[i].asked);
	}
}

static void a_stage_beyond_its_budget_is_skipped_and_says_so(void **state)
{
	(void)state;
	struct world world = {.slow = true};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[stage find]\n" BOXES "[stage look]\nbudget = 1ms\n" BOXES);
	assert_int_equal(push_picture(p, NULL), 0);
	assert_int_equal(world.asked, 1);
	assert_int_equal(world.skipped, 1);
	assert_non_null(strstr(world.last, "\"skipped\":\"budget\""));
}

static void overload_skips_and_other_refusals_fail(void **state)
{
	(void)state;
	struct world world = {.refuse = -EBUSY};
	owned(pipeline_close) struct pipeline *p = open_text(&world, NUMBERS);
	assert_int_equal(push(p, "1,2,3,4", "a", NULL), -EBUSY);
	assert_int_equal(world.skipped, 1);
	world.refuse = -EIO;
	assert_int_equal(push(p, "1,2,3,4", "a", NULL), -EIO);
	assert_int_equal(world.failed, 1);
	assert_non_null(strstr(world.last, "\"error\":\"refused\""));
}

static void a_stage_collects_outputs_of_the_one_before(void **state)
{
	(void)state;
	struct world world = {.sum_shape = {2, {1, 3}}};
	owned(pipeline_close) struct pipeline *p = open_text(&world,
		"[source]\nkind = numbers\n[stage front]\n[model]\nname = sum\n[post]\nkind = tensors\n"
		"[stage back]\ninput = outputs\n" NUMBERS "[pre]\nhop = 1\n");
	/* 3 rows make one sum: 6, 15, 24, 33. */
	assert_int_equal(push(p, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n", "a", NULL), 0);
	assert_int_equal(world.told, 2);
	assert_non_null(strstr(world.all, "45"));
	assert_non_null(strstr(world.last, "\"value\":72.0"));
}

static void a_model_with_state_has_a_session_for_each_source(void **state)
{
	(void)state;
	struct world world = {.sum_shape = {2, {1, 4}}};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[model]\nname = sum\nsession = yes\n[post]\nkind = numbers\n");
	assert_int_equal(push(p, "1,2,3,4", "a", NULL), 0);
	uint64_t first = world.last_session;
	assert_true(first != 0);
	assert_int_equal(push(p, "1,2,3,4", "b", NULL), 0);
	assert_true(world.last_session != first);
	assert_int_equal(push(p, "1,2,3,4", "a", NULL), 0);
	assert_true(world.last_session == first);
	pipeline_forget_source(p, "a");
	assert_int_equal(push(p, "1,2,3,4", "a", NULL), 0);
	assert_true(world.last_session != first);
}

static void the_threshold_can_be_moved(void **state)
{
	(void)state;
	struct world world = {0};
	owned(pipeline_close) struct pipeline *p = open_text(&world, BOXES "threshold = 0.5\n");
	assert_true(pipeline_threshold(p) == 0.5);
	assert_int_equal(pipeline_set_threshold(p, 0.85, NULL), 0);
	assert_int_equal(push_picture(p, NULL), 0);
	assert_non_null(strstr(world.last, "\"count\":1"));
	assert_int_equal(pipeline_set_threshold(p, (double)INFINITY, NULL), -EINVAL);
	assert_true(pipeline_threshold(p) == 0.85);
	owned(pipeline_close) struct pipeline *none = open_text(&world, NUMBERS);
	assert_int_equal(pipeline_set_threshold(none, 0.5, NULL), -EOPNOTSUPP);
	owned(pipeline_close) struct pipeline *unsaid = open_text(&world, BOXES);
	assert_true(isnan(pipeline_threshold(unsaid)));
	assert_int_equal(pipeline_set_threshold(unsaid, 0.85, NULL), 0);
	assert_true(pipeline_threshold(unsaid) == 0.85);
	assert_int_equal(pipeline_set_threshold(unsaid, (double)NAN, NULL), 0);
	assert_true(isnan(pipeline_threshold(unsaid)));
}

static void a_missing_model_is_asked_for_again(void **state)
{
	(void)state;
	struct world world = {0};
	struct error err = {0};
	owned(pipeline_close) struct pipeline *p = open_text(&world, "[model]\nname = missing\n");
	assert_int_equal(push(p, "1,2,3,4", "a", &err), -ENOENT);
	assert_int_equal(push(p, "1,2,3,4", "a", NULL), -ENOENT);
	assert_non_null(strstr(err.text, "missing"));
}

static void inputs_that_are_no_good_disturb_nothing(void **state)
{
	(void)state;
	struct world world = {0};
	owned(pipeline_close) struct pipeline *p = open_text(&world, NUMBERS);
	static const struct pipeline_input bad[] = {
		{.data = "1,2", .size = 3, .content_type = "text/csv"},
		{.data = "1,2,x,4", .size = 7, .content_type = "text/csv"},
		{.data = "", .size = 0, .content_type = "image/jpeg"},
		{.data = "RIFFxxxxWAVE", .size = 12},
		{.data = "\211PNG\r\n\032\n", .size = 8},
		{.data = "x", .size = 1, .content_type = "video/mp4"},
		{.data = "x", .size = 1, .content_type = "application/octet-stream"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error err = {0};
		assert_true(pipeline_run(p, &bad[i], &err) < 0);
		assert_true(err.text[0]);
	}
	assert_int_equal(push(p, "1,2,3,4", "a", NULL), 0);
	assert_int_equal(world.told, 1);
}

static void a_snapshot_is_a_png(void **state)
{
	(void)state;
	struct world world = {0};
	owned(pipeline_close) struct pipeline *p = open_text(&world, BOXES "snapshot = yes\n");
	assert_int_equal(push_picture(p, NULL), 0);
	assert_int_equal(world.told, 1);
	assert_true(world.png);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_become_a_flat_result),
		cmocka_unit_test(json_numbers_are_read_too),
		cmocka_unit_test(windows_slide_over_rows_of_each_source),
		cmocka_unit_test(a_stream_of_sound_is_its_own_clock),
		cmocka_unit_test(sound_at_another_rate_is_resampled_by_the_window),
		cmocka_unit_test(rows_that_no_window_has_are_left_out),
		cmocka_unit_test(only_each_nth_input_is_asked),
		cmocka_unit_test(the_latest_input_takes_the_place_of_one_that_waits),
		cmocka_unit_test(questions_that_wait_are_bounded),
		cmocka_unit_test(pictures_that_wait_are_bounded_by_their_bytes),
		cmocka_unit_test(more_sources_than_fit_forget_the_oldest),
		cmocka_unit_test(boxes_are_told_in_pixels_of_the_picture),
		cmocka_unit_test(a_letterbox_is_taken_away_from_boxes),
		cmocka_unit_test(another_stage_looks_at_each_box),
		cmocka_unit_test(a_stage_asks_only_when_its_condition_holds),
		cmocka_unit_test(a_stage_beyond_its_budget_is_skipped_and_says_so),
		cmocka_unit_test(overload_skips_and_other_refusals_fail),
		cmocka_unit_test(a_stage_collects_outputs_of_the_one_before),
		cmocka_unit_test(a_model_with_state_has_a_session_for_each_source),
		cmocka_unit_test(the_threshold_can_be_moved),
		cmocka_unit_test(a_missing_model_is_asked_for_again),
		cmocka_unit_test(inputs_that_are_no_good_disturb_nothing),
		cmocka_unit_test(a_snapshot_is_a_png),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
