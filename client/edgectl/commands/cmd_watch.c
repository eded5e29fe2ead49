/* SPDX-License-Identifier: Apache-2.0 */
/* watch: changes of the daemon's models, one a line, until interrupted. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"
#include "client/pipeline/json_builder.h"

struct watch {
	const struct cli_settings *settings;
	int result; /* error of printing */
};

static int print_json(const struct edge_client_list_item *item)
{
	owned_json struct json_document *one = json_builder_document_new(false);
	json_builder_put_text(one, "name", item->name);
	json_builder_put_text(one, "version", item->version);
	json_builder_put_text(one, "state", item->state);
	if (item->reason[0]) {
		json_builder_put_text(one, "reason", item->reason);
	}
	json_builder_put_integer(one, "generation", (int64_t)item->generation);
	return json_builder_print(one, stdout, false);
}

static void print_line(const struct edge_client_list_item *item)
{
	char name[128], version[64], state[64], reason[512];
	error_escape(name, sizeof(name), item->name, strlen(item->name));
	error_escape(version, sizeof(version), item->version, strlen(item->version));
	error_escape(state, sizeof(state), item->state, strlen(item->state));
	error_clean(reason, sizeof(reason), item->reason, strlen(item->reason));
	printf("%s %s %s%s%s\n", name, version[0] ? version : "-", state, reason[0] ? ": " : "",
		reason);
}

/* Flushes each change, also to a pipe. */
static void on_models(void *data, const struct edge_client_list *list)
{
	struct watch *watch = data;
	bool table = watch->settings->format == CLI_FORMAT_TABLE;
	for (size_t i = 0; i < list->n_items && watch->result == 0; i++) {
		if (table) {
			print_line(&list->items[i]);
		} else {
			watch->result = print_json(&list->items[i]);
		}
	}
	if (watch->result == 0 && fflush(stdout) != 0) {
		watch->result = -errno;
	}
}

static int follow(struct edge_client *client, const struct watch *watch, struct error *err)
{
	struct edge_client_error why = {0};
	while (watch->result == 0) {
		struct pollfd ready = {
			.fd = edge_client_fd(client), .events = edge_client_events(client)};
		if (poll(&ready, 1, -1) < 0 && errno != EINTR) {
			return error_set(err, -errno, "poll: %s", strerror(errno));
		}
		if (edge_client_process(client, &why) < 0) {
			return remote_error(&why, err);
		}
	}
	return error_set(err, watch->result, "standard output: %s", strerror(-watch->result));
}

int cmd_watch(const struct cli_settings *s)
{
	owned(edge_client_close) struct edge_client *client = NULL;
	struct edge_client_error why = {0};
	struct error err = {0};
	struct watch watch = {.settings = s};
	int r = remote_open(s->socket, s->timeout_ms, &client, &err);
	if (r == 0 &&
		edge_client_subscribe_models(client, on_models, &watch, REMOTE_TIMEOUT_MS, &why) <
			0) {
		r = remote_error(&why, &err);
	}
	r = r < 0 ? r : follow(client, &watch, &err);
	return report_failed(NULL, &err);
}
