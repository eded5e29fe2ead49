/* SPDX-License-Identifier: Apache-2.0 */
/* Without libsystemd: no manager listens. */
#include "daemon/bus.h"

void bus_ready(const char *status)
{
	(void)status;
}

void bus_reloading(void)
{
}

void bus_stopping(void)
{
}

void bus_alive(void)
{
}

uint64_t bus_watchdog_us(void)
{
	return 0;
}

int bus_listener(int *ret_fd, struct error *err)
{
	(void)err;
	*ret_fd = -1;
	return 0;
}
