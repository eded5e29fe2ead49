/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publishes the Home Assistant discovery message at each broker with discovery = yes. It lists the
 * sources of that broker only. It is sent once in some seconds at most, because all components are
 * in one message, and any publisher can add sources.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/announce/announce.h"

#define PAUSE_MS 3000
#define BYTES_PER_MS 32 /* a large message makes the pause longer */
#define TURN_MS 100

static bool wants_discovery(const struct broker_connection *conn)
{
	return conn->settings->discovery && !broker_connection_is_leaving(conn) &&
		conn->state == BROKER_CONNECTION_UP;
}

/* Returns true if the message was taken, or is too large for the outbox, which is logged. Only a
 * change of the message leads to another try then. */
static bool publish(
	struct announce *a, struct broker_connection *conn, const void *payload, size_t size)
{
	char topic[TOPIC_SIZE];
	discovery_topic(topic, sizeof(topic), a->settings);
	if (!outbox_may_hold(&conn->outbox, topic, size)) {
		log_warning(a->log,
			"broker %s: no Home Assistant message: %zu bytes, more than outbox-bytes",
			conn->settings->name, size);
		return true;
	}
	return brokers_publish(a->brokers, conn, OUTBOX_LAST, true, topic, payload, size);
}

/* The outbox keeps only the newest message of the topic, but one that removes components must be
 * sent. */
static bool has_to_wait(const struct announce *a, const struct broker_connection *conn)
{
	char topic[TOPIC_SIZE];
	discovery_topic(topic, sizeof(topic), a->settings);
	return conn->home.removes_components && outbox_has(&conn->outbox, topic);
}

/* ---- what was announced, over restarts */

/* Returns true if @pipeline has a source @name at @conn that is announced. */
static bool is_announced(const struct mqtt_pipeline *pipeline, const struct broker_connection *conn,
	const char *name)
{
	for (size_t i = 0; pipeline && i < pipeline->n_sources; i++) {
		const struct pipelines_source *source = &pipeline->sources[i];
		if ((source->has_published || source->known) && source->conn == conn &&
			strcmp(source->name, name) == 0) {
			return true;
		}
	}
	return false;
}

/* Splits "PIPELINE SOURCE". Returns the pipeline; NULL: there is none of that name. */
static const struct mqtt_pipeline *split_source(
	const struct announce *a, const char *text, const char **ret_source)
{
	char pipeline[PIPELINE_NAME_SIZE];
	size_t length = strcspn(text, " ");
	*ret_source = text + length + (text[length] != 0);
	int n = snprintf(pipeline, sizeof(pipeline), "%.*s", (int)length, text);
	return (size_t)n < sizeof(pipeline) ? pipelines_find(a->pipelines, pipeline) : NULL;
}

/* Returns the components that an earlier run announced, and adds its sources. NULL: no memory. */
static struct discovery *load(struct announce *a, struct broker_connection *conn)
{
	struct discovery *announced = calloc(1, sizeof(*announced));
	const char *text = NULL;
	if (!announced) {
		return NULL;
	}
	for (size_t at = 0; announced->n < DISCOVERY_MAX &&
		(text = retained_list_next(
			 &a->retained, conn->settings->name, "component", &at));) {
		struct discovery_component *one = &announced->components[announced->n];
		announced->n += sscanf(text, "%127s %15s", one->id, one->platform) == 2 &&
			topics_is_word(one->id) && topics_is_word(one->platform);
	}
	for (size_t at = 0;
		(text = retained_list_next(&a->retained, conn->settings->name, "source", &at));) {
		const char *source = NULL;
		const struct mqtt_pipeline *pipeline = split_source(a, text, &source);
		if (pipeline && topics_is_level(source)) {
			pipelines_add_known_source(a->pipelines, conn, pipeline->name, source);
		}
	}
	return announced;
}

static void write_component(char out[RETAINED_LIST_TEXT_SIZE], const struct discovery_component *c)
{
	snprintf(out, RETAINED_LIST_TEXT_SIZE, "%s %s", c->id, c->platform);
}

/* Removed components stay in the list until the broker has the message that removes them. */
static void note_components(struct announce *a, const struct broker_connection *conn, bool has_gone)
{
	char text[RETAINED_LIST_TEXT_SIZE], id[DISCOVERY_ID_SIZE];
	const struct discovery *announced = conn->home.announced;
	const char *name = conn->settings->name, *entry = NULL;
	for (size_t i = 0; i < announced->n; i++) {
		write_component(text, &announced->components[i]);
		retained_list_add(&a->retained, name, "component", text);
	}
	for (size_t at = 0;
		!has_gone && (entry = retained_list_next(&a->retained, name, "component", &at));) {
		snprintf(id, sizeof(id), "%.*s", (int)strcspn(entry, " "), entry);
		if (!discovery_has(announced, id)) {
			retained_list_remove_at(&a->retained, &at);
		}
	}
}

