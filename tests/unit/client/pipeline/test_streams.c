/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: windows, and what is collected, begin anew where something is missing; a stage that was woken
 * looks at what follows. */
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

#include "client/pipeline/pipeline.h"
#include "tests/unit/client/pipeline/float_models.h"

/* One model, which gives the sum of what it gets. */
struct world {
	int32_t rows; /* of its input, of the first stage; the second one has 3 */
	char sums[512]; /* of the last stage, with the row that each begins with */
	size_t skipped, failed;
};

static int describe(void *context, const char *model, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	const struct world *world = context;
	const int32_t rows = strcmp(model, "back") == 0 ? 3 : world->rows;
	(void)signature;
	(void)err;
	*ret_model = float_model((struct shape){2, {1, rows}}, 1);
	ret_model->outputs[0].shape = (struct shape){2, {1, 1}};
	return 0;
}

static void hear(void *context, const struct pipeline_result *result)
{
	struct world *world = context;
	const char *from = strstr(result->json, "\"from_row\":");
	const char *value = strstr(result->json, "\"value\":");
	size_t used = strlen(world->sums);
	world->skipped += result->kind == PIPELINE_SKIPPED;
	world->failed += result->kind == PIPELINE_FAILED;
	bool last = strcmp(result->stage, "front") != 0;
	if (result->kind == PIPELINE_RESULT && value && last) {
		snprintf(world->sums + used, sizeof(world->sums) - used, "%d:%g ",
			from ? atoi(from + 11) : -1, strtod(value + 8, NULL));
	}
}

static struct pipeline *open_text(struct world *world, const char *text)
{
	const struct pipeline_models models = {.describe = describe, .context = world};
	const struct pipeline_sink sink = {.result = hear, .context = world};
	struct pipeline *p = NULL;
	struct error err = {0};
	if (pipeline_open_text("t.conf", text, strlen(text), &models, &sink, &p, &err) < 0) {
		fail_msg("%s", err.text);
	}
	return p;
}

static void push_at(struct pipeline *p, const char *numbers, uint64_t ms)
{
	const struct pipeline_input input = {.data = numbers,
		.size = strlen(numbers),
		.content_type = "text/csv",
		.time_us = ms * 1000};
	assert_int_equal(pipeline_push(p, &input, NULL), 0);
}

static void question_answer(struct pipeline *p, const struct pipeline_question *q)
{
	const float *in = q->inputs[0].data;
	owned_tensor struct tensor_bytes out = {0};
	float sum = 0;
	for (size_t i = 0; i < q->inputs[0].bytes / 4; i++) {
		sum += in[i];
	}
	float_output(&out, (struct shape){2, {1, 1}}, &sum);
	assert_int_equal(pipeline_answer(p, q, &out, 1, NULL), 0);
}

static void answer_all(struct pipeline *p)
{
	const struct pipeline_question *q;
	while ((q = pipeline_next(p))) {
		question_answer(p, q);
	}
}

#define STREAM "[source]\nkind = numbers\ngap = 1s\n"
#define SUM "[model]\nname = sum\n[post]\nkind = numbers\n"

static void a_window_has_nothing_of_before_a_gap(void **state)
{
	(void)state;
	struct world world = {.rows = 4};
	owned(pipeline_close) struct pipeline *p = open_text(&world, STREAM SUM);
	push_at(p, "1\n2\n", 1000);
	push_at(p, "3\n", 2000); /* not longer than the gap */
	push_at(p, "4\n5\n", 3001);
	push_at(p, "6\n", 3100);
	push_at(p, "7\n", 3200);
	answer_all(p);
	assert_string_equal(world.sums, "3:22 ");
}

static void without_gap_a_window_goes_on(void **state)
{
	(void)state;
	struct world world = {.rows = 4};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[source]\nkind = numbers\n" SUM);
	push_at(p, "1\n2\n", 1000);
	push_at(p, "3\n4\n", 90000);
	answer_all(p);
	assert_string_equal(world.sums, "0:10 ");
}

static void windows_that_were_full_are_still_asked(void **state)
{
	(void)state;
	struct world world = {.rows = 4};
	owned(pipeline_close) struct pipeline *p = open_text(&world, STREAM SUM "[pre]\nhop = 2\n");
	push_at(p, "1\n2\n3\n4\n5\n6\n7\n", 1000);
	push_at(p, "10\n20\n30\n40\n50\n", 9000);
	answer_all(p);
	assert_string_equal(world.sums, "0:10 2:18 7:100 ");
}

