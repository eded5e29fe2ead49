/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "kernels/softmax/softmax.h"
#include "kernels/softmax/softmax_parts.h"

#define ROW 100

/* The least sum that a row can have is its maximum's exponential, with 19 bits. */
static void sums_below_that_of_the_maximum_are_taken_for_it(void **state)
{
	(void)state;
	const struct ek_softmax_params p = {.out_bits = 16};
	int32_t shift = -1;
	const int32_t of_least = ek_softmax_invert(1 << 19, &p, &shift);
	assert_int_equal(shift, 15);
	for (uint64_t sum = 0; sum < 1 << 19; sum = 2 * sum + 1) {
		shift = -1;
		assert_int_equal(ek_softmax_invert(sum, &p, &shift), of_least);
		assert_int_equal(shift, 15);
	}
	ek_softmax_invert((1 << 20) + 1, &p, &shift);
	assert_int_equal(shift, 16);
}

static void run_all(const struct ek_softmax *list, size_t count, size_t out_bytes, int lowest,
	const struct ek_softmax_params *params)
{
	_Alignas(int16_t) uint8_t src[2 * ROW] = {0}, dst[2 * ROW];
	int16_t wide;
	for (size_t k = 0; k < count; k++) {
		if (list[k].variant.needs & ~ek_cpu_detect()) {
			continue;
		}
		memset(dst, 1, sizeof(dst));
		list[k].run(dst, src, ROW, params);
		memcpy(&wide, dst, sizeof(wide));
		assert_int_equal(out_bytes == 1 ? (int)(int8_t)dst[0] : (int)wide, lowest);
	}
}

/* A row whose maximum somebody else has overwritten: here no number of it has an exponential. */
static void rows_without_their_maximum_give_the_lowest_code(void **state)
{
	(void)state;
	static const int32_t none[256];
	static const int16_t no_table[513];
	struct ek_softmax_params p = {.exp8 = none, .out_bits = 8, .out_lo = -128, .out_hi = 127};
	run_all(ek_softmax_s8, ek_softmax_s8_count, 1, -128, &p);
	run_all(ek_softmax_u8, ek_softmax_u8_count, 1, -128, &p);
	p.out_bits = 16;
	p.out_lo = INT16_MIN;
	p.out_hi = INT16_MAX;
	run_all(ek_softmax_s8to16, ek_softmax_s8to16_count, 2, INT16_MIN, &p);
	run_all(ek_softmax_u8to16, ek_softmax_u8to16_count, 2, INT16_MIN, &p);
	p.exp = p.reciprocal = no_table;
	run_all(ek_softmax_s16, ek_softmax_s16_count, 2, 0, &p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_below_that_of_the_maximum_are_taken_for_it),
		cmocka_unit_test(rows_without_their_maximum_give_the_lowest_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
