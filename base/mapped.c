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

#define NOTES 32 /* in a chunk */

/*
 * One mapping. The handler may look at any time and takes no lock: a note is believed when its turn
 * was even before and the same behind. The one of the address that faulted does not change, because
 * somebody reads there.
 */
struct mapped {
	atomic_uint turn;
	atomic_uintptr_t start;
	atomic_size_t size; /* whole pages; 0: the note is free */
	atomic_bool broken;
};

struct chunk {
	struct mapped notes[NOTES];
	_Atomic(struct chunk *) next; /* chunks are never freed */
};

/* A signal handler has nothing else to start from. */
static struct chunk first;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* of who adds and removes */
static struct sigaction before;

static void note_set(struct mapped *mapped, uintptr_t start, size_t size)
{
	atomic_fetch_add(&mapped->turn, 1);
	atomic_store(&mapped->start, start);
	atomic_store(&mapped->size, size);
	atomic_fetch_add(&mapped->turn, 1);
}

/* True when @address is in it; then *ret_start and *ret_size are its mapping. */
static bool note_holds(
	struct mapped *mapped, uintptr_t address, uintptr_t *ret_start, size_t *ret_size)
{
	const unsigned int turn = atomic_load(&mapped->turn);
	*ret_start = atomic_load(&mapped->start);
	*ret_size = atomic_load(&mapped->size);
	return turn % 2 == 0 && turn == atomic_load(&mapped->turn) && address >= *ret_start &&
		address - *ret_start < *ret_size;
}

/* Zeros in the place of a mapping, by the system call itself: mmap() is not among what POSIX lets a
 * handler call, and ThreadSanitizer takes it for a write that the thread's reads race with. */
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

/* In the handler. */
static bool replace(uintptr_t address)
{
	for (struct chunk *chunk = &first; chunk; chunk = atomic_load(&chunk->next)) {
		for (size_t i = 0; i < NOTES; i++) {
			uintptr_t start = 0;
			size_t size = 0;
			if (!note_holds(&chunk->notes[i], address, &start, &size)) {
				continue;
			}
			/* First that: other threads read the zeros from the next moment on. */
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
	/* As if nobody had asked: the read comes again when this returns, and a signal that somebody
	 * sent is sent again. */
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

/* A free note, of a new chunk if need be; NULL without memory. Under the mutex. */
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
