/* SPDX-License-Identifier: Apache-2.0 */
/* control - a node that the session runs itself: control flow, variables, tables */
#ifndef ENGINE_RUN_CONTROL_H
#define ENGINE_RUN_CONTROL_H

#include "engine/run/run.h"

/* The node at position @at of the plan's order. -EINVAL for what its run-time values break. */
int must_check control_run(struct run *run, struct frame *frame, uint32_t at, struct error *err);

#endif
