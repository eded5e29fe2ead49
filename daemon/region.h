/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region - a client's memory that its requests may name
 *
 * A memfd whose size nobody can change any more, mapped once. It belongs to the connection that
 * brought it; a request that names it has a reference, so neither REGION_REMOVE nor the end of the
 * connection takes it from a worker. Its bytes may change at any moment, and the client may take
 * its pages back (fallocate) and so make edged touch new ones: at most as many as are charged, and for
 * as long as the memory exists (memfd.h). Loop thread only, but for the bytes.
 */
#ifndef DAEMON_REGION_H
#define DAEMON_REGION_H

#include "base/wire.h"
#include "daemon/memfd.h"

/* Those of one connection; zeroed at first but for @memfds. */
struct regions {
	struct memfds *memfds; /* of all connections */
	struct region *first;
	uint32_t n;
	uint32_t last_id;
};

struct region {
	struct region *next;
	unsigned int refs; /* the list's, and one for each place that a request names */
	uint32_t id, uses; /* WIRE_REGION_* */
	uint8_t *data;
	uint64_t bytes;
	struct memfd
		*memfd; /* whose charge it uses; NULL: another region of the same memory does */
	struct account *account; /* then charged beside; else NULL */
	uint64_t charged;
};

/*
 * Maps what @fd is and puts it into @list, charged to @account. @fd stays the caller's, and is not
 * needed any more. -EINVAL with the reason for what is no memfd, may change its size, has holes, is
 * not @wanted->bytes long or not open for its uses; -EAGAIN above @most regions or what the account
 * may hold, or when the memory cannot be watched; -EFBIG when there are no ids left; -ENOMEM.
 */
int must_check region_add(struct regions *list, int fd, const struct wire_region *wanted,
	struct account *account, uint64_t most, struct region **ret_region, struct error *err);

/* Borrowed. -ENOENT with the text when @list has none of that id. */
int must_check region_find(
	const struct regions *list, uint32_t id, struct region **ret_region, struct error *err);

/* Takes it out of its list. */
void region_remove(struct regions *list, struct region *region);
/* All of @list: the connection ends. */
void regions_close(struct regions *list);

struct region *region_ref(struct region *region);
void region_unref(struct region *region); /* NULL is fine */

/* Where @bytes lie at @offset. -EINVAL when they are not all inside, or it is not for @use. */
int must_check region_at(const struct region *region, uint64_t offset, uint64_t bytes, uint32_t use,
	void **ret_data, struct error *err);

#endif
