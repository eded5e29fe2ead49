/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histogram - distribution of latencies in constant memory
 *
 * Log-linear: the unit is 64 ns; the first 16 units have a bucket each; above, each power of two
 * has 16 buckets, up to 2^36 ns (69 s). Longer times go to the last bucket. A bucket's width is at
 * most 1/16 of its lower end, and its middle represents it, so the error is at most 1/32 (3.2 %),
 * or 32 ns below 1024 ns.
 *
 * No locks and no atomics: one thread reads and writes. In edged this is the loop.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

#include "base/own.h"

#define HISTOGRAM_BUCKETS 432

/* Zero it before use. 1752 bytes. */
struct histogram {
	uint32_t buckets[HISTOGRAM_BUCKETS];
	uint64_t n, sum_ns, max_ns;
};

/* Returns the bucket of @ns, below HISTOGRAM_BUCKETS. */
unsigned int histogram_bucket(uint64_t ns);
/* Returns the lower end of a bucket in ns. HISTOGRAM_BUCKETS gives the upper end of the last
 * one. */
uint64_t histogram_low_ns(unsigned int bucket);

/* Counts @ns. If a bucket is full all are halved, which keeps proportions; @n stays exact. */
void histogram_put(struct histogram *histogram, uint64_t ns);

/* Returns the percentile @part (0 to 1) by nearest rank: rank ceil(part * n), at least 1, with n
 * the sum of the buckets. The result is the middle of the bucket, at most max_ns; 0 if empty. */
uint64_t histogram_percentile_ns(const struct histogram *histogram, double part);

#endif
