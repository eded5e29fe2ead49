/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn - one connection of the Unix socket
 *
 *   header -> body -> message -> header ...        HELLO comes first (docs/protocol.md)
 *
 * Bytes are read only into the place where they belong, and only while the client has less than
 * max-in-flight requests and replies open. Each header, body and reply has its time. The memory
 * lives until the last of the connection's handles is closed.
 *
 * Replies go out by @pipe. Requests come in by it too, until HELLO agrees on shared memory: from then
 * on they are read by recvmsg() when @poll says so, because descriptors come along. libuv watches a
 * descriptor once, so @poll has a duplicate.
 */
#ifndef DAEMON_CONN_H
#define DAEMON_CONN_H

#include <uv.h>

#include "base/wire.h"
#include "daemon/account.h"
#include "daemon/client_session.h"
#include "daemon/front.h"
#include "daemon/region.h"
#include "daemon/request.h"
#include "daemon/sched.h"

enum conn_state {
	CONN_HELLO, /* nothing but HELLO is accepted */
	CONN_OPEN,
	CONN_CLOSING, /* the last reply is being written, nothing is read */
	CONN_CLOSED, /* handles are closing */
};

enum conn_part {
	CONN_HEADER,
	CONN_BODY, /* into @request */
	CONN_SKIP, /* a refused request's body is thrown away */
};

struct conn {
	struct conn *next, *prev; /* the front's list */
	struct conn **list;
	struct edged *edged;
	const struct front *front;
	struct account *account;
	uv_pipe_t pipe;
	uv_timer_t timer;
	uv_poll_t poll;
	int poll_fd; /* -1: @poll is not used */
	unsigned int open_handles;
	enum conn_state state;
	uid_t uid;
	uint16_t minor; /* of the client's protocol */
	uint64_t capabilities; /* that HELLO agreed on: WIRE_CAP_* */
	struct client_sessions sessions;
	struct regions regions;

	enum conn_part part;
	bool reading; /* the pipe, or @poll, is being read */
	int fd; /* came with the header that is being read; -1: none */
	uint8_t bytes[WIRE_HEADER_BYTES];
	struct wire_header header;
	uint32_t got; /* bytes of the part that are there */
	struct request *request; /* whose body is being read */
	bool judged;
	bool broken; /* a reply could not be made: closed in the loop's next turn */

	uint32_t in_flight; /* requests without an answer, the one being read too */
	uint32_t unsent; /* replies that are not written yet */
	uint64_t read_by_ms, write_by_ms; /* of the loop's clock; 0: no limit */
	struct sched_line line;
};

/*
 * Takes the connection that waits at @listener. On error it has been accepted, told why if it could
 * be, and closed.
 */
int must_check conn_accept(uv_stream_t *listener, struct edged *edged, const struct front *front,
	struct conn **list, struct error *err);

/* Reads in the way that descriptors need, if @hello wants shared memory, from the next byte on. False
 * when that cannot be: what a client says then brings none. */
bool conn_share(struct conn *conn, const struct wire_hello *hello);

/* Closes at once; requests are abandoned. */
void conn_close(struct conn *conn);

/* Lets the replies that are on their way go out, then closes. */
void conn_close_after_replies(struct conn *conn);

/* A frame that was not written at once has been now, or not: its memory is gone. */
void conn_sent(struct conn *conn, bool ok);

/* A front's reply(): @peer is the connection. */
void conn_reply(void *peer, struct reply *reply);

#endif
