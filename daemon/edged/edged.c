/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/edged.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mapped.h"
#include "daemon/edged/models/jobs.h"
#include "daemon/edged/models/stats_persist.h"
#include "daemon/edged/serve/adopt.h"
#include "daemon/edged/serve/dispatch.h"
#include "daemon/edged/serve/trials.h"
#include "daemon/edged/socket/conn.h"
#include "daemon/edged/socket/events.h"
#include "daemon/edged/socket/handle.h"
#include "daemon/edged/socket/listener.h"
#include "daemon/system/notice.h"
#include "daemon/system/process.h"
#include "daemon/system/self_sandbox.h"
#include "daemon/system/service_manager.h"

#define TRIALS_MS 1000 /* shortest time between two checks for the end of a trial */
/* A worker is stuck if its run goes on for one part in so many of the watchdog's time after it
 * was cancelled. */
#define WATCHDOG_GRACE 3

/* ---- configuration */

static int override(char *out, size_t size, const char *value, const char *what, struct error *err)
{
	if (!value || value[0] == 0) {
		return 0;
	}
	if (strlen(value) >= size) {
		return error_set(err, -EINVAL, "%s is longer than %zu bytes", what, size - 1);
	}
	memcpy(out, value, strlen(value) + 1);
	return 0;
}

/* *ret_config is undefined after a failure. */
static int read_config(const struct edged *edged, struct config *ret_config, struct error *err)
{
	const struct config_options *options = &edged->options;
	const char *socket = options->socket ? options->socket : getenv("EDGED_SOCKET");
	const struct {
		char *out;
		size_t size;
		const char *value, *what;
	} overrides[] = {
		{ret_config->socket, sizeof(ret_config->socket), socket, "the socket"},
		{ret_config->models, sizeof(ret_config->models), options->models,
			"the models folder"},
		{ret_config->state, sizeof(ret_config->state), options->state, "the state folder"},
	};
	int code = config_load(ret_config, options->config_path, &edged->log, err);
	for (size_t i = 0; i < sizeof(overrides) / sizeof(overrides[0]) && code == 0; i++) {
		code = override(overrides[i].out, overrides[i].size, overrides[i].value,
			overrides[i].what, err);
	}
	return code;
}

int edged_configure(struct edged *edged, const struct config_options *options, struct error *err)
{
	edged->options = *options;
	log_init(&edged->log, LOG_LEVEL_INFO);
	int code = read_config(edged, &edged->config, err);
	if (code == 0) {
		code = access_read(&edged->access, &edged->config, &edged->log, err);
	}
	if (code == 0) {
		edged->log.level = (int)edged->config.log_level;
	}
	return code;
}

/* Takes over the reloadable keys of @next. Logs the other keys that changed, and sets them back
 * in @next. */
static void config_take(struct edged *edged, struct config *next)
{
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	for (size_t i = 0; i < n; i++) {
		if (keys[i].reloadable || config_value_same(&edged->config, next, &keys[i])) {
			continue;
		}
		log_notice(&edged->log, "configuration: %s takes effect at the next start",
			keys[i].key);
		config_value_copy(next, &edged->config, &keys[i]);
	}
	edged->config = *next;
	edged->log.level = (int)next->log_level;
}

/* ---- models */

static bool is_looking(const struct edged *edged)
{
	return edged->models.scans_done < edged->wanted_scan;
}

static void notify_ready(struct edged *edged)
{
	char status[96];
	struct models_count count = models_count(&edged->models);
	snprintf(status, sizeof(status), "%u models ready, %u refused%s", count.ready,
		count.refused, is_looking(edged) ? ", others are still being looked at" : "");
	notice(&edged->log, NOTICE_READY, NULL, "%s", status);
	service_manager_ready(status);
}

/* Tells the service manager READY although a scan goes on: models that load slowly or a folder
 * that hangs would make it restart edged. */
static void on_ready_within(uv_timer_t *timer)
{
	struct edged *edged = timer->data;
	if (!edged->serve.draining && is_looking(edged)) {
		notify_ready(edged);
	}
}

/* Begins a scan of the models folder and the store, which READY waits for. Returns its number. */
static uint64_t scan(void *context)
{
	struct edged *edged = context;
	edged->wanted_scan = loader_scan(&edged->loader, &edged->config);
	uv_timer_start(&edged->looking, on_ready_within, edged->config.ready_within_ms, 0);
	return edged->wanted_scan;
}

