/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lib/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

struct channel_frame {
	struct channel_frame *next;
	uint8_t header[WIRE_HEADER_BYTES];
	struct bytes_writer body;
	size_t sent; /* bytes of header and body */
	int fd; /* owned, sent with the first byte; -1: none, or sent */
};

union control {
	struct cmsghdr header; /* gives the union the alignment of cmsghdr */
	char bytes[CMSG_SPACE(sizeof(int))];
};

void channel_init(struct channel *channel, int fd)
{
	*channel = (struct channel){.fd = fd, .last = &channel->first};
}

bool channel_wait(struct channel *channel, uint32_t timeout_ms)
{
	const struct timeval time = {.tv_sec = (time_t)(timeout_ms / 1000),
		.tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000)};
	if (channel->wait_ms != timeout_ms) {
		if (setsockopt(channel->fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) < 0) {
			return false;
		}
		channel->wait_ms = timeout_ms;
	}
	channel->may_wait = true;
	return true;
}

static void pop_frame(struct channel *channel)
{
	struct channel_frame *frame = channel->first;
	channel->first = frame->next;
	if (!channel->first) {
		channel->last = &channel->first;
	}
	channel->queued_bytes -= WIRE_HEADER_BYTES + frame->body.size;
	bytes_writer_deinit(&frame->body);
	own_close_fd(&frame->fd);
	free(frame);
}

void channel_deinit(struct channel *channel)
{
	while (channel->first) {
		pop_frame(channel);
	}
	free(channel->body);
	channel->body = NULL;
	if (channel->fd >= 0) {
		close(channel->fd);
		channel->fd = -1;
	}
}

static int check_room(
	const struct channel *channel, const struct bytes_writer *body, struct error *err)
{
	if (body->too_long) {
		return error_set(err, -EINVAL, "a name has at most %d bytes", UINT16_MAX);
	}
	if (body->failed) {
		return error_no_memory(err);
	}
	if (body->size > UINT32_MAX) {
		return error_set(err, -EFBIG, "a message of %zu bytes", body->size);
	}
	if (channel->queued_bytes + body->size > CHANNEL_MAX_QUEUED) {
		return error_set(err, -EAGAIN, "%llu bytes wait to be sent",
			(unsigned long long)channel->queued_bytes);
	}
	return 0;
}

/* Allocates a frame without content. */
static int frame_new(int fd, struct channel_frame **ret_frame, struct error *err)
{
	owned_fd int own = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (fd >= 0 && own < 0) {
		return error_set(err, -errno, "the descriptor: %s", strerror(errno));
	}
	struct channel_frame *frame = calloc(1, sizeof(*frame));
	if (!frame) {
		return error_no_memory(err);
	}
	frame->fd = take_fd(own);
	*ret_frame = frame;
	return 0;
}

int channel_queue(struct channel *channel, const struct wire_header *header,
	struct bytes_writer *body, int fd, struct error *err)
{
	struct wire_header complete = *header;
	struct channel_frame *frame = NULL;
	int r = check_room(channel, body, err);
	r = r < 0 ? r : frame_new(fd, &frame, err);
	if (!frame) {
		bytes_writer_deinit(body);
		return r;
	}
	complete.body_bytes = (uint32_t)body->size;
	wire_header_encode(&complete, frame->header);
	frame->body = *body;
	*body = (struct bytes_writer){0};
	channel->queued_bytes += WIRE_HEADER_BYTES + frame->body.size;
	*channel->last = frame;
	channel->last = &frame->next;
	return 0;
}

static void add_descriptor(struct msghdr *message, union control *control, int fd)
{
	memset(control, 0, sizeof(*control));
	message->msg_control = control->bytes;
	message->msg_controllen = sizeof(control->bytes);
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(fd)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

/* Returns the number of bytes sent, or a negative errno. */
static ssize_t send_frame(int fd, struct channel_frame *frame)
{
	union control control;
	size_t of_header = frame->sent < WIRE_HEADER_BYTES ? frame->sent : WIRE_HEADER_BYTES;
	size_t of_body = frame->sent - of_header;
	struct iovec parts[2] = {
		{(void *)(uintptr_t)(frame->header + of_header), WIRE_HEADER_BYTES - of_header},
		{frame->body.data ? frame->body.data + of_body : NULL, frame->body.size - of_body},
	};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	if (frame->fd >= 0) {
		add_descriptor(&message, &control, frame->fd);
	}
	ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0) {
		own_close_fd(&frame->fd);
		frame->fd = -1;
	}
	return n < 0 ? -errno : n;
}

