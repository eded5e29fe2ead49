/* SPDX-License-Identifier: Apache-2.0 */
/* process - limits and memory settings of the process */
#ifndef DAEMON_SYSTEM_PROCESS_H
#define DAEMON_SYSTEM_PROCESS_H

#include <uv.h>

#include "base/log.h"

/* Sets the allocator to one heap for all threads that returns freed memory to the system. */
void process_tune_memory(void);

/* Sets the limit of open files for *max_clients connections, of which *max_shared need three
 * descriptors; lowers the limit if it was higher. If the system allows fewer, reduces both numbers
 * and logs a warning. */
void process_reserve_files(uint64_t *max_clients, uint64_t *max_shared, const struct log *log);

/* Grows libuv's table of watchers to the highest possible descriptor. libuv aborts if growing
 * fails, so it happens at the start, where a failure is harmless. */
void process_warm_loop(uv_loop_t *loop);

/* Returns the resident memory of this process in bytes; 0: not known. */
uint64_t process_resident_bytes(void);

/* Starts @timer, which returns freed memory to the system within about a second. */
void process_trim_later(uv_timer_t *timer);

#endif
