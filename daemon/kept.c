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
	uint64_t queue_us, run_us;
	uint64_t counts[EDGE_STATUS_COUNT];
};

static const char magic[8] = "edgedk1";

static int memory_of(const struct kept *kept)
{
	owned_fd int fd = memfd_create("edged-" KEPT_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || write(fd, kept, sizeof(*kept)) != sizeof(*kept) ||
		fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
		return -1;
	}
	return take_fd(fd);
}

void kept_save(const struct metrics *metrics, const struct log *log)
{
	struct kept kept = {.size = sizeof(kept),
		.n_counts = EDGE_STATUS_COUNT,
		.queue_us = metrics->queue_us,
		.run_us = metrics->run_us};
	if (!bus_listens()) {
		return;
	}
	memcpy(kept.magic, magic, sizeof(magic));
	memcpy(kept.counts, metrics->counts, sizeof(kept.counts));
	owned_fd int fd = memory_of(&kept);
	if (fd < 0 || bus_keep(KEPT_NAME, fd) < 0) {
		log_info(log, "the statistics are not kept");
	}
}

bool kept_load(int fd, struct metrics *metrics)
{
	struct kept kept;
	struct stat st;
	const int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0 ||
		st.st_size != sizeof(kept) || pread(fd, &kept, sizeof(kept), 0) != sizeof(kept) ||
		memcmp(kept.magic, magic, sizeof(magic)) != 0 || kept.size != sizeof(kept) ||
		kept.n_counts != EDGE_STATUS_COUNT) {
		return false;
	}
	metrics->queue_us = kept.queue_us;
	metrics->run_us = kept.run_us;
	memcpy(metrics->counts, kept.counts, sizeof(kept.counts));
	return true;
}
