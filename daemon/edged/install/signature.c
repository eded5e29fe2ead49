/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/signature.h"

#include <errno.h>

static void add_number(struct digest_stream *stream, uint32_t number)
{
	digest_stream_add(stream, &number, sizeof(number));
}

static void add_text(struct digest_stream *stream, struct text text)
{
	add_number(stream, text.length);
	digest_stream_add(stream, text.data ? text.data : "", text.length);
}

static void add_tensor(struct digest_stream *stream, const struct edge_tensor_info *info)
{
	add_text(stream, info->name);
	add_number(stream, info->type);
	add_number(stream, info->declared.rank);
	for (uint32_t i = 0; i < info->declared.rank; i++) {
		add_number(stream, (uint32_t)info->declared.dim[i]);
	}
}

static int add_signature(
	struct digest_stream *stream, const struct edge_model *model, uint32_t index)
{
	struct edge_signature_info signature;
	struct edge_tensor_info info;
	int code = edge_model_signature(model, index, &signature);
	if (code < 0) {
		return code;
	}
	add_text(stream, signature.key);
	add_number(stream, signature.n_inputs);
	add_number(stream, signature.n_outputs);
	for (uint32_t i = 0; i < signature.n_inputs + signature.n_outputs && code == 0; i++) {
		code = i < signature.n_inputs
			? edge_model_input(model, index, i, &info)
			: edge_model_output(model, index, i - signature.n_inputs, &info);
		if (code == 0) {
			add_tensor(stream, &info);
		}
	}
	return code;
}

int signature_of(const struct edge_model *model, struct digest *ret_signature)
{
	owned(digest_stream_free) struct digest_stream *stream = NULL;
	int code = digest_stream_new(&stream);
	uint32_t n = code < 0 ? 0 : edge_model_info(model)->n_signatures;
	for (uint32_t i = 0; i < n && code == 0; i++) {
		code = add_signature(stream, model, i);
	}
	if (code == 0) {
		*ret_signature = digest_stream_end(stream);
	}
	return code;
}
