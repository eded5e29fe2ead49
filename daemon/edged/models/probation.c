/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/models/probation.h"

#include <inttypes.h>
#include <stdio.h>

#define LEAST_BAD 3
#define LATE 2 /* multiple of the usual time: a single run may exceed the average */
#define SLACK_NS UINT64_C(200000) /* jitter of short runs exceeds a multiple of their time */

void probation_begin(struct probation *probation, uint64_t usual_ns, uint64_t now_ns)
{
	*probation = (struct probation){.on = true, .began_ns = now_ns, .usual_ns = usual_ns};
}

static bool is_slow(
	const struct probation *probation, const struct probation_limits *limits, uint64_t run_ns)
{
	return limits->slower > 0 && probation->usual_ns > 0 &&
		run_ns > SLACK_NS + probation->usual_ns * limits->slower;
}

/* A cut run is late if the version before would mostly have ended in the same time. */
static bool is_late(
	const struct probation *probation, const struct probation_limits *limits, uint64_t run_ns)
{
	return limits->slower > 0 && probation->usual_ns > 0 &&
		run_ns > SLACK_NS + probation->usual_ns * LATE;
}

static bool differ_too_often(
	const struct probation *probation, const struct probation_limits *limits)
{
	return probation->differing >= LEAST_BAD &&
		probation->differing * 100 > probation->compared * limits->differ;
}

static bool is_bad(const struct probation *probation)
{
	return probation->bad >= LEAST_BAD && probation->bad * 2 > probation->runs;
}

static enum probation_verdict decide(
	struct probation *probation, const struct probation_limits *limits)
{
	if (is_bad(probation)) {
		probation->on = false;
		return PROBATION_FAILED;
	}
	if (limits->runs > 0 && probation->runs >= limits->runs) {
		probation->on = false;
		return PROBATION_PASSED;
	}
	return PROBATION_GOES_ON;
}

enum probation_verdict probation_count(struct probation *probation,
	const struct probation_limits *limits, enum probation_outcome outcome, uint64_t run_ns)
{
	if (!probation->on) {
		return PROBATION_GOES_ON;
	}
	const bool timed = outcome == PROBATION_FINE || outcome == PROBATION_CUT;
	if (timed && is_slow(probation, limits, run_ns)) {
		outcome = PROBATION_SLOW;
	}
	probation->late += outcome == PROBATION_CUT && is_late(probation, limits, run_ns);
	probation->outcomes[outcome]++;
	if (outcome >= PROBATION_CUT) {
		return PROBATION_GOES_ON;
	}
	probation->runs++;
	probation->run_ns += outcome == PROBATION_FINE ? run_ns : 0;
	probation->bad += outcome != PROBATION_FINE;
	return decide(probation, limits);
}

enum probation_verdict probation_compare(
	struct probation *probation, const struct probation_limits *limits, bool differs)
{
	if (!probation->on) {
		return PROBATION_GOES_ON;
	}
	probation->compared++;
	probation->differing += differs;
	if (differ_too_often(probation, limits)) {
		probation->on = false;
		return PROBATION_FAILED;
	}
	return PROBATION_GOES_ON;
}

static bool ended_well(const struct probation *probation)
{
	return probation->outcomes[PROBATION_FINE] + probation->outcomes[PROBATION_RESHAPED] > 0;
}

static bool has_run(const struct probation *probation)
{
	return probation->runs + probation->outcomes[PROBATION_CUT] +
		probation->outcomes[PROBATION_REFUSED] >
		0;
}

enum probation_verdict probation_check_time(struct probation *probation,
	const struct probation_limits *limits, bool used, uint64_t now_ns)
{
	if (!probation->on || now_ns - probation->began_ns < limits->time_ns) {
		return PROBATION_GOES_ON;
	}
	if (!ended_well(probation) && limits->time_ns > 0 && (used || has_run(probation))) {
		/* Clients that set such deadlines got answers from the version before. */
		probation->too_late = probation->late >= LEAST_BAD;
		probation->on = !probation->too_late;
		probation->began_ns = now_ns;
		return probation->too_late ? PROBATION_FAILED : PROBATION_GOES_ON;
	}
	probation->on = false;
	return PROBATION_PASSED;
}

bool probation_trial_passed(const struct probation *probation)
{
	return probation->on && probation->outcomes[PROBATION_FINE] > 0 && probation->bad == 0;
}

uint64_t probation_left(
	const struct probation *probation, const struct probation_limits *limits, uint64_t now_ns)
{
	const uint64_t gone = now_ns - probation->began_ns;
	if (!probation->on) {
		return UINT64_MAX;
	}
	return gone < limits->time_ns ? limits->time_ns - gone : 0;
}

char *probation_reason(const struct probation *probation, char *out, size_t size)
{
	if (probation->too_late) {
		snprintf(out, size,
			"no run ended well, and %" PRIu64
			" were cut short after twice the usual time",
			probation->late);
		return out;
	}
	if (!is_bad(probation)) {
		snprintf(out, size,
			"%" PRIu64 " of %" PRIu64 " answers are not those of the version before",
			probation->differing, probation->compared);
		return out;
	}
	snprintf(out, size,
		"%" PRIu64 " of %" PRIu64 " runs were bad: %" PRIu64 " failed, %" PRIu64
		" gave NaN, %" PRIu64 " were too slow",
		probation->bad, probation->runs, probation->outcomes[PROBATION_FAILURE],
		probation->outcomes[PROBATION_NAN], probation->outcomes[PROBATION_SLOW]);
	return out;
}
