/* SPDX-License-Identifier: Apache-2.0 */
/* The brokers of the configuration and the links to them: begun, told, left. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"
#include "daemon/mqtt/culprit.h"

#define DRAIN_TURN_MS 20
/* So long nothing comes: the broker had nothing more for us. */
#define QUIET_NS (UINT64_C(300) * 1000000)
#define BEHAVED_NS (UINT64_C(30) * 1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define PACKET_ROOM 4096 /* of a packet, beside topic and payload */

static void on_link_up(struct link *link)
{
	struct bridge *b = link->data;
	struct error err = {0};
	culprit_set(NULL); /* what happens here is not the library's doing */
	bridge_say_status(b);
	/* What found no room beside those that have been taken back only now. */
	if (!link->leave_by_ns && reload_subscribe(b, link, &err) < 0) {
		log_error(&b->log, "broker %s: %s", link->settings->name, err.text);
	}
	announce_all(b, link);
	culprit_set(link->settings->name);
}

/* What waits is answered once the broker is back, while there is time. */
static void on_link_down(struct link *link)
{
	const struct bridge *b = link->data;
	if (!b->draining) {
		bridge_say_status(link->data);
	}
}

static void on_link_message(struct link *link, const struct mosq_message *message)
{
	culprit_set(NULL);
	receive_message(link->data, link, message);
	culprit_set(link->settings->name);
}

static void on_link_room(struct link *link)
{
	serve_dispatch(link->data);
}

static void on_link_given_up(struct link *link, struct outbox_message *message, bool too_large)
{
	respond_given_up(link->data, link, message, too_large);
}

static const struct link_events link_events = {
	.on_up = on_link_up,
	.on_down = on_link_down,
	.on_message = on_link_message,
	.on_room = on_link_room,
	.on_given_up = on_link_given_up,
};

void brokers_forgive(struct bridge *b)
{
	for (size_t i = 0; i < b->n_links; i++) {
		const struct link *link = b->links[i];
		if (link->state == LINK_UP && clock_now_ns() - link->up_since_ns > BEHAVED_NS) {
			culprit_forget(link->settings->name);
		}
	}
}

static void say_culprit(const struct bridge *b, const struct settings_broker *broker)
{
	unsigned int count = culprit_count(broker->name);
	if (count > 0) {
		log_warning(&b->log,
			"broker %s: its packets ended the program %u times; next attempt in %llu ms",
			broker->name, count, (unsigned long long)culprit_wait_ms(broker));
	}
}

static int begin(struct bridge *b, const struct settings_broker *broker, struct error *err)
{
	char folder[CONFIG_PATH_SIZE + SETTINGS_NAME_SIZE + 8];
	struct link_options options = {
		.broker = *broker, .max_packet = (uint32_t)b->settings.max_message + PACKET_ROOM};
	memcpy(options.will_topic, b->status_topic, sizeof(options.will_topic));
	settings_write_client_id(&b->settings, broker, options.client_id);
	snprintf(folder, sizeof(folder), "%s/spool-%s", b->state, broker->name);
	struct link **place = &b->links[b->n_links];
	int r = link_start(&b->loop, &b->log, &options, b->state[0] ? folder : NULL, &link_events,
		b, place, err);
	if (r < 0) {
		return r;
	}
	b->n_links++;
	(*place)->number = ++b->last_link;
	say_culprit(b, broker);
	return reload_subscribe(b, *place, err);
}

