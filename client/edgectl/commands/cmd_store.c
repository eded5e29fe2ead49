/* SPDX-License-Identifier: Apache-2.0 */
/* rollback, pin, unpin, load, unload, remove, forget-bad, history and fsck: operations on the
 * daemon's store. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"

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
	return EXIT_FAILED;
}

int cmd_store(const struct cli_settings *s)
{
	static const enum edge_client_store_verb verbs[CLI_COMMAND_COUNT] = {
		[CLI_ROLLBACK] = EDGE_CLIENT_STORE_ROLLBACK,
		[CLI_PIN] = EDGE_CLIENT_STORE_PIN,
		[CLI_UNPIN] = EDGE_CLIENT_STORE_UNPIN,
		[CLI_LOAD] = EDGE_CLIENT_STORE_LOAD,
		[CLI_UNLOAD] = EDGE_CLIENT_STORE_UNLOAD,
		[CLI_REMOVE] = EDGE_CLIENT_STORE_REMOVE,
		[CLI_FORGET_BAD] = EDGE_CLIENT_STORE_FORGET_BAD,
		[CLI_HISTORY] = EDGE_CLIENT_STORE_HISTORY,
		[CLI_FSCK] = EDGE_CLIENT_STORE_FSCK,
	};
	owned(edge_client_text_free) char *text = NULL;
	const bool fsck = s->command == CLI_FSCK, digest = s->command == CLI_FORGET_BAD;
	const char *named = s->arguments[0]; /* NULL for fsck */
	const char *argument = digest ? named : s->repair ? "repair" : NULL;
	struct error err = {0};
	if (s->state) {
		return fsck_offline(s);
	}
	if (remote_store(s->socket, s->timeout_ms, verbs[s->command], digest ? NULL : named,
		    argument, -1, &text, &err) < 0) {
		return report_failed(NULL, &err);
	}
	if (fsck || s->command == CLI_HISTORY) {
		print_lines(text);
	}
	return fsck && text[0] ? EXIT_FAILED : EXIT_DONE;
}
