/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SignalFramer, SignalStacker, SignalDelay and SignalOverlapAdd of TensorFlow Lite Micro: samples
 * that are kept from one run to the next in the session's memory of the node, which is zero at
 * first. Where an output is not whole yet ("valid" is false) it is zero; the reference leaves what
 * was there.
 */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "kernels/signal/signal.h"

#define PIECE (1u << 19) /* bytes between two looks at the control: some 50 us */

/* Moves samples in pieces, until the run is cancelled. */
struct mover {
	const struct run_control *control;
	size_t moved; /* bytes since the last look */
	int result;
};

/* How many of @bytes come next: 0 when there are none, or the run is given up. */
static size_t mover_next(struct mover *m, size_t bytes)
{
	if (m->moved >= PIECE) {
		m->moved = 0;
		m->result = run_control_check(m->control);
	}
	size_t piece = PIECE - m->moved;
	piece = m->result < 0 ? 0 : bytes < piece ? bytes : piece;
	m->moved += piece;
	return piece;
}

/* @dst is below @src, or apart from it. */
static void mover_copy(struct mover *m, void *dst, const void *src, size_t bytes)
{
	for (size_t at = 0, n; (n = mover_next(m, bytes - at)) > 0; at += n) {
		memmove((char *)dst + at, (const char *)src + at, n);
	}
}

static void mover_clear(struct mover *m, void *dst, size_t bytes)
{
	for (size_t at = 0, n; (n = mover_next(m, bytes - at)) > 0; at += n) {
		memset((char *)dst + at, 0, n);
	}
}

static int mover_end(const struct mover *m, struct error *err)
{
	return m->result < 0 ? error_set(err, m->result, "given up in the middle of the operator")
			     : 0;
}

struct stream_state {
	size_t outer; /* streams beside each other */
	size_t in, out; /* elements of one stream in a run */
	size_t kept; /* bytes of one stream in the session's memory */
};

/* What is kept of a framer or stacker: samples that wait, the oldest first. */
struct queue {
	uint32_t started; /* 0 before the first run */
	uint32_t count;
	int16_t samples[];
};

static int stream_accept(const struct op_setup *setup, struct error *err)
{
	return shape_known(op_shape_in(setup, 0))
		? 0
		: op_accept_missing("state of a size that only a run knows", err);
}

/* @last: how many dimensions at the end of the input belong to one stream. */
static int prepare(
	struct op_setup *setup, unsigned int last, uint64_t kept_bytes, struct error *err)
{
	struct stream_state *state = setup->state = op_alloc(setup, sizeof(*state));
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	state->outer = (size_t)op_gemm(in, 0, in->rank - last);
	state->in = (size_t)(op_elements(in) / state->outer);
	state->out = (size_t)(op_elements(out) / state->outer);
	state->kept = (size_t)((kept_bytes + 7) / 8 * 8);
	setup->session_bytes = (uint64_t)state->outer * state->kept;
	return 0;
}

static struct queue *queue_of(const struct op_call *call, size_t stream)
{
	const struct stream_state *s = call->state;
	return (struct queue *)((char *)call->session + stream * s->kept);
}

static void queue_put(struct mover *m, struct queue *q, const int16_t *samples, size_t n)
{
	mover_copy(m, q->samples + q->count, samples, n * sizeof(int16_t));
	q->count += (uint32_t)n;
}

static void queue_drop(struct mover *m, struct queue *q, size_t n)
{
	q->count -= (uint32_t)n;
	mover_copy(m, q->samples, q->samples + n, q->count * sizeof(int16_t));
}

/* Never more than a frame, rounded up to whole steps, waits. */
static int framer_prepare(struct op_setup *setup, struct error *err)
{
	const struct options_signal_framer *o = &setup->node->options.signal_framer;
	uint64_t step = (uint64_t)o->frame_step;
	uint64_t room = ((uint64_t)o->frame_size + step - 1) / step * step;
	return prepare(setup, 1, sizeof(struct queue) + room * sizeof(int16_t), err);
}

/* One step of samples: true when there is a whole frame. */
static bool framer_step(struct mover *m, struct queue *q, const struct options_signal_framer *o,
	int16_t *dst, const int16_t *src)
{
	size_t size = (size_t)o->frame_size, step = (size_t)o->frame_step;
	queue_put(m, q, src, step);
	bool whole = q->count >= size;
	if (whole) {
		mover_copy(m, dst, q->samples, size * sizeof(int16_t));
		queue_drop(m, q, step);
	} else {
		mover_clear(m, dst, size * sizeof(int16_t));
	}
	return whole;
}

static int framer_run(const struct op_call *call, struct error *err)
{
	const struct options_signal_framer *o = &call->node->options.signal_framer;
	const struct stream_state *s = call->state;
	const int16_t *src = op_in(call, 0)->data;
	int16_t *dst = op_out(call, 0)->data;
	bool *valid = op_out(call, 1)->data;
	struct mover m = {.control = call->control};
	*valid = true;
	for (size_t i = 0; i < s->outer && m.result == 0; i++) {
		struct queue *q = queue_of(call, i);
		if (!q->started) {
			q->started = 1;
			q->count = o->prefill ? (uint32_t)(o->frame_size - o->frame_step) : 0;
		}
		for (size_t at = 0; at < s->in && m.result == 0; at += (size_t)o->frame_step) {
			bool whole = framer_step(&m, q, o, dst, src + i * s->in + at);
			*valid = *valid && whole;
			dst += o->frame_size;
		}
	}
	return mover_end(&m, err);
}

