/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/strings.h"
#include "engine/run/session_input.h"

#define LIMIT 1000

static const struct shape two = {.rank = 1, .dim = {2}}, three = {.rank = 1, .dim = {3}};

static void bound_bytes_are_read_in_place_or_from_a_private_copy(void **state)
{
	(void)state;
	struct session_input input = {.type = DTYPE_INT32};
	_Alignas(16) int32_t numbers[2] = {1, 2};
	const void *data = NULL;
	assert_int_equal(session_input_reshape(&input, &two, LIMIT, NULL), 0);
	assert_int_equal(session_input_bind(&input, numbers, 8, LIMIT, NULL), 0);
	assert_int_equal(session_input_data(&input, false, NULL, &data, NULL), 0);
	assert_ptr_equal(data, numbers);
	assert_int_equal(session_input_data(&input, true, NULL, &data, NULL), 0);
	assert_ptr_not_equal(data, numbers);
	numbers[0] = 7; /* whoever bound it writes to it while a run goes on */
	assert_int_equal(*(const int32_t *)data, 1);
	assert_int_equal(session_input_data(&input, true, NULL, &data, NULL), 0); /* the next run */
	assert_int_equal(*(const int32_t *)data, 7);
	session_input_deinit(&input);
}

static void an_input_that_is_not_bound_is_zeros(void **state)
{
	(void)state;
	struct session_input input = {.type = DTYPE_INT32};
	const int32_t zeros[2] = {0};
	const void *data = NULL;
	assert_int_equal(session_input_reshape(&input, &two, LIMIT, NULL), 0);
	assert_int_equal(session_input_data(&input, true, NULL, &data, NULL), 0);
	assert_memory_equal(data, zeros, 8);
	assert_ptr_equal(data, session_input_own(&input));
	session_input_deinit(&input);
}

static void cancelled_copy_is_given_up(void **state)
{
	(void)state;
	struct session_input input = {.type = DTYPE_INT32};
	_Alignas(16) int32_t numbers[2] = {1, 2};
	const atomic_bool cancelled = true;
	const struct run_control control = {.cancelled = &cancelled};
	struct error err = {0};
	const void *data = NULL;
	assert_int_equal(session_input_reshape(&input, &two, LIMIT, NULL), 0);
	assert_int_equal(session_input_bind(&input, numbers, 8, LIMIT, NULL), 0);
	assert_int_equal(session_input_data(&input, true, &control, &data, &err), -ECANCELED);
	assert_int_equal(err.code, -ECANCELED);
	assert_null(data);
	assert_int_equal(session_input_data(&input, true, NULL, &data, NULL), 0);
	assert_memory_equal(data, numbers, 8);
	session_input_deinit(&input);
}

static void copy_of_several_blocks_is_whole(void **state)
{
	(void)state;
	enum {
		N = (2 << 20) + 4
	};
	static _Alignas(16) uint8_t bytes[N];
	struct session_input input = {.type = DTYPE_UINT8};
	const struct shape shape = {.rank = 1, .dim = {N}};
	const void *data = NULL;
	for (uint32_t i = 0; i < N; i++) {
		bytes[i] = (uint8_t)(i * 2654435761u >> 24);
	}
	assert_int_equal(session_input_reshape(&input, &shape, N, NULL), 0);
	assert_int_equal(session_input_bind(&input, bytes, N, N, NULL), 0);
	assert_int_equal(session_input_data(&input, true, NULL, &data, NULL), 0);
	assert_memory_equal(data, bytes, N);
	session_input_deinit(&input);
}

static void filling_forgets_what_was_bound_and_what_was_copied(void **state)
{
	(void)state;
	struct session_input input = {.type = DTYPE_INT32}, strings = {.type = DTYPE_STRING};
	_Alignas(16) int32_t numbers[2] = {1, 2};
	const int32_t ones[2] = {-1, -1};
	const void *data = NULL;
	assert_int_equal(session_input_reshape(&input, &two, LIMIT, NULL), 0);
	assert_int_equal(session_input_bind(&input, numbers, 8, LIMIT, NULL), 0);
	assert_int_equal(session_input_data(&input, true, NULL, &data, NULL), 0);
	assert_memory_equal(data, numbers, 8);
	session_input_fill(&input, 0xff);
	assert_null(input.bound);
	assert_int_equal(session_input_data(&input, false, NULL, &data, NULL), 0);
	assert_memory_equal(data, ones, 8);
	session_input_deinit(&input);

	_Alignas(16) uint8_t table[20] = {2, 0, 0, 0, 16, 0, 0, 0, 18, 0, 0, 0, 20, 0, 0, 0, 'a'};
	struct strings found;
	uint32_t length = 1;
	assert_int_equal(session_input_reshape(&strings, &two, LIMIT, NULL), 0);
	assert_int_equal(session_input_bind(&strings, table, 20, LIMIT, NULL), 0);
	session_input_fill(&strings, 0xff);
	assert_int_equal(session_input_data(&strings, false, NULL, &data, NULL), 0);
	assert_int_equal(strings_open(&found, data, strings.bytes, 2, NULL), 0);
	(void)strings_get(&found, 0, &length);
	assert_int_equal(length, 0);
	session_input_deinit(&strings);
}

