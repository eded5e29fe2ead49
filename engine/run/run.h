/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run - one run of a session: the steps of a subgraph's plan, and of those that it calls
 */
#ifndef ENGINE_RUN_RUN_H
#define ENGINE_RUN_RUN_H

#include "engine/run/call_frame.h"
#include "engine/run/checkpoint.h"
#include "engine/run/resource.h"

struct run {
	const struct graph *graph;
	struct call_frame *frames; /* one per subgraph */
	struct heap heap;
	struct resources resources;
	struct checkpoints checkpoints;
	uint64_t max_macs, max_loops;

	/* Of the run that is under way: */
	const struct run_control *control;
	uint64_t macs; /* so far, with what going round loops and into calls takes */
	uint64_t loops; /* rounds of all loops so far */
	uint64_t *node_ns; /* one per node of @profiled, or NULL */
	const struct call_frame *profiled;
};

int must_check run_init(struct run *run, const struct graph *graph);
void run_deinit(struct run *run);

/* Between two runs: each byte that a run may have left in arenas, scratch, outputs and free cells of the
 * heap becomes @value. Outputs are gone; variables, tables and the nodes' state stay. */
void run_fill(struct run *run, uint8_t value);

/* Counts @macs against what a run may take. -EFBIG for what is too large, -ETIMEDOUT once loops have gone
 * round: as for too many rounds, what they go on for is no size that anybody asked for. */
int must_check run_count(struct run *run, uint64_t macs, struct error *err);

/* Gets the frame of @plan's subgraph ready for it, if it is not. Where the budget is out, frames that
 * are not under way give their arenas back. Errors as call_frame_attach(). */
int must_check run_attach(
	struct run *run, struct plan *plan, struct call_frame **ret_frame, struct error *err);

/* The frame of @plan's subgraph, ready for @plan, with its state saved. Errors as call_frame_attach(). */
int must_check run_enter(
	struct run *run, struct plan *plan, struct call_frame **ret_frame, struct error *err);

/* All steps of an entered frame, whose inputs stand in its values. Outputs stand there after it. */
int must_check run_steps(struct run *run, struct call_frame *frame, struct error *err);

/* control.c: a node that the session runs itself, at position @at of the plan's order: control flow, variables,
 * tables. -EINVAL for what its run-time values break. */
int must_check control_run(
	struct run *run, struct call_frame *frame, uint32_t at, struct error *err);

/* Ends the run with @result: what it changed stays where that is 0, else goes back to what it was
 * before. Returns @result, or what kept the run's checkpoints from getting their names. */
int must_check run_settle(struct run *run, int result, struct error *err);

/* Variables, tables and the nodes' state back to their start. */
void run_reset(struct run *run);

#endif
