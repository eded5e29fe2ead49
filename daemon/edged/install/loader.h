/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader - the thread that executes jobs, compares shadows, and frees models
 *
 *   state            who has @job   what comes next
 *   LOADER_IDLE      the loop       loader_run()
 *   LOADER_RUNNING   the thread     it asks, or is done
 *   LOADER_ASKS      the loop       loader_resume(), when the loop has done what @question says
 *   LOADER_DONE      the loop       loader_take(), when the loop has taken the result
 *
 * The thread knows of no model but that of its job.
 */
#ifndef DAEMON_EDGED_INSTALL_LOADER_H
#define DAEMON_EDGED_INSTALL_LOADER_H

#include <pthread.h>

#include "base/log.h"
#include "daemon/edged/install/job.h"
#include "daemon/edged/install/shadow.h"

enum loader_state {
	LOADER_IDLE,
	LOADER_RUNNING,
	LOADER_ASKS,
	LOADER_DONE
};

/* What only the thread uses. */
struct loader_tools {
	struct config config; /* of the job */
	char check_program[CONFIG_PATH_SIZE];
	const char *check; /* program that checks files; NULL: none */
	struct check_memory check_memory;
	struct trust trust;
	struct store store;
};

struct loader {
	struct budget *budget; /* set before loader_start() */
	int watch; /* inotify descriptor, set before loader_start(); -1: none */
	atomic_bool *network; /* as in struct load_context, set before loader_start() */
	pthread_t thread;
	bool running;
	const struct log *log;
	/* called when the loop must look at @state, or has new requests */
	void (*wake)(void *context);
	void *context;
	uint64_t cpu_features;

	/* Requests, of the loop's thread only: */
	struct config config; /* configuration of the last request */
	uint64_t scans_wanted;
	struct store_command *commands,
		*done; /* commands to execute, oldest first; executed commands */
	uint64_t last_command;

	pthread_mutex_t mutex;
	pthread_cond_t work;
	atomic_bool stopping;
	/* Guarded by the mutex: */
	enum loader_state state;
	enum job_question question;
	struct job job; /* of the thread while LOADER_RUNNING, else of the loop */
	struct shadow *shadows, *shadows_done; /* comparisons to run; finished comparisons */
	unsigned int n_shadows;
	struct loaded_model *unused; /* unreferenced models, which the thread frees */

	struct loader_tools tools;
};

/* Starts the thread. @loader is zeroed but for the members that are set before. */
int must_check loader_start(struct loader *loader, const struct config *config,
	const struct log *log, void (*wake)(void *context), void *context, struct error *err);
/* Stops the thread and waits until the job under way ends. */
void loader_stop(struct loader *loader);

/* ---- requests, which become jobs (models/jobs.h) */

/* Requests a scan with @config and returns its number. */
uint64_t loader_scan(struct loader *loader, const struct config *config);
/* Queues a store command. Takes @command. Returns the command's number, which command->number has when
 * loader_finished() returns it. The loop's own commands (STORE_COMMAND_TRIAL_PASSED and above) have number 0 and
 * do not come back. */
uint64_t loader_queue_command(
	struct loader *loader, const struct config *config, struct store_command *command);
/* Returns the executed commands as a list that the caller frees, or NULL. */
struct store_command *loader_finished(struct loader *loader);

/* ---- jobs */

enum loader_state loader_state(struct loader *loader);
/* Hands loader->job, which the loop has filled in, to the thread. */
void loader_run(struct loader *loader);
/* Lets the thread go on. It first frees models that the answer left without a reference. */
void loader_resume(struct loader *loader);
/* Ends the job that is done. */
void loader_take(struct loader *loader);

/* ---- comparisons */

/* Queues a comparison for when the thread is idle. Takes @shadow. Drops it if the queue is full. */
void loader_shadow(struct loader *loader, struct shadow *shadow);
/* Returns the finished comparisons as a list that the caller frees, or NULL. */
struct shadow *loader_shadows(struct loader *loader);

#endif
