/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/dtype.h"

static void shape_elements_does_not_let_a_zero_hide_an_overflow(void **state)
{
	(void)state;
	uint64_t n = 99;
	const struct shape hidden = {.rank = 3, .dim = {0, 1 << 24, 1 << 24}};
	assert_int_equal(shape_elements(&hidden, &n), -ERANGE);
	assert_int_equal(n, 99);
	const struct shape empty = {.rank = 2, .dim = {0, 5}};
	assert_int_equal(shape_elements(&empty, &n), 0);
	assert_int_equal(n, 0);
}

static void shape_elements_refuses_unknown_and_huge(void **state)
{
	(void)state;
	uint64_t n = 0;
	const struct shape unknown = {.rank = 1, .dim = {-1}};
	const struct shape huge = {.rank = 2, .dim = {65536, 65536}};
	const struct shape rank = {.rank = 9};
	assert_int_equal(shape_elements(&unknown, &n), -ERANGE);
	assert_int_equal(shape_elements(&huge, &n), -ERANGE);
	assert_int_equal(shape_elements(&rank, &n), -ERANGE);
	const struct shape scalar = {.rank = 0};
	assert_int_equal(shape_elements(&scalar, &n), 0);
	assert_int_equal(n, 1);
}

static void shape_bytes_packs_int4(void **state)
{
	(void)state;
	uint64_t n = 0;
	const struct shape five = {.rank = 1, .dim = {5}};
	assert_int_equal(shape_bytes(&five, DTYPE_INT4, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(shape_bytes(&five, DTYPE_COMPLEX64, &n), 0);
	assert_int_equal(n, 40);
	assert_int_equal(shape_bytes(&five, DTYPE_STRING, &n), -EINVAL);
}

static void shape_format_prints_like_the_golden_files(void **state)
{
	(void)state;
	char text[SHAPE_TEXT_SIZE];
	const struct shape s = {.rank = 4, .dim = {1, 96, -1, 3}}, scalar = {.rank = 0};
	assert_string_equal(shape_format(text, sizeof(text), &s), "1x96x?x3");
	assert_string_equal(shape_format(text, sizeof(text), &scalar), "-");
}

static void dtype_names_and_numbers_agree(void **state)
{
	(void)state;
	for (int i = 0; i < DTYPE_COUNT; i++) {
		assert_int_equal(dtype_find(dtype_name((unsigned int)i)), i);
	}
	assert_int_equal(dtype_find("int3"), -1);
	assert_string_equal(dtype_name(99), "unknown");
	assert_int_equal(dtype_bits(DTYPE_INT4), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shape_elements_does_not_let_a_zero_hide_an_overflow),
		cmocka_unit_test(shape_elements_refuses_unknown_and_huge),
		cmocka_unit_test(shape_bytes_packs_int4),
		cmocka_unit_test(shape_format_prints_like_the_golden_files),
		cmocka_unit_test(dtype_names_and_numbers_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
