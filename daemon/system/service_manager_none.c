/* SPDX-License-Identifier: Apache-2.0 */
/* Build without libsystemd: no service manager. */
#include "daemon/system/service_manager.h"

#include <errno.h>

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

bool bus_listens(void)
{
	return false;
}

void bus_forget(const char *name)
{
	(void)name;
}

int bus_keep(const char *name, int fd)
{
	(void)name;
	(void)fd;
	return -EOPNOTSUPP;
}

int bus_passed(const char *name, int *ret_listener, int *ret_kept, struct error *err)
{
	(void)name;
	(void)err;
	*ret_listener = *ret_kept = -1;
	return 0;
}
