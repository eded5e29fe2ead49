/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/code_pages.h"

/* More than a page of constants, each of which is its place's square. */
#define S1(n) (n) * (n), ((n) + 1) * ((n) + 1), ((n) + 2) * ((n) + 2), ((n) + 3) * ((n) + 3)
#define S16(n) S1(n), S1((n) + 4), S1((n) + 8), S1((n) + 12)
#define S256(n)                                                                                    \
	S16(n), S16((n) + 16), S16((n) + 32), S16((n) + 48), S16((n) + 64), S16((n) + 80),         \
		S16((n) + 96), S16((n) + 112), S16((n) + 128), S16((n) + 144), S16((n) + 160),     \
		S16((n) + 176), S16((n) + 192), S16((n) + 208), S16((n) + 224), S16((n) + 240)
static const uint64_t squares[] = {
	S256(0), S256(256), S256(512), S256(768), S256(1024), S256(1280), S256(1536), S256(1792)};

static void code_and_constants_are_there_when_they_are_wanted_again(void **state)
{
	(void)state;
	static char written[8192] = {[0] = 1, [4096] = 2};
	for (unsigned int round = 0; round < 3; round++) {
		code_pages_forget();
		for (uint64_t i = 0; i < sizeof(squares) / sizeof(squares[0]); i++) {
			assert_true(squares[i] == i * i);
		}
		written[4096]++;
		assert_int_equal(written[0], 1);
		assert_int_equal(written[4096], 3 + (int)round);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_and_constants_are_there_when_they_are_wanted_again)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
