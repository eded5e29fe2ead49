/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/shadow.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/background_yield.h"
#include "base/clock.h"
#include "daemon/system/check_finite.h"

#define MAX_RUN_NS UINT64_C(1000000000) /* limit for a run, which delays loading */
#define MAX_NAN_RUN_NS                                                                             \
	(10 * MAX_RUN_NS) /* limit for each of both runs: a slow model can give NaN too */
#define TOLERANCE 0.1 /* relative to the larger number */

/* ---- copy */

static bool can_be_asked_again(const struct shadow_source *source)
{
	return !source->in_session && source->planned && !source->in_regions &&
		!source->infer->regions && source->question_bytes <= SHADOW_MAX_BYTES &&
		source->answer_bytes <= SHADOW_MAX_BYTES &&
		!edge_model_info(source->version->model)->has_state;
}

static uint8_t *copy_of(const void *data, size_t size)
{
	uint8_t *copy = aligned_alloc(WIRE_ALIGNMENT, bytes_align_up(size + 1, WIRE_ALIGNMENT));
	if (copy) {
		memcpy(copy, data, size);
	}
	return copy;
}

static bool fill(struct shadow *shadow, const struct shadow_source *source)
{
	const struct wire_infer *infer = source->infer;
	shadow->question = copy_of(source->question, source->question_bytes);
	shadow->answer = copy_of(source->answer, source->answer_bytes);
	shadow->inputs = malloc((infer->n_inputs + 1) * sizeof(shadow->inputs[0]));
	if (!shadow->question || !shadow->answer || !shadow->inputs) {
		return false;
	}
	shadow->answer_bytes = source->answer_bytes;
	shadow->n_inputs = infer->n_inputs;
	for (uint32_t i = 0; i < infer->n_inputs; i++) {
		const uint8_t *data = infer->inputs[i].data;
		shadow->inputs[i] = infer->inputs[i];
		shadow->inputs[i].data = shadow->question + (data - source->question);
	}
	return true;
}

struct shadow *shadow_new(const struct shadow_source *source, struct loaded_model *before)
{
	struct shadow *shadow = can_be_asked_again(source) ? calloc(1, sizeof(*shadow)) : NULL;
	if (!shadow) {
		return NULL;
	}
	shadow->version = loaded_model_ref(source->version);
	shadow->before = loaded_model_ref(before);
	shadow->signature = source->signature;
	if (!fill(shadow, source)) {
		shadow_free(shadow);
		return NULL;
	}
	return shadow;
}

/* Places each input after the end of the last: shared memory is copied one by one. */
static bool fill_of_nan(struct shadow *shadow, const struct shadow_source *source)
{
	const struct wire_infer *infer = source->infer;
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < infer->n_inputs; i++) {
		bytes += bytes_align_up(infer->inputs[i].bytes, WIRE_ALIGNMENT);
	}
	if (bytes > SHADOW_MAX_NAN_BYTES) {
		return false;
	}
	shadow->question = aligned_alloc(WIRE_ALIGNMENT, (size_t)bytes + WIRE_ALIGNMENT);
	shadow->inputs = malloc((infer->n_inputs + 1) * sizeof(shadow->inputs[0]));
	if (!shadow->question || !shadow->inputs) {
		return false;
	}
	uint8_t *at = shadow->question;
	for (uint32_t i = 0; i < infer->n_inputs; i++) {
		shadow->inputs[i] = infer->inputs[i];
		shadow->inputs[i].data = memcpy(at, infer->inputs[i].data, infer->inputs[i].bytes);
		at += bytes_align_up(infer->inputs[i].bytes, WIRE_ALIGNMENT);
	}
	shadow->n_inputs = infer->n_inputs;
	shadow->n_wanted = infer->n_wanted;
	memcpy(shadow->wanted, infer->wanted, infer->n_wanted * sizeof(shadow->wanted[0]));
	return true;
}

