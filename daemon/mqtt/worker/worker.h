/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker - the child process that decodes payloads and runs pipelines
 *
 * The same program with --worker, under daemon/system/child_sandbox.h: no files, no network,
 * limited memory. It works on one command at a time (worker_frames.h). A process that exits, sends
 * an invalid frame or exceeds the time of a command is replaced; all that it knew is lost.
 */
#ifndef DAEMON_MQTT_WORKER_WORKER_H
#define DAEMON_MQTT_WORKER_WORKER_H

#include <stdlib.h>
#include <uv.h>

#include "base/log.h"
#include "daemon/mqtt/worker/worker_frames.h"

enum worker_state {
	WORKER_NONE, /* no process runs */
	WORKER_OPENING, /* it opens pipelines and is not in its sandbox yet */
	WORKER_READY, /* it has finished WORKER_COMMAND_BEGIN */
	WORKER_STOPPED /* for good */
};

enum worker_end {
	WORKER_KILLED, /* by SIGKILL, so not because of its command */
	WORKER_CRASHED, /* it has exited, or ended by another signal */
	WORKER_LATE, /* its command took too long */
	WORKER_ENDED_BY_PARENT /* by worker_restart() or worker_stop() */
};

#define PIPELINES_MAX 64
#define PIPELINES_MAX_REQUESTS 64 /* model requests of the worker in edged at once */

struct worker_process;

struct worker_events {
	/* The process sent a frame of @type while it works on @command. @r: the bytes behind the
	 * type; NULL: a frame was skipped because memory ran out. Returns false if the frame is
	 * invalid; the process is replaced. */
	bool (*on_frame)(
		void *data, enum worker_frame command, uint8_t type, struct bytes_reader *r);
	/* @command has ended. The worker is idle. */
	void (*on_done)(void *data, enum worker_frame command, const struct worker_done *done);
	/* The process has ended. @command: what it was working on; 0: it was idle. */
	void (*on_end)(void *data, enum worker_frame command, enum worker_end how, const char *why);
	/* The next process may be started. */
	void (*on_may_restart)(void *data);
};

struct worker {
	uv_loop_t *loop;
	const struct log *log;
	uint64_t memory_bytes, timeout_ms, max_tensor_bytes;
	const struct worker_events *events;
	void *data;
	enum worker_state state;
	struct worker_process *process; /* NULL: none runs */
	uint8_t command; /* command in work (enum worker_frame); 0: none */
	uv_timer_t timer; /* timeout of the command, or delay before the next process */
	uint64_t restarts;
};

/* @max_tensor_bytes: limit of a tensor that the process sends. */
void worker_init(struct worker *worker, uv_loop_t *loop, const struct log *log,
	uint64_t memory_bytes, uint64_t timeout_ms, uint64_t max_tensor_bytes,
	const struct worker_events *events, void *data);
/* Starts a process, unless one runs, the delay before it has not passed, or worker_stop() was
 * called. If that fails, it calls on_end() before it returns. */
void worker_start(struct worker *worker);
/* Ends the process and calls on_end() before it returns. The next one may start after a delay. */
void worker_restart(struct worker *worker, const char *why);
/* Ends the process without a callback. */
void worker_kill(struct worker *worker);
/* Ends the process for good and calls on_end() before it returns. Its handles close in later
 * iterations of the loop. */
void worker_stop(struct worker *worker);

/* Returns true if the worker can take a command. */
static inline bool worker_is_idle(const struct worker *worker)
{
	return worker->process && !worker->command;
}

/* Sends a command; the worker must be idle. Takes @frame. -ENOMEM: nothing was sent. After any
 * other error the process was given up. */
int must_check worker_send(struct worker *worker, struct bytes_writer *frame, struct error *err);

/* ---- worker_main.c */

/* Main function of the process: reads commands from descriptor 0 and writes frames to it. Returns the
 * exit status. */
int worker_main(uint64_t memory_bytes);

#endif
