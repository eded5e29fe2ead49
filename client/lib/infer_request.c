/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lib/infer_request.h"

#include <errno.h>

static int check_tensor(const struct edge_client_tensor *from, uint32_t i, struct wire_tensor *to,
	struct error *err)
{
	uint64_t bytes = 0;
	if (from->shape.rank > EDGE_CLIENT_MAX_RANK || from->bytes > UINT32_MAX ||
		from->type >= DTYPE_COUNT || (!from->name && from->index >= WIRE_BY_NAME) ||
		(from->bytes && !from->data && !from->region)) {
		return error_set(err, -EINVAL, "input %u: rank, type, index or data", i);
	}
	*to = (struct wire_tensor){
		.index = from->name ? WIRE_BY_NAME : (uint16_t)from->index,
		.name = wire_text_of(from->name ? from->name : ""),
		.type = (uint8_t)from->type,
		.shape = {.rank = (uint8_t)from->shape.rank},
		.bytes = (uint32_t)from->bytes,
		.region = from->region,
		.offset = from->region ? from->offset : 0,
		.data = from->region ? NULL : from->data,
	};
	memcpy(to->shape.dim, from->shape.dim, sizeof(to->shape.dim));
	if (from->type != EDGE_CLIENT_STRING &&
		(shape_bytes(&to->shape, from->type, &bytes) < 0 || bytes != from->bytes)) {
		return error_set(
			err, -EINVAL, "input %u: %zu bytes do not fill its shape", i, from->bytes);
	}
	return 0;
}

static int check_places(
	const struct edge_client_request *request, struct wire_infer *infer, struct error *err)
{
	if (request->n_places > WIRE_MAX_TENSORS) {
		return error_set(
			err, -EINVAL, "%u places, limit %d", request->n_places, WIRE_MAX_TENSORS);
	}
	for (uint32_t i = 0; i < request->n_places; i++) {
		const struct edge_client_place *from = &request->places[i];
		if (from->output > UINT16_MAX || from->region == 0) {
			return error_set(err, -EINVAL, "place %u: output or region", i);
		}
		infer->places[i] = (struct wire_place){.output = (uint16_t)from->output,
			.region = from->region,
			.offset = from->offset,
			.room = from->room};
	}
	infer->n_places = request->n_places;
	return 0;
}

/* True if an input or an output place of @request is in a region. */
static bool uses_regions(const struct edge_client_request *request)
{
	bool uses = request->n_places > 0;
	for (uint32_t i = 0; i < request->n_inputs; i++) {
		uses = uses || request->inputs[i].region != 0;
	}
	return uses;
}

int infer_request_build(
	const struct edge_client_request *request, struct wire_infer *infer, struct error *err)
{
	/* Field by field: zeroing all tensors of *infer would take longer than everything else
	 * here. */
	infer->regions = uses_regions(request);
	infer->model = wire_text_of(request->model ? request->model : "");
	infer->version = wire_text_of(request->version ? request->version : "");
	infer->signature = wire_text_of(request->signature ? request->signature : "");
	infer->key = request->latest_key;
	infer->n_inputs = request->n_inputs;
	infer->n_wanted = WIRE_ALL_OUTPUTS;
	infer->n_places = 0;
	if (request->priority > EDGE_CLIENT_CONTROL) {
		return error_set(err, -EINVAL, "there is no priority %u", request->priority);
	}
	if (request->n_inputs > WIRE_MAX_TENSORS) {
		return error_set(
			err, -EINVAL, "%u inputs, limit %d", request->n_inputs, WIRE_MAX_TENSORS);
	}
	for (uint32_t i = 0; i < request->n_inputs; i++) {
		int r = check_tensor(&request->inputs[i], i, &infer->inputs[i], err);
		if (r < 0) {
			return r;
		}
	}
	return check_places(request, infer, err);
}
