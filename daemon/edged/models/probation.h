/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probation - the trial of a version that has just begun to serve
 *
 *   run            counts as
 *   failure, NaN   bad (failure not caused by the request; NaN from finite inputs)
 *   too slow       bad: longer than a multiple of the usual run time of the version before
 *   cut, refused   neither, so that one client cannot decide for the others
 *
 * A version passes after a number of runs or a time. It fails when at least three runs and more
 * than half of all runs are bad. If no run succeeds within the whole time, cut runs decide: it
 * fails when three of them took more than twice the usual time.
 */
#ifndef DAEMON_EDGED_MODELS_PROBATION_H
#define DAEMON_EDGED_MODELS_PROBATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum probation_outcome {
	PROBATION_FINE,
	PROBATION_FAILURE,
	PROBATION_NAN,
	PROBATION_SLOW,
	PROBATION_CUT, /* ended by a deadline or a cancel; slow if it ran too long before */
	PROBATION_REFUSED, /* the request was wrong, or memory was short: does not count */
	PROBATION_RESHAPED, /* success with resized inputs: its time is not compared */
};

enum probation_verdict {
	PROBATION_GOES_ON,
	PROBATION_PASSED,
	PROBATION_FAILED,
};

struct probation_limits {
	uint64_t runs; /* runs until the trial passes; 0: only time counts */
	uint64_t time_ns;
	uint64_t slower; /* allowed run time, as a multiple of @usual_ns; 0: any */
	uint64_t differ; /* allowed share of different answers in shadow comparison, in percent */
};

struct probation {
	bool on;
	uint64_t began_ns;
	uint64_t usual_ns; /* average run time of the version before; 0: not known */
	uint64_t runs, run_ns; /* counted runs, good and bad; total time of the good ones */
	uint64_t bad;
	uint64_t outcomes[PROBATION_RESHAPED + 1];
	uint64_t late; /* cut runs that took more than twice @usual_ns */
	bool too_late; /* the trial failed because of @late */
	/* answers compared with the version before; of these, different ones */
	uint64_t compared, differing;
};

void probation_begin(struct probation *probation, uint64_t usual_ns, uint64_t now_ns);

/* Counts one run. Any verdict but PROBATION_GOES_ON ends the trial. */
enum probation_verdict probation_count(struct probation *probation,
	const struct probation_limits *limits, enum probation_outcome outcome, uint64_t run_ns);
/* Counts one shadow comparison. The trial fails after three different answers, if their share is
 * above limits->differ. */
enum probation_verdict probation_compare(
	struct probation *probation, const struct probation_limits *limits, bool differs);
/* Judges by time. Past limits->time_ns the trial passes if a run succeeded, or if there was no run
 * and @used is false. Otherwise it fails if three runs are late; else its time starts again. @used:
 * a request holds the version now. */
enum probation_verdict probation_check_time(struct probation *probation,
	const struct probation_limits *limits, bool used, uint64_t now_ns);

/* Returns true if the trial is on, at least one run succeeded and none was bad. */
bool probation_trial_passed(const struct probation *probation);

/* Returns the nanoseconds until the trial's time is over; UINT64_MAX if it is off. */
uint64_t probation_left(
	const struct probation *probation, const struct probation_limits *limits, uint64_t now_ns);

/* Writes the reason of a failed trial, such as "3 of 4 runs were bad: ...". Returns @out. */
char *probation_reason(const struct probation *probation, char *out, size_t size);

#endif
