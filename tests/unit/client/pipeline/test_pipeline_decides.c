/* SPDX-License-Identifier: Apache-2.0 */
/* What pipelines decide on and tell, from the file to the result, of models that answer what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/pipeline/pipeline.h"
#include "tests/unit/client/pipeline/float_models.h"

#define MAX_NUMBERS 16

/* Every model has one input and one output, [1, N] of floats. */
struct world {
	struct shape input, output; /* rank 0: [1, n] */
	float answer[MAX_NUMBERS]; /* of every model */
	size_t n;
	const char *labels, *examples; /* or NULL */
	size_t asked;
	char text[4096]; /* what is told to people, a line each */
	char json[4096], flat[4096]; /* the last */
};

static int describe(void *context, const char *model, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	const struct world *world = context;
	(void)model;
	(void)signature;
	(void)err;
	struct pipeline_model m =
		float_model(world->input.rank ? world->input : (struct shape){2, {1, 1}}, 1);
	m.outputs[0].shape =
		world->output.rank ? world->output : (struct shape){2, {1, (int32_t)world->n}};
	if (world->labels) {
		m.labels = strdup(world->labels);
		m.outputs[0].labels = m.labels;
		m.outputs[0].labels_bytes = strlen(m.labels);
	}
	*ret_model = m;
	return 0;
}

static int run(void *context, const struct pipeline_question *q, struct tensor_bytes *outputs,
	uint32_t n_outputs, struct error *err)
{
	struct world *world = context;
	struct shape shape =
		world->output.rank ? world->output : (struct shape){2, {1, (int32_t)world->n}};
	(void)err;
	assert_true(q->n_inputs == 1 && n_outputs == 1);
	world->asked++;
	float_output(&outputs[0], shape, world->answer);
	assert_int_equal(outputs[0].bytes, 4 * world->n);
	return 0;
}

static int taught(void *context, const char *model, char **ret_text, struct error *err)
{
	const struct world *world = context;
	(void)model;
	(void)err;
	*ret_text = strdup(world->examples ? world->examples : "");
	return 0;
}

static void hear(void *context, const struct pipeline_result *result)
{
	struct world *world = context;
	size_t used = strlen(world->text);
	snprintf(world->text + used, sizeof(world->text) - used, "%s\n", result->text);
	snprintf(world->json, sizeof(world->json), "%s", result->json);
	snprintf(world->flat, sizeof(world->flat), "%s", result->flat_json);
}

static int try_text(
	struct world *world, const char *text, struct pipeline **ret_pipeline, struct error *err)
{
	const struct pipeline_models models = {
		.describe = describe, .run = run, .examples = taught, .context = world};
	const struct pipeline_sink sink = {.result = hear, .context = world};
	return pipeline_open_text("t.conf", text, strlen(text), &models, &sink, ret_pipeline, err);
}

static struct pipeline *open_text(struct world *world, const char *text)
{
	struct pipeline *p = NULL;
	struct error err = {0};
	if (try_text(world, text, &p, &err) < 0) {
		fail_msg("%s", err.text);
	}
	return p;
}

static uint64_t now_us;

/* An input a second, to which the models answer @n numbers. Returns what is told of it, till the next. */
static const char *answer(struct world *world, struct pipeline *p, const float *numbers, size_t n)
{
	static const float zero[1];
	const struct pipeline_input input = {.data = zero,
		.size = sizeof(zero),
		.content_type = "application/octet-stream",
		.source = "s",
		.time_us = now_us += 1000000};
	struct error err = {0};
	world->n = n;
	memcpy(world->answer, numbers, n * sizeof(numbers[0]));
	world->text[0] = 0;
	if (pipeline_run(p, &input, &err) < 0) {
		fail_msg("%s", err.text);
	}
	return world->text;
}
#define ANSWER(world, p, ...)                                                                      \
	answer(world, p, (const float[]){__VA_ARGS__},                                             \
		sizeof((const float[]){__VA_ARGS__}) / sizeof(float))

#define TENSOR "[source]\nkind = tensor\n"
#define MODEL(post) "[model]\nname = m\n[post]\nkind = " post "\n"

