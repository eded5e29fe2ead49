/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/check/selftest.h"

#include <errno.h>
#include <math.h>

#include "base/wire/wire.h"
#include "daemon/system/check_finite.h"

#define RELATIVE 1e-3
#define ABSOLUTE 1e-4

/* A frame of the file, with its body copied to aligned memory. */
struct part {
	struct wire_header header;
	uint8_t *body;
};

static void part_free(struct part *part)
{
	free(part->body);
}
#define owned_part __attribute__((cleanup(part_free)))

static int part_read(
	struct bytes_reader *r, unsigned int type, struct part *ret_part, struct error *err)
{
	const uint8_t *head = bytes_read(r, WIRE_HEADER_BYTES);
	if (!head) {
		return error_set(err, -EBADMSG, "the file ends within a frame");
	}
	int code = wire_header_decode(head, &ret_part->header, err);
	if (code < 0) {
		return code;
	}
	const size_t bytes = ret_part->header.body_bytes;
	const void *body = bytes_read(r, bytes);
	if (!body) {
		return error_set(err, -EBADMSG, "the file ends within a frame");
	}
	if (ret_part->header.type != type || ret_part->header.status != EDGE_OK) {
		return error_set(err, -EBADMSG, "it is not INFER and a good reply in turn");
	}
	ret_part->body = aligned_alloc(WIRE_ALIGNMENT, bytes_align_up(bytes + 1, WIRE_ALIGNMENT));
	if (!ret_part->body) {
		return error_no_memory(err);
	}
	memcpy(ret_part->body, body, bytes);
	return 0;
}

/* ---- requests */

static int find_signature(const struct edge_model *model, struct wire_text key, uint32_t *ret_index,
	struct error *err)
{
	char text[WIRE_MAX_NAME + 1];
	*ret_index = 0;
	if (key.length == 0) {
		return 0;
	}
	memcpy(text, key.data, key.length);
	text[key.length] = 0;
	int index = memchr(text, 0, key.length) ? -1 : edge_model_find_signature(model, text);
	if (index < 0) {
		return error_set(err, -EBADMSG, "the model has no such signature");
	}
	*ret_index = (uint32_t)index;
	return 0;
}

static int find_input(const struct edge_model *model, uint32_t signature,
	const struct wire_tensor *tensor, uint32_t *ret_index, struct edge_tensor_info *ret_info)
{
	uint32_t index = tensor->index == WIRE_BY_NAME ? 0 : tensor->index;
	int code = edge_model_input(model, signature, index, ret_info);
	while (code == 0 && tensor->index == WIRE_BY_NAME &&
		(ret_info->name.length != tensor->name.length ||
			memcmp(ret_info->name.data, tensor->name.data, tensor->name.length) != 0)) {
		code = edge_model_input(model, signature, ++index, ret_info);
	}
	*ret_index = index;
	return code;
}

static int input_give(struct edge_session *session, const struct edge_model *model,
	uint32_t signature, const struct wire_tensor *tensor, struct error *err)
{
	struct edge_tensor_info info;
	uint32_t index = 0;
	if (find_input(model, signature, tensor, &index, &info) < 0 || info.type != tensor->type) {
		return error_set(err, -EBADMSG, "the model has no such input");
	}
	int code = shape_equal(&info.shape, &tensor->shape)
		? 0
		: edge_session_resize(session, index, &tensor->shape, err);
	return code < 0 ? code
			: edge_session_bind_input(session, index, tensor->data, tensor->bytes, err);
}

static int ask(struct edge_session *session, const struct edge_model *model, uint32_t signature,
	const struct wire_infer *infer, const struct run_control *control, struct error *err)
{
	struct edge_signature_info info;
	int code = edge_model_signature(model, signature, &info);
	if (code == 0 && info.n_inputs != infer->n_inputs) {
		return error_set(err, -EBADMSG, "the model has %u inputs", info.n_inputs);
	}
	for (uint32_t i = 0; i < infer->n_inputs && code == 0; i++) {
		code = input_give(session, model, signature, &infer->inputs[i], err);
	}
	return code < 0 ? code : edge_session_run(session, control, err);
}

/* ---- comparison */

static bool close_enough(double a, double b)
{
	if (isnan(a) || isnan(b)) {
		return isnan(a) && isnan(b);
	}
	double larger = fabs(a) > fabs(b) ? fabs(a) : fabs(b);
	return a == b || fabs(a - b) <= ABSOLUTE + RELATIVE * larger;
}

