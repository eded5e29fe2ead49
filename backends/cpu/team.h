/* SPDX-License-Identifier: Apache-2.0 */
/*
 * team - a few threads that share the parts of one job
 *
 * Between two operators of a run lie microseconds, between two runs anything: a member that has
 * nothing to do looks for the next job for a moment, then sleeps until it is woken. Each member begins
 * with the same share of the parts in every job, so that what one operator has made lies in the caches of
 * the core that goes on with it. Parts are claimed one by one, and whoever has done its own takes those of
 * others: a member that the system takes away delays one part only, and one that wakes too late finds
 * nothing left.
 */
#ifndef BACKENDS_CPU_TEAM_H
#define BACKENDS_CPU_TEAM_H

#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"

#define TEAM_MAX_MEMBERS 16
#define TEAM_MAX_PARTS 65535u

struct team;

/* Does part @part of a job. @member: 0 is the caller of team_run(); no two parts that are done at one
 * time have the same member. */
typedef void team_fn(void *args, unsigned int member, unsigned int part);

/* @members: with the caller, 1 to TEAM_MAX_MEMBERS. @eager: it is given work that is too short to
 * share, too, as tests want it. -ENOMEM, or what pthread_create() gave. */
int must_check team_new(
	unsigned int members, bool eager, struct team **ret_team, struct error *err);
void team_free(struct team *team); /* NULL is fine; nobody may be in team_run() */
DEFINE_OWNED(struct team *, team_free)

unsigned int team_members(const struct team *team);
bool team_is_eager(const struct team *team);

/* Does parts 0 to @parts - 1 (at most TEAM_MAX_PARTS), each once, and returns when all are done. One
 * caller at a time; what it wrote before is seen by all parts, and what they wrote by it. */
void team_run(struct team *team, unsigned int parts, team_fn *fn, void *args);

#endif
