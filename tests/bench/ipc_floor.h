/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc_floor - measures the machine's lower bound for a round trip between two processes
 *
 * A child process answers each request with as few system calls as possible: bytes over a
 * socketpair; the two wakeups of a ring (ring_client.h), with the system calls that edged and its
 * client use; words in shared memory polled with sched_yield(); words in shared memory polled
 * without a pause.
 */
#ifndef TESTS_BENCH_IPC_FLOOR_H
#define TESTS_BENCH_IPC_FLOOR_H

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
	/* bytes of a request and a reply; at least 1 for IPC_FLOOR_BYTES, else unused */
	uint32_t bytes_there, bytes_back;
	int fd; /* this end of the socketpair, or the eventfd */
	void *bytes; /* buffer for a request or a reply */
	struct ipc_floor_words *words; /* shared with the child; NULL with a socketpair */
	pid_t pid;
};

/* Starts the child process. The caller has set kind and bytes, all else is 0. Call
 * ipc_floor_stop() also after a failure. */
int must_check ipc_floor_start(struct ipc_floor *floor, struct error *err);
/* One round trip. -EIO: the child has ended. */
int must_check ipc_floor_ask(const struct ipc_floor *floor, struct error *err);
void ipc_floor_stop(struct ipc_floor *floor);

#endif
