/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/models/stats_persist.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "daemon/system/service_manager.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* Start of the memory. Another version of edged on this machine may have written it. */
struct stats_file {
	char magic[8];
	uint32_t size; /* bytes of this struct */
	uint32_t n_counts;
	uint32_t n_models; /* rows after this struct */
	uint32_t row_size;
	uint64_t queue_us, run_us;
	uint64_t counts[EDGE_STATUS_COUNT];
};

struct row {
	char name[LOADED_MODEL_NAME_SIZE];
	struct counters counters;
};

#define MAX_MODELS 65536 /* limit of max-models */

static const char magic[8] = "edgedk2";

static uint32_t count_counters(const struct models *models)
{
	uint32_t n = 0;
	for (size_t i = 0; i < models->n; i++) {
		n += models->entries[i].counters != NULL;
	}
	for (const struct models_restored *restored = models->restored; restored;
		restored = restored->next) {
		n++;
	}
	return n;
}

static bool row_write(
	int fd, const char name[LOADED_MODEL_NAME_SIZE], const struct counters *counters)
{
	struct row row;
	memset(&row, 0, sizeof(row)); /* padding too */
	memcpy(row.name, name, sizeof(row.name));
	row.counters = *counters;
	return write(fd, &row, sizeof(row)) == (ssize_t)sizeof(row);
}

/* Writes a row for each model in the table and for each counter still without a model. */
static bool rows_write(int fd, const struct models *models)
{
	bool written = true;
	for (size_t i = 0; i < models->n && written; i++) {
		const struct models_entry *model = &models->entries[i];
		written = !model->counters || row_write(fd, model->name, model->counters);
	}
	for (const struct models_restored *restored = models->restored; restored && written;
		restored = restored->next) {
		written = row_write(fd, restored->name, restored->counters);
	}
	return written;
}

static int memory_of(const struct stats_file *restored, const struct models *models)
{
	owned_fd int fd =
		memfd_create("edged-" STATS_PERSIST_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || write(fd, restored, sizeof(*restored)) != sizeof(*restored) ||
		!rows_write(fd, models) || fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
		return -1;
	}
	return take_fd(fd);
}

void stats_persist_save(
	const struct metrics *metrics, const struct models *models, const struct log *log)
{
	struct stats_file restored = {.size = sizeof(restored),
		.n_counts = EDGE_STATUS_COUNT,
		.n_models = count_counters(models),
		.row_size = sizeof(struct row),
		.queue_us = metrics->queue_us,
		.run_us = metrics->run_us};
	if (!service_manager_listens()) {
		return;
	}
	memcpy(restored.magic, magic, sizeof(magic));
	memcpy(restored.counts, metrics->counts, sizeof(restored.counts));
	owned_fd int fd = memory_of(&restored, models);
	if (fd < 0 || service_manager_store_fd(STATS_PERSIST_NAME, fd) < 0) {
		log_info(log, "statistics are not saved for the next start");
	}
}

static bool head_read(int fd, struct stats_file *ret_kept)
{
	struct stat st;
	const int seals = fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &st) == 0 &&
		pread(fd, ret_kept, sizeof(*ret_kept), 0) == sizeof(*ret_kept) &&
		memcmp(ret_kept->magic, magic, sizeof(magic)) == 0 &&
		ret_kept->size == sizeof(*ret_kept) && ret_kept->n_counts == EDGE_STATUS_COUNT &&
		ret_kept->n_models <= MAX_MODELS && ret_kept->row_size == sizeof(struct row) &&
		st.st_size ==
		(off_t)sizeof(*ret_kept) + (off_t)ret_kept->n_models * (off_t)sizeof(struct row);
}

static void rows_read(int fd, uint32_t n, struct models *models)
{
	for (uint32_t i = 0; i < n; i++) {
		struct row row;
		const off_t at = (off_t)sizeof(struct stats_file) + (off_t)i * (off_t)sizeof(row);
		if (pread(fd, &row, sizeof(row), at) == (ssize_t)sizeof(row) &&
			memchr(row.name, 0, sizeof(row.name))) {
			models_keep_counters(models, row.name, &row.counters);
		}
	}
}

bool stats_persist_load(int fd, struct metrics *metrics, struct models *models)
{
	struct stats_file restored;
	if (!head_read(fd, &restored)) {
		return false;
	}
	rows_read(fd, restored.n_models, models);
	metrics->queue_us = restored.queue_us;
	metrics->run_us = restored.run_us;
	memcpy(metrics->counts, restored.counts, sizeof(restored.counts));
	return true;
}
