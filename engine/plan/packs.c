/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/packs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/background_yield.h"
#include "base/bytes.h"

#define ALIGNMENT 64
#define MAGIC UINT64_C(0x326b636170646765) /* "egdpack2" */
#define AHEAD 1024 /* the CPU itself looks ahead to the end of a page */
#define PIECE_BYTES ((uint64_t)64 << 10) /* that are summed in a step */
/* That are written in a step: the system keeps what comes together in larger pages, which are mapped
 * in less than two thirds of the time that those of 64 KiB take. */
#define WRITE_BYTES ((uint64_t)256 << 10)
#define HUGE_PAGE_BYTES (UINT64_C(2) << 20)

struct head {
	uint64_t magic;
	uint64_t bytes; /* of the whole file */
	uint64_t sum[2]; /* of the key and of all after the head */
	uint8_t padding[32];
};

_Static_assert(sizeof(struct head) == ALIGNMENT, "blocks begin at a multiple of 64");

typedef uint64_t lanes __attribute__((vector_size(16)));

/* Sums of words, and sums of those sums, which tell the words' places. */
struct sums {
	lanes words[4], places[4];
};

static inline lanes load(const uint8_t *data)
{
	lanes words;
	memcpy(&words, data, sizeof(words));
	return words;
}

/* @bytes: a multiple of 64. Each sum has a name, so that it stays in a register whatever the compiler is
 * asked for. */
static void sum_words(const uint8_t *data, uint64_t bytes, struct sums *sums)
{
	lanes w0 = sums->words[0], w1 = sums->words[1], w2 = sums->words[2], w3 = sums->words[3];
	lanes p0 = sums->places[0], p1 = sums->places[1], p2 = sums->places[2],
	      p3 = sums->places[3];
	for (const uint8_t *end = data + bytes; data < end; data += 64) {
		__builtin_prefetch(data + AHEAD); /* a hint, which may point behind the end */
		p0 += w0 += load(data);
		p1 += w1 += load(data + 16);
		p2 += w2 += load(data + 32);
		p3 += w3 += load(data + 48);
	}
	*sums = (struct sums){{w0, w1, w2, w3}, {p0, p1, p2, p3}};
}

/*
 * Numbers that any flipped, moved or missing word changes, at the speed of memory. They find
 * accidents; who may write the folder may change weights. @bytes: a multiple of 64.
 */
static void sum(const struct packs *packs, uint64_t bytes, uint64_t ret_sum[2])
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	struct sums sums = {.words = {{bytes}}};
	sum_words((const uint8_t *)packs->key, sizeof(packs->key), &sums);
	for (uint64_t at = sizeof(struct head); at < bytes; at += PIECE_BYTES) {
		const uint64_t rest = bytes - at;
		sum_words(packs->data + at, rest < PIECE_BYTES ? rest : PIECE_BYTES, &sums);
		background_yield_if_due();
	}
	ret_sum[0] = ret_sum[1] = 0;
	for (unsigned int i = 0; i < 8; i++) {
		ret_sum[0] = ret_sum[0] * odd + sums.words[i / 2][i % 2];
		ret_sum[1] = ret_sum[1] * odd + sums.places[i / 2][i % 2];
	}
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
		memcpy(block, &bytes, sizeof(bytes));
	}
	packs->used += ALIGNMENT + room;
	*ret_filled = packs->filled;
	return block + ALIGNMENT;
}

static void unmap(struct packs *packs)
{
	mapped_remove(packs->note);
	packs->note = NULL;
	if (packs->data) {
		munmap(packs->data, (size_t)packs->size);
	}
	packs->data = NULL;
	packs->size = packs->used = 0;
	packs->filled = packs->in_file = false;
}

/* @fd: -1 for memory that is there when it is written. */
static bool map(struct packs *packs, int fd, uint64_t bytes)
{
	const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
	if (bytes != (size_t)bytes || bytes == 0) {
		return false;
	}
	void *data = mmap(
		NULL, (size_t)bytes, fd < 0 ? PROT_READ | PROT_WRITE : PROT_READ, flags, fd, 0);
	if (data == MAP_FAILED) {
		return false;
	}
	packs->data = data;
	packs->size = bytes;
	packs->used = sizeof(struct head);
	packs->in_file = fd >= 0;
	packs->note = fd >= 0 ? mapped_add(data, (size_t)bytes) : NULL;
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
		!map(packs, fd, (uint64_t)st.st_size)) {
		return false;
	}
	packs->filled = was_made_for_key(packs);
	if (!packs->filled) {
		unmap(packs);
	}
	return packs->filled;
}

