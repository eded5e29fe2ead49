/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/drr.h"

#define MAX_CREDIT_NS                                                                              \
	INT64_C(10000000000) /* limit of the credit after a correction, above and below 0 */

void drr_enter(struct drr *drr, struct drr_member *turn)
{
	turn->credit_ns = 0;
	if (!drr->now) {
		drr->now = turn->next = turn->prev = turn;
		return;
	}
	turn->next = drr->now;
	turn->prev = drr->now->prev;
	turn->prev->next = turn;
	turn->next->prev = turn;
}

void drr_leave(struct drr *drr, struct drr_member *turn)
{
	if (turn->next == turn) {
		drr->now = NULL;
	} else {
		turn->prev->next = turn->next;
		turn->next->prev = turn->prev;
		drr->now = drr->now == turn ? turn->next : drr->now;
	}
	turn->next = turn->prev = NULL;
}

struct drr_member *drr_choose(struct drr *drr)
{
	struct drr_member *turn = drr->now;
	if (!turn) {
		return NULL;
	}
	int64_t lacks = INT64_MAX;
	do {
		if (turn->credit_ns >= turn->cost_ns) {
			return turn;
		}
		int64_t its = turn->cost_ns - turn->credit_ns;
		lacks = its < lacks ? its : lacks;
		turn = turn->next;
	} while (turn != drr->now);
	struct drr_member *chosen = NULL;
	do {
		turn->credit_ns += lacks;
		chosen = chosen || turn->credit_ns < turn->cost_ns ? chosen : turn;
		turn = turn->next;
	} while (turn != drr->now);
	return chosen;
}

void drr_serve(struct drr *drr, struct drr_member *turn, int64_t ns)
{
	turn->credit_ns -= ns;
	drr->now = turn->next;
}

void drr_correct(struct drr_member *turn, int64_t ns)
{
	if (drr_member_waits(turn)) {
		int64_t credit = turn->credit_ns - ns;
		turn->credit_ns = credit < -MAX_CREDIT_NS ? -MAX_CREDIT_NS
			: credit > MAX_CREDIT_NS          ? MAX_CREDIT_NS
							  : credit;
	}
}
