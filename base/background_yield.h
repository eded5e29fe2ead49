/* SPDX-License-Identifier: Apache-2.0 */
/*
 * background_yield - a background thread yields the CPU between steps of its work
 *
 * Low priority alone is not enough: the scheduler may let a low-priority thread finish its slice
 * before a woken thread runs, up to the next tick, 10 ms later (Linux 6.6 and later;
 * Documentation/scheduler/sched-eevdf.rst). So a background thread calls background_yield_if_due() between
 * steps, a few times per millisecond. In other threads the call does nothing.
 *
 * Each yield puts the thread behind all others, so under full load it would starve. It stops
 * yielding when, within a second, it has waited longer than BACKGROUND_YIELD_PATIENCE_NS and longer than it
 * has worked. Then only its priority counts.
 */
#ifndef BASE_BACKGROUND_YIELD_H
#define BASE_BACKGROUND_YIELD_H

#include <stdbool.h>
#include <stdint.h>

#define BACKGROUND_YIELD_PATIENCE_NS UINT64_C(20000000)
#define BACKGROUND_YIELD_WINDOW_NS UINT64_C(1000000000)

/* Makes the calling thread a background thread. @insists: start without yielding, because the work
 * has waited long enough before. */
void background_yield_begin(bool insists);

/* Returns true in a background thread, which should use at most one CPU. */
bool background_yield_has_begun(void);

/* Returns true if the calling thread has stopped yielding. */
bool background_yield_insists(void);

/* Yields if it is time. Call between two steps. */
void background_yield_if_due(void);
/* Calls background_yield_if_due(), as a run_control.between. Ignores @context. */
void background_yield_between(void *context);

/* ---- the decision, without clocks */

struct background_yield_times {
	uint64_t now_ns, cpu_ns; /* wall-clock time and CPU time of the thread */
	uint64_t slept; /* voluntary waits for something other than the CPU */
};

struct background_yield {
	struct background_yield_times last;
	uint64_t window_ns; /* start of the counting window */
	uint64_t waited_ns, worked_ns;
	bool insists;
};

/* Counts the time since the last call. Returns true if the thread should yield. */
bool background_yield_note(
	struct background_yield *yield, const struct background_yield_times *now);

#endif
