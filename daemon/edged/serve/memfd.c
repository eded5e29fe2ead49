/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/memfd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/own.h"

/* An event that never happens to a memfd. IN_IGNORED comes without being asked for, when the
 * kernel frees the inode. So at most one event per memfd is queued, less than the kernel's limit
 * for one reader (16384). */
#define NOTHING IN_MOVE_SELF

static struct memfd **place_of(struct memfds *memfds, int wd)
{
	struct memfd **link = &memfds->buckets[(unsigned int)wd % MEMFD_BUCKETS];
	while (*link && (*link)->wd != wd) {
		link = &(*link)->next;
	}
	return link;
}

static void release(struct memfd **link)
{
	struct memfd *memfd = *link;
	*link = memfd->next;
	memfd->memfds->n--;
	memfd->account->n_memfds--;
	account_release(memfd->account, memfd->charged);
	free(memfd);
}

/* ---- inotify events */

static void events_take(struct memfds *memfds, const char *bytes, size_t size)
{
	for (size_t at = 0; at + sizeof(struct inotify_event) <= size;) {
		const struct inotify_event *event = (const void *)(bytes + at);
		struct memfd **link = place_of(memfds, event->wd);
		/* A lent memfd is mapped and cannot be freed. An event lost for want of memory
		 * leaves its charge: a charge too many is better than none. */
		if (event->mask & IN_IGNORED && *link && !(*link)->lent) {
			release(link);
		}
		at += sizeof(*event) + event->len;
	}
}

void memfds_read_events(struct memfds *memfds)
{
	_Alignas(struct inotify_event) char bytes[4096];
	ssize_t n = 0;
	do {
		n = memfds->events < 0 ? -1 : read(memfds->events, bytes, sizeof(bytes));
		if (n > 0) {
			events_take(memfds, bytes, (size_t)n);
		}
	} while (n == sizeof(bytes));
}

static void on_events(uv_poll_t *poll, int status, int events)
{
	(void)events;
	memfds_read_events(poll->data);
	if (status < 0) {
		uv_poll_stop(poll);
	}
}

/* ---- start and end */

static void release_freed(void *context)
{
	memfds_read_events(context);
}

void memfds_start(
	struct memfds *memfds, struct accounts *accounts, uv_loop_t *loop, const struct log *log)
{
	accounts->release = release_freed;
	accounts->context = memfds;
	memfds->events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (memfds->events < 0 || uv_poll_init(loop, &memfds->poll, memfds->events) < 0) {
		log_warning(log, "clients can share no memory: inotify: %s", strerror(errno));
		own_close_fd(&memfds->events);
		memfds->events = -1;
		return;
	}
	memfds->poll.data = memfds;
	uv_poll_start(&memfds->poll, UV_READABLE, on_events);
}

void memfds_deinit(struct memfds *memfds)
{
	for (size_t i = 0; i < MEMFD_BUCKETS; i++) {
		while (memfds->buckets[i]) {
			release(&memfds->buckets[i]);
		}
	}
	own_close_fd(&memfds->events);
	memfds->events = -1;
}

/* ---- lending */

static int watch(const struct memfds *memfds, int fd, int *ret_wd, struct error *err)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	errno = ENOSYS;
	int wd = memfds->events < 0 ? -1 : inotify_add_watch(memfds->events, path, NOTHING);
	if (wd < 0) { /* EACCES: the memfd's mode */
		return error_set(err, errno == EACCES ? -EINVAL : -EAGAIN,
			"edged cannot watch this memory: %s", strerror(errno));
	}
	*ret_wd = wd;
	return 0;
}

/* A user never has more memfds than it leaves free. */
static int memfd_new(struct memfds *memfds, int wd, uint64_t bytes, struct account *account,
	struct memfd **ret_memfd, struct error *err)
{
	if (memfds->n + account->n_memfds >= MEMFD_MAX) {
		return error_set(err, -EAGAIN,
			"%u memories of this user exist that were shared, of all users %u: one more is too "
			"many",
			account->n_memfds, memfds->n);
	}
	int code = account_charge(account, bytes, err);
	if (code < 0) {
		return code;
	}
	struct memfd *memfd = calloc(1, sizeof(*memfd));
	if (!memfd) {
		account_release(account, bytes);
		return error_no_memory(err);
	}
	struct memfd **bucket = &memfds->buckets[(unsigned int)wd % MEMFD_BUCKETS];
	*memfd = (struct memfd){
		.next = *bucket, .memfds = memfds, .account = account, .charged = bytes, .wd = wd};
	*bucket = memfd;
	memfds->n++;
	account->n_memfds++;
	*ret_memfd = memfd;
	return 0;
}

int memfd_lend(struct memfds *memfds, int fd, uint64_t bytes, struct account *account,
	struct memfd **ret_memfd, struct error *err)
{
	int wd = -1;
	memfds_read_events(memfds);
	int code = watch(memfds, fd, &wd, err);
	if (code < 0) {
		return code;
	}
	struct memfd *memfd = *place_of(memfds, wd);
	if (!memfd) {
		code = memfd_new(memfds, wd, bytes, account, &memfd, err);
		if (code < 0) {
			inotify_rm_watch(memfds->events, wd);
			return code;
		}
	}
	*ret_memfd = memfd->lent ? NULL : memfd;
	memfd->lent = true;
	return 0;
}

void memfd_return(struct memfd *memfd)
{
	memfd->lent = false;
	memfds_read_events(memfd->memfds); /* unmapping may have freed the memory just now */
}
