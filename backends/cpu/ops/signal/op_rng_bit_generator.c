/* SPDX-License-Identifier: Apache-2.0 */
/* STABLEHLO_RNG_BIT_GENERATOR: bits from a state, and the state after them. Source: tflite
 * kernels/rng_bit_generator.cc, which takes the 64-bit words of the state as 32-bit ones. */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/math/random.h"

/* enum of the schema: 0 default, 1 Philox, 2 ThreeFry */
#define THREEFRY 2

/* Key, two words of the counter, and the counter's upper half. */
struct rng {
	uint32_t key[2], counter[4];
	bool threefry;
};

/* Where the state has only two words the counter's upper half is the key. */
static struct rng rng_of(const struct op_call *call)
{
	const struct value *state = op_in(call, 0);
	uint32_t words[6];
	struct rng g = {.threefry = call->node->options.rng.algorithm == THREEFRY};
	size_t bytes = (size_t)state->shape.dim[0] * sizeof(uint64_t);
	memcpy(words, state->data, bytes);
	memcpy(g.key, words, sizeof(g.key));
	memcpy(g.counter, words + 2, 2 * sizeof(uint32_t));
	memcpy(g.counter + 2, words + (state->shape.dim[0] == 3 ? 4 : 0), 2 * sizeof(uint32_t));
	return g;
}

/* Up to @n words, and the counter one further; gives how many. */
static uint64_t rng_next(struct rng *g, uint32_t *dst, uint64_t n)
{
	uint32_t words[4];
	uint64_t count = g->threefry ? 2 : 4;
	if (g->threefry) {
		ek_threefry_words(g->key, g->counter, words);
	} else {
		struct ek_philox philox = {.key = {g->key[0], g->key[1]}};
		memcpy(philox.counter, g->counter, sizeof(g->counter));
		ek_philox_words(&philox, words);
	}
	count = n < count ? n : count;
	memcpy(dst, words, (size_t)count * sizeof(*dst));
	if (++g->counter[0] == 0) {
		++g->counter[1];
	}
	return count;
}

static int rng_run(const struct op_call *call, struct error *err)
{
	const struct value *next = op_out(call, 0), *bits = op_out(call, 1);
	const struct tensor *type = &call->subgraph->tensors[call->node->outputs[1]];
	struct rng g = rng_of(call);
	uint32_t *dst = bits->data, *state = next->data;
	struct tiles t = {.total = op_elements(&bits->shape) * (op_accept_element_bytes(type) / 4),
		.control = call->control};
	memcpy(state, op_in(call, 0)->data, (size_t)next->shape.dim[0] * sizeof(uint64_t));
	while (tiles_next(&t)) { /* of whole counters, but for the last */
		for (uint64_t i = 0; i < t.count;) {
			i += rng_next(&g, dst + t.at + i, t.count - i);
		}
	}
	memcpy(state + 2, g.counter, 2 * sizeof(uint32_t));
	return tiles_end(&t, err);
}

const struct cpu_op op_stablehlo_rng_bit_generator = {
	.op = OP_STABLEHLO_RNG_BIT_GENERATOR, .run = rng_run};
