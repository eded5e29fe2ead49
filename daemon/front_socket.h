/* SPDX-License-Identifier: Apache-2.0 */
/* front_socket - the Unix socket: listening and the list of connections */
#ifndef DAEMON_FRONT_SOCKET_H
#define DAEMON_FRONT_SOCKET_H

#include <stdbool.h>

#include <uv.h>

#include "daemon/conn.h"
#include "daemon/front.h"
#include "daemon/listen.h"

struct front_socket {
	struct front front;
	struct edged *edged;
	uv_pipe_t listener;
	uv_timer_t
		retry; /* of an accept for which there was no memory, or that is the next turn's */
	uint64_t accepted_ms; /* when the last one was, by the loop's clock */
	uint32_t n_accepted; /* at that time */
	bool listening;
	bool own_file; /* the socket's file is ours to remove */
	struct listen_file file;
	struct conn *first;
};

void front_socket_init(struct front_socket *socket);

/* For spin.h, @edged: takes what lies in rings, and @thoroughly also what the socket of who asked last may have. */
bool front_socket_look(void *edged, bool thoroughly);
void front_socket_sleep(void *edged, bool asleep);

#endif
