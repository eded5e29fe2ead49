/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/priority_queue.h"

#include <stddef.h>

static struct queue_flow *flow_of(const struct queue_item *item)
{
	return &item->connection->flows[item->class];
}

static struct queue_user_class *user_class_of(const struct queue_item *item)
{
	return &item->connection->user->classes[item->class];
}

/* Call it after the flow's first request or the user_class's sum has changed. A user_class's cost is the
 * mean of its requests: exact costs are charged when it is served. */
static void costs_update(struct queue_flow *flow, struct queue_user_class *user_class)
{
	flow->turn.cost_ns = flow->list.first ? flow->list.first->cost_ns : 0;
	user_class->turn.cost_ns =
		user_class->n_queued ? user_class->queued_ns / user_class->n_queued : 0;
}

static void count(struct priority_queue *queue, const struct queue_item *item, int n)
{
	struct queue_user_class *user_class = user_class_of(item);
	struct queue_user *user = item->connection->user;
	const int64_t ns = n * item->cost_ns;
	flow_of(item)->queued_ns += ns;
	user_class->queued_ns += ns;
	queue->queued_ns[item->class] += ns;
	user_class->n_queued += (uint32_t)n;
	queue->n_users -= user->n_queued > 0;
	user->n_queued += (uint32_t)n;
	queue->n_users += user->n_queued > 0;
	queue->n_queued += (uint32_t)n;
	queue->n_of_class[item->class] += (uint32_t)n;
	costs_update(flow_of(item), user_class);
}

/* The link that leads to @item; *ret_before: the item before it, NULL: it is the first. */
static struct queue_item **link_to(
	struct queue_list *list, const struct queue_item *item, struct queue_item **ret_before)
{
	struct queue_item **link = &list->first;
	for (*ret_before = NULL; *link != item; link = &(*link)->next) {
		*ret_before = *link;
	}
	return link;
}

void queue_list_put(struct queue_list *list, struct queue_item *item)
{
	item->next = NULL;
	*(list->last ? &list->last->next : &list->first) = item;
	list->last = item;
}

void queue_list_remove(struct queue_list *list, struct queue_item *item)
{
	struct queue_item *before = NULL;
	*link_to(list, item, &before) = item->next;
	list->last = list->last == item ? before : list->last;
	item->next = NULL;
}

void priority_queue_put(struct priority_queue *queue, struct queue_item *item)
{
	struct queue_flow *flow = flow_of(item);
	struct queue_user_class *user_class = user_class_of(item);
	if (!flow->list.first) {
		drr_enter(&user_class->flows, &flow->turn);
	}
	queue_list_put(&flow->list, item);
	if (user_class->n_queued == 0) {
		drr_enter(&queue->users[item->class], &user_class->turn);
	}
	count(queue, item, 1);
}

void priority_queue_remove(struct priority_queue *queue, struct queue_item *item)
{
	struct queue_flow *flow = flow_of(item);
	struct queue_user_class *user_class = user_class_of(item);
	queue_list_remove(&flow->list, item);
	count(queue, item, -1);
	if (!flow->list.first) {
		drr_leave(&user_class->flows, &flow->turn);
	}
	if (user_class->n_queued == 0) {
		drr_leave(&queue->users[item->class], &user_class->turn);
	}
	if (!queue->users[item->class].now) {
		queue->owed_ns[item->class] = 0;
	}
}

void priority_queue_swap(
	struct priority_queue *queue, struct queue_item *old, struct queue_item *item)
{
	struct queue_item *before = NULL;
	struct queue_list *list = &flow_of(item)->list;
	*link_to(list, old, &before) = item;
	list->last = list->last == old ? item : list->last;
	item->next = old->next;
	old->next = NULL;
	count(queue, item, 1);
	count(queue, old, -1);
}

int priority_queue_top(const struct priority_queue *queue)
{
	int class = QUEUE_CLASSES - 1;
	while (class >= 0 && !queue->users[class].now) {
		class --;
	}
	return class;
}

/* The lowest class whose credit covers its next request, else the highest class. */
static int class_choose(const struct priority_queue *queue, int above)
{
	const int top = priority_queue_top(queue);
	for (int class = above + 1; class < top; class ++) {
		const struct drr_member *user = queue->users[class].now;
		if (user && queue->owed_ns[class] > 0 && queue->owed_ns[class] >= user->cost_ns) {
			return class;
		}
	}
	return top > above ? top : -1;
}

/* Gives the waiting classes below @class credit for a part of @ns. */
static void class_charge(struct priority_queue *queue, int class, int64_t ns)
{
	for (int lower = 0; lower < class; lower++) {
		if (queue->users[lower].now) {
			queue->owed_ns[lower] += ns / QUEUE_FLOOR;
		}
	}
	queue->owed_ns[class] = queue->owed_ns[class] > ns ? queue->owed_ns[class] - ns : 0;
}

struct queue_item *priority_queue_pop(struct priority_queue *queue, int above)
{
	const int class = class_choose(queue, above);
	if (class < 0) {
		return NULL;
	}
	struct queue_user_class *user_class =
		(struct queue_user_class *)drr_choose(&queue->users[class]);
	struct queue_flow *flow = (struct queue_flow *)drr_choose(&user_class->flows);
	struct queue_item *item = flow->list.first;
	drr_serve(&queue->users[class], &user_class->turn, item->cost_ns);
	drr_serve(&user_class->flows, &flow->turn, item->cost_ns);
	class_charge(queue, class, item->cost_ns);
	priority_queue_remove(queue, item);
	return item;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The user's own work that is served before a new item of @own with cost @ns: all of @own, and
 * of each other connection no more than @own has then. */
static int64_t own_ahead(
	const struct queue_user_class *user_class, const struct queue_flow *own, int64_t ns)
{
	int64_t sum = own->queued_ns;
	const struct drr_member *first = user_class->flows.now, *turn = first;
	const int64_t each = own->queued_ns + ns;
	for (bool more = turn != NULL; more; turn = turn->next, more = turn != first) {
		const struct queue_flow *flow = (const struct queue_flow *)turn;
		sum += flow == own ? 0 : least(flow->queued_ns, each);
	}
	return sum;
}

int64_t priority_queue_ahead_ns(const struct priority_queue *queue,
	const struct queue_connection *connection, enum queue_class class, int64_t cost_ns)
{
	const struct queue_user_class *own = &connection->user->classes[class];
	int64_t sum = own_ahead(own, &connection->flows[class], cost_ns);
	const int64_t each = sum + cost_ns;
	const struct drr_member *first = queue->users[class].now, *turn = first;
	for (bool more = turn != NULL; more; turn = turn->next, more = turn != first) {
		const struct queue_user_class *user_class = (const struct queue_user_class *)turn;
		sum += user_class == own ? 0 : least(user_class->queued_ns, each);
	}
	for (int higher = class + 1; higher < QUEUE_CLASSES; higher++) {
		sum += queue->queued_ns[higher];
	}
	return sum;
}
