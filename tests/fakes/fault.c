/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fault.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_ulong calls, target;
static atomic_bool fired;

void fault_arm(unsigned long nth)
{
	atomic_store(&calls, 0);
	atomic_store(&fired, false);
	atomic_store(&target, nth);
}

bool fault_fired(void)
{
	return atomic_load(&fired);
}

unsigned long fault_calls(void)
{
	return atomic_load(&calls);
}

bool fault_now(void)
{
	unsigned long nth = atomic_fetch_add(&calls, 1) + 1;
	if (nth != atomic_load(&target)) {
		return false;
	}
	atomic_store(&fired, true);
	return true;
}

/* The linker's --wrap=f sends calls of f here and calls of __real_f to f. mmap and pread
 * are mmap64 and pread64 in an object file where _FILE_OFFSET_BITS is 64. */
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
int __real_posix_memalign(void **ret, size_t alignment, size_t n);
int __wrap_posix_memalign(void **ret, size_t alignment, size_t n);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
void *__real_mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset);
ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __real_pread64(int fd, void *p, size_t n, off_t at);
ssize_t __wrap_pread64(int fd, void *p, size_t n, off_t at);
int __real_pthread_create(
	pthread_t *ret, const pthread_attr_t *attributes, void *(*fn)(void *), void *argument);
int __wrap_pthread_create(
	pthread_t *ret, const pthread_attr_t *attributes, void *(*fn)(void *), void *argument);

void *__wrap_malloc(size_t n)
{
	if (fault_now()) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t n)
{
	if (fault_now()) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_calloc(count, n);
}

void *__wrap_realloc(void *p, size_t n)
{
	if (fault_now()) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
	if (fault_now()) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_aligned_alloc(alignment, n);
}

int __wrap_posix_memalign(void **ret, size_t alignment, size_t n)
{
	return fault_now() ? ENOMEM : __real_posix_memalign(ret, alignment, n);
}

char *__wrap_strdup(const char *s)
{
	if (fault_now()) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_strdup(s);
}

void *__wrap_mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	if (fault_now()) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return __real_mmap64(at, n, protection, flags, fd, offset);
}

ssize_t __wrap_read(int fd, void *p, size_t n)
{
	if (fault_now()) {
		errno = EIO;
		return -1;
	}
	return __real_read(fd, p, n);
}

ssize_t __wrap_pread64(int fd, void *p, size_t n, off_t at)
{
	if (fault_now()) {
		errno = EIO;
		return -1;
	}
	return __real_pread64(fd, p, n, at);
}

int __wrap_pthread_create(
	pthread_t *ret, const pthread_attr_t *attributes, void *(*fn)(void *), void *argument)
{
	return fault_now() ? EAGAIN : __real_pthread_create(ret, attributes, fn, argument);
}
