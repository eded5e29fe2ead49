/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/fd_receive.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"

union control {
	struct cmsghdr header; /* for the alignment of @bytes */
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* Takes the first descriptor and closes the others. Returns how many came. */
static unsigned int take_descriptors(struct msghdr *message, int *ret_fd)
{
	unsigned int n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		bool rights = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS;
		size_t count = rights ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
		for (size_t i = 0; i < count; i++, n++) {
			owned_fd int fd = -1;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (n == 0) {
				*ret_fd = take_fd(fd);
			}
		}
	}
	return n;
}

ssize_t fd_receive_bytes(int socket, void *data, size_t size, int *ret_fd)
{
	union control control;
	struct iovec place = {.iov_base = data, .iov_len = size};
	/* CMSG_LEN, not CMSG_SPACE: the padding would hold a second descriptor. */
	struct msghdr message = {.msg_iov = &place,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_LEN(sizeof(int))};
	ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	*ret_fd = -1;
	if (n < 0) {
		return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
	}
	owned_fd int fd = -1;
	const unsigned int taken = take_descriptors(&message, &fd);
	const bool more = message.msg_flags &
		MSG_CTRUNC; /* more descriptors than fit, or than the process can open */
	if (taken > 1 || (taken == 1 && more)) {
		return -EPROTO;
	}
	*ret_fd = more ? FD_RECEIVE_LOST : take_fd(fd);
	return n;
}
