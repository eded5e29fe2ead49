/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/flip/flip_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"

#define PAGE 4096u
/* Wide, so that an index of 16 bits does not reach behind it. */
#define GUARD ((size_t)4 << 20)
#define POISON_FILE ((size_t)1 << 20)
#define MAX_BLOCKS 256

/* What --wrap puts in the place of the C library's functions has no place for its state but this. */
static struct {
	int file; /* full of poison; 0: blocks are mapped as ever */
	struct {
		uint8_t *data, *reserved;
		size_t reserved_bytes;
	} blocks[MAX_BLOCKS];
	size_t n_blocks;
} memory;

void *__real_mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t n);
int __wrap_munmap(void *at, size_t n);

void flip_memory_poison(void)
{
	static const uint64_t poison = FLIP_POISON;
	int fd = memfd_create("poison", MFD_CLOEXEC);
	uint8_t *data = malloc(POISON_FILE);
	if (fd <= 0 || !data) {
		perror("flip: memory for poison");
		exit(2);
	}
	for (size_t i = 0; i < POISON_FILE; i += sizeof(poison)) {
		memcpy(data + i, &poison, sizeof(poison));
	}
	if (write(fd, data, POISON_FILE) != (ssize_t)POISON_FILE) {
		perror("flip: memory for poison");
		exit(2);
	}
	free(data);
	memory.file = fd;
}

static uint8_t *reserve(size_t bytes)
{
	void *data = __real_mmap64(
		NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return data == MAP_FAILED ? NULL : data;
}

/* Copy-on-write pages of poison: no run pays for filling them. */
static bool map_poison(uint8_t *data, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += POISON_FILE) {
		size_t n = bytes - at < POISON_FILE ? bytes - at : POISON_FILE;
		if (__real_mmap64(data + at, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
			    memory.file, 0) == MAP_FAILED) {
			return false;
		}
	}
	return true;
}

void *__wrap_mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	bool is_block = memory.file && !at && fd < 0 && n > 0 && n < SIZE_MAX / 4 &&
		protection == (PROT_READ | PROT_WRITE) && flags == (MAP_PRIVATE | MAP_ANONYMOUS);
	if (!is_block || memory.n_blocks == MAX_BLOCKS) {
		return __real_mmap64(at, n, protection, flags, fd, offset);
	}
	size_t room = (size_t)bytes_align_up(n, PAGE);
	uint8_t *reserved = reserve(room + 2 * GUARD);
	if (!reserved) {
		return MAP_FAILED;
	}
	if (!map_poison(reserved + GUARD, room)) {
		__real_munmap(reserved, room + 2 * GUARD);
		return MAP_FAILED;
	}
	uint8_t *data = reserved + GUARD + room - (size_t)bytes_align_up(n, 64);
	memory.blocks[memory.n_blocks].data = data;
	memory.blocks[memory.n_blocks].reserved = reserved;
	memory.blocks[memory.n_blocks++].reserved_bytes = room + 2 * GUARD;
	return data;
}

int __wrap_munmap(void *at, size_t n)
{
	for (size_t i = memory.n_blocks; i-- > 0;) {
		if (memory.blocks[i].data == at) {
			uint8_t *reserved = memory.blocks[i].reserved;
			n = memory.blocks[i].reserved_bytes;
			memory.blocks[i] = memory.blocks[--memory.n_blocks];
			return __real_munmap(reserved, n);
		}
	}
	return __real_munmap(at, n);
}

bool flip_memory_share(struct flip_shared *shared, uint64_t bytes, enum flip_placement placement)
{
	size_t room = (size_t)bytes_align_up(bytes ? bytes : 1, PAGE);
	size_t at = placement == FLIP_AT_START ? 0 : room - (size_t)bytes_align_up(bytes, 16);
	uint8_t *reserved = reserve(room + 2 * GUARD);
	int fd = memfd_create("operand", MFD_CLOEXEC);
	void *view = MAP_FAILED, *bound = MAP_FAILED;
	if (reserved && fd >= 0 && ftruncate(fd, (off_t)room) == 0) {
		view = __real_mmap64(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		bound = __real_mmap64(
			reserved + GUARD, room, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
	}
	if (fd >= 0) {
		close(fd);
	}
	if (view == MAP_FAILED || bound == MAP_FAILED) {
		return false;
	}
	*shared = (struct flip_shared){.bound = (const uint8_t *)bound + at,
		.view = (uint8_t *)view + at,
		.bytes = bytes,
		.room = room,
		.reserved = reserved};
	return true;
}

void flip_memory_unshare(struct flip_shared *shared)
{
	if (shared->reserved) {
		__real_munmap(
			shared->view - (shared->bound - shared->reserved - GUARD), shared->room);
		__real_munmap(shared->reserved, shared->room + 2 * GUARD);
	}
	*shared = (struct flip_shared){0};
}

void *flip_memory_map(size_t bytes)
{
	void *data = __real_mmap64(
		NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED) {
		perror("flip: shared memory");
		exit(2);
	}
	return data;
}

uint8_t *flip_memory_pages(const struct flip_shared *shared)
{
	return shared->reserved + GUARD;
}

/* Its eight bytes all differ: a byte says where in the poison a run of it would have begun. */
uint64_t flip_memory_find_poison(const uint8_t *data, uint64_t bytes)
{
	static const uint64_t poison = FLIP_POISON;
	uint8_t repeated[16], begins[256] = {0};
	memcpy(repeated, &poison, sizeof(poison));
	memcpy(repeated + 8, &poison, sizeof(poison));
	for (uint8_t i = 0; i < 8; i++) {
		begins[repeated[i]] = i + 1;
	}
	for (uint64_t at = 0; at + FLIP_POISON_RUN <= bytes; at++) {
		const uint8_t i = begins[data[at]];
		if (i && memcmp(data + at, repeated + i - 1, FLIP_POISON_RUN) == 0) {
			return at;
		}
	}
	return bytes;
}
