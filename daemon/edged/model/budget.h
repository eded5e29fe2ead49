/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget - memory limit of all loaded models together
 *
 * Counts each model's file and packed weights (clean pages, which the kernel can drop but runs
 * need), prepared programs, and arenas and state of sessions. Requests and replies are charged to
 * clients instead (account.h). Any thread.
 */
#ifndef DAEMON_EDGED_MODEL_BUDGET_H
#define DAEMON_EDGED_MODEL_BUDGET_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct budget {
	atomic_size_t held;
	atomic_size_t pinned; /* part of @held that is never unloaded; set by the loop */
	atomic_size_t limit; /* memory-budget, or its default */
};

/* @configured: memory-budget; 0: three quarters of the cgroup's limit (memory.max, MemoryMax= of
 * the unit), or half of the machine's memory if there is no limit. */
void budget_configure(struct budget *budget, uint64_t configured);

/* All three accept NULL. */
void budget_add(struct budget *budget, uint64_t bytes);
void budget_take_away(struct budget *budget, uint64_t bytes);
/* Returns by how much @bytes more would exceed the limit; 0: they fit. */
size_t budget_excess(struct budget *budget, uint64_t bytes);

#endif
