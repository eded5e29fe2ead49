/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share - who has had more than an equal part of the work lately
 *
 * A group (of users, or of a user's connections) knows how many of its members asked in the last two
 * spans of 134 ms and how much work was let in for them; each member knows its own. Both are
 * halved with every span. Nothing is kept in order, so asking and noting take a few instructions.
 */
#ifndef DAEMON_SHARE_H
#define DAEMON_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* Both zeroed at first. */
struct share {
	uint64_t span; /* when @work_ns was true */
	uint64_t work_ns;
};

struct share_group {
	struct share all;
	uint64_t span; /* in which @n_now asked */
	uint32_t n_now, n_before;
};

/* @member asks for something. */
void share_ask(struct share *member, struct share_group *group, uint64_t now_ns);
/* It got so much work. */
void share_note(struct share *member, struct share_group *group, uint64_t now_ns, uint64_t work_ns);
/* True when others asked too and @member's work is above 5/4 of an equal part. */
bool share_is_over(struct share *member, struct share_group *group, uint64_t now_ns);
/* How many asked lately, 1 at least. */
uint32_t share_members(const struct share_group *group);

#endif
