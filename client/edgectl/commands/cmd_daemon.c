/* SPDX-License-Identifier: Apache-2.0 */
/* list and reload: the daemon's models. */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <time.h>

#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"
#include "client/edgectl/view/text_columns.h"
#include "client/pipeline/json_builder.h"

static int fail_public(const struct edge_client_error *why)
{
	struct error err = {0};
	remote_error(why, &err);
	return report_failed(NULL, &err);
}

static int print_document(const struct json_document *document, const struct settings *s)
{
	return report_output(json_builder_print(document, stdout, s->format == CLI_FORMAT_JSON));
}

/* ---- list */

static void put_item(struct json_document *document, const struct edge_client_list_item *item)
{
	json_builder_put_text(document, "name", item->name);
	json_builder_put_text(document, "version", item->version);
	json_builder_put_text(document, "state", item->state);
	if (item->reason[0]) {
		json_builder_put_text(document, "reason", item->reason);
	}
	json_builder_put_integer(document, "generation", (int64_t)item->generation);
	if (item->sha256[0]) {
		json_builder_put_text(document, "sha256", item->sha256);
		json_builder_put_integer(document, "since", (int64_t)item->since);
		json_builder_put_integer(document, "by", (int64_t)item->by);
		json_builder_put_integer(document, "last_good", (int64_t)item->last_good);
		json_builder_put_bool(document, "on_trial", item->on_trial);
		json_builder_put_bool(document, "pinned", item->pinned);
	}
}

static int list_json(const struct edge_client_list *list, const struct settings *s)
{
	owned_json struct json_document *all = json_builder_document_new(true);
	for (size_t i = 0; i < list->n_items; i++) {
		json_builder_begin_object(all, NULL);
		put_item(all, &list->items[i]);
		json_builder_end(all);
	}
	return print_document(all, s);
}

static int list_jsonl(const struct edge_client_list *list, const struct settings *s)
{
	int code = EXIT_DONE;
	for (size_t i = 0; i < list->n_items && code == EXIT_DONE; i++) {
		owned_json struct json_document *one = json_builder_document_new(false);
		put_item(one, &list->items[i]);
		code = print_document(one, s);
	}
	return code;
}

/* Adds state, digest, time and user; a dash if unknown. */
static void add_store(struct grid *grid, const struct edge_client_list_item *item)
{
	char state[64], digest[13], since[32] = "-";
	struct tm when;
	time_t seconds = (time_t)item->since;
	const bool known = item->sha256[0] != 0;
	const struct passwd *user = known ? getpwuid((uid_t)item->by) : NULL;
	error_escape(state, sizeof(state), item->state, strlen(item->state));
	grid_add(grid, "%s", state);
	error_escape(digest, sizeof(digest), item->sha256, strlen(item->sha256));
	grid_add(grid, "%s", known ? digest : "-");
	if (known && localtime_r(&seconds, &when)) {
		strftime(since, sizeof(since), "%Y-%m-%d %H:%M", &when);
	}
	grid_add(grid, "%s", since);
	if (user) {
		grid_add_escaped(grid, user->pw_name);
	} else {
		grid_add(grid, known ? "%llu" : "-", (unsigned long long)item->by);
	}
}

/* Adds whether the serving version is on trial or pinned, and why a newer file was refused. */
static void add_note(struct grid *grid, const struct edge_client_list_item *item)
{
	char reason[512];
	const char *trial = item->on_trial ? "on trial" : "";
	const char *pin = !item->pinned ? "" : item->on_trial ? ", pinned" : "pinned";
	const bool both = (item->on_trial || item->pinned) && item->reason[0] != 0;
	error_clean(reason, sizeof(reason), item->reason, strlen(item->reason));
	grid_add(grid, "%s%s%s%s", trial, pin, both ? "; " : "", reason);
}

static int list_table(const struct edge_client_list *list, const struct settings *s)
{
	owned_grid struct grid grid = {0};
	grid_begin(&grid, "NAME|VERSION|STATE|SHA256|SINCE|BY|NOTE", 0);
	for (size_t i = 0; i < list->n_items; i++) {
		grid_add_escaped(&grid, list->items[i].name);
		grid_add_escaped(&grid, list->items[i].version);
		add_store(&grid, &list->items[i]);
		add_note(&grid, &list->items[i]);
	}
	return grid_print(&grid, stdout, true, s) < 0 ? EXIT_NEGATIVE : EXIT_DONE;
}

int cmd_list(const struct settings *s)
{
	owned(edge_client_close) struct edge_client *client = NULL;
	owned(edge_client_list_free) struct edge_client_list *list = NULL;
	struct edge_client_error why = {0};
	struct error err = {0};
	if (remote_open(s->socket, s->timeout_ms, &client, &err) < 0) {
		return report_failed(NULL, &err);
	}
	if (edge_client_list(client, remote_timeout_ms(s->timeout_ms), &list, &why) < 0) {
		return fail_public(&why);
	}
	switch (s->format) {
	case CLI_FORMAT_JSON:
		return list_json(list, s);
	case CLI_FORMAT_JSONL:
		return list_jsonl(list, s);
	default:
		return list_table(list, s);
	}
}

/* ---- reload */

int cmd_reload(const struct settings *s)
{
	owned(edge_client_close) struct edge_client *client = NULL;
	struct edge_client_reload reload = {0};
	struct edge_client_error why = {0};
	struct error err = {0};
	if (remote_open(s->socket, s->timeout_ms, &client, &err) < 0) {
		return report_failed(NULL, &err);
	}
	/* Loading has no default timeout. */
	if (edge_client_reload(client, s->timeout_ms, &reload, &why) < 0) {
		return fail_public(&why);
	}
	if (s->format == CLI_FORMAT_TABLE) {
		printf("%u ready, %u refused\n", reload.models_ready, reload.models_refused);
		return EXIT_DONE;
	}
	owned_json struct json_document *d = json_builder_document_new(false);
	json_builder_put_integer(d, "models_ready", reload.models_ready);
	json_builder_put_integer(d, "models_refused", reload.models_refused);
	return print_document(d, s);
}
