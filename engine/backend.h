/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend - what somebody who runs a part of a graph must offer
 *
 * The planner asks each backend of its list, first to last, which nodes it accepts; consecutive
 * nodes of one backend become one step of the plan. A step is compiled once at load (tables,
 * multipliers, packed weights) and run many times, by any number of threads at once: a program is
 * immutable after compile; all that changes is in the frame. Control flow (IF, WHILE, CALL_ONCE,
 * composites) is the session's own business and never reaches a backend.
 */
#ifndef ENGINE_BACKEND_H
#define ENGINE_BACKEND_H

#include <errno.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/strings.h"
#include "engine/graph.h"

/* Where a tensor's bytes are during a run, and the shape they have now. */
struct value {
	void *data; /* 64-byte aligned for arena tensors, 16 for parts of one; constants as the file has them (aligned to
		       their element) */
	uint64_t bytes;
	struct shape shape;
};

/* Memory for outputs whose shape or size only the run knows: strings, WHERE, UNIQUE. */
struct run_outputs {
	/*
	 * Gives tensor @tensor of the subgraph @bytes of memory, 64-byte aligned, and that shape:
	 * both stand in the frame's values when it returns 0. -EFBIG when the session's budget is
	 * out, -ENOMEM.
	 */
	int (*give)(void *context, uint32_t tensor, const struct shape *shape, uint64_t bytes,
		struct error *err);
	void *context;
};

/* What a node wants besides its operands, in bytes; 0 for nothing. */
struct node_memory {
	uint64_t scratch; /* during its run */
	uint64_t state; /* from one run to the next, of each session: zero at the start and after a
			   reset; a run that fails leaves it as it was before */
	uint32_t later; /* it is run with the node that many places behind it in the step, so its
			   operands live until then */
	bool inner; /* its output is nowhere as a whole, and only nodes that are run with it read it */
	uint32_t
		in_place; /* operands, a bit each, in whose memory its one output may be computed where they
			      have its shape and as many bytes */
};

/*
 * What a plan may do otherwise than node by node, to the same bits. The checker leaves each out in
 * turn; names are in engine/rewrites.c.
 */
enum rewrite {
	REWRITE_ROW_FUSION = 1u << 0, /* nodes in a row, some rows of the picture at a time */
	REWRITE_PADS = 1u << 1, /* a PAD becomes padding of the window that reads it */
	REWRITE_VIEWS = 1u << 2, /* tensors that are part of another one lie in it, uncopied */
	REWRITE_SHAPES =
		1u << 3, /* what SHAPE gives is known at load where its operand's shape is */
	REWRITE_IN_PLACE =
		1u << 4, /* what is computed element by element takes its operand's memory */
	REWRITE_EAGER = 1u << 30, /* all of those wherever they can be, whether they pay or not */
};
#define REWRITES_ALL                                                                               \
	(REWRITE_ROW_FUSION | REWRITE_PADS | REWRITE_VIEWS | REWRITE_SHAPES | REWRITE_IN_PLACE)

struct team; /* threads that help with a run: backends/backends.h makes one */

/* When to give up, and who helps. A NULL pointer means never, and nobody. */
struct run_control {
	uint64_t deadline_ns; /* CLOCK_MONOTONIC, 0: none */
	const atomic_bool *cancelled; /* may be NULL */
	struct team *team; /* this run's alone until it ends; NULL: the caller does it all */
	/* Called by the run's own thread before each operator: may do something more urgent first. NULL:
	 * nothing is. */
	void (*between)(void *context);
	void *context;
};

/* Looked at between operators, and between tiles of long ones. 0, -ETIMEDOUT or -ECANCELED. */
static inline int run_control_check(const struct run_control *control)
{
	if (!control) {
		return 0;
	}
	if (control->cancelled && atomic_load_explicit(control->cancelled, memory_order_relaxed)) {
		return -ECANCELED;
	}
	if (control->deadline_ns && clock_now_ns() > control->deadline_ns) {
		return -ETIMEDOUT;
	}
	return 0;
}

