/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loader.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backends/backends.h"
#include "base/breath.h"
#include "base/code.h"
#include "base/threads.h"
#include "daemon/background.h"

#define RESTED_S 1 /* then nothing more is to be expected for now */
#define HEEDED_S 1 /* the loop does as it is told, if it is not busy for as long */

/* Any of these is the loader's thread, but for start, stop, scan and collect. */

/* Any thread. Once the loader has ended nobody is held up any more. */
static void bury(void *context, struct served *served)
{
	struct loader *loader = context;
	if (!loader->running) {
		served_free(served);
		return;
	}
	pthread_mutex_lock(&loader->mutex);
	served->next_buried = loader->buried;
	loader->buried = served;
	pthread_cond_signal(&loader->work);
	pthread_mutex_unlock(&loader->mutex);
}

static void free_buried(struct served *served)
{
	while (served) {
		struct served *next = served->next_buried;
		served_free(served);
		served = next;
	}
}

static void post(void *context, struct catalogue_event *event)
{
	struct loader *loader = context;
	if (event->served) {
		event->served->bury = bury;
		event->served->bury_context = loader;
	}
	pthread_mutex_lock(&loader->mutex);
	*(loader->last ? &loader->last->next : &loader->first) = event;
	loader->last = event;
	loader->heeded = false;
	pthread_mutex_unlock(&loader->mutex);
	loader->wake(loader->context);
}

static bool stopping(void *context)
{
	struct loader *loader = context;
	pthread_mutex_lock(&loader->mutex);
	bool stop = loader->stopping;
	pthread_mutex_unlock(&loader->mutex);
	return stop;
}

/* Under the mutex, which is let go meanwhile. */
static void dig(struct loader *loader)
{
	struct served *buried = take(loader->buried);
	pthread_mutex_unlock(&loader->mutex);
	free_buried(buried);
	pthread_mutex_lock(&loader->mutex);
}

/*
 * Frees what the loop lets go of before anything takes its place. A loop that is busy does it later, and
 * what somebody uses goes when that ends.
 */
static void dig_heeded(struct loader *loader)
{
	struct timespec until;
	int code = 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += HEEDED_S;
	pthread_mutex_lock(&loader->mutex);
	while (!loader->heeded && !loader->stopping && code == 0) {
		code = pthread_cond_timedwait(&loader->work, &loader->mutex, &until);
	}
	dig(loader);
	pthread_mutex_unlock(&loader->mutex);
}

static void let_go(void *context, const char *name, enum catalogue_event_kind kind)
{
	struct catalogue_event *event = calloc(1, sizeof(*event));
	if (event) {
		event->kind = kind;
		snprintf(event->name, sizeof(event->name), "%s", name);
		snprintf(event->reason, sizeof(event->reason), "for a new version");
		post(context, event);
		dig_heeded(context);
	}
}

/* Has the loop let go of what serves. */
static void unload(void *context, const char *name)
{
	let_go(context, name, CATALOGUE_UNLOADED);
}

static void alone(void *context, const char *name)
{
	let_go(context, name, CATALOGUE_ALONE);
}

static struct load_context load_of(struct loader *loader, const struct config *config)
{
	return (struct load_context){.config = config,
		.cpu_features = loader->cpu_features,
		.depot = &loader->depot,
		.watch = loader->watch,
		.network = loader->network,
		.stopping = stopping,
		.stopping_context = loader,
		.cancelled = &loader->cancelled,
		.budget = loader->budget,
		.unload = unload,
		.alone = alone,
		.unload_context = loader,
		.trust = &loader->trust,
		.check = loader->check,
		.check_memory = &loader->check_memory};
}

/* What the store remembers; where that cannot be read, the models folder says it again. */
static void remember(struct loader *loader)
{
	struct config config;
	pthread_mutex_lock(&loader->mutex);
	config = loader->config;
	pthread_mutex_unlock(&loader->mutex);
	const struct load_context load = load_of(loader, &config);
	int code = catalogue_open(&loader->catalogue, &load);
	if (code < 0) {
		log_warning(loader->log, "the store: %s", strerror(-code));
	}
}

/* The next order, or NULL. In a scan none that may add a model. Under the mutex. */
static struct order *order_take(struct loader *loader, bool scanning)
{
	struct order *order = loader->orders;
	if (order && scanning && order->verb == ORDER_INSTALL) {
		return NULL;
	}
	if (order) {
		loader->orders = order->next;
		order->next = NULL;
	}
	return order;
}

static void order_append(struct order **list, struct order *order)
{
	while (*list) {
		list = &(*list)->next;
	}
	*list = order;
}

/* Under the mutex, which is let go meanwhile: who wakes takes the CPU, and would wait for it. */
static void call(struct loader *loader)
{
	pthread_mutex_unlock(&loader->mutex);
	loader->wake(loader->context);
	pthread_mutex_lock(&loader->mutex);
}

