/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/process.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/own.h"

#define SPARE_FILES 64 /* descriptors not for clients: models, epoll, logs */
#define ROOM_FILES 1024 /* further descriptors not for clients, if the system allows them */
#define TRIM_MS 1000

void process_tune_memory(void)
{
	/* Explicit thresholds turn off glibc's dynamic ones, which grow with freed blocks. */
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	mallopt(M_TRIM_THRESHOLD, 512 << 10);
	mallopt(M_ARENA_MAX, 1);
}

void process_reserve_files(uint64_t *max_clients, uint64_t *max_shared, const struct log *log)
{
	struct rlimit limit;
	const uint64_t wanted = *max_clients + 2 * *max_shared + ROOM_FILES;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
		return;
	}
	/* Lowers a higher limit, because libuv's table of watchers is as long as the highest
	 * descriptor. */
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : (rlim_t)wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
		limit.rlim_cur < *max_clients + 2 * *max_shared + SPARE_FILES) {
		uint64_t left = limit.rlim_cur > 2 * SPARE_FILES ? limit.rlim_cur - SPARE_FILES : 1;
		*max_shared = *max_shared < left / 6 ? *max_shared : left / 6;
		left -= 2 * *max_shared;
		*max_clients = *max_clients < left ? *max_clients : left;
		log_warning(log, "max-clients is %llu: the limit of open files is %llu",
			(unsigned long long)*max_clients, (unsigned long long)limit.rlim_cur);
	}
}

void process_warm_loop(uv_loop_t *loop)
{
	uv_poll_t poll;
	struct rlimit limit;
	owned_fd int low = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	const rlim_t max = 65536;
	if (low < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0) {
		return;
	}
	owned_fd int high =
		fcntl(low, F_DUPFD_CLOEXEC, (int)(limit.rlim_cur < max ? limit.rlim_cur : max) - 1);
	if (high >= 0 && uv_poll_init(loop, &poll, high) == 0) {
		uv_poll_start(&poll, UV_READABLE, NULL);
		uv_close((uv_handle_t *)&poll, NULL);
		uv_run(loop, UV_RUN_NOWAIT); /* closes the handle before its memory is freed */
	}
}

uint64_t process_resident_bytes(void)
{
	unsigned long long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file) {
		return 0;
	}
	int n = fscanf(file, "%*u %llu", &pages);
	fclose(file);
	return n == 1 ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void on_trim(uv_timer_t *timer)
{
	(void)timer;
	malloc_trim(0);
}

void process_trim_later(uv_timer_t *timer)
{
	if (!uv_is_closing((uv_handle_t *)timer) && !uv_is_active((uv_handle_t *)timer)) {
		uv_timer_start(timer, on_trim, TRIM_MS, 0);
	}
}
