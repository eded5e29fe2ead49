/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "client/pipeline/stream.h"

static struct input_data rows_of(float *values, size_t rows, size_t columns, uint32_t rate)
{
	return (struct input_data){.kind = rate ? INPUT_DATA_SOUND : INPUT_DATA_NUMBERS,
		.values = values,
		.rows = rows,
		.columns = columns,
		.rate = rate};
}

static void rows_free(struct rows *rows)
{
	free(rows->values.data);
	free(rows->parts.data);
	free(rows->runs.data);
}

static void add(struct rows *rows, float *values, size_t n, size_t columns, uint32_t rate)
{
	const struct input_data m = rows_of(values, n, columns, rate);
	char why[ROWS_WHY_SIZE];
	assert_int_equal(rows_restart(rows, &m, 1, why, NULL), 0);
	assert_string_equal(why, "");
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
	const uint64_t before_us = rows.open.time_us;
	const struct input_data other = rows_of(values, 2000, 1, 2000);
	assert_int_equal(rows_restart(&rows, &other, 10001, why, NULL), 0);
	assert_string_equal(
		why, "the source had 1000 samples a second, now 2000: its window begins anew");
	assert_int_equal(rows.values.n, 0);
	add(&rows, values, 2000, 1, 2000);
	assert_int_equal(rows.open.time_us, before_us + 1000000);

	owned(input_data_unref) struct input_data *m = NULL;
	const struct stage_window window = {.rows = 1500, .hop = 500};
	uint64_t time_us = 0;
	assert_int_equal(rows_take(&rows, &window, &m, &time_us, NULL), 0);
	assert_non_null(m);
	assert_true(m->rate == 2000 && m->first_row == 0 && m->values[0] == 0 && m->to_s == 0.75);
	assert_int_equal(time_us, before_us + 750000);
	rows_free(&rows);
}

static void a_window_begins_anew_with_other_columns(void **state)
{
	(void)state;
	struct rows rows = {0};
	float values[12] = {1, 2, 3, 4, 5, 6};
	char why[ROWS_WHY_SIZE];
	add(&rows, values, 2, 3, 0);
	const struct input_data other = rows_of(values, 1, 4, 0);
	assert_int_equal(rows_restart(&rows, &other, 3, why, NULL), 0);
	assert_string_equal(why, "the source had 3 columns, now 4: its window begins anew");
	add(&rows, values, 1, 4, 0);
	assert_int_equal(rows.values.n, 4);
	rows_free(&rows);
}

/* Pieces of two rows each, ten seconds apart, with a gap before each but the first: row i of piece p is 10 p + i. */
static void pieces_come(struct rows *rows, size_t pieces, uint32_t rate, size_t least)
{
	for (size_t p = 0; p < pieces; p++) {
		float values[2] = {(float)(10 * p), (float)(10 * p + 1)};
		const struct input_data m = rows_of(values, 2, 1, rate);
		const uint64_t now_us = (p + 1) * UINT64_C(10000000);
		assert_int_equal(rows_check_gap(rows, 2, rate, 1000000, now_us, least, NULL), 0);
		assert_int_equal(rows_append(rows, &m, 100000, now_us, NULL), 0);
	}
}

static void assert_next(struct rows *rows, const struct stage_window *window, float first,
	uint64_t row, uint64_t wanted_us)
{
	owned(input_data_unref) struct input_data *m = NULL;
	uint64_t time_us = 0;
	while (rows_pass(rows, window)) {}
	assert_int_equal(rows_take(rows, window, &m, &time_us, NULL), 0);
	assert_non_null(m);
	assert_true(m->values[0] == first);
	assert_int_equal(m->first_row, row);
	assert_int_equal(time_us, wanted_us);
}

static void assert_no_next(struct rows *rows, const struct stage_window *window)
{
	struct input_data *m = NULL;
	uint64_t time_us = 0;
	while (rows_pass(rows, window)) {}
	assert_int_equal(rows_take(rows, window, &m, &time_us, NULL), 0);
	assert_null(m);
}

