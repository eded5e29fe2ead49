/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/turns.h"

#define MOST_NS INT64_C(10000000000) /* of what a correction may leave, either way */

void turns_enter(struct turns *turns, struct turn *turn)
{
	turn->credit_ns = 0;
	if (!turns->now) {
		turns->now = turn->next = turn->prev = turn;
		return;
	}
	turn->next = turns->now;
	turn->prev = turns->now->prev;
	turn->prev->next = turn;
	turn->next->prev = turn;
}

void turns_leave(struct turns *turns, struct turn *turn)
{
	if (turn->next == turn) {
		turns->now = NULL;
	} else {
		turn->prev->next = turn->next;
		turn->next->prev = turn->prev;
		turns->now = turns->now == turn ? turn->next : turns->now;
	}
	turn->next = turn->prev = NULL;
}

struct turn *turns_choose(struct turns *turns)
{
	struct turn *turn = turns->now;
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
	} while (turn != turns->now);
	struct turn *chosen = NULL;
	do {
		turn->credit_ns += lacks;
		chosen = chosen || turn->credit_ns < turn->cost_ns ? chosen : turn;
		turn = turn->next;
	} while (turn != turns->now);
	return chosen;
}

void turns_serve(struct turns *turns, struct turn *turn, int64_t ns)
{
	turn->credit_ns -= ns;
	turns->now = turn->next;
}

void turns_correct(struct turn *turn, int64_t ns)
{
	if (turn_waits(turn)) {
		int64_t credit = turn->credit_ns - ns;
		turn->credit_ns = credit < -MOST_NS ? -MOST_NS
			: credit > MOST_NS          ? MOST_NS
						    : credit;
	}
}