static void on_trials(uv_timer_t *timer)
{
	struct edged *edged = timer->data;
	const uint64_t left = models_check_trials(&edged->models, &edged->loader, &edged->config);
	if (left != UINT64_MAX) {
		const uint64_t ms = left / 1000000 + 1;
		uv_timer_start(timer, on_trials, ms > TRIALS_MS ? ms : TRIALS_MS, 0);
	}
}

/* Answers the finished store commands. After a command that lets a version serve again, the
 * models are scanned. */
static void commands_done(struct edged *edged, struct store_command *done)
{
	while (done) {
		struct store_command *next = done->next;
		bool look = done->verb == STORE_COMMAND_UNPIN ||
			done->verb == STORE_COMMAND_FORGET_BAD ||
			(done->verb == STORE_COMMAND_FSCK && done->argument[0]);
		if (!dbus_command_done(edged->dbus, done)) {
			dispatch_command_done(&edged->serve, done);
		}
		if (look && !edged->serve.draining) {
			loader_scan(&edged->loader, &edged->config);
		}
		done = next;
	}
}

static void on_loaded(uv_async_t *async)
{
	struct edged *edged = async->data;
	edged->models.keeps_previous = edged->config.probation_shadow > 0;
	trials_shadows_done(&edged->serve);
	bool changed = jobs_update(&edged->models, &edged->loader);
	adopt_waiting(&edged->serve);
	if (changed) {
		eviction_enforce(&edged->eviction);
	}
	dispatch_scan_done(&edged->serve);
	dbus_models_changed(edged->dbus);
	events_send_changes(&edged->server);
	commands_done(edged, loader_finished(&edged->loader));
	if (changed) {
		dispatch_unpark(&edged->serve);
	}
	if (edged->serve.draining) {
		return;
	}
	watch_configure(&edged->watch);
	if (!is_looking(edged) && edged->ready_scan < edged->wanted_scan) {
		edged->ready_scan = edged->wanted_scan;
		uv_timer_stop(&edged->looking);
		notify_ready(edged);
		changed = true;
	}
	if (changed) {
		process_trim_later(&edged->trim);
		uv_timer_start(&edged->trials, on_trials, 0, 0);
	}
}

/* Called on the loader's thread. */
static void wake(void *context)
{
	struct edged *edged = context;
	uv_async_send(&edged->loaded);
}

/* The watch saw a change. No request waits for this scan. */
static void on_look(void *context)
{
	struct edged *edged = context;
	if (!edged->serve.draining) {
		loader_scan(&edged->loader, &edged->config);
	}
}

/* ---- reload */

/* Reads the configuration again, applies its reloadable keys, and scans the models. */
static void reload(struct edged *edged)
{
	struct error err = {0};
	if (edged->serve.draining) {
		return;
	}
	owned_mem struct config *next = malloc(sizeof(*next)); /* too large for the stack */
	service_manager_reloading();
	log_notice(&edged->log, "reloading");
	int code = next ? read_config(edged, next, &err) : error_no_memory(&err);
	if (code < 0 || access_read(&edged->access, next, &edged->log, &err) < 0) {
		notice(&edged->log, NOTICE_CONFIG_REFUSED, NULL,
			"the configuration stays as it was: %s", err.text);
	} else {
		config_take(edged, next);
		budget_configure(&edged->budget, edged->config.memory_budget);
		eviction_enforce(&edged->eviction);
		watch_configure(&edged->watch);
	}
	scan(edged);
}

/* ---- drain */

/* Ends the loop when no request and no reply is left. Called in every turn while edged drains. */
static void on_drained(uv_prepare_t *drained)
{
	struct edged *edged = drained->data;
	if (edged->server.unsent == 0 && (edged->forced || dispatch_idle(&edged->serve))) {
		uv_stop(&edged->loop);
	}
}

static void on_give_up(uv_timer_t *timer)
{
	struct edged *edged = timer->data;
	uv_stop(&edged->loop);
}

static void on_drain_timeout(uv_timer_t *timer)
{
	struct edged *edged = timer->data;
	edged->forced = true;
	dispatch_drain(&edged->serve, true);
	uv_timer_start(timer, on_give_up, edged->config.write_timeout_ms, 0);
}

/* Accepts no connections, answers DRAINING to queued requests, and ends after the requests that
 * run. */
static void drain(struct edged *edged)
{
	notice(&edged->log, NOTICE_STOPPING, NULL, "stopping");
	service_manager_stopping();
	listener_drain(&edged->server);
	dispatch_drain(&edged->serve, false);
	uv_timer_start(&edged->drain_timer, on_drain_timeout, edged->config.drain_timeout_ms, 0);
	uv_prepare_start(&edged->drained, on_drained);
}

