/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state_file - a small file of the state folder, written as a whole in libuv's thread pool
 *
 * One write runs at a time. Of the texts that wait only the newest is kept. A write goes to
 * NAME.new, is synced and renamed to NAME.conf. A failed write is logged; the old file stays, and
 * state_file_try_again() writes the text once more. A slow or hanging disk therefore delays nothing but
 * the end of the program.
 */
#ifndef DAEMON_MQTT_STATE_FILE_H
#define DAEMON_MQTT_STATE_FILE_H

#include <uv.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/system/config_value.h"

struct state_file {
	uv_loop_t *loop;
	const struct log *log;
	char path[CONFIG_PATH_SIZE + 32], new[CONFIG_PATH_SIZE + 32]; /* "": nothing is written */
	uv_work_t work;
	struct bytes_writer text; /* being written; owned by the worker thread while @is_writing */
	struct bytes_writer next;
	bool is_writing; /* a write is running in the worker thread */
	bool has_next; /* @next is to be written */
	bool failed; /* @next is a text whose write failed */
	struct error err; /* result of the last write */
};

/* @name: the file's name without ".conf". @folder "": state_file_write() does nothing. */
void state_file_init(struct state_file *state_file, uv_loop_t *loop, const struct log *log,
	const char *folder, const char *name);
/* Takes *text and writes it. If text->failed, this only logs a lack of memory. */
void state_file_write(struct state_file *state_file, struct bytes_writer *text);
/* Writes the text once more whose last write failed. */
void state_file_try_again(struct state_file *state_file);
/* Returns true if no write runs or waits. If false, a turn of the loop makes progress. */
bool state_file_is_idle(const struct state_file *state_file);
/* Call when idle only. */
void state_file_deinit(struct state_file *state_file);

#endif