/* Windows of the old rate that nobody has asked about yet stay as they were. */
static void full_windows_of_the_rate_before_wait(void **state)
{
	(void)state;
	struct rows rows = {0};
	float values[5] = {1, 2, 3, 4, 5};
	char why[ROWS_WHY_SIZE];
	const struct stage_window before = {.rows = 2, .hop = 2}, after = {.rows = 4, .hop = 4};
	add(&rows, values, 5, 1, 100);
	const struct input_data other = rows_of(values, 4, 1, 200);
	assert_int_equal(rows_restart(&rows, &other, before.rows, why, NULL), 0);
	add(&rows, values, 4, 1, 200);
	for (size_t i = 0; i < 2; i++) {
		owned(input_data_unref) struct input_data *m = NULL;
		uint64_t time_us = 0;
		assert_int_equal(rows_front(&rows)->rate, 100);
		assert_int_equal(rows_take(&rows, &before, &m, &time_us, NULL), 0);
		assert_true(m && m->rate == 100 && m->first_row == 2 * i);
		assert_true(m->values[0] == (float)(2 * i + 1));
		assert_int_equal(time_us, 5000000 - 30000 + 20000 * i);
	}
	assert_true(rows_pass(&rows, &before)); /* the fifth */
	assert_int_equal(rows_front(&rows)->rate, 200);
	assert_int_equal(rows_front(&rows)->position, 0);
	assert_next(&rows, &after, 1, 0, 5020000);
	rows_free(&rows);
}

static void full_windows_between_gaps_wait_with_their_times(void **state)
{
	(void)state;
	struct rows rows = {0};
	const struct stage_window window = {.rows = 2, .hop = 2};
	pieces_come(&rows, 5, 0, 1);
	for (size_t p = 0; p < 5; p++) {
		assert_next(&rows, &window, (float)(10 * p), 2 * p, (p + 1) * UINT64_C(10000000));
	}
	assert_no_next(&rows, &window);
	rows_free(&rows);
}

/* Of sound the last sample counts, not what came behind it in the same piece or after a gap. */
static void a_window_before_a_gap_has_the_time_of_its_last_sample(void **state)
{
	(void)state;
	struct rows rows = {0};
	const struct stage_window window = {.rows = 1, .hop = 1};
	pieces_come(&rows, 2, 100, 1);
	assert_next(&rows, &window, 0, 0, 9990000);
	assert_next(&rows, &window, 1, 1, 10000000);
	assert_next(&rows, &window, 10, 2, 19990000);
	assert_next(&rows, &window, 11, 3, 20000000);
	assert_no_next(&rows, &window);
	rows_free(&rows);
}

static void no_window_has_rows_of_both_sides_of_any_gap(void **state)
{
	(void)state;
	struct rows rows = {0};
	const struct stage_window window = {.rows = 3, .hop = 1};
	float values[3] = {70, 71, 72};
	pieces_come(&rows, 5, 0, 1);
	const struct input_data m = rows_of(values, 3, 1, 0);
	assert_int_equal(rows_break(&rows, 3, NULL), 0);
	assert_int_equal(rows_append(&rows, &m, 100000, 90000000, NULL), 0);
	assert_next(&rows, &window, 70, 10, 90000000);
	assert_no_next(&rows, &window);
	rows_free(&rows);
}

static void full_windows_wait_before_any_number_of_gaps(void **state)
{
	(void)state;
	struct rows rows = {0};
	const struct stage_window window = {.rows = 2, .hop = 2};
	pieces_come(&rows, 1000, 0, 2);
	for (size_t p = 0; p < 1000; p++) {
		assert_next(&rows, &window, (float)(10 * p), 2 * p, (p + 1) * UINT64_C(10000000));
	}
	assert_no_next(&rows, &window);
	assert_int_equal(rows.values.n, 0);
	rows_free(&rows);
}

/* Nothing is kept of what makes no window; what is known of the others counts as values do. */
static void what_waits_before_gaps_is_all_counted(void **state)
{
	(void)state;
	struct rows short_ones = {0}, full_ones = {0};
	pieces_come(&short_ones, 1000, 0, 3);
	assert_int_equal(short_ones.values.n, 2);
	assert_int_equal(short_ones.parts.room, 0);
	assert_int_equal(short_ones.open.position, 1998);
	pieces_come(&full_ones, 1000, 0, 2);
	assert_true(rows_held(&full_ones) * sizeof(float) >=
		2000 * sizeof(float) + 999 * sizeof(struct rows_part));
	rows_free(&short_ones);
	rows_free(&full_ones);
}

/* What is large goes when little is left of it; until then it counts. */
static void room_is_counted_until_it_is_given_back(void **state)
{
	(void)state;
	static float values[1000100];
	struct rows rows = {0};
	const struct stage_window window = {.rows = 500000, .hop = 500000};
	const struct input_data m = rows_of(values, 1000100, 1, 1000);
	assert_int_equal(rows_append(&rows, &m, 1 << 24, 2000000000, NULL), 0);
	assert_true(rows.values.room >= 1000100 && rows_held(&rows) >= rows.values.room);
	values[1000000] = 7;
	memcpy((float *)rows.values.data + 1000000, values + 1000000, 100 * sizeof(values[0]));
	assert_next(&rows, &window, 0, 0, 2000000000 - 500100000);
	assert_next(&rows, &window, 0, 500000, 2000000000 - 100000);
	assert_true(rows_held(&rows) < 20000);
	const struct stage_window last = {.rows = 100, .hop = 100};
	assert_next(&rows, &last, 7, 1000000, 2000000000);
	rows_free(&rows);
}

