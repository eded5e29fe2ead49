/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bus.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"

void bus_ready(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void bus_reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now_ns() / 1000);
}

void bus_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void bus_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}

uint64_t bus_watchdog_us(void)
{
	uint64_t us = 0;
	return sd_watchdog_enabled(0, &us) > 0 ? us : 0;
}

int bus_listener(int *ret_fd, struct error *err)
{
	int n = sd_listen_fds(1);
	if (n < 0) {
		return error_set(err, n, "socket activation: %s", strerror(-n));
	}
	if (n == 0) {
		*ret_fd = -1;
		return 0;
	}
	if (n > 1 || sd_is_socket(SD_LISTEN_FDS_START, AF_UNIX, SOCK_STREAM, 1) <= 0) {
		return error_set(err, -EINVAL,
			"socket activation: wanted one listening Unix stream socket, got %d descriptors",
			n);
	}
	*ret_fd = SD_LISTEN_FDS_START;
	return 0;
}
