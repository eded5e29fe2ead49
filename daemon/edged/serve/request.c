/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/request.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "daemon/client_session.h"
#include "daemon/store.h"

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
	/* Not aligned_alloc(): glibc's takes more and cuts both ends off, and what is left of one request
	 * when it is freed has no room for the next. */
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
	atomic_init(&request->cancelled, false);
	request->account = account;
	request->charged = size;
	request->type = header->type;
	request->flags = header->flags;
	request->class = request_class(header);
	request->user = &account->queue;
	request->scale = 1;
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
	own_close_fd(&request->fd);
	regions_drop(request);
	client_session_unref(request->session);
	served_unref(request->served);
	bytes_writer_deinit(&request->reply);
	account_release(request->account, request->charged);
	free(request);
}

uint64_t request_due_ns(const struct request *request, uint64_t longest_ms)
{
	const uint64_t due_ns =
		request->line ? request->received_ns + longest_ms * UINT64_C(1000000) : UINT64_MAX;
	return request->deadline_ns && request->deadline_ns < due_ns ? request->deadline_ns
								     : due_ns;
}

enum probation_fault request_fault(const struct request *request)
{
	const struct error *error = &request->error;
	if (error->code == 0) {
		return request->nan ? PROBATION_NAN : PROBATION_FINE;
	}
	if (error->code == -ETIMEDOUT || error->code == -ECANCELED) {
		return PROBATION_CUT;
	}
	return error->code != -ENOMEM &&
			(error->status == EDGE_BACKEND || error->status == EDGE_INTERNAL)
		? PROBATION_FAILURE
		: PROBATION_REFUSED;
}

/* ---- against the model */