int channel_send(struct channel *channel, struct error *err)
{
	while (channel_wants_to_send(channel)) {
		struct channel_frame *frame = channel->first;
		ssize_t n = send_frame(channel->fd, frame);
		if (n == -EAGAIN || n == -EWOULDBLOCK) {
			return 0;
		}
		if (n == -EPIPE || n == -ECONNRESET) {
			channel->shut = true;
			return 0;
		}
		if (n < 0 && n != -EINTR) {
			return error_set(err, -ENOTCONN, "send: %s", strerror((int)-n));
		}
		frame->sent += n > 0 ? (size_t)n : 0;
		if (frame->sent == WIRE_HEADER_BYTES + frame->body.size) {
			pop_frame(channel);
		}
	}
	return 0;
}

/* Like recv(). A short read fetches CHANNEL_AHEAD bytes and keeps the rest. */
static ssize_t receive_some(struct channel *channel, void *data, size_t size)
{
	if (!channel_has_more(channel) && size >= sizeof(channel->ahead)) {
		return recv(channel->fd, data, size, MSG_DONTWAIT);
	}
	if (!channel_has_more(channel)) {
		const int flags = channel->may_wait ? 0 : MSG_DONTWAIT;
		channel->may_wait = false;
		ssize_t n = recv(channel->fd, channel->ahead, sizeof(channel->ahead), flags);
		if (n <= 0) {
			return n;
		}
		channel->ahead_at = 0;
		channel->ahead_end = (size_t)n;
	}
	size_t there = channel->ahead_end - channel->ahead_at;
	size = size < there ? size : there;
	memcpy(data, channel->ahead + channel->ahead_at, size);
	channel->ahead_at += size;
	return (ssize_t)size;
}

/* Returns 1 when *at has reached @size, 0 when bytes are missing. @data NULL: the bytes are
 * dropped. */
static int receive_into(
	struct channel *channel, void *data, size_t size, size_t *at, struct error *err)
{
	uint8_t nowhere[CHANNEL_AHEAD];
	while (*at < size) {
		const size_t left = size - *at,
			     skipped = left < sizeof(nowhere) ? left : sizeof(nowhere);
		ssize_t n = data ? receive_some(channel, (uint8_t *)data + *at, left)
				 : receive_some(channel, nowhere, skipped);
		if (n == 0) {
			return error_set(err, -ENOTCONN, "the daemon closed the connection");
		}
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			return 0;
		}
		if (n < 0 && errno != EINTR) {
			return error_set(err, -ENOTCONN, "receive: %s", strerror(errno));
		}
		*at += n > 0 ? (size_t)n : 0;
	}
	return 1;
}

static int begin_body(struct channel *channel, struct error *err)
{
	int r = wire_header_decode(channel->header_bytes, &channel->header, err);
	if (r < 0) {
		return r;
	}
	bool infer = channel->header.type == (WIRE_INFER | WIRE_REPLY);
	uint32_t most = infer ? CHANNEL_MAX_BODY : CHANNEL_MAX_OTHER_BODY;
	if (channel->header.body_bytes > most) {
		return error_set(err, -EPROTO, "a reply of %u bytes, limit %u",
			channel->header.body_bytes, most);
	}
	size_t room =
		(size_t)bytes_align_up((uint64_t)channel->header.body_bytes + 1, WIRE_ALIGNMENT);
	channel->body = aligned_alloc(WIRE_ALIGNMENT, room);
	channel->body_at = 0;
	channel->in_body = true;
	return 0;
}

int channel_receive(
	struct channel *channel, struct wire_header *ret_header, void **ret_body, struct error *err)
{
	if (!channel->in_body) {
		int r = receive_into(channel, channel->header_bytes, WIRE_HEADER_BYTES,
			&channel->header_at, err);
		r = r <= 0 ? r : begin_body(channel, err);
		if (r < 0 || !channel->in_body) {
			return r;
		}
	}
	int r = receive_into(
		channel, channel->body, channel->header.body_bytes, &channel->body_at, err);
	if (r <= 0) {
		return r;
	}
	*ret_header = channel->header;
	*ret_body = take(channel->body);
	channel->in_body = false;
	channel->header_at = 0;
	return 1;
}
