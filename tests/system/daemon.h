/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon - the real edged in a folder of its own, for system tests
 *
 * With the fake engine (tests/fakes/fake_edge.c) unless told otherwise. What it logs is read here:
 * tests wait for a line, never for a time. Everything fails the test by itself.
 */
#ifndef TESTS_SYSTEM_DAEMON_H
#define TESTS_SYSTEM_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct daemon {
	pid_t pid; /* 0: not running */
	int log; /* its standard error */
	char folder[64]; /* holds socket, models/, state/, edged.conf, gate/ */
	char socket[80];
	int running, go; /* the FIFOs of slow models */
	char text[1 << 16]; /* what was logged, from @seen on not looked at yet */
	size_t length, seen;
};

/* A new folder with the FIFOs. */
void daemon_prepare(struct daemon *daemon);
/* A model: the line that the fake engine takes. */
void daemon_put(struct daemon *daemon, const char *file, const char *line);
void daemon_put_bytes(struct daemon *daemon, const char *file, const void *bytes, size_t size);
void daemon_remove(struct daemon *daemon, const char *file);
/* A drop-in on top of the tests' base: models may be replaced by any others, and are looked at only when asked; no
 * sandbox, beyond which the FIFOs are. */
void daemon_config(struct daemon *daemon, const char *text);

/* Starts $EDGED_FAKE, or $EDGED for @real, and waits until the models are loaded. */
void daemon_start(struct daemon *daemon, bool real);
/* As above without waiting. */
void daemon_spawn(struct daemon *daemon, bool real);
void daemon_signal(struct daemon *daemon, int number);
/* Waits for its end; returns the exit status, or -signal. */
int daemon_wait(struct daemon *daemon);
/* SIGTERM, exit status 0, everything removed. */
void daemon_end(struct daemon *daemon);

/* Waits for a line that contains @text, behind the last one that was waited for. The second one
 * returns false when the daemon ends without. */
void daemon_wait_log(struct daemon *daemon, const char *text);
bool daemon_look_log(struct daemon *daemon, const char *text);

/* Waits until a slow model runs, and lets @n of them go on. */
void daemon_wait_running(struct daemon *daemon);
void daemon_let_go(struct daemon *daemon, int n);

/* False in builds with a sanitizer, which brings memory of its own. */
bool daemon_memory_counts(void);
/* KB of the line "@field:" of its smaps_rollup. */
long daemon_memory_kb(const struct daemon *daemon, const char *field);

#endif