/* Carries it out; gives it back to whoever waits. Under the mutex, which is let go meanwhile. */
static void obey(struct loader *loader, struct order *order)
{
	struct config config = loader->config;
	pthread_mutex_unlock(&loader->mutex);
	const struct load_context load = load_of(loader, &config);
	const struct catalogue_sink sink = {.post = post, .stopping = stopping, .context = loader};
	if (order->verb == ORDER_INSTALL && trust_load(&loader->trust, &config, loader->log)) {
		catalogue_retry(&loader->catalogue);
	}
	order_run(order, &loader->catalogue, &load, &sink);
	pthread_mutex_lock(&loader->mutex);
	if (order->number == 0) {
		if (order->error.code < 0) {
			log_warning(loader->log, "model %s: %s", order->model, order->error.text);
		}
		order_free(order);
		return;
	}
	order_append(&loader->done, order);
	call(loader);
}

/* Between two models of a scan: an order waits for one that is loading, not for all of them. */
static bool between(void *context)
{
	struct loader *loader = context;
	struct order *order = NULL;
	pthread_mutex_lock(&loader->mutex);
	dig(loader);
	while (!loader->stopping && (order = order_take(loader, true))) {
		obey(loader, order);
	}
	bool stop = loader->stopping;
	pthread_mutex_unlock(&loader->mutex);
	return stop;
}

/* Once, until others are left out. */
static void tell_left_out(struct loader *loader, const struct scan_left_out *left_out)
{
	char name[sizeof(left_out->name)];
	const char *shown =
		error_escape(name, sizeof(name), left_out->name, strlen(left_out->name));
	const bool known = left_out->n == loader->left_out.n &&
		strcmp(left_out->name, loader->left_out.name) == 0;
	loader->left_out = *left_out;
	if (left_out->n > 0 && !known) {
		log_warning(loader->log,
			"%zu entries of the models folder are no models, or above max-models%s%s",
			left_out->n, shown[0] ? ": " : "", shown);
	}
}

static void look(struct loader *loader, const struct config *config)
{
	const struct load_context load = load_of(loader, config);
	const struct catalogue_sink sink = {.post = post, .stopping = between, .context = loader};
	struct scan_left_out left_out = {0};
	if (trust_load(&loader->trust, config, loader->log)) {
		catalogue_retry(&loader->catalogue);
	}
	int code = catalogue_scan(&loader->catalogue, &load, &sink, &left_out);
	if (code < 0 && code != -ECANCELED) {
		log_warning(
			loader->log, "the models folder %s: %s", config->models, strerror(-code));
	}
	tell_left_out(loader, &left_out);
}

/* Under the mutex, which is let go meanwhile. */
static void scan(struct loader *loader)
{
	uint64_t number = loader->scans_wanted;
	struct config config = loader->config;
	bool doubt = loader->doubt;
	loader->doubt = false;
	pthread_mutex_unlock(&loader->mutex);
	if (doubt) {
		catalogue_doubt(&loader->catalogue);
	}
	look(loader, &config);
	pthread_mutex_lock(&loader->mutex);
	loader->scans_done = number;
	call(loader);
}

/* Under the mutex, which is let go meanwhile. */
static void shadow_next(struct loader *loader)
{
	struct shadow *shadow = loader->shadows;
	loader->shadows = shadow->next;
	loader->n_shadows--;
	pthread_mutex_unlock(&loader->mutex);
	shadow_run(shadow);
	pthread_mutex_lock(&loader->mutex);
	shadow->next = loader->shadows_done;
	loader->shadows_done = shadow;
	call(loader);
}

/* Waits for work. What loading went through is of no use to runs, but would be to the next load. Under the mutex. */
static void rest(struct loader *loader, bool *rested)
{
	struct timespec until;
	if (*rested) {
		pthread_cond_wait(&loader->work, &loader->mutex);
		*rested = false;
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RESTED_S;
	*rested = pthread_cond_timedwait(&loader->work, &loader->mutex, &until) == ETIMEDOUT;
	if (*rested) {
		code_forget_pages();
	}
}

static void *loader_main(void *argument)
{
	struct loader *loader = argument;
	bool rested = false;
	background_enter();
	breath_begin(false);
	remember(loader);
	pthread_mutex_lock(&loader->mutex);
	while (!loader->stopping) {
		/* Until the folder was looked at, nobody knows what an order would be in the way of. */
		struct order *order = NULL;
		if (loader->buried) {
			dig(loader); /* first: what is loaded wants the place */
		} else if (loader->scans_done > 0 && (order = order_take(loader, false))) {
			obey(loader, order);
		} else if (loader->scans_done != loader->scans_wanted) {
			scan(loader);
		} else if (loader->shadows) {
			shadow_next(loader);
		} else {
			rest(loader, &rested);
		}
	}
	pthread_mutex_unlock(&loader->mutex);
	return NULL;
}

static void check_find(struct loader *loader)
{
	/* Of its own: the configuration is copied anew while the loader works. */
	char *program = loader->check_program;
	snprintf(program, sizeof(loader->check_program), "%s", loader->config.check_program);
	bool wanted = strcmp(program, "none") != 0;
	loader->check = strcmp(program, "auto") == 0 ? LIBEXECDIR "/edged-check" : program;
	if (wanted && !check_there(loader->check)) {
		log_warning(loader->log,
			"%s cannot be run: models are opened in edged without that", loader->check);
		wanted = false;
	}
	loader->check = wanted ? loader->check : NULL;
}

/* Signals are the loop's. */
static int thread_start(struct loader *loader)
{
	sigset_t all, before;
	threads_mask(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&loader->thread, NULL, loader_main, loader);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -code;
}

static void work_init(pthread_cond_t *work)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(work, &attributes);
	pthread_condattr_destroy(&attributes);
}