static void on_signal(void *context, int number)
{
	struct edged *edged = context;
	switch (number) {
	case SIGHUP:
		reload(edged);
		break;
	case SIGUSR1:
		flight_recorder_write(&edged->serve.flight, edged->config.state, &edged->log);
		break;
	default: /* SIGTERM, SIGINT */
		if (edged->serve.draining) {
			_exit(128 + number);
		}
		drain(edged);
		break;
	}
}

/* ---- watchdog */

static void on_watchdog(uv_timer_t *timer)
{
	struct edged *edged = timer->data;
	const uint64_t grace_ns = service_manager_watchdog_us() * 1000 / WATCHDOG_GRACE;
	const bool stuck = dispatch_stuck(&edged->serve, clock_now_ns(), grace_ns);
	if (!stuck) {
		service_manager_alive();
	} else if (!edged->stuck) {
		notice(&edged->log, NOTICE_WORKER_HUNG, NULL,
			"a worker does not end its run: the watchdog is not fed any more");
	}
	edged->stuck = stuck;
}

static void timers_init(struct edged *edged)
{
	uv_timer_t *timers[] = {&edged->drain_timer, &edged->watchdog, &edged->trim, &edged->trials,
		&edged->looking};
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		uv_timer_init(&edged->loop, timers[i]);
		timers[i]->data = edged;
	}
	uv_prepare_init(&edged->loop, &edged->drained);
	edged->drained.data = edged;
	uint64_t ms = service_manager_watchdog_us() / 2000;
	if (ms > 0) {
		uv_timer_start(&edged->watchdog, on_watchdog, ms, ms);
	}
}

/* ---- memory pressure */

static void on_short(void *context)
{
	struct edged *edged = context;
	if (eviction_relieve(&edged->eviction, clock_now_ns())) {
		process_trim_later(&edged->trim);
	}
}

/* ---- all parts */

static void on_unloaded(void *context)
{
	const struct edged *edged = context;
	dbus_models_changed_later(edged->dbus);
}

static void serve_init(struct edged *edged)
{
	struct serve *serve = &edged->serve;
	serve->config = &edged->config;
	serve->log = &edged->log;
	serve->models = &edged->models;
	serve->loader = &edged->loader;
	serve->eviction = &edged->eviction;
	serve->pressure = &edged->pressure;
	serve->budget = &edged->budget;
	serve->clients = (struct serve_clients){.answer = conn_reply,
		.handle = handle_message,
		.poll = listener_poll,
		.sleep = listener_sleep,
		.context = &edged->server};
	serve->power = (struct power){.config = serve->config,
		.log = serve->log,
		.models = serve->models,
		.sched = &serve->sched};
	serve->scan = scan;
	serve->scan_context = edged;
	serve->metrics.started_ns = clock_now_ns();
	accounts_init(&serve->accounts, serve->config, serve->log);
	memfds_start(&serve->memfds, &serve->accounts, &edged->loop, serve->log);
}

static void server_init(struct edged *edged)
{
	struct server *server = &edged->server;
	server->config = &edged->config;
	server->options = &edged->options;
	server->access = &edged->access;
	server->log = &edged->log;
	server->serve = &edged->serve;
	server->loop = &edged->loop;
	server->trim = &edged->trim;
}

static void parts_init(struct edged *edged)
{
	models_init(&edged->models, &edged->log);
	budget_configure(&edged->budget, edged->config.memory_budget);
	edged->eviction = (struct eviction){.changed = on_unloaded,
		.context = edged,
		.models = &edged->models,
		.loader = &edged->loader,
		.config = &edged->config,
		.budget = &edged->budget};
	edged->pressure.fd = edged->pressure.figure = -1;
	serve_init(edged);
	server_init(edged);
	timers_init(edged);
	edged->loaded.data = edged;
}

