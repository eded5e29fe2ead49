/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept - statistics that outlive a restart, in the service manager's store of descriptors
 *
 * At the end the counters of the daemon and of its models go into sealed memory that the manager keeps while it
 * restarts edged (FileDescriptorStoreMax= of its unit), and the next edged counts on from there; those of
 * users begin anew. Without a manager, after an end without kept_save(), or with memory that says
 * anything else than expected, it counts from 0.
 */
#ifndef DAEMON_KEPT_H
#define DAEMON_KEPT_H

#include "base/log.h"
#include "daemon/metrics.h"
#include "daemon/store.h"

#define KEPT_NAME "statistics" /* of the descriptor */

/* Hands them to the manager, if there is one. */
void kept_save(const struct metrics *metrics, const struct store *store, const struct log *log);

/* Counts on from what @fd, borrowed, has: models do when they are there. False when that is not what kept_save() writes. */
bool kept_load(int fd, struct metrics *metrics, struct store *store);

#endif
