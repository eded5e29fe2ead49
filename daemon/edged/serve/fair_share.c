/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/fair_share.h"

#define SPAN_BITS 27 /* 2^27 ns = 134 ms */

static void share_fade(struct fair_share *share, uint64_t span)
{
	uint64_t passed = span - share->span;
	share->work_ns = passed < 64 ? share->work_ns >> passed : 0;
	share->span = span;
}

static void group_fade(struct fair_share_group *group, uint64_t span)
{
	if (group->span != span) {
		group->n_before = group->span + 1 == span ? group->n_now : 0;
		group->n_now = 0;
		group->span = span;
	}
	share_fade(&group->all, span);
}

void fair_share_count_request(
	struct fair_share *member, struct fair_share_group *group, uint64_t now_ns)
{
	const uint64_t span = now_ns >> SPAN_BITS;
	group_fade(group, span);
	group->n_now += member->span != span; /* the first request of @member in this span */
	share_fade(member, span);
}

void fair_share_add_work(struct fair_share *member, struct fair_share_group *group, uint64_t now_ns,
	uint64_t work_ns)
{
	const uint64_t span = now_ns >> SPAN_BITS;
	group_fade(group, span);
	share_fade(member, span);
	member->work_ns += work_ns;
	group->all.work_ns += work_ns;
}

bool fair_share_is_over(struct fair_share *member, struct fair_share_group *group, uint64_t now_ns)
{
	const uint64_t span = now_ns >> SPAN_BITS;
	group_fade(group, span);
	share_fade(member, span);
	const uint64_t n = fair_share_members(group);
	return n > 1 && member->work_ns * n > group->all.work_ns + group->all.work_ns / 4;
}

uint32_t fair_share_members(const struct fair_share_group *group)
{
	uint32_t n = group->n_now > group->n_before ? group->n_now : group->n_before;
	return n > 0 ? n : 1;
}