int loader_start(struct loader *loader, const struct config *config, const struct log *log,
	void (*wake)(void *context), void *context, struct error *err)
{
	*loader = (struct loader){.watch = loader->watch,
		.network = loader->network,
		.budget = loader->budget,
		.log = log,
		.wake = wake,
		.context = context,
		.config = *config};
	uint64_t mask = 0;
	int code = backends_cpu_mask(config->cpu_features, &mask, err);
	if (code < 0) {
		error_prefix(err, "cpu-features");
		return code;
	}
	loader->cpu_features = backends_cpu_choose(mask);
	check_find(loader);
	depot_open(&loader->depot, config->state, loader->cpu_features, log);
	pthread_mutex_init(&loader->mutex, NULL);
	work_init(&loader->work);
	code = thread_start(loader);
	if (code < 0) {
		depot_close(&loader->depot);
		return error_set(err, code, "the loader's thread: %s", strerror(-code));
	}
	loader->running = true;
	return 0;
}

static void orders_free(struct order *order)
{
	while (order) {
		struct order *next = order->next;
		order_free(order);
		order = next;
	}
}

static void shadows_free(struct shadow *shadow)
{
	while (shadow) {
		struct shadow *next = shadow->next;
		shadow_free(shadow);
		shadow = next;
	}
}

void loader_stop(struct loader *loader)
{
	if (!loader->running) {
		return;
	}
	atomic_store(&loader->cancelled, true);
	pthread_mutex_lock(&loader->mutex);
	loader->stopping = true;
	pthread_cond_signal(&loader->work);
	pthread_mutex_unlock(&loader->mutex);
	pthread_join(loader->thread, NULL);
	loader->running = false;
	free_buried(take(loader->buried));
	shadows_free(take(loader->shadows));
	shadows_free(take(loader->shadows_done));
	uint64_t scans = 0;
	for (struct catalogue_event *event; (event = loader_collect(loader, &scans));) {
		served_unref(event->served);
		free(event);
	}
	orders_free(loader->orders);
	orders_free(loader->done);
	depot_close(&loader->depot);
	pthread_cond_destroy(&loader->work);
	pthread_mutex_destroy(&loader->mutex);
	catalogue_deinit(&loader->catalogue);
}

uint64_t loader_scan(struct loader *loader, const struct config *config)
{
	pthread_mutex_lock(&loader->mutex);
	loader->config = *config;
	uint64_t scan = ++loader->scans_wanted;
	pthread_cond_signal(&loader->work);
	pthread_mutex_unlock(&loader->mutex);
	return scan;
}

uint64_t loader_order(struct loader *loader, const struct config *config, struct order *order)
{
	pthread_mutex_lock(&loader->mutex);
	loader->config = *config;
	uint64_t number = order->verb < ORDER_PROVED ? ++loader->last_order : 0;
	order->number = number;
	order_append(&loader->orders, order);
	pthread_cond_signal(&loader->work);
	pthread_mutex_unlock(&loader->mutex);
	return number;
}

struct order *loader_finished(struct loader *loader)
{
	pthread_mutex_lock(&loader->mutex);
	struct order *done = take(loader->done);
	pthread_mutex_unlock(&loader->mutex);
	return done;
}

void loader_shadow(struct loader *loader, struct shadow *shadow)
{
	pthread_mutex_lock(&loader->mutex);
	bool room = loader->n_shadows < SHADOW_MOST;
	if (room) {
		shadow->next = loader->shadows;
		loader->shadows = shadow;
		loader->n_shadows++;
		pthread_cond_signal(&loader->work);
	}
	pthread_mutex_unlock(&loader->mutex);
	if (!room) {
		shadow_free(shadow);
	}
}

struct shadow *loader_shadows(struct loader *loader)
{
	pthread_mutex_lock(&loader->mutex);
	struct shadow *done = take(loader->shadows_done);
	pthread_mutex_unlock(&loader->mutex);
	return done;
}

void loader_doubt(struct loader *loader)
{
	pthread_mutex_lock(&loader->mutex);
	loader->doubt = true;
	pthread_mutex_unlock(&loader->mutex);
}

struct catalogue_event *loader_collect(struct loader *loader, uint64_t *ret_scans_done)
{
	pthread_mutex_lock(&loader->mutex);
	struct catalogue_event *event = loader->first;
	if (event) {
		loader->first = event->next;
		loader->last = loader->first ? loader->last : NULL;
		event->next = NULL;
	}
	*ret_scans_done = loader->scans_done;
	if (!event && !loader->heeded) {
		loader->heeded = true;
		pthread_cond_signal(&loader->work);
	}
	pthread_mutex_unlock(&loader->mutex);
	return event;
}
