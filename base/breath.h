/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breath - work in the background lets others have the CPU between two of its steps
 *
 * A low priority alone does not do that at once: who wakes, or was set aside for a moment, may find a thread of low
 * priority on its CPU that the scheduler owes some time, and nothing looks again until the next tick of its
 * clock, up to 10 ms later (Linux 6.6 and later; Documentation/scheduler/sched-eevdf.rst). So a thread that works in the
 * background asks for that look itself, each fraction of a millisecond: breath_take() wherever a long piece of work
 * has steps. For all other threads that does nothing.
 *
 * Whoever asks is put behind all others, so where these want the CPU always it would hardly come forward. It stops asking when
 * in a second it has waited for longer than BREATH_PATIENCE_NS, and for longer than it has worked; and its priority alone
 * decides what it gets.
 */
#ifndef BASE_BREATH_H
#define BASE_BREATH_H

#include <stdbool.h>
#include <stdint.h>

#define BREATH_PATIENCE_NS UINT64_C(20000000)
#define BREATH_WINDOW_NS UINT64_C(1000000000)

/* The calling thread works in the background from now on. @insists: it has been waiting for others for long enough. */
void breath_begin(bool insists);

/* The calling thread works in the background: it should take no more than one CPU. */
bool breath_begun(void);

/* The calling thread has stopped asking. */
bool breath_insists(void);

/* Between two steps. */
void breath_take(void);
/* The same as run_control.between; @context is not used. */
void breath_between(void *context);

/* ---- what decides, without the clocks */

struct breath_times {
	uint64_t now_ns, cpu_ns; /* by the clock, and of the thread */
	uint64_t slept; /* times that it waited for something that was no CPU */
};

struct breath {
	struct breath_times last;
	uint64_t window_ns; /* since when is counted: */
	uint64_t waited_ns, worked_ns;
	bool insists;
};

/* Counts what has passed since the last look; true when others are to be let in. */
bool breath_note(struct breath *breath, const struct breath_times *now);

#endif
