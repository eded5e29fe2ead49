/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/tiles.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
	BYTES = 2 * TILE_BYTES + 3
};

static void cancelled_clearing_ends_after_its_first_tile(void **state)
{
	(void)state;
	static uint8_t dst[BYTES];
	const atomic_bool cancelled = true;
	const struct run_control control = {.cancelled = &cancelled};
	memset(dst, 7, sizeof(dst));
	assert_int_equal(tiles_clear(dst, BYTES, &control), -ECANCELED);
	assert_true(dst[0] == 0 && dst[TILE_BYTES - 1] == 0);
	assert_true(dst[TILE_BYTES] == 7 && dst[BYTES - 1] == 7);
	assert_int_equal(tiles_clear(dst, BYTES - 1, NULL), 0);
	assert_true(dst[TILE_BYTES] == 0 && dst[BYTES - 2] == 0 && dst[BYTES - 1] == 7);
	assert_int_equal(tiles_clear(NULL, 0, &control), 0);
}

static void cancelled_copying_ends_after_its_first_tile(void **state)
{
	(void)state;
	static uint8_t src[BYTES], dst[BYTES];
	const atomic_bool cancelled = true;
	const struct run_control control = {.cancelled = &cancelled};
	memset(src, 9, sizeof(src));
	assert_int_equal(tiles_copy(dst, src, BYTES, &control), -ECANCELED);
	assert_true(dst[0] == 9 && dst[TILE_BYTES - 1] == 9);
	assert_true(dst[TILE_BYTES] == 0 && dst[BYTES - 1] == 0);
	assert_int_equal(tiles_copy(dst, src, BYTES, NULL), 0);
	assert_memory_equal(dst, src, BYTES);
}

static void given_up_work_says_so(void **state)
{
	(void)state;
	struct error err = {0};
	assert_int_equal(tiles_result(0, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(tiles_result(-ETIMEDOUT, &err), -ETIMEDOUT);
	assert_int_equal(err.code, -ETIMEDOUT);
	assert_non_null(strstr(err.text, "given up"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cancelled_clearing_ends_after_its_first_tile),
		cmocka_unit_test(cancelled_copying_ends_after_its_first_tile),
		cmocka_unit_test(given_up_work_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
