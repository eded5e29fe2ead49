/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel - frames over a stream socket
 *
 * Frames to send wait in a queue. A received frame is collected in memory aligned for tensors.
 * Calls do not block, except a receive after channel_wait(). Sizes sent by the peer are checked
 * against the limits below before memory is allocated.
 */
#ifndef CLIENT_LIB_CHANNEL_H
#define CLIENT_LIB_CHANNEL_H

#include "base/wire/wire.h"

#define CHANNEL_MAX_BODY (256u << 20) /* most body bytes of a reply to INFER */
#define CHANNEL_MAX_OTHER_BODY (16u << 20) /* most body bytes of any other reply */
#define CHANNEL_MAX_QUEUED (512u << 20) /* most bytes in the send queue */
#define CHANNEL_AHEAD 2048 /* bytes of one receive, so that a small frame takes one system call */

struct channel_frame; /* a frame in the send queue */

struct channel {
	int fd; /* owned; -1: closed */
	struct channel_frame *first, **last;
	uint64_t queued_bytes;
	bool may_wait; /* the next receive may block once, for up to @wait_ms */
	uint32_t wait_ms; /* receive timeout set on the socket, in ms; 0: none */
	bool shut; /* the peer reads no more; its last messages can still be received */

	/* received bytes; [@ahead_at, @ahead_end) are not parsed yet */
	uint8_t ahead[CHANNEL_AHEAD];
	size_t ahead_at, ahead_end;
	uint8_t header_bytes[WIRE_HEADER_BYTES];
	size_t header_at;
	struct wire_header header;
	/* owned, aligned to WIRE_ALIGNMENT; NULL: no body, or no memory for the body */
	uint8_t *body;
	size_t body_at;
	bool in_body; /* the header is complete, the body is being received */
};

/* The channel owns @fd. */
void channel_init(struct channel *channel, int fd);
void channel_deinit(struct channel *channel);

/* Queues a frame and sets @header->body_bytes. Takes @body, also on failure. Sends a duplicate
 * of @fd with the frame, unless @fd is -1. -EAGAIN: CHANNEL_MAX_QUEUED is reached. -EFBIG: the
 * body is larger than 4 GiB. -ENOMEM: no memory, or @body has failed. */
int must_check channel_queue(struct channel *channel, const struct wire_header *header,
	struct bytes_writer *body, int fd, struct error *err);

static inline bool channel_wants_to_send(const struct channel *channel)
{
	return channel->first && !channel->shut;
}

/* True while received bytes wait in @channel, where poll() does not see them. */
static inline bool channel_has_more(const struct channel *channel)
{
	return channel->ahead_at < channel->ahead_end;
}

/* Lets the next receive block for its first bytes, for up to @timeout_ms (0: no limit). This
 * saves a call of poll(). Returns false if the socket does not support it. */
bool channel_wait(struct channel *channel, uint32_t timeout_ms);

/* Sends queued frames without blocking. -ENOTCONN: the connection is lost. */
int must_check channel_send(struct channel *channel, struct error *err);

/*
 * Receives bytes and collects one frame. Returns
 *
 *   1            the frame is complete: *ret_header and *ret_body are filled. The caller frees the
 *                body. It is NULL if there was no memory for it.
 *   0            the frame is incomplete
 *   -ENOTCONN    the connection is lost
 *   -EPROTO      the bytes are not a frame
 */
int must_check channel_receive(struct channel *channel, struct wire_header *ret_header,
	void **ret_body, struct error *err);

#endif
