/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsystemd is loaded only where a manager has left word in the environment: with the libraries that
 * it brings it takes a megabyte, a fifth of what an idle edged has.
 */
#include "daemon/bus.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"

#define LIBRARY "libsystemd.so.0"

static bool manager_is_there(void)
{
	return getenv("NOTIFY_SOCKET") || getenv("LISTEN_PID") || getenv("WATCHDOG_USEC");
}

/* Function @name of the library, into *ret, a pointer of its type that is NULL before. What was loaded
 * once stays. */
static void find(const char *name, void *ret, size_t size)
{
	void *library = manager_is_there() ? dlopen(LIBRARY, RTLD_NOW | RTLD_NODELETE) : NULL;
	void *symbol = library ? dlsym(library, name) : NULL;
	if (symbol) {
		memcpy(ret, &symbol, size);
	}
}

/* Declares a pointer to sd_FUNCTION, NULL where there is none to ask. */
#define FIND(function)                                                                             \
	__typeof__(&sd_##function) function = NULL;                                                \
	find("sd_" #function, &function, sizeof(function))

void bus_ready(const char *status)
{
	FIND(notifyf);
	if (notifyf) {
		notifyf(0, "READY=1\nSTATUS=%s", status);
	}
}

void bus_reloading(void)
{
	FIND(notifyf);
	if (notifyf) {
		notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now_ns() / 1000);
	}
}

static void notify_plainly(const char *state)
{
	FIND(notify);
	if (notify) {
		notify(0, state);
	}
}

void bus_stopping(void)
{
	notify_plainly("STOPPING=1");
}

void bus_alive(void)
{
	notify_plainly("WATCHDOG=1");
}

uint64_t bus_watchdog_us(void)
{
	uint64_t us = 0;
	FIND(watchdog_enabled);
	return watchdog_enabled && watchdog_enabled(0, &us) > 0 ? us : 0;
}

int bus_listener(int *ret_fd, struct error *err)
{
	FIND(listen_fds);
	FIND(is_socket);
	if (manager_is_there() && !(listen_fds && is_socket)) {
		return error_set(err, -ELIBACC, "the service manager is spoken to by %s: %s",
			LIBRARY, dlerror());
	}
	int n = listen_fds ? listen_fds(1) : 0;
	if (n < 0) {
		return error_set(err, n, "socket activation: %s", strerror(-n));
	}
	if (n == 0) {
		*ret_fd = -1;
		return 0;
	}
	if (n > 1 || is_socket(SD_LISTEN_FDS_START, AF_UNIX, SOCK_STREAM, 1) <= 0) {
		return error_set(err, -EINVAL,
			"socket activation: wanted one listening Unix stream socket, got %d descriptors",
			n);
	}
	*ret_fd = SD_LISTEN_FDS_START;
	return 0;
}
