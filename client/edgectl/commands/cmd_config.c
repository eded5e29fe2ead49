/* SPDX-License-Identifier: Apache-2.0 */
/* config show: the running daemon's settings and their origins. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"
#include "client/lib/connection.h"
#include "client/pipeline/json_builder.h"

typedef int print_fn(void *context, const struct wire_config_item *item);

/* Calls @print for each key of the reply. */
static int for_each_item(
	const void *body, size_t size, print_fn *print, void *context, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_config_item item;
	const uint32_t n = bytes_read_u32(&r);
	int code = 0;
	for (uint32_t i = 0; i < n && code == 0; i++) {
		code = wire_config_item_decode(&r, &item, err);
		code = code < 0 ? code : print(context, &item);
	}
	return code < 0 ? code : wire_end(&r, WIRE_CONFIG, err);
}

static void put_text(struct json_document *d, const char *key, struct wire_text text)
{
	json_builder_put_bytes(d, key, text.data, text.length);
}

static int put_item(void *context, const struct wire_config_item *item)
{
	struct json_document *d = context;
	json_builder_begin_object(d, NULL);
	put_text(d, "section", item->section);
	put_text(d, "key", item->key);
	put_text(d, "value", item->value);
	put_text(d, "origin", item->origin);
	if (item->pending.length > 0) {
		put_text(d, "pending", item->pending);
	}
	json_builder_end(d);
	return 0;
}

/* Escapes control characters but keeps backslashes, so that a printed value can be pasted into a
 * configuration file. */
static const char *escape(char out[2048], struct wire_text text)
{
	return error_clean(out, 2048, text.data, text.length);
}

/* Prints a key as a line of a configuration file, its origin as a comment before it, and the
 * section before its first key. @context: the current section. */
static int print_item(void *context, const struct wire_config_item *item)
{
	char *section = context;
	char name[2048], key[2048], value[2048], origin[2048], pending[2048];
	escape(name, item->section);
	if (strncmp(section, name, 63) != 0) {
		printf("%s[%s]\n", section[0] ? "\n" : "", name);
		snprintf(section, 64, "%.63s", name);
	}
	printf("# %s", escape(origin, item->origin));
	if (item->pending.length > 0) {
		printf("; the files say %s", escape(pending, item->pending));
	}
	printf("\n%s = %s\n", escape(key, item->key), escape(value, item->value));
	return 0;
}

static int show_json(const void *body, size_t size, const struct cli_settings *s, struct error *err)
{
	owned_json struct json_document *d = json_builder_document_new(true);
	int code = for_each_item(body, size, put_item, d, err);
	if (code == 0) {
		code = json_builder_print(d, stdout, s->format == CLI_FORMAT_JSON);
		code = code < 0 ? error_set(err, code, "standard output: %s", strerror(-code)) : 0;
	}
	return code;
}

int cmd_config(const struct cli_settings *s)
{
	owned(edge_client_close) struct edge_client *client = NULL;
	owned_mem void *body = NULL;
	struct error err = {0};
	size_t size = 0;
	char section[64] = "";
	if (strcmp(s->arguments[0], "show") != 0) {
		report_line(
			"config: the only subcommand is show; to check files use edged --check-config");
		return EXIT_USAGE;
	}
	int code = remote_open(s->socket, s->timeout_ms, &client, &err);
	code = code < 0 ? code
			: connection_ask(client, WIRE_CONFIG, remote_timeout_ms(s->timeout_ms),
				  &body, &size, &err);
	if (code == 0) {
		code = s->format == CLI_FORMAT_TABLE
			? for_each_item(body, size, print_item, section, &err)
			: show_json(body, size, s, &err);
	}
	if (code < 0) {
		return report_failed(NULL, &err);
	}
	return EXIT_DONE;
}