static int find_signature(struct request *request, struct error *err)
{
	char key[WIRE_MAX_NAME + 1], shown[100];
	const struct wire_text name = request->infer.signature;
	request->signature = 0;
	if (name.length == 0) {
		return 0;
	}
	memcpy(key, name.data, name.length);
	key[name.length] = 0;
	int index = strlen(key) == name.length
		? edge_model_find_signature(request->served->model, key)
		: -1;
	if (index < 0) {
		return error_set(err, -ENOENT, "there is no signature %s",
			error_escape(shown, sizeof(shown), name.data, name.length));
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
	char shown[100];
	for (uint32_t i = 0; i < n_inputs; i++) {
		struct edge_tensor_info info;
		int code = edge_model_input(request->served->model, request->signature, i, &info);
		if (code == 0 && is_name(info.name, tensor->name)) {
			tensor->index = (uint16_t)i;
			return 0;
		}
	}
	error_escape(shown, sizeof(shown), tensor->name.data, tensor->name.length);
	return error_set(err, -ENOENT, "there is no input %s", shown);
}

/* Whether another shape than the planned one will do is for the planner to say. */
static int judge_input(struct request *request, const struct wire_tensor *tensor, struct error *err)
{
	struct edge_tensor_info info;
	if (edge_model_input(request->served->model, request->signature, tensor->index, &info) <
		0) {
		return error_set(err, -ENOENT, "there is no input %u", tensor->index);
	}
	if (tensor->type != info.type) {
		return error_set(err, -EINVAL, "input %u is %s, not %s", tensor->index,
			dtype_name(info.type), dtype_name(tensor->type));
	}
	bool planned = shape_equal(&info.shape, &tensor->shape);
	request->planned = request->planned && planned;
	request->scale *=
		planned || info.bytes == 0 ? 1 : (double)tensor->bytes / (double)info.bytes;
	return 0;
}

static int judge_inputs(struct request *request, uint32_t n_inputs, struct error *err)
{
	uint64_t seen = 0;
	struct wire_infer *infer = &request->infer;
	if (infer->n_inputs != n_inputs) {
		return error_set(err, -EINVAL, "the signature has %u inputs, the request %u",
			n_inputs, infer->n_inputs);
	}
	request->planned = true;
	request->scale = 1;
	static_assert(WIRE_MAX_TENSORS <= 64, "a bit of seen per input");
	for (uint32_t i = 0; i < n_inputs; i++) {
		struct wire_tensor *tensor = &infer->inputs[i];
		int code = tensor->index == WIRE_BY_NAME
			? resolve_name(request, tensor, n_inputs, err)
			: 0;
		if (code == 0) {
			code = judge_input(request, tensor, err);
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

static struct wire_place *find_place(struct wire_infer *infer, unsigned int output)
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

static int judge_places(struct wire_infer *infer, struct error *err)
{
	for (uint32_t i = 0; i < infer->n_places; i++) {
		struct wire_place *place = &infer->places[i];
		if (!is_wanted(infer, place->output)) {
			return error_set(err, -EINVAL,
				"there is a place for output %u, which is not wanted",
				place->output);
		}
		if (find_place(infer, place->output) != place) {
			return error_set(err, -EINVAL, "output %u has two places", place->output);
		}
	}
	return 0;
}

/* What is known of an output's size must fit where it is to be written. Strings have any. */
static int judge_room(const struct request *request, const struct edge_tensor_info *info,
	const struct wire_place *place, struct error *err)
{
	bool known = request->planned && !info->run_time_shape && info->type != DTYPE_STRING;
	return known && info->bytes > place->room
		? error_set(err, -EFBIG, "output %u has %llu bytes, its place %llu", place->output,
			  (unsigned long long)info->bytes, (unsigned long long)place->room)
		: 0;
}

/* What the reply needs as planned: every tensor's record, name and padded data. Sizes that only the
 * run knows count as what is known of them. */
static int judge_outputs(
	struct request *request, uint32_t n_outputs, uint64_t *ret_bytes, struct error *err)
{
	struct wire_infer *infer = &request->infer;
	uint64_t bytes = 64 + SERVED_VERSION_SIZE;
	int code = infer->n_wanted == WIRE_ALL_OUTPUTS ? want_all(infer, n_outputs, err) : 0;
	if (code == 0) {
		code = judge_places(infer, err);
	}
	for (uint32_t i = 0; code == 0 && i < infer->n_wanted; i++) {
		struct edge_tensor_info info;
		if (edge_model_output(request->served->model, request->signature, infer->wanted[i],
			    &info) < 0) {
			return error_set(err, -ENOENT, "there is no output %u", infer->wanted[i]);
		}
		const struct wire_place *place = find_place(infer, infer->wanted[i]);
		bytes += 64 + WIRE_MAX_NAME +
			(place ? 0 : bytes_align_up(info.bytes, WIRE_ALIGNMENT));
		code = place ? judge_room(request, &info, place, err) : 0;
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
	uint64_t all = request->charged + bytes;
	int code = account_recharge(request->account, request->charged, all, err);
	if (code == 0) {
		request->charged = all;
	}
	return code;
}

static int judge_against_model(
	struct request *request, uint64_t max_body, bool charge, struct error *err)
{
	struct edge_signature_info signature;
	uint64_t bytes = 0;
	int code = find_signature(request, err);
	if (code == 0) {
		code = edge_model_signature(request->served->model, request->signature, &signature);
	}
	if (code == 0) {
		code = judge_inputs(request, signature.n_inputs, err);
	}
	if (code == 0) {
		code = judge_outputs(request, signature.n_outputs, &bytes, err);
	}
	if (code == 0 && charge) {
		code = charge_reply(request, bytes, max_body, err);
	}
	return code;
}

/* ---- in shared memory */

static int region_use(struct request *request, const struct regions *regions, uint32_t id,
	struct region **ret_region, struct error *err)
{
	int code = region_find(regions, id, ret_region, err);
	if (code == 0) {
		request->regions[request->n_regions++] = region_ref(*ret_region);
	}
	return code;
}

/* Where the tensors are that the body names in regions. The request is judged twice, and decoded
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

/* ---- all of it */

/* A session has its model: a request may name it, but no other. */
static int check_pinned(const struct request *request, struct error *err)
{
	const struct served *served = request->served;
	const struct wire_infer *infer = &request->infer;
	if (infer->model.length > 0 && !wire_text_is(infer->model, served->name)) {
		return error_set(err, -EINVAL, "session %u is one of the model %s",
			request->session_id, served->name);
	}
	if (infer->version.length > 0 && !wire_text_is(infer->version, served->version)) {
		return error_set(err, -EINVAL, "session %u keeps version %s", request->session_id,
			served->version);
	}
	return 0;
}

static int find_served(struct request *request, const struct store *store,
	const struct client_sessions *sessions, struct error *err)
{
	struct client_session *session = NULL;
	if (request->session_id == 0) {
		return store_get(
			store, request->infer.model, request->infer.version, &request->served, err);
	}
	int code = client_session_find(sessions, request->session_id, &session, err);
	if (code < 0) {
		return code;
	}
	request->session = client_session_ref(session);
	request->served = served_ref(session->served);
	return check_pinned(request, err);
}

int request_judge(struct request *request, const struct store *store,
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
	bool first = !request->served;
	request->max_reply = max_body;
	if (first) {
		code = find_served(request, store, sessions, err);
	}
	return code != 0 ? code : judge_against_model(request, max_body, first, err);
}
