/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL and MULTINOMIAL: a Philox generator that goes on from run
 * to run of a session. Where both seeds are 0 it starts anywhere, as in the reference.
 * Source: tflite kernels/random_ops.cc.
 */
#include <math.h>
#include <sys/random.h>

#include "backends/cpu/op.h"
#include "backends/cpu/tiles.h"
#include "kernels/math/random.h"

/* What a session keeps. */
struct generator {
	uint32_t started; /* 0 before the first run */
	struct ek_philox philox;
};

static int generator_start(
	struct generator *g, const struct options_random *seeds, struct error *err)
{
	/* LiteRT keeps the low 32 bits of a seed, with their sign. */
	int64_t words[2] = {(int32_t)seeds->seed, (int32_t)seeds->seed2};
	if (g->started) {
		return 0;
	}
	if (words[0] == 0 && words[1] == 0 &&
		getrandom(words, sizeof(words), GRND_NONBLOCK) != (ssize_t)sizeof(words)) {
		return error_set(err, -EIO, "the system gives no random seed");
	}
	g->philox = ek_philox_of(words[0], words[1]);
	g->started = 1;
	return 0;
}

/* Up to four numbers of one counter. */
static void random_four(bool normal, const struct ek_philox *g, float *dst, uint64_t n)
{
	uint32_t words[4];
	float x[4];
	ek_philox_words(g, words);
	for (int i = 0; i < 4; i++) {
		x[i] = ek_random_f32(words[i]);
	}
	if (normal) {
		ek_random_normal_f32(words[0], words[1], x);
		ek_random_normal_f32(words[2], words[3], x + 2);
	}
	for (uint64_t i = 0; i < n; i++) {
		dst[i] = x[i];
	}
}

static int random_run(const struct op_call *call, struct error *err)
{
	struct generator *g = call->session;
	const struct value *out = op_out(call, 0);
	bool normal = call->node->op == OP_RANDOM_STANDARD_NORMAL;
	float *dst = out->data;
	struct tiles t = {.total = op_elements(&out->shape), .control = call->control};
	int r = generator_start(g, &call->node->options.random, err);
	if (r < 0) {
		return r;
	}
	while (tiles_next(&t)) { /* of whole counters, but for the last */
		for (uint64_t i = 0; i < t.count; i += 4) {
			random_four(normal, &g->philox, dst + t.at + i,
				t.count - i < 4 ? t.count - i : 4);
			ek_philox_skip(&g->philox, 1);
		}
	}
	return tiles_end(&t, err);
}

/* Sums of exp(logit - largest) over the classes up to each; infinities and NaN add nothing. */
static int fill_sums(const struct run_control *control, double *sums, const float *logits,
	uint64_t classes, double *ret_total)
{
	float max = -3.402823466e38f;
	double sum = 0;
	struct tiles seen = {.total = classes, .control = control}, added = seen;
	while (tiles_next(&seen)) {
		for (uint64_t i = seen.at; i < seen.at + seen.count; i++) {
			max = isfinite(logits[i]) && logits[i] > max ? logits[i] : max;
		}
	}
	while (seen.result == 0 && tiles_next(&added)) {
		for (uint64_t i = added.at; i < added.at + added.count; i++) {
			sum += isfinite(logits[i]) ? exp((double)logits[i] - (double)max) : 0;
			sums[i] = sum;
		}
	}
	*ret_total = sum;
	return seen.result < 0 ? seen.result : added.result;
}

/* The first class whose sum is above @x; @classes when there is none. */
static int64_t find_class(const double *sums, uint64_t classes, double x)
{
	uint64_t low = 0, high = classes;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (x < sums[middle]) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return (int64_t)low;
}

/* Samples are drawn two from a counter, one behind the other over all rows. */
static int draw(const struct op_call *call, struct ek_philox g, struct error *err)
{
	const struct value *logits = op_in(call, 0), *out = op_out(call, 0);
	uint64_t classes = (uint64_t)logits->shape.dim[1];
	uint64_t samples = (uint64_t)out->shape.dim[1];
	bool wide = call->subgraph->tensors[call->node->outputs[0]].type == DTYPE_INT64;
	double *sums = call->scratch, total = 0;
	uint32_t words[4];
	struct tiles t = {.total = (uint64_t)out->shape.dim[0] * samples,
		.control = call->control,
		.each = tiles_rows(classes)};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			if (i % samples == 0) {
				const float *row = logits->data;
				t.result = fill_sums(call->control, sums,
					row + i / samples * classes, classes, &total);
			}
			if (t.result < 0) {
				return tiles_end(&t, err);
			}
			if (i % 2 == 0) {
				ek_philox_words(&g, words);
				ek_philox_skip(&g, 1);
			}
			const uint32_t *w = words + i % 2 * 2;
			int64_t found =
				find_class(sums, classes, ek_random_f64(w[0], w[1]) * total);
			if (wide) {
				((int64_t *)out->data)[i] = found;
			} else {
				((int32_t *)out->data)[i] = (int32_t)found;
			}
		}
	}
	return tiles_end(&t, err);
}

static int multinomial_prepare(struct op_setup *setup, struct error *err)
{
	(void)err;
	setup->scratch_bytes = (uint64_t)op_shape_in(setup, 0)->dim[1] * sizeof(double);
	return 0;
}

/* The generator goes on by 512 counters for each sample, those of a row rounded up to a multiple of
 * four. */
static int multinomial_run(const struct op_call *call, struct error *err)
{
	struct generator *g = call->session;
	const struct shape *out = &op_out(call, 0)->shape;
	int r = generator_start(g, &call->node->options.random, err);
	r = r < 0 ? r : draw(call, g->philox, err);
	if (r == 0) {
		uint64_t row = ((uint64_t)out->dim[1] + 3) / 4 * 4;
		ek_philox_skip(&g->philox, (uint64_t)out->dim[0] * row * 2 * 256);
	}
	return r;
}

const struct cpu_op op_random = {.op = OP_RANDOM_UNIFORM,
	.also = OP_ALSO(OP_RANDOM_STANDARD_NORMAL),
	.session_bytes = sizeof(struct generator),
	.run = random_run};
const struct cpu_op op_multinomial = {.op = OP_MULTINOMIAL,
	.session_bytes = sizeof(struct generator),
	.prepare = multinomial_prepare,
	.run = multinomial_run};
