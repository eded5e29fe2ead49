/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turns - members that take turns, each for as much work as the others
 *
 * Deficit round robin with a quantum as small as can be: a member is served when its credit pays
 * what it has next; when nobody's does, all get as much as the nearest one lacks. So a round costs a
 * walk over the members, and in any stretch of time members that always have something differ by
 * less than one piece of work each. A member that enters has no credit, one that leaves loses it.
 */
#ifndef DAEMON_TURNS_H
#define DAEMON_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed at first. */
struct turn {
	struct turn *next, *prev; /* NULL: not in the ring */
	int64_t credit_ns;
	int64_t cost_ns; /* of what it has next: whoever has the ring keeps it right */
};

struct turns {
	struct turn *now; /* whose turn it is; NULL: the ring is empty */
};

static inline bool turn_waits(const struct turn *turn)
{
	return turn->next != NULL;
}

/* Behind all others. */
void turns_enter(struct turns *turns, struct turn *turn);
void turns_leave(struct turns *turns, struct turn *turn);

/* Who is served next, without serving it; NULL when the ring is empty. */
struct turn *turns_choose(struct turns *turns);

/* @turn, that was chosen, is served what costs @ns: the next one's turn. */
void turns_serve(struct turns *turns, struct turn *turn, int64_t ns);

/* What @turn was served took so much more than was thought, or less: it pays or gets that. */
void turns_correct(struct turn *turn, int64_t ns);

#endif
