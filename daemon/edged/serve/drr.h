/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drr - deficit round robin: members of a ring get equal shares of work
 *
 * The quantum is as small as it can be. A member is served when its credit covers the cost of its
 * next piece. When no credit does, all members get as much credit as the nearest one lacks. A
 * choice walks over the members at most twice. Over any stretch of time, members that always have
 * work differ by less than one piece of work each. A member that enters has no credit; a member
 * that leaves loses its credit.
 */
#ifndef DAEMON_EDGED_SERVE_DRR_H
#define DAEMON_EDGED_SERVE_DRR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A member of a ring. Zeroed at first. */
struct drr_member {
	struct drr_member *next, *prev; /* NULL: the member is not in the ring */
	int64_t credit_ns;
	int64_t cost_ns; /* of the member's next piece; the ring's owner keeps it current */
};

struct drr {
	struct drr_member *now; /* member whose turn it is; NULL: the ring is empty */
};

static inline bool drr_member_waits(const struct drr_member *turn)
{
	return turn->next != NULL;
}

/* Enters the ring behind all others. */
void drr_enter(struct drr *drr, struct drr_member *turn);
void drr_leave(struct drr *drr, struct drr_member *turn);

/* Chooses the member to serve next. NULL: the ring is empty. */
struct drr_member *drr_choose(struct drr *drr);

/* Charges @ns to the chosen @turn and passes the turn to the next member. */
void drr_serve(struct drr *drr, struct drr_member *turn, int64_t ns);

/* Corrects @turn's credit: its work took @ns more than was charged, or less if negative. */
void drr_correct(struct drr_member *turn, int64_t ns);

#endif
