/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "client/pipeline/decision.h"

#define SECOND UINT64_C(1000000)

static struct pipeline_config_decision plain(void)
{
	return (struct pipeline_config_decision){.given = true,
		.threshold = 0.5,
		.low = NAN,
		.k = 1,
		.n = 1,
		.average = 1,
		.min_count = 1,
		.rate_period_ms = 60000,
		.publish = PIPELINE_CONFIG_PUBLISH_CHANGES,
		.change = NAN};
}

struct bench {
	struct pipeline_config_decision decision;
	struct decision_state state;
	struct decision_verdict verdict;
	uint64_t time_us;
};

static void bench_free(struct bench *bench)
{
	decision_state_free(&bench->state);
}
#define owned_bench __attribute__((cleanup(bench_free)))

/* One label "a" of that score, at the time. 'b': it began, 'e': it ended, '-': nothing. */
static char step(struct bench *bench, double score)
{
	struct finding item = {.label = "a", .score = score};
	struct findings f = {.items = &item, .n = isnan(score) ? 0 : 1};
	assert_int_equal(decision_judge(&bench->decision, NAN, &bench->state, &f, bench->time_us,
				 &bench->verdict, NULL),
		0);
	bench->time_us += SECOND;
	return bench->verdict.n_changes == 0 ? '-' : bench->verdict.changes[0].began ? 'b' : 'e';
}

static void check(struct bench *bench, const double *scores, const char *wanted)
{
	for (size_t i = 0; wanted[i]; i++) {
		char got = step(bench, scores[i]);
		if (got != wanted[i]) {
			fail_msg("input %zu: %c, not %c", i, got, wanted[i]);
		}
	}
}

static void what_is_above_the_threshold_begins_once(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	check(&bench, (double[]){0.4, 0.5, 0.9, 0.3, NAN, 0.6}, "-b-e-b");
}

static void hysteresis_keeps_what_is_between(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	bench.decision.low = 0.3;
	check(&bench, (double[]){0.4, 0.6, 0.4, 0.3, 0.29, 0.4}, "-b--e-");
}

/* The file does not know the model's own threshold, nor what is set later. */
static void low_above_the_threshold_is_the_threshold(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	bench.decision.threshold = NAN;
	bench.decision.low = 0.8;
	check(&bench, (double[]){0.6, 0.6, 0.9, 0.6, 0.49, 0.7}, "b---eb");
}

static void k_of_the_last_n_decide(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	bench.decision.k = 2;
	bench.decision.n = 3;
	check(&bench, (double[]){0.9, NAN, NAN, 0.9, NAN, 0.9, NAN, NAN}, "-----be-");
}

static void the_mean_of_several_scores_decides(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	bench.decision.average = 2;
	check(&bench, (double[]){0.9, 0.2, 0.9, 0.9, NAN, NAN}, "-b--e-");
}

static void a_beginning_waits_for_hold_off(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	bench.decision.hold_off_ms = 3000;
	check(&bench, (double[]){0.9, NAN, 0.9, 0.9, NAN, NAN, 0.9}, "be-be-b");
}

static void beginnings_beyond_the_rate_and_their_ends_are_not_told(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	bench.decision.rate_limit = 2;
	bench.decision.rate_period_ms = 10000;
	size_t emitted = 0, limited = 0;
	for (int i = 0; i < 12; i++) {
		step(&bench, i % 2 ? NAN : 0.9);
		emitted += bench.verdict.emitted;
		limited += bench.verdict.limited;
	}
	assert_int_equal(emitted, 6);
	assert_int_equal(limited, 6);
}

static void the_end_of_what_was_told_is_never_limited(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	bench.decision.rate_limit = 1;
	bench.decision.rate_period_ms = 60000;
	static const double scores[] = {0.9, 0.9, NAN, 0.9, NAN};
	static const bool emitted[] = {true, false, true, false, false};
	for (size_t i = 0; i < 5; i++) {
		step(&bench, scores[i]);
		assert_int_equal(bench.verdict.emitted, emitted[i]);
	}
	bench.decision.publish = PIPELINE_CONFIG_PUBLISH_BEGIN;
	bench.time_us += 60 * SECOND;
	step(&bench, 0.9);
	assert_true(bench.verdict.emitted);
	step(&bench, NAN);
	assert_false(bench.verdict.emitted);
}

