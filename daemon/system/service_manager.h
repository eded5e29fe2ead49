/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus - messages to and from the service manager
 *
 * bus.c uses libsystemd. A build without libsystemd has bus_none.c, which does nothing.
 */
#ifndef DAEMON_SYSTEM_BUS_H
#define DAEMON_SYSTEM_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Each sends one message, or does nothing without a service manager. @status: one line. */
void bus_ready(const char *status);
void bus_reloading(void);
void bus_stopping(void);
void bus_alive(void);

/* Returns the interval in us within which the manager expects bus_alive(); 0: no watchdog. */
uint64_t bus_watchdog_us(void);

/* Returns true if a service manager takes messages. */
bool bus_listens(void);

/* Stores @fd in the manager under @name until the next start, in place of an older one. @fd stays
 * the caller's. Returns a negative errno if the message cannot be sent; the manager does not report
 * if it stored @fd. */
int must_check bus_keep(const char *name, int fd);

/* Removes the descriptor stored under @name from the manager. */
void bus_forget(const char *name);

/* Returns descriptors passed by the manager: the listening socket, and the one stored under @name;
 * each -1 if missing. Closes descriptors stored under other names. -EINVAL unless the socket is one
 * Unix stream socket. */
int must_check bus_passed(const char *name, int *ret_listener, int *ret_kept, struct error *err);

#endif