static void note_sources(struct announce *a, const struct broker_connection *conn)
{
	char text[RETAINED_LIST_TEXT_SIZE];
	const char *name = conn->settings->name, *entry = NULL, *source = NULL;
	for (size_t i = 0; i < a->pipelines->n; i++) {
		const struct mqtt_pipeline *pipeline = a->pipelines->items[i];
		for (size_t k = 0; k < pipeline->n_sources; k++) {
			if (is_announced(pipeline, conn, pipeline->sources[k].name)) {
				snprintf(text, sizeof(text), "%s %s", pipeline->name,
					pipeline->sources[k].name);
				retained_list_add(&a->retained, name, "source", text);
			}
		}
	}
	for (size_t at = 0; (entry = retained_list_next(&a->retained, name, "source", &at));) {
		const struct mqtt_pipeline *pipeline = split_source(a, entry, &source);
		if (!is_announced(pipeline, conn, source)) {
			retained_list_remove_at(&a->retained, &at);
		}
	}
}

/* Sends the message if it has changed. Removed components are in one message with their platform
 * only, and not in the next one. Returns the size. */
static size_t publish_if_changed(
	struct announce *a, struct broker_connection *conn, struct discovery *now)
{
	struct broker_connection_home *home = &conn->home;
	struct bytes_writer w = {0};
	size_t gone = discovery_write(
		&w, a->settings, &a->device, a->models, a->pipelines, conn, home->announced, now);
	uint64_t hash = dedup_keyed_hash(a->dedup, 0, w.data, w.size);
	bool news = !w.failed && hash != home->hash && (now->n > 0 || home->announced->n > 0);
	size_t size = news && now->n > 0
		? w.size
		: 0; /* no component is left: an empty payload removes the device */
	if (news) {
		/* If not taken, the same message is sent next time. */
		if (publish(a, conn, w.data, size)) {
			*home->announced = *now;
			home->hash = hash;
			home->removes_components = gone > 0 && size > 0;
			note_components(a, conn, gone > 0);
			note_sources(a, conn);
		}
	}
	bytes_writer_deinit(&w);
	return size;
}

static void on_timer(uv_timer_t *timer);

static void start(struct announce *a, uint64_t wait_ms)
{
	if (!uv_is_active((uv_handle_t *)&a->discovery_timer) &&
		!uv_is_closing((uv_handle_t *)&a->discovery_timer)) {
		uv_timer_start(&a->discovery_timer, on_timer, wait_ms, 0);
	}
}

void home_assistant_schedule_publish(struct announce *a)
{
	uint64_t now = clock_now_ns();
	start(a,
		a->discovery_not_before_ns > now
			? clock_left_ns(a->discovery_not_before_ns, now) / NSEC_PER_MSEC + 1
			: 0);
}

void home_assistant_announce_again(struct announce *a, struct broker_connection *conn)
{
	for (size_t i = 0; i < a->brokers->n; i++) {
		if (!conn || conn == a->brokers->connections[i]) {
			a->brokers->connections[i]->home.hash = 0;
		}
	}
	home_assistant_schedule_publish(a);
}

static void on_timer(uv_timer_t *timer)
{
	struct announce *a = timer->data;
	uint64_t began = clock_now_ns();
	size_t largest = 0;
	bool more = false, wait = false, known = announce_is_inventory_known(a);
	struct discovery *now = malloc(sizeof(*now));
	for (size_t i = 0; i < a->brokers->n && now; i++) {
		struct broker_connection *conn = a->brokers->connections[i];
		struct broker_connection_home *home = &conn->home;
		if (!known || !wants_discovery(conn)) {
			continue; /* retained_cleanup_run() starts the timer once all is known */
		}
		home->announced = home->announced ? home->announced : load(a, conn);
		if (!home->announced) {
			continue;
		}
		if (has_to_wait(a, conn)) {
			wait = true;
			continue;
		}
		size_t size = publish_if_changed(a, conn, now);
		largest = size > largest ? size : largest;
		more |= home->removes_components;
	}
	free(now);
	if (largest > 0) {
		a->discovery_not_before_ns =
			began + (PAUSE_MS + largest / BYTES_PER_MS) * NSEC_PER_MSEC;
	}
	if (wait) {
		start(a, TURN_MS);
	} else if (more) {
		home_assistant_schedule_publish(a);
	}
}

static void on_rediscover(uv_timer_t *timer)
{
	home_assistant_announce_again(timer->data, NULL);
}

void home_assistant_announce_again_after(struct announce *a, uint64_t wait_ms)
{
	uv_timer_start(&a->rediscover_timer, on_rediscover, wait_ms, 0);
}

void home_assistant_leave(struct announce *a, struct broker_connection *conn)
{
	if (conn->settings->discovery && conn->home.remove_device) {
		publish(a, conn, "", 0);
	}
}