static int parts_start(struct edged *edged, struct error *err)
{
	int code = uv_async_init(&edged->loop, &edged->loaded, on_loaded);
	if (code < 0) {
		return error_set(err, code, "%s", uv_strerror(code));
	}
	code = signals_start(&edged->signals, &edged->loop, on_signal, edged, err);
	if (code == 0) {
		code = dispatch_start(&edged->serve, &edged->loop, err);
	}
	if (code == 0) {
		watch_start(
			&edged->watch, &edged->loop, &edged->config, &edged->log, on_look, edged);
		edged->loader.watch = edged->watch.fd;
		edged->loader.network = &edged->watch.network;
		edged->loader.budget = &edged->budget;
		pressure_start(&edged->pressure, &edged->loop, edged->config.memory_pressure,
			&edged->log, on_short, edged);
		code = loader_start(&edged->loader, &edged->config, &edged->log, wake, edged, err);
	}
	if (code == 0) {
		code = listener_start(&edged->server, err);
	}
	if (code == 0) {
		edged->dbus = dbus_start(&edged->serve, &edged->loop);
		scan(edged);
	}
	return code;
}

static void on_walk(uv_handle_t *handle, void *argument)
{
	(void)argument;
	if (!uv_is_closing(handle)) {
		uv_close(handle, NULL);
	}
}

/* Stops the parts in reverse order. Parts that were not started allow it. */
static void parts_stop(struct edged *edged)
{
	dbus_stop(take(edged->dbus));
	listener_stop(&edged->server);
	dispatch_stop(&edged->serve);
	loader_stop(&edged->loader);
	watch_stop(&edged->watch);
	pressure_stop(&edged->pressure);
	uv_walk(&edged->loop, on_walk, NULL);
	while (uv_run(&edged->loop, UV_RUN_DEFAULT) != 0) {
		/* an earlier uv_stop() ends the first run early */
	}
	models_deinit(&edged->models);
	events_deinit(&edged->server.events);
	memfds_deinit(&edged->serve.memfds);
	accounts_deinit(&edged->serve.accounts);
}

/* True when a worker still runs a request: the memory that it uses may not be freed. */
static bool must_leave(const struct edged *edged)
{
	uint32_t queued = 0, running = 0;
	sched_count((struct sched *)&edged->serve.sched, &queued, &running);
	return running > 0;
}

/* Enters the sandbox. Call it before threads exist: it does not apply to them. */
static int confine(const struct edged *edged, struct error *err)
{
	const struct config *config = &edged->config;
	const bool shipped = strcmp(config->check_program, "auto") == 0;
	const struct self_sandbox_paths paths = {.state = config->state,
		.socket = config->socket,
		.program = shipped ? LIBEXECDIR "/edged-check" : config->check_program,
		.watch = getenv("MEMORY_PRESSURE_WATCH")};
	struct self_sandbox_result result = {.before = true};
	int code = config->sandbox ? self_sandbox_enter(&paths, &result, err) : 0;
	if (code == 0 && !result.before) {
		log_info(&edged->log, "sandbox: system calls %s, files %s",
			result.calls              ? "filtered"
				: result.filtered ? "filtered before edged started"
						  : "not filtered (the kernel cannot)",
			result.files ? "written below state only" : "as they were (no Landlock)");
	}
	return code;
}

int edged_run(struct edged *edged)
{
	struct error err = {0};
	process_tune_memory();
	log_open_journal(&edged->log, LOG_JOURNAL, "edged");
	flight_recorder_open(&edged->serve.flight);
	flight_recorder_guard(&edged->serve.flight, edged->config.state);
	int guarded = mapped_guard();
	(void)guarded; /* without the guard a read error of a mapped file ends edged */
	int code = confine(edged, &err);
	if (code < 0) {
		log_error(&edged->log, "%s", err.text);
		return 1;
	}
	code = uv_loop_init(&edged->loop);
	if (code < 0) {
		log_error(&edged->log, "the loop: %s", uv_strerror(code));
		return 1;
	}
	process_reserve_files(
		&edged->config.max_clients, &edged->config.max_shared_clients, &edged->log);
	process_warm_loop(&edged->loop);
	parts_init(edged);
	code = parts_start(edged, &err);
	if (code == 0) {
		notice(&edged->log, NOTICE_STARTED, NULL, "edged " EDGED_VERSION " listens");
		uv_run(&edged->loop, UV_RUN_DEFAULT);
		stats_persist_save(&edged->serve.metrics, &edged->models, &edged->log);
		if (must_leave(edged)) {
			log_notice(&edged->log, "exited while a model was running");
			_exit(0);
		}
	} else {
		log_error(&edged->log, "%s", err.text);
	}
	signals_reset(); /* the loop no longer reads signals */
	parts_stop(edged);
	uv_loop_close(&edged->loop);
	if (code == 0) {
		log_notice(&edged->log, "stopped");
	}
	return code == 0 ? 0 : 1;
}
