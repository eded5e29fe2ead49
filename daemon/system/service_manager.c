/* SPDX-License-Identifier: Apache-2.0 */
/* Loads libsystemd only if the environment names a service manager: with its dependencies it takes
 * a megabyte, a fifth of an idle edged. */
#include "daemon/system/service_manager.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"

#define LIBRARY "libsystemd.so.0"

static bool manager_is_there(void)
{
	return getenv("NOTIFY_SOCKET") || getenv("LISTEN_PID") || getenv("WATCHDOG_USEC");
}

/* Writes function @name of the library to *ret, a function pointer that is NULL before. The library
 * is never unloaded. */
static void find(const char *name, void *ret, size_t size)
{
	void *library = manager_is_there() ? dlopen(LIBRARY, RTLD_NOW | RTLD_NODELETE) : NULL;
	void *symbol = library ? dlsym(library, name) : NULL;
	if (symbol) {
		memcpy(ret, &symbol, size);
	}
}

/* Declares a pointer to sd_FUNCTION; NULL without a manager or library. */
#define FIND(function)                                                                             \
	__typeof__(&sd_##function) function = NULL;                                                \
	find("sd_" #function, &function, sizeof(function))

void service_manager_ready(const char *status)
{
	FIND(notifyf);
	if (notifyf) {
		notifyf(0, "READY=1\nSTATUS=%s", status);
	}
}

void service_manager_reloading(void)
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

void service_manager_stopping(void)
{
	notify_plainly("STOPPING=1");
}

void service_manager_alive(void)
{
	notify_plainly("WATCHDOG=1");
}

uint64_t service_manager_watchdog_us(void)
{
	uint64_t us = 0;
	FIND(watchdog_enabled);
	return watchdog_enabled && watchdog_enabled(0, &us) > 0 ? us : 0;
}

bool service_manager_listens(void)
{
	return getenv("NOTIFY_SOCKET") != NULL;
}

void service_manager_remove_fd(const char *name)
{
	char state[128];
	snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	notify_plainly(state);
}

int service_manager_store_fd(const char *name, int fd)
{
	char state[128];
	FIND(pid_notify_with_fds);
	if (!pid_notify_with_fds) {
		return -ELIBACC;
	}
	service_manager_remove_fd(name);
	snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", name);
	int code = pid_notify_with_fds(0, 0, state, &fd, 1);
	return code < 0 ? code : 0;
}

/* ---- passed descriptors */

struct passed {
	int n;
	char **names; /* owned; NULL: no names */
};

static void passed_free(const struct passed *passed)
{
	for (int i = 0; passed->names && i < passed->n; i++) {
		free(passed->names[i]);
	}
	free(passed->names);
}

/* Finds the socket by its type, because socket units can have any name. @is_socket: sd_is_socket(),
 * looked up before sd_listen_fds_with_names() clears the environment. */
static int passed_sort(const struct passed *passed, __typeof__(&sd_is_socket) is_socket,
	const char *name, int *ret_listener, int *ret_kept, struct error *err)
{
	int listener = -1, kept = -1;
	for (int i = 0; i < passed->n; i++) {
		const int fd = SD_LISTEN_FDS_START + i;
		const char *own = passed->names ? passed->names[i] : "";
		bool listens = is_socket(fd, AF_UNIX, SOCK_STREAM, 1) > 0;
		if (listens && listener < 0) {
			listener = fd;
		} else if (!listens && kept < 0 && strcmp(own, name) == 0) {
			kept = fd;
		} else if (listens || is_socket(fd, AF_UNSPEC, 0, -1) > 0) {
			return error_set(err, -EINVAL,
				"socket activation: wanted one listening Unix stream socket, got "
				"%d descriptors",
				passed->n);
		} else {
			close(fd);
		}
	}
	*ret_listener = listener;
	*ret_kept = kept;
	return 0;
}

int service_manager_passed_fds(
	const char *name, int *ret_listener, int *ret_kept, struct error *err)
{
	__attribute__((cleanup(passed_free))) struct passed passed = {0};
	FIND(listen_fds_with_names);
	FIND(is_socket);
	*ret_listener = *ret_kept = -1;
	if (manager_is_there() && !(listen_fds_with_names && is_socket)) {
		return error_set(err, -ELIBACC, "the service manager is spoken to by %s: %s",
			LIBRARY, dlerror());
	}
	int n = listen_fds_with_names ? listen_fds_with_names(1, &passed.names) : 0;
	if (n < 0) {
		return error_set(err, n, "socket activation: %s", strerror(-n));
	}
	passed.n = n;
	return n == 0 ? 0 : passed_sort(&passed, is_socket, name, ret_listener, ret_kept, err);
}
