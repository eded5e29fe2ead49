/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/model/crash_markers.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES (CRASH_MARKERS_SLOTS * sizeof(struct crash_marker))

/* Counts a run in progress as a crash. Invalid numbers are ignored. */
static void count_deaths(struct crash_markers *markers)
{
	for (size_t i = 0; i < CRASH_MARKERS_SLOTS; i++) {
		struct crash_marker *marker = &markers->slots[i];
		uint32_t running = atomic_load(&marker->running);
		if (running > 4096 || marker->deaths > CRASH_MARKERS_DEATHS) {
			*marker = (struct crash_marker){0};
		}
		marker->deaths += running > 0;
		atomic_store(&marker->running, 0);
	}
}

void crash_markers_open(struct crash_markers *markers, int state)
{
	struct stat st;
	*markers = (struct crash_markers){0};
	owned_fd int fd = openat(state, "running", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		(st.st_size > (off_t)BYTES && ftruncate(fd, 0) < 0) ||
		posix_fallocate(fd, 0, (off_t)BYTES) != 0) {
		return; /* on a full disk a missing page would end edged by SIGBUS */
	}
	void *slots = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (slots != MAP_FAILED) {
		markers->slots = slots;
		count_deaths(markers);
	}
}

void crash_markers_close(struct crash_markers *markers)
{
	if (markers->slots) {
		munmap(markers->slots, BYTES);
	}
	*markers = (struct crash_markers){0};
}

static struct crash_marker *find(struct crash_markers *markers, const struct digest *model)
{
	for (size_t i = 0; markers->slots && i < CRASH_MARKERS_SLOTS; i++) {
		if (digest_equal(&markers->slots[i].model, model)) {
			return &markers->slots[i];
		}
	}
	return NULL;
}

/* Reuses slots with crashes last. */
static struct crash_marker *find_free(struct crash_markers *markers, uint32_t deaths)
{
	for (size_t i = 0; i < CRASH_MARKERS_SLOTS; i++) {
		struct crash_marker *marker =
			&markers->slots[(markers->next + i) % CRASH_MARKERS_SLOTS];
		const size_t at = (markers->next + i) % CRASH_MARKERS_SLOTS;
		if (atomic_load(&markers->holders[at]) == 0 && atomic_load(&marker->running) == 0 &&
			marker->deaths <= deaths) {
			markers->next = (at + 1) % CRASH_MARKERS_SLOTS;
			return marker;
		}
	}
	return NULL;
}

struct crash_marker *crash_markers_take(struct crash_markers *markers, const struct digest *model)
{
	if (!markers->slots) {
		return NULL;
	}
	struct crash_marker *marker = find(markers, model);
	if (!marker) {
		marker = find_free(markers, 0);
		marker = marker ? marker : find_free(markers, CRASH_MARKERS_DEATHS);
		if (marker) {
			marker->model = *model;
			marker->deaths = 0;
		}
	}
	if (marker) {
		atomic_fetch_add(&markers->holders[marker - markers->slots], 1);
	}
	return marker;
}

void crash_markers_give_back(struct crash_markers *markers, const struct crash_marker *marker)
{
	if (marker && markers->slots) {
		atomic_fetch_sub(&markers->holders[marker - markers->slots], 1);
	}
}

void crash_markers_clear(struct crash_markers *markers, const struct digest *model)
{
	struct crash_marker *marker = find(markers, model);
	if (marker) {
		marker->deaths = 0;
	}
}

bool crash_markers_next_dead(
	const struct crash_markers *markers, size_t *at, struct digest *ret_model)
{
	while (markers->slots && *at < CRASH_MARKERS_SLOTS) {
		const struct crash_marker *marker = &markers->slots[(*at)++];
		if (marker->deaths >= CRASH_MARKERS_DEATHS) {
			*ret_model = marker->model;
			return true;
		}
	}
	return false;
}

void crash_marker_begin(struct crash_marker *marker)
{
	if (marker) {
		atomic_fetch_add(&marker->running, 1);
	}
}

void crash_marker_end(struct crash_marker *marker)
{
	if (marker) {
		atomic_fetch_sub(&marker->running, 1);
	}
}