static void what_cannot_be_bound_is_refused(void **state)
{
	(void)state;
	struct session_input input = {.type = DTYPE_INT32};
	struct error err = {0};
	_Alignas(16) uint8_t bytes[32] = {0};
	assert_int_equal(session_input_reshape(&input, &two, LIMIT, NULL), 0);
	assert_int_equal(session_input_bind(&input, bytes + 4, 8, LIMIT, &err), -EINVAL);
	assert_string_equal(err.text, "not aligned to 16 bytes");
	assert_int_equal(session_input_bind(&input, NULL, 8, LIMIT, NULL), -EINVAL);
	assert_int_equal(session_input_bind(&input, bytes, 12, LIMIT, &err), -EINVAL);
	assert_string_equal(err.text, "takes 8 bytes, not 12");
	session_input_deinit(&input);
}

static void another_shape_forgets_what_was_bound_unless_it_has_the_same_bytes(void **state)
{
	(void)state;
	struct session_input input = {.type = DTYPE_INT32};
	struct error err = {0};
	const struct shape column = {.rank = 2, .dim = {2, 1}}, none = {.rank = 1, .dim = {-1}};
	const struct shape huge = {.rank = 1, .dim = {251}};
	_Alignas(16) int32_t numbers[2] = {1, 2};
	assert_int_equal(session_input_reshape(&input, &two, LIMIT, NULL), 0);
	assert_int_equal(session_input_bind(&input, numbers, 8, LIMIT, NULL), 0);
	assert_int_equal(session_input_reshape(&input, &column, LIMIT, NULL), 0);
	assert_ptr_equal(input.bound, numbers);
	assert_int_equal(session_input_reshape(&input, &huge, LIMIT, &err), -EFBIG);
	assert_string_equal(err.text, "1004 bytes, the limit is 1000");
	assert_int_equal(session_input_reshape(&input, &none, LIMIT, NULL), -EINVAL);
	assert_ptr_equal(input.bound, numbers);
	assert_int_equal(session_input_reshape(&input, &three, LIMIT, NULL), 0);
	assert_null(input.bound);
	assert_int_equal(input.bytes, 12);
	session_input_deinit(&input);
}

static void strings_are_checked_and_copied_when_they_are_bound(void **state)
{
	(void)state;
	struct session_input input = {.type = DTYPE_STRING};
	struct error err = {0};
	struct strings strings;
	_Alignas(16) uint8_t table[64];
	const void *data = NULL;
	uint32_t length = 0;
	struct strings_writer w = strings_writer_of(table, 2);
	strings_put(&w, "ab", 2);
	strings_put(&w, "c", 1);
	assert_int_equal(session_input_reshape(&input, &two, LIMIT, NULL), 0);
	assert_int_equal(session_input_bind(&input, table, w.end, LIMIT, NULL), 0);
	memset(table, 0xff, sizeof(table));
	assert_int_equal(session_input_data(&input, false, NULL, &data, NULL), 0);
	assert_int_equal(strings_open(&strings, data, input.bytes, 2, NULL), 0);
	assert_memory_equal(strings_get(&strings, 0, &length), "ab", 2);
	assert_int_equal(session_input_bind(&input, table, 20, LIMIT, &err), -EINVAL);
	assert_int_equal(session_input_bind(&input, table, LIMIT + 1, LIMIT, &err), -EFBIG);
	assert_int_equal(session_input_data(&input, false, NULL, &data, NULL),
		0); /* the first are still there */
	memset(session_input_own(&input), 0x11, 8);
	assert_int_equal(session_input_data(&input, false, NULL, &data, &err), -EINVAL);
	session_input_deinit(&input);
}

static void strings_that_nobody_binds_are_empty(void **state)
{
	(void)state;
	struct session_input input = {.type = DTYPE_STRING};
	struct strings strings;
	const void *data = NULL;
	uint32_t length = 9;
	assert_int_equal(session_input_reshape(&input, &three, LIMIT, NULL), 0);
	assert_int_equal(session_input_data(&input, false, NULL, &data, NULL), 0);
	assert_int_equal(strings_open(&strings, data, input.bytes, 3, NULL), 0);
	strings_get(&strings, 2, &length);
	assert_int_equal(length, 0);
	session_input_deinit(&input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bound_bytes_are_read_in_place_or_from_a_private_copy),
		cmocka_unit_test(an_input_that_is_not_bound_is_zeros),
		cmocka_unit_test(cancelled_copy_is_given_up),
		cmocka_unit_test(copy_of_several_blocks_is_whole),
		cmocka_unit_test(filling_forgets_what_was_bound_and_what_was_copied),
		cmocka_unit_test(what_cannot_be_bound_is_refused),
		cmocka_unit_test(another_shape_forgets_what_was_bound_unless_it_has_the_same_bytes),
		cmocka_unit_test(strings_are_checked_and_copied_when_they_are_bound),
		cmocka_unit_test(strings_that_nobody_binds_are_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
