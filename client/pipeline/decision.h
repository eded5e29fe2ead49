/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decision - turns the findings of single inputs into events: a label began, a label ended
 *
 * Each label has a track; a class without label has one too. Of several findings with the same
 * label the best one counts. A track's score is the mean over the last `average` inputs; an input
 * without the label counts as 0. An input is a hit if the score reaches `threshold` (`low` while
 * the track is on) and at least min-count findings reach that score. A track turns on when k of
 * the last n inputs are hits, and off when fewer are.
 *
 * hold-off delays a begin that follows another begin of the same source too closely: the label
 * begins after hold-off, if its track is still on.
 *
 * rate-limit bounds the begins (for `publish = all` the results, for numbers the changes) in each
 * rate-period. A period starts with its first event. Events above the limit are not emitted. An
 * end is emitted exactly if the label's begin was emitted. A change of a number is measured from
 * the last emitted value; a change held back by the limit is emitted with the first input of the
 * next period.
 */
#ifndef CLIENT_PIPELINE_DECISION_H
#define CLIENT_PIPELINE_DECISION_H

#include "client/pipeline/config/pipeline_config.h"
#include "client/pipeline/findings.h"

/* tracks of one source and stage; further labels wait for a free track */
#define DECISION_MAX_TRACKS 64
#define DECISION_MAX_CHANGES 16 /* most changes for one input */

struct decision_track;

/* State of one stage's decision for one source. */
struct decision_state {
	struct decision_track *tracks; /* owned */
	size_t n_tracks;
	bool has_begun; /* a label has begun; the last one at @last_begin_us */
	uint64_t last_begin_us;
	uint64_t period_start_us, period_events;
	double *emitted; /* owned; the last emitted numbers */
	size_t n_emitted;
};
void decision_state_free(struct decision_state *state); /* @state may be zeroed */

struct decision_change {
	bool began; /* true: the label began; false: it ended */
	size_t index;
	/* borrowed from the state until the next decision_judge(); NULL: the class has no label */
	const char *label;
	double score;
	size_t count; /* findings of the label, as counted for min-count */
	const char *zone; /* of the best finding; NULL: in no zone */
	bool awaited; /* an end whose begin was emitted */
};

struct decision_verdict {
	struct decision_change changes[DECISION_MAX_CHANGES];
	size_t n_changes;
	size_t n_on; /* labels that are on now */
	bool emitted; /* the input is to be emitted, by `publish` and rate-limit */
	bool limited; /* rate-limit suppressed the input */
	bool only_ends; /* only ends are to be emitted: call decision_leave_ends() */
	size_t n_emitted_on; /* with rate-limit: labels that are on and whose begin was emitted */
};

/* True if a change is a begin. */
bool decision_has_begun(const struct decision_verdict *verdict);

/* Removes everything but the ends from a verdict with only_ends. */
void decision_leave_ends(struct decision_verdict *verdict);

/* Evaluates one input. Sets zone and began of @findings. @threshold is used if the decision has
 * none. Fails only with -ENOMEM. */
int must_check decision_judge(const struct pipeline_config_decision *decision, double threshold,
	struct decision_state *state, struct findings *findings, uint64_t time_us,
	struct decision_verdict *ret_verdict, struct error *err);

#endif
