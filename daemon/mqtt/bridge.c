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
#include "daemon/system/service_manager.h"

#define THREADS "12" /* libuv's threads: one per hanging broker, and some for other work */
#define N_THREADS 12
#define THREAD_STACK (256 << 10)
#define CAPABILITY_MS 2000

/* ---- what the rooms use of each other */

/* The pipelines have changed. */
static void on_change(void *data)
{
	struct bridge *b = data;
	announce_update_pool_subscriptions(&b->announce);
	retained_cleanup_run(&b->announce);
	home_assistant_schedule_publish(&b->announce);
}

static void on_new_source(void *data)
{
	struct bridge *b = data;
	home_assistant_schedule_publish(&b->announce);
}

void bridge_init(struct bridge *b)
{
	*b = (struct bridge){0};
	log_init(&b->log, LOG_LEVEL_INFO);
	b->requests = (struct mqtt_requests){.log = &b->log,
		.settings = &b->settings,
		.brokers = &b->brokers,
		.models = &b->models,
		.dedup = &b->dedup,
		.counts = &b->counts,
		.expect = pipelines_expect_responses,
		.data = &b->pipelines};
	b->pipelines = (struct pipelines){.loop = &b->loop,
		.state = b->state,
		.mqtt_requests = &b->requests,
		.edged = &b->edged,
		.on_change = on_change,
		.on_new_source = on_new_source,
		.data = b};
	b->announce = (struct announce){.loop = &b->loop,
		.log = &b->log,
		.settings = &b->settings,
		.state_folder = b->state,
		.status_topic = b->status_topic,
		.brokers = &b->brokers,
		.models = &b->models,
		.pipelines = &b->pipelines,
		.edged = &b->edged,
		.dedup = &b->dedup,
		.requests = &b->requests};
}

int bridge_configure(
	struct bridge *b, const char *path, const char *socket, size_t *ret_bad, struct error *err)
{
	bridge_init(b);
	journal_init(&b->journal);
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
	return pipelines_load(&b->pipelines, ret_bad, err);
}

/* ---- events of the parts */

void bridge_publish_status(struct bridge *b)
{
	char status[128];
	snprintf(status, sizeof(status), "%zu of %zu brokers connected; edged %s",
		brokers_count_up(&b->brokers), b->brokers.n,
		edged_client_is_up(&b->edged) ? "answers" : "is away");
	service_manager_ready(status);
}

static void on_edged_up(void *data)
{
	struct bridge *b = data;
	bridge_publish_status(b);
	announce_gateway(&b->announce, NULL);
	pipelines_dispatch(&b->pipelines);
}

static void on_edged_down(void *data)
{
	struct bridge *b = data;
	announce_update_pool_subscriptions(&b->announce);
	pipelines_forget_sessions(&b->pipelines);
	if (!b->brokers.draining) {
		bridge_publish_status(b);
		announce_gateway(&b->announce, NULL);
	}
}

static void on_edged_away(void *data)
{
	struct bridge *b = data;
	pipelines_reset_sources(&b->pipelines);
	pipelines_check_needs(&b->pipelines);
	pipelines_announce(&b->pipelines, NULL);
	announce_models(&b->announce);
}

static void on_edged_models(void *data)
{
	struct bridge *b = data;
	b->models.listed = true;
	pipelines_check_models(&b->pipelines);
	pipelines_check_needs(&b->pipelines);
	pipelines_announce(&b->pipelines, NULL);
	announce_models(&b->announce);
	retained_cleanup_run(&b->announce);
	pipelines_dispatch(&b->pipelines);
}

static void on_edged_description(void *data, const struct edge_client_model *model)
{
	struct bridge *b = data;
	pipelines_describe(&b->pipelines, model);
}

static void on_edged_examples(void *data, const char *model, const char *text)
{
	struct bridge *b = data;
	pipelines_set_examples(&b->pipelines, model, text);
	pipelines_check_needs(&b->pipelines);
	pipelines_announce(&b->pipelines, NULL);
}

static const struct edged_client_events edged_client_events = {
	.on_up = on_edged_up,
	.on_down = on_edged_down,
	.on_away = on_edged_away,
	.on_models = on_edged_models,
	.on_description = on_edged_description,
	.on_examples = on_edged_examples,
};

/* ---- the end */

static void close_timer(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
}

void bridge_stop(struct bridge *b)
{
	uv_timer_t *const timers[] = {&b->stats, &b->capability, &b->watchdog};
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		close_timer(timers[i]);
	}
	for (size_t i = 0; i < BRIDGE_SIGNALS; i++) {
		uv_close((uv_handle_t *)&b->signals[i], NULL);
	}
	request_serve_stop(&b->requests);
	journal_close(
		&b->journal); /* the next run takes the unanswered requests from the journal */
	pipelines_stop(&b->pipelines);
	edged_client_stop(&b->edged);
	announce_stop(&b->announce);
	brokers_stop(&b->brokers);
}

/* Opens the journal. Without a runtime folder there is none, which is logged. */
static void open_journal(struct bridge *b)
{
	struct error err = {0};
	const char *folder = getenv("RUNTIME_DIRECTORY");
	uint64_t bytes = b->settings.journal_bytes;
	if (folder && bytes == 0) {
		journal_remove(folder);
	} else if (!folder && bytes > 0) {
		log_notice(&b->log, "journal: no $RUNTIME_DIRECTORY");
	} else if (bytes > 0 && journal_open(&b->journal, folder, bytes, &err) < 0) {
		log_warning(&b->log, "journal: %s", err.text);
	}
	if (b->journal.n_waiting > 0) {
		log_notice(&b->log, "%zu requests of an earlier run are repeated",
			b->journal.n_waiting);
	}
}