/* One ends as the other begins, each time: only the first end is awaited. */
static void labels_that_take_turns_are_limited_all_the_same(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	bench.decision.rate_limit = 1;
	bench.decision.rate_period_ms = 60000;
	for (size_t i = 0; i < 6; i++) {
		struct finding item = {.label = i % 2 ? "b" : "a", .index = i % 2, .score = 0.9};
		struct findings f = {.items = &item, .n = 1};
		assert_int_equal(decision_judge(&bench.decision, NAN, &bench.state, &f,
					 bench.time_us + i * SECOND, &bench.verdict, NULL),
			0);
		assert_int_equal(bench.verdict.emitted, i < 2);
		assert_int_equal(bench.verdict.only_ends, i == 1);
		assert_int_equal(bench.verdict.n_on, 1);
		assert_int_equal(bench.verdict.n_changes, i == 0 ? 1 : 2);
		if (i == 1) {
			decision_leave_ends(&bench.verdict);
			assert_int_equal(bench.verdict.n_changes, 1);
			assert_false(bench.verdict.changes[0].began);
			assert_string_equal(bench.verdict.changes[0].label, "a");
			assert_int_equal(bench.verdict.n_on, 0);
		}
	}
	/* b goes on in the count of the next that is emitted, so its end is awaited. */
	bench.time_us += 70 * SECOND;
	struct finding both[2] = {
		{.label = "a", .index = 0, .score = 0.9}, {.label = "b", .index = 1, .score = 0.9}};
	struct findings f = {.items = both, .n = 2};
	assert_int_equal(decision_judge(&bench.decision, NAN, &bench.state, &f, bench.time_us,
				 &bench.verdict, NULL),
		0);
	assert_true(bench.verdict.emitted && bench.verdict.n_on == 2);
	f.n = 0;
	assert_int_equal(decision_judge(&bench.decision, NAN, &bench.state, &f,
				 bench.time_us + SECOND, &bench.verdict, NULL),
		0);
	assert_true(bench.verdict.emitted && bench.verdict.only_ends);
	decision_leave_ends(&bench.verdict);
	assert_int_equal(bench.verdict.n_changes, 2);
	assert_int_equal(bench.verdict.n_on, 0);
}

static void with_all_results_told_an_end_is_beyond_the_limit(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	bench.decision.publish = PIPELINE_CONFIG_PUBLISH_ALL;
	bench.decision.rate_limit = 2;
	bench.decision.rate_period_ms = 60000;
	static const double scores[] = {0.9, 0.9, 0.9, NAN, NAN, 0.9, NAN};
	static const bool emitted[] = {true, true, false, true, false, false, false};
	for (size_t i = 0; i < 7; i++) {
		step(&bench, scores[i]);
		assert_int_equal(bench.verdict.emitted, emitted[i]);
	}
}

static void publish_says_what_is_emitted(void **state)
{
	(void)state;
	static const struct {
		enum pipeline_config_publish publish;
		size_t emitted;
	} cases[] = {{PIPELINE_CONFIG_PUBLISH_ALL, 5}, {PIPELINE_CONFIG_PUBLISH_CHANGES, 3},
		{PIPELINE_CONFIG_PUBLISH_BEGIN, 2}};
	for (size_t i = 0; i < 3; i++) {
		owned_bench struct bench bench = {.decision = plain()};
		const double scores[5] = {0.9, 0.9, 0.1, 0.1, 0.9};
		size_t emitted = 0;
		bench.decision.publish = cases[i].publish;
		for (int k = 0; k < 5; k++) {
			step(&bench, scores[k]);
			emitted += bench.verdict.emitted;
		}
		assert_int_equal(emitted, cases[i].emitted);
	}
}

static struct finding box(const char *label, double x, double bottom)
{
	return (struct finding){.label = label,
		.index = (size_t)label[0],
		.score = 0.9,
		.has_box = true,
		.x1 = x - 0.1,
		.x2 = x + 0.1,
		.y1 = 0,
		.y2 = bottom};
}