/* Why there is no folder for a spool; NULL: there is one. */
static const char *why_no_folder(const char *folder)
{
	struct stat st;
	int code = stat(folder, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	return code ? strerror(code) : NULL;
}

int brokers_check(const struct bridge *b, const struct settings *s, struct error *err)
{
	for (size_t i = 0; i < s->n_brokers; i++) {
		const struct settings_broker *broker = &s->brokers[i];
		char place[SETTINGS_PLACE_SIZE];
		settings_write_place(s, "broker", broker->places, "spool", place);
		if (broker->spool_bytes && !b->state[0]) {
			return error_set(err, -EINVAL, "%s[broker %s]: spool needs a state folder",
				place, broker->name);
		}
		const char *why = broker->spool_bytes ? why_no_folder(b->state) : NULL;
		if (why) {
			return error_set(err, -EINVAL,
				"%s[broker %s]: spool needs the folder of [bridge] state, %s: %s",
				place, broker->name, b->state, why);
		}
	}
	return 0;
}

/* ---- leaving */

static void leave(struct bridge *b, struct link *link)
{
	link->heard_ns = clock_now_ns();
	link->leave_by_ns = link->heard_ns + b->settings.drain_timeout_ms * NS_PER_MS;
	while (link->n_subscriptions > 0) {
		link_unsubscribe(link, link->subscriptions[0].filter);
	}
	uv_timer_start(&b->drain, brokers_on_drain, DRAIN_TURN_MS, DRAIN_TURN_MS);
}

static bool has_one_of(const struct ask *ask, const struct link *link)
{
	while (ask && ask->link != link) {
		ask = ask->next;
	}
	return ask;
}

static bool has_asks(const struct bridge *b, const struct link *link)
{
	return has_one_of(b->asks.first, link) || has_one_of(b->pipes.held, link);
}

static bool is_done(const struct bridge *b, const struct link *link)
{
	bool nothing =
		!b->asks.first && b->pipes.n_asked == 0 && !b->pipes.held && b->kept.n_waiting == 0;
	bool answered = b->draining ? nothing : !has_asks(b, link);
	return answered && link_is_flushed(link) && clock_now_ns() - link->heard_ns > QUIET_NS;
}

/* What a broker has set aside for us still comes after it has unsubscribed us, and would be lost with the
 * connection. So first everything is answered until nothing comes any more, then the broker is told, then it has it. */
static bool may_stop(struct bridge *b, struct link *link)
{
	bool late = clock_now_ns() >= link->leave_by_ns;
	if (!late && !is_done(b, link)) {
		return false;
	}
	if (link->said_stopped) {
		return true;
	}
	home_leave(b, link); /* now there is room */
	announce_stopped(b, link);
	link->said_stopped = true;
	return late;
}

static void forget(struct bridge *b, size_t at)
{
	struct link *link = b->links[at];
	b->links[at] = b->links[--b->n_links];
	for (struct ask *ask = b->asks.first; ask; ask = ask->next) {
		ask->link = ask->link == link ? NULL : ask->link;
	}
	for (struct ask *ask = b->pipes.held; ask; ask = ask->next) {
		ask->link = ask->link == link ? NULL : ask->link;
	}
	pipes_forget_link(&b->pipes, link);
	log_info(&b->log, "broker %s: left", link->settings->name);
	link_stop(link);
}

/* What waited for the place of one that has gone. */
static void follow_on(struct bridge *b)
{
	struct error err = {0};
	if (brokers_follow(b, &err) < 0) {
		log_error(&b->log, "%s", err.text);
	}
	bridge_say_status(b);
}

void brokers_on_drain(uv_timer_t *timer)
{
	struct bridge *b = timer->data;
	size_t n_leaving = 0, n_gone = 0;
	for (size_t i = b->n_links; i-- > 0;) {
		bool leaves = b->links[i]->leave_by_ns;
		bool may = leaves && may_stop(b, b->links[i]);
		n_leaving += leaves && !may;
		if (may && !b->draining) {
			forget(b, i);
			n_gone++;
		}
	}
	if (n_leaving == 0) {
		uv_timer_stop(timer);
	}
	if (b->draining && n_leaving == 0) {
		bridge_stop(b);
	} else if (n_gone > 0) {
		follow_on(b);
	}
}

void brokers_leave(struct bridge *b)
{
	for (size_t i = 0; i < b->n_links; i++) {
		leave(b, b->links[i]);
	}
	uv_timer_start(&b->drain, brokers_on_drain, DRAIN_TURN_MS, DRAIN_TURN_MS);
}

void brokers_stop(struct bridge *b)
{
	while (b->n_links > 0) {
		link_stop(b->links[--b->n_links]);
	}
}

/* ---- following the configuration */

static const struct settings_broker *find_broker(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->n_brokers; i++) {
		if (strcmp(s->brokers[i].name, name) == 0) {
			return &s->brokers[i];
		}
	}
	return NULL;
}

/* Two connections as one client would throw each other out, and share a spool: one after the other. */
static bool is_taken(const struct bridge *b, const struct settings_broker *broker)
{
	for (size_t i = 0; i < b->n_links; i++) {
		const struct settings_broker *other = b->links[i]->settings;
		bool leaves = b->links[i]->leave_by_ns;
		if (strcmp(other->name, broker->name) == 0 ||
			(leaves && strcmp(other->address, broker->address) == 0)) {
			return true;
		}
	}
	return false;
}

int brokers_follow(struct bridge *b, struct error *err)
{
	const struct settings *s = &b->settings;
	int r = 0;
	if (b->draining) {
		return 0;
	}
	kept_divide(&b->kept, s->n_brokers);
	for (size_t i = 0; i < b->n_links; i++) {
		struct link *link = b->links[i];
		const struct settings_broker *now = find_broker(s, link->settings->name);
		if (!link->leave_by_ns && (!now || !settings_same_broker(now, link->settings))) {
			link->home.leaves = now && !now->discovery;
			leave(b, link);
		}
	}
	for (size_t i = 0; i < s->n_brokers; i++) {
		if (!is_taken(b, &s->brokers[i]) && b->n_links < BRIDGE_MAX_LINKS) {
			int one = begin(b, &s->brokers[i], err);
			r = one < 0 ? one : r;
		}
	}
	return r;
}
