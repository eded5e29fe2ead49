/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crash_markers - records which model file runs, for the start after a crash
 *
 * A page shared with a file: a store to it survives any end of the process and needs no system
 * call. Workers mark a model on trial while it runs, the loader marks a file while it opens it. A
 * mark found at the next start counts as a crash of that file; two crashes make it bad. A power cut
 * can lose marks, which is no fault of a model.
 */
#ifndef DAEMON_EDGED_MODEL_CRASH_MARKERS_H
#define DAEMON_EDGED_MODEL_CRASH_MARKERS_H

#include <stdatomic.h>

#include "daemon/system/digest.h"

#define CRASH_MARKERS_SLOTS 1024
#define CRASH_MARKERS_DEATHS 2 /* crashes that make a file bad */

struct crash_marker {
	struct digest model;
	atomic_uint running;
	uint32_t deaths;
};

struct crash_markers {
	struct crash_marker *slots; /* array of CRASH_MARKERS_SLOTS; NULL: no file */
	/* crash_markers_take() calls without crash_markers_give_back(), for each slot */
	atomic_uint holders[CRASH_MARKERS_SLOTS];
	size_t next; /* slot where the next search begins */
};

/* Opens or creates file "running" in folder @state, and counts the marks of the last process. After
 * an error nothing is marked. */
void crash_markers_open(struct crash_markers *markers, int state);
void crash_markers_close(struct crash_markers *markers);

/* Returns a slot for the file, or NULL if all are taken: crashes of that file are then not counted.
 * The slot stays the file's until each take is given back, and after that until another file needs
 * it. */
struct crash_marker *crash_markers_take(struct crash_markers *markers, const struct digest *model);
/* Any thread. NULL is fine for @marker. */
void crash_markers_give_back(struct crash_markers *markers, const struct crash_marker *marker);
/* Resets the crash count of a file. */
void crash_markers_clear(struct crash_markers *markers, const struct digest *model);
/* Finds the next file with CRASH_MARKERS_DEATHS crashes, from slot *@at on, initially 0. Returns false if
 * there is none. The count stays until crash_markers_clear(). */
bool crash_markers_next_dead(
	const struct crash_markers *markers, size_t *at, struct digest *ret_model);

/* Any thread; NULL is fine. */
void crash_marker_begin(struct crash_marker *marker);
void crash_marker_end(struct crash_marker *marker);

#endif
