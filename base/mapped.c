/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mapped.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOTES 32 /* mappings in a chunk */

/* One mapping. The signal handler reads it without a lock, as a seqlock: the fields are valid if
 * @turn is even and equal before and after the read. The entry of a faulting address cannot change,
 * because a thread reads that mapping. */
struct mapped {
	atomic_uint turn;
	atomic_uintptr_t start;
	atomic_size_t size; /* whole pages; 0: free entry */
	atomic_bool broken;
};

struct chunk {
	struct mapped notes[NOTES];
	_Atomic(struct chunk *) next; /* chunks are never freed */
};

/* Static, because a signal handler gets no argument. */
static struct chunk first;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* for adding and removing */
static struct sigaction before;

static void note_set(struct mapped *mapped, uintptr_t start, size_t size)
{
	atomic_fetch_add(&mapped->turn, 1);
	atomic_store(&mapped->start, start);
	atomic_store(&mapped->size, size);
	atomic_fetch_add(&mapped->turn, 1);
}

/* Returns true if @address is in the mapping, with its range. */
static bool note_holds(
	struct mapped *mapped, uintptr_t address, uintptr_t *ret_start, size_t *ret_size)
{
	const unsigned int turn = atomic_load(&mapped->turn);
	*ret_start = atomic_load(&mapped->start);
	*ret_size = atomic_load(&mapped->size);
	return turn % 2 == 0 && turn == atomic_load(&mapped->turn) && address >= *ret_start &&
		address - *ret_start < *ret_size;
}

/* Maps zeros over the mapping with the raw system call: mmap() is not async-signal-safe by POSIX,
 * and ThreadSanitizer would report it as a race. */
static bool zeros_map(uintptr_t start, size_t size)
{
#ifdef SYS_mmap2
	const long call = SYS_mmap2;
#else
	const long call = SYS_mmap;
#endif
	return syscall(call, start, size, PROT_READ,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != -1;
}

/* Runs in the signal handler. */
static bool replace(uintptr_t address)
{
	for (struct chunk *chunk = &first; chunk; chunk = atomic_load(&chunk->next)) {
		for (size_t i = 0; i < NOTES; i++) {
			uintptr_t start = 0;
			size_t size = 0;
			if (!note_holds(&chunk->notes[i], address, &start, &size)) {
				continue;
			}
			/* Set first, because other threads read zeros right after the mapping. */
			atomic_store(&chunk->notes[i].broken, true);
			return zeros_map(start, size);
		}
	}
	return false;
}

static void on_bus(int number, siginfo_t *info, void *context)
{
	const int code = errno;
	(void)context;
	if (info->si_code > 0 && replace((uintptr_t)info->si_addr)) {
		errno = code;
		return;
	}
	/* Restores the previous action: a fault repeats after the return, and a sent signal is
	 * raised again. */
	sigaction(number, &before, NULL);
	if (info->si_code <= 0) {
		raise(number);
	}
	errno = code;
}

int mapped_guard(void)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
	action.sa_sigaction = on_bus;
	sigfillset(&action.sa_mask);
	return sigaction(SIGBUS, &action, &before) < 0 ? -errno : 0;
}

/* Returns a free entry, of a new chunk if needed; NULL without memory. Under the mutex. */
static struct mapped *note_find(void)
{
	struct chunk *chunk = &first;
	for (;;) {
		for (size_t i = 0; i < NOTES; i++) {
			if (atomic_load(&chunk->notes[i].size) == 0) {
				return &chunk->notes[i];
			}
		}
		struct chunk *next = atomic_load(&chunk->next);
		if (!next) {
			next = calloc(1, sizeof(*next));
			atomic_store(&chunk->next, next);
		}
		if (!next) {
			return NULL;
		}
		chunk = next;
	}
}

struct mapped *mapped_add(const void *data, size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	pthread_mutex_lock(&mutex);
	struct mapped *mapped = note_find();
	if (mapped) {
		atomic_store(&mapped->broken, false);
		note_set(mapped, (uintptr_t)data, (size + page - 1) / page * page);
	}
	pthread_mutex_unlock(&mutex);
	return mapped;
}

void mapped_remove(struct mapped *mapped)
{
	if (mapped) {
		pthread_mutex_lock(&mutex);
		note_set(mapped, 0, 0);
		pthread_mutex_unlock(&mutex);
	}
}

bool mapped_broken(const struct mapped *mapped)
{
	return mapped && atomic_load(&mapped->broken);
}