static void rows_that_no_window_has_end_with_the_gap(void **state)
{
	(void)state;
	struct world world = {.rows = 2};
	owned(pipeline_close) struct pipeline *p = open_text(&world, STREAM SUM "[pre]\nhop = 5\n");
	push_at(p, "1\n2\n3\n", 1000);
	answer_all(p);
	push_at(p, "4\n5\n", 9000);
	answer_all(p);
	push_at(p, "6\n7\n8\n9\n10\n", 9001); /* 5 rows after the window's first are left out */
	answer_all(p);
	assert_string_equal(world.sums, "0:3 3:9 8:19 ");
}

static void a_hop_ends_at_the_gap(void **state)
{
	(void)state;
	struct world world = {.rows = 2};
	owned(pipeline_close) struct pipeline *p = open_text(&world, STREAM SUM "[pre]\nhop = 5\n");
	push_at(p, "1\n2\n3\n", 1000);
	push_at(p, "4\n5\n6\n7\n", 9000); /* before anything was asked */
	answer_all(p);
	assert_string_equal(world.sums, "0:3 3:9 ");
}

static void the_latest_window_is_of_one_side_of_a_gap(void **state)
{
	(void)state;
	struct world world = {.rows = 4};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, STREAM "latest-only = yes\n" SUM);
	push_at(p, "1\n2\n3\n4\n5\n6\n", 1000);
	push_at(p, "7\n8\n9\n10\n11\n", 9000);
	answer_all(p);
	assert_string_equal(world.sums, "6:34 ");
}

/* Of samples what they last does not count. */
static void a_piece_of_sound_may_be_as_late_as_it_is_long(void **state)
{
	(void)state;
	struct world world = {.rows = 1500};
	int16_t samples[1000] = {0};
	owned(pipeline_close) struct pipeline *p = open_text(&world,
		"[source]\nkind = sound\nrate = 1000\ngap = 500ms\n"
		"[model]\nname = sum\n[pre]\nsr = 1000\n[post]\nkind = numbers\n");
	struct pipeline_input input = {
		.data = samples, .size = sizeof(samples), .content_type = "audio/l16"};
	for (uint64_t s = 1; s <= 3; s++) {
		input.time_us = s * 1400000; /* 400 ms late each time */
		assert_int_equal(pipeline_push(p, &input, NULL), 0);
	}
	answer_all(p);
	assert_string_equal(world.sums, "-1:0 -1:0 ");
	input.time_us += 1501000;
	assert_int_equal(pipeline_push(p, &input, NULL), 0);
	input.time_us += 1000;
	assert_int_equal(pipeline_push(p, &input, NULL), 0);
	answer_all(p);
	assert_string_equal(world.sums, "-1:0 -1:0 -1:0 ");
}

/* As many as a day without an answer has: the model is known, but nobody asks. */
static void no_full_window_is_lost_before_many_gaps(void **state)
{
	(void)state;
	struct world world = {.rows = 2};
	char wanted[512] = "";
	owned(pipeline_close) struct pipeline *p = open_text(&world, STREAM SUM);
	for (unsigned int i = 0; i < 40; i++) {
		char rows[32];
		snprintf(rows, sizeof(rows), "%u\n1\n%s", i, i % 3 == 0 ? "7\n" : "");
		push_at(p, rows, 10000 * (i + 1));
		snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%u:%u ",
			2 * i + (i + 2) / 3, i + 1);
	}
	answer_all(p);
	assert_string_equal(world.sums, wanted);
	assert_int_equal(world.skipped, 0);
}

static void the_latest_window_waits_before_a_gap_with_few_rows_behind_it(void **state)
{
	(void)state;
	struct world world = {.rows = 3};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, STREAM "latest-only = yes\n" SUM "[pre]\nhop = 1\n");
	push_at(p, "1\n2\n4\n8\n", 1000);
	push_at(p, "16\n32\n", 9000);
	answer_all(p);
	assert_string_equal(world.sums, "1:14 ");
	assert_int_equal(pipeline_counts(p).sampled_out, 1);
}

