/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fair_share - which members had more than an equal part of the work lately
 *
 * A member is a user, or a connection of one user. A group has all users, or all connections of one
 * user. Time is cut into spans of 134 ms. A group counts the members that sent a request in this
 * span and in the one before, and the work admitted for all members.
 * Each member counts its own work. Work counts half as much with every span. Nothing is sorted:
 * each call takes a few instructions.
 */
#ifndef DAEMON_EDGED_SERVE_FAIR_SHARE_H
#define DAEMON_EDGED_SERVE_FAIR_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* struct fair_share and struct fair_share_group are zeroed at first. */
struct fair_share {
	uint64_t span; /* span in which @work_ns was last halved */
	uint64_t work_ns; /* admitted work, halved with every span */
};

struct fair_share_group {
	struct fair_share all; /* work of all members */
	uint64_t span; /* span that @n_now counts; @n_before counts the one before */
	uint32_t n_now, n_before;
};

/* Counts @member among those that sent a request in this span. */
void fair_share_count_request(
	struct fair_share *member, struct fair_share_group *group, uint64_t now_ns);
/* Adds @work_ns of admitted work to @member and @group. */
void fair_share_add_work(struct fair_share *member, struct fair_share_group *group, uint64_t now_ns,
	uint64_t work_ns);
/* True when other members sent requests too and @member has more than 5/4 of an equal part. */
bool fair_share_is_over(struct fair_share *member, struct fair_share_group *group, uint64_t now_ns);
/* Members that sent a request in this span or the one before, whichever are more; at least 1. */
uint32_t fair_share_members(const struct fair_share_group *group);

#endif