static void begin_to_drain(struct bridge *b)
{
	service_manager_stopping();
	log_info(&b->log, "stopping: %zu requests to answer", b->requests.n + b->requests.running);
	brokers_leave(&b->brokers);
	announce_capability(&b->announce);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct bridge *b = handle->data;
	if (number == SIGHUP) {
		reload_begin(b);
	} else if (b->brokers.draining) {
		_exit(128 + number);
	} else {
		begin_to_drain(b);
	}
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	service_manager_alive();
}

/* ---- the start */

static void log_if_above(
	struct bridge *b, const char *key, uint64_t bytes, const struct rlimit *limit)
{
	if (bytes > limit->rlim_max) {
		log_warning(&b->log, "%s: limited to %llu MB by the service's LimitDATA=", key,
			(unsigned long long)limit->rlim_max >> 20);
	}
}

/* Sets the soft memory limit before any connection. Child processes set their own limits. */
static int limit_memory(struct bridge *b, struct error *err)
{
	uint64_t max = b->settings.max_memory;
	struct rlimit data = {0};
	getrlimit(RLIMIT_DATA, &data);
	log_if_above(b, "max-memory", max, &data);
	log_if_above(b, "decode-memory", b->settings.decode_memory, &data);
	if (max) {
		data.rlim_cur = max < data.rlim_max ? (rlim_t)max : data.rlim_max;
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

/* Starts all threads of libuv's pool before the memory limit is set, because libuv aborts if it
 * cannot start one. RLIMIT_STACK sets the threads' stack size. */
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
	struct bridge *b = timer->data;
	retained_cleanup_run(&b->announce);
	announce_unpublished(&b->announce);
	announce_capability(&b->announce);
}

static void start_timers(struct bridge *b)
{
	uv_timer_t *const timers[] = {&b->stats, &b->capability, &b->watchdog};
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		uv_timer_init(&b->loop, timers[i]);
		timers[i]->data = b;
	}
	uint64_t stats_ms = b->settings.stats_ms;
	if (stats_ms) {
		uv_timer_start(&b->stats, stats_on_timer, stats_ms, stats_ms);
	}
	uv_timer_start(&b->capability, on_capability, CAPABILITY_MS, CAPABILITY_MS);
	uint64_t alive_ms = service_manager_watchdog_us() / 2 / USEC_PER_MSEC;
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

static void start_rooms(struct bridge *b)
{
	brokers_init(&b->brokers, &b->loop, &b->log, &b->settings, b->state, b->status_topic,
		&bridge_brokers_events, b);
	announce_start(&b->announce);
	request_serve_start(&b->requests, &b->loop, receive_on_expiry, b);
}

static int start(struct bridge *b, struct error *err)
{
	const struct settings *s = &b->settings;
	int r = limit_memory(b, err);
	if (r < 0) {
		return r;
	}
	mqtt_requests_set_limits(&b->requests);
	b->started_ns = b->announce.started_ns = clock_now_ns();
	dedup_init(&b->dedup);
	open_journal(b);
	state_file_init(&b->commands.models_file, &b->loop, &b->log, b->state, "set");
	state_file_init(&b->commands.pipelines_file, &b->loop, &b->log, b->state, "set-pipelines");
	if (known_models_load_settings(&b->models, b->state, err) < 0) {
		log_warning(&b->log, "settings: %s", err->text);
	}
	settings_own_topic(s, b->status_topic, "status");
	start_rooms(b);
	start_timers(b);
	start_signals(b);
	edged_client_start(&b->edged, &b->loop, &b->log, s->socket, s->poll_ms, &b->models,
		&edged_client_events, b);
	r = brokers_check(b->state, s, err);
	r = r < 0 ? r : bridge_apply_brokers(b, err);
	if (r == 0) {
		reload_follow_up(b);
		pipelines_start(&b->pipelines);
		receive_on_expiry(&b->requests.expiry);
	}
	return r;
}

static void deinit(struct bridge *b)
{
	while (b->requests.first) {
		struct mqtt_request *request = b->requests.first;
		mqtt_requests_remove(&b->requests, request);
		mqtt_request_free(request);
	}
	known_models_deinit(&b->models);
	pipelines_deinit(&b->pipelines);
	announce_deinit(&b->announce);
	uv_loop_close(&b->loop);
}

/* Does not wait for threads that hang in a name lookup or connect. */
static void on_guard(int number)
{
	(void)number;
	_exit(0);
}

/* Waits until the settings files are written. */
static void save_settings(struct bridge *b)
{
	struct state_file *const files[] = {&b->commands.models_file, &b->commands.pipelines_file};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		state_file_try_again(files[i]);
		if (!state_file_is_idle(files[i])) {
			log_info(&b->log, "waiting for the settings files to be written");
		}
		while (!state_file_is_idle(files[i])) {
			uv_run(&b->loop, UV_RUN_ONCE);
		}
		state_file_deinit(files[i]);
	}
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
	bridge_publish_status(b);
	while (!uv_is_closing((uv_handle_t *)&b->brokers.drain)) {
		uv_run(&b->loop, UV_RUN_ONCE);
	}
	save_settings(b);
	signal(SIGALRM, on_guard);
	alarm(2);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	deinit(b);
	return 0;
}
