/* SPDX-License-Identifier: Apache-2.0 */
#include "base/background_yield.h"

#include <sched.h>
#include <sys/resource.h>

#include "base/clock.h"

#define STEP_NS 50000 /* measuring takes about 1 % of this */

/* Thread-local, like the thread's priority, so that no function needs a parameter for it. */
static _Thread_local struct {
	bool begun;
	struct background_yield yield;
} own;

static uint64_t nanoseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_usec * 1000;
}

static struct background_yield_times times_now(void)
{
	struct rusage used = {0};
	struct background_yield_times times = {.now_ns = clock_now_ns()};
	if (getrusage(RUSAGE_THREAD, &used) == 0) {
		times.cpu_ns = nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime);
		times.slept = (uint64_t)used.ru_nvcsw;
	}
	return times;
}

static void window_begin(struct background_yield *yield, uint64_t now_ns)
{
	yield->window_ns = now_ns;
	yield->waited_ns = yield->worked_ns = 0;
}

static bool is_enough(const struct background_yield *yield)
{
	return yield->waited_ns >= BACKGROUND_YIELD_PATIENCE_NS &&
		yield->waited_ns > yield->worked_ns;
}

bool background_yield_note(struct background_yield *yield, const struct background_yield_times *now)
{
	const uint64_t passed = now->now_ns - yield->last.now_ns;
	const uint64_t worked = now->cpu_ns - yield->last.cpu_ns;
	if (passed > BACKGROUND_YIELD_WINDOW_NS) {
		/* The thread had no work, so earlier waiting is irrelevant. */
		window_begin(yield, now->now_ns);
		yield->insists = false;
	} else {
		yield->worked_ns += worked;
		if (now->slept == yield->last.slept && passed > worked) {
			yield->waited_ns += passed - worked;
		}
	}
	yield->insists = yield->insists || is_enough(yield);
	if (now->now_ns - yield->window_ns > BACKGROUND_YIELD_WINDOW_NS) {
		yield->insists = is_enough(yield);
		window_begin(yield, now->now_ns);
	}
	yield->last = *now;
	return !yield->insists;
}

void background_yield_begin(bool insists)
{
	own.begun = true;
	own.yield = (struct background_yield){.last = times_now(), .insists = insists};
	own.yield.window_ns = own.yield.last.now_ns;
}

bool background_yield_has_begun(void)
{
	return own.begun;
}

bool background_yield_insists(void)
{
	return own.begun && own.yield.insists;
}

void background_yield_if_due(void)
{
	if (!own.begun || clock_now_ns() - own.yield.last.now_ns < STEP_NS) {
		return;
	}
	struct background_yield_times now = times_now();
	if (background_yield_note(&own.yield, &now)) {
		sched_yield();
		/* Counts the time of sched_yield() separately: the interval before can include
		 * sleep, which hides waiting. The thread used almost no CPU in it, and reading only
		 * the clock needs no system call. */
		now.now_ns = clock_now_ns();
		(void)background_yield_note(&own.yield, &now);
	}
}

void background_yield_between(void *context)
{
	(void)context;
	background_yield_if_due();
}
