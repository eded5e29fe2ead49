/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memfd - clients' memory that edged has mapped once, and who pays until it is gone
 *
 * The pages of a memfd are charged to the cgroup of who touches them first. A client can take them back (fallocate), have
 * edged touch new ones, and keep the descriptor when edged maps the memory no more. So each that was ever mapped stays
 * charged to the user who brought it first until the kernel has freed it, whoever has it until then: inotify tells. What
 * cannot be watched is not taken. Loop thread only.
 */
#ifndef DAEMON_MEMFD_H
#define DAEMON_MEMFD_H

#include <uv.h>

#include "daemon/account.h"

#define MEMFD_MOST 8192 /* at a time: as many as the kernel has watches for each user, at least */
#define MEMFD_BUCKETS 256

struct memfd {
	struct memfd *next;
	struct memfds *memfds;
	struct account *account;
	uint64_t charged;
	int wd; /* inotify has one for each inode, and gives none again */
	bool lent;
};

/* Of all connections. */
struct memfds {
	int events; /* inotify; -1: none, and nothing can be lent */
	uv_poll_t poll;
	uint32_t n;
	struct memfd *buckets[MEMFD_BUCKETS]; /* by wd */
};

/* Without inotify it logs that. */
void memfds_start(struct memfds *memfds, uv_loop_t *loop, const struct log *log);
/* When the loop has closed its handles. Releases all charges. */
void memfds_deinit(struct memfds *memfds);

/* Releases what the kernel has freed by now. */
void memfds_hear(struct memfds *memfds);

/*
 * The charge of @bytes for the memory that @fd is, until memfd_return(). NULL when it is lent already:
 * the caller charges its user by itself. What is not known yet is charged to @account: -EAGAIN when that may
 * hold no more bytes or no more memories, or it cannot be watched; -EINVAL when edged may not read it; -ENOMEM.
 */
int must_check memfd_lend(struct memfds *memfds, int fd, uint64_t bytes, struct account *account,
	struct memfd **ret_memfd, struct error *err);
/* When it is not mapped any more. */
void memfd_return(struct memfd *memfd);

#endif
