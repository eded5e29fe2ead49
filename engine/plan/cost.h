/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost - what a node is expected to take
 *
 * time = fixed + work * rate of its class + outputs * rate of finishing them + bytes / memory; the
 * class is a column of engine/plan/op_rows.h. The rates depend on the instruction set of the kernel,
 * and those of vector kernels have their memory in them. Those of x86 were measured with
 * `edgectl bench --local --per-op` over the networks of MLPerf Tiny, MobileNet v1 and v2, movenet and
 * deeplab on a Zen 5 core; those of Arm come from counted instructions. What they are good for is the
 * share of each node in a model's time, within a factor of two; another core is slower or faster as a
 * whole.
 */
#ifndef ENGINE_PLAN_COST_H
#define ENGINE_PLAN_COST_H

#include "engine/plan/plan.h"

struct cost {
	uint64_t macs; /* multiply-accumulates, or element operations where there are none */
	uint64_t bytes; /* of all operands, read or written once; 0 for what only a run can size */
	double microseconds;
};

/* Of node @node of the planned subgraph, run by @kernel ("conv_s8__avx2"; what has no "__" is taken for
 * plain C). A node that was folded at load costs nothing. */
struct cost cost_of_node(const struct subgraph_plan *plan, uint32_t node, const char *kernel);

/* "multiply-accumulate", "element", ...: the class whose rate the operator has. */
const char *cost_class_name(unsigned int op);

#endif
