/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/kept.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "daemon/bus.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* What is in the memory: of this machine, and of this version or another one. */
struct kept {
	char magic[8];
	uint32_t size; /* of all of it */
	uint32_t n_counts;
	uint32_t n_models; /* rows behind it */
	uint32_t row_size;
	uint64_t queue_us, run_us;
	uint64_t counts[EDGE_STATUS_COUNT];
};

struct row {
	char name[SERVED_NAME_SIZE];
	struct tally tally;
};

#define MOST_MODELS 65536 /* as of max-models */

static const char magic[8] = "edgedk2";

static uint32_t count_tallies(const struct store *store)
{
	uint32_t n = 0;
	for (size_t i = 0; i < store->n; i++) {
		n += store->models[i].tally != NULL;
	}
	for (const struct store_kept *kept = store->kept; kept; kept = kept->next) {
		n++;
	}
	return n;
}

static bool row_write(int fd, const char name[SERVED_NAME_SIZE], const struct tally *tally)
{
	struct row row;
	memset(&row, 0, sizeof(row)); /* and what lies between its fields */
	memcpy(row.name, name, sizeof(row.name));
	row.tally = *tally;
	return write(fd, &row, sizeof(row)) == (ssize_t)sizeof(row);
}

/* Of the models, and of those that no look has found yet since they were loaded themselves. */
static bool rows_write(int fd, const struct store *store)
{
	bool written = true;
	for (size_t i = 0; i < store->n && written; i++) {
		const struct store_model *model = &store->models[i];
		written = !model->tally || row_write(fd, model->name, model->tally);
	}
	for (const struct store_kept *kept = store->kept; kept && written; kept = kept->next) {
		written = row_write(fd, kept->name, kept->tally);
	}
	return written;
}

static int memory_of(const struct kept *kept, const struct store *store)
{
	owned_fd int fd = memfd_create("edged-" KEPT_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || write(fd, kept, sizeof(*kept)) != sizeof(*kept) || !rows_write(fd, store) ||
		fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
		return -1;
	}
	return take_fd(fd);
}

void kept_save(const struct metrics *metrics, const struct store *store, const struct log *log)
{
	struct kept kept = {.size = sizeof(kept),
		.n_counts = EDGE_STATUS_COUNT,
		.n_models = count_tallies(store),
		.row_size = sizeof(struct row),
		.queue_us = metrics->queue_us,
		.run_us = metrics->run_us};
	if (!bus_listens()) {
		return;
	}
	memcpy(kept.magic, magic, sizeof(magic));
	memcpy(kept.counts, metrics->counts, sizeof(kept.counts));
	owned_fd int fd = memory_of(&kept, store);
	if (fd < 0 || bus_keep(KEPT_NAME, fd) < 0) {
		log_info(log, "the statistics are not kept");
	}
}

static bool head_read(int fd, struct kept *ret_kept)
{
	struct stat st;
	const int seals = fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &st) == 0 &&
		pread(fd, ret_kept, sizeof(*ret_kept), 0) == sizeof(*ret_kept) &&
		memcmp(ret_kept->magic, magic, sizeof(magic)) == 0 &&
		ret_kept->size == sizeof(*ret_kept) && ret_kept->n_counts == EDGE_STATUS_COUNT &&
		ret_kept->n_models <= MOST_MODELS && ret_kept->row_size == sizeof(struct row) &&
		st.st_size ==
		(off_t)sizeof(*ret_kept) + (off_t)ret_kept->n_models * (off_t)sizeof(struct row);
}

static void rows_read(int fd, uint32_t n, struct store *store)
{
	for (uint32_t i = 0; i < n; i++) {
		struct row row;
		const off_t at = (off_t)sizeof(struct kept) + (off_t)i * (off_t)sizeof(row);
		if (pread(fd, &row, sizeof(row), at) == (ssize_t)sizeof(row) &&
			memchr(row.name, 0, sizeof(row.name))) {
			store_keep_tally(store, row.name, &row.tally);
		}
	}
}

bool kept_load(int fd, struct metrics *metrics, struct store *store)
{
	struct kept kept;
	if (!head_read(fd, &kept)) {
		return false;
	}
	rows_read(fd, kept.n_models, store);
	metrics->queue_us = kept.queue_us;
	metrics->run_us = kept.run_us;
	memcpy(metrics->counts, kept.counts, sizeof(kept.counts));
	return true;
}
