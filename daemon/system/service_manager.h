/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_manager - messages to and from the service manager
 *
 * service_manager.c uses libsystemd. A build without libsystemd has service_manager_none.c, which does nothing.
 */
#ifndef DAEMON_SYSTEM_SERVICE_MANAGER_H
#define DAEMON_SYSTEM_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Each sends one message, or does nothing without a service manager. @status: one line. */
void service_manager_ready(const char *status);
void service_manager_reloading(void);
void service_manager_stopping(void);
void service_manager_alive(void);

/* Returns the interval in us within which the manager expects service_manager_alive(); 0: no watchdog. */
uint64_t service_manager_watchdog_us(void);

/* Returns true if a service manager takes messages. */
bool service_manager_listens(void);

/* Stores @fd in the manager under @name until the next start, in place of an older one. @fd stays
 * the caller's. Returns a negative errno if the message cannot be sent; the manager does not report
 * if it stored @fd. */
int must_check service_manager_store_fd(const char *name, int fd);

/* Removes the descriptor stored under @name from the manager. */
void service_manager_remove_fd(const char *name);

/* Returns descriptors passed by the manager: the listening socket, and the one stored under @name;
 * each -1 if missing. Closes descriptors stored under other names. -EINVAL unless the socket is one
 * Unix stream socket. */
int must_check service_manager_passed_fds(
	const char *name, int *ret_listener, int *ret_kept, struct error *err);

#endif
