/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op - one operator on the CPU: prepared once, run many times
 *
 * backends/cpu/cpu_backend.c has the table of rows below and walks a step's nodes. A
 * row's prepare() turns scales into multipliers, picks kernels and packs weights into memory of the
 * program; its run() is arithmetic over tiles. Everything that opinfo_check() proves may be relied
 * on and is not checked again; what it marked as run-time is checked by run().
 */
#ifndef BACKENDS_CPU_OP_H
#define BACKENDS_CPU_OP_H

#include "engine/backend.h"
#include "engine/operators.h"

struct cpu_op;
/* The row of a kernel's list that @features allow, as ek_pick(). */
#define OP_PICK(list, features) ek_pick(list, list##_count, sizeof((list)[0]), features)

/* Rows and columns around operand 0, of its zero point, that a window sees as well. */
struct op_pad {
	uint32_t top, bottom, left, right;
};

struct packing;
struct row_fusion_rows;
struct row_fusion_shape;

/* What prepare() sees. */
struct op_setup {
	const struct graph *graph;
	const struct subgraph *subgraph;
	const struct node *node;
	const struct shape *shapes; /* one per tensor; all of this node known, unless it is prepared
				       anew in each run */
	const uint8_t *const *constants; /* one per tensor: bytes known at load (of the file, or
					    folded), NULL for all others; they outlive the state */
	uint64_t cpu_features; /* that this CPU has */
	unsigned int threads; /* that may work on one run, at least 1 */
	bool for_one_run; /* what prepare() makes is used once */
	const struct run_control *control; /* of that run: long tables look at it. NULL at load */
	struct op_pad pad;

	/* Results, zero at the start: */
	void *state; /* of the row's state_bytes, or from op_alloc(); freed with the program */
	uint64_t scratch_bytes; /* what run() wants in call->scratch */
	uint64_t session_bytes; /* what run() wants in call->session; for a node that is prepared in
				   each run the row's own session_bytes hold */
	const char *detail; /* kernel variant, static text */

	struct op_memory *memory; /* used by op_alloc() */
	const struct pack_memory *packs; /* used by op_alloc_pack(); may be NULL */
	struct packing *packing; /* used by op_pack_weights(); NULL: at once */
};

/* What run() sees. */
struct op_call {
	const struct node *node;
	const struct subgraph *subgraph;
	const struct value *values; /* indexed by tensor */
	const void *state;
	void *scratch; /* 64-byte aligned */
	void *session; /* this session's own memory of the node, kept between runs: zero at first */
	const struct run_outputs *outputs; /* used by op_give_output() */
	const struct run_control *control; /* checked between tiles of long work; may be NULL */
};

/* Operators of .also. */
#define OP_ALSO(...)                                                                               \
	{                                                                                          \
		(const uint16_t[]){__VA_ARGS__},                                                   \
			sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t)                 \
	}

struct cpu_op {
	uint16_t op; /* enum op */
	struct {
		const uint16_t *ops;
		size_t n;
	} also; /* other operators that the row serves */
	/* Bit i: prepare() reads the values of operand i (axes, paddings). A node whose operand is
	 * known only to a run is prepared anew in each run; op_constant() gives what it has. */
	uint32_t params;
	uint32_t session_bytes; /* of each session: what setup->session_bytes starts with */
	/* Sums of ACCEPT() (backends/cpu/op_accept.h), 0: any. Types of operand 0 with a result
	 * of the same type; of operands 0 and 1; of the result. */
	uint32_t types, types_in[2], types_out;
	uint64_t
		state_bytes; /* setup->state is allocated before prepare(), zeroed; 0: it is NULL */
	/* What the types do not tell: 0, or -EOPNOTSUPP with a text naming what is not there. */
	int (*accept)(const struct op_setup *setup, struct error *err);
	void (*init)(struct op_setup *setup); /* prepare() where it cannot fail */
	int (*prepare)(struct op_setup *setup, struct error *err);
	/* 0, -ETIMEDOUT, -ECANCELED, or -EIO/-EINVAL for a run-time value that breaks a rule. */
	int (*run)(const struct op_call *call, struct error *err);
	void (*release)(void *state); /* for what op_alloc() does not own; usually NULL */
	/* Both or none (backends/cpu/row_fusion.h). True where a node of that state can be run by rows,
	 * operand @operand and the result of which are pictures; and such a run, which cannot fail. */
	bool (*row_shape)(
		const struct op_setup *setup, uint32_t operand, struct row_fusion_shape *ret);
	void (*run_rows)(const struct op_call *call, const struct row_fusion_rows *rows);
	/* Operands, a bit each, in whose memory its one result may be computed where they have its shape and
	 * as many bytes: each element is made of those that stand in its place alone. */
	uint32_t in_place;
};

