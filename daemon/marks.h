/* SPDX-License-Identifier: Apache-2.0 */
/*
 * marks - which file was being run when edged died
 *
 * A page that is shared with a file: what is written there outlives the process, whatever ends it,
 * and costs no system call. A worker marks a model that is on trial while it runs, the loader one
 * that it opens. A mark that is found at the next start is a death; the second one is held against
 * the file. A power cut may lose marks, and is no model's fault.
 */
#ifndef DAEMON_MARKS_H
#define DAEMON_MARKS_H

#include <stdatomic.h>

#include "daemon/digest.h"

#define MARKS_SLOTS 1024
#define MARKS_DEATHS 2 /* as many are held against a file */

struct mark {
	struct digest model;
	atomic_uint running;
	uint32_t deaths;
};

struct marks {
	struct mark *slots; /* MARKS_SLOTS; NULL: there is no file */
	atomic_uint holders[MARKS_SLOTS]; /* who took it and did not give it back */
	size_t next; /* where the search for a slot begins */
};

/* Opens or makes file "running" of folder @state; counts what the last process left. Where that does
 * not work nothing is marked. */
void marks_open(struct marks *marks, int state);
void marks_close(struct marks *marks);

/* A slot for that file, or NULL when all are taken: then its deaths are not counted. It is the file's own
 * until it was given back as often as it was taken, and after that until others need it. */
struct mark *marks_take(struct marks *marks, const struct digest *model);
/* Any thread; @mark may be NULL. */
void marks_give_back(struct marks *marks, const struct mark *mark);
/* Nothing is held against that file any more. */
void marks_clear(struct marks *marks, const struct digest *model);
/* The next file with enough deaths, from slot *@at on, which begins at 0; false if there is none. They are
 * held against it until marks_clear(). */
bool marks_next_dead(const struct marks *marks, size_t *at, struct digest *ret_model);

/* Any thread; NULL is fine. */
void mark_begin(struct mark *mark);
void mark_end(struct mark *mark);

#endif
