/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

#define UNIT_BITS 6
#define PART_BITS 4
#define PARTS (1u << PART_BITS)
#define TOP_BITS 30 /* bits of the largest time, in units */

_Static_assert(HISTOGRAM_BUCKETS == PARTS * (TOP_BITS - PART_BITS + 1), "one row for each power");

unsigned int histogram_bucket(uint64_t ns)
{
	const uint64_t units = ns >> UNIT_BITS;
	if (units < PARTS) {
		return (unsigned int)units;
	}
	if (units >> TOP_BITS) {
		return HISTOGRAM_BUCKETS - 1;
	}
	const unsigned int shift = 63 - PART_BITS - (unsigned int)__builtin_clzll(units);
	return (shift + 1) * PARTS + ((unsigned int)(units >> shift) & (PARTS - 1));
}

uint64_t histogram_low_ns(unsigned int bucket)
{
	const unsigned int row = bucket / PARTS;
	const uint64_t part = bucket % PARTS;
	const uint64_t units = row == 0 ? part : (PARTS + part) << (row - 1);
	return units << UNIT_BITS;
}

static void halve(struct histogram *histogram)
{
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		histogram->buckets[i] /= 2;
	}
}

void histogram_put(struct histogram *histogram, uint64_t ns)
{
	uint32_t *bucket = &histogram->buckets[histogram_bucket(ns)];
	if (*bucket == UINT32_MAX) {
		halve(histogram);
	}
	(*bucket)++;
	histogram->n++;
	histogram->sum_ns += ns;
	histogram->max_ns = ns > histogram->max_ns ? ns : histogram->max_ns;
}

/* ceil(part * n), from 1 to @n. */
static uint64_t rank_of(double part, uint64_t n)
{
	const double exact = part * (double)n;
	uint64_t rank = exact > 0 ? (uint64_t)exact : 0;
	rank += (double)rank < exact;
	return rank < 1 ? 1 : rank > n ? n : rank;
}

uint64_t histogram_percentile_ns(const struct histogram *histogram, double part)
{
	uint64_t n = 0, seen = 0;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		n += histogram->buckets[i];
	}
	if (n == 0) {
		return 0;
	}
	const uint64_t rank = rank_of(part, n);
	unsigned int i = 0;
	while ((seen += histogram->buckets[i]) < rank) {
		i++;
	}
	const uint64_t middle = (histogram_low_ns(i) + histogram_low_ns(i + 1)) / 2;
	return middle < histogram->max_ns ? middle : histogram->max_ns;
}
