/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mapped.h"
#include "daemon/adopt.h"
#include "daemon/bus.h"
#include "daemon/confine.h"
#include "daemon/conn.h"
#include "daemon/kept.h"
#include "daemon/notice.h"
#include "daemon/process.h"
#include "daemon/trials.h"

#define TRIALS_MS 1000 /* at least, between looks at whether a trial's time is over */
/* A run that ignores its cancellation for that part of the watchdog's time is a defect. */
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

/* What is in *ret_config after a failure is of no use. */
static int read_config(const struct edged *edged, struct config *ret_config, struct error *err)
{
	const struct edged_options *options = &edged->options;
	const char *socket = options->socket ? options->socket : getenv("EDGED_SOCKET");
	int code = config_load(ret_config, options->config_path, &edged->log, err);
	if (code == 0) {
		code = override(
			ret_config->socket, sizeof(ret_config->socket), socket, "the socket", err);
	}
	if (code == 0) {
		code = override(ret_config->models, sizeof(ret_config->models), options->models,
			"the models folder", err);
	}
	if (code == 0) {
		code = override(ret_config->state, sizeof(ret_config->state), options->state,
			"the state folder", err);
	}
	return code;
}

int edged_configure(struct edged *edged, const struct edged_options *options, struct error *err)
{
	memset(edged, 0, offsetof(struct edged, scratch)); /* too large for a temporary */
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

/* Takes from @next what may change while running, and says what may not; that becomes in @next as it was. */
static void config_take(struct edged *edged, struct config *next)
{
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	for (size_t i = 0; i < n; i++) {
		if (keys[i].reloadable || config_same(&edged->config, next, &keys[i])) {
			continue;
		}
		log_notice(&edged->log, "configuration: %s takes effect at the next start",
			keys[i].key);
		config_copy(next, &edged->config, &keys[i]);
	}
	edged->config = *next;
	edged->log.level = (int)next->log_level;
}

/* ---- models */

static bool is_looking(const struct edged *edged)
{
	return edged->store.scans_done < edged->wanted_scan;
}

static void tell_ready(struct edged *edged)
{
	char status[96];
	struct store_count count = store_count(&edged->store);
	snprintf(status, sizeof(status), "%u models ready, %u refused%s", count.ready,
		count.refused, is_looking(edged) ? ", others are still being looked at" : "");
	notice(&edged->log, NOTICE_READY, NULL, "%s", status);
	bus_ready(status);
}

/* Whoever can be answered is: a manager that heard nothing for long would start edged anew, which helps
 * no model that takes long or a folder that hangs. */
static void on_ready_within(uv_timer_t *timer)
{
	struct edged *edged = timer->data;
	if (!edged->draining && is_looking(edged)) {
		tell_ready(edged);
	}
}

uint64_t edged_scan(struct edged *edged)
{
	edged->wanted_scan = loader_scan(&edged->loader, &edged->config);
	uv_timer_start(&edged->looking, on_ready_within, edged->config.ready_within_ms, 0);
	return edged->wanted_scan;
}

static void on_trials(uv_timer_t *timer)
{
	struct edged *edged = timer->data;
	const uint64_t left = store_look_at_trials(&edged->store, &edged->loader, &edged->config);
	if (left != UINT64_MAX) {
		const uint64_t ms = left / 1000000 + 1;
		uv_timer_start(timer, on_trials, ms > TRIALS_MS ? ms : TRIALS_MS, 0);
	}
}

/* What may be tried again, or is not held back any more, is looked at. */
static void orders_done(struct edged *edged, struct order *done)
{
	while (done) {
		struct order *next = done->next;
		bool look = done->verb == ORDER_UNPIN || done->verb == ORDER_FORGET_BAD ||
			(done->verb == ORDER_FSCK && done->argument[0]);
		if (!dbus_order_done(edged->dbus, done)) {
			dispatch_order_done(&edged->dispatch, done);
		}
		if (look && !edged->draining) {
			loader_scan(&edged->loader, &edged->config);
		}
		done = next;
	}
}

static void on_loaded(uv_async_t *async)
{
	struct edged *edged = async->data;
	struct order *done = loader_finished(&edged->loader);
	edged->store.keeps_before = edged->config.probation_shadow > 0;
	trials_shadows_done(edged);
	bool changed = store_update(&edged->store, &edged->loader);
	adopt_waiting(&edged->dispatch);
	if (changed) {
		idle_enforce(&edged->idle);
	}
	dispatch_scan_done(&edged->dispatch);
	dbus_models_changed(edged->dbus);
	events_models(edged);
	orders_done(edged, done);
	if (changed) {
		dispatch_unpark(&edged->dispatch);
	}
	if (edged->draining) {
		return;
	}
	watch_configure(&edged->watch);
	if (!is_looking(edged) && edged->told_scan < edged->wanted_scan) {
		edged->told_scan = edged->wanted_scan;
		uv_timer_stop(&edged->looking);
		tell_ready(edged);
		changed = true;
	}
	if (changed) {
		process_trim_later(&edged->trim);
		uv_timer_start(&edged->trials, on_trials, 0, 0);
	}
}

/* The loader's thread. */
static void wake(void *context)
{
	struct edged *edged = context;
	uv_async_send(&edged->loaded);
}

/* The watch: nobody waits for it. */
static void on_look(void *context)
{
	struct edged *edged = context;
	if (!edged->draining) {
		loader_scan(&edged->loader, &edged->config);
	}
}

/* ---- reload */

void edged_reload(struct edged *edged)
{
	struct error err = {0};
	if (edged->draining) {
		return;
	}
	owned_mem struct config *next = malloc(sizeof(*next)); /* too large for the stack */
	bus_reloading();
	log_notice(&edged->log, "reloading");
	int code = next ? read_config(edged, next, &err) : error_no_memory(&err);
	if (code < 0 || access_read(&edged->access, next, &edged->log, &err) < 0) {
		notice(&edged->log, NOTICE_CONFIG_REFUSED, NULL,
			"the configuration stays as it was: %s", err.text);
	} else {
		config_take(edged, next);
		budget_configure(&edged->budget, edged->config.memory_budget);
		idle_enforce(&edged->idle);
		watch_configure(&edged->watch);
	}
	edged_scan(edged);
}

/* ---- the end */

void edged_check_drained(struct edged *edged)
{
	if (edged->draining && edged->unsent == 0 &&
		(edged->forced || dispatch_idle(&edged->dispatch))) {
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
	dispatch_drain(&edged->dispatch, true);
	uv_timer_start(timer, on_give_up, edged->config.write_timeout_ms, 0);
	edged_check_drained(edged);
}

void edged_drain(struct edged *edged)
{
	notice(&edged->log, NOTICE_STOPPING, NULL, "stopping");
	edged->draining = true;
	bus_stopping();
	edged->socket.front.drain(&edged->socket.front);
	dispatch_drain(&edged->dispatch, false);
	uv_timer_start(&edged->drain_timer, on_drain_timeout, edged->config.drain_timeout_ms, 0);
	edged_check_drained(edged);
}

/* ---- watchdog */

static void on_watchdog(uv_timer_t *timer)
{
	struct edged *edged = timer->data;
	const uint64_t grace_ns = bus_watchdog_us() * 1000 / WATCHDOG_GRACE;
	const bool stuck = dispatch_stuck(&edged->dispatch, clock_now_ns(), grace_ns);
	if (!stuck) {
		bus_alive();
	} else if (!edged->stuck) {
		notice(&edged->log, NOTICE_WORKER_HUNG, NULL,
			"a worker does not end its run: the service manager is not told that edged lives");
	}
	edged->stuck = stuck;
}

static void timers_init(struct edged *edged)
{
	uv_timer_t *timers[] = {&edged->drain_timer, &edged->watchdog, &edged->trim, &edged->trials,
		&edged->overload, &edged->looking};
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		uv_timer_init(&edged->loop, timers[i]);
		timers[i]->data = edged;
	}
	uint64_t ms = bus_watchdog_us() / 2000;
	if (ms > 0) {
		uv_timer_start(&edged->watchdog, on_watchdog, ms, ms);
	}
}

/* ---- memory */

static void on_short(void *context)
{
	struct edged *edged = context;
	if (idle_relieve(&edged->idle, clock_now_ns())) {
		process_trim_later(&edged->trim);
	}
}

/* ---- all parts */

static void on_unloaded(void *context)
{
	const struct edged *edged = context;
	dbus_models_stale(edged->dbus);
}

static void parts_init(struct edged *edged)
{
	metrics_init(&edged->metrics);
	accounts_init(&edged->accounts, &edged->config, &edged->log);
	memfds_start(&edged->memfds, &edged->loop, &edged->log);
	edged->accounts.memfds = &edged->memfds;
	store_init(&edged->store, &edged->log);
	budget_configure(&edged->budget, edged->config.memory_budget);
	edged->idle = (struct idle){.changed = on_unloaded,
		.context = edged,
		.store = &edged->store,
		.loader = &edged->loader,
		.config = &edged->config,
		.budget = &edged->budget};
	edged->pressure.fd = edged->pressure.figure = -1;
	front_socket_init(&edged->socket);
	timers_init(edged);
	more_init(&edged->more, &edged->loop, conn_go_on);
	edged->loaded.data = edged;
}

static int parts_start(struct edged *edged, struct error *err)
{
	int code = uv_async_init(&edged->loop, &edged->loaded, on_loaded);
	if (code < 0) {
		return error_set(err, code, "%s", uv_strerror(code));
	}
	code = signals_start(&edged->signals, edged, err);
	if (code == 0) {
		power_start(&edged->power, edged);
		code = dispatch_start(&edged->dispatch, edged, err);
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
		code = edged->socket.front.start(&edged->socket.front, edged, err);
	}
	if (code == 0) {
		edged->dbus = dbus_start(edged);
		edged_scan(edged);
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

/* In reverse; what was not started does not mind. */
static void parts_stop(struct edged *edged)
{
	dbus_stop(take(edged->dbus));
	edged->socket.front.stop(&edged->socket.front);
	dispatch_stop(&edged->dispatch);
	loader_stop(&edged->loader);
	watch_stop(&edged->watch);
	pressure_stop(&edged->pressure);
	uv_walk(&edged->loop, on_walk, NULL);
	while (uv_run(&edged->loop, UV_RUN_DEFAULT) != 0) {
		/* uv_stop() of before ends it early */
	}
	store_deinit(&edged->store);
	events_deinit(&edged->events);
	memfds_deinit(&edged->memfds);
	accounts_deinit(&edged->accounts);
}

/* True when a worker does not let go of its run: then nothing that it uses may be freed. */
static bool must_leave(const struct edged *edged)
{
	uint32_t queued = 0, running = 0;
	sched_count((struct sched *)&edged->dispatch.sched, &queued, &running);
	return running > 0;
}

/* Before there are threads, which would go on as they were. */
static int confine(const struct edged *edged, struct error *err)
{
	const struct config *config = &edged->config;
	const bool shipped = strcmp(config->check_program, "auto") == 0;
	const struct confine_paths paths = {.state = config->state,
		.socket = config->socket,
		.program = shipped ? LIBEXECDIR "/edged-check" : config->check_program,
		.watch = getenv("MEMORY_PRESSURE_WATCH")};
	struct confine_result result = {.before = true};
	int code = config->sandbox ? confine_enter(&paths, &result, err) : 0;
	if (code == 0 && !result.before) {
		log_info(&edged->log, "sandbox: system calls %s, files %s",
			result.calls              ? "filtered"
				: result.filtered ? "as somebody filtered them before"
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
	flight_open(&edged->flight);
	flight_guard(&edged->flight, edged->config.state);
	int guarded = mapped_guard();
	(void)guarded; /* without it a disk that fails ends edged */
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
		kept_save(&edged->metrics, &edged->store, &edged->log);
		if (must_leave(edged)) {
			log_notice(&edged->log, "left while a model was running");
			_exit(0);
		}
	} else {
		log_error(&edged->log, "%s", err.text);
	}
	signals_release(); /* the loop does not hear them any more */
	parts_stop(edged);
	uv_loop_close(&edged->loop);
	if (code == 0) {
		log_notice(&edged->log, "stopped");
	}
	return code == 0 ? 0 : 1;
}
