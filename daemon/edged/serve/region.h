/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region - memory that a client shares for tensors and rings
 *
 * A region is a memfd of sealed size, mapped once. It belongs to its connection; each request that
 * names it has a reference, so neither REGION_REMOVE nor the end of the connection unmaps it under
 * a worker. Its bytes may change at any moment. The client may free its pages (fallocate) and have
 * edged touch new ones: at most as many as are charged, and for as long as the memfd exists
 * (memfd.h). Loop thread only, but for the bytes.
 */
#ifndef DAEMON_EDGED_SERVE_REGION_H
#define DAEMON_EDGED_SERVE_REGION_H

#include "base/wire/wire.h"
#include "daemon/edged/serve/memfd.h"

/* The regions of one connection; zeroed at first but for @memfds. */
struct regions {
	struct memfds *memfds; /* the memfds of all connections */
	struct region *first;
	uint32_t n; /* regions in the list */
	uint32_t last_id;
};

struct region {
	struct region *next;
	unsigned int refs; /* one of the list and one per use in a request */
	uint32_t id, uses; /* uses: WIRE_REGION_* */
	uint8_t *data;
	uint64_t bytes;
	struct memfd
		*memfd; /* memfd whose charge it borrows; NULL: another region has the charge */
	struct account *account; /* account of @charged when @memfd is NULL; else NULL */
	uint64_t charged; /* bytes; 0: the memfd's charge is borrowed */
};

/*
 * Maps the memfd @fd, charges @account and adds the region to @list. @fd stays the caller's and may
 * be closed. -EINVAL with the reason when @fd is no memfd, its size is not sealed, it has holes, is
 * not @wanted->bytes long or is not open for its uses; -EAGAIN above @max regions or above the
 * account's limits, or when the memfd cannot be watched; -EFBIG when all ids are used; -ENOMEM.
 */
int must_check region_add(struct regions *list, int fd, const struct wire_region *wanted,
	struct account *account, uint64_t max, struct region **ret_region, struct error *err);

/* Borrows region @id of @list. -ENOENT if there is none. */
int must_check region_find(
	const struct regions *list, uint32_t id, struct region **ret_region, struct error *err);

/* Takes @region out of @list. */
void region_remove(struct regions *list, struct region *region);
/* Takes all regions out of @list: the connection ends. */
void regions_close(struct regions *list);

struct region *region_ref(struct region *region);
void region_unref(struct region *region); /* NULL is fine */

/* The address of @bytes at @offset. -EINVAL when they do not lie inside the region or the region
 * is not for @use (WIRE_REGION_*). */
int must_check region_at(const struct region *region, uint64_t offset, uint64_t bytes, uint32_t use,
	void **ret_data, struct error *err);

#endif
