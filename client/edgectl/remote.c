/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/remote.h"

#include <errno.h>
#include <string.h>

int remote_error(const struct edge_client_error *from, struct error *err)
{
	err->code = from->code;
	err->status = (enum edge_status)from->status;
	_Static_assert(sizeof(err->text) == sizeof(from->text), "the same text");
	memcpy(err->text, from->text, sizeof(err->text));
	return from->code;
}

int remote_open(
	const char *socket, uint32_t timeout_ms, struct edge_client **ret_client, struct error *err)
{
	struct edge_client_error why = {0};
	char shown[120];
	const char *named = getenv("EDGED_SOCKET");
	const char *path = socket ? socket : named && named[0] ? named : EDGE_CLIENT_DEFAULT_SOCKET;
	int r = edge_client_open(path, remote_timeout_ms(timeout_ms), ret_client, &why);
	if (r < 0) {
		remote_error(&why, err);
		/* No daemon can listen on an invalid socket path. */
		err->code = r == -EINVAL ? -ENOTCONN : err->code;
		error_prefix(err, "%s", error_escape(shown, sizeof(shown), path, strlen(path)));
	}
	return r;
}

int remote_store(const char *socket, uint32_t timeout_ms, enum edge_client_store_verb verb,
	const char *model, const char *argument, int fd, char **ret_text, struct error *err)
{
	owned(edge_client_close) struct edge_client *client = NULL;
	struct edge_client_error why = {0};
	int r = remote_open(socket, timeout_ms, &client, err);
	if (r == 0 &&
		edge_client_store_fd(
			client, verb, model, argument, fd, timeout_ms, ret_text, &why) < 0) {
		r = remote_error(&why, err);
	}
	return r;
}
