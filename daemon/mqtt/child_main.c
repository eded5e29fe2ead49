/* SPDX-License-Identifier: Apache-2.0 */
/* The child's end of child.h: blocking, one frame after the other. */
#include <errno.h>
#include <unistd.h>

#include "daemon/mqtt/child.h"

#define PIPE 0

static bool read_all(void *data, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = read(PIPE, (char *)data + at, size - at);
		if (n == 0 || (n < 0 && errno != EINTR)) {
			return false;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

uint8_t *child_read(size_t *ret_size)
{
	uint32_t bytes = 0;
	if (!read_all(&bytes, sizeof(bytes))) {
		return NULL;
	}
	owned_mem uint8_t *body = malloc(bytes ? bytes : 1);
	if (!body || !read_all(body, bytes)) {
		return NULL;
	}
	*ret_size = bytes;
	return take(body);
}

bool child_write(struct bytes_writer *frame)
{
	const uint32_t bytes = (uint32_t)(frame->size - CHILD_HEAD_BYTES);
	if (frame->failed) {
		return false;
	}
	memcpy(frame->data, &bytes, sizeof(bytes));
	for (size_t at = 0; at < frame->size;) {
		ssize_t n = write(PIPE, frame->data + at, frame->size - at);
		if (n < 0 && errno != EINTR) {
			return false;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}
