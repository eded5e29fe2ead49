/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats_persist - keeps statistics over a restart in systemd's file descriptor store
 *
 * At its end edged writes the counters of the daemon and of its models to sealed memory, and the
 * manager keeps the descriptor (FileDescriptorStoreMax= of the unit). The next edged continues from
 * these counters. Counters of users start at 0. All counters start at 0 without a manager, after a
 * crash, or if the memory's content is invalid.
 */
#ifndef DAEMON_EDGED_MODELS_STATS_PERSIST_H
#define DAEMON_EDGED_MODELS_STATS_PERSIST_H

#include "base/log.h"
#include "daemon/edged/models/models.h"
#include "daemon/system/metrics.h"

#define STATS_PERSIST_NAME "statistics" /* name of the descriptor in the manager's store */

/* Hands the counters to the manager, if there is one. */
void stats_persist_save(
	const struct metrics *metrics, const struct models *models, const struct log *log);

/* Reads the counters in @fd, borrowed. Counters of models wait in @models until their model appears.
 * Returns false if the content is invalid. */
bool stats_persist_load(int fd, struct metrics *metrics, struct models *models);

#endif
