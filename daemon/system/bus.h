/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus - what edged tells the service manager, and gets from it
 *
 * bus.c does it through libsystemd; a build without has bus_none.c, where nobody listens.
 */
#ifndef DAEMON_BUS_H
#define DAEMON_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Each sends one message; nothing happens where no manager listens. @status: one line. */
void bus_ready(const char *status);
void bus_reloading(void);
void bus_stopping(void);
void bus_alive(void);

/* Microseconds within which the manager wants bus_alive(); 0: it does not. */
uint64_t bus_watchdog_us(void);

/* True when a manager takes messages. */
bool bus_listens(void);

/* Has the manager keep @fd, which stays the caller's, for the next start, in place of what it keeps under that
 * name. A negative errno when it cannot be asked; whether it does is not known. */
int must_check bus_keep(const char *name, int fd);

/* Has the manager keep nothing under that name any more. */
void bus_forget(const char *name);

/* What the manager passes: the listening socket that it opened, and the descriptor kept under @name; each -1 when
 * there is none. What it kept under other names, for another version, is closed. -EINVAL for anything else but
 * one Unix stream socket. */
int must_check bus_passed(const char *name, int *ret_listener, int *ret_kept, struct error *err);

#endif