/* A float32 (@size 4) or float64. */
static double number_at(const void *data, uint64_t at, size_t size)
{
	float single;
	double number;
	if (size == sizeof(single)) {
		memcpy(&single, (const char *)data + at, sizeof(single));
		return (double)single;
	}
	memcpy(&number, (const char *)data + at, sizeof(number));
	return number;
}

static bool numbers_match(const void *a, const void *b, uint64_t bytes, size_t size)
{
	for (uint64_t at = 0; at + size <= bytes; at += size) {
		if (!close_enough(number_at(a, at, size), number_at(b, at, size))) {
			return false;
		}
	}
	return true;
}

static bool data_match(const struct wire_tensor *due, const void *data)
{
	switch (due->type) {
	case DTYPE_FLOAT32:
	case DTYPE_COMPLEX64:
		return numbers_match(due->data, data, due->bytes, sizeof(float));
	case DTYPE_FLOAT64:
		return numbers_match(due->data, data, due->bytes, sizeof(double));
	default:
		return memcmp(due->data, data, due->bytes) == 0;
	}
}

static int output_check(
	struct edge_session *session, const struct wire_tensor *due, struct error *err)
{
	struct edge_tensor_info info;
	uint64_t bytes = 0;
	int code = edge_session_output_info(session, due->index, &info, err);
	if (code < 0) {
		return code;
	}
	const void *data = edge_session_output(session, due->index, &bytes);
	if (!data || info.type != due->type || !shape_equal(&info.shape, &due->shape) ||
		bytes != due->bytes) {
		return error_set(err, -EBADMSG, "output %u has another type or shape", due->index);
	}
	return data_match(due, data)
		? 0
		: error_set(err, SELFTEST_WRONG, "output %u is not what is due", due->index);
}

static int answer_check(struct edge_session *session, const struct part *reply, struct error *err)
{
	owned_mem struct wire_infer_reply *due = malloc(sizeof(*due));
	if (!due) {
		return error_no_memory(err);
	}
	int code = wire_infer_reply_decode(reply->body, reply->header.body_bytes, 0, due, err);
	for (uint32_t i = 0; code == 0 && i < due->n_outputs; i++) {
		code = output_check(session, &due->outputs[i], err);
	}
	return code;
}

/* ---- all requests */

static int question(struct edge_model *model, const struct part *asked, const struct part *reply,
	const struct run_control *control, struct error *err)
{
	owned(edge_session_free) struct edge_session *session = NULL;
	owned_mem struct wire_infer *infer = malloc(sizeof(*infer));
	uint32_t signature = 0;
	if (!infer) {
		return error_no_memory(err);
	}
	int code = wire_infer_decode(asked->body, asked->header.body_bytes, 0, infer, err);
	if (code == 0) {
		code = find_signature(model, infer->signature, &signature, err);
	}
	if (code == 0) {
		code = edge_session_new(model, signature, &session, err);
	}
	if (code == 0) {
		code = ask(session, model, signature, infer, control, err);
	}
	return code < 0 ? code : answer_check(session, reply, err);
}

static int next(struct edge_model *model, struct bytes_reader *r, const struct run_control *control,
	struct error *err)
{
	owned_part struct part asked = {0};
	owned_part struct part reply = {0};
	int code = part_read(r, WIRE_INFER, &asked, err);
	if (code == 0) {
		code = part_read(r, WIRE_INFER | WIRE_REPLY, &reply, err);
	}
	return code < 0 ? code : question(model, &asked, &reply, control, err);
}

/* A fault of the model or file is a verdict; a lack of resources is none. */
static int verdict_of(int code)
{
	return code == -ENOMEM || code == -ECANCELED || code == -ETIMEDOUT || code == SELFTEST_WRONG
		? code
		: -EBADMSG;
}

int selftest_run(struct edge_model *model, const void *golden, size_t size,
	const struct run_control *control, uint32_t *ret_n, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(golden, size);
	uint32_t n = 0;
	while (r.at < r.size) {
		struct error why = {0};
		int code = next(model, &r, control, &why);
		n++;
		if (code < 0) {
			return error_set(
				err, verdict_of(code), "self-test, question %u: %s", n, why.text);
		}
	}
	if (n == 0) {
		return error_set(err, -EBADMSG, "self-test: it has no question");
	}
	*ret_n = n;
	return 0;
}

