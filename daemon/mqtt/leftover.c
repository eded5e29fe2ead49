/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an earlier life has left at a broker: retained topics of models and pipelines that went while nobody was here to empty
 * them. The broker is asked for its own list, for a moment, once it is known what there is now: so nothing has to be written
 * down here, and all earlier lives are covered. So is what this life could not empty because there was no room.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"

#define LOOK_NS (UINT64_C(5) * 1000000000)
#define FOUND_NS (UINT64_C(1) * 1000000000) /* so long is enough when another one comes */
#define ANSWER_NS (UINT64_C(500) * 1000000) /* Home Assistant is told after that in any case */
#define LOOKS_NS (UINT64_C(600) * 1000000000)
#define MOST_AT_ONCE 256 /* of the outbox, which is for others; the next look sees the rest */
#define N_FILTERS 7
#define OF_HOME 0 /* the filter of what Home Assistant was told */
#define OF_LAST 6 /* that of last words */
#define MAX_LEVELS 4

/* False: there is no such filter at this broker. The first one is first in time, too: what a broker keeps for us
 * until we have it is bounded. */
static bool filter_of(
	const struct bridge *b, const struct link *link, size_t index, char out[TOPICS_MAX])
{
	static const char *const rests[N_FILTERS] = {NULL, "+/state", "+/get/+", "pipeline/+/state",
		"pipeline/+/get/+", "pipeline/+/snapshot/+", "pipeline/+/last/+"};
	if (index == OF_HOME) {
		discovery_topic(out, TOPICS_MAX, &b->settings);
		return link->settings->discovery;
	}
	snprintf(
		out, TOPICS_MAX, "%s/%s/%s", b->settings.prefix, b->settings.gateway, rests[index]);
	/* Where pipelines are served these come anyway (pipes_on_last()). */
	return index != OF_LAST || strcmp(b->settings.pipelines, "none") == 0;
}

/* However small it is, it has some when nothing waits. */
bool leftover_has_room(const struct link *link)
{
	const struct outbox *o = &link->outbox;
	return o->n < MOST_AT_ONCE && o->n <= o->max_messages / 4 && o->bytes <= o->max_bytes / 4;
}

static void begin(struct bridge *b, struct link *link, uint64_t now)
{
	char filter[TOPICS_MAX];
	struct error err = {0};
	int r = 0;
	bool first = !link->looked_back;
	if (first) {
		link->looked_back = true;
		link->looks_end_ns = now + LOOKS_NS;
		link->home.wait_until_ns = now + ANSWER_NS;
	}
	if (link->owes && leftover_has_room(link)) {
		link->owes = false;
		link->looks_end_ns = now + LOOKS_NS;
	}
	if (!first) { /* those have come with the connection */
		pipes_topic(&b->pipes, "+", "last", "+", filter);
		link_subscribe_anew(link, filter);
	}
	link->look_again = first && link->look_again;
	link->look_until_ns = now + LOOK_NS;
	for (size_t i = first ? OF_HOME : OF_HOME + 1; i < N_FILTERS && r == 0; i++) {
		r = filter_of(b, link, i, filter) ? link_subscribe_own(link, filter, &err) : 0;
	}
	if (r < 0) {
		log_notice(&b->log, "what an earlier life has left: %s", err.text);
	}
}

static void end(const struct bridge *b, struct link *link)
{
	char filter[TOPICS_MAX];
	link->look_until_ns = 0;
	for (size_t i = 0; i < N_FILTERS; i++) {
		if (filter_of(b, link, i, filter) && link_is_subscribed(link, filter)) {
			link_unsubscribe(link, filter);
		}
	}
}

static bool is_over(const struct link *link, uint64_t now)
{
	uint64_t until = link->look_until_ns;
	bool first = now <= link->looks_end_ns - (LOOKS_NS - LOOK_NS); /* it may be slow */
	bool enough = link->look_again && !first && now > until - (LOOK_NS - FOUND_NS);
	return until && (now > until || enough);
}

void leftover_look(struct bridge *b)
{
	uint64_t now = clock_now_ns();
	for (size_t i = 0; i < b->n_links; i++) {
		struct link *link = b->links[i];
		bool up = link->state == LINK_UP && !link->leave_by_ns;
		if (up && is_over(link, now)) {
			end(b, link);
			link->look_again &= now < link->looks_end_ns;
		}
		bool wanted = link->look_again || (link->owes && leftover_has_room(link));
		bool again = wanted && !link->look_until_ns;
		if (up && (!link->looked_back || again) && home_is_settled(b)) {
			begin(b, link, now);
		}
	}
}

void leftover_owe(struct bridge *b)
{
	for (size_t i = 0; i < b->n_links; i++) {
		b->links[i]->owes = true;
	}
	leftover_look(b);
}

static size_t split(char *text, char *levels[MAX_LEVELS + 1])
{
	size_t n = 0;
	while (text && n <= MAX_LEVELS) {
		levels[n++] = strsep(&text, "/");
	}
	return n;
}

static bool is_set(const struct bridge *b, const char *key, bool has_threshold)
{
	return settings_has_word(b->settings.commands, key) &&
		(has_threshold || strcmp(key, "threshold") != 0);
}

/* Is there a reason for it? */
static bool is_ours(const struct bridge *b, const struct link *link, char **level, size_t n)
{
	/* pipeline/get/KEY is of a model that is called so; of a pipeline that is called get there is pipeline/get/state. */
	bool of_model = n == 3 && strcmp(level[1], "get") == 0 && strcmp(level[2], "state") != 0;
	if (strcmp(level[0], "pipeline") == 0 && n > 2 && !of_model) {
		const struct pipe *pipe = pipes_find(&b->pipes, level[1]);
		bool of_source = n == 4 &&
			(strcmp(level[2], "snapshot") == 0 || strcmp(level[2], "last") == 0);
		bool get = n == 4 && strcmp(level[2], "get") == 0;
		return of_source ? pipes_was_told(&b->pipes, link, level[1], level[3])
				 : pipe &&
				(!get ||
					(strcmp(level[3], "pin") != 0 &&
						is_set(b, level[3], pipe->says.has_threshold)));
	}
	const struct model_entry *model = models_find(&b->models, level[0]);
	return model && model->listed && (n != 3 || is_set(b, level[2], true));
}

bool leftover_take(struct bridge *b, struct link *link, const struct mosq_message *m)
{
	char topic[TOPICS_MAX], filter[TOPICS_MAX], *levels[MAX_LEVELS + 1];
	size_t at = N_FILTERS;
	for (size_t i = 0; i < N_FILTERS && at == N_FILTERS; i++) {
		bool is = link->look_until_ns && filter_of(b, link, i, filter) &&
			topics_match(filter, m->topic);
		at = is ? i : at;
	}
	if (at == N_FILTERS || m->size == 0) {
		return at < N_FILTERS;
	}
	if (at == OF_HOME) {
		home_on_leftover(b, link, m->payload, m->size);
		return true;
	}
	int n = snprintf(topic, sizeof(topic), "%s",
		m->topic + strlen(b->settings.prefix) + 1 + strlen(b->settings.gateway) + 1);
	if (n > 0 && (size_t)n < sizeof(topic) && !is_ours(b, link, levels, split(topic, levels))) {
		link->look_again = true;
		if (leftover_has_room(link)) {
			announce_publish(b, link, OUTBOX_LAST, true, m->topic, "", 0);
		}
	}
	return true;
}
