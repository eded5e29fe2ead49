/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cumsum - running sums, and values that go up by one step
 *
 *   scan:  dst[i * step] = src[0] + ... + src[i * step], without the last one where exclusive
 *   range: dst[i] = start + step + step ..., i times, rounded each time
 *
 * @step of a scan: elements from one to the next, negative to go backwards; dst may be src.
 * @next of a range: the first value; on return the one behind the last.
 * Integers wrap; floats are added in order. Source: TFLite cumsum.cc, range.cc.
 */
#ifndef KERNELS_REDUCE_CUMSUM_H
#define KERNELS_REDUCE_CUMSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* @sum: of what was before, 0 at first; on return of all, so that a scan may come in parts. */
typedef void ek_scan_fn(
	void *dst, const void *src, size_t n, ptrdiff_t step, bool exclusive, void *sum);
ek_scan_fn ek_scan_f32, ek_scan_s32, ek_scan_s64;

typedef void ek_range_fn(void *dst, size_t n, void *next, const void *step);
ek_range_fn ek_range_f32, ek_range_s32, ek_range_s64;

#endif
