/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel - whole frames over a stream socket, which waits only where it is told to
 *
 * Frames to send wait in a queue; a frame that comes is collected in memory aligned for tensors.
 * The peer's numbers are bounded before anything is allocated by them.
 */
#ifndef CLIENT_CHANNEL_H
#define CLIENT_CHANNEL_H

#include "base/wire.h"

#define CHANNEL_MAX_BODY (256u << 20) /* of a reply to INFER */
#define CHANNEL_MAX_OTHER_BODY (16u << 20) /* of every other reply */
#define CHANNEL_MAX_QUEUED (512u << 20) /* bytes that wait to be sent */
#define CHANNEL_AHEAD 2048 /* bytes that are asked for at least: a small frame is one call */

struct channel_frame; /* one that waits to be sent */

struct channel {
	int fd; /* owned; -1: closed */
	struct channel_frame *first, **last;
	uint64_t queued_bytes;
	bool may_wait; /* the next receive may, once, for up to @wait_ms */
	uint32_t wait_ms; /* that the socket was told; 0: without end */
	bool shut; /* the peer reads no more, but may still have said why */

	uint8_t ahead[CHANNEL_AHEAD]; /* received, and not looked at from @ahead_at to @ahead_end */
	size_t ahead_at, ahead_end;
	uint8_t header_bytes[WIRE_HEADER_BYTES];
	size_t header_at;
	struct wire_header header;
	uint8_t *body; /* owned, WIRE_ALIGNMENT; NULL: none comes, or there is no memory for it */
	size_t body_at;
	bool in_body; /* the header is complete */
};

/* @fd belongs to the channel. */
void channel_init(struct channel *channel, int fd);
void channel_deinit(struct channel *channel);

/* Queues a frame; @header->body_bytes is set here. @body is taken, also on failure: -EAGAIN above
 * CHANNEL_MAX_QUEUED, -EFBIG for a body above 4 GiB, -ENOMEM also for a body that failed. @fd, if it
 * is not -1, goes along as a duplicate. */
int must_check channel_queue(struct channel *channel, const struct wire_header *header,
	struct bytes_writer *body, int fd, struct error *err);

static inline bool channel_wants_to_send(const struct channel *channel)
{
	return channel->first && !channel->shut;
}

/* True while received bytes wait here, where poll() does not see them. */
static inline bool channel_has_more(const struct channel *channel)
{
	return channel->ahead_at < channel->ahead_end;
}

/* Lets the next receive wait for its first bytes, for up to @timeout_ms (0: without end): a call less than
 * poll() before it. False where the socket cannot. */
bool channel_wait(struct channel *channel, uint32_t timeout_ms);

/* Sends what can be. -ENOTCONN when the connection is gone. */
int must_check channel_send(struct channel *channel, struct error *err);

/*
 * Collects one frame. 1: it is complete, *ret_header and the body, which the caller frees, are
 * filled; a body for which there was no memory is left out, and NULL. 0: more has to come. -ENOTCONN
 * when the connection is gone, -EPROTO for what is no frame.
 */
int must_check channel_receive(struct channel *channel, struct wire_header *ret_header,
	void **ret_body, struct error *err);

#endif
