/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resource - variables and hash tables of a session (TFLite kernels/var_handle.cc,
 * read_variable.cc, assign_variable.cc, hashtable*.cc), and which CALL_ONCE has been done
 *
 * A handle is a number of 4 bytes, an index into the session's list. What a run changes is kept
 * apart until the run ends: then it stays, or is dropped.
 */
#ifndef ENGINE_RUN_RESOURCE_H
#define ENGINE_RUN_RESOURCE_H

#include "engine/run/call_frame.h"

struct resource;

struct resources {
	struct heap *heap;
	struct resource *items;
	uint32_t n;
	uint8_t *calls; /* one per subgraph: whether CALL_ONCE has run it */
	uint32_t n_subgraphs;
};

int must_check resources_init(struct resources *resources, struct heap *heap, uint32_t n_subgraphs);
void resources_deinit(struct resources *resources); /* before its heap */

/* True where CALL_ONCE has to run @subgraph now; counts as done from then on, if the run ends well. */
bool resources_first_call(struct resources *resources, uint32_t subgraph);

/* A node on a variable or a table. -EINVAL for a variable that nobody has assigned, a handle of the
 * other kind, or types that do not agree; -EFBIG, -ENOMEM; -ETIMEDOUT, -ECANCELED. */
int must_check resources_run(struct resources *resources, struct call_frame *frame,
	const struct node *node, const struct run_control *control, struct error *err);

void resources_settle(struct resources *resources, bool commit);
void resources_reset(struct resources *resources);

#endif
