/* SPDX-License-Identifier: Apache-2.0 */
/* process - what the process asks of its system once, at its start, and memory given back later */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

#include <uv.h>

#include "base/log.h"

/* Freed memory goes back to the system; one heap for all threads. */
void process_tune_memory(void);

/* The limit of open files becomes what *max_clients need, of which *max_shared need three, also if it
 * was higher; where the system gives fewer, both shrink and a warning says so. */
void process_reserve_files(uint64_t *max_clients, uint64_t *max_shared, const struct log *log);

/*
 * libuv aborts when it has no memory for its table of watchers, which grows with the highest
 * descriptor. So the highest there can be is watched once, now, where a failure harms nobody.
 */
void process_warm_loop(uv_loop_t *loop);

/* Gives freed memory back within a second or so, by @timer. */
void process_trim_later(uv_timer_t *timer);

#endif