/* Zeroed, 64-byte aligned, freed with the program, counted against the model's budget. NULL when
 * memory or budget is out: return op_alloc_failed(setup, err) then. */
void *op_alloc(struct op_setup *setup, uint64_t bytes);
/* As op_alloc() for what follows from constants and the CPU's features alone, packed weights above
 * all: where *ret_filled, it is there already and must not be written. */
void *op_alloc_pack(struct op_setup *setup, uint64_t bytes, bool *ret_filled);
int op_alloc_failed(const struct op_setup *setup, struct error *err);

/*
 * Has @pack fill what op_alloc_pack() gave, of @bytes, from @state and what that points to: before
 * compile returns, perhaps beside other nodes' in another thread. The last thing that prepare() does
 * with them.
 */
typedef void op_pack_fn(const void *state);
void op_pack_weights(struct op_setup *setup, op_pack_fn *pack, const void *state, uint64_t bytes);

/*
 * Memory for output @i of a node whose output only its run can size (the planner knows no shape, or
 * it holds strings): @bytes, 64-byte aligned, found in op_out(call, @i) from then on. -EFBIG when
 * the session's budget is out, -ENOMEM.
 */
int must_check op_give_output(const struct op_call *call, uint32_t i, const struct shape *shape,
	uint64_t bytes, struct error *err);

/* Takes @bytes of call->scratch besides what is taken already; their offset, a multiple of 64. */
static inline uint64_t op_scratch(struct op_setup *s, uint64_t bytes)
{
	uint64_t at = (s->scratch_bytes + 63) & ~(uint64_t)63;
	s->scratch_bytes = at + bytes;
	return at;
}

/* Takes @bytes of call->scratch for each of setup->threads, one after the other, and returns how far
 * they are apart: grid_job.scratch_each. They stand at its start, so nothing may be taken before. */
static inline uint64_t op_scratch_each(struct op_setup *s, uint64_t bytes)
{
	uint64_t each = (bytes + 63) & ~(uint64_t)63;
	op_scratch(s, each * s->threads);
	return each;
}

static inline const struct tensor *op_tensor_in(const struct op_setup *s, uint32_t i)
{
	return i < s->node->n_inputs && s->node->inputs[i] >= 0
		? &s->subgraph->tensors[s->node->inputs[i]]
		: NULL;
}

static inline const struct tensor *op_tensor_out(const struct op_setup *s, uint32_t i)
{
	return &s->subgraph->tensors[s->node->outputs[i]];
}

static inline const struct shape *op_shape_in(const struct op_setup *s, uint32_t i)
{
	return &s->shapes[s->node->inputs[i]];
}

static inline const struct shape *op_shape_out(const struct op_setup *s, uint32_t i)
{
	return &s->shapes[s->node->outputs[i]];
}

/* Product of dimensions @first (included) to @last (not included) of a shape whose bytes exist. */
static inline uint64_t op_gemm(const struct shape *shape, uint32_t first, uint32_t last)
{
	uint64_t n = 1;
	for (uint32_t i = first; i < last; i++) {
		n *= (uint64_t)shape->dim[i];
	}
	return n;
}

/* Its elements. */
static inline uint64_t op_elements(const struct shape *shape)
{
	return op_gemm(shape, 0, shape->rank);
}

/* Bytes of operand @i where they are known at load (or, for a node that is prepared in a run, now),
 * else NULL. */
static inline const void *op_constant(const struct op_setup *s, uint32_t i)
{
	return i < s->node->n_inputs && s->node->inputs[i] >= 0 ? s->constants[s->node->inputs[i]]
								: NULL;
}

/* Operand @i of a running node; NULL where it was left out. */
static inline const struct value *op_in(const struct op_call *c, uint32_t i)
{
	return i < c->node->n_inputs && c->node->inputs[i] >= 0 ? &c->values[c->node->inputs[i]]
								: NULL;
}

static inline const struct value *op_out(const struct op_call *c, uint32_t i)
{
	return &c->values[c->node->outputs[i]];
}

#endif
