/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/models/pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/own.h"
#include "daemon/system/base64.h"
#include "daemon/system/cgroup.h"

/* A stall of 200 ms in 2 s: unprivileged processes may only use windows that are multiples of 2 s
 * (Documentation/accounting/psi.rst). */
#define TRIGGER "some 200000 2000000"
/* The same share for the average of 10 s, when it is read without a trigger. */
#define SHORT_PERCENT 10
#define LOOK_NS UINT64_C(2000000000)

/* ---- watch named by the service manager: systemd's MEMORY_PRESSURE.md */

static int socket_open(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	owned_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || strlen(path) >= sizeof(address.sun_path)) {
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -1 : take_fd(fd);
}

static int file_open(const char *path, bool *ret_drain)
{
	struct stat st;
	if (stat(path, &st) < 0) {
		return -1;
	}
	*ret_drain = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
	return S_ISSOCK(st.st_mode) ? socket_open(path)
				    : open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static int named_open(bool *ret_drain)
{
	const char *path = getenv("MEMORY_PRESSURE_WATCH");
	const char *words = getenv("MEMORY_PRESSURE_WRITE");
	owned_mem uint8_t *bytes = NULL;
	size_t n = 0;
	owned_fd int fd = path && strcmp(path, "/dev/null") != 0 ? file_open(path, ret_drain) : -1;
	if (fd >= 0 && words && base64_decode(words, strlen(words), &bytes, &n, NULL) == 0 &&
		write(fd, bytes, n) != (ssize_t)n) {
		return -1;
	}
	return take_fd(fd);
}

/* ---- without a service manager */

static int trigger_open(const char *path)
{
	owned_fd int fd = path[0] ? open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK) : -1;
	return fd >= 0 && write(fd, TRIGGER, sizeof(TRIGGER)) == sizeof(TRIGGER) ? take_fd(fd) : -1;
}

static int own_open(void)
{
	char path[CGROUP_PATH_SIZE];
	cgroup_file("memory.pressure", path);
	int fd = trigger_open(path);
	return fd >= 0 ? fd : trigger_open("/proc/pressure/memory");
}

/* Opens the average for reading, which needs no privilege. */
static int figure_open(void)
{
	char path[CGROUP_PATH_SIZE];
	cgroup_file("memory.pressure", path);
	int fd = path[0] ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	return fd >= 0 ? fd : open("/proc/pressure/memory", O_RDONLY | O_CLOEXEC);
}

void pressure_check(struct pressure *pressure)
{
	char text[256];
	double percent = 0;
	const uint64_t now_ns = pressure->figure < 0 ? 0 : clock_now_ns();
	if (pressure->figure < 0 || now_ns - pressure->looked_ns < LOOK_NS) {
		return;
	}
	pressure->looked_ns = now_ns;
	ssize_t n = pread(pressure->figure, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = 0;
	if (sscanf(text, "some avg10=%lf", &percent) == 1 && percent >= SHORT_PERCENT) {
		pressure->on_short(pressure->context);
	}
}

/* ---- the watch */

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct pressure *pressure = poll->data;
	char words[256];
	(void)events;
	/* The peer closed the socket, or the control group was removed. */
	if (status < 0 ||
		(pressure->drain && read(pressure->fd, words, sizeof(words)) <= 0 &&
			errno != EAGAIN)) {
		uv_poll_stop(poll);
		return;
	}
	pressure->on_short(pressure->context);
}

void pressure_start(struct pressure *pressure, uv_loop_t *loop, bool wanted, const struct log *log,
	void (*on_short)(void *context), void *context)
{
	bool drain = false;
	const bool named = getenv("MEMORY_PRESSURE_WATCH") != NULL;
	*pressure =
		(struct pressure){.on_short = on_short, .context = context, .fd = -1, .figure = -1};
	if (!wanted) {
		return;
	}
	owned_fd int fd = named ? named_open(&drain) : own_open();
	if (fd < 0 || uv_poll_init(loop, &pressure->poll, fd) < 0) {
		pressure->figure = fd >= 0 ? take_fd(fd) : figure_open();
		log_debug(log, "memory pressure is %s",
			pressure->figure < 0 ? "not watched" : "read with each request");
		return;
	}
	pressure->poll.data = pressure;
	pressure->drain = drain;
	pressure->fd = take_fd(fd);
	uv_poll_start(&pressure->poll, drain ? UV_READABLE : UV_PRIORITIZED, on_poll);
}

void pressure_stop(struct pressure *pressure)
{
	own_close_fd(&pressure->figure);
	pressure->figure = -1;
	if (pressure->fd >= 0) {
		uv_close((uv_handle_t *)&pressure->poll, NULL);
		close(pressure->fd);
		pressure->fd = -1;
	}
}
