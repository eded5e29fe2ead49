/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_frame - what one subgraph needs to run by one plan: memory, tables, and the state that stays
 *
 * A session has one frame per subgraph: calls do not recurse, so a subgraph is under way at most
 * once. Called for other shapes, a frame takes on another plan; variables keep their contents where
 * both plans lay them out alike.
 */
#ifndef ENGINE_RUN_CALL_FRAME_H
#define ENGINE_RUN_CALL_FRAME_H

#include "engine/plan/plan.h"
#include "engine/run/block.h"
#include "engine/run/heap.h"

struct call_frame {
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
	struct block
		saved; /* variables as they were before the run; other bytes while there is none */
	bool is_saved;
	const struct run_control *control; /* of the run that is under way; NULL: none, or never */
};

/* Releases all that the frame holds. */
void call_frame_deinit(struct call_frame *frame);

/*
 * Gets the frame ready for @plan: takes over the reference, even on an error. frame->heap and
 * frame->subgraph are set. On an error (-ENOMEM, -EFBIG) the frame is as before, but for run-time
 * tensors, which are released.
 */
int must_check call_frame_attach(struct call_frame *frame, struct plan *plan, struct error *err);

/* Gives the arena back until the next call_frame_attach(); variables and the nodes' state stay. */
void call_frame_rest(struct call_frame *frame);

/* Bytes of the tables of a frame of @subgraph, beside what its plan lays out. */
uint64_t call_frame_table_bytes(const struct subgraph *subgraph);

/* Variables and the nodes' state back to their start. 0, or -ETIMEDOUT or -ECANCELED with a part of them there. */
int must_check call_frame_reset(
	struct call_frame *frame, const struct run_control *control, struct error *err);

/* Keeps the state, once until the next call_frame_settle(), and copies for a run with that control from then on. 0,
 * -ETIMEDOUT or -ECANCELED: then nothing is kept, and the state is as before. */
int must_check call_frame_save(
	struct call_frame *frame, const struct run_control *control, struct error *err);
/* Ends a run: state goes back to what was saved unless @commit. Copies no state: what is saved and what is
 * not change places. */
void call_frame_settle(struct call_frame *frame, bool commit);

/* Between two runs: releases all run-time tensors, and sets each byte of the arena, and of the state that
 * was saved for the last run, to @value. */
void call_frame_fill(struct call_frame *frame, uint8_t value);

/* Memory and shape for a run-time tensor: as run_outputs.give() says. */
int must_check call_frame_give(struct call_frame *frame, uint32_t tensor, const struct shape *shape,
	uint64_t bytes, struct error *err);

/* Copies @value into tensor @tensor, wherever that lies. -EINVAL when it does not fit, -ETIMEDOUT or
 * -ECANCELED as the run's control says. */
int must_check call_frame_put(
	struct call_frame *frame, uint32_t tensor, const struct value *value, struct error *err);

/* Releases the run-time tensors that no entry of order behind @at uses. */
void call_frame_release(struct call_frame *frame, uint32_t at);
/* Releases all run-time tensors. */
void call_frame_clear(struct call_frame *frame);

#endif
