/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sharing.h"

#include <fcntl.h>

#include "daemon/conn.h"
#include "daemon/edged.h"

/* Who may install has always room for it, whatever others do and whoever wants no regions. Of the
 * others none has more places than it leaves free. */
static bool has_room(const struct conn *conn)
{
	const struct edged *edged = conn->edged;
	return conn->uid == 0 || conn->uid == geteuid() ||
		(edged->config.max_regions > 0 &&
			(uint64_t)edged->n_sharing + conn->account->n_sharing <
				edged->config.max_shared_clients);
}

bool sharing_begin(struct conn *conn, const struct wire_hello *hello)
{
	struct edged *edged = conn->edged;
	int fd = -1;
	bool wanted = hello->major == WIRE_MAJOR && hello->minor >= 2 &&
		hello->capabilities & WIRE_CAP_SHARED_MEMORY;
	if (!wanted || !has_room(conn) || uv_fileno((uv_handle_t *)&conn->pipe, &fd) < 0) {
		return false;
	}
	conn->poll_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (conn->poll_fd < 0 || uv_poll_init(&edged->loop, &conn->poll, conn->poll_fd) < 0) {
		own_close_fd(&conn->poll_fd);
		conn->poll_fd = -1;
		return false;
	}
	conn->poll.data = conn;
	conn->open_handles++;
	edged->n_sharing++;
	conn->account->n_sharing++;
	if (conn->reading) {
		uv_read_stop((uv_stream_t *)&conn->pipe);
		conn->reading = false; /* update() starts the other */
	}
	return true;
}

uint64_t sharing_capabilities(const struct wire_hello *hello)
{
	return WIRE_CAP_SHARED_MEMORY | (hello->minor >= 3 ? WIRE_CAP_RINGS : 0);
}
