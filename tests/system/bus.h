/* SPDX-License-Identifier: Apache-2.0 */
/* bus - a dbus-daemon of the test's own, which lets everybody do everything */
#ifndef TESTS_SYSTEM_BUS_H
#define TESTS_SYSTEM_BUS_H

#include <sys/types.h>

/* It listens on @folder/bus, and ends with the caller. */
pid_t bus_spawn(const char *folder);

#endif
