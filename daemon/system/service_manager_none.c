/* SPDX-License-Identifier: Apache-2.0 */
/* Build without libsystemd: no service manager. */
#include "daemon/system/service_manager.h"

#include <errno.h>

void service_manager_ready(const char *status)
{
	(void)status;
}

void service_manager_reloading(void)
{
}

void service_manager_stopping(void)
{
}

void service_manager_alive(void)
{
}

uint64_t service_manager_watchdog_us(void)
{
	return 0;
}

bool service_manager_listens(void)
{
	return false;
}

void service_manager_remove_fd(const char *name)
{
	(void)name;
}

int service_manager_store_fd(const char *name, int fd)
{
	(void)name;
	(void)fd;
	return -EOPNOTSUPP;
}

int service_manager_passed_fds(
	const char *name, int *ret_listener, int *ret_kept, struct error *err)
{
	(void)name;
	(void)err;
	*ret_listener = *ret_kept = -1;
	return 0;
}
