/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self_sandbox - applies the restrictions of packaging/systemd/edged.service without systemd
 *
 * For starts by hand, by another init system or in a container. A systemd unit has done it already,
 * recognised by a seccomp filter and $INVOCATION_ID: then nothing is done. With a filter but
 * without $INVOCATION_ID (a container) only files are restricted.
 *
 *   system calls (seccomp)  only Unix sockets; no namespaces, mounts, modules, clocks, keys,
 *                           tracing, change of user, or memory both writable and executable
 *   files (Landlock,        all readable; writable only below the named paths; executable only
 *   kernel 5.19 and later)  edged-check and the dynamic loader
 *   if the kernel can       no TCP; signals only to own children
 */
#ifndef DAEMON_SYSTEM_SELF_SANDBOX_H
#define DAEMON_SYSTEM_SELF_SANDBOX_H

#include <stdbool.h>

#include "base/error.h"

/* Reachable paths. NULL and missing paths are skipped. */
struct self_sandbox_paths {
	const char *state; /* writable with all below it */
	const char *socket; /* socket path; its folder is writable */
	const char *program; /* executable */
	const char *watch; /* writable file that the manager wants watched */
};

/* Result; false: the kernel has no support. */
struct self_sandbox_result {
	bool before; /* a systemd unit applied restrictions, so nothing was done */
	bool filtered; /* a seccomp filter was active before */
	bool calls, files;
};

/* Restricts the calling thread and its future threads, irreversibly. Fails if the kernel rejects a
 * restriction that it supports; the start must then fail too. */
int must_check self_sandbox_enter(const struct self_sandbox_paths *paths,
	struct self_sandbox_result *ret_result, struct error *err);

#endif
