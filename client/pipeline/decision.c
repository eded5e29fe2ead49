/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/decision.h"

#include <math.h>
#include <string.h>

#define MAX_HISTORY 64 /* the largest n and average that pipeline_config_table.c allows */
#define OTHERWISE 0.5 /* the threshold if neither file nor model gives one */

struct decision_track {
	size_t index; /* of the best finding in the last input that had the label */
	char *label; /* owned; NULL: the class has no label and is identified by index */
	bool on;
	bool emitted; /* its begin was emitted, or it was on in an emitted result */
	double scores[MAX_HISTORY]; /* ring buffers; entries not yet written are 0 */
	bool hits[MAX_HISTORY];
	size_t next_score, next_hit;
	/* The fields below are of the current input. */
	bool seen, began;
	double score;
	size_t count;
	const char *zone;
};

void decision_state_free(struct decision_state *state)
{
	for (size_t i = 0; i < state->n_tracks; i++) {
		free(state->tracks[i].label);
	}
	free(state->tracks);
	free(state->emitted);
	*state = (struct decision_state){0};
}

static double high_of(const struct pipeline_config_decision *d, double threshold)
{
	return !isnan(d->threshold) ? d->threshold : !isnan(threshold) ? threshold : OTHERWISE;
}

static double level_of(const struct pipeline_config_decision *d, double threshold, bool on)
{
	double high = high_of(d, threshold);
	return on && d->low < high ? d->low : high; /* also if d->low is NaN */
}

/* True if the track has no state worth keeping. */
static bool is_idle(const struct decision_track *track)
{
	bool idle = !track->on && !track->seen;
	for (size_t i = 0; i < MAX_HISTORY && idle; i++) {
		idle = track->scores[i] == 0 && !track->hits[i];
	}
	return idle;
}

static struct decision_track *track_new(struct decision_state *state)
{
	for (size_t i = 0; i < state->n_tracks; i++) {
		if (is_idle(&state->tracks[i])) {
			return &state->tracks[i];
		}
	}
	if (state->n_tracks == DECISION_MAX_TRACKS) {
		return NULL;
	}
	struct decision_track *tracks =
		realloc(state->tracks, (state->n_tracks + 1) * sizeof(tracks[0]));
	if (!tracks) {
		return NULL;
	}
	state->tracks = tracks;
	tracks[state->n_tracks] = (struct decision_track){0};
	return &tracks[state->n_tracks++];
}

static bool has_label(const struct finding *one)
{
	return one->label && one->label[0];
}

static bool is_of(const struct decision_track *track, const struct finding *one)
{
	return track->label && has_label(one)
		? strcmp(track->label, one->label) == 0
		: !track->label && !has_label(one) && track->index == one->index;
}

static struct decision_track *track_find(
	const struct decision_state *state, const struct finding *one)
{
	for (size_t i = 0; i < state->n_tracks; i++) {
		if (is_of(&state->tracks[i], one)) {
			return &state->tracks[i];
		}
	}
	return NULL;
}

/* *ret_track is NULL if all tracks are in use. */
static int track_get(struct decision_state *state, const struct finding *one,
	struct decision_track **ret_track, struct error *err)
{
	struct decision_track *track = track_find(state, one);
	if (!track && (track = track_new(state))) {
		owned_mem char *label = has_label(one) ? strdup(one->label) : NULL;
		if (has_label(one) && !label) {
			return error_no_memory(err);
		}
		free(track->label);
		*track = (struct decision_track){.index = one->index, .label = take(label)};
	}
	*ret_track = track;
	return 0;
}

/* True if the decision's labels, ignore and zones admit the finding. */
static bool is_wanted(const struct pipeline_config_decision *d, const struct finding *one)
{
	const char *label = one->label ? one->label : "";
	bool named = !d->labels[0] || pipeline_config_list_has(d->labels, label);
	return named && !pipeline_config_list_has(d->ignore, label) &&
		(d->zones.n == 0 || one->zone);
}

/* Clips a coordinate to the image. */
static double in_picture(double share)
{
	return fmin(fmax(share, 0), 1);
}

static void zones_mark(const struct pipeline_config_decision *d, struct findings *findings)
{
	for (size_t i = 0; i < findings->n && d->zones.n > 0; i++) {
		struct finding *one = &findings->items[i];
		const struct zone *zone = one->has_box
			? zones_find(&d->zones, in_picture((one->x1 + one->x2) / 2),
				  in_picture(one->y2))
			: NULL;
		one->zone = zone ? zone->name : NULL;
	}
}

