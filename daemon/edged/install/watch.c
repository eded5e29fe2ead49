/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/watch.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/own.h"

#define MAX_QUIET_MS                                                                               \
	900 /* so that a new version serves within 2 s, even if a scan first finds a partial file */
#define NETWORK_MS 5000
#define MAX_READS 64 /* reads of events in one iteration of the loop */

/* No event of reading. truncate() causes only IN_MODIFY. */
#define CHANGES                                                                                    \
	(IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |        \
		IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

bool watch_folder(int events, int folder)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
	return events < 0 || inotify_add_watch(events, path, CHANGES) >= 0 || errno != ENOSPC;
}

/* ---- path of the models folder */

/* Watches the parent folder of @path[0..length), where a rename can redirect the path. */
static void watch_parent(int events, const char *path, size_t length)
{
	char parent[CONFIG_PATH_SIZE];
	while (length > 0 && path[length - 1] != '/') {
		length--;
	}
	if (length == 0) {
		snprintf(parent, sizeof(parent), ".");
	} else {
		snprintf(parent, sizeof(parent), "%.*s", (int)length, path);
	}
	int wd = inotify_add_watch(events, parent,
		IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ONLYDIR | IN_MASK_ADD);
	(void)wd; /* scans at an interval are the fallback */
}

static bool is_link(const char *path, size_t length)
{
	char part[CONFIG_PATH_SIZE];
	struct stat st;
	snprintf(part, sizeof(part), "%.*s", (int)length, path);
	return lstat(part, &st) == 0 && S_ISLNK(st.st_mode);
}

void watch_way(int events, const char *path)
{
	size_t length = events < 0 ? 0 : strlen(path);
	if (length == 0) {
		return;
	}
	while (length > 1 && path[length - 1] == '/') {
		length--;
	}
	watch_parent(events, path, length);
	for (size_t i = 1; i < length; i++) {
		if (path[i] == '/' && is_link(path, i)) {
			watch_parent(events, path, i);
		}
	}
}

bool watch_is_network(const char *path)
{
	static const long types[] = {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC,
		SMB2_SUPER_MAGIC, V9FS_MAGIC, CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC, CODA_SUPER_MAGIC,
		FUSE_SUPER_MAGIC};
	struct statfs fs;
	if (statfs(path, &fs) < 0) {
		return false;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if ((uint32_t)fs.f_type == (uint32_t)types[i]) {
			return true;
		}
	}
	return false;
}

/* ---- scan requests */

static void look(struct watch *watch)
{
	uv_timer_stop(&watch->quiet);
	watch->first_ms = 0;
	watch->look(watch->context);
}

static void on_timer(uv_timer_t *timer)
{
	look(timer->data);
}

static void changed(struct watch *watch)
{
	uint64_t quiet = watch->config->watch_quiet_ms, now = uv_now(watch->poll.loop);
	if (quiet == 0) {
		look(watch);
		return;
	}
	if (watch->first_ms == 0) {
		watch->first_ms = now;
	}
	uint64_t max = quiet > MAX_QUIET_MS ? quiet : MAX_QUIET_MS;
	uint64_t end = watch->first_ms + max;
	uint64_t wait = end <= now ? 0 : end - now < quiet ? end - now : quiet;
	uv_timer_start(&watch->quiet, on_timer, wait, 0);
}

/* Ignores names with a dot first, except ..data, which Kubernetes swaps for a volume. */
static bool means_something(const struct inotify_event *event)
{
	return event->len == 0 || event->name[0] != '.' || event->name[1] == '.';
}

/* Returns true if one of the events counts. */
static bool events_read(const char *bytes, size_t size)
{
	bool meant = false;
	for (size_t at = 0; at + sizeof(struct inotify_event) <= size;) {
		const struct inotify_event *event = (const void *)(bytes + at);
		meant = meant || means_something(event);
		at += sizeof(*event) + event->len;
	}
	return meant;
}

static void on_events(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	_Alignas(struct inotify_event) char bytes[4096];
	bool meant = false;
	ssize_t n = 0;
	(void)events;
	for (int i = 0; i < MAX_READS && (n = read(watch->fd, bytes, sizeof(bytes))) > 0; i++) {
		meant = events_read(bytes, (size_t)n) || meant;
	}
	if (status < 0) {
		uv_poll_stop(poll);
	}
	if (meant) {
		changed(watch);
	}
}

/* ---- start and stop */

void watch_configure(struct watch *watch)
{
	if (!watch->started) {
		return;
	}
	uint64_t ms = watch->config->rescan_ms;
	if (ms > NETWORK_MS && atomic_load(&watch->network)) {
		ms = NETWORK_MS;
	}
	if (ms == watch->regular_ms) {
		return;
	}
	watch->regular_ms = ms;
	if (ms > 0) {
		uv_timer_start(&watch->regular, on_timer, ms, ms);
	} else {
		uv_timer_stop(&watch->regular);
	}
}

static void events_start(struct watch *watch, uv_loop_t *loop)
{
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd < 0 || uv_poll_init(loop, &watch->poll, watch->fd) < 0) {
		log_warning(watch->log,
			"the models folder cannot be watched: %s: it is scanned every %llu s",
			strerror(errno), (unsigned long long)(watch->config->rescan_ms / 1000));
		own_close_fd(&watch->fd);
		watch->fd = -1;
		return;
	}
	watch->poll.data = watch;
	uv_poll_start(&watch->poll, UV_READABLE, on_events);
}

void watch_start(struct watch *watch, uv_loop_t *loop, const struct config *config,
	const struct log *log, void (*on_look)(void *context), void *context)
{
	*watch = (struct watch){
		.config = config, .log = log, .look = on_look, .context = context, .fd = -1};
	if (!config->watch) {
		return;
	}
	uv_timer_init(loop, &watch->quiet);
	uv_timer_init(loop, &watch->regular);
	watch->quiet.data = watch->regular.data = watch;
	watch->started = true;
	events_start(watch, loop);
	watch_configure(watch);
}

void watch_stop(struct watch *watch)
{
	if (!watch->started) {
		return;
	}
	if (watch->fd >= 0) {
		uv_close((uv_handle_t *)&watch->poll, NULL);
		close(watch->fd);
		watch->fd = -1;
	}
	uv_close((uv_handle_t *)&watch->quiet, NULL);
	uv_close((uv_handle_t *)&watch->regular, NULL);
	watch->started = false;
}
