/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/loader.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backends/backends.h"
#include "base/background_yield.h"
#include "base/code_pages.h"
#include "base/threads.h"
#include "daemon/edged/install/execute.h"
#include "daemon/system/background.h"

#define RESTED_S 1 /* idle seconds until unused code pages are unmapped */

/* ---- models without a reference */

/* Any thread. After loader_stop() models are freed at once. */
static void defer_free(void *context, struct loaded_model *loaded)
{
	struct loader *loader = context;
	if (!loader->running) {
		loaded_model_free(loaded);
		return;
	}
	pthread_mutex_lock(&loader->mutex);
	loaded->next_deferred = loader->unused;
	loader->unused = loaded;
	pthread_cond_broadcast(&loader->work);
	pthread_mutex_unlock(&loader->mutex);
}

static void free_all(struct loaded_model *loaded)
{
	while (loaded) {
		struct loaded_model *next = loaded->next_deferred;
		loaded_model_free(loaded);
		loaded = next;
	}
}

/* Under the mutex, which is released meanwhile. */
static void free_unused(struct loader *loader)
{
	struct loaded_model *unused = take(loader->unused);
	pthread_mutex_unlock(&loader->mutex);
	free_all(unused);
	pthread_mutex_lock(&loader->mutex);
}

/* ---- the thread */

/* Hands the job to the loop. Under the mutex, which is released meanwhile, because the woken thread
 * needs it. */
static void hand_over(struct loader *loader, enum loader_state state)
{
	loader->state = state;
	pthread_mutex_unlock(&loader->mutex);
	loader->wake(loader->context);
	pthread_mutex_lock(&loader->mutex);
}

static void ask(void *context, enum job_question question)
{
	struct loader *loader = context;
	pthread_mutex_lock(&loader->mutex);
	loader->question = question;
	hand_over(loader, LOADER_ASKS);
	while (loader->state == LOADER_ASKS && !atomic_load(&loader->stopping)) {
		pthread_cond_wait(&loader->work, &loader->mutex);
	}
	free_unused(loader);
	pthread_mutex_unlock(&loader->mutex);
}

static struct load_context load_of(struct loader *loader)
{
	struct loader_tools *tools = &loader->tools;
	return (struct load_context){.config = &tools->config,
		.cpu_features = loader->cpu_features,
		.store = &tools->store,
		.watch = loader->watch,
		.network = loader->network,
		.cancelled = &loader->stopping,
		.budget = loader->budget,
		.trust = &tools->trust,
		.check = tools->check,
		.check_memory = &tools->check_memory};
}

/* Under the mutex, which is released meanwhile. */
static void job_run(struct loader *loader)
{
	struct job *job = &loader->job;
	const struct load_context load = load_of(loader);
	pthread_mutex_unlock(&loader->mutex);
	job->load = &load;
	job->ask = ask;
	job->ask_context = loader;
	execute_job(job);
	if (job->loaded) {
		job->loaded->defer_free = defer_free;
		job->loaded->defer_free_context = loader;
	}
	pthread_mutex_lock(&loader->mutex);
	hand_over(loader, LOADER_DONE);
}

/* Under the mutex, which is released meanwhile. */
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
	hand_over(loader, loader->state);
}

/* Waits for work. After a while without work it unmaps code that only loading needs. Under the
 * mutex. */
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
		code_pages_forget();
	}
}

static void *loader_main(void *argument)
{
	struct loader *loader = argument;
	bool rested = false;
	background_enter();
	background_yield_begin(false);
	pthread_mutex_lock(&loader->mutex);
	while (!atomic_load(&loader->stopping)) {
		if (loader->unused) {
			free_unused(loader); /* first, because the next model needs the memory */
		} else if (loader->state == LOADER_RUNNING) {
			job_run(loader);
		} else if (loader->shadows && loader->state == LOADER_IDLE) {
			shadow_next(loader);
		} else {
			rest(loader, &rested);
		}
	}
	pthread_mutex_unlock(&loader->mutex);
	return NULL;
}

/* ---- start and stop */

