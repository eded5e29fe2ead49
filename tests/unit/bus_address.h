/* SPDX-License-Identifier: Apache-2.0 */
/* Whether SIGBUS says where it was. qemu-arm 7.2 gives the emulator's address in place of the program's, so nothing can
 * be found by it there. */
#ifndef TESTS_UNIT_BUS_ADDRESS_H
#define TESTS_UNIT_BUS_ADDRESS_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void *volatile bus_address_told;
static sigjmp_buf bus_address_back;

static void bus_address_take(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	bus_address_told = info->si_addr;
	siglongjmp(bus_address_back, 1);
}

static bool bus_address_is_told(void)
{
	char path[] = "/var/tmp/edged-bus-XXXXXX";
	struct sigaction before, take = {.sa_sigaction = bus_address_take, .sa_flags = SA_SIGINFO};
	int fd = mkstemp(path);
	void *data = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0); /* of an empty file */
	unlink(path);
	sigaction(SIGBUS, &take, &before);
	if (sigsetjmp(bus_address_back, 1) == 0) {
		(void)*(volatile char *)data;
	}
	sigaction(SIGBUS, &before, NULL);
	munmap(data, 1);
	close(fd);
	return bus_address_told == data;
}

#endif
