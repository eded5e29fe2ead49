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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_begins_anew_with_another_rate),
		cmocka_unit_test(a_window_begins_anew_with_other_columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
