/* SPDX-License-Identifier: Apache-2.0 */
/* list, watch and reload: the daemon's models. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"
#include "client/edgectl/view/fields.h"
#include "client/edgectl/view/stats_view.h"
#include "client/pipeline/json_builder.h"

/* ---- list */

/* Adds whether the serving version is on trial or pinned, and why a newer file was refused. */
static void add_note(struct fields *f, const struct edge_client_list_item *item)
{
	char reason[512];
	const char *trial = item->on_trial ? "on trial" : "";
	const char *pin = !item->pinned ? "" : item->on_trial ? ", pinned" : "pinned";
	const bool both = (item->on_trial || item->pinned) && item->reason[0] != 0;
	error_clean(reason, sizeof(reason), item->reason, strlen(item->reason));
	fields_cell(f, "NOTE", false, "%s%s%s%s", trial, pin, both ? "; " : "", reason);
}

/* Adds digest, time and user to the table; a dash if unknown. */
static void add_origin(struct fields *f, const struct edge_client_list_item *item)
{
	char since[32] = "-", user[64];
	struct tm when;
	time_t seconds = (time_t)item->since;
	const bool known = item->sha256[0] != 0;
	if (known && localtime_r(&seconds, &when)) {
		strftime(since, sizeof(since), "%Y-%m-%d %H:%M", &when);
	}
	char digest[13];
	error_escape(digest, sizeof(digest), item->sha256, strlen(item->sha256));
	fields_cell(f, "SHA256", false, "%s", known ? digest : "-");
	fields_cell(f, "SINCE", false, "%s", since);
	fields_cell(f, "BY", false, "%s",
		known ? stats_view_user(user, sizeof(user), (uint32_t)item->by) : "-");
}

static void item_fields(struct fields *f, const void *record, const void *context)
{
	static const struct edge_client_list_item none = {.reason = "", .sha256 = ""};
	const struct edge_client_list_item *item = f->heading ? &none : record;
	(void)context;
	fields_text(f, "NAME", "name", item->name);
	fields_text(f, "VERSION", "version", item->version);
	fields_text(f, "STATE", "state", item->state);
	if (item->reason[0]) {
		fields_text(f, NULL, "reason", item->reason);
	}
	fields_integer(f, NULL, "generation", (int64_t)item->generation);
	add_origin(f, item);
	add_note(f, item);
	if (item->sha256[0]) {
		fields_text(f, NULL, "sha256", item->sha256);
		fields_integer(f, NULL, "since", (int64_t)item->since);
		fields_integer(f, NULL, "by", (int64_t)item->by);
		fields_integer(f, NULL, "last_good", (int64_t)item->last_good);
		json_builder_put_bool(f->json, "on_trial", item->on_trial);
		json_builder_put_bool(f->json, "pinned", item->pinned);
	}
}

int cmd_list(const struct cli_settings *s)
{
	owned(edge_client_close) struct edge_client *client = NULL;
	owned(edge_client_list_free) struct edge_client_list *list = NULL;
	struct edge_client_error why = {0};
	struct error err = {0};
	int r = remote_open(s->socket, s->timeout_ms, &client, &err);
	if (r == 0 && edge_client_list(client, remote_timeout_ms(s->timeout_ms), &list, &why) < 0) {
		r = remote_error(&why, &err);
	}
	if (r < 0) {
		return report_failed(NULL, &err);
	}
	return report_output(
		fields_print(FIELDS_LIST(item_fields, NULL, list->items, list->n_items), s));
}

/* ---- watch */

struct watch {
	const struct cli_settings *settings;
	int result; /* error of printing */
};

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
	for (size_t i = 0; i < list->n_items && watch->result == 0; i++) {
		if (watch->settings->format == CLI_FORMAT_TABLE) {
			print_line(&list->items[i]);
			continue;
		}
		owned_json struct json_document *one = json_builder_document_new(false);
		item_fields(&(struct fields){.json = one}, &list->items[i], NULL);
		watch->result = json_builder_print(one, stdout, false);
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

/* ---- reload */

int cmd_reload(const struct cli_settings *s)
{
	owned(edge_client_close) struct edge_client *client = NULL;
	struct edge_client_reload reload = {0};
	struct edge_client_error why = {0};
	struct error err = {0};
	int r = remote_open(s->socket, s->timeout_ms, &client, &err);
	/* Loading has no default timeout. */
	if (r == 0 && edge_client_reload(client, s->timeout_ms, &reload, &why) < 0) {
		r = remote_error(&why, &err);
	}
	if (r < 0) {
		return report_failed(NULL, &err);
	}
	if (s->format == CLI_FORMAT_TABLE) {
		printf("%u ready, %u refused\n", reload.models_ready, reload.models_refused);
		return EXIT_DONE;
	}
	owned_json struct json_document *d = json_builder_document_new(false);
	json_builder_put_integer(d, "models_ready", reload.models_ready);
	json_builder_put_integer(d, "models_refused", reload.models_refused);
	return report_output(json_builder_print(d, stdout, s->format == CLI_FORMAT_JSON));
}
