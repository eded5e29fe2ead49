/* SPDX-License-Identifier: Apache-2.0 */
/* edged-mqtt(8): command line */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "daemon/mqtt/bridge.h"
#include "daemon/mqtt/worker/worker.h"

static const char usage[] =
	"Usage: edged-mqtt [OPTION]...\n"
	"Answers inference requests that come over MQTT, as a client of edged.\n"
	"\n"
	"  --config FILE    read FILE and FILE.d/*.conf instead of the system's configuration\n"
	"  --socket PATH    the socket of edged\n"
	"  --check-config   read the configuration, say what is wrong with it, and exit\n"
	"  --print-config   print every key with its default, and exit\n"
	"  --version        print the version, and exit\n"
	"  --help           print this, and exit\n"
	"\n"
	"SIGTERM ends it after what is running. See edged-mqtt(8) and edged-mqtt.conf(5).\n";

enum action {
	ACTION_RUN,
	ACTION_CHECK,
	ACTION_PRINT,
	ACTION_VERSION,
	ACTION_HELP,
	ACTION_USAGE
};

static enum action parse(int argc, char **argv, const char **ret_config, const char **ret_socket)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"socket", required_argument, NULL, 's'},
		{"check-config", no_argument, NULL, ACTION_CHECK},
		{"print-config", no_argument, NULL, ACTION_PRINT},
		{"version", no_argument, NULL, ACTION_VERSION},
		{"help", no_argument, NULL, ACTION_HELP},
		{NULL, 0, NULL, 0},
	};
	enum action action = ACTION_RUN;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'c':
			*ret_config = optarg;
			break;
		case 's':
			*ret_socket = optarg;
			break;
		case '?':
			return ACTION_USAGE;
		default:
			action = (enum action)option;
			break;
		}
	}
	return optind == argc ? action : ACTION_USAGE;
}

/* Arguments for the exec in on_abort(). */
static char **arguments;

/*
 * libmosquitto 2.0.11 aborts in log__printf() if a CONNACK or PUBLISH has malformed properties. Its
 * state is unusable then, so the program execs itself after a second, without open descriptors.
 * Spooled results and the journal survive. Async-signal-safe calls only.
 */
static void on_abort(int number, siginfo_t *info, void *context)
{
	const struct timespec second = {.tv_sec = 1};
	sigset_t none;
	(void)context;
	/* The service manager's watchdog sends SIGABRT too, to end the program. */
	if (info->si_code != SI_TKILL || info->si_pid != getpid()) {
		signal(number, SIG_DFL);
		raise(number);
		return;
	}
	nanosleep(&second, NULL);
	syscall(SYS_close_range, 3u, ~0u, 0u);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv("/proc/self/exe", arguments);
	_exit(1);
}

static void begin_anew_after_abort(char **argv)
{
	struct sigaction action = {.sa_sigaction = on_abort, .sa_flags = SA_SIGINFO};
	arguments = argv;
	sigaction(SIGABRT, &action, NULL);
}

static int configured(enum action action, const char *config, const char *socket)
{
	static struct bridge bridge; /* one per process; too large for the stack */
	struct error err = {0};
	size_t bad = 0;
	int r = bridge_configure(&bridge, config, socket, &bad, &err);
	if (r == 0 && action == ACTION_CHECK) {
		r = settings_check_sources(&bridge.settings, &bridge.log, &err);
	}
	if (r < 0) {
		fprintf(stderr, "edged-mqtt: %s\n", err.text);
		return action == ACTION_CHECK ? 1 : 2;
	}
	return action == ACTION_CHECK ? bad > 0 : bridge_run(&bridge);
}

int main(int argc, char **argv)
{
	const char *config = NULL, *socket = NULL;
	if (argc == 3 && strcmp(argv[1], "--worker") == 0) {
		/* An exec leaves libmosquitto's sockets open. A child has descriptors 0 to 2 only. */
		syscall(SYS_close_range, 3u, ~0u, 0u);
		return worker_main(strtoull(argv[2], NULL, 10));
	}
	switch (parse(argc, argv, &config, &socket)) {
	case ACTION_USAGE:
		fputs("Try edged-mqtt --help.\n", stderr);
		return 2;
	case ACTION_HELP:
		fputs(usage, stdout);
		return 0;
	case ACTION_VERSION:
		puts("edged-mqtt " EDGED_VERSION);
		return 0;
	case ACTION_PRINT:
		settings_print(stdout);
		return 0;
	case ACTION_RUN:
		begin_anew_after_abort(argv);
		return configured(ACTION_RUN, config, socket);
	case ACTION_CHECK:
		break;
	}
	return configured(ACTION_CHECK, config, socket);
}
