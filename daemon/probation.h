/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probation - whether a version that has just begun to serve does so well enough
 *
 * A run is bad when it failed by itself (not for what was asked), gave NaN though no input had one,
 * or took a multiple of what the version before took. One that was cut short before that, or refused,
 * is neither good nor bad, or who asks could outvote the others by such; but when in all its time no run
 * ended well, those that were cut late count. A version is good after so many runs, or so
 * much time, and bad when three runs or more, and more than half of all, were.
 */
#ifndef DAEMON_PROBATION_H
#define DAEMON_PROBATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum probation_fault {
	PROBATION_FINE,
	PROBATION_FAILURE,
	PROBATION_NAN,
	PROBATION_SLOW,
	PROBATION_CUT, /* by a deadline or by who asked: slow, if it had the time to show that */
	PROBATION_REFUSED, /* for what was asked, or for want of memory: says nothing */
	PROBATION_RESHAPED, /* fine, but its time is that of other shapes: says little */
};

enum probation_verdict {
	PROBATION_GOES_ON,
	PROBATION_PROVED,
	PROBATION_FAILED,
};

struct probation_limits {
	uint64_t runs; /* it takes so many, 0: time alone counts */
	uint64_t time_ns;
	uint64_t slower; /* what a run may take, as a multiple of before; 0: anything */
	uint64_t differ; /* percent of the answers compared with those of the version before */
};

struct probation {
	bool on;
	uint64_t began_ns;
	uint64_t usual_ns; /* a run of the version before; 0: not known */
	uint64_t runs, run_ns; /* good and bad ones; what the good ones took together */
	uint64_t bad;
	uint64_t faults[PROBATION_RESHAPED + 1];
	uint64_t late; /* cut short after more than twice the usual time */
	bool too_late; /* they were the verdict */
	uint64_t compared, differing; /* answers, with those of the version before */
};

void probation_begin(struct probation *probation, uint64_t usual_ns, uint64_t now_ns);

/* One run, whether it counts or not. Once the verdict is another than PROBATION_GOES_ON it is off. */
enum probation_verdict probation_count(struct probation *probation,
	const struct probation_limits *limits, enum probation_fault fault, uint64_t run_ns);
/* One answer that the version before was asked for too: three, and a larger share than the limit, fail. */
enum probation_verdict probation_compare(
	struct probation *probation, const struct probation_limits *limits, bool differs);
/*
 * Time proves no version that has run, or runs as @used says, and has never ended well: its time begins
 * anew, or it fails, when three runs were cut short after more than twice the usual time.
 */
enum probation_verdict probation_look(struct probation *probation,
	const struct probation_limits *limits, bool used, uint64_t now_ns);

/* True while it is on, some run ended well, and none was bad. */
bool probation_is_well(const struct probation *probation);

/* Nanoseconds until its time is over, UINT64_MAX when it is off. */
uint64_t probation_left(
	const struct probation *probation, const struct probation_limits *limits, uint64_t now_ns);

/* "3 of 4 runs were bad: 3 gave NaN"; returns @out. */
char *probation_reason(const struct probation *probation, char *out, size_t size);

#endif
