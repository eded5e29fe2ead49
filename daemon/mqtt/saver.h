/* SPDX-License-Identifier: Apache-2.0 */
/*
 * saver - a small file of the state folder, written whole in another thread
 *
 * There is one write at a time, and of what is to be written next only the newest is kept. A write goes to NAME.new, to disk,
 * and then takes the place of NAME.conf; one that fails is logged, and what was there before stays until the next one, or the
 * end, when it is tried once more. So a disk that is slow, or hangs, keeps nobody waiting but an end that is in order.
 */
#ifndef DAEMON_MQTT_SAVER_H
#define DAEMON_MQTT_SAVER_H

#include <uv.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/config.h"

struct saver {
	uv_loop_t *loop;
	const struct log *log;
	char path[CONFIG_PATH_SIZE + 32], new[CONFIG_PATH_SIZE + 32]; /* "": nothing is kept */
	uv_work_t work;
	struct bytes_writer text; /* the thread's, while there is one */
	struct bytes_writer next;
	bool writes; /* in the thread */
	bool waits; /* @next is to be written */
	bool failed; /* @next could not be written */
	struct error err; /* of the thread */
};

/* @folder "": nothing is kept. @name without its ending. */
void saver_init(struct saver *saver, uv_loop_t *loop, const struct log *log, const char *folder,
	const char *name);
/* *text is taken; it failed where there was no memory for it, which is logged. */
void saver_write(struct saver *saver, struct bytes_writer *text);
/* What could not be written is tried once more. */
void saver_try_again(struct saver *saver);
/* Is all on disk that can be? Else a turn of the loop follows that brings it nearer. */
bool saver_is_idle(const struct saver *saver);
/* Of one that is idle. */
void saver_deinit(struct saver *saver);

#endif
