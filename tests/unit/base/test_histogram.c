/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/histogram.h"

static void every_time_is_in_the_bucket_that_begins_at_or_before_it(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		const uint64_t low = histogram_low_ns(i), next = histogram_low_ns(i + 1);
		assert_true(low < next);
		assert_int_equal(histogram_bucket(low), i);
		assert_int_equal(histogram_bucket(next - 1), i);
		/* The promise: at most 1/16 wide. */
		assert_true(i < 16 || (next - low) * 16 <= low);
	}
	assert_int_equal(histogram_low_ns(0), 0);
	assert_int_equal(histogram_low_ns(16), 1024);
	assert_int_equal(histogram_low_ns(HISTOGRAM_BUCKETS), UINT64_C(1) << 36);
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* Times of all magnitudes from a fixed generator, against the sorted list. */
static void percentiles_are_within_a_32nd_of_the_exact_ones(void **state)
{
	(void)state;
	static uint64_t times[5000];
	struct histogram *histogram = calloc(1, sizeof(*histogram));
	uint64_t seed = 88172645463325252u, sum = 0;
	for (size_t i = 0; i < 5000; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		times[i] = (seed >> 20) >> (seed % 30 + 8);
		histogram_put(histogram, times[i]);
		sum += times[i];
	}
	qsort(times, 5000, sizeof(times[0]), by_value);
	static const double parts[] = {0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1};
	static const size_t ranks[] = {1, 5, 500, 2500, 4500, 4950, 4995, 5000};
	for (size_t i = 0; i < 8; i++) {
		const double exact = (double)times[ranks[i] - 1];
		const double found = (double)histogram_percentile_ns(histogram, parts[i]);
		const double error = found > exact ? found - exact : exact - found;
		assert_true(error <= 32 || error * 32 <= exact);
	}
	assert_int_equal(histogram->n, 5000);
	assert_int_equal(histogram->sum_ns, sum);
	assert_int_equal(histogram->max_ns, times[4999]);
	free(histogram);
}

static void one_time_is_every_percentile_and_nothing_is_none(void **state)
{
	(void)state;
	struct histogram histogram = {0};
	assert_int_equal(histogram_percentile_ns(&histogram, 0.5), 0);
	histogram_put(&histogram, 1000000);
	assert_in_range(histogram_percentile_ns(&histogram, 0), 968750, 1000000);
	assert_in_range(histogram_percentile_ns(&histogram, 1), 968750, 1000000);
	histogram_put(&histogram, UINT64_C(1) << 40); /* beyond the last bucket */
	assert_int_equal(histogram.max_ns, UINT64_C(1) << 40);
	assert_true(histogram_percentile_ns(&histogram, 1) > UINT64_C(60000000000));
}

static void a_full_bucket_halves_all_and_shares_stay(void **state)
{
	(void)state;
	struct histogram histogram = {0};
	histogram.buckets[histogram_bucket(100)] = UINT32_MAX;
	histogram.buckets[histogram_bucket(5000)] = UINT32_MAX - 1;
	histogram.n = 2 * (uint64_t)UINT32_MAX - 1;
	histogram.max_ns = 5000;
	histogram_put(&histogram, 100);
	assert_int_equal(histogram.buckets[histogram_bucket(100)], UINT32_MAX / 2 + 1);
	assert_int_equal(histogram.buckets[histogram_bucket(5000)], UINT32_MAX / 2);
	assert_int_equal(histogram.n, 2 * (uint64_t)UINT32_MAX);
	assert_in_range(histogram_percentile_ns(&histogram, 0.5), 64, 128);
	assert_in_range(histogram_percentile_ns(&histogram, 0.51), 4800, 5200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_time_is_in_the_bucket_that_begins_at_or_before_it),
		cmocka_unit_test(percentiles_are_within_a_32nd_of_the_exact_ones),
		cmocka_unit_test(one_time_is_every_percentile_and_nothing_is_none),
		cmocka_unit_test(a_full_bucket_halves_all_and_shares_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
