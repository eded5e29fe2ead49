/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/flexbuffer.h"

/* {"a": -3, "b": 70000, "f": 1.5, "m": [1, "x", 2.5], "on": true, "s": "hey", "v": [1, 2, 300]},
 * from the reference's own writer, as the next. */
static const uint8_t mixed[] = {0x61, 0x00, 0x62, 0x00, 0x66, 0x00, 0x6f, 0x6e, 0x00, 0x73, 0x00,
	0x03, 0x68, 0x65, 0x79, 0x00, 0x76, 0x00, 0x03, 0x00, 0x01, 0x00, 0x02, 0x00, 0x2c, 0x01,
	0x05, 0x05, 0x05, 0x6d, 0x00, 0x01, 0x78, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x01,
	0x00, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x40, 0x06, 0x14, 0x0e, 0x07,
	0x38, 0x37, 0x36, 0x1e, 0x36, 0x34, 0x2e, 0x00, 0x08, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
	0x00, 0x07, 0x00, 0x00, 0x00, 0xfd, 0xff, 0xff, 0xff, 0x70, 0x11, 0x01, 0x00, 0x00, 0x00,
	0xc0, 0x3f, 0x30, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x54, 0x00, 0x00, 0x00, 0x50,
	0x00, 0x00, 0x00, 0x06, 0x06, 0x0e, 0x2a, 0x6a, 0x14, 0x29, 0x23, 0x26, 0x01};

/* {"i": -70000 (indirect), "o": [true, false], "q": blob, "t": floats 1.5 2.5 -3, "u": 2^64 - 1,
 * "x": bytes 7 8 9 of fixed length, "z": null} */
static const uint8_t rare[] = {0x69, 0x00, 0x00, 0x00, 0x90, 0xee, 0xfe, 0xff, 0x74, 0x00, 0x00,
	0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0x3f, 0x00, 0x00, 0x20, 0x40, 0x00, 0x00,
	0x40, 0xc0, 0x78, 0x00, 0x07, 0x08, 0x09, 0x6f, 0x00, 0x02, 0x01, 0x00, 0x71, 0x00, 0x02,
	0x61, 0x62, 0x75, 0x00, 0x7a, 0x00, 0x07, 0x30, 0x10, 0x0c, 0x2b, 0x09, 0x19, 0x09, 0x00,
	0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x4c, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x34, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x37, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x58, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0x5a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x1a, 0x90, 0x64, 0x36, 0x0b, 0x4c, 0x03, 0x3f, 0x27, 0x01};

static struct flexbuffer find(const void *data, size_t size, const char *key)
{
	struct flexbuffer root, value = {0};
	assert_int_equal(flexbuffer_open(data, size, &root, NULL), 0);
	assert_int_equal(flexbuffer_find(&root, key, &value, NULL), 0);
	return value;
}

static int64_t int_of(const struct flexbuffer *value)
{
	int64_t v = 0;
	assert_int_equal(flexbuffer_get_int(value, &v, NULL), 0);
	return v;
}

static double element_of(const struct flexbuffer *vector, uint32_t i)
{
	struct flexbuffer element;
	double v = 0;
	assert_int_equal(flexbuffer_element(vector, i, &element, NULL), 0);
	assert_int_equal(flexbuffer_get_float(&element, &v, NULL), 0);
	return v;
}

static void find_gives_numbers_of_every_width(void **state)
{
	(void)state;
	struct flexbuffer v = find(mixed, sizeof(mixed), "a");
	assert_int_equal(int_of(&v), -3);
	v = find(mixed, sizeof(mixed), "b");
	assert_int_equal(int_of(&v), 70000);
	v = find(rare, sizeof(rare), "i");
	assert_int_equal(int_of(&v), -70000);
	v = find(rare, sizeof(rare), "z");
	assert_int_equal(int_of(&v), 0);
	v = find(mixed, sizeof(mixed), "f");
	double f = 0;
	assert_int_equal(flexbuffer_get_float(&v, &f, NULL), 0);
	assert_true(f == 1.5);
	assert_int_equal(int_of(&v), 1);
	v = find(mixed, sizeof(mixed), "on");
	bool on = false;
	assert_int_equal(flexbuffer_get_bool(&v, &on, NULL), 0);
	assert_true(on);
}

static void find_tells_what_is_not_there(void **state)
{
	(void)state;
	struct flexbuffer root, value;
	struct error err = {0};
	assert_int_equal(flexbuffer_open(mixed, sizeof(mixed), &root, NULL), 0);
	assert_int_equal(flexbuffer_find(&root, "o", &value, &err), -ENOENT);
	assert_int_equal(flexbuffer_find(&root, "onn", &value, &err), -ENOENT);
	assert_int_equal(flexbuffer_find(&root, "", &value, &err), -ENOENT);
}

static void integers_beyond_int64_are_refused_and_never_wrapped(void **state)
{
	(void)state;
	struct flexbuffer v = find(rare, sizeof(rare), "u");
	int64_t number = 7;
	assert_int_equal(flexbuffer_get_int(&v, &number, NULL), -ERANGE);
	assert_int_equal(number, 7);
}

