/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/bridge.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "daemon/bus.h"
#include "daemon/mqtt/culprit.h"

#define THREADS "12" /* of libuv: one for each broker that hangs, and some for the rest */
#define N_THREADS 12
#define THREAD_STACK (256 << 10)
#define CAPABILITY_MS 2000
#define US_PER_MS 1000

int bridge_configure(
	struct bridge *b, const char *path, const char *socket, size_t *ret_bad, struct error *err)
{
	*b = (struct bridge){0};
	kept_init(&b->kept);
	log_init(&b->log, LOG_LEVEL_INFO);
	b->pipes.bridge = b;
	b->path = path;
	b->socket = socket;
	int r = reload_read(b, &b->settings, err);
	if (r < 0) {
		return r;
	}
	const struct settings *s = &b->settings;
	const char *state = s->state[0] ? s->state : getenv("STATE_DIRECTORY");
	snprintf(b->state, sizeof(b->state), "%s", state ? state : "");
	atomic_store(&b->log.level, (int)s->log_level);
	return pipes_load(&b->pipes, ret_bad, err);
}

/* ---- what the parts tell */

void bridge_say_status(struct bridge *b)
{
	char status[128];
	size_t up = 0;
	for (size_t i = 0; i < b->n_links; i++) {
		up += b->links[i]->state == LINK_UP;
	}
	snprintf(status, sizeof(status), "%zu of %zu brokers connected; edged %s", up, b->n_links,
		service_is_up(&b->service) ? "answers" : "is away");
	bus_ready(status);
}

static void on_service_up(void *data)
{
	struct bridge *b = data;
	bridge_say_status(b);
	announce_gateway(b, NULL);
	serve_dispatch(b);
}

static void on_service_down(void *data)
{
	struct bridge *b = data;
	announce_pool(b);
	pipes_forget_sessions(&b->pipes);
	if (!b->draining) {
		bridge_say_status(b);
		announce_gateway(b, NULL);
	}
}

static void on_service_away(void *data)
{
	struct bridge *b = data;
	pipes_rest(&b->pipes);
	pipes_look_at_needs(&b->pipes);
	pipes_announce(&b->pipes, NULL);
	announce_models(b);
}

static void on_service_models(void *data)
{
	struct bridge *b = data;
	b->listed = true;
	pipes_look_at_models(&b->pipes);
	pipes_look_at_needs(&b->pipes);
	pipes_announce(&b->pipes, NULL);
	announce_models(b);
	leftover_look(b);
	serve_dispatch(b);
}

static void on_service_description(void *data, const struct edge_client_model *model)
{
	struct bridge *b = data;
	pipes_describe(&b->pipes, model);
}

static void on_service_examples(void *data, const char *model, const char *text)
{
	struct bridge *b = data;
	pipes_teach(&b->pipes, model, text);
	pipes_look_at_needs(&b->pipes);
	pipes_announce(&b->pipes, NULL);
}

static const struct service_events service_events = {
	.on_up = on_service_up,
	.on_down = on_service_down,
	.on_away = on_service_away,
	.on_models = on_service_models,
	.on_description = on_service_description,
	.on_examples = on_service_examples,
};

/* ---- the end */

static void close_timer(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
}

void bridge_stop(struct bridge *b)
{
	uv_timer_t *const timers[] = {&b->expiry, &b->stats, &b->capability, &b->pause,
		&b->rediscover, &b->drain, &b->watchdog, &b->home};
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		close_timer(timers[i]);
	}
	for (size_t i = 0; i < BRIDGE_SIGNALS; i++) {
		uv_close((uv_handle_t *)&b->signals[i], NULL);
	}
	kept_close(&b->kept); /* what is not answered now is left to the next life */
	pipes_stop(&b->pipes);
	service_stop(&b->service);
	decoder_stop(&b->decoder);
	brokers_stop(b);
}

