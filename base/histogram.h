/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histogram - how long things took, in memory that does not grow
 *
 * Log-linear: times are counted in units of 64 ns; the first 16 units have a bucket each, and above
 * that every power of two is cut into 16 buckets of the same width, up to 2^36 ns (69 s), beyond which
 * everything is in the last one. A bucket is at most 1/16 of its lower end wide and stands for its
 * middle, so what is read is within 1/32 (3.2 %) of what was put, or within 32 ns below 1024 ns.
 *
 * One writer at a time, no locks and no atomic operations: in edged it is the loop, who also reads.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

#include "base/own.h"

#define HISTOGRAM_BUCKETS 432

/* Zeroed at first. 1752 bytes. */
struct histogram {
	uint32_t buckets[HISTOGRAM_BUCKETS];
	uint64_t n, sum_ns, max_ns;
};

/* Where @ns is counted: below HISTOGRAM_BUCKETS. */
unsigned int histogram_bucket(uint64_t ns);
/* The smallest time of a bucket; of HISTOGRAM_BUCKETS: the end of the last one. */
uint64_t histogram_low_ns(unsigned int bucket);

/* When a bucket is full all are halved: shares stay what they are, @n stays exact. */
void histogram_put(struct histogram *histogram, uint64_t ns);

/*
 * The time that @part (0 to 1) of all are not above: that of rank ceil(part * n), at least 1, n being
 * the sum of the buckets (nearest rank); the middle of its bucket, and never above max_ns. 0 when it is
 * empty.
 */
uint64_t histogram_percentile_ns(const struct histogram *histogram, double part);

#endif
