/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc_floor - what the machine makes a question cost, whoever answers it
 *
 * A second process that does nothing but answer, with the fewest system calls by which it can be asked: 64 bytes
 * over a socketpair, or an eventfd on the way there and a futex on the way back, as in a ring (lane.h).
 */
#ifndef CLIENT_IPC_FLOOR_H
#define CLIENT_IPC_FLOOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct ipc_floor {
	int fd; /* this end of the socketpair, or the eventfd */
	atomic_uint *answered; /* shared with the other process; NULL: it is the socketpair */
	pid_t pid;
};

/* Starts the other process; ipc_floor_stop() also after a failure. -errno. */
int must_check ipc_floor_start(struct ipc_floor *floor, bool as_ring, struct error *err);
/* There and back again. -EIO when the other process has gone. */
int must_check ipc_floor_ask(const struct ipc_floor *floor, struct error *err);
void ipc_floor_stop(struct ipc_floor *floor);

#endif
