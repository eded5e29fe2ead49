/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/governor.h"

#define HYSTERESIS_MC 3000
#define STEP 25 /* percent of the time */
#define STEP_NS UINT64_C(3000000000) /* delay until a step affects the temperature */

static const struct {
	int32_t shed_mc, rest_mc;
} policies[GOVERNOR_POLICIES] = {
	[GOVERNOR_PERFORMANCE] = {INT32_MIN, INT32_MIN},
	[GOVERNOR_BALANCED] = {8000, 4000},
	[GOVERNOR_COOL] = {20000, 15000},
};

/* Returns the new state of a measure, with hysteresis. */
static bool wants(bool now, int32_t headroom_mc, int32_t at_mc)
{
	return headroom_mc <= at_mc || (now && headroom_mc - HYSTERESIS_MC < at_mc);
}

static bool step_rest(
	struct governor *governor, int32_t headroom_mc, int32_t at_mc, uint64_t now_ns)
{
	const bool hot = headroom_mc <= at_mc;
	const bool cool = !wants(true, headroom_mc, at_mc);
	const bool due = governor->stepped_ns == 0 || now_ns - governor->stepped_ns >= STEP_NS;
	uint32_t pause_percent = governor->pause_percent;
	if (due && hot && pause_percent < 100 - GOVERNOR_LEAST_DUTY) {
		pause_percent += STEP;
	} else if (due && cool && pause_percent > 0) {
		pause_percent -= STEP;
	}
	const bool changed = pause_percent != governor->pause_percent;
	governor->stepped_ns = changed ? now_ns : governor->stepped_ns;
	governor->pause_percent = pause_percent;
	return changed;
}

bool governor_step(struct governor *governor, enum governor_policy policy, int32_t headroom_mc,
	uint64_t now_ns)
{
	if (policy == GOVERNOR_PERFORMANCE || headroom_mc == INT32_MAX) {
		const bool changed = governor->refuses_batch || governor->pause_percent > 0;
		*governor = (struct governor){0};
		return changed;
	}
	const bool refuses_batch =
		wants(governor->refuses_batch, headroom_mc, policies[policy].shed_mc);
	const bool changed = refuses_batch != governor->refuses_batch;
	governor->refuses_batch = refuses_batch;
	return step_rest(governor, headroom_mc, policies[policy].rest_mc, now_ns) || changed;
}
