/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/region.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PAGE UINT64_C(4096)
#define BLOCK UINT64_C(512) /* unit of st_blocks on every file system */

/* ---- judging a descriptor */

/* Without seals a file may shrink, and reading beyond its end raises SIGBUS. Only tmpfs and
 * hugetlbfs have seals; hugetlbfs raises SIGBUS even then, when its pool is empty. */
static int check_kind(int fd, struct error *err)
{
	const int needed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct statfs system;
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || fstatfs(fd, &system) < 0 || system.f_type != TMPFS_MAGIC) {
		return error_set(err, -EINVAL, "the descriptor is no memfd of plain pages");
	}
	if ((seals & needed) != needed) {
		return error_set(
			err, -EINVAL, "the memory is not sealed against shrink, grow and seal");
	}
	return 0;
}

/* Holes are refused because the process that touches a page first is charged for it. */
static int check_size(int fd, uint64_t bytes, struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return error_set(err, -EINVAL, "the memory cannot be looked at");
	}
	if (bytes == 0 || (uint64_t)st.st_size != bytes || bytes > PTRDIFF_MAX - PAGE) {
		return error_set(err, -EINVAL, "the memory has %lld bytes, not %llu",
			(long long)st.st_size, (unsigned long long)bytes);
	}
	if ((uint64_t)st.st_blocks * BLOCK < bytes) {
		return error_set(err, -EINVAL, "the memory has holes");
	}
	return 0;
}

static int check_mode(int fd, uint32_t uses, struct error *err)
{
	int flags = fcntl(fd, F_GETFL);
	int mode = flags & O_ACCMODE;
	if (flags < 0 || mode == O_WRONLY || (uses & WIRE_REGION_OUTPUTS && mode != O_RDWR)) {
		return error_set(err, -EINVAL, "the descriptor is not open for %s",
			uses & WIRE_REGION_OUTPUTS ? "reading and writing" : "reading");
	}
	return 0;
}

static int region_check_fd(int fd, const struct wire_region *wanted, struct error *err)
{
	int code = fd < 0 ? error_set(err, -EINVAL, "REGION_ADD came without a descriptor") : 0;
	if (code == 0) {
		code = check_kind(fd, err);
	}
	if (code == 0) {
		code = check_size(fd, wanted->bytes, err);
	}
	return code < 0 ? code : check_mode(fd, wanted->uses, err);
}

/* ---- the list */

static int map(struct region *region, int fd, struct error *err)
{
	const int protection = (region->uses & WIRE_REGION_INPUTS ? PROT_READ : 0) |
		(region->uses & WIRE_REGION_OUTPUTS ? PROT_WRITE : 0);
	void *data = mmap(NULL, (size_t)region->bytes, protection, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) { /* EPERM: the memfd is sealed against writing */
		return errno == ENOMEM ? error_no_memory(err)
				       : error_set(err, -EINVAL, "the memory cannot be mapped");
	}
	region->data = data;
	return 0;
}

/* Borrows the memfd's charge. If another region of the same memfd has it, charges @account. */
static int charge(struct region *region, struct memfds *memfds, int fd, struct account *account,
	struct error *err)
{
	const uint64_t charged = bytes_align_up(region->bytes, PAGE) + PAGE;
	int code = memfd_lend(memfds, fd, charged, account, &region->memfd, err);
	if (code < 0 || region->memfd) {
		return code;
	}
	code = account_charge(account, charged, err);
	if (code == 0) {
		region->account = account;
		region->charged = charged;
	}
	return code;
}

/* Mapping comes first: memory that cannot be mapped is not charged. */
static int region_new(int fd, const struct wire_region *wanted, struct memfds *memfds,
	struct account *account, struct region **ret_region, struct error *err)
{
	struct region *region = calloc(1, sizeof(*region));
	if (!region) {
		return error_no_memory(err);
	}
	*region = (struct region){.refs = 1, .uses = wanted->uses, .bytes = wanted->bytes};
	int code = map(region, fd, err);
	if (code == 0) {
		code = charge(region, memfds, fd, account, err);
	}
	if (code < 0) {
		region_unref(region);
		return code;
	}
	*ret_region = region;
	return 0;
}

int region_add(struct regions *list, int fd, const struct wire_region *wanted,
	struct account *account, uint64_t max, struct region **ret_region, struct error *err)
{
	struct region *region = NULL;
	int code = region_check_fd(fd, wanted, err);
	if (code == 0) {
		code = account_check_ids("regions", list->n, max, list->last_id, err);
	}
	if (code == 0) {
		code = region_new(fd, wanted, list->memfds, account, &region, err);
	}
	if (code < 0) {
		return code;
	}
	region->id = ++list->last_id;
	region->next = list->first;
	list->first = region;
	list->n++;
	*ret_region = region;
	return 0;
}

int region_find(
	const struct regions *list, uint32_t id, struct region **ret_region, struct error *err)
{
	struct region *region = list->first;
	while (region && region->id != id) {
		region = region->next;
	}
	if (!region) {
		return error_set(err, -ENOENT, "this connection has no region %u", id);
	}
	*ret_region = region;
	return 0;
}

void region_remove(struct regions *list, struct region *region)
{
	struct region **link = &list->first;
	while (*link != region) {
		link = &(*link)->next;
	}
	*link = region->next;
	list->n--;
	region_unref(region);
}

void regions_close(struct regions *list)
{
	while (list->first) {
		region_remove(list, list->first);
	}
}

/* ---- use */

struct region *region_ref(struct region *region)
{
	region->refs++;
	return region;
}

void region_unref(struct region *region)
{
	if (!region || --region->refs > 0) {
		return;
	}
	if (region->data) {
		munmap(region->data, (size_t)region->bytes);
	}
	if (region->memfd) {
		memfd_return(region->memfd);
	}
	if (region->account) {
		account_release(region->account, region->charged);
	}
	free(region);
}

int region_at(const struct region *region, uint64_t offset, uint64_t bytes, uint32_t use,
	void **ret_data, struct error *err)
{
	if (!(region->uses & use)) {
		return error_set(err, -EINVAL, "region %u is not for %s", region->id,
			use == WIRE_REGION_INPUTS ? "inputs" : "outputs");
	}
	if (offset > region->bytes || bytes > region->bytes - offset) {
		return error_set(err, -EINVAL, "%llu bytes at %llu are not inside region %u",
			(unsigned long long)bytes, (unsigned long long)offset, region->id);
	}
	*ret_data = region->data + offset;
	return 0;
}
