/* SPDX-License-Identifier: Apache-2.0 */
/* clock - monotonic time */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NSEC_PER_USEC UINT64_C(1000)
#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_SEC UINT64_C(1000000000)
#define NSEC_PER_MIN UINT64_C(60000000000)
#define USEC_PER_MSEC UINT64_C(1000)

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t clock_now_ns(void);

/* CPU time of this thread in nanoseconds. */
uint64_t clock_thread_cpu_ns(void);

/* Returns the ns from @now_ns to @end_ns; 0 if @end_ns has passed. */
static inline uint64_t clock_left_ns(uint64_t end_ns, uint64_t now_ns)
{
	return end_ns > now_ns ? end_ns - now_ns : 0;
}

#endif