static void elements_of_all_kinds_of_vectors_are_read_alike(void **state)
{
	(void)state;
	struct flexbuffer v = find(mixed, sizeof(mixed), "v");
	uint32_t n = 0;
	assert_int_equal(flexbuffer_count(&v, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_true(element_of(&v, 2) == 300);
	v = find(mixed, sizeof(mixed), "m");
	assert_true(element_of(&v, 0) == 1);
	assert_true(element_of(&v, 2) == 2.5);
	v = find(rare, sizeof(rare), "t");
	assert_true(element_of(&v, 2) == -3);
	v = find(rare, sizeof(rare), "x");
	assert_true(element_of(&v, 0) == 7);
	assert_true(element_of(&v, 2) == 9);
	v = find(rare, sizeof(rare), "o");
	assert_true(element_of(&v, 0) == 1);
	assert_true(element_of(&v, 1) == 0);
	struct flexbuffer e;
	assert_int_equal(flexbuffer_element(&v, 2, &e, NULL), -EBADMSG);
}

static void texts_are_given_in_place(void **state)
{
	(void)state;
	const char *text = NULL;
	size_t length = 0;
	struct flexbuffer v = find(mixed, sizeof(mixed), "s");
	assert_int_equal(flexbuffer_get_text(&v, &text, &length, NULL), 0);
	assert_int_equal(length, 3);
	assert_memory_equal(text, "hey", 3);
	v = find(rare, sizeof(rare), "q");
	assert_int_equal(flexbuffer_kind_of(&v), FLEXBUFFER_BLOB);
	assert_int_equal(flexbuffer_get_text(&v, &text, &length, NULL), 0);
	assert_int_equal(length, 2);
	int64_t number = 0;
	assert_int_equal(flexbuffer_get_int(&v, &number, NULL), -EBADMSG);
}

static void options_keep_their_default_and_name_what_is_wrong(void **state)
{
	(void)state;
	struct flexbuffer root;
	struct error err = {0};
	int64_t number = 5;
	double real = 0.5;
	bool flag = true;
	assert_int_equal(flexbuffer_open(mixed, sizeof(mixed), &root, NULL), 0);
	assert_int_equal(flexbuffer_read_int(&root, "none", 0, 9, &number, &err), 0);
	assert_int_equal(number, 5);
	assert_int_equal(flexbuffer_read_int(&root, "b", 0, 69999, &number, &err), -EBADMSG);
	assert_string_equal(err.text, "option b is 70000, must be 0..69999");
	assert_int_equal(flexbuffer_read_int(&root, "b", 0, 70000, &number, &err), 0);
	assert_int_equal(number, 70000);
	assert_int_equal(flexbuffer_read_float(&root, "f", 2, 3, &real, &err), -EBADMSG);
	assert_string_equal(err.text, "option f is 1.5, must be 2..3");
	assert_int_equal(flexbuffer_read_float(&root, "a", -3, 3, &real, &err), 0);
	assert_true(real == -3);
	assert_int_equal(flexbuffer_read_bool(&root, "s", &flag, &err), -EBADMSG);
	assert_string_equal(err.text, "option s is no boolean");
	assert_int_equal(flexbuffer_read_bool(&root, "on", &flag, &err), 0);
	assert_true(flag);
}

/* Reads all that can be reached through one map; the sanitizers and the copy's own end see what goes
 * too far. */
static void read_all(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {"a", "f", "m", "on", "s", "v", "i", "o", "q", "t", "x"};
	struct flexbuffer root, value, element;
	const char *text = NULL;
	size_t length = 0;
	uint32_t n = 0;
	double number = 0;
	if (flexbuffer_open(data, size, &root, NULL) < 0) {
		return;
	}
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		if (flexbuffer_find(&root, keys[k], &value, NULL) < 0) {
			continue;
		}
		(void)!flexbuffer_get_float(&value, &number, NULL);
		if (flexbuffer_get_text(&value, &text, &length, NULL) == 0) {
			assert_true((const uint8_t *)text + length <= data + size);
		}
		if (flexbuffer_count(&value, &n, NULL) == 0 && n > 0) {
			assert_int_equal(flexbuffer_element(&value, n - 1, &element, NULL), 0);
			(void)!flexbuffer_get_float(&element, &number, NULL);
		}
	}
}

static void no_changed_byte_leads_outside(void **state)
{
	(void)state;
	static const struct {
		const uint8_t *data;
		size_t size;
	} seeds[] = {{mixed, sizeof(mixed)}, {rare, sizeof(rare)}};
	for (size_t s = 0; s < 2; s++) {
		owned_mem uint8_t *copy = malloc(seeds[s].size);
		assert_non_null(copy);
		for (size_t i = 0; i < seeds[s].size * 256; i++) {
			memcpy(copy, seeds[s].data, seeds[s].size);
			copy[i / 256] = (uint8_t)i;
			read_all(copy, seeds[s].size);
		}
	}
}

static void a_cut_buffer_is_refused_or_read_within_itself(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(mixed); size++) {
		owned_mem uint8_t *copy = malloc(size + 1);
		assert_non_null(copy);
		memcpy(copy, mixed + sizeof(mixed) - size, size);
		read_all(copy, size);
	}
	struct flexbuffer root;
	assert_int_equal(flexbuffer_open(mixed, 2, &root, NULL), -EBADMSG);
	assert_int_equal(flexbuffer_open(NULL, 0, &root, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find_gives_numbers_of_every_width),
		cmocka_unit_test(find_tells_what_is_not_there),
		cmocka_unit_test(integers_beyond_int64_are_refused_and_never_wrapped),
		cmocka_unit_test(elements_of_all_kinds_of_vectors_are_read_alike),
		cmocka_unit_test(texts_are_given_in_place),
		cmocka_unit_test(options_keep_their_default_and_name_what_is_wrong),
		cmocka_unit_test(no_changed_byte_leads_outside),
		cmocka_unit_test(a_cut_buffer_is_refused_or_read_within_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
