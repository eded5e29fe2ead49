/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/queue.h"

#include <stddef.h>

#include "daemon/request.h"

static struct queue_flow *flow_of(const struct request *request)
{
	return &request->line->flows[request->class];
}

static struct queue_party *party_of(const struct request *request)
{
	return &request->line->user->parties[request->class];
}

/* After the flow's first request, or the party's sum, has changed. A party has what its turns give
 * it: the mean will do. */
static void costs_update(struct queue_flow *flow, struct queue_party *party)
{
	flow->turn.cost_ns = flow->first ? flow->first->cost_ns : 0;
	party->turn.cost_ns = party->n_queued ? party->queued_ns / party->n_queued : 0;
}

static void count(struct queue *queue, const struct request *request, int n)
{
	struct queue_party *party = party_of(request);
	struct queue_user *user = request->line->user;
	const int64_t ns = n * request->cost_ns;
	flow_of(request)->queued_ns += ns;
	party->queued_ns += ns;
	queue->queued_ns[request->class] += ns;
	party->n_queued += (uint32_t)n;
	queue->n_users -= user->n_queued > 0;
	user->n_queued += (uint32_t)n;
	queue->n_users += user->n_queued > 0;
	queue->n_queued += (uint32_t)n;
	queue->n_of_class[request->class] += (uint32_t)n;
	costs_update(flow_of(request), party);
}

void queue_put(struct queue *queue, struct request *request)
{
	struct queue_flow *flow = flow_of(request);
	struct queue_party *party = party_of(request);
	request->queue_next = NULL;
	if (flow->last) {
		flow->last->queue_next = request;
	} else {
		flow->first = request;
		turns_enter(&party->flows, &flow->turn);
	}
	flow->last = request;
	if (party->n_queued == 0) {
		turns_enter(&queue->users[request->class], &party->turn);
	}
	count(queue, request, 1);
}

/* @before: NULL for the flow's first one. */
static void unlink_request(struct queue *queue, struct request *before, struct request *request)
{
	struct queue_flow *flow = flow_of(request);
	struct queue_party *party = party_of(request);
	*(before ? &before->queue_next : &flow->first) = request->queue_next;
	flow->last = flow->last == request ? before : flow->last;
	request->queue_next = NULL;
	count(queue, request, -1);
	if (!flow->first) {
		turns_leave(&party->flows, &flow->turn);
	}
	if (party->n_queued == 0) {
		turns_leave(&queue->users[request->class], &party->turn);
	}
	if (!queue->users[request->class].now) {
		queue->owed_ns[request->class] = 0;
	}
}

static bool find(const struct request *request, struct request **ret_before)
{
	struct request *at = flow_of(request)->first;
	for (*ret_before = NULL; at && at != request; at = at->queue_next) {
		*ret_before = at;
	}
	return at != NULL;
}

bool queue_remove(struct queue *queue, struct request *request)
{
	struct request *before = NULL;
	if (!find(request, &before)) {
		return false;
	}
	unlink_request(queue, before, request);
	return true;
}

bool queue_has(const struct request *request)
{
	struct request *before = NULL;
	return find(request, &before);
}

bool queue_swap(struct queue *queue, struct request *old, struct request *request)
{
	struct request *before = NULL;
	struct queue_flow *flow = flow_of(request);
	if (!find(old, &before)) {
		return false;
	}
	*(before ? &before->queue_next : &flow->first) = request;
	flow->last = flow->last == old ? request : flow->last;
	request->queue_next = old->queue_next;
	old->queue_next = NULL;
	count(queue, request, 1);
	count(queue, old, -1);
	return true;
}

int queue_top(const struct queue *queue)
{
	int class = QUEUE_CLASSES - 1;
	while (class >= 0 && !queue->users[class].now) {
		class --;
	}
	return class;
}

/* The lowest that is owed its next piece, else the highest. */
static int class_choose(const struct queue *queue, int above)
{
	const int top = queue_top(queue);
	for (int class = above + 1; class < top; class ++) {
		const struct turn *user = queue->users[class].now;
		if (user && queue->owed_ns[class] > 0 && queue->owed_ns[class] >= user->cost_ns) {
			return class;
		}
	}
	return top > above ? top : -1;
}

/* What @class gets is owed, in part, to those below it that wait. */
static void class_charge(struct queue *queue, int class, int64_t ns)
{
	for (int lower = 0; lower < class; lower++) {
		if (queue->users[lower].now) {
			queue->owed_ns[lower] += ns / QUEUE_FLOOR;
		}
	}
	queue->owed_ns[class] = queue->owed_ns[class] > ns ? queue->owed_ns[class] - ns : 0;
}

struct request *queue_pop(struct queue *queue, int above)
{
	const int class = class_choose(queue, above);
	if (class < 0) {
		return NULL;
	}
	struct queue_party *party = (struct queue_party *)turns_choose(&queue->users[class]);
	struct queue_flow *flow = (struct queue_flow *)turns_choose(&party->flows);
	struct request *request = flow->first;
	turns_serve(&queue->users[class], &party->turn, request->cost_ns);
	turns_serve(&party->flows, &flow->turn, request->cost_ns);
	class_charge(queue, class, request->cost_ns);
	unlink_request(queue, NULL, request);
	return request;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Of the user's own: each other connection's is served as much as this one's at most. */
static int64_t own_ahead(const struct queue_party *party, const struct queue_flow *own, int64_t ns)
{
	int64_t sum = own->queued_ns;
	const struct turn *first = party->flows.now, *turn = first;
	const int64_t each = own->queued_ns + ns;
	for (bool more = turn != NULL; more; turn = turn->next, more = turn != first) {
		const struct queue_flow *flow = (const struct queue_flow *)turn;
		sum += flow == own ? 0 : least(flow->queued_ns, each);
	}
	return sum;
}

int64_t queue_ahead_ns(const struct queue *queue, const struct queue_line *line,
	enum queue_class class, int64_t cost_ns)
{
	const struct queue_party *own = &line->user->parties[class];
	int64_t sum = own_ahead(own, &line->flows[class], cost_ns);
	const int64_t each = sum + cost_ns;
	const struct turn *first = queue->users[class].now, *turn = first;
	for (bool more = turn != NULL; more; turn = turn->next, more = turn != first) {
		const struct queue_party *party = (const struct queue_party *)turn;
		sum += party == own ? 0 : least(party->queued_ns, each);
	}
	for (int higher = class + 1; higher < QUEUE_CLASSES; higher++) {
		sum += queue->queued_ns[higher];
	}
	return sum;
}