/* strings_open() of a table of any size: -ETIMEDOUT and -ECANCELED as well. */
static inline int must_check run_control_open_strings(const struct run_control *control,
	struct strings *ret, const struct value *table, uint64_t elements, struct error *err)
{
	const uint32_t at_once = 1u << 16;
	struct strings s = {0};
	int r = strings_open_head(&s, table->data, table->bytes, elements, err);
	for (uint32_t first = 0; r == 0 && first <= s.count; first += at_once) {
		const uint32_t left = s.count + 1 - first;
		r = strings_check_offsets(
			&s, table->bytes, first, left < at_once ? left : at_once, err);
		const int given_up = r == 0 ? run_control_check(control) : 0;
		r = given_up < 0 ? error_set(err, given_up, "given up between strings") : r;
	}
	if (r == 0) {
		*ret = s;
	}
	return r;
}

struct program; /* a backend's own */

/* Memory for what is made from constants alone: weights in the order that a kernel wants. */
struct pack_memory {
	/*
	 * @bytes that outlive the program, 64-byte aligned. *ret_filled: an earlier load of the same
	 * model with the same kernels has written them, and they are read-only now; else they are
	 * zero and the caller writes them before compile returns. NULL: there is none, and the
	 * program takes its own.
	 */
	void *(*reserve)(void *context, uint64_t bytes, bool *ret_filled);
	void *context;
};

struct compile_request {
	const struct graph *graph;
	const struct subgraph *subgraph;
	const struct shape *shapes; /* one per tensor of the subgraph: what the planner computed; -1
				       where only a run can tell */
	const uint8_t *const *constants; /* one per tensor: bytes known at load (of the file, or
					    folded), NULL for all others */
	const uint32_t *nodes; /* indices into subgraph->nodes, in order */
	uint32_t n_nodes;
	uint64_t max_program_bytes; /* of the program; above it compile gives -EFBIG */
	uint64_t cpu_features; /* EK_CPU_* mask that kernels may use */
	unsigned int threads; /* that work on one run at most, with the caller; 0 counts as 1 */
	uint32_t rewrites; /* REWRITE_* that are wanted */
	const struct pack_memory *packs; /* NULL: none */
};
/* graph, subgraph, shapes, constants and nodes stay as they are until the program is freed. */

struct run_frame {
	struct value *values; /* one per tensor of the subgraph */
	void *const *scratch; /* one per node of the step, 64-byte aligned, as many bytes as compile
				 asked for */
	void *const *state; /* as scratch; entries of nodes that asked for none may be NULL */
	/*
	 * Only for a step of one node whose shapes or parameters only the run knows, NULL else: one
	 * per tensor of the subgraph; of the node's inputs and outputs the shapes are those of this
	 * run (-1 in outputs that the node itself gives memory), and constants has the bytes of all
	 * inputs.
	 */
	const struct shape *shapes;
	const uint8_t *const *constants;
	const struct run_outputs *outputs; /* NULL where no output needs it */
	const struct run_control *control;
};

struct backend {
	const char *name;

	/* 0 when the node (index into subgraph->nodes; request->nodes is not set yet) can be run
	 * here; -EOPNOTSUPP with a text that names what is missing. Types, shapes and options have
	 * passed the operator table (engine/plan/opinfo.h) before.
	 */
	int (*accept)(const struct compile_request *request, uint32_t node, struct error *err);

	/* @ret_memory: array of n_nodes, filled. The program is freed with free_program. */
	int (*compile)(const struct compile_request *request, struct node_memory *ret_memory,
		struct program **ret_program, struct error *err);

	/* All nodes of the step in order. Checks the control between nodes. An error leaves outputs
	 * undefined, nothing else. RESHAPE, SQUEEZE, EXPAND_DIMS, and SPLIT, UNPACK, CONCATENATION
	 * and PACK for each part, may find their output in the very memory of their input: nothing is
	 * to be copied then. */
	int (*run)(const struct program *program, const struct run_frame *frame, struct error *err);

	void (*free_program)(struct program *program); /* NULL is fine */

	/* Heap that the program holds, counted against the model's budget. */
	uint64_t (*program_bytes)(const struct program *program);

	/* One line per node for profiles, e.g. the kernel variant chosen ("conv__avx2"); NULL when
	 * there is none. */
	const char *(*node_detail)(const struct program *program, uint32_t index);

	/* As run(), for the one node at position @index of the step: what --per-op times. */
	int (*run_node)(const struct program *program, uint32_t index,
		const struct run_frame *frame, struct error *err);
};

#endif
