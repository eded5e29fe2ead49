/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memfd - shared memory of clients, charged until the kernel has freed it
 *
 * The kernel charges a memfd's pages to the cgroup that touches them first. A client can free the
 * pages (fallocate), have edged touch new ones, and keep the descriptor after edged unmapped the
 * memory. So a memfd stays charged to the user who shared it first until the kernel has freed it,
 * whoever holds it. inotify reports that. A memfd that inotify cannot watch is refused. Loop thread
 * only.
 */
#ifndef DAEMON_EDGED_SERVE_MEMFD_H
#define DAEMON_EDGED_SERVE_MEMFD_H

#include <uv.h>

#include "daemon/edged/serve/account.h"

/* limit of memfds; the kernel allows a user at least so many inotify watches */
#define MEMFD_MAX 8192
#define MEMFD_BUCKETS 256

struct memfd {
	struct memfd *next;
	struct memfds *memfds;
	struct account *account;
	uint64_t charged; /* bytes */
	int wd; /* inotify's watch descriptor: one per inode, never used again */
	bool lent; /* a region borrows the charge */
};

/* The memfds of all connections. */
struct memfds {
	int events; /* inotify's descriptor; -1: none, and memfd_lend() fails */
	uv_poll_t poll;
	uint32_t n; /* memfds in @buckets */
	struct memfd *buckets[MEMFD_BUCKETS]; /* chains by wd */
};

/* Opens inotify, and has @accounts ask for charges to release. A failure is logged and leaves clients
 * without shared memory. */
void memfds_start(
	struct memfds *memfds, struct accounts *accounts, uv_loop_t *loop, const struct log *log);
/* Releases all charges. Call it after the loop has closed its handles. */
void memfds_deinit(struct memfds *memfds);

/* Releases the charges of all memfds that the kernel has freed by now. */
void memfds_read_events(struct memfds *memfds);

/*
 * Lends the charge of the memfd @fd until memfd_return(). *ret_memfd is NULL when the charge is
 * lent already: the caller then charges its user itself. An unknown memfd is charged @bytes to
 * @account: -EAGAIN when the account's limit of bytes or memfds is reached or the memfd cannot be
 * watched, -EINVAL when edged may not read it, -ENOMEM.
 */
int must_check memfd_lend(struct memfds *memfds, int fd, uint64_t bytes, struct account *account,
	struct memfd **ret_memfd, struct error *err);
/* Returns the charge. The memory must be unmapped. */
void memfd_return(struct memfd *memfd);

#endif
