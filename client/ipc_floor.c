/* SPDX-License-Identifier: Apache-2.0 */
#include "client/ipc_floor.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES 64
#define WORD_BYTES 4096u /* of the mapping that holds it */

/* ---- the other process: until it is ended */

static void answer_bytes(int fd)
{
	char bytes[BYTES];
	while (recv(fd, bytes, sizeof(bytes), MSG_WAITALL) == sizeof(bytes) &&
		send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) == sizeof(bytes)) {}
}

static void answer_bell(int bell, atomic_uint *answered)
{
	uint64_t count = 0;
	while (read(bell, &count, sizeof(count)) == sizeof(count)) {
		atomic_fetch_add(answered, 1);
		syscall(SYS_futex, answered, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
}

/* ---- this one */

static int open_bell(struct ipc_floor *floor)
{
	void *word =
		mmap(NULL, WORD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	floor->answered = word == MAP_FAILED ? NULL : word;
	floor->fd = floor->answered ? eventfd(0, EFD_CLOEXEC) : -1;
	return floor->fd < 0 ? -errno : 0;
}

static int open_socket(struct ipc_floor *floor, int *ret_other)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		return -errno;
	}
	floor->fd = pair[0];
	*ret_other = pair[1];
	return 0;
}

int ipc_floor_start(struct ipc_floor *floor, bool as_ring, struct error *err)
{
	owned_fd int other = -1;
	*floor = (struct ipc_floor){.fd = -1};
	int code = as_ring ? open_bell(floor) : open_socket(floor, &other);
	floor->pid = code == 0 ? fork() : -1;
	if (floor->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (as_ring) {
			answer_bell(floor->fd, floor->answered);
		} else {
			close(floor->fd);
			answer_bytes(other);
		}
		_exit(0);
	}
	return floor->pid > 0
		? 0
		: error_set(err, code ? code : -errno, "ping-pong: %s", strerror(errno));
}

void ipc_floor_stop(struct ipc_floor *floor)
{
	if (floor->pid > 0) {
		kill(floor->pid, SIGKILL);
		waitpid(floor->pid, NULL, 0);
	}
	own_close_fd(&floor->fd);
	if (floor->answered) {
		munmap(floor->answered, WORD_BYTES);
	}
	*floor = (struct ipc_floor){.fd = -1};
}

static bool ask_bytes(int fd)
{
	char bytes[BYTES] = {0};
	return send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) == sizeof(bytes) &&
		recv(fd, bytes, sizeof(bytes), MSG_WAITALL) == sizeof(bytes);
}

static bool ask_bell(int bell, atomic_uint *answered)
{
	const uint64_t one = 1;
	const unsigned int before = atomic_load(answered);
	if (write(bell, &one, sizeof(one)) != sizeof(one)) {
		return false;
	}
	while (atomic_load(answered) == before) {
		syscall(SYS_futex, answered, FUTEX_WAIT, before, NULL, NULL, 0);
	}
	return true;
}

int ipc_floor_ask(const struct ipc_floor *floor, struct error *err)
{
	bool done = floor->answered ? ask_bell(floor->fd, floor->answered) : ask_bytes(floor->fd);
	return done ? 0 : error_set(err, -EIO, "the ping-pong broke off");
}