static void only_boxes_that_stand_in_a_zone_count(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	struct finding items[3] = {
		box("cat", 0.25, 0.2), box("cat", 0.25, 0.9), box("dog", 0.8, 0.9)};
	struct findings f = {.items = items, .n = 3};
	assert_int_equal(
		zones_parse("left: 0 0.5, 0.5 0.5, 0.5 1, 0 1", &bench.decision.zones, NULL), 0);
	assert_int_equal(
		decision_judge(&bench.decision, NAN, &bench.state, &f, 1, &bench.verdict, NULL), 0);
	assert_int_equal(bench.verdict.n_changes, 1);
	assert_string_equal(bench.verdict.changes[0].label, "cat");
	assert_int_equal(bench.verdict.changes[0].count, 1);
	assert_string_equal(bench.verdict.changes[0].zone, "left");
	assert_null(items[0].zone);
	assert_string_equal(items[1].zone, "left");
}

/* What is near ends at the picture's lower edge, or beyond it as the model guesses. */
static void a_box_that_is_cut_off_by_the_edge_stands_on_it(void **state)
{
	(void)state;
	static const struct {
		double x, bottom;
		const char *zone;
	} cases[] = {{0.25, 0.9999, "left"}, {0.25, 1, "left"}, {0.25, 1.02, "left"},
		{-0.01, 0.7, "left"}, {0, 0.5, "left"}, {0.5, 0.7, "left"}, {0.51, 1.02, "right"},
		{1.05, 1.05, "right"}, {0.25, 0.499, NULL}, {1.05, 0.499, NULL}, {0.6, 0.65, NULL},
		{0.75, 0.75, "right"}, {0.75, 0.76, "right"}, {0.75, 0.74, NULL}};
	struct zones zones = {0};
	assert_int_equal(zones_parse("left: 0 0.5, 0.5 0.5, 0.5 1, 0 1; "
				     "right: 0.5 1, 1 0.5, 1 1",
				 &zones, NULL),
		0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		owned_bench struct bench bench = {.decision = plain()};
		struct finding item = box("cat", cases[i].x, cases[i].bottom);
		struct findings f = {.items = &item, .n = 1};
		bench.decision.zones = zones;
		assert_int_equal(decision_judge(&bench.decision, NAN, &bench.state, &f, 1,
					 &bench.verdict, NULL),
			0);
		const char *got = item.zone ? item.zone : "none";
		const char *wanted = cases[i].zone ? cases[i].zone : "none";
		if (strcmp(got, wanted) != 0) {
			fail_msg("%g %g: %s, not %s", cases[i].x, cases[i].bottom, got, wanted);
		}
		assert_int_equal(bench.verdict.n_changes, cases[i].zone ? 1 : 0);
	}
}

static void so_many_at_once_may_be_asked_for(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	struct finding items[2] = {box("cat", 0.2, 0.2), box("cat", 0.8, 0.2)};
	struct findings f = {.items = items, .n = 1};
	bench.decision.min_count = 2;
	for (size_t n = 1; n <= 2; n++) {
		f.n = n;
		assert_int_equal(decision_judge(&bench.decision, NAN, &bench.state, &f, n,
					 &bench.verdict, NULL),
			0);
		assert_int_equal(bench.verdict.n_changes, n - 1);
	}
}

static void each_label_has_a_track_of_its_own(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	struct finding items[3] = {
		box("cat", 0.2, 0.2), box("dog", 0.8, 0.2), box("fox", 0.5, 0.2)};
	struct findings f = {.items = items, .n = 3};
	for (uint64_t t = 1; t < 3; t++) {
		assert_int_equal(decision_judge(&bench.decision, NAN, &bench.state, &f, t,
					 &bench.verdict, NULL),
			0);
		assert_int_equal(bench.verdict.n_changes, t == 1 ? 3 : 0);
	}
	f.n = 2;
	assert_int_equal(
		decision_judge(&bench.decision, NAN, &bench.state, &f, 3, &bench.verdict, NULL), 0);
	assert_int_equal(bench.verdict.n_changes, 1);
	assert_false(bench.verdict.changes[0].began);
	assert_string_equal(bench.verdict.changes[0].label, "fox");
}

