/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration: it is read, or refused with a place and a printable reason. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "daemon/edged/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printable(const char *text)
{
	for (; *text; text++) {
		assert((unsigned char)*text >= 0x20 && *text != 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct log quiet = {.journal = -1, .level = LOG_LEVEL_ERROR};
	struct config config;
	struct error err = {0};
	char path[64];
	owned_fd int fd = memfd_create("config", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_load(&config, path, &quiet, &err) < 0) {
		assert(err.text[0] != 0);
		check_printable(err.text);
	} else {
		assert(config.max_body <= config.max_bytes_per_user);
		assert(memchr(config.socket, 0, sizeof(config.socket)));
	}
	return 0;
}
