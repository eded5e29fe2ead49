/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/marks.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES (MARKS_SLOTS * sizeof(struct mark))

/* Runs that were going on are a death; numbers that nobody writes come from elsewhere. */
static void count_deaths(struct marks *marks)
{
	for (size_t i = 0; i < MARKS_SLOTS; i++) {
		struct mark *mark = &marks->slots[i];
		uint32_t running = atomic_load(&mark->running);
		if (running > 4096 || mark->deaths > MARKS_DEATHS) {
			*mark = (struct mark){0};
		}
		mark->deaths += running > 0;
		atomic_store(&mark->running, 0);
	}
}

void marks_open(struct marks *marks, int state)
{
	struct stat st;
	*marks = (struct marks){0};
	owned_fd int fd = openat(state, "running", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		(st.st_size > (off_t)BYTES && ftruncate(fd, 0) < 0) ||
		posix_fallocate(fd, 0, (off_t)BYTES) != 0) {
		return; /* a page that a full disk does not give would end edged by SIGBUS */
	}
	void *slots = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (slots != MAP_FAILED) {
		marks->slots = slots;
		count_deaths(marks);
	}
}

void marks_close(struct marks *marks)
{
	if (marks->slots) {
		munmap(marks->slots, BYTES);
	}
	*marks = (struct marks){0};
}

static struct mark *find(struct marks *marks, const struct digest *model)
{
	for (size_t i = 0; marks->slots && i < MARKS_SLOTS; i++) {
		if (digest_same(&marks->slots[i].model, model)) {
			return &marks->slots[i];
		}
	}
	return NULL;
}

/* Those with deaths are given away last. */
static struct mark *find_free(struct marks *marks, uint32_t deaths)
{
	for (size_t i = 0; i < MARKS_SLOTS; i++) {
		struct mark *mark = &marks->slots[(marks->next + i) % MARKS_SLOTS];
		const size_t at = (marks->next + i) % MARKS_SLOTS;
		if (atomic_load(&marks->holders[at]) == 0 && atomic_load(&mark->running) == 0 &&
			mark->deaths <= deaths) {
			marks->next = (at + 1) % MARKS_SLOTS;
			return mark;
		}
	}
	return NULL;
}

struct mark *marks_take(struct marks *marks, const struct digest *model)
{
	if (!marks->slots) {
		return NULL;
	}
	struct mark *mark = find(marks, model);
	if (!mark) {
		mark = find_free(marks, 0);
		mark = mark ? mark : find_free(marks, MARKS_DEATHS);
		if (mark) {
			mark->model = *model;
			mark->deaths = 0;
		}
	}
	if (mark) {
		atomic_fetch_add(&marks->holders[mark - marks->slots], 1);
	}
	return mark;
}

void marks_give_back(struct marks *marks, const struct mark *mark)
{
	if (mark && marks->slots) {
		atomic_fetch_sub(&marks->holders[mark - marks->slots], 1);
	}
}

void marks_clear(struct marks *marks, const struct digest *model)
{
	struct mark *mark = find(marks, model);
	if (mark) {
		mark->deaths = 0;
	}
}

bool marks_next_dead(const struct marks *marks, size_t *at, struct digest *ret_model)
{
	while (marks->slots && *at < MARKS_SLOTS) {
		const struct mark *mark = &marks->slots[(*at)++];
		if (mark->deaths >= MARKS_DEATHS) {
			*ret_model = mark->model;
			return true;
		}
	}
	return false;
}

void mark_begin(struct mark *mark)
{
	if (mark) {
		atomic_fetch_add(&mark->running, 1);
	}
}

void mark_end(struct mark *mark)
{
	if (mark) {
		atomic_fetch_sub(&mark->running, 1);
	}
}