static void check_find(struct loader *loader)
{
	struct loader_tools *tools = &loader->tools;
	/* A copy, because loader->config changes while the thread runs. */
	char *program = tools->check_program;
	snprintf(program, sizeof(tools->check_program), "%s", loader->config.check_program);
	bool wanted = strcmp(program, "none") != 0;
	tools->check = strcmp(program, "auto") == 0 ? LIBEXECDIR "/edged-check" : program;
	if (wanted && !check_is_executable(tools->check)) {
		log_warning(loader->log,
			"%s cannot be run: models are opened in edged without a check before",
			tools->check);
		wanted = false;
	}
	tools->check = wanted ? tools->check : NULL;
}

/* The thread blocks signals, which the loop handles. */
static int thread_start(struct loader *loader)
{
	sigset_t all, before;
	threads_mask(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&loader->thread, NULL, loader_main, loader);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -code;
}

static int loader_init(struct loader *loader, struct error *err)
{
	uint64_t mask = 0;
	int code = backends_cpu_mask(loader->config.cpu_features, &mask, err);
	if (code < 0) {
		error_prefix(err, "cpu-features");
		return code;
	}
	loader->cpu_features = backends_cpu_choose(mask);
	check_find(loader);
	store_open(&loader->tools.store, loader->config.state, loader->cpu_features, loader->log);
	pthread_mutex_init(&loader->mutex, NULL);
	code = -threads_condition_init(&loader->work);
	code = code < 0 ? code : thread_start(loader);
	if (code < 0) {
		store_close(&loader->tools.store);
		return error_set(err, code, "the loader's thread: %s", strerror(-code));
	}
	loader->running = true;
	return 0;
}

int loader_start(struct loader *loader, const struct config *config, const struct log *log,
	void (*wake)(void *context), void *context, struct error *err)
{
	loader->log = log;
	loader->wake = wake;
	loader->context = context;
	loader->config = *config;
	return loader_init(loader, err);
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
	pthread_mutex_lock(&loader->mutex);
	atomic_store(&loader->stopping, true);
	pthread_cond_broadcast(&loader->work);
	pthread_mutex_unlock(&loader->mutex);
	pthread_join(loader->thread, NULL);
	loader->running = false;
	free_all(take(loader->unused));
	shadows_free(take(loader->shadows));
	shadows_free(take(loader->shadows_done));
	store_command_free(take(loader->job.command));
	job_deinit(&loader->job);
	store_command_free_all(loader->commands);
	store_command_free_all(loader->done);
	store_close(&loader->tools.store);
	pthread_cond_destroy(&loader->work);
	pthread_mutex_destroy(&loader->mutex);
}

/* ---- requests */

uint64_t loader_scan(struct loader *loader, const struct config *config)
{
	loader->config = *config;
	loader->wake(loader->context);
	return ++loader->scans_wanted;
}

uint64_t loader_queue_command(
	struct loader *loader, const struct config *config, struct store_command *command)
{
	store_command_append(&loader->commands, command);
	loader->config = *config;
	command->number = command->verb < STORE_COMMAND_TRIAL_PASSED ? ++loader->last_command : 0;
	loader->wake(loader->context);
	return command->number;
}

struct store_command *loader_finished(struct loader *loader)
{
	return take(loader->done);
}

/* ---- jobs */

enum loader_state loader_state(struct loader *loader)
{
	pthread_mutex_lock(&loader->mutex);
	enum loader_state state = loader->state;
	pthread_mutex_unlock(&loader->mutex);
	return state;
}

static void state_set(struct loader *loader, enum loader_state from, enum loader_state to)
{
	pthread_mutex_lock(&loader->mutex);
	assert(loader->state == from);
	loader->state = to;
	pthread_cond_broadcast(&loader->work);
	pthread_mutex_unlock(&loader->mutex);
}

void loader_run(struct loader *loader)
{
	loader->tools.config = loader->config;
	state_set(loader, LOADER_IDLE, LOADER_RUNNING);
}

void loader_resume(struct loader *loader)
{
	state_set(loader, LOADER_ASKS, LOADER_RUNNING);
}

void loader_take(struct loader *loader)
{
	job_deinit(&loader->job);
	state_set(loader, LOADER_DONE, LOADER_IDLE);
}

/* ---- comparisons */

void loader_shadow(struct loader *loader, struct shadow *shadow)
{
	pthread_mutex_lock(&loader->mutex);
	bool room = loader->n_shadows < SHADOW_MAX;
	if (room) {
		shadow->next = loader->shadows;
		loader->shadows = shadow;
		loader->n_shadows++;
		pthread_cond_broadcast(&loader->work);
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
