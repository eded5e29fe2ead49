/* SPDX-License-Identifier: Apache-2.0 */
/* clock - monotonic time; the wall clock is for display only and has no function here */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t clock_now_ns(void);

/* CPU time of this thread in nanoseconds. */
uint64_t clock_thread_cpu_ns(void);

#endif