/* Only a full one takes the place of one that waits. */
static void the_latest_window_waits_while_few_rows_follow(void **state)
{
	(void)state;
	struct world world = {.rows = 4};
	owned(pipeline_close) struct pipeline *p = open_text(&world,
		"[source]\nkind = numbers\nlatest-only = yes\n" SUM "[decision]\npublish = all\n");
	push_at(p, "1\n2\n3\n4\n", 1);
	const struct pipeline_question *asked = pipeline_next(p);
	assert_non_null(asked);
	push_at(p, "5\n6\n7\n8\n", 2);
	assert_null(pipeline_next(p)); /* it is made, and waits for the answer before */
	assert_int_equal(pipeline_pending(p), 2);
	push_at(p, "9\n10\n11\n", 3);
	assert_int_equal(pipeline_counts(p).sampled_out, 0);
	question_answer(p, asked);
	asked = pipeline_next(p);
	assert_non_null(asked);
	push_at(p, "12\n13\n14\n15\n", 4);
	assert_null(pipeline_next(p));
	push_at(p, "16\n", 5); /* full: the place of 9 to 12 */
	assert_int_equal(pipeline_counts(p).sampled_out, 1);
	question_answer(p, asked);
	answer_all(p);
	assert_string_equal(world.sums, "0:10 4:26 12:58 ");
}

/* @n samples of -1 (@loud) or 0 as WAV. */
static int push_wav_of(struct pipeline *p, const char *source, uint32_t n, uint32_t rate, bool loud,
	uint64_t ms, struct error *err)
{
	struct wav {
		char riff[4];
		uint32_t size;
		char wave[8];
		uint32_t format_size;
		uint16_t format, channels;
		uint32_t rate, bytes_per_second;
		uint16_t block, bits;
		char data[4];
		uint32_t bytes;
		int16_t samples[];
	};
	const size_t size = offsetof(struct wav, samples) + 2 * (size_t)n;
	owned_mem struct wav *wav = calloc(1, size + sizeof(*wav));
	assert_non_null(wav);
	*wav = (struct wav){.riff = "RIFF",
		.size = 36 + 2 * n,
		.format_size = 16,
		.format = 1,
		.channels = 1,
		.rate = rate,
		.bytes_per_second = 2 * rate,
		.block = 2,
		.bits = 16,
		.bytes = 2 * n};
	memcpy(wav->wave, "WAVEfmt ", sizeof(wav->wave));
	memcpy(wav->data, "data", sizeof(wav->data));
	for (uint32_t i = 0; i < n && loud; i++) {
		wav->samples[i] = INT16_MIN;
	}
	const struct pipeline_input input = {.data = wav,
		.size = size,
		.source = source,
		.content_type = "audio/wav",
		.time_us = ms * 1000};
	return pipeline_push(p, &input, err);
}

static void push_wav(struct pipeline *p, uint32_t n, uint32_t rate, bool loud, uint64_t ms)
{
	assert_int_equal(push_wav_of(p, NULL, n, rate, loud, ms, NULL), 0);
}

#define AT_1000 "[pre]\nsr = 1000\n"

static void full_windows_of_the_rate_before_are_asked(void **state)
{
	(void)state;
	struct world world = {.rows = 2};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[source]\nkind = sound\n" SUM AT_1000);
	push_wav(p, 5, 1000, true, 1000);
	push_wav(p, 9, 2000, false, 2000);
	push_wav(p, 3, 1000, true, 3000);
	answer_all(p);
	assert_string_equal(world.sums, "-1:-2 -1:-2 -1:0 -1:0 -1:-2 ");
	assert_int_equal(world.skipped, 2); /* what began anew is told */
}

static void the_latest_window_is_of_the_rate_before_where_none_is_full_yet(void **state)
{
	(void)state;
	struct world world = {.rows = 2};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[source]\nkind = sound\nlatest-only = yes\n" SUM AT_1000);
	push_wav(p, 4, 1000, true, 1000);
	push_wav(p, 3, 2000, false, 2000);
	answer_all(p);
	assert_string_equal(world.sums, "-1:-2 ");
	assert_int_equal(pipeline_counts(p).sampled_out, 1);
}

/* A push that finds no room says so; what waits is asked. Where the parts are counted too, 16 times 2^20 do not fit. */
static void beyond_the_bound_a_push_is_refused_and_counted(void **state)
{
	(void)state;
	struct world world = {.rows = 1 << 20};
	static int16_t samples[1 << 20];
	struct error err = {0};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[source]\nkind = sound\nrate = 1000\ngap = 1s\n" SUM AT_1000);
	for (uint64_t i = 1; i <= 17; i++) {
		const struct pipeline_input input = {.data = samples,
			.size = sizeof(samples),
			.content_type = "audio/l16",
			.time_us = i * 2000000000};
		assert_int_equal(pipeline_push(p, &input, &err), i <= 15 ? 0 : -ENOSPC);
	}
	assert_non_null(
		strstr(err.text, "no room for 1048576 values: of 16777216 for all sources"));
	assert_int_equal(pipeline_counts(p).refused, 2);
	answer_all(p);
	assert_int_equal(pipeline_counts(p).answers, 15);
}

