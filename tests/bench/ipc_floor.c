/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/ipc_floor.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"

struct ipc_floor_words {
	_Alignas(64) atomic_uint asked;
	_Alignas(64) atomic_uint answered, sleeps;
};

static void futex(atomic_uint *word, int what, unsigned int value)
{
	syscall(SYS_futex, word, what, value, NULL, NULL, 0);
}

static bool send_all(int fd, const void *data, size_t bytes)
{
	return send(fd, data, bytes, MSG_NOSIGNAL) == (ssize_t)bytes;
}

static bool receive_all(int fd, void *data, size_t bytes)
{
	return recv(fd, data, bytes, MSG_WAITALL) == (ssize_t)bytes;
}

/* ---- the child process: runs until it is killed */

static void answer_bytes(const struct ipc_floor *floor, int fd)
{
	while (receive_all(fd, floor->bytes, floor->bytes_there) &&
		send_all(fd, floor->bytes, floor->bytes_back)) {}
}

/* Same calls as edged's event loop and ring.c. */
static void answer_bell(const struct ipc_floor *floor)
{
	struct ipc_floor_words *words = floor->words;
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	owned_fd int epoll = epoll_create1(EPOLL_CLOEXEC);
	unsigned int answered = 0;
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, floor->fd, &event) < 0) {
		return;
	}
	while (epoll_wait(epoll, &event, 1, -1) == 1) {
		if (atomic_load(&words->asked) != answered) {
			atomic_store(&words->answered, ++answered);
			if (atomic_load(&words->sleeps)) {
				futex(&words->answered, FUTEX_WAKE, 1);
			}
		}
	}
}

/* Same calls as busy_poll.c for a client on the same core. */
static void answer_in_turn(const struct ipc_floor *floor)
{
	for (unsigned int answered = 0;;) {
		while (atomic_load(&floor->words->asked) == answered) {
			sched_yield();
		}
		atomic_store(&floor->words->answered, ++answered);
	}
}

static void answer_at_once(const struct ipc_floor *floor)
{
	for (unsigned int answered = 0;;) {
		while (atomic_load(&floor->words->asked) == answered) {}
		atomic_store(&floor->words->answered, ++answered);
	}
}

static _Noreturn void answer(struct ipc_floor *floor, int other)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	switch (floor->kind) {
	case IPC_FLOOR_BYTES:
		close(floor->fd);
		answer_bytes(floor, other);
		break;
	case IPC_FLOOR_RING:
		answer_bell(floor);
		break;
	case IPC_FLOOR_WAYS:
		answer_in_turn(floor);
		break;
	case IPC_FLOOR_SPIN:
		answer_at_once(floor);
		break;
	}
	_exit(0);
}

/* ---- the parent process */

static int open_words(struct ipc_floor *floor)
{
	void *words = mmap(NULL, sizeof(*floor->words), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	floor->words = words == MAP_FAILED ? NULL : words;
	floor->fd = floor->words ? eventfd(0, EFD_CLOEXEC) : -1;
	return floor->fd < 0 ? -errno : 0;
}

static int open_socket(struct ipc_floor *floor, int *ret_other)
{
	int pair[2];
	floor->bytes = calloc(1, (size_t)floor->bytes_there + floor->bytes_back);
	if (!floor->bytes) {
		return -ENOMEM;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		return -errno;
	}
	floor->fd = pair[0];
	*ret_other = pair[1];
	return 0;
}

int ipc_floor_start(struct ipc_floor *floor, struct error *err)
{
	owned_fd int other = -1;
	floor->fd = -1;
	int code = floor->kind == IPC_FLOOR_BYTES ? open_socket(floor, &other) : open_words(floor);
	if (code == 0) {
		floor->pid = fork();
		code = floor->pid < 0 ? -errno : 0;
	}
	if (code == 0 && floor->pid == 0) {
		answer(floor, other);
	}
	return code < 0 ? error_set(err, code, "ping-pong: %s", strerror(-code)) : 0;
}

void ipc_floor_stop(struct ipc_floor *floor)
{
	if (floor->pid > 0) {
		kill(floor->pid, SIGKILL);
		waitpid(floor->pid, NULL, 0);
	}
	own_close_fd(&floor->fd);
	free(floor->bytes);
	if (floor->words) {
		munmap(floor->words, sizeof(*floor->words));
	}
	*floor = (struct ipc_floor){.fd = -1};
}

static bool ask_bytes(const struct ipc_floor *floor)
{
	return send_all(floor->fd, floor->bytes, floor->bytes_there) &&
		receive_all(floor->fd, floor->bytes, floor->bytes_back);
}

/* Same calls as a client with a ring on the daemon's core. */
static bool ask_bell(const struct ipc_floor *floor)
{
	struct ipc_floor_words *words = floor->words;
	const uint64_t one = 1;
	const unsigned int before = atomic_load(&words->answered);
	atomic_store(&words->asked, before + 1);
	if (write(floor->fd, &one, sizeof(one)) != sizeof(one)) {
		return false;
	}
	if (atomic_load(&words->answered) == before) {
		sched_yield();
	}
	while (atomic_load(&words->answered) == before) {
		atomic_store(&words->sleeps, 1);
		if (atomic_load(&words->answered) == before) {
			futex(&words->answered, FUTEX_WAIT, before);
		}
		atomic_store(&words->sleeps, 0);
	}
	return true;
}

static bool ask_in_turn(const struct ipc_floor *floor)
{
	const unsigned int before = atomic_load(&floor->words->answered);
	atomic_store(&floor->words->asked, before + 1);
	while (atomic_load(&floor->words->answered) == before) {
		sched_yield();
	}
	return true;
}

static bool ask_at_once(const struct ipc_floor *floor)
{
	const unsigned int before = atomic_load(&floor->words->answered);
	atomic_store(&floor->words->asked, before + 1);
	while (atomic_load(&floor->words->answered) == before) {}
	return true;
}

int ipc_floor_ask(const struct ipc_floor *floor, struct error *err)
{
	const bool done = floor->kind == IPC_FLOOR_BYTES ? ask_bytes(floor)
		: floor->kind == IPC_FLOOR_RING          ? ask_bell(floor)
		: floor->kind == IPC_FLOOR_WAYS          ? ask_in_turn(floor)
							 : ask_at_once(floor);
	return done ? 0 : error_set(err, -EIO, "the ping-pong broke off");
}
