/* SPDX-License-Identifier: Apache-2.0 */
/*
 * governor - reduces load before the kernel throttles the CPU
 *
 * Depends on the distance to the throttling temperature: first batch requests are refused, then
 * workers pause between runs, in steps, except for urgent classes. A measure ends at three degrees
 * more distance than it began. Decides only; the caller acts and supplies the time.
 */
#ifndef DAEMON_SYSTEM_GOVERNOR_H
#define DAEMON_SYSTEM_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

/* Values of the configuration and the protocol. */
enum governor_policy {
	GOVERNOR_PERFORMANCE, /* no measures: the kernel throttles */
	GOVERNOR_BALANCED, /* batch refused 8 degrees before throttling, pauses 4 degrees before */
	GOVERNOR_COOL, /* batch refused 20 degrees before throttling, pauses 15 degrees before */
	GOVERNOR_POLICIES
};

#define GOVERNOR_LEAST_DUTY 25u

/* Zero it before use. */
struct governor {
	bool refuses_batch; /* batch requests are refused */
	uint32_t pause_percent; /* pauses, in percent of the time */
	uint64_t stepped_ns; /* time of the last change of @pause_percent */
};

/* Updates the state. @headroom_mc: distance to throttling in millidegrees; INT32_MAX: not known.
 * Returns true if the state changed. */
bool governor_step(struct governor *governor, enum governor_policy policy, int32_t headroom_mc,
	uint64_t now_ns);

/* Returns the percentage of time in which a worker may run. */
static inline uint32_t governor_duty(const struct governor *governor)
{
	return 100 - governor->pause_percent;
}

#endif