/* What is kept outlives a crash; without a folder for it that is all there is to say. */
static void open_kept(struct bridge *b)
{
	struct error err = {0};
	const char *folder = getenv("RUNTIME_DIRECTORY");
	uint64_t bytes = b->settings.kept_bytes;
	if (folder && bytes == 0) {
		kept_remove(folder);
	} else if (!folder && bytes > 0) {
		log_notice(&b->log, "requests are not kept: no $RUNTIME_DIRECTORY");
	} else if (bytes > 0 && kept_open(&b->kept, folder, bytes, culprit_was_there(), &err) < 0) {
		log_warning(&b->log, "requests are not kept: %s", err.text);
	}
	if (b->kept.n_waiting > 0) {
		log_notice(&b->log, "%zu requests of an earlier life are asked again",
			b->kept.n_waiting);
	}
}

static void begin_to_drain(struct bridge *b)
{
	bus_stopping();
	log_info(&b->log, "stopping: %zu requests to answer", b->asks.n + b->asks.running);
	brokers_leave(b);
	b->draining = true;
	announce_on_capability(&b->capability);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct bridge *b = handle->data;
	if (number == SIGHUP) {
		reload_begin(b);
	} else if (b->draining) {
		_exit(128 + number);
	} else {
		begin_to_drain(b);
	}
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	bus_alive();
}

/* ---- the beginning */

static void tell_if_above(
	struct bridge *b, const char *key, uint64_t bytes, const struct rlimit *limit)
{
	if (bytes > limit->rlim_max) {
		log_warning(&b->log, "%s: only %llu MB of it: the service has LimitDATA=", key,
			(unsigned long long)limit->rlim_max >> 20);
	}
}

/* Memory has a bound before anybody is listened to. Only the soft one: the child that decodes has another. */
static int limit_memory(struct bridge *b, struct error *err)
{
	uint64_t most = b->settings.max_memory;
	struct rlimit data = {0};
	getrlimit(RLIMIT_DATA, &data);
	tell_if_above(b, "max-memory", most, &data);
	tell_if_above(b, "decode-memory", b->settings.decode_memory, &data);
	if (most) {
		data.rlim_cur = most < data.rlim_max ? (rlim_t)most : data.rlim_max;
	}
	return setrlimit(RLIMIT_DATA, &data) < 0
		? error_set(err, -errno, "max-memory: %s", strerror(errno))
		: 0;
}

static void do_nothing(uv_work_t *work)
{
	pthread_barrier_wait(work->data);
}

static void after_nothing(uv_work_t *work, int status)
{
	(void)work;
	(void)status;
}

/* libuv ends the process when a thread cannot be started: all are, before memory is limited. Their
 * stacks follow the limit of the main one's. */
static int start_threads(struct bridge *b)
{
	uv_work_t works[N_THREADS];
	pthread_barrier_t barrier;
	struct rlimit before = {0};
	getrlimit(RLIMIT_STACK, &before);
	const struct rlimit small = {.rlim_cur = THREAD_STACK, .rlim_max = before.rlim_max};
	setrlimit(RLIMIT_STACK, &small);
	pthread_barrier_init(&barrier, NULL, N_THREADS);
	for (size_t i = 0; i < N_THREADS; i++) {
		works[i].data = &barrier;
		int r = uv_queue_work(&b->loop, &works[i], do_nothing, after_nothing);
		if (r < 0) {
			return r;
		}
	}
	uv_run(&b->loop, UV_RUN_DEFAULT);
	pthread_barrier_destroy(&barrier);
	setrlimit(RLIMIT_STACK, &before);
	return 0;
}

static void on_capability(uv_timer_t *timer)
{
	brokers_forgive(timer->data);
	leftover_look(timer->data);
	announce_untold(timer->data);
	announce_on_capability(timer);
}

static void start_timers(struct bridge *b)
{
	uv_timer_t *const timers[] = {&b->expiry, &b->stats, &b->capability, &b->pause,
		&b->rediscover, &b->drain, &b->watchdog, &b->home};
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		uv_timer_init(&b->loop, timers[i]);
		timers[i]->data = b;
	}
	uint64_t stats_ms = b->settings.stats_ms;
	if (stats_ms) {
		uv_timer_start(&b->stats, announce_on_stats, stats_ms, stats_ms);
	}
	uv_timer_start(&b->capability, on_capability, CAPABILITY_MS, CAPABILITY_MS);
	uint64_t alive_ms = bus_watchdog_us() / 2 / US_PER_MS;
	if (alive_ms) {
		uv_timer_start(&b->watchdog, on_watchdog, alive_ms, alive_ms);
	}
}