static int findings_count(const struct pipeline_config_decision *d, double threshold,
	struct decision_state *state, const struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < state->n_tracks; i++) {
		state->tracks[i].seen = false;
		state->tracks[i].began = false;
		state->tracks[i].score = 0;
		state->tracks[i].count = 0;
		state->tracks[i].zone = NULL;
	}
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *one = &findings->items[i];
		struct decision_track *track = NULL;
		int r = is_wanted(d, one) ? track_get(state, one, &track, err) : 0;
		if (r < 0) {
			return r;
		}
		if (!track) {
			continue;
		}
		if (!track->seen || one->score > track->score) {
			track->index = one->index;
			track->score = one->score;
			track->zone = one->zone;
			track->seen = true;
		}
		/* With an average of several inputs the mean decides, so every finding counts. */
		track->count += d->average > 1 || one->score >= level_of(d, threshold, track->on);
	}
	return 0;
}

/* Updates the track with this input. Returns whether the track shall be on. */
static bool track_step(
	const struct pipeline_config_decision *d, double threshold, struct decision_track *track)
{
	double sum = 0;
	size_t hits = 0;
	track->scores[track->next_score++ % d->average] = track->score;
	for (size_t i = 0; i < d->average; i++) {
		sum += track->scores[i];
	}
	track->score = sum / (double)d->average;
	/* With an average min-count = 1 needs no finding in this input: the mean may still be
	 * high. */
	bool enough = track->count >= d->min_count || (d->average > 1 && d->min_count == 1);
	track->hits[track->next_hit++ % d->n] =
		enough && track->score >= level_of(d, threshold, track->on);
	for (size_t i = 0; i < d->n; i++) {
		hits += track->hits[i];
	}
	return hits >= d->k;
}

static bool is_held_off(const struct pipeline_config_decision *d,
	const struct decision_state *state, uint64_t time_us)
{
	return state->has_begun && time_us - state->last_begin_us < d->hold_off_ms * 1000;
}

static void change_add(struct decision_verdict *verdict, struct decision_track *track, bool began)
{
	if (verdict->n_changes == DECISION_MAX_CHANGES) {
		return;
	}
	track->began = began;
	struct decision_change *change = &verdict->changes[verdict->n_changes++];
	*change = (struct decision_change){.began = began,
		.index = track->index,
		.label = track->label,
		.score = track->score,
		.count = track->count,
		.zone = track->zone,
		.awaited = !began && track->emitted};
}

/* With hold-off only the best of the tracks that could begin now begins. */
static void tracks_step(const struct pipeline_config_decision *d, double threshold,
	struct decision_state *state, uint64_t time_us, struct decision_verdict *verdict)
{
	struct decision_track *best = NULL;
	for (size_t i = 0; i < state->n_tracks; i++) {
		struct decision_track *track = &state->tracks[i];
		bool on = track_step(d, threshold, track);
		if (track->on && !on) {
			track->on = false;
			change_add(verdict, track, false);
		} else if (!track->on && on && d->hold_off_ms == 0) {
			track->on = true;
			change_add(verdict, track, true);
		} else if (!track->on && on && (!best || track->score > best->score)) {
			best = track;
		}
	}
	if (best && !is_held_off(d, state, time_us)) {
		best->on = true;
		state->has_begun = true;
		state->last_begin_us = time_us;
		change_add(verdict, best, true);
	}
	for (size_t i = 0; i < state->n_tracks; i++) {
		verdict->n_on += state->tracks[i].on;
	}
}

/* True if a number differs enough from its last emitted value. */
static bool has_changed(const struct pipeline_config_decision *d,
	const struct decision_state *state, const struct findings *findings)
{
	bool changed = state->n_emitted != findings->n;
	for (size_t i = 0; i < findings->n && !changed; i++) {
		changed = !(fabs(findings->items[i].score - state->emitted[i]) < d->change);
	}
	return changed;
}

static int numbers_note(
	struct decision_state *state, const struct findings *findings, struct error *err)
{
	double *emitted = realloc(state->emitted, (findings->n + 1) * sizeof(emitted[0]));
	if (!emitted) {
		return error_no_memory(err);
	}
	state->emitted = emitted;
	state->n_emitted = findings->n;
	for (size_t i = 0; i < findings->n; i++) {
		emitted[i] = findings->items[i].score;
	}
	return 0;
}

static bool is_within_limit(
	const struct pipeline_config_decision *d, struct decision_state *state, uint64_t time_us)
{
	if (d->rate_limit == 0) {
		return true;
	}
	if (state->period_events == 0 ||
		time_us - state->period_start_us >= d->rate_period_ms * 1000) {
		state->period_start_us = time_us;
		state->period_events = 0;
	}
	return state->period_events++ < d->rate_limit;
}

