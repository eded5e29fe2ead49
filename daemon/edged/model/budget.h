/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget - the memory that all loaded models may have together, and what they have
 *
 * Counted are each model's file and packed weights (clean pages, which the kernel may drop, but a run
 * wants them back), its prepared programs, and its sessions' arenas and state. Requests and replies
 * are not: they are charged to clients (account.h). Any thread.
 */
#ifndef DAEMON_BUDGET_H
#define DAEMON_BUDGET_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct budget {
	atomic_size_t held;
	atomic_size_t pinned; /* of that, what is never unloaded; the loop sets it */
	atomic_size_t limit; /* memory-budget, or what stands for it */
};

/* @configured: of memory-budget; 0: three quarters of what the cgroup of this process may have
 * (memory.max, as MemoryMax= of its unit sets it), or half of the machine's memory where there is no
 * limit. */
void budget_configure(struct budget *budget, uint64_t configured);

/* NULL is fine for all three. */
void budget_add(struct budget *budget, uint64_t bytes);
void budget_take_away(struct budget *budget, uint64_t bytes);
/* How much more than it may is held once @bytes are added; 0: they fit. */
size_t budget_excess(struct budget *budget, uint64_t bytes);

#endif