static void start_signals(struct bridge *b)
{
	static const int numbers[BRIDGE_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < BRIDGE_SIGNALS; i++) {
		uv_signal_init(&b->loop, &b->signals[i]);
		b->signals[i].data = b;
		uv_signal_start(&b->signals[i], on_signal, numbers[i]);
	}
}

static int start(struct bridge *b, struct error *err)
{
	const struct settings *s = &b->settings;
	int r = limit_memory(b, err);
	if (r < 0) {
		return r;
	}
	b->asks = (struct asks){.max = s->queue_length,
		.max_bytes = s->queue_bytes,
		.max_work_bytes = settings_work_bytes(s)};
	b->started_ns = clock_now_ns();
	dedup_init(&b->dedup);
	open_kept(b);
	saver_init(&b->set, &b->loop, &b->log, b->state, "set");
	saver_init(&b->set_pipelines, &b->loop, &b->log, b->state, "set-pipelines");
	if (models_load_settings(&b->models, b->state, err) < 0) {
		log_warning(&b->log, "what was set: %s", err->text);
	}
	discovery_device_find(&b->device, EDGED_VERSION);
	snprintf(b->status_topic, sizeof(b->status_topic), "%s/%s/status", s->prefix, s->gateway);
	start_timers(b);
	start_signals(b);
	decoder_init(&b->decoder, &b->loop, &b->log, s->decode_memory, s->decode_timeout_ms,
		s->max_memory ? s->max_memory / 4 : s->decode_memory);
	service_start(&b->service, &b->loop, &b->log, s->socket, s->poll_ms, &b->models,
		&service_events, b);
	r = brokers_check(b, s, err);
	r = r < 0 ? r : brokers_follow(b, err);
	if (r == 0) {
		reload_follow_up(b);
		pipes_start(&b->pipes);
		serve_on_expiry(&b->expiry);
	}
	return r;
}

static void deinit(struct bridge *b)
{
	while (b->asks.first) {
		struct ask *ask = b->asks.first;
		asks_remove(&b->asks, ask);
		ask_free(ask);
	}
	models_deinit(&b->models);
	pipes_deinit(&b->pipes);
	uv_loop_close(&b->loop);
}

/* A name server or a broker may hold a thread for minutes: nobody waits for it. */
static void on_guard(int number)
{
	(void)number;
	_exit(0);
}

/* It is to outlive this end. */
static void save_what_was_set(struct bridge *b)
{
	saver_try_again(&b->set);
	saver_try_again(&b->set_pipelines);
	if (!saver_is_idle(&b->set) || !saver_is_idle(&b->set_pipelines)) {
		log_info(&b->log, "what was set is being written to disk");
	}
	while (!saver_is_idle(&b->set) || !saver_is_idle(&b->set_pipelines)) {
		uv_run(&b->loop, UV_RUN_ONCE);
	}
	saver_deinit(&b->set);
	saver_deinit(&b->set_pipelines);
}

int bridge_run(struct bridge *b)
{
	struct error err = {0};
	setenv("UV_THREADPOOL_SIZE", THREADS, 1);
	mosq_library_init();
	int r = uv_loop_init(&b->loop);
	r = r < 0 ? r : start_threads(b);
	if (r < 0) {
		log_error(&b->log, "%s", uv_strerror(r));
		return 1;
	}
	if (start(b, &err) < 0) {
		log_error(&b->log, "%s", err.text);
		return 1;
	}
	bridge_say_status(b);
	while (!uv_is_closing((uv_handle_t *)&b->drain)) {
		uv_run(&b->loop, UV_RUN_ONCE);
	}
	save_what_was_set(b);
	signal(SIGALRM, on_guard);
	alarm(2);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	deinit(b);
	return 0;
}
