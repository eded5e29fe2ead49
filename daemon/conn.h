/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn - one connection of the Unix socket
 *
 *   header -> body -> message -> header ...        HELLO comes first (docs/protocol.md)
 *
 * Bytes are read into the place where they belong, but a header with a little that may follow it: a
 * small request is one read. They are read only while the client has less than max-in-flight requests
 * and replies open. Each header, body and reply has its time. The memory
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
#include "daemon/access.h"
#include "daemon/account.h"
#include "daemon/client_session.h"
#include "daemon/front.h"
#include "daemon/region.h"
#include "daemon/request.h"
#include "daemon/sched.h"

#define CONN_AHEAD 256 /* a header and a small body; not more, since each connection has them */

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
	struct conn *more_next, **more_at; /* more.h; NULL: it is not there */
	struct edged *edged;
	const struct front *front;
	struct account *account;
	uv_pipe_t pipe;
	uv_timer_t timer;
	uv_poll_t poll;
	int poll_fd; /* -1: @poll is not used */
	unsigned int open_handles;
	enum conn_state state;
	bool greeting; /* counted as one that has not said HELLO */
	uid_t uid;
	pid_t pid; /* that connected: for people, who may have gone */
	struct access_peer access;
	uint16_t minor; /* of the protocol, the lower one */
	uint64_t capabilities; /* that HELLO agreed on: WIRE_CAP_* */
	bool subscribed; /* to states of models, under the id @subscription */
	uint64_t subscription;
	struct client_sessions sessions;
	struct regions regions;
	struct ring *ring; /* NULL: none */

	enum conn_part part;
	bool reading; /* the pipe, or @poll, is being read */
	int fd; /* came with what was read, and is for the next header; -1: none, RECEIVE_LOST: it is lost */
	uint8_t ahead
		[CONN_AHEAD]; /* read with a header, from @ahead_at to @ahead_end not used yet */
	uint16_t ahead_at, ahead_end;
	bool using_ahead; /* update() comes after that */
	uint8_t bytes[WIRE_HEADER_BYTES];
	struct wire_header header;
	uint32_t got; /* bytes of the part that are there */
	struct request *request; /* whose body is being read */
	bool judged;
	bool ended; /* no more will come: closed when all that was asked is answered */
	bool broken; /* a reply could not be made: closed in the loop's next turn */

	uint32_t in_flight; /* requests without an answer, the one being read too */
	uint32_t unsent; /* replies that are not written yet */
	uint64_t read_by_ms, write_by_ms; /* of the loop's clock; 0: no limit */
	struct queue_line line;
};

/* The state is another one from now on. */
void conn_enter(struct conn *conn, enum conn_state state);

/* For a connection that cannot be answered. Its timer closes it: whoever answers may be walking over the
 * requests that closing frees. */
void conn_break(struct conn *conn);

/* Goes on with what is there already: more.h. */
void conn_go_on(struct conn *conn);

/* Its client has sent its last byte. One that still reads gets the answers to what came whole; then it is
 * done, and its timer closes it. */
void conn_end(struct conn *conn);
bool conn_is_done(const struct conn *conn);

/* Closes at once; requests are abandoned. */
void conn_close(struct conn *conn);

/* Lets the replies that are on their way go out, then closes. */
void conn_close_after_replies(struct conn *conn);

/* A frame that was not written at once has been now, or not: its memory is gone. */
void conn_sent(struct conn *conn, bool ok);

/* Sends what nobody asked for. A connection that does not take it will be closed. */
void conn_tell(struct conn *conn, struct reply *reply);

/* Reads, and looks for more to do, while something is wanted. */
void conn_update(struct conn *conn);

/* What sending a frame came to: what frame_send() returned. A connection for which there is no memory will be
 * closed. */
void conn_note_sent(struct conn *conn, int code);

/* Ends the connection, which is told why; @header: of the message that is to blame, as far as it is known. */
void conn_drop(struct conn *conn, const struct wire_header *header, const struct error *err);
/* The same for breaking the protocol's framing, or a time: an offence. */
void conn_refuse(struct conn *conn, const struct wire_header *header, const struct error *err);

/* For requests in the connection's ring: whether another may be taken; one is there. */
bool conn_has_room(const struct conn *conn);
void conn_begin(struct conn *conn, struct request *request);

/* Reads what may have come to its socket before the loop tells. True when something had. */
bool conn_look(struct conn *conn);

/* For its handles. */
void conn_on_closed(uv_handle_t *handle);

/* A front's reply(): @peer is the connection. */
void conn_reply(void *peer, struct reply *reply);

#endif
