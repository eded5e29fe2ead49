/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/request.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "daemon/edged/models/models.h"
#include "daemon/edged/serve/client_session.h"

#define BIT(state) (1u << REQUEST_##state)

/* The states that may follow each state. */
static const unsigned int may_follow[] = {
	[REQUEST_READING] =
		BIT(PARKED) | BIT(SESSION_WAIT) | BIT(QUEUED) | BIT(RUNNING) | BIT(LOADER_WAIT),
	[REQUEST_PARKED] = BIT(READING) | BIT(DONE), /* READING: it is handled again */
	[REQUEST_SESSION_WAIT] = BIT(QUEUED) | BIT(DONE),
	[REQUEST_QUEUED] = BIT(RUNNING) | BIT(DONE),
	/* READING: an inline run that took too long */
	[REQUEST_RUNNING] = BIT(RUNNING_ANSWERED) | BIT(READING) | BIT(DONE),
	[REQUEST_RUNNING_ANSWERED] = BIT(DONE),
	[REQUEST_LOADER_WAIT] = BIT(DONE),
	[REQUEST_DONE] = 0,
};

bool request_may_enter(enum request_state from, enum request_state to)
{
	return may_follow[from] >> to & 1;
}

void request_enter(struct request *request, enum request_state state)
{
	assert(request_may_enter(request_state(request), state));
	atomic_store_explicit(&request->state, state, memory_order_relaxed);
}

enum queue_class request_class(const struct wire_header *header)
{
	static const enum queue_class classes[] = {[WIRE_CLASS_NORMAL] = QUEUE_NORMAL,
		[WIRE_CLASS_BATCH] = QUEUE_BATCH,
		[WIRE_CLASS_REALTIME] = QUEUE_REALTIME,
		[WIRE_CLASS_CONTROL] = QUEUE_CONTROL};
	return classes[wire_class(header)];
}

int request_new(struct account *account, const struct wire_header *header, uint64_t now_ns,
	struct request **ret_request, struct error *err)
{
	/* malloc(), not aligned_alloc(): glibc's aligned_alloc() cuts the block at both ends,
	 * and the hole that a freed request leaves is too small for the next one. */
	const size_t head = sizeof(struct request) + WIRE_ALIGNMENT;
	const size_t size = head + bytes_align_up(header->body_bytes, WIRE_ALIGNMENT);
	int code = account_charge(account, size, err);
	if (code < 0) {
		return code;
	}
	struct request *request = malloc(size);
	if (!request) {
		account_release(account, size);
		return error_no_memory(err);
	}
	memset(request, 0, offsetof(struct request, infer.places));
	static_assert(REQUEST_READING == 0 && offsetof(struct request, item) == 0, "");
	atomic_init(&request->state, REQUEST_READING);
	atomic_init(&request->run.cancelled, false);
	request->client.account = account;
	request->client.charged = size;
	request->type = header->type;
	request->flags = header->flags;
	request->item.class = request_class(header);
	request->item.user = &account->queue;
	request->input_size_ratio = 1;
	request->fd = -1;
	request->id = header->id;
	request->session_id = header->session;
	request->body_bytes = header->body_bytes;
	request->body =
		(uint8_t *)(uintptr_t)bytes_align_up((uintptr_t)(request + 1), WIRE_ALIGNMENT);
	request->received_ns = now_ns;
	request->deadline_ns = header->deadline_us
		? request->received_ns + header->deadline_us * UINT64_C(1000)
		: 0;
	*ret_request = request;
	return 0;
}

static void regions_drop(struct request *request)
{
	while (request->n_regions > 0) {
		region_unref(request->regions[--request->n_regions]);
	}
}

void request_free(struct request *request)
{
	if (!request) {
		return;
	}
	const enum request_state state = request_state(request);
	assert(state == REQUEST_READING || state == REQUEST_DONE);
	own_close_fd(&request->fd);
	regions_drop(request);
	client_session_unref(request->session);
	loaded_model_unref(request->loaded);
	bytes_writer_deinit(&request->reply);
	account_release(request->client.account, request->client.charged);
	free(request);
}

uint64_t request_due_ns(const struct request *request, uint64_t answer_timeout_ms)
{
	const enum request_state state = request_state(request);
	uint64_t due_ns = UINT64_MAX;
	if (state == REQUEST_RUNNING_ANSWERED) {
		return due_ns;
	}
	if (state == REQUEST_SESSION_WAIT || state == REQUEST_QUEUED || state == REQUEST_RUNNING) {
		due_ns = request->received_ns + answer_timeout_ms * NSEC_PER_MSEC;
	}
	return request->deadline_ns && request->deadline_ns < due_ns ? request->deadline_ns
								     : due_ns;
}