/* Two pictures of the pump, from two sides, and one of the valve. */
static void whichever_example_is_near_its_label_is_what_began(void **state)
{
	(void)state;
	struct world world = {.n = 3, .examples = "pump\t1 0 0\npump\t0 1 0\nvalve\t0 0 1\n"};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, TENSOR MODEL("embedding") "[decision]\nk = 2\nn = 2\n");
	assert_string_equal(ANSWER(&world, p, 1, 0, 0), "");
	assert_string_equal(ANSWER(&world, p, 0, 1, 0), "s  t: begin pump 1.000\n");
	assert_string_equal(ANSWER(&world, p, 1, 0, 0), "");
	/* The first of them is forgotten: the pump and the valve have other indices now. */
	world.examples = "pump\t0 1 0\nvalve\t0 0 1\n";
	pipeline_forget_models(p);
	assert_string_equal(ANSWER(&world, p, 0, 1, 0), "");
	assert_string_equal(ANSWER(&world, p, 0, 0, 1), "s  t: end pump 0.000\n");
	assert_string_equal(ANSWER(&world, p, 0, 0, 1), "s  t: begin valve 1.000\n");
}

static void a_beginning_that_the_limit_keeps_back_asks_no_other_stage(void **state)
{
	(void)state;
	struct world world = {.n = 2};
	owned(pipeline_close) struct pipeline *p = open_text(&world,
		TENSOR "[stage a]\n" MODEL("classes") "[decision]\nrate-limit = 1\n"
						      "[stage b]\non = event\n" MODEL("classes"));
	assert_string_equal(
		ANSWER(&world, p, 0.9f, 0), "s  a: begin 0 0.900\ns  b: 0 0.9000, 1 0.0000\n");
	assert_string_equal(ANSWER(&world, p, 0, 0), "s  a: end 0 0.000\n");
	assert_int_equal(world.asked, 3);
	assert_string_equal(ANSWER(&world, p, 0.9f, 0), "");
	assert_int_equal(world.asked, 4);
	/* One that began is told to end, and the other one that begins is not told. */
	now_us += 60000000;
	assert_string_equal(ANSWER(&world, p, 0, 0.9f),
		"s  a: end 0 0.000, begin 1 0.900\ns  b: 1 0.9000, 0 0.0000\n");
	assert_string_equal(ANSWER(&world, p, 0.9f, 0), "s  a: end 1 0.000\n");
	assert_int_equal(world.asked, 7);
}

/* As `auto` finds the channels for the picture that goes in, it finds them for the places that come out. */
static void pixels_are_of_the_layout_that_the_picture_went_in_with(void **state)
{
	(void)state;
	static const struct {
		struct shape input;
		const char *layout, *box;
	} cases[] = {{{4, {1, 3, 64, 32}}, "auto", "[8.0,16.0,24.0,48.0]"},
		{{4, {1, 3, 64, 32}}, "nchw", "[8.0,16.0,24.0,48.0]"},
		{{4, {1, 64, 32, 3}}, "auto", "[8.0,16.0,24.0,48.0]"},
		{{4, {1, 64, 32, 3}}, "nhwc", "[8.0,16.0,24.0,48.0]"},
		{{4, {1, 3, 64, 3}}, "auto", "[4.0,341.0,12.0,1024.0]"}, /* both could be: NHWC */
		{{4, {1, 3, 64, 3}}, "nchw", "[85.0,16.0,256.0,48.0]"},
		{{3, {64, 32, 3}}, "auto", "[8.0,16.0,24.0,48.0]"},
		{{3, {1, 64, 32}}, "auto", "[8.0,16.0,24.0,48.0]"}};
	/* Centre 16, 32; 16 wide and 32 high; certain. The other one is none. */
	static const float boxes[12] = {16, 32, 16, 32, 1, 1};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world = {.input = cases[i].input, .output = {3, {1, 2, 6}}};
		char text[256], picture[32 + 32 * 64] = "P5\n32 64\n255\n";
		snprintf(text, sizeof(text),
			"[source]\nkind = picture\n" MODEL(
				"yolov5") "pixels = yes\nthreshold = 0.5\n[pre]\nlayout = %s\n",
			cases[i].layout);
		owned(pipeline_close) struct pipeline *p = open_text(&world, text);
		const struct pipeline_input input = {
			.data = picture, .size = strlen(picture) + 32 * 64, .source = "cam"};
		world.n = 12;
		memcpy(world.answer, boxes, sizeof(boxes));
		assert_int_equal(pipeline_run(p, &input, NULL), 0);
		if (!strstr(world.json, cases[i].box)) {
			fail_msg("%zu: %s", i, world.json);
		}
	}
}

/* Each by itself, under its name. */
static void numbers_begin_and_end_by_their_names(void **state)
{
	(void)state;
	struct world world = {.n = 4};
	owned(pipeline_close) struct pipeline *p = open_text(&world,
		TENSOR MODEL("numbers") "names = oil , water\\, hot,\n"
					"[decision]\nthreshold = 3\nignore = oil\n");
	assert_string_equal(ANSWER(&world, p, 9, 2, 1, 0), "");
	assert_string_equal(
		ANSWER(&world, p, 9, 3, 1, 4), "s  t: begin water, hot 3.000, begin 3 4.000\n");
	assert_non_null(strstr(world.json,
		"\"events\":[{\"event\":\"begin\",\"label\":\"water, hot\",\"index\":1,"));
	assert_non_null(strstr(
		world.json, "\"oil\":9.0,\"water, hot\":3.0,\"value_2\":1.0,\"value_3\":4.0"));
	assert_non_null(strstr(world.flat, "\"event_label\":\"water, hot\""));
	assert_string_equal(ANSWER(&world, p, 9, 2, 1, 4), "s  t: end water, hot 2.000\n");
}

