/* SPDX-License-Identifier: Apache-2.0 */
/* rollback, pin, unpin, load, unload, forget-bad, history and fsck: operations on the daemon's
 * store. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"
#include "client/lib/edge_client.h"

static int store_request(const struct cli_settings *s, enum edge_client_store_verb verb,
	const char *model, const char *argument, char **ret_text)
{
	owned(edge_client_close) struct edge_client *client = NULL;
	struct edge_client_error why = {0};
	struct error err = {0};
	if (remote_open(s->socket, s->timeout_ms, &client, &err) < 0) {
		return report_failed(NULL, &err);
	}
	/* Loading has no default timeout. */
	if (edge_client_store(client, verb, model, argument, s->timeout_ms, ret_text, &why) < 0) {
		remote_error(&why, &err);
		return report_failed(NULL, &err);
	}
	return EXIT_DONE;
}

int cmd_store(const struct cli_settings *s)
{
	static const enum edge_client_store_verb verbs[CLI_COMMAND_COUNT] = {
		[CLI_ROLLBACK] = EDGE_CLIENT_STORE_ROLLBACK,
		[CLI_PIN] = EDGE_CLIENT_STORE_PIN,
		[CLI_UNPIN] = EDGE_CLIENT_STORE_UNPIN,
		[CLI_LOAD] = EDGE_CLIENT_STORE_LOAD,
		[CLI_UNLOAD] = EDGE_CLIENT_STORE_UNLOAD,
	};
	return store_request(s, verbs[s->command], s->arguments[0], NULL, NULL);
}

int cmd_forget_bad(const struct cli_settings *s)
{
	return store_request(s, EDGE_CLIENT_STORE_FORGET_BAD, NULL, s->arguments[0], NULL);
}

/* Escapes the lines: the daemon is not trusted to have done it. */
static void print_lines(const char *text)
{
	char shown[1024];
	while (*text) {
		size_t length = strcspn(text, "\n");
		puts(error_clean(shown, sizeof(shown), text, length));
		text += length + (text[length] == '\n');
	}
}

int cmd_history(const struct cli_settings *s)
{
	char *text = NULL;
	int code = store_request(s, EDGE_CLIENT_STORE_HISTORY, s->arguments[0], NULL, &text);
	if (code == EXIT_DONE) {
		print_lines(text);
	}
	edge_client_text_free(text);
	return code;
}

/* ---- fsck */

/* Runs edged --fsck on a store without a running daemon: the program beside edgectl, or in
 * $PATH. */
static int fsck_offline(const struct cli_settings *s)
{
	static const char name[] = "edged";
	char path[4096];
	char *const arguments[] = {(char *)name, (char *)"--state", (char *)s->state,
		(char *)"--fsck", s->repair ? (char *)"--repair" : NULL, NULL};
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(name));
	char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
	if (slash) {
		memcpy(slash + 1, name, sizeof(name));
		execv(path, arguments);
	}
	execvp(name, arguments);
	report_line("%s: %s", name, strerror(errno));
	return EXIT_NEGATIVE;
}

int cmd_fsck(const struct cli_settings *s)
{
	char *text = NULL;
	if (s->state) {
		return fsck_offline(s);
	}
	int code =
		store_request(s, EDGE_CLIENT_STORE_FSCK, NULL, s->repair ? "repair" : NULL, &text);
	if (code == EXIT_DONE) {
		print_lines(text);
		code = text[0] ? EXIT_NEGATIVE : EXIT_DONE;
	}
	edge_client_text_free(text);
	return code;
}
