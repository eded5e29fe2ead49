/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decision - from what was found in each input to what began and what ended
 *
 * Each label has a track of its own, each class without one too: of several classes, or examples, of the
 * same label the best counts. Its score is the mean of the last `average` inputs, 0 where it was
 * not found. It is a hit at threshold or above, and while it is on at `low` or above, with min-count
 * findings of such a score; on when k of the last n inputs were hits, off when fewer are. A beginning
 * within hold-off after another one of the same source waits: it happens when hold-off is over and the
 * track is still on. Beginnings (of `publish = all` results, of
 * numbers changes) beyond rate-limit in a rate-period, which begins with its first one, are not told; an
 * end is, always, if something told before says that it is on, and never if nothing does. Numbers change
 * from what was told last: one that the limit kept back is told with the first input after the period.
 */
#ifndef CLIENT_PIPELINE_DECISION_H
#define CLIENT_PIPELINE_DECISION_H

#include "client/pipeline/findings.h"
#include "client/pipeline/recipe.h"

#define DECISION_MAX_TRACKS 64 /* of one source and stage; further labels wait for a free one */
#define DECISION_MAX_CHANGES 16 /* of one input */

struct decision_track;

/* What a source has been like for one stage. */
struct decision_state {
	struct decision_track *tracks; /* owned */
	size_t n_tracks;
	bool begun; /* something, at last_begin_us */
	uint64_t last_begin_us;
	uint64_t period_start_us, period_events;
	double *told; /* owned; numbers that were told last */
	size_t n_told;
};
void decision_state_free(struct decision_state *state); /* zeroed is fine */

struct decision_change {
	bool began; /* else it ended */
	size_t index;
	const char *
		label; /* borrowed of the state until it is judged again; NULL: the class has none */
	double score;
	size_t count; /* findings that made it */
	const char *zone; /* of the best one; NULL: none */
	bool awaited; /* it ended, and was told to be on */
};

struct decision_verdict {
	struct decision_change changes[DECISION_MAX_CHANGES];
	size_t n_changes;
	size_t n_on; /* labels that are on now */
	bool told; /* by `publish` and the limits */
	bool limited; /* something would be told, but for rate-limit */
	bool only_ends; /* told is only what is awaited: decision_leave_ends() */
	size_t n_told_on; /* with a rate-limit: labels that are on and were told to be */
};

/* What is told of a verdict with only_ends. */
void decision_leave_ends(struct decision_verdict *verdict);

/* Marks the zones of @findings, and which of them are told to have begun. @threshold: where the decision has none. Only -ENOMEM. */
int must_check decision_judge(const struct recipe_decision *decision, double threshold,
	struct decision_state *state, struct findings *findings, uint64_t time_us,
	struct decision_verdict *ret_verdict, struct error *err);

#endif