enum probation_outcome request_trial_outcome(const struct request *request)
{
	const struct error *error = &request->error;
	if (error->code == 0) {
		return request->run.has_nan ? PROBATION_NAN : PROBATION_FINE;
	}
	if (error->code == -ETIMEDOUT || error->code == -ECANCELED) {
		return PROBATION_CUT;
	}
	return error->code != -ENOMEM &&
			(error->status == EDGE_BACKEND || error->status == EDGE_INTERNAL)
		? PROBATION_FAILURE
		: PROBATION_REFUSED;
}

/* ---- validation against the model's signature */

static int find_signature(struct request *request, struct error *err)
{
	char key[WIRE_MAX_NAME + 1], escaped[100];
	const struct wire_text name = request->infer.signature;
	request->signature = 0;
	if (name.length == 0) {
		return 0;
	}
	memcpy(key, name.data, name.length);
	key[name.length] = 0;
	int index = strlen(key) == name.length
		? edge_model_find_signature(request->loaded->model, key)
		: -1;
	if (index < 0) {
		return error_set(err, -ENOENT, "there is no signature %s",
			error_escape(escaped, sizeof(escaped), name.data, name.length));
	}
	request->signature = (uint32_t)index;
	return 0;
}

static bool is_name(struct text a, struct wire_text b)
{
	return a.length > 0 && a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

static int resolve_name(const struct request *request, struct wire_tensor *tensor,
	uint32_t n_inputs, struct error *err)
{
	char escaped[100];
	for (uint32_t i = 0; i < n_inputs; i++) {
		struct edge_tensor_info info;
		int code = edge_model_input(request->loaded->model, request->signature, i, &info);
		if (code == 0 && is_name(info.name, tensor->name)) {
			tensor->index = (uint16_t)i;
			return 0;
		}
	}
	error_escape(escaped, sizeof(escaped), tensor->name.data, tensor->name.length);
	return error_set(err, -ENOENT, "there is no input %s", escaped);
}

/* A shape that differs from the planned one is accepted: the planner decides whether it can be. */
static int validate_input(
	struct request *request, const struct wire_tensor *tensor, struct error *err)
{
	struct edge_tensor_info info;
	if (edge_model_input(request->loaded->model, request->signature, tensor->index, &info) <
		0) {
		return error_set(err, -ENOENT, "there is no input %u", tensor->index);
	}
	if (tensor->type != info.type) {
		return error_set(err, -EINVAL, "input %u is %s, not %s", tensor->index,
			dtype_name(info.type), dtype_name(tensor->type));
	}
	bool planned = shape_equal(&info.shape, &tensor->shape);
	request->planned = request->planned && planned;
	request->input_size_ratio *=
		planned || info.bytes == 0 ? 1 : (double)tensor->bytes / (double)info.bytes;
	return 0;
}

static int validate_inputs(struct request *request, uint32_t n_inputs, struct error *err)
{
	uint64_t seen = 0;
	struct wire_infer *infer = &request->infer;
	if (infer->n_inputs != n_inputs) {
		return error_set(err, -EINVAL, "the signature has %u inputs, the request %u",
			n_inputs, infer->n_inputs);
	}
	request->planned = true;
	request->input_size_ratio = 1;
	static_assert(WIRE_MAX_TENSORS <= 64, "a bit of seen per input");
	for (uint32_t i = 0; i < n_inputs; i++) {
		struct wire_tensor *tensor = &infer->inputs[i];
		int code = tensor->index == WIRE_BY_NAME
			? resolve_name(request, tensor, n_inputs, err)
			: 0;
		if (code == 0) {
			code = validate_input(request, tensor, err);
		}
		if (code < 0) {
			return code;
		}
		if (seen >> tensor->index & 1) {
			return error_set(err, -EINVAL, "input %u is given twice", tensor->index);
		}
		seen |= UINT64_C(1) << tensor->index;
	}
	return 0;
}

static int want_all(struct wire_infer *infer, uint32_t n_outputs, struct error *err)
{
	if (n_outputs > WIRE_MAX_TENSORS) {
		return error_set(err, -EFBIG, "the signature has %u outputs, a reply at most %d",
			n_outputs, WIRE_MAX_TENSORS);
	}
	infer->n_wanted = n_outputs;
	for (uint32_t i = 0; i < n_outputs; i++) {
		infer->wanted[i] = (uint16_t)i;
	}
	return 0;
}

const struct wire_place *request_output_buffer(const struct wire_infer *infer, unsigned int output)
{
	for (uint32_t i = 0; i < infer->n_places; i++) {
		if (infer->places[i].output == output) {
			return &infer->places[i];
		}
	}
	return NULL;
}

static bool is_wanted(const struct wire_infer *infer, unsigned int output)
{
	for (uint32_t i = 0; i < infer->n_wanted; i++) {
		if (infer->wanted[i] == output) {
			return true;
		}
	}
	return false;
}

static int validate_places(struct wire_infer *infer, struct error *err)
{
	for (uint32_t i = 0; i < infer->n_places; i++) {
		struct wire_place *place = &infer->places[i];
		if (!is_wanted(infer, place->output)) {
			return error_set(err, -EINVAL,
				"there is a place for output %u, which is not wanted",
				place->output);
		}
		if (request_output_buffer(infer, place->output) != place) {
			return error_set(err, -EINVAL, "output %u has two places", place->output);
		}
	}
	return 0;
}

/* A known output size must fit into its place. The size of strings is not known. */
static int validate_room(const struct request *request, const struct edge_tensor_info *info,
	const struct wire_place *place, struct error *err)
{
	bool known = request->planned && !info->run_time_shape && info->type != DTYPE_STRING;
	return known && info->bytes > place->room
		? error_set(err, -EFBIG, "output %u has %llu bytes, its place %llu", place->output,
			  (unsigned long long)info->bytes, (unsigned long long)place->room)
		: 0;
}

/* The size of the reply's body: every tensor's record, name and padded data. Sizes known only
 * after the run count as planned. */
static int validate_outputs(
	struct request *request, uint32_t n_outputs, uint64_t *ret_bytes, struct error *err)
{
	struct wire_infer *infer = &request->infer;
	uint64_t bytes = 64 + LOADED_MODEL_VERSION_SIZE;
	int code = infer->n_wanted == WIRE_ALL_OUTPUTS ? want_all(infer, n_outputs, err) : 0;
	if (code == 0) {
		code = validate_places(infer, err);
	}
	for (uint32_t i = 0; code == 0 && i < infer->n_wanted; i++) {
		struct edge_tensor_info info;
		if (edge_model_output(request->loaded->model, request->signature, infer->wanted[i],
			    &info) < 0) {
			return error_set(err, -ENOENT, "there is no output %u", infer->wanted[i]);
		}
		const struct wire_place *place = request_output_buffer(infer, infer->wanted[i]);
		bytes += 64 + WIRE_MAX_NAME +
			(place ? 0 : bytes_align_up(info.bytes, WIRE_ALIGNMENT));
		code = place ? validate_room(request, &info, place, err) : 0;
	}
	*ret_bytes = bytes;
	return code;
}

static int charge_reply(
	struct request *request, uint64_t bytes, uint64_t max_body, struct error *err)
{
	if (bytes > max_body) {
		return error_set(err, -EFBIG, "the reply needs up to %llu bytes, the limit is %llu",
			(unsigned long long)bytes, (unsigned long long)max_body);
	}
	uint64_t all = request->client.charged + bytes;
	int code = account_recharge(request->client.account, request->client.charged, all, err);
	if (code == 0) {
		request->client.charged = all;
	}
	return code;
}

static int validate_against_model(
	struct request *request, uint64_t max_body, bool charge, struct error *err)
{
	struct edge_signature_info signature;
	uint64_t bytes = 0;
	int code = find_signature(request, err);
	if (code == 0) {
		code = edge_model_signature(request->loaded->model, request->signature, &signature);
	}
	if (code == 0) {
		code = validate_inputs(request, signature.n_inputs, err);
	}
	if (code == 0) {
		code = validate_outputs(request, signature.n_outputs, &bytes, err);
	}
	if (code == 0 && charge) {
		code = charge_reply(request, bytes, max_body, err);
	}
	return code;
}

/* ---- tensors in regions */

static int region_use(struct request *request, const struct regions *regions, uint32_t id,
	struct region **ret_region, struct error *err)
{
	int code = region_find(regions, id, ret_region, err);
	if (code == 0) {
		request->regions[request->n_regions++] = region_ref(*ret_region);
	}
	return code;
}

/* Resolves the tensors that lie in regions. A request may be validated twice and is decoded
 * anew each time. */
static int find_regions(struct request *request, const struct regions *regions, struct error *err)
{
	struct wire_infer *infer = &request->infer;
	struct region *region = NULL;
	void *data = NULL;
	int code = 0;
	regions_drop(request);
	for (uint32_t i = 0; code == 0 && i < infer->n_inputs; i++) {
		struct wire_tensor *tensor = &infer->inputs[i];
		if (tensor->region == 0) {
			continue;
		}
		code = region_use(request, regions, tensor->region, &region, err);
		if (code == 0) {
			code = region_at(region, tensor->offset, tensor->bytes, WIRE_REGION_INPUTS,
				&data, err);
		}
		tensor->data = data;
	}
	for (uint32_t i = 0; code == 0 && i < infer->n_places; i++) {
		struct wire_place *place = &infer->places[i];
		code = region_use(request, regions, place->region, &region, err);
		if (code == 0) {
			code = region_at(region, place->offset, place->room, WIRE_REGION_OUTPUTS,
				&place->data, err);
		}
	}
	return code;
}

/* ---- the whole request */

/* A session keeps its model: a request may name this model and version, but no other. */
static int check_pinned(const struct request *request, struct error *err)
{
	const struct loaded_model *loaded = request->loaded;
	const struct wire_infer *infer = &request->infer;
	if (infer->model.length > 0 && !wire_text_is(infer->model, loaded->name)) {
		return error_set(err, -EINVAL, "session %u is one of the model %s",
			request->session_id, loaded->name);
	}
	if (infer->version.length > 0 && !wire_text_is(infer->version, loaded->version)) {
		return error_set(err, -EINVAL, "session %u keeps version %s", request->session_id,
			loaded->version);
	}
	return 0;
}

static int find_loaded(struct request *request, const struct models *models,
	const struct client_sessions *sessions, struct error *err)
{
	struct client_session *session = NULL;
	if (request->session_id == 0) {
		return models_get(models, request->infer.model, request->infer.version,
			&request->loaded, err);
	}
	int code = client_session_find(sessions, request->session_id, &session, err);
	if (code < 0) {
		return code;
	}
	request->session = client_session_ref(session);
	request->loaded = loaded_model_ref(session->loaded);
	return check_pinned(request, err);
}

/* What the scheduler and the worker rely on and do not check again. */
static void assert_validated(const struct request *request)
{
	const struct wire_infer *infer = &request->infer;
	assert(request->loaded && request->client.charged >= request->body_bytes);
	assert(infer->n_inputs <= WIRE_MAX_TENSORS && infer->n_wanted <= WIRE_MAX_TENSORS);
	assert(request->n_regions <= infer->n_inputs + infer->n_places);
	for (uint32_t i = 0; i < infer->n_inputs; i++) {
		const struct wire_tensor *tensor = &infer->inputs[i];
		assert(tensor->index < infer->n_inputs);
		assert(tensor->data || tensor->bytes == 0);
		assert((uintptr_t)tensor->data % WIRE_ALIGNMENT == 0);
	}
	for (uint32_t i = 0; i < infer->n_places; i++) {
		assert(infer->places[i].data || infer->places[i].room == 0);
	}
}

int request_validate(struct request *request, const struct models *models,
	const struct client_sessions *sessions, const struct regions *regions, uint32_t bytes,
	uint64_t max_body, struct error *err)
{
	int code = bytes < request->body_bytes
		? wire_infer_decode_head(request->body, bytes, request->body_bytes, request->flags,
			  &request->infer, err)
		: wire_infer_decode(request->body, bytes, request->flags, &request->infer, err);
	if (code < 0) {
		return code == -EAGAIN ? 1 : code;
	}
	if (request->infer.key && request->session_id) {
		return error_set(err, -EINVAL, "a session's requests cannot be superseded");
	}
	code = find_regions(request, regions, err);
	if (code < 0) {
		return code;
	}
	bool first = !request->loaded;
	request->max_reply = max_body;
	if (first) {
		code = find_loaded(request, models, sessions, err);
	}
	code = code != 0 ? code : validate_against_model(request, max_body, first, err);
	if (code == 0 && bytes == request->body_bytes) {
		assert_validated(request);
	}
	return code;
}
