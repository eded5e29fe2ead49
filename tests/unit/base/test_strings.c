/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strings.h"

/* "ab", "", "c" */
static const uint8_t three[] = {
	3, 0, 0, 0, 20, 0, 0, 0, 22, 0, 0, 0, 22, 0, 0, 0, 23, 0, 0, 0, 'a', 'b', 'c'};

static void open_gives_each_string_in_place(void **state)
{
	(void)state;
	struct strings s;
	uint32_t length = 99;
	assert_int_equal(strings_open(&s, three, sizeof(three), 3, NULL), 0);
	assert_memory_equal(strings_get(&s, 0, &length), "ab", 2);
	assert_int_equal(length, 2);
	assert_ptr_equal(strings_get(&s, 1, &length), three + 22);
	assert_int_equal(length, 0);
	assert_memory_equal(strings_get(&s, 2, &length), "c", 1);
	assert_int_equal(strings_span(&s, 0, 3), 3);
	assert_int_equal(strings_span(&s, 1, 1), 0);
}

static void writer_gives_the_bytes_that_open_takes(void **state)
{
	(void)state;
	uint8_t got[sizeof(three)];
	memset(got, 0xa5, sizeof(got));
	struct strings_writer w = strings_writer_of(got, 3);
	strings_put(&w, "ab", 2);
	strings_put(&w, NULL, 0);
	strings_put(&w, "c", 1);
	assert_memory_equal(got, three, sizeof(three));
	assert_int_equal(w.end, sizeof(three));
}

static void writer_stays_within_what_was_measured(void **state)
{
	(void)state;
	uint8_t got[sizeof(three) + 1];
	memset(got, 0xa5, sizeof(got));
	struct strings_writer w = strings_writer_within(got, 3, sizeof(three));
	strings_put(&w, "ab", 2);
	assert_false(strings_whole(&w));
	strings_put(&w, "cd", 2); /* one byte is left */
	assert_null(strings_reserve(&w, 0)); /* a table that has failed stays so */
	assert_false(strings_whole(&w));
	assert_int_equal(got[sizeof(three) - 1], 0xa5);
	w = strings_writer_within(got, 3, sizeof(three));
	strings_put(&w, "ab", 2);
	strings_put(&w, "c", 1);
	assert_false(strings_whole(&w));
	strings_put(&w, "", 0);
	assert_true(strings_whole(&w));
	strings_put(&w, "", 0); /* one too many */
	assert_false(strings_whole(&w));
	assert_int_equal(got[sizeof(three)], 0xa5);
}

/* The bytes behind shorter strings than were measured were somebody else's. */
static void a_table_that_is_not_full_is_not_whole(void **state)
{
	(void)state;
	uint8_t got[sizeof(three)];
	struct strings_writer w = strings_writer_within(got, 3, sizeof(three));
	strings_put(&w, "ab", 2);
	strings_put(&w, "", 0);
	strings_put(&w, "", 0);
	assert_false(strings_whole(&w));
}

static void tensor_of_no_elements_still_has_a_head(void **state)
{
	(void)state;
	uint8_t empty[8];
	struct strings s;
	struct strings_writer w = strings_writer_of(empty, 0);
	assert_int_equal(w.end, 8);
	assert_int_equal(strings_open(&s, empty, 8, 0, NULL), 0);
	assert_int_equal(s.count, 0);
	assert_int_equal(strings_open(&s, NULL, 0, 0, NULL), -EBADMSG);
}

/* What strings_open() says of @three with one number of the head changed. */
static void refused(size_t at, uint32_t number, uint64_t bytes, uint64_t elements, const char *text)
{
	uint8_t copy[sizeof(three)];
	struct error err = {0};
	struct strings s = {NULL, 77};
	memcpy(copy, three, sizeof(copy));
	memcpy(copy + at, &number, 4);
	assert_int_equal(strings_open(&s, copy, bytes, elements, &err), -EBADMSG);
	assert_string_equal(err.text, text);
	assert_int_equal(s.count, 77);
}

static void open_refuses_counts_that_do_not_fit(void **state)
{
	(void)state;
	refused(0, 3, 23, 2, "strings: 3 for 2 elements in 23 bytes");
	refused(0, 3, 19, 3, "strings: 3 for 3 elements in 19 bytes");
	refused(0, 0xffffffff, 23, 0xffffffff,
		"strings: 4294967295 for 4294967295 elements in 23 bytes");
	refused(0, 3, 7, 3, "strings: a table of 7 bytes");
	refused(0, 3, (uint64_t)INT32_MAX + 1, 3, "strings: a table of 2147483648 bytes");
}

static void open_refuses_offsets_that_fall_or_leave_the_table(void **state)
{
	(void)state;
	refused(4, 19, 23, 3, "strings: offset 0 is 19");
	refused(4, 21, 23, 3, "strings: offset 0 is 21");
	refused(8, 19, 23, 3, "strings: offset 1 is 19");
	refused(8, 23, 23, 3, "strings: offset 2 is 22");
	refused(12, 24, 23, 3, "strings: offset 2 is 24");
	refused(16, 0x80000017, 23, 3, "strings: offset 3 is 2147483671");
	refused(16, 22, 23, 3, "strings: 1 bytes behind the last one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_gives_each_string_in_place),
		cmocka_unit_test(writer_gives_the_bytes_that_open_takes),
		cmocka_unit_test(writer_stays_within_what_was_measured),
		cmocka_unit_test(a_table_that_is_not_full_is_not_whole),
		cmocka_unit_test(tensor_of_no_elements_still_has_a_head),
		cmocka_unit_test(open_refuses_counts_that_do_not_fit),
		cmocka_unit_test(open_refuses_offsets_that_fall_or_leave_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