/* What waits of the rate before is asked, and then there is nothing: not one row of the new rate. */
static void a_new_rate_that_finds_no_room_leaves_the_windows_before(void **state)
{
	(void)state;
	struct world world = {.rows = 4};
	struct error err = {0};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[source]\nkind = sound\n" SUM AT_1000);
	assert_int_equal(push_wav_of(p, "large", 12 << 20, 1000, false, 500, &err), 0);
	assert_int_equal(push_wav_of(p, "one", 9, 1000, true, 1000, &err), 0);
	assert_int_equal(push_wav_of(p, "one", 8 << 20, 2000, false, 2000, &err), -ENOSPC);
	for (int i = 0; i < 8; i++) { /* the sources take turns */
		const struct pipeline_question *q = pipeline_next(p);
		assert_non_null(q);
		question_answer(p, q);
	}
	assert_string_equal(world.sums, "-1:0 -1:-4 -1:0 -1:-4 -1:0 -1:0 -1:0 -1:0 ");
	assert_int_equal(push_wav_of(p, "one", 4, 1000, true, 3000, &err), 0);
	world.sums[0] = 0;
	question_answer(p, pipeline_next(p));
	question_answer(p, pipeline_next(p));
	assert_non_null(strstr(world.sums, "-1:-4 "));
}

/* Nobody heard them: a window with rows of before and after has a gap. */
static void rows_that_were_refused_are_a_gap(void **state)
{
	(void)state;
	static int16_t many[(16 << 20) - 3];
	struct world world = {.rows = 4};
	owned(pipeline_close) struct pipeline *p =
		open_text(&world, "[source]\nkind = sound\nrate = 1000\ngap = 150ms\n" SUM AT_1000);
	const struct pipeline_input fill = {.data = many,
		.size = sizeof(many) - sizeof(many[0]) * 200,
		.content_type = "audio/l16",
		.source = "large",
		.time_us = 900000};
	assert_int_equal(pipeline_push(p, &fill, NULL), 0);
	struct pipeline_input input = {.data = many, .content_type = "audio/l16", .source = "one"};
	int refused = 0;
	for (uint64_t ms = 1000; ms <= 61000; ms += 100) {
		input.time_us = ms * 1000;
		input.size = (ms == 1000 ? 3 : 300) * sizeof(many[0]);
		refused += pipeline_push(p, &input, NULL) == -ENOSPC;
	}
	assert_int_equal(refused, 600);
	input.size = sizeof(many[0]);
	input.time_us += 100000;
	assert_int_equal(pipeline_push(p, &input, NULL), 0);
	for (int i = 0; i < 4; i++) {
		const struct pipeline_question *q = pipeline_next(p);
		assert_non_null(q);
		assert_string_not_equal(q->source, "one");
		question_answer(p, q);
	}
}

#define COLLECTED                                                                                  \
	"[source]\nkind = numbers\n%s[stage front]\n[model]\nname = sum\n[post]\nkind = tensors\n" \
	"[stage back]\ninput = outputs\n[model]\nname = back\n[post]\nkind = numbers\n"

static struct pipeline *collected(struct world *world, const char *more)
{
	char text[512];
	snprintf(text, sizeof(text), COLLECTED, more);
	world->rows = 1;
	return open_text(world, text);
}

static void an_answer_that_is_missing_begins_what_is_collected_anew(void **state)
{
	(void)state;
	struct world world = {0};
	struct error busy = {.code = -EBUSY, .text = "overload"};
	owned(pipeline_close) struct pipeline *p = collected(&world, "");
	push_at(p, "1\n2\n4\n8\n16\n32\n64\n", 1);
	/* All wait already; the third one is refused. */
	for (int i = 0; i < 7; i++) {
		const struct pipeline_question *q = pipeline_next(p);
		while (q && q->inputs[0].bytes == 12) { /* the second stage's */
			question_answer(p, q);
			q = pipeline_next(p);
		}
		assert_non_null(q);
		if (i == 0) {
			assert_null(pipeline_next(p)); /* the others are made, and wait */
			assert_int_equal(pipeline_pending(p), 7);
		}
		if (i == 2) {
			pipeline_fail(p, q, &busy);
		} else {
			question_answer(p, q);
		}
	}
	answer_all(p);
	assert_int_equal(world.skipped, 1);
	assert_string_equal(world.sums, "2:56 ");
}

