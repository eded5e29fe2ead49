/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Home Assistant is told, at each broker whose section has discovery = yes: of that broker's sources alone, and at most
 * once in a while, because everything goes into one message and sources are named by whoever publishes.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"

#define NS_PER_MS UINT64_C(1000000)
#define PAUSE_MS 3000
#define BYTES_PER_MS 32 /* a large message makes the pause longer */
#define TURN_MS 100
#define LATEST_NS (10000 * NS_PER_MS) /* then what is known has to do */

static bool is_known(const struct model_entry *m)
{
	return !m->listed ||
		(strcmp(m->state, "loading") != 0 &&
			(m->generation == 0 || m->described == m->generation));
}

bool home_is_settled(struct bridge *b)
{
	bool all = b->listed && (b->pipes.n == 0 || b->pipes.has_worked);
	for (size_t i = 0; i < b->models.n; i++) {
		all &= is_known(b->models.entries[i]);
	}
	bool late = b->listed && clock_now_ns() - b->started_ns > LATEST_NS;
	b->settled |= all || late;
	return b->settled;
}

static bool is_told(const struct link *link)
{
	return link->settings->discovery && !link->leave_by_ns && link->state == LINK_UP;
}

/* Where it could never be taken that is said, and no try follows until there is other news. */
static bool publish(struct bridge *b, struct link *link, const void *payload, size_t size)
{
	char topic[TOPICS_MAX];
	discovery_topic(topic, sizeof(topic), &b->settings);
	if (!outbox_may_hold(&link->outbox, topic, size)) {
		log_warning(&b->log,
			"broker %s: Home Assistant is not told: %zu bytes, more than outbox-bytes",
			link->settings->name, size);
		return true;
	}
	return announce_publish(b, link, OUTBOX_LAST, true, topic, payload, size);
}

/* Only the newest message of the topic counts in the outbox, but one that takes components back has to arrive. */
static bool has_to_wait(const struct bridge *b, const struct link *link)
{
	char topic[TOPICS_MAX];
	discovery_topic(topic, sizeof(topic), &b->settings);
	return link->home.has_gone && outbox_has(&link->outbox, topic);
}

/* Components that have gone are in one message with their platform alone, and in the next one not. Returns the size. */
static size_t tell(struct bridge *b, struct link *link, struct discovery *now)
{
	struct link_home *home = &link->home;
	struct bytes_writer w = {0};
	size_t gone = discovery_write(
		&w, &b->settings, &b->device, &b->models, &b->pipes, link, home->told, now);
	uint64_t hash = dedup_hash(&b->dedup, 0, w.data, w.size);
	bool news = !w.failed && hash != home->hash && (now->n > 0 || home->told->n > 0);
	size_t size = news && now->n > 0 ? w.size : 0; /* nothing is left: the device goes */
	if (news) {
		/* What is not taken is news the next time as well. */
		if (publish(b, link, w.data, size)) {
			*home->told = *now;
			home->hash = hash;
			home->has_gone = gone > 0 && size > 0;
		}
	}
	bytes_writer_deinit(&w);
	return size;
}

static void start(struct bridge *b, uint64_t wait_ms)
{
	if (!uv_is_active((uv_handle_t *)&b->home) && !uv_is_closing((uv_handle_t *)&b->home)) {
		uv_timer_start(&b->home, home_on_timer, wait_ms, 0);
	}
}

void home_follow(struct bridge *b)
{
	uint64_t now = clock_now_ns();
	start(b, b->home_ns > now ? (b->home_ns - now) / NS_PER_MS + 1 : 0);
}

void home_tell_again(struct bridge *b, struct link *link)
{
	for (size_t i = 0; i < b->n_links; i++) {
		if (!link || link == b->links[i]) {
			b->links[i]->home.hash = 0;
		}
	}
	home_follow(b);
}

void home_on_timer(uv_timer_t *timer)
{
	struct bridge *b = timer->data;
	uint64_t began = clock_now_ns();
	size_t most = 0;
	bool more = false, wait = false, settled = home_is_settled(b);
	struct discovery *now = malloc(sizeof(*now));
	for (size_t i = 0; i < b->n_links && now; i++) {
		struct link *link = b->links[i];
		struct link_home *home = &link->home;
		home->told =
			home->told || !is_told(link) ? home->told : calloc(1, sizeof(*home->told));
		if (!is_told(link) || !home->told) {
			continue;
		}
		if (!settled || !link->looked_back || began < home->wait_until_ns) {
			wait |= settled && link->looked_back; /* else somebody calls again */
			continue;
		}
		if (has_to_wait(b, link)) {
			wait = true;
			continue;
		}
		size_t size = tell(b, link, now);
		most = size > most ? size : most;
		more |= home->has_gone;
	}
	free(now);
	if (most > 0) {
		b->home_ns = began + (PAUSE_MS + most / BYTES_PER_MS) * NS_PER_MS;
	}
	if (wait) {
		start(b, TURN_MS);
	} else if (more) {
		home_follow(b);
	}
}

void home_on_rediscover(uv_timer_t *timer)
{
	home_tell_again(timer->data, NULL);
}

void home_leave(struct bridge *b, struct link *link)
{
	if (link->settings->discovery && link->home.leaves) {
		publish(b, link, "", 0);
	}
}

/* What stands up to the next slash or quote, if it is one level. */
static size_t take_level(const uint8_t *at, const uint8_t *end, char out[TOPICS_SOURCE_SIZE])
{
	size_t n = 0;
	while (at + n < end && at[n] != '/' && at[n] != '"' && n + 1 < TOPICS_SOURCE_SIZE) {
		out[n] = (char)at[n];
		n++;
	}
	out[n] = 0;
	return n;
}

/* PREFIX/GW/pipeline/NAME/result/SOURCE and the like, at @at behind "pipeline/". */
static void know(struct bridge *b, struct link *link, const uint8_t *at, const uint8_t *end)
{
	char levels[3][TOPICS_SOURCE_SIZE] = {"", "", ""};
	for (size_t i = 0; i < 3; i++) {
		at += take_level(at, end, levels[i]);
		bool goes_on = at < end && *at == '/';
		if (!topics_is_level(levels[i]) || goes_on == (i == 2)) {
			return;
		}
		at += goes_on;
	}
	if (strcmp(levels[1], "result") == 0 || strcmp(levels[1], "last") == 0 ||
		strcmp(levels[1], "snapshot") == 0) {
		pipes_know_source(&b->pipes, link, levels[0], levels[2]);
	}
}

void home_on_leftover(struct bridge *b, struct link *link, const uint8_t *payload, size_t size)
{
	char begins[TOPICS_MAX];
	struct link_home *home = &link->home;
	const uint8_t *at = payload, *end = payload + size;
	int n = snprintf(begins, sizeof(begins), "\"%s/%s/pipeline/", b->settings.prefix,
		b->settings.gateway);
	home->told = home->told ? home->told : calloc(1, sizeof(*home->told));
	if (!home->told || n < 0 || (size_t)n >= sizeof(begins)) {
		return;
	}
	discovery_read(home->told, payload, size);
	while ((at = memmem(at, (size_t)(end - at), begins, (size_t)n))) {
		at += n;
		know(b, link, at, end);
	}
	home->wait_until_ns = 0;
	home_tell_again(b, link);
}