static int stacker_prepare(struct op_setup *setup, struct error *err)
{
	uint64_t room = op_elements(op_shape_out(setup, 0));
	return prepare(setup, 1, sizeof(struct queue) + room * sizeof(int16_t), err);
}

/* The first frame stands for those before it. */
static int stacker_run(const struct op_call *call, struct error *err)
{
	const struct options_signal_stacker *o = &call->node->options.signal_stacker;
	const struct stream_state *s = call->state;
	struct queue *q = queue_of(call, 0);
	int16_t *dst = op_out(call, 0)->data;
	struct mover m = {.control = call->control};
	for (int32_t i = 0; i < o->left_context && !q->started && m.result == 0; i++) {
		queue_put(&m, q, op_in(call, 0)->data, s->in);
	}
	q->started = 1;
	queue_put(&m, q, op_in(call, 0)->data, s->in);
	bool whole = q->count >= s->out;
	if (whole) {
		mover_copy(&m, dst, q->samples, s->out * sizeof(int16_t));
		queue_drop(&m, q, (size_t)o->step * s->in);
	} else {
		mover_clear(&m, dst, s->out * sizeof(int16_t));
	}
	*(bool *)op_out(call, 1)->data = whole;
	return mover_end(&m, err);
}

static int delay_prepare(struct op_setup *setup, struct error *err)
{
	uint64_t length = (uint64_t)setup->node->options.signal_delay.length;
	return prepare(setup, 1, length * sizeof(int16_t), err);
}

/* The kept samples go out first; the last ones that came in are kept. */
static void delay_stream(
	struct mover *m, int16_t *kept, size_t length, int16_t *dst, const int16_t *src, size_t n)
{
	size_t head = n < length ? n : length;
	mover_copy(m, dst, kept, head * sizeof(int16_t));
	mover_copy(m, dst + head, src, (n - head) * sizeof(int16_t));
	mover_copy(m, kept, kept + head, (length - head) * sizeof(int16_t));
	mover_copy(m, kept + length - head, src + n - head, head * sizeof(int16_t));
}

static int delay_run(const struct op_call *call, struct error *err)
{
	const struct stream_state *s = call->state;
	size_t length = (size_t)call->node->options.signal_delay.length;
	const int16_t *src = op_in(call, 0)->data;
	int16_t *dst = op_out(call, 0)->data;
	struct mover m = {.control = call->control};
	if (length == 0) {
		mover_copy(&m, dst, src, s->outer * s->in * sizeof(int16_t));
		return mover_end(&m, err);
	}
	for (size_t i = 0; i < s->outer && m.result == 0; i++) {
		delay_stream(&m, (int16_t *)queue_of(call, i), length, dst + i * s->in,
			src + i * s->in, s->in);
	}
	return mover_end(&m, err);
}

static int overlap_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *in = op_shape_in(setup, 0);
	uint64_t size = (uint64_t)in->dim[in->rank - 1];
	return prepare(setup, 2, size * op_accept_element_bytes(op_tensor_in(setup, 0)), err);
}

static void overlap_add(struct mover *m, bool is_float, char *buffer, const char *src, size_t bytes)
{
	for (size_t at = 0, n; (n = mover_next(m, bytes - at)) > 0; at += n) {
		if (is_float) {
			ek_signal_overlap_f32((float *)(buffer + at), (const float *)(src + at),
				n / sizeof(float));
		} else {
			ek_signal_overlap_s16((int16_t *)(buffer + at), (const int16_t *)(src + at),
				n / sizeof(int16_t));
		}
	}
}

/* One frame of @bytes is added to what overlaps; its first @step bytes are whole. Pieces end between
 * samples, as all that is moved is a multiple of them. */
static void overlap_frame(struct mover *m, bool is_float, char *kept, void *dst, const void *src,
	size_t bytes, size_t step)
{
	overlap_add(m, is_float, kept, src, bytes);
	mover_copy(m, dst, kept, step);
	mover_copy(m, kept, kept + step, bytes - step);
	mover_clear(m, kept + bytes - step, step);
}

static int overlap_run(const struct op_call *call, struct error *err)
{
	const struct stream_state *s = call->state;
	const struct value *in = op_in(call, 0);
	bool is_float = call->subgraph->tensors[call->node->inputs[0]].type == DTYPE_FLOAT32;
	size_t element = is_float ? sizeof(float) : sizeof(int16_t);
	size_t size = (size_t)in->shape.dim[in->shape.rank - 1];
	size_t step = (size_t)call->node->options.signal_overlap_add.frame_step * element;
	size_t frames = s->in / size, bytes = size * element;
	const char *src = in->data;
	char *dst = op_out(call, 0)->data;
	struct mover m = {.control = call->control};
	for (size_t i = 0; i < s->outer * frames && m.result == 0; i++) {
		overlap_frame(&m, is_float, (char *)queue_of(call, i / frames), dst + i * step,
			src + i * bytes, bytes, step);
	}
	return mover_end(&m, err);
}

const struct cpu_op op_signal_framer = {.op = OP_SIGNAL_FRAMER,
	.accept = stream_accept,
	.prepare = framer_prepare,
	.run = framer_run};
const struct cpu_op op_signal_stacker = {.op = OP_SIGNAL_STACKER,
	.accept = stream_accept,
	.prepare = stacker_prepare,
	.run = stacker_run};
const struct cpu_op op_signal_delay = {
	.op = OP_SIGNAL_DELAY, .accept = stream_accept, .prepare = delay_prepare, .run = delay_run};
const struct cpu_op op_signal_overlap_add = {.op = OP_SIGNAL_OVERLAP_ADD,
	.accept = stream_accept,
	.prepare = overlap_prepare,
	.run = overlap_run};
