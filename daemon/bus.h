/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus - what edged tells the service manager, and gets from it
 *
 * bus.c does it through libsystemd; a build without has bus_none.c, where nobody listens.
 */
#ifndef DAEMON_BUS_H
#define DAEMON_BUS_H

#include <stdint.h>

#include "base/error.h"

/* Each sends one message; nothing happens where no manager listens. @status: one line. */
void bus_ready(const char *status);
void bus_reloading(void);
void bus_stopping(void);
void bus_alive(void);

/* Microseconds within which the manager wants bus_alive(); 0: it does not. */
uint64_t bus_watchdog_us(void);

/* The listening socket that the manager opened; *ret_fd is -1 when it opened none. -EINVAL for
 * anything but one Unix stream socket. */
int must_check bus_listener(int *ret_fd, struct error *err);

#endif