static void what_is_collected_is_of_windows_of_one_rate(void **state)
{
	(void)state;
	struct world world = {.rows = 2};
	owned(pipeline_close) struct pipeline *p = open_text(&world,
		"[source]\nkind = sound\n[stage front]\n[model]\nname = sum\n" AT_1000
		"[post]\nkind = tensors\n[stage back]\ninput = outputs\n"
		"[model]\nname = back\n[post]\nkind = numbers\n");
	push_wav(p, 8, 1000, true, 1000);
	push_wav(p, 12, 2000, false, 2000);
	answer_all(p);
	assert_string_equal(world.sums, "-1:-6 -1:0 ");
}

static void what_latest_only_drops_is_missing_too(void **state)
{
	(void)state;
	struct world world = {0};
	owned(pipeline_close) struct pipeline *p = collected(&world, "latest-only = yes\n");
	push_at(p, "1\n", 1);
	answer_all(p);
	push_at(p, "2\n4\n", 2); /* 2 is never asked */
	answer_all(p);
	push_at(p, "8\n", 3);
	answer_all(p);
	assert_string_equal(world.sums, "");
	push_at(p, "16\n", 4);
	answer_all(p);
	assert_string_equal(world.sums, "1:28 ");
}

#define WOKEN                                                                                      \
	"[source]\nkind = numbers\n[stage front]\n" SUM                                            \
	"[stage back]\nmin-score = 100\n%s[model]\nname = back\n[post]\nkind = numbers\n"

static void woken_check(const char *more, const char *sums)
{
	static const char *const rows[] = {"1\n1\n1\n", "50\n50\n2\n", "3\n3\n3\n", "4\n4\n4\n",
		"5\n5\n5\n", "60\n60\n6\n", "7\n7\n7\n"};
	struct world world = {.rows = 3};
	char text[512];
	snprintf(text, sizeof(text), WOKEN, more);
	owned(pipeline_close) struct pipeline *p = open_text(&world, text);
	assert_int_equal(pipeline_about(p).remembers, more[0] != 0);
	for (uint64_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		push_at(p, rows[i], 1000 * (i + 1));
		answer_all(p);
	}
	assert_string_equal(world.sums, sums);
}

static void a_stage_that_was_woken_looks_at_what_follows_for_a_while(void **state)
{
	(void)state;
	woken_check("", "3:102 15:126 ");
	woken_check("for = 2001ms\n", "3:102 6:9 9:12 15:126 18:21 ");
	woken_check("for = 2s\n", "3:102 6:9 15:126 18:21 ");
	/* Woken again it goes on from there. */
	woken_check("for = 4500ms\n", "3:102 6:9 9:12 12:15 15:126 18:21 ");
}

static void who_may_wake_another_one_is_asked_in_order(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct world world = {.rows = 3};
		char text[512];
		snprintf(text, sizeof(text), WOKEN, i ? "for = 1s\n" : "");
		owned(pipeline_close) struct pipeline *p = open_text(&world, text);
		push_at(p, "1\n2\n3\n4\n5\n6\n", 1);
		assert_non_null(pipeline_next(p));
		assert_int_equal(!pipeline_next(p), i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_has_nothing_of_before_a_gap),
		cmocka_unit_test(without_gap_a_window_goes_on),
		cmocka_unit_test(windows_that_were_full_are_still_asked),
		cmocka_unit_test(rows_that_no_window_has_end_with_the_gap),
		cmocka_unit_test(a_hop_ends_at_the_gap),
		cmocka_unit_test(the_latest_window_is_of_one_side_of_a_gap),
		cmocka_unit_test(a_piece_of_sound_may_be_as_late_as_it_is_long),
		cmocka_unit_test(no_full_window_is_lost_before_many_gaps),
		cmocka_unit_test(the_latest_window_waits_before_a_gap_with_few_rows_behind_it),
		cmocka_unit_test(the_latest_window_waits_while_few_rows_follow),
		cmocka_unit_test(full_windows_of_the_rate_before_are_asked),
		cmocka_unit_test(the_latest_window_is_of_the_rate_before_where_none_is_full_yet),
		cmocka_unit_test(beyond_the_bound_a_push_is_refused_and_counted),
		cmocka_unit_test(a_new_rate_that_finds_no_room_leaves_the_windows_before),
		cmocka_unit_test(rows_that_were_refused_are_a_gap),
		cmocka_unit_test(what_is_collected_is_of_windows_of_one_rate),
		cmocka_unit_test(an_answer_that_is_missing_begins_what_is_collected_anew),
		cmocka_unit_test(what_latest_only_drops_is_missing_too),
		cmocka_unit_test(a_stage_that_was_woken_looks_at_what_follows_for_a_while),
		cmocka_unit_test(who_may_wake_another_one_is_asked_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
