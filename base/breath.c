/* SPDX-License-Identifier: Apache-2.0 */
#include "base/breath.h"

#include <sched.h>
#include <sys/resource.h>

#include "base/clock.h"

#define STEP_NS 50000 /* asking takes a hundredth of that */

/* Of the thread, as its priority is: what works deep below need not be told of it. */
static _Thread_local struct {
	bool begun;
	struct breath breath;
} own;

static uint64_t nanoseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_usec * 1000;
}

static struct breath_times times_now(void)
{
	struct rusage used = {0};
	struct breath_times times = {.now_ns = clock_now_ns()};
	if (getrusage(RUSAGE_THREAD, &used) == 0) {
		times.cpu_ns = nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime);
		times.slept = (uint64_t)used.ru_nvcsw;
	}
	return times;
}

static void window_begin(struct breath *breath, uint64_t now_ns)
{
	breath->window_ns = now_ns;
	breath->waited_ns = breath->worked_ns = 0;
}

static bool is_enough(const struct breath *breath)
{
	return breath->waited_ns >= BREATH_PATIENCE_NS && breath->waited_ns > breath->worked_ns;
}

bool breath_note(struct breath *breath, const struct breath_times *now)
{
	const uint64_t passed = now->now_ns - breath->last.now_ns;
	const uint64_t worked = now->cpu_ns - breath->last.cpu_ns;
	if (passed > BREATH_WINDOW_NS) {
		/* It had nothing to do: who wanted the CPU before is of no matter. */
		window_begin(breath, now->now_ns);
		breath->insists = false;
	} else {
		breath->worked_ns += worked;
		if (now->slept == breath->last.slept && passed > worked) {
			breath->waited_ns += passed - worked;
		}
	}
	breath->insists = breath->insists || is_enough(breath);
	if (now->now_ns - breath->window_ns > BREATH_WINDOW_NS) {
		breath->insists = is_enough(breath);
		window_begin(breath, now->now_ns);
	}
	breath->last = *now;
	return !breath->insists;
}

void breath_begin(bool insists)
{
	own.begun = true;
	own.breath = (struct breath){.last = times_now(), .insists = insists};
	own.breath.window_ns = own.breath.last.now_ns;
}

bool breath_begun(void)
{
	return own.begun;
}

bool breath_insists(void)
{
	return own.begun && own.breath.insists;
}

void breath_take(void)
{
	if (!own.begun || clock_now_ns() - own.breath.last.now_ns < STEP_NS) {
		return;
	}
	struct breath_times now = times_now();
	if (breath_note(&own.breath, &now)) {
		sched_yield();
		/* What others took is counted by itself: before it there may have been sleep, which hides waiting. Of the
		 * thread's own time it is next to nothing, and the clock alone costs no call. */
		now.now_ns = clock_now_ns();
		(void)breath_note(&own.breath, &now);
	}
}

void breath_between(void *context)
{
	(void)context;
	breath_take();
}