/* For writing, below a name of its own if it will have one. */
static int make_file(const struct packs *packs, const char *name)
{
	if (packs->key[0] == 0) {
		return openat(packs->folder, ".", O_RDWR | O_CLOEXEC | O_TMPFILE, 0400);
	}
	unlinkat(packs->folder, name, 0); /* left by a crash */
	return openat(
		packs->folder, name, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL | O_NOFOLLOW, 0400);
}

void packs_open(struct packs *packs, int folder, const char *key, uint64_t max_bytes)
{
	memset(packs, 0, sizeof(*packs));
	packs->folder = folder;
	packs->memory = (struct pack_memory){reserve_block, packs};
	snprintf(packs->key, sizeof(packs->key), "%s", key ? key : "");
	max_bytes = max_bytes / ALIGNMENT * ALIGNMENT;
	if (packs->key[0] != 0 && map_made(packs, max_bytes)) {
		return;
	}
	packs->making = folder >= 0 && map(packs, -1, max_bytes);
	if (packs->making && max_bytes >= HUGE_PAGE_BYTES) {
		/* A page fault for each 4 KiB takes as long as a third of the packing. */
		(void)madvise(packs->data, (size_t)max_bytes, MADV_HUGEPAGE);
	}
}

/* Gives back what was not taken. */
static void cut(struct packs *packs)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const uint64_t kept = bytes_align_up(packs->used, page);
	if (kept < packs->size) {
		munmap(packs->data + kept, (size_t)(packs->size - kept));
	}
	packs->size = packs->used;
}

/* Some kernels let nobody else have the CPU in the middle of a piece. */
static bool write_all(int fd, const uint8_t *data, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes;) {
		const uint64_t rest = bytes - at;
		ssize_t n = write(fd, data + at, (size_t)(rest < WRITE_BYTES ? rest : WRITE_BYTES));
		if (n < 0 && errno != EINTR) {
			return false;
		}
		at += n > 0 ? (uint64_t)n : 0;
		background_yield_if_due();
	}
	return true;
}

/*
 * The file's pages take the place of the memory that it was written from: programs point there
 * already. False when they could not, and it may be neither then.
 */
static bool change_places(struct packs *packs, int fd)
{
	const size_t bytes = (size_t)packs->size;
	void *file = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED) {
		return true; /* the memory stays */
	}
	if (mremap(file, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, packs->data) == MAP_FAILED) {
		munmap(file, bytes);
		return false;
	}
	packs->in_file = true;
	packs->note = mapped_add(packs->data, bytes);
	return true;
}

/* Without a file, for want of room or rights, or of a disk that takes it, the memory stays. */
static bool finish(struct packs *packs)
{
	char name[PACKS_KEY_BYTES + 1];
	struct head head = {.magic = MAGIC, .bytes = packs->used};
	sum(packs, packs->used, head.sum);
	memcpy(packs->data, &head, sizeof(head));
	snprintf(name, sizeof(name), ".%s", packs->key);
	owned_fd int fd = make_file(packs, name);
	/* A page that the disk did not take would be dropped all the same, and read as it was: zeros. */
	bool written = fd >= 0 && write_all(fd, packs->data, packs->size) && fdatasync(fd) == 0;
	bool usable = !written || change_places(packs, fd);
	if (packs->key[0] != 0 && fd >= 0 &&
		(!packs->in_file || renameat(packs->folder, name, packs->folder, packs->key) < 0)) {
		unlinkat(packs->folder, name, 0);
	}
	return usable;
}

void packs_seal(struct packs *packs)
{
	if (packs->making && packs->used > sizeof(struct head)) {
		cut(packs);
	} else if (packs->making) {
		unmap(packs);
	}
	packs->making = false;
}

/* A file that other programs were compiled for is made anew at the next load. */
int packs_keep(struct packs *packs)
{
	bool usable = true;
	if (packs->data && !packs->filled && !packs->in_file) {
		usable = finish(packs);
	}
	if (packs->differs) {
		unlinkat(packs->folder, packs->key, 0);
	}
	if (packs->in_file) {
		/* They are read again from the file when a run wants them. */
		madvise(packs->data, (size_t)packs->size, MADV_DONTNEED);
	}
	packs->folder = -1;
	return usable ? 0 : -ENOMEM;
}

uint64_t packs_bytes(const struct packs *packs)
{
	return packs->data ? packs->used : 0;
}

void packs_deinit(struct packs *packs)
{
	unmap(packs);
}
