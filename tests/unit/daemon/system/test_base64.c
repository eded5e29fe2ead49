/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/system/base64.h"

/* Decodes a copy that ends with its last character, so that a sanitizer sees a read behind it. */
static int decode(const char *text, uint8_t **ret_data, size_t *ret_size)
{
	size_t length = strlen(text);
	char *copy = malloc(length ? length : 1);
	assert_non_null(copy);
	memcpy(copy, text, length);
	int r = base64_decode(copy, length, ret_data, ret_size, NULL);
	free(copy);
	return r;
}

/* The examples of RFC 4648, section 10. */
static void examples_of_the_standard_go_both_ways(void **state)
{
	(void)state;
	static const struct {
		const char *plain, *encoded;
	} examples[] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
		const char *plain = examples[i].plain, *encoded = examples[i].encoded;
		uint8_t *data = NULL;
		size_t size = 0;
		assert_int_equal(decode(encoded, &data, &size), 0);
		assert_int_equal(size, strlen(plain));
		assert_string_equal((char *)data, plain);
		free(data);

		struct bytes_writer w = {0};
		base64_write(&w, plain, strlen(plain));
		assert_int_equal(w.size, strlen(encoded));
		assert_memory_equal(w.data, encoded, w.size);
		bytes_writer_deinit(&w);
	}
}

static void what_is_not_base64_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"Zg",
		"Zg=",
		"Zg= =",
		"Zm9 ",
		"Zm\n9",
		"Zm9*",
		"====",
		"Zg==Zg==",
		"Zm9-",
		"Zm9_",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		uint8_t *data = NULL;
		size_t size = 0;
		assert_int_equal(decode(wrong[i], &data, &size), -EINVAL);
		assert_null(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_standard_go_both_ways),
		cmocka_unit_test(what_is_not_base64_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
