/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame - what one subgraph needs to run by one plan: memory, tables, and the state that stays
 *
 * A session has one frame per subgraph: calls do not recurse, so a subgraph is under way at most
 * once. Called for other shapes, a frame takes on another plan; variables keep their contents where
 * both plans lay them out alike.
 */
#ifndef ENGINE_RUN_FRAME_H
#define ENGINE_RUN_FRAME_H

#include "engine/plan/plan.h"
#include "engine/run/block.h"
#include "engine/run/heap.h"

struct frame {
	struct heap *heap; /* the session's */
	const struct subgraph *subgraph;
	struct plan *plan; /* NULL before the first attach; a reference */
	struct value *values; /* one per tensor */
	struct shape *shapes; /* one per tensor: what STEP_NODE is checked with */
	const uint8_t **constants; /* one per tensor, as shapes */
	struct shape *results; /* room for the outputs of one node */
	struct value *passed; /* room for what one node passes to a called subgraph, twice */
	void **scratch, **state; /* one per entry of the plan's order */
	struct block arena, variables;
	struct block saved; /* variables as they were before the run */
	bool is_saved;
};

/* Releases all that the frame holds. */
void frame_deinit(struct frame *frame);

/*
 * Gets the frame ready for @plan: takes over the reference, even on an error. frame->heap and
 * frame->subgraph are set. On an error (-ENOMEM, -EFBIG) the frame is as before, but for run-time
 * tensors, which are released.
 */
int must_check frame_attach(struct frame *frame, struct plan *plan, struct error *err);

/* Gives the arena back until the next frame_attach(); variables and the nodes' state stay. */
void frame_rest(struct frame *frame);

/* Bytes of the tables of a frame of @subgraph, beside what its plan lays out. */
uint64_t frame_table_bytes(const struct subgraph *subgraph);

/* Variables and the nodes' state back to their start. */
void frame_reset(struct frame *frame);

/* Keeps the state, once until the next frame_settle(). */
void frame_save(struct frame *frame);
/* Ends a run: state goes back to what was saved unless @commit. */
void frame_settle(struct frame *frame, bool commit);

/* Memory and shape for a run-time tensor: as run_outputs.give() says. */
int must_check frame_give(struct frame *frame, uint32_t tensor, const struct shape *shape,
	uint64_t bytes, struct error *err);

/* Copies @value into tensor @tensor, wherever that lies. -EINVAL when it does not fit. */
int must_check frame_put(
	struct frame *frame, uint32_t tensor, const struct value *value, struct error *err);

/* Releases the run-time tensors that no entry of order behind @at uses. */
void frame_release(struct frame *frame, uint32_t at);
/* Releases all run-time tensors. */
void frame_clear(struct frame *frame);

#endif