static void room_is_not_made_beyond_the_limit(void **state)
{
	(void)state;
	static float values[2000];
	struct rows rows = {0};
	const struct input_data m = rows_of(values, 1000, 1, 1000);
	for (size_t i = 0; i < 9; i++) {
		assert_int_equal(rows_append(&rows, &m, 10000 - rows_held(&rows), 1, NULL), 0);
		assert_true(rows_held(&rows) <= 10000);
	}
	const struct input_data rest = rows_of(values, 1001, 1, 1000);
	assert_int_equal(rows_append(&rows, &rest, 10000 - rows_held(&rows), 1, NULL), -ENOSPC);
	assert_int_equal(rows.open.rows, 9000);
	rows_free(&rows);
}

static void windows_that_wait_have_the_time_of_their_own_last_row(void **state)
{
	(void)state;
	struct rows rows = {0};
	float values[3] = {1, 2, 3};
	const struct stage_window window = {.rows = 4, .hop = 2};
	for (uint64_t i = 1; i <= 4; i++) {
		const struct input_data m = rows_of(values, 3, 1, 0);
		assert_int_equal(rows_append(&rows, &m, 100000, i * 1000000, NULL), 0);
	}
	assert_next(&rows, &window, 1, 0, 2000000); /* rows 0 to 3: three of the first push */
	assert_next(&rows, &window, 3, 2, 2000000);
	assert_next(&rows, &window, 2, 4, 3000000);
	assert_next(&rows, &window, 1, 6, 4000000);
	assert_next(&rows, &window, 3, 8, 4000000);
	assert_no_next(&rows, &window);
	rows_free(&rows);
}

/* Rows that a hop leaves out, or a gap drops, take their times along. */
static void times_go_with_the_rows_that_no_window_has(void **state)
{
	(void)state;
	struct rows rows = {0};
	float values[3] = {1, 2, 3};
	const struct stage_window window = {.rows = 2, .hop = 4};
	const struct input_data m = rows_of(values, 3, 1, 0);
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(rows_append(&rows, &m, 100000, i * 1000000, NULL), 0);
	}
	assert_next(&rows, &window, 1, 0, 1000000);
	assert_next(&rows, &window, 2, 4, 2000000);
	assert_int_equal(rows_break(&rows, 2, NULL), 0); /* one row of the third push: dropped */
	assert_int_equal(rows_append(&rows, &m, 100000, 9000000, NULL), 0);
	assert_next(&rows, &window, 1, 9, 9000000);
	assert_no_next(&rows, &window);
	rows_free(&rows);
}

/* Pieces of 100 ms each; those of two seconds are held up and come at once. */
static void time_after_a_stall_is_now_again(void **state)
{
	(void)state;
	static float values[100];
	struct rows rows = {0};
	uint64_t now_us = 10000000, time_us = 0, before_us = 0;
	const struct input_data m = rows_of(values, 100, 1, 1000);
	for (size_t i = 0; i < 60; i++) {
		now_us += i % 30 < 10 ? 100000 : i % 30 == 10 ? 2000000 : 0;
		assert_int_equal(rows_check_gap(&rows, 100, 1000, 500000, now_us, 1, NULL), 0);
		time_us = rows_time(&rows, 100, 1000, now_us);
		assert_true(time_us >= before_us);
		before_us = time_us;
		assert_int_equal(rows_append(&rows, &m, 1000000, time_us, NULL), 0);
		assert_true(time_us <= now_us);
	}
	assert_int_equal(time_us, now_us);
	rows_free(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_begins_anew_with_another_rate),
		cmocka_unit_test(a_window_begins_anew_with_other_columns),
		cmocka_unit_test(full_windows_of_the_rate_before_wait),
		cmocka_unit_test(full_windows_between_gaps_wait_with_their_times),
		cmocka_unit_test(a_window_before_a_gap_has_the_time_of_its_last_sample),
		cmocka_unit_test(no_window_has_rows_of_both_sides_of_any_gap),
		cmocka_unit_test(full_windows_wait_before_any_number_of_gaps),
		cmocka_unit_test(what_waits_before_gaps_is_all_counted),
		cmocka_unit_test(room_is_counted_until_it_is_given_back),
		cmocka_unit_test(room_is_not_made_beyond_the_limit),
		cmocka_unit_test(windows_that_wait_have_the_time_of_their_own_last_row),
		cmocka_unit_test(times_go_with_the_rows_that_no_window_has),
		cmocka_unit_test(time_after_a_stall_is_now_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
