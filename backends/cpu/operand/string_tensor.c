/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/string_tensor.h"

#include "backends/cpu/tiles.h"

int string_tensor_open(const struct op_call *call, uint32_t i, uint64_t elements,
	struct strings *ret, struct error *err)
{
	const struct value *in = op_in(call, i);
	int r = run_control_open_strings(call->control, ret, in, elements, err);
	if (r < 0) {
		error_prefix(err, "input %u", i);
	}
	return r == -EBADMSG ? -EINVAL : r;
}

static int measure(const struct strings *from, const uint32_t *index, uint32_t count,
	uint64_t *ret_bytes, struct error *err)
{
	uint64_t bytes = strings_head_bytes(count);
	for (uint32_t k = 0; k < count; k++) {
		bytes += strings_span(from, index[k], index[k] + 1);
	}
	*ret_bytes = bytes;
	return bytes <= STRINGS_MAX_BYTES
		? 0
		: error_set(err, -EFBIG, "%u strings of %llu bytes together", count,
			  (unsigned long long)bytes);
}

int string_tensor_give(const struct op_call *call, uint32_t i, const struct shape *shape,
	const struct strings *from, const uint32_t *index, uint32_t count, struct error *err)
{
	uint64_t bytes = 0;
	int r = measure(from, index, count, &bytes, err);
	r = r < 0 ? r : op_give_output(call, i, shape, bytes, err);
	if (r < 0) {
		return r;
	}
	struct strings_writer w = strings_writer_within(op_out(call, i)->data, count, bytes);
	struct tiles t = {.total = count, .control = call->control};
	uint64_t moved = 0; /* bytes since the last look */
	while (tiles_next(&t)) {
		for (uint64_t k = t.at; k < t.at + t.count; k++) {
			uint32_t length = 0;
			const void *text = strings_get(from, index[k], &length);
			strings_put(&w, text, length);
			moved += length;
			if (moved > TILE_BYTES) {
				moved = 0;
				t.result = run_control_check(call->control);
			}
			if (t.result < 0) {
				return tiles_end(&t, err);
			}
		}
	}
	r = tiles_end(&t, err);
	return r < 0 ? r : string_tensor_check(&w, err);
}

int string_tensor_check(const struct strings_writer *w, struct error *err)
{
	return strings_whole(w)
		? 0
		: error_set(err, -EINVAL, "an operand changed while the operator read it");
}

int string_tensor_copy(const struct op_call *call, uint32_t i, const struct shape *shape,
	uint32_t from, struct error *err)
{
	const struct value *in = op_in(call, from);
	struct strings s;
	int r = string_tensor_open(call, from, op_elements(shape), &s, err);
	r = r < 0 ? r : op_give_output(call, i, shape, in->bytes, err);
	if (r == 0) {
		r = tiles_copy(op_out(call, i)->data, in->data, in->bytes, call->control);
		r = tiles_result(r, err);
	}
	return r;
}
