/* SPDX-License-Identifier: Apache-2.0 */
/* message_bus - a dbus-daemon of the test's own, which lets everybody do everything, and edged on it */
#ifndef TESTS_SYSTEM_MESSAGE_BUS_H
#define TESTS_SYSTEM_MESSAGE_BUS_H

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "tests/system/daemon.h"

#define BUS_NAME "org.edged1"
#define BUS_MANAGER BUS_NAME, "/org/edged1", "org.edged1.Manager"
#define BUS_MODEL BUS_NAME, "/org/edged1/model/echo", "org.edged1.Model"

struct bus_world {
	struct daemon daemon;
	pid_t bus_daemon, polkit;
	sd_bus *bus;
	int heard; /* signals of the one name that was waited for */
};

/* It listens on @folder/bus, and ends with the caller. */
pid_t bus_spawn(const char *folder);

/* A bus, edged on it with the model "echo", and a connection. For cmocka, @state becomes the world. */
int bus_world_set_up(void **state);
int bus_world_tear_down(void **state);

/* 0, or what @name says is wrong. */
void bus_call(sd_bus *bus, const char *method, const char *argument, char name[128]);
/* Fails unless @property of the model "echo" is @expected. */
void bus_assert_text(struct bus_world *world, const char *property, const char *expected);
/* Ends a process of the test's own; -1: there is none. */
void bus_end(pid_t pid);

#endif
