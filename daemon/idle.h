/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle - which models stay in memory
 *
 * Loop thread only. When models have more than memory-budget lets them, or the system is short of
 * memory, what only makes the next run faster goes first, then idle models: the one first whose
 * absence is expected to cost least, that is the time to load it again times how often it was asked
 * lately. A pinned one never goes, nor one that the store could not load again, nor one that somebody
 * uses. Who asks for a model that went has it loaded again (dispatch_park()).
 */
#ifndef DAEMON_IDLE_H
#define DAEMON_IDLE_H

#include "daemon/order.h"
#include "daemon/store.h"

/* What all this works on, which is edged's. */
struct idle {
	struct store *store;
	struct loader *loader;
	const struct config *config;
	struct budget *budget;
	void (*changed)(
		void *context); /* a model was unloaded; it only takes note. NULL: nobody asks */
	void *context;
	uint64_t relieved_ns; /* when caches were dropped last for the system's sake; 0: never */
};

/* Someone was answered by @served. */
void idle_note_use(struct served *served, uint64_t now_ns);

/* Unloads what is too much, as far as it can be. */
void idle_enforce(struct idle *idle);

/* Has models loaded that somebody waits for, where there is room or can be made. */
void idle_load_wanted(struct idle *idle);

/* The system is short of memory: drops caches, and when it says so again soon, a model. True when
 * something was dropped. */
bool idle_relieve(struct idle *idle, uint64_t now_ns);

/* As an administrator says. unload: -ENOENT, -EPERM when it is pinned, -EBUSY while it is used,
 * -EOPNOTSUPP where the store could not load it again. load: 1 when it is loaded already, 0 when the
 * loader shall do it, -ENOENT, -EAGAIN when there is no room. */
int must_check idle_unload(struct idle *idle, const char *name, struct error *err);
int must_check idle_load(struct idle *idle, const char *name, struct error *err);

/* Of @order what the loop does itself: these two. 1 when that is all, 0 when the loader shall do it, or an error. */
int must_check idle_order(struct idle *idle, const struct order *order, struct error *err);

#endif
