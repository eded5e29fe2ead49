/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/packs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

#define ALIGNMENT 64
#define MAGIC UINT64_C(0x316b636170646765) /* "egdpack1" */

struct head {
	uint64_t magic;
	uint64_t bytes; /* of the whole file */
	uint64_t sum[2]; /* of the key and of all after the head */
	uint8_t padding[32];
};

_Static_assert(sizeof(struct head) == ALIGNMENT, "blocks begin at a multiple of 64");

/*
 * A sum that any flipped, moved or missing word changes: four lanes of multiply and rotate, so that
 * it runs at the speed of memory. It finds accidents; who may write the folder may change weights.
 */
static void sum_words(const uint8_t *data, uint64_t bytes, uint64_t lane[4])
{
	for (uint64_t at = 0; at + 32 <= bytes; at += 32) {
		for (unsigned int i = 0; i < 4; i++) {
			uint64_t word;
			memcpy(&word, data + at + (size_t)8 * i, sizeof(word));
			lane[i] = (lane[i] ^ word) * UINT64_C(0x9e3779b97f4a7c15);
			lane[i] = lane[i] << 29 | lane[i] >> 35;
		}
	}
}

/* @bytes: a multiple of 64. */
static void sum(const struct packs *packs, uint64_t bytes, uint64_t ret_sum[2])
{
	uint64_t lane[4] = {1, 2, 3, bytes};
	sum_words((const uint8_t *)packs->key, sizeof(packs->key), lane);
	sum_words(packs->data + sizeof(struct head), bytes - sizeof(struct head), lane);
	ret_sum[0] = lane[0] ^ (lane[1] << 17 | lane[1] >> 47);
	ret_sum[1] = lane[2] ^ (lane[3] << 17 | lane[3] >> 47);
}

/* Blocks of the disk for the next @bytes, so that writing them through the mapping cannot fail. */
static bool allocate(const struct packs *packs, uint64_t bytes)
{
	return fallocate(packs->fd, 0, (off_t)packs->used, (off_t)bytes) == 0;
}

static void *reserve_block(void *context, uint64_t bytes, bool *ret_filled)
{
	struct packs *packs = context;
	uint64_t left = packs->size - packs->used;
	uint64_t room = bytes_align_up(bytes, ALIGNMENT);
	uint8_t *block = packs->data + packs->used;
	if (!packs->data || packs->differs) {
		return NULL;
	}
	if (bytes > left || room > left || left - room < ALIGNMENT) {
		packs->differs = packs->filled;
		return NULL;
	}
	if (packs->filled && bytes_get_u64(block) != bytes) {
		packs->differs = true;
		return NULL;
	}
	if (!packs->filled) {
		if (!allocate(packs, ALIGNMENT + room)) {
			packs->differs =
				true; /* the next load would find later blocks in its place */
			return NULL;
		}
		memcpy(block, &bytes, sizeof(bytes));
	}
	packs->used += ALIGNMENT + room;
	*ret_filled = packs->filled;
	return block + ALIGNMENT;
}

static void unmap(struct packs *packs)
{
	if (packs->data) {
		munmap(packs->data, (size_t)packs->size);
	}
	packs->data = NULL;
	packs->size = packs->used = 0;
	packs->filled = false;
}

static bool map(struct packs *packs, int fd, uint64_t bytes, int protection)
{
	if (bytes != (size_t)bytes) {
		return false;
	}
	void *data = mmap(NULL, (size_t)bytes, protection, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		return false;
	}
	packs->data = data;
	packs->size = bytes;
	packs->used = sizeof(struct head);
	return true;
}

static bool was_made_for_key(const struct packs *packs)
{
	struct head head;
	uint64_t expected[2];
	memcpy(&head, packs->data, sizeof(head));
	if (head.magic != MAGIC || head.bytes != packs->size) {
		return false;
	}
	sum(packs, packs->size, expected);
	return memcmp(head.sum, expected, sizeof(expected)) == 0;
}