/* A change that the limit suppresses stays pending until the period is over. */
static int numbers_judge(const struct pipeline_config_decision *d, struct decision_state *state,
	const struct findings *findings, uint64_t time_us, struct decision_verdict *verdict,
	struct error *err)
{
	bool wanted = d->publish == PIPELINE_CONFIG_PUBLISH_ALL || has_changed(d, state, findings);
	verdict->limited = wanted && !is_within_limit(d, state, time_us);
	verdict->emitted = wanted && !verdict->limited;
	return verdict->emitted ? numbers_note(state, findings, err) : 0;
}

bool decision_has_begun(const struct decision_verdict *verdict)
{
	bool began = false;
	for (size_t i = 0; i < verdict->n_changes; i++) {
		began |= verdict->changes[i].began;
	}
	return began;
}

static bool is_emitted(
	const struct pipeline_config_decision *d, const struct decision_verdict *verdict)
{
	return d->publish == PIPELINE_CONFIG_PUBLISH_ALL ||
		(d->publish == PIPELINE_CONFIG_PUBLISH_CHANGES ? verdict->n_changes > 0
							       : decision_has_begun(verdict));
}

static void verdict_limit(
	const struct decision_state *state, bool beyond, struct decision_verdict *verdict)
{
	size_t awaited = 0;
	for (size_t i = 0; i < verdict->n_changes; i++) {
		awaited += verdict->changes[i].awaited;
	}
	verdict->emitted = !beyond || awaited > 0;
	verdict->only_ends = beyond && awaited > 0;
	verdict->limited = beyond && (awaited == 0 || awaited < verdict->n_changes);
	for (size_t i = 0; i < state->n_tracks; i++) {
		verdict->n_emitted_on += state->tracks[i].on && state->tracks[i].emitted;
	}
}

static void tracks_note(
	const struct pipeline_config_decision *d, struct decision_state *state, bool all_emitted)
{
	for (size_t i = 0; i < state->n_tracks; i++) {
		struct decision_track *track = &state->tracks[i];
		track->emitted = track->on && (track->emitted || all_emitted) &&
			d->publish !=
				PIPELINE_CONFIG_PUBLISH_BEGIN; /* `publish = begin` emits no ends */
	}
}

/* An input with ends alone is emitted if the begins were, and does not count for the limit. */
static void tracks_limit(const struct pipeline_config_decision *d, struct decision_state *state,
	uint64_t time_us, struct decision_verdict *verdict)
{
	bool counts = d->publish == PIPELINE_CONFIG_PUBLISH_ALL || decision_has_begun(verdict);
	if (verdict->emitted && d->rate_limit > 0) {
		verdict_limit(state, !counts || !is_within_limit(d, state, time_us), verdict);
	}
	tracks_note(d, state, verdict->emitted && !verdict->only_ends);
}

void decision_leave_ends(struct decision_verdict *verdict)
{
	size_t n = 0;
	for (size_t i = 0; i < verdict->n_changes; i++) {
		if (verdict->changes[i].awaited) {
			verdict->changes[n++] = verdict->changes[i];
		}
	}
	verdict->n_changes = n;
	verdict->n_on = verdict->n_emitted_on;
}

/* Sets `began` of the findings whose label's begin is emitted now. */
static void beginnings_mark(const struct pipeline_config_decision *d,
	const struct decision_state *state, const struct decision_verdict *verdict,
	struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		struct finding *one = &findings->items[i];
		const struct decision_track *track =
			is_wanted(d, one) ? track_find(state, one) : NULL;
		one->began = verdict->emitted && !verdict->only_ends && track && track->began;
	}
}

int decision_judge(const struct pipeline_config_decision *d, double threshold,
	struct decision_state *state, struct findings *findings, uint64_t time_us,
	struct decision_verdict *ret_verdict, struct error *err)
{
	struct decision_verdict verdict = {0};
	zones_mark(d, findings);
	if (!isnan(d->change)) {
		int r = numbers_judge(d, state, findings, time_us, &verdict, err);
		if (r < 0) {
			return r;
		}
	} else {
		int r = findings_count(d, threshold, state, findings, err);
		if (r < 0) {
			return r;
		}
		tracks_step(d, threshold, state, time_us, &verdict);
		verdict.emitted = is_emitted(d, &verdict);
		tracks_limit(d, state, time_us, &verdict);
		beginnings_mark(d, state, &verdict, findings);
	}
	*ret_verdict = verdict;
	return 0;
}
