/* SPDX-License-Identifier: Apache-2.0 */
/* edged(8): the command line */
#include <getopt.h>
#include <stdio.h>

#include "daemon/edged/edged.h"
#include "daemon/edged/store/fsck.h"

static const char usage[] =
	"Usage: edged [OPTION]...\n"
	"Answers inference requests on a Unix socket.\n"
	"\n"
	"  --config FILE    read FILE and FILE.d/*.conf instead of the system's configuration\n"
	"  --socket PATH    listen at PATH\n"
	"  --models DIR     serve the models in DIR\n"
	"  --state DIR      keep state in DIR\n"
	"  --check-config   read the configuration, say what is wrong with it, and exit\n"
	"  --fsck           check the store of --state, say what is wrong with it, and exit\n"
	"  --repair         with --fsck: remove or quarantine unusable files\n"
	"  --print-config   print every key with its default, and exit\n"
	"  --version        print the version, and exit\n"
	"  --help           print this, and exit\n"
	"\n"
	"SIGTERM ends it after what is running, SIGHUP reads the configuration and the models again.\n"
	"See edged(8) and edged.conf(5).\n";

enum action {
	ACTION_RUN,
	ACTION_CHECK,
	ACTION_PRINT,
	ACTION_FSCK,
	ACTION_REPAIR, /* --fsck with --repair */
	ACTION_VERSION,
	ACTION_HELP,
	ACTION_USAGE
};

static enum action parse(int argc, char **argv, struct config_options *ret_options)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"socket", required_argument, NULL, 's'},
		{"models", required_argument, NULL, 'm'},
		{"state", required_argument, NULL, 'd'},
		{"check-config", no_argument, NULL, ACTION_CHECK},
		{"fsck", no_argument, NULL, ACTION_FSCK},
		{"repair", no_argument, NULL, ACTION_REPAIR},
		{"print-config", no_argument, NULL, ACTION_PRINT},
		{"version", no_argument, NULL, ACTION_VERSION},
		{"help", no_argument, NULL, ACTION_HELP},
		{NULL, 0, NULL, 0},
	};
	enum action action = ACTION_RUN;
	bool fsck = false, repair = false;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'c':
			ret_options->config_path = optarg;
			break;
		case 's':
			ret_options->socket = optarg;
			break;
		case 'm':
			ret_options->models = optarg;
			break;
		case 'd':
			ret_options->state = optarg;
			break;
		case '?':
			return ACTION_USAGE;
		case ACTION_FSCK:
			fsck = true;
			action = ACTION_FSCK;
			break;
		case ACTION_REPAIR:
			repair = true;
			break;
		default:
			action = (enum action)option;
			break;
		}
	}
	if (optind != argc || (repair && !fsck)) {
		return ACTION_USAGE;
	}
	return repair && action == ACTION_FSCK ? ACTION_REPAIR : action;
}

static int run_configured(enum action action, const struct config_options *options)
{
	static struct edged edged; /* one per process; too large for the stack */
	struct error err = {0};
	if (edged_configure(&edged, options, &err) < 0) {
		fprintf(stderr, "edged: %s\n", err.text);
		return action == ACTION_CHECK ? 1 : 2;
	}
	switch (action) {
	case ACTION_CHECK:
		return 0;
	case ACTION_FSCK:
		return fsck_main(edged.config.state, FSCK_CHECK);
	case ACTION_REPAIR:
		return fsck_main(edged.config.state, FSCK_REPAIR);
	default:
		return edged_run(&edged);
	}
}

int main(int argc, char **argv)
{
	struct config_options options = {0};
	enum action action = parse(argc, argv, &options);
	switch (action) {
	case ACTION_USAGE:
		fputs("Try edged --help.\n", stderr);
		return 2;
	case ACTION_HELP:
		fputs(usage, stdout);
		return 0;
	case ACTION_VERSION:
		puts("edged " EDGED_VERSION);
		return 0;
	case ACTION_PRINT:
		config_print(stdout);
		return 0;
	case ACTION_RUN:
	case ACTION_CHECK:
	case ACTION_FSCK:
	case ACTION_REPAIR:
		break;
	}
	return run_configured(action, &options);
}