static bool map_made(struct packs *packs, uint64_t max_bytes)
{
	struct stat st;
	owned_fd int fd =
		openat(packs->folder, packs->key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size % ALIGNMENT != 0 ||
		(uint64_t)st.st_size <= sizeof(struct head) || (uint64_t)st.st_size > max_bytes ||
		!map(packs, fd, (uint64_t)st.st_size, PROT_READ)) {
		return false;
	}
	packs->filled = was_made_for_key(packs);
	if (!packs->filled) {
		unmap(packs);
	}
	return packs->filled;
}

static void made_name(const struct packs *packs, char name[PACKS_KEY_BYTES + 1])
{
	snprintf(name, PACKS_KEY_BYTES + 1, ".%s", packs->key);
}

static void forget_file(struct packs *packs)
{
	char name[PACKS_KEY_BYTES + 1];
	if (packs->key[0] != 0) {
		made_name(packs, name);
		unlinkat(packs->folder, name, 0);
	}
	unmap(packs);
}

static int make_file(const struct packs *packs)
{
	char name[PACKS_KEY_BYTES + 1];
	if (packs->key[0] == 0) {
		return openat(packs->folder, ".", O_RDWR | O_CLOEXEC | O_TMPFILE, 0400);
	}
	made_name(packs, name);
	unlinkat(packs->folder, name, 0); /* left by a crash */
	return openat(
		packs->folder, name, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL | O_NOFOLLOW, 0400);
}

/* A file of holes, as long as it may become. */
static void begin(struct packs *packs, uint64_t max_bytes)
{
	packs->fd = make_file(packs);
	packs->making = packs->fd >= 0;
	if (packs->making &&
		(ftruncate(packs->fd, (off_t)max_bytes) < 0 ||
			!map(packs, packs->fd, max_bytes, PROT_READ | PROT_WRITE) ||
			fallocate(packs->fd, 0, 0, sizeof(struct head)) < 0)) {
		forget_file(packs);
	}
}

void packs_open(struct packs *packs, int folder, const char *key, uint64_t max_bytes)
{
	*packs = (struct packs){.folder = folder, .fd = -1};
	packs->memory = (struct pack_memory){reserve_block, packs};
	snprintf(packs->key, sizeof(packs->key), "%s", key ? key : "");
	max_bytes = max_bytes / ALIGNMENT * ALIGNMENT;
	if (packs->key[0] != 0 && map_made(packs, max_bytes)) {
		return;
	}
	begin(packs, max_bytes);
}

/* Cuts what was not taken, from the file and from the mapping. */
static bool cut(struct packs *packs)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const uint64_t kept = bytes_align_up(packs->used, page);
	if (ftruncate(packs->fd, (off_t)packs->used) < 0) {
		return false;
	}
	if (kept < packs->size) {
		munmap(packs->data + kept, (size_t)(packs->size - kept));
	}
	packs->size = packs->used;
	return mprotect(packs->data, (size_t)packs->size, PROT_READ) == 0;
}

static void finish(struct packs *packs)
{
	char name[PACKS_KEY_BYTES + 1];
	struct head head = {.magic = MAGIC, .bytes = packs->used};
	sum(packs, packs->used, head.sum);
	memcpy(packs->data, &head, sizeof(head));
	made_name(packs, name);
	bool whole = cut(packs);
	if (packs->key[0] != 0 &&
		(!whole || packs->differs ||
			renameat(packs->folder, name, packs->folder, packs->key) < 0)) {
		unlinkat(packs->folder, name, 0); /* this load uses it, without its name */
	}
}

static void close_file(struct packs *packs)
{
	if (packs->making) {
		close(packs->fd);
		packs->making = false;
	}
}

void packs_seal(struct packs *packs)
{
	if (packs->making && packs->used > sizeof(struct head)) {
		finish(packs);
	} else if (packs->making) {
		forget_file(packs);
	}
	if (packs->differs) {
		unlinkat(packs->folder, packs->key, 0); /* made anew at the next load */
	}
	close_file(packs);
	if (packs->data) {
		/* They are read again from the file when a run wants them. */
		madvise(packs->data, (size_t)packs->size, MADV_DONTNEED);
	}
	packs->folder = -1;
}

uint64_t packs_bytes(const struct packs *packs)
{
	return packs->data ? packs->used : 0;
}

void packs_deinit(struct packs *packs)
{
	if (packs->making) {
		forget_file(packs);
		close_file(packs);
	}
	unmap(packs);
}