struct shadow *shadow_new_of_nan(const struct shadow_source *source, struct loaded_model *before)
{
	const bool saves = edge_model_info(source->version->model)->uses_checkpoints ||
		edge_model_info(before->model)->uses_checkpoints;
	struct shadow *shadow = saves ? NULL : calloc(1, sizeof(*shadow));
	if (!shadow) {
		return NULL;
	}
	shadow->of_nan = true;
	shadow->planned = source->planned;
	shadow->version = loaded_model_ref(source->version);
	shadow->before = loaded_model_ref(before);
	shadow->signature = source->signature;
	if (!fill_of_nan(shadow, source)) {
		shadow_free(shadow);
		return NULL;
	}
	return shadow;
}

void shadow_free(struct shadow *shadow)
{
	if (shadow) {
		loaded_model_unref(shadow->version);
		loaded_model_unref(shadow->before);
		free(shadow->inputs);
		free(shadow->question);
		free(shadow->answer);
		free(shadow);
	}
}

/* ---- comparison */

/* Returns false for element types that are not compared as numbers. */
static bool number_at(unsigned int type, const void *data, uint64_t i, double *ret_number)
{
	union {
		float f32;
		double f64;
		int8_t s8;
		uint8_t u8;
		int16_t s16;
		int32_t s32;
	} u;
	const uint8_t *at = data;
#define NUMBER(member)                                                                             \
	memcpy(&u.member, at + i * sizeof(u.member), sizeof(u.member));                            \
	*ret_number = (double)u.member;                                                            \
	return true
	switch (type) {
	case DTYPE_FLOAT32:
		NUMBER(f32);
	case DTYPE_FLOAT64:
		NUMBER(f64);
	case DTYPE_INT8:
		NUMBER(s8);
	case DTYPE_UINT8:
		NUMBER(u8);
	case DTYPE_INT16:
		NUMBER(s16);
	case DTYPE_INT32:
		NUMBER(s32);
	default:
		return false;
	}
#undef NUMBER
}

/* Returns the first index of the largest element. NaN is never the largest. */
static uint64_t place_of_largest(unsigned int type, const void *data, uint64_t n)
{
	double largest = -INFINITY, number = 0;
	uint64_t place = 0;
	for (uint64_t i = 0; i < n; i++) {
		if (number_at(type, data, i, &number) && number > largest) {
			largest = number;
			place = i;
		}
	}
	return place;
}

static double real_of(double number, const struct shadow_number *of)
{
	return of->scale != 0 ? (number - of->zero) * (double)of->scale : number;
}

bool shadow_differ(unsigned int type, uint64_t bytes, const void *a,
	const struct shadow_number *of_a, const void *b, const struct shadow_number *of_b)
{
	double x = 0, y = 0;
	uint64_t size = dtype_bits(type) / 8;
	if (bytes == 0 || size == 0 || !number_at(type, a, 0, &x) || !number_at(type, b, 0, &y)) {
		return bytes > 0 && memcmp(a, b, bytes) != 0;
	}
	if (bytes > size) {
		return place_of_largest(type, a, bytes / size) !=
			place_of_largest(type, b, bytes / size);
	}
	x = real_of(x, of_a);
	y = real_of(y, of_b);
	double larger = fabs(x) > fabs(y) ? fabs(x) : fabs(y);
	return !(x == y || fabs(x - y) <= TOLERANCE * larger);
}

/* ---- run */

static int ask(struct shadow *shadow, struct edge_session *session)
{
	const struct run_control control = {
		.deadline_ns = clock_now_ns() + (shadow->of_nan ? MAX_NAN_RUN_NS : MAX_RUN_NS),
		.between = background_yield_between};
	int code = 0;
	for (uint32_t i = 0; i < shadow->n_inputs && code == 0; i++) {
		const struct wire_tensor *input = &shadow->inputs[i];
		code = edge_session_bind_input(
			session, input->index, input->data, input->bytes, NULL);
	}
	return code < 0 ? code : edge_session_run(session, &control, NULL);
}