/* ---- repeatability */

static int is_random(void *context, const struct edge_step *step)
{
	(void)context;
	return strncmp(step->op, "RANDOM", 6) == 0 || strcmp(step->op, "MULTINOMIAL") == 0;
}

/* Bytes of all outputs, one after another. */
struct reply {
	struct bytes_writer bytes;
	bool nan; /* an output has NaN */
};

static void reply_free(struct reply *reply)
{
	bytes_writer_deinit(&reply->bytes);
}
#define owned_reply __attribute__((cleanup(reply_free)))

static int output_take(struct edge_session *session, uint32_t index, struct reply *reply)
{
	struct edge_tensor_info info;
	uint64_t bytes = 0;
	const void *data = edge_session_output(session, index, &bytes);
	int code = data ? edge_session_output_info(session, index, &info, NULL) : -ENOENT;
	if (code == 0 && bytes <= UINT32_MAX) {
		const struct wire_tensor tensor = {
			.type = info.type, .bytes = (uint32_t)bytes, .data = data};
		reply->nan = reply->nan || check_finite_any_nan(&tensor, 1);
		bytes_write(&reply->bytes, data, (size_t)bytes);
	}
	return code;
}

static int reply_take(struct edge_session *session, uint32_t n, struct reply *reply)
{
	int code = 0;
	for (uint32_t i = 0; i < n && code == 0; i++) {
		code = output_take(session, i, reply);
	}
	return reply->bytes.failed ? -ENOMEM : code;
}

/* xorshift32 with a fixed seed. */
static uint32_t next_random(uint32_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	return *random;
}

/* Fills floats with 0 to 1, and bytes with any value. Other types have unknown meaning, and zeros
 * were tried: -EOPNOTSUPP. */
static int noise_fill(void *data, uint64_t bytes, uint8_t type, uint32_t *random)
{
	const uint64_t size = type == DTYPE_FLOAT32 ? sizeof(float) : 1;
	if (type != DTYPE_FLOAT32 && type != DTYPE_INT8 && type != DTYPE_UINT8) {
		return -EOPNOTSUPP;
	}
	for (uint64_t at = 0; at + size <= bytes; at += size) {
		const uint32_t number = next_random(random);
		const float share = (float)(number >> 8) / 16777216.0f;
		memcpy((uint8_t *)data + at, size == 1 ? (const void *)&number : &share, size);
	}
	return 0;
}

static int inputs_fill(const struct edge_model *model, struct edge_session *session, uint32_t n)
{
	uint32_t random = 1;
	int code = 0;
	for (uint32_t i = 0; i < n && code == 0; i++) {
		struct edge_tensor_info info;
		uint64_t bytes = 0;
		void *data = edge_session_input(session, i, &bytes);
		code = edge_model_input(model, 0, i, &info);
		if (code == 0) {
			code = data ? noise_fill(data, bytes, info.type, &random) : -EOPNOTSUPP;
		}
	}
	return code;
}

static int asked(struct edge_model *model, bool noise, const struct run_control *control,
	struct reply *reply)
{
	owned(edge_session_free) struct edge_session *session = NULL;
	struct edge_signature_info info;
	int code = edge_model_signature(model, 0, &info);
	if (code == 0) {
		code = edge_session_new(model, 0, &session, NULL);
	}
	if (code == 0 && noise) {
		code = inputs_fill(model, session, info.n_inputs);
	}
	if (code == 0) {
		code = edge_session_run(session, control, NULL);
	}
	return code < 0 ? code : reply_take(session, info.n_outputs, reply);
}

static bool is_same(const struct bytes_writer *a, const struct bytes_writer *b)
{
	return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

int selftest_repeat(struct edge_model *model, const struct run_control *control, struct error *err)
{
	owned_reply struct reply first = {0};
	owned_reply struct reply second = {0};
	owned_reply struct reply noise = {0};
	if (edge_model_steps(model, 0, is_random, NULL) != 0 ||
		asked(model, false, control, &first) < 0 ||
		asked(model, false, control, &second) < 0) {
		return 0;
	}
	if (!is_same(&first.bytes, &second.bytes)) {
		return error_set(err, -EBADMSG, "it answers otherwise to the same question");
	}
	if (first.nan && asked(model, true, control, &noise) == 0 && noise.nan) {
		return error_set(err, SELFTEST_NAN, "it gives NaN, whatever it is asked");
	}
	return 0;
}
