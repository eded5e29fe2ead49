/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

static void reader_fails_once_and_stays_failed(void **state)
{
	(void)state;
	const uint8_t data[6] = {1, 0, 2, 0, 0, 0};
	struct bytes_reader r = bytes_reader_of(data, sizeof(data));
	assert_int_equal(bytes_read_u16(&r), 1);
	assert_int_equal(bytes_read_u32(&r), 2);
	assert_false(r.failed);
	assert_non_null(bytes_read(&r, 0));
	assert_int_equal(bytes_read_u8(&r), 0);
	assert_true(r.failed);
	assert_null(bytes_read(&r, 0));
}

static void one_bit_anywhere_is_not_all_zero(void **state)
{
	(void)state;
	uint8_t data[70] = {0};
	assert_true(bytes_are_zero(data, 0));
	for (size_t n = 1; n <= sizeof(data); n++) {
		assert_true(bytes_are_zero(data, n));
		for (size_t i = 0; i < n; i++) {
			data[i] = (uint8_t)(1u << (i % 8));
			assert_false(bytes_are_zero(data, n));
			assert_true(bytes_are_zero(data, i));
			data[i] = 0;
		}
	}
}

static void writer_and_reader_agree(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	bytes_write_u8(&w, 7);
	bytes_write_align(&w, 8);
	bytes_write_u64(&w, 0x1122334455667788u);
	bytes_write_f32(&w, 1.5f);
	struct bytes_reader r = bytes_reader_of(w.data, w.size);
	assert_int_equal(bytes_read_u8(&r), 7);
	bytes_read_align(&r, 8);
	assert_int_equal(bytes_read_u64(&r), 0x1122334455667788u);
	assert_true(bytes_read_f32(&r) == 1.5f);
	assert_int_equal(r.at, w.size);
	assert_false(r.failed || w.failed);
	bytes_writer_deinit(&w);
}

static void writer_stops_at_its_limit(void **state)
{
	(void)state;
	struct bytes_writer w = {.limit = 5};
	bytes_write_u32(&w, 1);
	assert_false(w.failed);
	bytes_write_u32(&w, 2);
	assert_true(w.failed);
	bytes_write_u8(&w, 3);
	assert_int_equal(w.size, 4);
	bytes_writer_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_fails_once_and_stays_failed),
		cmocka_unit_test(one_bit_anywhere_is_not_all_zero),
		cmocka_unit_test(writer_and_reader_agree),
		cmocka_unit_test(writer_stops_at_its_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
