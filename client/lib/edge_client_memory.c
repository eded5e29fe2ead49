/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/own.h"
#include "client/lib/client_error.h"

#ifndef MFD_NOEXEC_SEAL /* since Linux 6.3 */
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int fail(const char *what, struct error *err)
{
	return error_set(err, -errno, "shared memory: %s: %s", what, strerror(errno));
}

static int memory_fd(void)
{
	int fd = memfd_create("edged-client", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	return fd < 0 && errno == EINVAL
		? memfd_create("edged-client", MFD_CLOEXEC | MFD_ALLOW_SEALING)
		: fd;
}

/* Returns the machine's available memory in bytes, without /proc its whole memory. */
static uint64_t bytes_there_are(void)
{
	unsigned long long kb = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");
	while (file && fgets(line, sizeof(line), file) &&
		sscanf(line, "MemAvailable: %llu kB", &kb) != 1) {}
	if (file) {
		fclose(file);
	}
	return kb > 0 ? kb * 1024
		      : (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Allocates all pages now: the daemon refuses memory with holes. */
static int memory_new(size_t bytes, int *ret_fd, void **ret_data, struct error *err)
{
	owned_fd int fd = memory_fd();
	if (fd < 0) {
		return fail("memfd_create", err);
	}
	if (bytes == 0 || bytes > PTRDIFF_MAX) {
		return error_set(err, -EINVAL, "shared memory of %zu bytes", bytes);
	}
	const uint64_t most = bytes_there_are();
	if (bytes > most) { /* the OOM killer would end other programs */
		return error_set(err, -ENOMEM,
			"shared memory of %zu bytes: the machine has %llu to spare", bytes,
			(unsigned long long)most);
	}
	struct rlimit files = {0};
	/* would raise SIGXFSZ */
	if (getrlimit(RLIMIT_FSIZE, &files) == 0 && bytes > files.rlim_cur) {
		return error_set(err, -EFBIG,
			"shared memory of %zu bytes: this program's limit of file sizes is %llu",
			bytes, (unsigned long long)files.rlim_cur);
	}
	if (ftruncate(fd, (off_t)bytes) < 0 || fallocate(fd, 0, 0, (off_t)bytes) < 0) {
		return fail("allocate", err);
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		return fail("seal", err);
	}
	void *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		return fail("map", err);
	}
	*ret_fd = take_fd(fd);
	*ret_data = data;
	return 0;
}

int edge_client_memory_new(
	size_t bytes, int *ret_fd, void **ret_data, struct edge_client_error *ret_err)
{
	struct error err = {0};
	int r = memory_new(bytes, ret_fd, ret_data, &err);
	return r < 0 ? client_error_copy(&err, ret_err) : 0;
}
