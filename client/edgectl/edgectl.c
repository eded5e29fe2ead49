/* SPDX-License-Identifier: Apache-2.0 */
/* edgectl - the command line client of edged */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/edgectl/cli.h"
#include "client/edgectl/commands.h"
#include "client/edgectl/completion.h"
#include "client/edgectl/report.h"

static int cmd_completion(const struct cli_settings *settings)
{
	if (completion_print(stdout, settings->arguments[0]) < 0) {
		report_line("completion: bash, zsh or fish");
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static int (*const commands[CLI_COMMAND_COUNT])(const struct cli_settings *settings) = {
	[CLI_LIST] = cmd_list,
	[CLI_SHOW] = cmd_show,
	[CLI_STATUS] = cmd_status,
	[CLI_INFER] = cmd_infer,
	[CLI_RUN] = cmd_infer,
	[CLI_VERIFY] = cmd_verify,
	[CLI_BENCH] = cmd_bench,
	[CLI_RELOAD] = cmd_reload,
	[CLI_ROLLBACK] = cmd_store,
	[CLI_PIN] = cmd_store,
	[CLI_UNPIN] = cmd_store,
	[CLI_FORGET_BAD] = cmd_store,
	[CLI_HISTORY] = cmd_store,
	[CLI_WATCH] = cmd_watch,
	[CLI_LOAD] = cmd_store,
	[CLI_UNLOAD] = cmd_store,
	[CLI_FSCK] = cmd_store,
	[CLI_INSTALL] = cmd_install,
	[CLI_EXPORT] = cmd_export,
	[CLI_REMOVE] = cmd_store,
	[CLI_PIPELINE] = cmd_pipeline,
	[CLI_TEACH] = cmd_teach,
	[CLI_TOP] = cmd_top,
	[CLI_FLIGHT] = cmd_flight,
	[CLI_CONFIG] = cmd_config,
	[CLI_COMPLETION] = cmd_completion,
};

/* Opens /dev/null for closed standard streams, so that no socket or file gets their numbers. The
 * mode makes every use fail, so that lost output is still an error. */
static void hold_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0) {
			int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
			(void)!open("/dev/null", mode);
		}
	}
}

int main(int argc, char **argv)
{
	hold_standard_streams();
	/* A file above the caller's size limit is reported like a full disk. */
	(void)signal(SIGXFSZ, SIG_IGN);
	struct cli_settings settings;
	struct error err = {0};
	if (cli_parse(argc, argv, &settings, &err) < 0) {
		report_error(NULL, &err);
		fputs("Try `edgectl --help`.\n", stderr);
		return EXIT_USAGE;
	}
	int code = EXIT_DONE;
	if (settings.version) {
		printf("edgectl %s\n", EDGED_VERSION);
	} else if (settings.help) {
		cli_print_help(stdout, settings.command);
	} else {
		code = commands[settings.command](&settings);
	}
	/* A full disk or a closed pipe must not look like success. */
	const bool now = fflush(stdout) != 0;
	const int why = now ? errno : EIO; /* the reason of an earlier failure is lost */
	if (now || ferror(stdout)) {
		if (why != EPIPE) {
			report_line("standard output: %s", strerror(why));
		}
		return code ? code : EXIT_FAILED;
	}
	return code;
}
