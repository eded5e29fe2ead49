/* SPDX-License-Identifier: Apache-2.0 */
/* fd_receive - reads a stream socket, with a descriptor that was passed by SCM_RIGHTS */
#ifndef DAEMON_EDGED_SOCKET_FD_RECEIVE_H
#define DAEMON_EDGED_SOCKET_FD_RECEIVE_H

#include <stddef.h>
#include <sys/types.h>

#define FD_RECEIVE_LOST (-2) /* a descriptor came, but the process has no free slot for it */

/*
 * Reads up to @size bytes without waiting. Returns the number of bytes; 0 at the end; -EAGAIN when
 * none are there; -EPROTO when more than one descriptor came, which are closed; another negative
 * errno when the connection is lost. *ret_fd becomes the descriptor that came, the caller's; -1
 * when none came; or FD_RECEIVE_LOST.
 */
ssize_t fd_receive_bytes(int socket, void *data, size_t size, int *ret_fd);

#endif
