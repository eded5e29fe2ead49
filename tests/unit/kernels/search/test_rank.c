/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "kernels/search/rank.h"

static void descending(uint32_t *order, const float *values, size_t n, uint32_t *scratch)
{
	for (size_t i = 0; i < n; i++) {
		order[i] = (uint32_t)i;
	}
	for (size_t run = 1; run < n; run *= 2) {
		ek_rank_merge(order, values, n, run, scratch);
	}
}

static void descending_keeps_the_order_of_equals(void **state)
{
	(void)state;
	const float x[7] = {1, 3, 2, 3, 1, 3, 2};
	const uint32_t wanted[7] = {1, 3, 5, 2, 6, 0, 4};
	uint32_t order[7], scratch[7];
	descending(order, x, 7, scratch);
	assert_memory_equal(order, wanted, sizeof(order));
	descending(order, x, 0, scratch);
	descending(order, x, 1, scratch);
	assert_int_equal(order[0], 0);
}

static void greatest_come_first(void **state)
{
	(void)state;
	const float x[9] = {5, 1, 9, 3, 7, 2, 8, 4, 6};
	const uint32_t wanted[4] = {2, 6, 4, 8};
	uint32_t order[9];
	for (size_t k = 0; k <= 4; k++) {
		ek_rank_greatest(order, x, 9, k);
		assert_memory_equal(order, wanted, k * sizeof(order[0]));
	}
	ek_rank_greatest(order, x, 9, 9);
	for (int i = 1; i < 9; i++) {
		assert_true(x[order[i - 1]] > x[order[i]]);
	}
}

/* What std::partial_sort of libstdc++ makes of them. */
static void greatest_of_equals_are_the_heaps(void **state)
{
	(void)state;
	const float x[6] = {2, 1, 2, 2, 1, 2};
	const uint32_t wanted[4] = {0, 3, 5, 2};
	uint32_t order[6];
	ek_rank_greatest(order, x, 6, 4);
	assert_memory_equal(order, wanted, sizeof(wanted));
}

static void nan_leaves_every_index_once(void **state)
{
	(void)state;
	const float x[6] = {NAN, 1, NAN, INFINITY, -INFINITY, NAN};
	uint32_t order[6], scratch[6], seen = 0;
	descending(order, x, 6, scratch);
	for (int i = 0; i < 6; i++) {
		seen |= 1u << order[i];
	}
	assert_int_equal(seen, 63);
	ek_rank_greatest(order, x, 6, 4);
	for (int i = 0; i < 6; i++) {
		assert_true(order[i] < 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descending_keeps_the_order_of_equals),
		cmocka_unit_test(greatest_come_first),
		cmocka_unit_test(greatest_of_equals_are_the_heaps),
		cmocka_unit_test(nan_leaves_every_index_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