/* Negative: the outputs cannot be compared. */
static int output_compare(
	struct shadow *shadow, struct edge_session *session, const struct wire_tensor *output)
{
	struct edge_tensor_info before, now;
	uint64_t bytes = 0;
	int code = edge_session_output_info(session, output->index, &before, NULL);
	if (code == 0) {
		code = edge_model_output(
			shadow->version->model, shadow->signature, output->index, &now);
	}
	const void *data = code < 0 ? NULL : edge_session_output(session, output->index, &bytes);
	if (!data || before.type != output->type || bytes != output->bytes) {
		return -1;
	}
	const struct shadow_number of_now = {now.scale, now.zero_point};
	const struct shadow_number of_before = {before.scale, before.zero_point};
	return shadow_differ(output->type, bytes, output->data, &of_now, data, &of_before);
}

static void compare(struct shadow *shadow, struct edge_session *session)
{
	owned_mem struct wire_infer_reply *reply = malloc(sizeof(*reply));
	if (!reply ||
		wire_infer_reply_decode(shadow->answer, shadow->answer_bytes, 0, reply, NULL) < 0) {
		return;
	}
	shadow->compared = true;
	for (uint32_t i = 0; i < reply->n_outputs; i++) {
		int code = output_compare(shadow, session, &reply->outputs[i]);
		shadow->compared = shadow->compared && code >= 0;
		shadow->differs = shadow->differs || code > 0;
	}
}

/* ---- NaN */

/* Resizes the inputs to the request's shapes. */
static int session_shape(struct shadow *shadow, struct loaded_model_session *session)
{
	const bool other = !shadow->planned;
	int code = 0;
	if (other || session->resized) {
		session->resized = true;
		for (uint32_t i = 0; i < shadow->n_inputs && code == 0; i++) {
			code = edge_session_resize(session->session, shadow->inputs[i].index,
				&shadow->inputs[i].shape, NULL);
		}
		session->resized = code < 0 || other;
	}
	return code;
}

/* Returns 1 if a requested output has NaN, else 0; -ENOENT without outputs. */
static int outputs_have_nan(const struct shadow *shadow, struct edge_session *session)
{
	int found = 0;
	for (uint32_t i = 0; i < shadow->n_wanted && found == 0; i++) {
		struct edge_tensor_info info;
		uint64_t bytes = 0;
		if (edge_session_output_info(session, shadow->wanted[i], &info, NULL) < 0) {
			return -ENOENT;
		}
		const void *data = edge_session_output(session, shadow->wanted[i], &bytes);
		if (!data || bytes > UINT32_MAX) {
			return -ENOENT;
		}
		const struct wire_tensor output = {
			.type = info.type, .bytes = (uint32_t)bytes, .data = data};
		found = check_finite_any_nan(&output, 1);
	}
	return found;
}

/* Returns as outputs_have_nan(). */
static int gives_nan(struct shadow *shadow, struct loaded_model *loaded)
{
	struct loaded_model_session *session = NULL;
	if (loaded_model_take_session(
		    loaded, shadow->signature, LOADED_MODEL_NO_USER, &session, NULL) < 0) {
		return -1;
	}
	edge_session_reset(session->session);
	int code = session_shape(shadow, session);
	code = code < 0 ? code : ask(shadow, session->session);
	code = code < 0 ? code : outputs_have_nan(shadow, session->session);
	loaded_model_give_session(loaded, session);
	return code;
}

static void run_of_nan(struct shadow *shadow)
{
	if (check_finite_any_nan_or_infinity(shadow->inputs, shadow->n_inputs)) {
		return; /* the inputs changed before they were copied */
	}
	const int before = gives_nan(shadow, shadow->before);
	shadow->compared = before != -ENOMEM && before != -ETIMEDOUT;
	/* A version that cannot run the request does not give NaN for it. */
	shadow->differs = shadow->compared && before <= 0 && gives_nan(shadow, shadow->version) > 0;
}

void shadow_run(struct shadow *shadow)
{
	if (shadow->of_nan) {
		run_of_nan(shadow);
		return;
	}
	struct loaded_model_session *session = NULL;
	if (loaded_model_take_session(
		    shadow->before, shadow->signature, LOADED_MODEL_NO_USER, &session, NULL) < 0) {
		return;
	}
	if (!session->resized && ask(shadow, session->session) == 0) {
		compare(shadow, session->session);
	}
	loaded_model_give_session(shadow->before, session);
}
