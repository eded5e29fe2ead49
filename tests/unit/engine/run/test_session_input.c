/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/strings.h"
#include "engine/run/input.h"

#define LIMIT 1000

static const struct shape two = {.rank = 1, .dim = {2}}, three = {.rank = 1, .dim = {3}};

static void bound_bytes_are_read_in_place_or_from_a_private_copy(void **state)
{
	(void)state;
	struct input input = {.type = DTYPE_INT32};
	_Alignas(16) int32_t numbers[2] = {1, 2};
	const void *data = NULL;
	assert_int_equal(input_reshape(&input, &two, LIMIT, NULL), 0);
	assert_int_equal(input_bind(&input, numbers, 8, LIMIT, NULL), 0);
	assert_int_equal(input_data(&input, false, &data, NULL), 0);
	assert_ptr_equal(data, numbers);
	assert_int_equal(input_data(&input, true, &data, NULL), 0);
	assert_ptr_not_equal(data, numbers);
	numbers[0] = 7; /* whoever bound it writes to it while a run goes on */
	assert_int_equal(*(const int32_t *)data, 1);
	assert_int_equal(input_data(&input, true, &data, NULL), 0); /* the next run */
	assert_int_equal(*(const int32_t *)data, 7);
	input_deinit(&input);
}

static void an_input_that_is_not_bound_is_zeros(void **state)
{
	(void)state;
	struct input input = {.type = DTYPE_INT32};
	const int32_t zeros[2] = {0};
	const void *data = NULL;
	assert_int_equal(input_reshape(&input, &two, LIMIT, NULL), 0);
	assert_int_equal(input_data(&input, true, &data, NULL), 0);
	assert_memory_equal(data, zeros, 8);
	assert_ptr_equal(data, input_own(&input));
	input_deinit(&input);
}

static void what_cannot_be_bound_is_refused(void **state)
{
	(void)state;
	struct input input = {.type = DTYPE_INT32};
	struct error err = {0};
	_Alignas(16) uint8_t bytes[32] = {0};
	assert_int_equal(input_reshape(&input, &two, LIMIT, NULL), 0);
	assert_int_equal(input_bind(&input, bytes + 4, 8, LIMIT, &err), -EINVAL);
	assert_string_equal(err.text, "not aligned to 16 bytes");
	assert_int_equal(input_bind(&input, NULL, 8, LIMIT, NULL), -EINVAL);
	assert_int_equal(input_bind(&input, bytes, 12, LIMIT, &err), -EINVAL);
	assert_string_equal(err.text, "takes 8 bytes, not 12");
	input_deinit(&input);
}

static void another_shape_forgets_what_was_bound_unless_it_has_the_same_bytes(void **state)
{
	(void)state;
	struct input input = {.type = DTYPE_INT32};
	struct error err = {0};
	const struct shape column = {.rank = 2, .dim = {2, 1}}, none = {.rank = 1, .dim = {-1}};
	const struct shape huge = {.rank = 1, .dim = {251}};
	_Alignas(16) int32_t numbers[2] = {1, 2};
	assert_int_equal(input_reshape(&input, &two, LIMIT, NULL), 0);
	assert_int_equal(input_bind(&input, numbers, 8, LIMIT, NULL), 0);
	assert_int_equal(input_reshape(&input, &column, LIMIT, NULL), 0);
	assert_ptr_equal(input.bound, numbers);
	assert_int_equal(input_reshape(&input, &huge, LIMIT, &err), -EFBIG);
	assert_string_equal(err.text, "1004 bytes, the limit is 1000");
	assert_int_equal(input_reshape(&input, &none, LIMIT, NULL), -EINVAL);
	assert_ptr_equal(input.bound, numbers);
	assert_int_equal(input_reshape(&input, &three, LIMIT, NULL), 0);
	assert_null(input.bound);
	assert_int_equal(input.bytes, 12);
	input_deinit(&input);
}

static void strings_are_checked_and_copied_when_they_are_bound(void **state)
{
	(void)state;
	struct input input = {.type = DTYPE_STRING};
	struct error err = {0};
	struct strings strings;
	_Alignas(16) uint8_t table[64];
	const void *data = NULL;
	uint32_t length = 0;
	struct strings_writer w = strings_writer_of(table, 2);
	strings_put(&w, "ab", 2);
	strings_put(&w, "c", 1);
	assert_int_equal(input_reshape(&input, &two, LIMIT, NULL), 0);
	assert_int_equal(input_bind(&input, table, w.end, LIMIT, NULL), 0);
	memset(table, 0xff, sizeof(table));
	assert_int_equal(input_data(&input, false, &data, NULL), 0);
	assert_int_equal(strings_open(&strings, data, input.bytes, 2, NULL), 0);
	assert_memory_equal(strings_get(&strings, 0, &length), "ab", 2);
	assert_int_equal(input_bind(&input, table, 20, LIMIT, &err), -EINVAL);
	assert_int_equal(input_bind(&input, table, LIMIT + 1, LIMIT, &err), -EFBIG);
	assert_int_equal(input_data(&input, false, &data, NULL), 0); /* the first are still there */
	memset(input_own(&input), 0x11, 8);
	assert_int_equal(input_data(&input, false, &data, &err), -EINVAL);
	input_deinit(&input);
}

static void strings_that_nobody_binds_are_empty(void **state)
{
	(void)state;
	struct input input = {.type = DTYPE_STRING};
	struct strings strings;
	const void *data = NULL;
	uint32_t length = 9;
	assert_int_equal(input_reshape(&input, &three, LIMIT, NULL), 0);
	assert_int_equal(input_data(&input, false, &data, NULL), 0);
	assert_int_equal(strings_open(&strings, data, input.bytes, 3, NULL), 0);
	strings_get(&strings, 2, &length);
	assert_int_equal(length, 0);
	input_deinit(&input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bound_bytes_are_read_in_place_or_from_a_private_copy),
		cmocka_unit_test(an_input_that_is_not_bound_is_zeros),
		cmocka_unit_test(what_cannot_be_bound_is_refused),
		cmocka_unit_test(another_shape_forgets_what_was_bound_unless_it_has_the_same_bytes),
		cmocka_unit_test(strings_are_checked_and_copied_when_they_are_bound),
		cmocka_unit_test(strings_that_nobody_binds_are_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
