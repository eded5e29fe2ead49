/* SPDX-License-Identifier: Apache-2.0 */
/* log_to - a log whose lines a unit test reads */
#ifndef TESTS_UNIT_DAEMON_LOG_TO_H
#define TESTS_UNIT_DAEMON_LOG_TO_H

#include "base/log.h"

/* Lines go to @fd, which is kept by the caller. */
static inline void log_to(struct log *log, int fd, enum log_level level)
{
	*log = (struct log){.journal = -1,
		.level = (int)level,
		.own = {.mutex = PTHREAD_MUTEX_INITIALIZER, .fd = fd}};
	log->output = &log->own;
}

#endif