/* Examples are taught and forgotten: the same label has another index each time, and another label has it. */
static void a_track_is_the_labels_whatever_its_index(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		size_t index;
	} near[] = {{"pump", 0}, {"pump", 1}, {"pump", 3}, {"valve", 0}, {"valve", 3}};
	owned_bench struct bench bench = {.decision = plain()};
	bench.decision.k = bench.decision.n = 2;
	for (size_t i = 0; i < 5; i++) {
		struct finding item = {
			.label = near[i].label, .index = near[i].index, .score = 0.9};
		struct findings f = {.items = &item, .n = 1};
		assert_int_equal(decision_judge(&bench.decision, NAN, &bench.state, &f, i,
					 &bench.verdict, NULL),
			0);
		const struct decision_change *change = &bench.verdict.changes[0];
		assert_int_equal(bench.verdict.n_changes, "01011"[i] - '0');
		if (i == 1 || i == 4) {
			assert_true(change->began);
			assert_int_equal(change->index, near[i].index);
			assert_string_equal(change->label, near[i].label);
		} else if (i == 3) {
			assert_false(change->began);
			assert_string_equal(change->label, "pump");
		}
	}
}

/* What has no label has its index, also where a line of the file is empty. */
static void a_class_without_a_label_has_a_track_too(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	struct finding items[3] = {{.index = 1, .score = 0.9}, {.index = 2, .score = 0.9},
		{.index = 3, .label = "", .score = 0.9}};
	struct findings f = {.items = items, .n = 3};
	assert_int_equal(
		decision_judge(&bench.decision, NAN, &bench.state, &f, 1, &bench.verdict, NULL), 0);
	assert_int_equal(bench.verdict.n_changes, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_null(bench.verdict.changes[i].label);
		assert_int_equal(bench.verdict.changes[i].index, i + 1);
	}
}

static void a_long_label_is_told_whole(void **state)
{
	(void)state;
	char label[400], other[400];
	owned_bench struct bench bench = {.decision = plain()};
	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = 0;
	memcpy(other, label, sizeof(other));
	other[sizeof(other) - 2] = 'y';
	struct finding items[2] = {{.label = label, .score = 0.9}, {.label = other, .score = 0.9}};
	struct findings f = {.items = items, .n = 2};
	assert_int_equal(
		decision_judge(&bench.decision, NAN, &bench.state, &f, 1, &bench.verdict, NULL), 0);
	assert_int_equal(bench.verdict.n_changes, 2);
	assert_string_equal(bench.verdict.changes[0].label, label);
	assert_string_equal(bench.verdict.changes[1].label, other);
}

/* That is what a stage with `on = event` looks at. */
static void what_is_told_to_begin_is_marked(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	bench.decision.rate_limit = 1;
	assert_int_equal(
		zones_parse("left: 0 0, 0.5 0, 0.5 1, 0 1", &bench.decision.zones, NULL), 0);
	for (uint64_t i = 0; i < 4; i++) {
		struct finding items[2] = {box("cat", 0.2, 0.9), box("cat", 0.8, 0.9)};
		struct findings f = {.items = items, .n = i == 2 ? 0 : 2};
		assert_int_equal(decision_judge(&bench.decision, NAN, &bench.state, &f, i,
					 &bench.verdict, NULL),
			0);
		assert_int_equal(bench.verdict.n_changes, "1011"[i] - '0');
		assert_int_equal(items[0].began, i == 0);
		assert_false(items[1].began); /* it is in no zone */
	}
	assert_true(bench.verdict.limited && bench.verdict.changes[0].began);
}

static void labels_that_are_not_looked_at_change_nothing(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	strcpy(bench.decision.ignore, "a");
	check(&bench, (double[]){0.9, 0.9}, "--");
	bench.decision.ignore[0] = 0;
	strcpy(bench.decision.labels, "b, c");
	check(&bench, (double[]){0.9, 0.9}, "--");
	strcpy(bench.decision.labels, "b, a");
	check(&bench, (double[]){0.9}, "b");
}