static char labels_path[] = "/tmp/test_pipeline_decides.XXXXXX";

static int labels_write(void **state)
{
	(void)state;
	int fd = mkstemp(labels_path);
	static const char text[] = "tabby, tabby cat\ntiger\n\ncar\n";
	bool written = fd >= 0 && write(fd, text, sizeof(text) - 1) == sizeof(text) - 1;
	return written && close(fd) == 0 ? 0 : -1;
}

static int labels_remove(void **state)
{
	(void)state;
	return unlink(labels_path);
}

static void a_label_with_a_comma_can_be_named(void **state)
{
	(void)state;
	struct world world = {.n = 4, .labels = "tabby, tabby cat\ntiger\n\ncar"};
	owned(pipeline_close) struct pipeline *p = open_text(&world,
		TENSOR "[stage a]\n" MODEL(
			"classes") "skip = car\n[decision]\n"
				   "labels = tabby\\, tabby cat, tiger\n"
				   "[stage b]\nwhen = tabby\\, tabby cat\non = event\n" MODEL(
					   "tensors"));
	assert_string_equal(ANSWER(&world, p, 0.9f, 0, 0.9f, 0.9f),
		"s  a: begin tabby, tabby cat 0.900\ns  b: nothing\n");
	assert_string_equal(ANSWER(&world, p, 0.9f, 0.8f, 0, 0), "s  a: begin tiger 0.800\n");
}

static void a_word_that_is_no_label_of_the_file_is_refused_with_its_line(void **state)
{
	(void)state;
	static const struct {
		const char *post, *decision, *stage, *why;
	} cases[] = {
		{"skip = tabby\\, tabby cat\n", "labels = tiger, tiger\n", "when = car\n", NULL},
		{"skip = dog\n", "", "", "t.conf:9: stage a: skip: \"dog\" is none"},
		{"", "labels = tabby, tabby cat\n", "",
			"t.conf:10: stage a: labels: \"tabby\" is none"},
		{"", "ignore = tiger, Car\n", "", "t.conf:10: stage a: ignore: \"Car\" is none"},
		{"", "", "when = \x1b[1m\n", "t.conf:11: stage b: when: \"\\x1b[1m\" is none"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world = {.n = 4};
		char text[1024];
		struct error err = {0};
		struct pipeline *p = NULL;
		snprintf(text, sizeof(text),
			TENSOR "[stage a]\n" MODEL("classes") "labels = %s\n%s[decision]\n%s"
							      "[stage b]\n%s" MODEL("classes"),
			labels_path, cases[i].post, cases[i].decision, cases[i].stage);
		int r = try_text(&world, text, &p, &err);
		pipeline_close(p);
		if (!cases[i].why) {
			assert_int_equal(r, 0);
		} else if (r != -EINVAL ||
			strncmp(err.text, cases[i].why, strlen(cases[i].why)) != 0) {
			fail_msg("%zu: %d %s", i, r, err.text);
		}
	}
	/* What the second stage finds is the model's own, which nobody knows before it is asked. */
	struct world world = {.n = 2};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, TENSOR MODEL("classes") "[decision]\nlabels = anything\n");
	assert_non_null(p);
	struct error err = {0};
	struct pipeline *none = NULL;
	assert_int_equal(
		try_text(&world, TENSOR MODEL("numbers") "names = a, b\n[decision]\nlabels = c\n",
			&none, &err),
		-EINVAL);
	assert_string_equal(err.text,
		"t.conf:9: stage t: labels: \"c\" is none of its labels (a comma in one is \\,)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whichever_example_is_near_its_label_is_what_began),
		cmocka_unit_test(a_beginning_that_the_limit_keeps_back_asks_no_other_stage),
		cmocka_unit_test(pixels_are_of_the_layout_that_the_picture_went_in_with),
		cmocka_unit_test(numbers_begin_and_end_by_their_names),
		cmocka_unit_test(a_label_with_a_comma_can_be_named),
		cmocka_unit_test(a_word_that_is_no_label_of_the_file_is_refused_with_its_line),
	};
	return cmocka_run_group_tests(tests, labels_write, labels_remove);
}
