/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine - edged gives up by itself what packaging/systemd/edged.service would take from it
 *
 * For starts without a service manager, by hand, by another init or in a container. Where a unit of
 * systemd has done it nothing is done: there is a filter of system calls already and $INVOCATION_ID. Where
 * there is a filter alone, a container's, that one stays and files are confined all the same.
 *
 * System calls (seccomp): no sockets but Unix ones, no namespaces, mounts, modules, clocks,
 * keys, tracing, other users, or memory that is written and run. Files (Landlock, kernel 5.19
 * and later): all may be read; written, made and removed only below what is named; run only what
 * checks models and what loads programs. No TCP, and no signals but to its own children, where
 * the kernel can forbid these.
 */
#ifndef DAEMON_CONFINE_H
#define DAEMON_CONFINE_H

#include <stdbool.h>

#include "base/error.h"

/* What may be reached; a path that is not there is left out, NULL is none. */
struct confine_paths {
	const char *state; /* everything below may change */
	const char *socket; /* made and removed in its folder */
	const char *program; /* may be run */
	const char *watch; /* may be written: a file that the manager wants watched */
};

/* What was done: false where the kernel cannot. */
struct confine_result {
	bool before; /* a unit had, so nothing was */
	bool filtered; /* there was a filter of calls already */
	bool calls, files;
};

/*
 * The calling thread and those that it makes from now on, for good. Fails when the kernel
 * refuses what it has: a start without what was asked for is none.
 */
int must_check confine_enter(
	const struct confine_paths *paths, struct confine_result *ret_result, struct error *err);

#endif
