/* SPDX-License-Identifier: Apache-2.0 */
/* link - what the broker is to send: subscriptions outlive connections */
#include "daemon/mqtt/link_subscribe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void subscribe_one(struct link *link, struct link_subscription *s)
{
	struct error err = {0};
	char shown[160];
	s->refused = false;
	if (mosq_subscribe(link->mosq, s->filter, s->qos, s->own, &s->mid, &err) < 0) {
		s->mid = 0;
		log_warning(link->log, "broker %s: no subscription to %s: %s", link->settings->name,
			error_escape(shown, sizeof(shown), s->filter, strlen(s->filter)), err.text);
	}
	s->asked |= s->mid != 0;
}

static void now_if_up(struct link *link, struct link_subscription *s)
{
	if (link->state == LINK_UP) {
		subscribe_one(link, s);
	}
}

static struct link_subscription *find_subscription(const struct link *link, const char *filter)
{
	for (size_t i = 0; i < link->n_subscriptions; i++) {
		if (strcmp(link->subscriptions[i].filter, filter) == 0) {
			return (struct link_subscription *)&link->subscriptions[i];
		}
	}
	return NULL;
}

bool link_is_subscribed(const struct link *link, const char *filter)
{
	const struct link_subscription *s = find_subscription(link, filter);
	return s && !s->gone;
}

/* NULL without memory, or place. */
static struct link_subscription *add(struct link *link, const char *filter)
{
	bool full = link->n_subscriptions == LINK_MAX_SUBSCRIPTIONS;
	char *copy = full ? NULL : strdup(filter);
	if (!copy) {
		return NULL;
	}
	struct link_subscription *s = &link->subscriptions[link->n_subscriptions++];
	*s = (struct link_subscription){.filter = copy};
	return s;
}

static int subscribe(
	struct link *link, const char *filter, unsigned int qos, bool own, struct error *err)
{
	struct link_subscription *s = find_subscription(link, filter);
	if (s) {
		s->gone = false;
		if (s->qos != qos) {
			s->qos = qos;
			now_if_up(link, s);
		}
		return 0;
	}
	if (link->n_subscriptions == LINK_MAX_SUBSCRIPTIONS) {
		return error_set(
			err, -ENOSPC, "more than %d subscriptions", LINK_MAX_SUBSCRIPTIONS);
	}
	s = add(link, filter);
	if (!s) {
		return error_no_memory(err);
	}
	s->qos = qos;
	s->own = own;
	now_if_up(link, s);
	return 0;
}

int link_subscribe(struct link *link, const char *filter, unsigned int qos, struct error *err)
{
	return subscribe(link, filter, qos, false, err);
}

int link_subscribe_own(struct link *link, const char *filter, struct error *err)
{
	return subscribe(link, filter, 1, true, err);
}

void link_subscribe_anew(struct link *link, const char *filter)
{
	struct link_subscription *s = find_subscription(link, filter);
	if (s && !s->gone) {
		now_if_up(link, s);
	}
}

static void unsubscribe_now(struct link *link, const char *filter)
{
	struct error err = {0};
	link->unsubscribing += mosq_unsubscribe(link->mosq, filter, &err) == 0;
}

static void drop_subscription(struct link *link, struct link_subscription *s)
{
	free(s->filter);
	*s = link->subscriptions[--link->n_subscriptions];
}

void link_unsubscribe(struct link *link, const char *filter)
{
	struct link_subscription *s = find_subscription(link, filter);
	if (link->state == LINK_UP) {
		unsubscribe_now(link, filter);
	}
	if (s && (link->state == LINK_UP || link->leave_by_ns || !s->asked)) {
		drop_subscription(link, s);
	} else if (s) {
		s->gone = true;
	} else if (link->state != LINK_UP && !link->leave_by_ns) {
		s = add(link, filter);
		if (s) {
			s->asked = s->gone = true;
		}
	}
}

void link_subscribe_all(struct link *link)
{
	for (size_t i = link->n_subscriptions; i-- > 0;) {
		struct link_subscription *s = &link->subscriptions[i];
		if (s->gone) {
			unsubscribe_now(link, s->filter);
			drop_subscription(link, s);
		} else {
			subscribe_one(link, s);
		}
	}
}

void link_on_subscribed(void *data, int mid, int granted)
{
	struct link *link = data;
	for (size_t i = 0; i < link->n_subscriptions; i++) {
		struct link_subscription *s = &link->subscriptions[i];
		if (s->mid != mid || granted < 128) {
			continue;
		}
		char shown[160];
		s->refused = true;
		link->counts.refused_subscriptions++;
		log_warning(link->log, "broker %s: no subscription to %s (reason %d)",
			link->settings->name,
			error_escape(shown, sizeof(shown), s->filter, strlen(s->filter)), granted);
	}
}

void link_on_unsubscribed(void *data)
{
	struct link *link = data;
	link->unsubscribing -= link->unsubscribing > 0;
}

void link_subscribe_again(struct link *link)
{
	for (size_t i = 0; i < link->n_subscriptions; i++) {
		if (link->subscriptions[i].refused || link->subscriptions[i].mid == 0) {
			subscribe_one(link, &link->subscriptions[i]);
		}
	}
}
