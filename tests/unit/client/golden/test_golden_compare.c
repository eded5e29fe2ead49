/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/golden/golden_compare.h"

struct text {
	char text[160];
};

static bool compare(
	struct golden_entry want, uint64_t expected, uint64_t got, struct text *ret_text)
{
	want.data = (uint8_t *)&expected;
	want.bytes = sizeof(expected);
	return golden_compare(
		&want, want.type, &got, sizeof(got), ret_text->text, sizeof(ret_text->text));
}

static void uint64_beyond_int64_is_compared_by_value(void **state)
{
	(void)state;
	struct golden_entry want = {
		.type = DTYPE_UINT64, .compare = GOLDEN_MAX_DIFF, .max_diff = 1};
	struct text text = {""};
	assert_false(compare(want, 0, UINT64_MAX, &text));
	assert_string_equal(text.text,
		"first difference at 0: expected 0, got 18446744073709551615 (1 of 1 elements differ)");
	assert_false(compare(want, UINT64_MAX, 0, &text));
	assert_true(compare(want, UINT64_MAX, UINT64_MAX - 1, &text));
	assert_true(compare(want, (uint64_t)INT64_MAX, (uint64_t)INT64_MAX + 1, &text));
	want.max_diff = UINT64_MAX;
	assert_true(compare(want, 0, UINT64_MAX, &text));

	want = (struct golden_entry){.type = DTYPE_UINT64, .compare = GOLDEN_ALLCLOSE, .atol = 1};
	assert_false(compare(want, 0, UINT64_MAX, &text));
	want = (struct golden_entry){.type = DTYPE_UINT64, .compare = GOLDEN_ALLCLOSE, .rtol = 0.5};
	assert_true(compare(want, UINT64_MAX, (uint64_t)INT64_MAX + 1, &text));
}

static void int64_keeps_its_sign(void **state)
{
	(void)state;
	struct golden_entry want = {.type = DTYPE_INT64, .compare = GOLDEN_MAX_DIFF, .max_diff = 1};
	struct text text = {""};
	assert_true(compare(want, 0, (uint64_t)-1, &text));
	assert_false(compare(want, 0, (uint64_t)-2, &text));
	assert_string_equal(
		text.text, "first difference at 0: expected 0, got -2 (1 of 1 elements differ)");
	want = (struct golden_entry){.type = DTYPE_INT64, .compare = GOLDEN_ALLCLOSE, .atol = 1};
	assert_true(compare(want, 0, (uint64_t)-1, &text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uint64_beyond_int64_is_compared_by_value),
		cmocka_unit_test(int64_keeps_its_sign),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
