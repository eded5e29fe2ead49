/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn - one connection of the Unix socket
 *
 * header -> body -> message -> header ...        HELLO comes first (docs/protocol.md)
 *
 * One read of up to CONN_READ_AHEAD_BYTES takes a header and what follows it, so a small request is
 * one read. The rest of a larger body is read into its request without a copy. A connection is read
 * only while its client has less than max-in-flight requests and replies open. Each header, body
 * and reply has a time limit. The memory lives until the last handle of the connection is closed.
 *
 * Replies are written to @pipe. Requests are read from @pipe until HELLO agrees on shared memory.
 * From then on they are read by recvmsg() when @poll reports data, because descriptors may come
 * along. @poll has a duplicate of the socket, because libuv watches a descriptor once.
 */
#ifndef DAEMON_EDGED_SOCKET_CONN_H
#define DAEMON_EDGED_SOCKET_CONN_H

#include <uv.h>

#include "base/wire/wire.h"
#include "daemon/edged/serve/client_session.h"
#include "daemon/edged/serve/region.h"
#include "daemon/edged/serve/reply.h"
#include "daemon/edged/serve/request.h"
#include "daemon/edged/socket/ring.h"
#include "daemon/edged/socket/server.h"

#define CONN_READ_AHEAD_BYTES 256 /* room for a header and a small body, in every connection */

enum conn_state {
	CONN_HELLO, /* only HELLO is accepted */
	CONN_OPEN,
	CONN_CLOSING, /* replies are being written, nothing is read */
	CONN_CLOSED, /* the handles are closing */
};

enum conn_part {
	CONN_HEADER,
	CONN_BODY, /* the body is read into @request */
	CONN_SKIP, /* the body of a refused request is thrown away */
};

/* The message that is being read. */
struct conn_input {
	enum conn_part part;
	int fd; /* descriptor for the next header; -1: none, FD_RECEIVE_LOST: it came but was lost */
	/* bytes read ahead, unused from @read_ahead_at to @read_ahead_end */
	uint8_t read_ahead[CONN_READ_AHEAD_BYTES];
	uint16_t read_ahead_at, read_ahead_end;
	/* inside consume_read_ahead(): conn_update() does nothing, its caller calls it afterwards */
	bool consuming_read_ahead;
	uint8_t bytes[WIRE_HEADER_BYTES];
	struct wire_header header;
	uint32_t n_received; /* bytes of the header or body received so far */
	struct request *request; /* request whose body is being read */
	bool validated; /* the head of the body was validated */
};

struct conn {
	struct pending_link pending; /* link of pending_reads.h; first member */
	struct conn *next, *prev; /* links of the list of connections */
	struct server *server;
	struct account *account; /* limits and counters of the peer's user */
	uv_pipe_t pipe;
	uv_timer_t timer;
	uv_poll_t poll;
	int poll_fd; /* duplicate of the socket; -1: @poll is not used */
	unsigned int open_handles;
	enum conn_state state;
	bool pre_hello; /* counted in server->n_pre_hello: no HELLO yet */
	struct {
		uid_t uid;
		pid_t pid; /* process that connected, for log lines; it may have ended */
		struct access_peer access;
	} peer;
	uint16_t minor; /* minor version of the protocol, the lower one of client and edged */
	uint64_t capabilities; /* WIRE_CAP_* that HELLO agreed on */
	struct {
		bool active; /* gets events of models with the id @id */
		uint64_t id;
	} subscription;
	struct client_sessions sessions;
	struct regions regions;
	struct ring *ring; /* ring of the connection; NULL: none */

	struct conn_input in;
	bool reading; /* @pipe or @poll is being read */
	bool eof; /* the client sends no more; closed when all requests are answered */
	bool send_failed; /* a reply could not be sent; closed in the loop's next turn */

	uint32_t in_flight; /* requests without an answer, with the one being read */
	uint32_t unsent; /* replies that are not written completely */
	uint64_t read_deadline_ms, write_deadline_ms; /* on the clock uv_now(); 0: none */
	struct queue_connection queue; /* this connection's part of the priority queue */
};

/* Changes the state. A connection leaves CONN_HELLO for good. */
void conn_enter(struct conn *conn, enum conn_state state);

/* Sets send_failed and CONN_CLOSING, for a connection that cannot be answered. Its timer closes it
 * in the loop's next turn, because the caller may be walking over the requests that closing frees. */
void conn_close_in_next_turn(struct conn *conn);

/* Handles bytes read ahead and requests in the ring. @pending: link of the connection. */
void conn_resume(struct pending_link *pending);

/* The client has closed its sending side. A client that still reads gets the answers to its
 * complete requests; then conn_is_done() is true and the timer closes the connection. */