static void a_number_is_told_when_it_has_changed_enough(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	static const double numbers[] = {20, 20.4, 20.5, 20.9, 19.9};
	static const bool emitted[] = {true, false, true, false, true};
	bench.decision.change = 0.5;
	for (size_t i = 0; i < 5; i++) {
		step(&bench, numbers[i]);
		assert_int_equal(bench.verdict.emitted, emitted[i]);
	}
}

/* The limit keeps 40 back; it is emitted when the period is over, though it has not changed since. */
static void a_number_that_was_limited_is_told_later(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	static const double numbers[] = {20, 40, 40, 40, 40, 40.4};
	static const bool emitted[] = {true, false, false, true, false, false};
	static const bool limited[] = {false, true, true, false, false, false};
	bench.decision.change = 0.5;
	bench.decision.rate_limit = 1;
	bench.decision.rate_period_ms = 3000;
	for (size_t i = 0; i < 6; i++) {
		step(&bench, numbers[i]);
		assert_int_equal(bench.verdict.emitted, emitted[i]);
		assert_int_equal(bench.verdict.limited, limited[i]);
	}
}

/* With all emitted, the last one emitted is the one to differ from. */
static void a_change_counts_from_what_was_told_last(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	bench.decision.change = 0.5;
	bench.decision.publish = PIPELINE_CONFIG_PUBLISH_ALL;
	step(&bench, 20);
	step(&bench, 20.4);
	assert_true(bench.verdict.emitted);
	bench.decision.publish = PIPELINE_CONFIG_PUBLISH_CHANGES;
	step(&bench, 20.8);
	assert_false(bench.verdict.emitted);
	step(&bench, 20.9);
	assert_true(bench.verdict.emitted);
}

static void more_labels_than_fit_do_no_harm(void **state)
{
	(void)state;
	owned_bench struct bench bench = {.decision = plain()};
	static struct finding items[3 * DECISION_MAX_TRACKS];
	struct findings f = {.items = items, .n = 3 * DECISION_MAX_TRACKS};
	for (size_t i = 0; i < f.n; i++) {
		items[i] = (struct finding){.index = i, .score = 0.9};
	}
	for (uint64_t t = 1; t < 4; t++) {
		assert_int_equal(decision_judge(&bench.decision, NAN, &bench.state, &f, t,
					 &bench.verdict, NULL),
			0);
	}
	assert_int_equal(bench.state.n_tracks, DECISION_MAX_TRACKS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_above_the_threshold_begins_once),
		cmocka_unit_test(hysteresis_keeps_what_is_between),
		cmocka_unit_test(low_above_the_threshold_is_the_threshold),
		cmocka_unit_test(k_of_the_last_n_decide),
		cmocka_unit_test(the_mean_of_several_scores_decides),
		cmocka_unit_test(a_beginning_waits_for_hold_off),
		cmocka_unit_test(beginnings_beyond_the_rate_and_their_ends_are_not_told),
		cmocka_unit_test(the_end_of_what_was_told_is_never_limited),
		cmocka_unit_test(labels_that_take_turns_are_limited_all_the_same),
		cmocka_unit_test(with_all_results_told_an_end_is_beyond_the_limit),
		cmocka_unit_test(publish_says_what_is_emitted),
		cmocka_unit_test(only_boxes_that_stand_in_a_zone_count),
		cmocka_unit_test(a_box_that_is_cut_off_by_the_edge_stands_on_it),
		cmocka_unit_test(so_many_at_once_may_be_asked_for),
		cmocka_unit_test(each_label_has_a_track_of_its_own),
		cmocka_unit_test(a_track_is_the_labels_whatever_its_index),
		cmocka_unit_test(a_class_without_a_label_has_a_track_too),
		cmocka_unit_test(a_long_label_is_told_whole),
		cmocka_unit_test(what_is_told_to_begin_is_marked),
		cmocka_unit_test(labels_that_are_not_looked_at_change_nothing),
		cmocka_unit_test(a_number_is_told_when_it_has_changed_enough),
		cmocka_unit_test(a_number_that_was_limited_is_told_later),
		cmocka_unit_test(a_change_counts_from_what_was_told_last),
		cmocka_unit_test(more_labels_than_fit_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
