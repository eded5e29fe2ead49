/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/cpu_pinning.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void find_cores(struct pins *pins)
{
	unsigned int n = 0;
	pins->cores[0] = pins->cores[1] = -1;
	for (int i = 0; i < CPU_SETSIZE && n < 2; i++) {
		if (CPU_ISSET(i, &pins->own)) {
			pins->cores[n++] = i;
		}
	}
}

/* Threads that end meanwhile are ignored. */
static void find_threads(struct pins *pins)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pins->other);
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder && pins->n < PINS_MAX && (entry = readdir(folder));) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		cpu_set_t *set = &pins->sets[pins->n];
		if (thread > 0 && sched_getaffinity(thread, sizeof(*set), set) == 0) {
			pins->threads[pins->n++] = thread;
		}
	}
	if (folder) {
		closedir(folder);
	}
}

static void hold_signals(struct pins *pins)
{
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &ends, &pins->signals);
}

int pins_init(struct pins *pins, pid_t other, struct error *err)
{
	memset(pins, 0, sizeof(*pins));
	if (sched_getaffinity(0, sizeof(pins->own), &pins->own) < 0) {
		return error_set(err, -errno, "cores: %s", strerror(errno));
	}
	find_cores(pins);
	pins->other = other;
	hold_signals(pins);
	if (other) {
		find_threads(pins);
	}
	/* Sets the unchanged mask, to check the permission. */
	if (pins->n > 0 &&
		sched_setaffinity(pins->threads[0], sizeof(pins->sets[0]), &pins->sets[0]) < 0) {
		int code = -errno;
		pins_deinit(pins);
		return error_set(err, code, "cores: %s", strerror(-code));
	}
	return 0;
}

void pins_deinit(struct pins *pins)
{
	for (unsigned int i = 0; i < pins->n; i++) {
		sched_setaffinity(pins->threads[i], sizeof(pins->sets[i]), &pins->sets[i]);
	}
	pins->n = 0;
	sched_setaffinity(0, sizeof(pins->own), &pins->own);
	pthread_sigmask(SIG_SETMASK, &pins->signals, NULL);
}

int pins_set(struct pins *pins, int core, int other_core, struct error *err)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(other_core, &set);
	for (unsigned int i = 0; i < pins->n; i++) {
		if (sched_setaffinity(pins->threads[i], sizeof(set), &set) < 0 && errno != ESRCH) {
			return error_set(err, -errno, "cores: %s", strerror(errno));
		}
	}
	CPU_ZERO(&set);
	CPU_SET(core, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0
		? error_set(err, -errno, "cores: %s", strerror(errno))
		: 0;
}
