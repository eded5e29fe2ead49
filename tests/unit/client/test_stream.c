/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "client/pipeline/stream.h"

static struct material rows_of(float *values, size_t rows, size_t columns, uint32_t rate)
{
	return (struct material){.kind = rate ? MATERIAL_SOUND : MATERIAL_NUMBERS,
		.values = values,
		.rows = rows,
		.columns = columns,
		.rate = rate};
}

static void add(struct rows *rows, float *values, size_t n, size_t columns, uint32_t rate)
{
	const struct material m = rows_of(values, n, columns, rate);
	char why[ROWS_WHY_SIZE];
	assert_false(rows_restart(rows, &m, why));
	const uint64_t time_us = rows_time(rows, n, rate, 5000000);
	assert_int_equal(rows_append(rows, &m, 100000, time_us, NULL), 0);
}

static void a_window_begins_anew_with_another_rate(void **state)
{
	(void)state;
	struct rows rows = {0};
	static float values[2000];
	char why[ROWS_WHY_SIZE];
	for (size_t i = 0; i < 2000; i++) {
		values[i] = (float)i;
	}
	/* Ten seconds at once: the source's clock is ahead of the other by now. */
	for (size_t i = 0; i < 10; i++) {
		add(&rows, values, 1000, 1, 1000);
	}
	const uint64_t before_us = rows.time_us;
	const struct material other = rows_of(values, 2000, 1, 2000);
	assert_true(rows_restart(&rows, &other, why));
	assert_string_equal(
		why, "the source had 1000 samples a second, now 2000: its window begins anew");
	assert_int_equal(rows_waiting(&rows), 0);
	add(&rows, values, 2000, 1, 2000);
	assert_int_equal(rows.time_us, before_us + 1000000);

	owned(material_unref) struct material *m = NULL;
	const struct stage_window window = {.rows = 1500, .hop = 500};
	uint64_t time_us = 0;
	assert_int_equal(rows_take(&rows, &window, &m, &time_us, NULL), 0);
	assert_non_null(m);
	assert_true(m->rate == 2000 && m->first_row == 0 && m->values[0] == 0 && m->to_s == 0.75);
	assert_int_equal(time_us, before_us + 750000);
	free(rows.values);
}

static void a_window_begins_anew_with_other_columns(void **state)
{
	(void)state;
	struct rows rows = {0};
	float values[12] = {1, 2, 3, 4, 5, 6};
	char why[ROWS_WHY_SIZE];
	add(&rows, values, 2, 3, 0);
	const struct material other = rows_of(values, 1, 4, 0);
	assert_true(rows_restart(&rows, &other, why));
	assert_string_equal(why, "the source had 3 columns, now 4: its window begins anew");
	add(&rows, values, 1, 4, 0);
	assert_int_equal(rows_waiting(&rows), 4);
	free(rows.values);
}

/* Pieces of two rows each, ten seconds apart, with a gap before each but the first: row i of piece p is 10 p + i. */
static void pieces_come(struct rows *rows, size_t pieces, uint32_t rate)
{
	for (size_t p = 0; p < pieces; p++) {
		float values[2] = {(float)(10 * p), (float)(10 * p + 1)};
		const struct material m = rows_of(values, 2, 1, rate);
		const uint64_t now_us = (p + 1) * 10000000;
		rows_hear(rows, 2, rate, 1000000, now_us);
		assert_int_equal(rows_append(rows, &m, 100000, now_us, NULL), 0);
	}
}

static void assert_next(struct rows *rows, const struct stage_window *window, float first,
	uint64_t row, uint64_t wanted_us)
{
	owned(material_unref) struct material *m = NULL;
	uint64_t time_us = 0;
	assert_int_equal(rows_take(rows, window, &m, &time_us, NULL), 0);
	assert_non_null(m);
	assert_true(m->values[0] == first);
	assert_int_equal(m->first_row, row);
	assert_int_equal(time_us, wanted_us);
}

static void assert_no_next(struct rows *rows, const struct stage_window *window)
{
	struct material *m = NULL;
	uint64_t time_us = 0;
	assert_int_equal(rows_take(rows, window, &m, &time_us, NULL), 0);
	assert_null(m);
}

static void full_windows_between_gaps_wait_with_their_times(void **state)
{
	(void)state;
	struct rows rows = {0};
	const struct stage_window window = {.rows = 2, .hop = 2};
	pieces_come(&rows, 5, 0);
	for (size_t p = 0; p < 5; p++) {
		assert_next(&rows, &window, (float)(10 * p), 2 * p, (p + 1) * 10000000);
	}
	assert_no_next(&rows, &window);
	free(rows.values);
}

/* Of sound the last sample counts, not what came behind it in the same piece or after a gap. */
static void a_window_before_a_gap_has_the_time_of_its_last_sample(void **state)
{
	(void)state;
	struct rows rows = {0};
	const struct stage_window window = {.rows = 1, .hop = 1};
	pieces_come(&rows, 2, 100);
	assert_next(&rows, &window, 0, 0, 9990000);
	assert_next(&rows, &window, 1, 1, 10000000);
	assert_next(&rows, &window, 10, 2, 19990000);
	assert_next(&rows, &window, 11, 3, 20000000);
	assert_no_next(&rows, &window);
	free(rows.values);
}

static void no_window_has_rows_of_both_sides_of_any_gap(void **state)
{
	(void)state;
	struct rows rows = {0};
	const struct stage_window window = {.rows = 3, .hop = 1};
	float values[3] = {70, 71, 72};
	pieces_come(&rows, 5, 0);
	const struct material m = rows_of(values, 3, 1, 0);
	rows_break(&rows);
	assert_int_equal(rows_append(&rows, &m, 100000, 90000000, NULL), 0);
	assert_next(&rows, &window, 70, 10, 90000000);
	assert_no_next(&rows, &window);
	free(rows.values);
}

static void behind_sixteen_gaps_only_what_came_last_waits(void **state)
{
	(void)state;
	struct rows rows = {0};
	const struct stage_window window = {.rows = 2, .hop = 2};
	pieces_come(&rows, 20, 0);
	for (size_t p = 0; p < ROWS_MAX_GAPS; p++) {
		assert_next(&rows, &window, (float)(10 * p), 2 * p, (p + 1) * 10000000);
	}
	assert_next(&rows, &window, 190, 32, 200000000);
	assert_no_next(&rows, &window);
	free(rows.values);
}

static void what_is_caught_up_with_is_the_newest_window_behind_all_gaps(void **state)
{
	(void)state;
	struct rows rows = {0};
	const struct stage_window window = {.rows = 2, .hop = 2};
	pieces_come(&rows, 5, 0);
	assert_int_equal(rows_catch_up(&rows, &window), 4);
	assert_next(&rows, &window, 40, 8, 50000000);
	assert_no_next(&rows, &window);
	free(rows.values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_begins_anew_with_another_rate),
		cmocka_unit_test(a_window_begins_anew_with_other_columns),
		cmocka_unit_test(full_windows_between_gaps_wait_with_their_times),
		cmocka_unit_test(a_window_before_a_gap_has_the_time_of_its_last_sample),
		cmocka_unit_test(no_window_has_rows_of_both_sides_of_any_gap),
		cmocka_unit_test(behind_sixteen_gaps_only_what_came_last_waits),
		cmocka_unit_test(what_is_caught_up_with_is_the_newest_window_behind_all_gaps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
