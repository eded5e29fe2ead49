/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc_floor - what the machine makes a question cost, whoever answers it
 *
 * A second process that does nothing but answer, with the fewest system calls by which it can be asked: some bytes
 * over a socketpair; the two wake-ups of a ring (lane.h), by the very calls that edged and its client make for them; words
 * in shared memory that both look at and give way to the other one; or that both look at without sleep.
 */
#ifndef CLIENT_IPC_FLOOR_H
#define CLIENT_IPC_FLOOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum ipc_floor_kind {
	IPC_FLOOR_BYTES,
	IPC_FLOOR_RING,
	IPC_FLOOR_WAYS,
	IPC_FLOOR_SPIN,
};

struct ipc_floor_words;

struct ipc_floor {
	enum ipc_floor_kind kind;
	uint32_t bytes_there, bytes_back; /* of IPC_FLOOR_BYTES, 1 at least; others: not used */
	int fd; /* this end of the socketpair, or the eventfd */
	void *bytes; /* room for either */
	struct ipc_floor_words
		*words; /* shared with the other process; NULL: it is the socketpair */
	pid_t pid;
};

/* Starts the other process, after kind and bytes were set and all else is 0; ipc_floor_stop() also after a failure. -errno. */
int must_check ipc_floor_start(struct ipc_floor *floor, struct error *err);
/* There and back again. -EIO when the other process has gone. */
int must_check ipc_floor_ask(const struct ipc_floor *floor, struct error *err);
void ipc_floor_stop(struct ipc_floor *floor);

#endif
