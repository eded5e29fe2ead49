/* SPDX-License-Identifier: Apache-2.0 */
/* receive - the bytes of a stream socket, with the descriptor that may come along */
#ifndef DAEMON_RECEIVE_H
#define DAEMON_RECEIVE_H

#include <stddef.h>
#include <sys/types.h>

#define RECEIVE_LOST (-2) /* a descriptor came, and none was free to take it */

/*
 * Up to @size bytes without waiting: how many, 0 at the end, -EAGAIN when none are there, another
 * negative errno when the connection is lost. *ret_fd becomes the descriptor that came with them, the
 * caller's, or -1, or RECEIVE_LOST. -EPROTO when there was more than one: then nothing is left of them.
 */
ssize_t receive_bytes(int socket, void *data, size_t size, int *ret_fd);

#endif
