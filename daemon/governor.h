/* SPDX-License-Identifier: Apache-2.0 */
/*
 * governor - what is done less of before the kernel slows everything down
 *
 * By how far the machine is from the temperature at which that happens: first batch work is turned away, then workers rest
 * between runs, in steps, but for urgent classes. What was begun at some distance ends three degrees
 * further away. It decides; who calls does. No clock of its own.
 */
#ifndef DAEMON_GOVERNOR_H
#define DAEMON_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

/* As in the configuration and on the wire. */
enum governor_policy {
	GOVERNOR_PERFORMANCE, /* nothing: the kernel sees to it */
	GOVERNOR_BALANCED, /* batch work 8 degrees before, rest 4 degrees before */
	GOVERNOR_COOL, /* 20 and 15 */
	GOVERNOR_POLICIES
};

/* How a policy is called in the configuration; NULL: there is none of that number. */
const char *governor_policy_name(uint64_t policy);

#define GOVERNOR_LEAST_DUTY 25u

/* Zeroed at first: nothing is held back. */
struct governor {
	bool sheds; /* batch work is turned away */
	uint32_t rests; /* percent of the time */
	uint64_t stepped_ns; /* when @rests changed last */
};

/* @headroom_mc: millidegrees left, INT32_MAX when nobody knows. True when something changed. */
bool governor_step(struct governor *governor, enum governor_policy policy, int32_t headroom_mc,
	uint64_t now_ns);

/* Percent of the time that a worker may run. */
static inline uint32_t governor_duty(const struct governor *governor)
{
	return 100 - governor->rests;
}

#endif