void conn_on_eof(struct conn *conn);
bool conn_is_done(const struct conn *conn);

/* Closes at once and abandons the requests. */
void conn_close(struct conn *conn);

/* Closes after the replies that are being written; abandons the requests. */
void conn_close_after_replies(struct conn *conn);

/* Close callback of the connection's handles. */
void conn_on_closed(uv_handle_t *handle);

/* Starts or stops reading, pending reads and the timer as the connection's state demands. */
void conn_update(struct conn *conn);

/* Sends @err to the client, then closes. @header: of the offending message, as far as it is
 * known. */
void conn_drop(struct conn *conn, const struct wire_header *header, const struct error *err);
/* As conn_drop(), and counts an offence: broken framing or a missed time limit. */
void conn_drop_offender(
	struct conn *conn, const struct wire_header *header, const struct error *err);

/* ---- conn_admit.c: headers and rights */

/* Decodes conn->in.bytes into conn->in.header. -EPROTO, -EFBIG: the connection must be ended. */
int must_check conn_check_header(struct conn *conn, struct error *err);
/* Makes the request that @header begins. An error refuses the request and not the connection. */
int must_check conn_admit(struct conn *conn, const struct wire_header *header,
	struct request **ret_request, struct error *err);
/* -ESHUTDOWN with status DRAINING when edged is about to stop. */
int must_check conn_check_draining(const struct conn *conn, struct error *err);
/* -EACCES when the peer may not send requests of @class. */
int must_check conn_check_class(struct conn *conn, enum queue_class class, struct error *err);
/* conn_may(): the peer has @right. conn_may_use(): the peer may use @model. */
bool conn_may(struct conn *conn, enum access_right right);
bool conn_may_use(struct conn *conn, const char *model);

/* If @hello asks for shared memory, switches this connection to recvmsg(), which receives
 * descriptors. False when it does not ask, when max-shared-clients is reached, or on an error. */
bool conn_start_fd_passing(struct conn *conn, const struct wire_hello *hello);

/* ---- conn.c: requests */

/* True when another request may be taken. */
bool conn_has_room(const struct conn *conn);
/* Handles @request, which is complete. */
void conn_handle(struct conn *conn, struct request *request);
/* Counts @request in in_flight and records @conn as its client. */
void conn_add_request(struct conn *conn, struct request *request);

/* Tries to read a message now, without waiting for epoll; used while the loop busy-polls
 * (busy_poll.h). True after data, EOF or an error. Only for connections that pass descriptors. */
bool conn_busy_poll(struct conn *conn);

/* ---- conn_reply.c: replies
 *
 * Until it is written, a frame counts towards max-in-flight, and a body above 512 bytes is charged
 * to @account. */

/* answer() of serve.h: @peer is the connection. */
void conn_reply(void *context, struct reply *reply);
/* Sends an event to a subscriber. A client that lets too many frames pile up loses the connection. */
void conn_send_event(struct conn *conn, struct reply *reply);
/* Sends @err as the reply to the message with @header. Allocates only if the socket is full, so that
 * a refusal costs little. */
void conn_send_error(struct conn *conn, const struct wire_header *header, const struct error *err);
/* Sends a frame and takes its body. Returns 1 when the socket took all of it, 0 when the rest will be
 * written by the loop, or a negative errno: the connection must be closed. */
int must_check conn_frame_send(struct conn *conn, struct reply *reply);
/* Encodes the header of @reply. */
void conn_frame_header(const struct conn *conn, const struct reply *reply, uint8_t *ret_bytes);
/* Counts the frame that conn_ring_send() or conn_frame_send() has left to the loop, or calls
 * conn_close_in_next_turn(). @code: what they returned. */
void conn_handle_send_result(struct conn *conn, int code);
/* The time limit of a transfer: @timeout_ms, plus the time that @bytes take at 10 MB/s. */
uint64_t conn_transfer_ms(uint64_t timeout_ms, uint64_t bytes);

/* ---- conn_ring.c: the connection's ring */

/* Opens the ring of @shape (ring_open()), unless @conn has one. */
int must_check conn_ring_open(
	struct conn *conn, const struct wire_ring *shape, int *doorbell, struct error *err);
/* Takes requests while the connection has room for them: at least one, at most one per slot. The
 * time for this is shared with all other connections that have pending reads. */
void conn_ring_take(struct conn *conn);
/* Takes requests from the rings of all connections. True when there were any. */
bool conn_ring_poll(struct server *server);
/* Sends the reply to a request of the ring. Takes its body. Returns 1 when it is in the ring; else
 * what conn_frame_send() returns, which sends a body that is too large for a slot. */
int must_check conn_ring_send(struct conn *conn, struct reply *reply);

#endif
