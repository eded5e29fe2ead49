/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - the memory that runs of one subgraph need, and the runs
 *
 * Belongs to one thread at a time. Inputs and outputs are counted as the subgraph lists them;
 * signatures are engine/edge.c's business, and so is the contract of each function: edge.h has it
 * under the same name. Nothing is allocated in a run, except the first after session_new() or
 * session_resize().
 */
#ifndef ENGINE_RUN_SESSION_H
#define ENGINE_RUN_SESSION_H

#include "engine/plan/plan_cache.h"
#include "engine/run/session_input.h"

struct session;

/* @plans outlives the session; @subgraph is one that was entered there. */
int must_check session_new(struct plan_cache *plans, uint32_t subgraph,
	struct session **ret_session, struct error *err);
void session_free(struct session *session); /* NULL is fine */
/* Another subgraph from now on, one that was entered in the cache: its inputs are as in a new
 * session; variables, tables and state stay. Its plan is taken on with the next session_plan() or
 * run. On an error nothing has changed. */
int must_check session_enter(struct session *session, uint32_t subgraph, struct error *err);
DEFINE_OWNED(struct session *, session_free)

int must_check session_resize(
	struct session *session, uint32_t input, const struct shape *shape, struct error *err);
/* Input @input as it is, or will be at the next run. */
const struct session_input *session_get_input(const struct session *session, uint32_t input);

/* The plan for the shapes that the inputs have now; borrowed until the next resize. */
int must_check session_plan(
	struct session *session, const struct subgraph_plan **ret_plan, struct error *err);

int must_check session_bind_input(struct session *session, uint32_t input, const void *data,
	uint64_t bytes, struct error *err);
void *session_input(struct session *session, uint32_t input, uint64_t *ret_bytes);

int must_check session_run(
	struct session *session, const struct run_control *control, struct error *err);
const void *session_output(struct session *session, uint32_t output, uint64_t *ret_bytes);

/* Where FlexSave and FlexRestore find their files: @folder stays the caller's and outlives the
 * session, -1 for none; @max_bytes of all its files together. */
void session_set_checkpoints(struct session *session, int folder, uint64_t max_bytes);

/* Bytes and shape of an output, as session_output(); NULL as there. */
const struct value *session_output_value(const struct session *session, uint32_t output);

/* Arena, state and what runs have left in the heap. */
uint64_t session_bytes(const struct session *session);

void session_reset(struct session *session);
void session_fill(struct session *session, uint8_t value);

int must_check session_profile(struct session *session, bool on);
/* One per node of the subgraph; NULL before session_profile(). */
const uint64_t *session_node_ns(const struct session *session);

#endif
