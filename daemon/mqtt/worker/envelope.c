/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/worker/decode.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "client/media/preprocess.h"
#include "client/media/tensor_values.h"
#include "daemon/system/base64.h"

#define NUMBER_SIZE 28 /* a float64 as text, with comma and zero byte */

static void decref(json_t **json)
{
	json_decref(*json);
}
#define owned_json __attribute__((cleanup(decref)))

/* Returns NULL with an -EINVAL error unless @payload is JSON. */
static json_t *parse(const void *payload, size_t size, struct error *err)
{
	json_error_t why;
	json_t *root = json_loadb(payload, size, JSON_REJECT_DUPLICATES, &why);
	if (!root) {
		error_set(err, -EINVAL, "JSON: line %d, column %d: not JSON", why.line, why.column);
	}
	return root;
}

/* Copies member @key as text; a number too. "" if absent. -EINVAL for other types, or if too
 * long. */
static int get_text(
	const json_t *object, const char *key, char *out, size_t size, struct error *err)
{
	const json_t *value = json_object_get(object, key);
	int n = 0;
	out[0] = 0;
	if (json_is_integer(value)) {
		n = snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	} else if (json_is_string(value)) {
		n = snprintf(out, size, "%s", json_string_value(value));
	} else if (value && !json_is_null(value)) {
		n = -1;
	}
	if (n >= 0 && (size_t)n < size) {
		return 0;
	}
	out[0] = 0;
	return error_set(err, -EINVAL, "JSON: \"%s\" is no text of up to %zu bytes", key, size - 1);
}

static int read_members(const json_t *root, struct decode_envelope *e, struct error *err)
{
	char deadline[32];
	/* Before the others, so that an error has its response topic. */
	int r = get_text(root, "reply_to", e->reply_to, sizeof(e->reply_to), err);
	r = r < 0 ? r : get_text(root, "id", e->id, sizeof(e->id), err);
	r = r < 0 ? r : get_text(root, "accept", e->accept, sizeof(e->accept), err);
	r = r < 0 ? r : get_text(root, "priority", e->priority, sizeof(e->priority), err);
	r = r < 0 ? r : get_text(root, "traceparent", e->traceparent, sizeof(e->traceparent), err);
	r = r < 0 ? r : get_text(root, "deadline_ms", deadline, sizeof(deadline), err);
	return r == 0 && !decode_deadline(deadline, &e->deadline_ms)
		? error_set(err, -EINVAL, "JSON: \"deadline_ms\" is no time")
		: r;
}

/* Numbers of a list and its nested lists. */
struct numbers {
	double *values; /* owned */
	size_t n;
};

static int add_number(struct numbers *numbers, double value, struct error *err)
{
	double *number = array_add(&numbers->values, &numbers->n, sizeof(value));
	if (!number) {
		return error_no_memory(err);
	}
	*number = value;
	return 0;
}

/* Adds a number, or the numbers of a list and of its lists up to SHAPE_MAX_RANK. */
static int add(struct numbers *numbers, const json_t *item, unsigned int depth, struct error *err)
{
	if (json_is_number(item)) {
		return add_number(numbers, json_number_value(item), err);
	}
	if (json_is_boolean(item)) {
		return add_number(numbers, json_is_true(item), err);
	}
	if (!json_is_array(item)) {
		return error_set(err, -EINVAL, "JSON: number %zu is none", numbers->n);
	}
	if (depth == SHAPE_MAX_RANK) {
		return error_set(err, -EINVAL, "JSON: lists in lists without end");
	}
	int r = 0;
	for (size_t i = 0; i < json_array_size(item) && r == 0; i++) {
		r = add(numbers, json_array_get(item, i), depth + 1, err);
	}
	return r;
}

static void numbers_free(struct numbers *numbers)
{
	free(numbers->values);
}

/* Makes the model's only input from the numbers, as with CSV. */
static int take_numbers(const struct decode_job *job, const struct numbers *numbers,
	struct decode_result *result, struct error *err)
{
	const struct preprocess_options options = {0};
	if (job->n_specs != 1) {
		return error_set(err, -EINVAL,
			"JSON: the model has %u inputs: name them in \"inputs\"", job->n_specs);
	}
	int r = preprocess_numbers(
		job->specs, &options, numbers->values, numbers->n, &result->tensors[0], err);
	result->n = r == 0;
	return r;
}

/* Returns the member at path "a.b.c". */
static const json_t *find_member(const json_t *root, const char *path, size_t length)
{
	char name[128];
	const json_t *at = root;
	for (size_t from = 0; at && from <= length;) {
		size_t n = 0;
		while (from + n < length && path[from + n] != '.') {
			n++;
		}
		if (n >= sizeof(name)) {
			return NULL;
		}
		memcpy(name, path + from, n);
		name[n] = 0;
		at = json_object_get(at, name);
		from += n + 1;
	}
	return at;
}

/* Adds the numbers of the members in @fields. */
static int add_fields(
	const json_t *root, const char *fields, struct numbers *numbers, struct error *err)
{
	for (const char *at = fields; *(at += strspn(at, " "));) {
		size_t length = strcspn(at, " ");
		int r = add(numbers, find_member(root, at, length), 0, err);
		if (r < 0) {
			return error_set(err, r, "JSON: %.*s is no number", (int)length, at);
		}
		at += length;
	}
	return 0;
}

static int read_fields(const json_t *root, const struct decode_job *job,
	struct decode_result *result, struct error *err)
{
	__attribute__((cleanup(numbers_free))) struct numbers numbers = {0};
	int r = add_fields(root, job->fields, &numbers, err);
	return r < 0 ? r : take_numbers(job, &numbers, result, err);
}

int envelope_fields(const void *payload, size_t size, const char *fields, char **ret_text,
	size_t *ret_size, struct error *err)
{
	__attribute__((cleanup(numbers_free))) struct numbers numbers = {0};
	owned_json json_t *root = parse(payload, size, err);
	if (!root) {
		return -EINVAL;
	}
	int r = add_fields(root, fields, &numbers, err);
	if (r < 0) {
		return r;
	}
	char *text = malloc(numbers.n * NUMBER_SIZE + 1);
	if (!text) {
		return error_no_memory(err);
	}
	*ret_size = 0;
	text[0] = 0;
	for (size_t i = 0; i < numbers.n; i++) {
		*ret_size += (size_t)snprintf(
			text + *ret_size, NUMBER_SIZE, "%s%.17g", i ? "," : "", numbers.values[i]);
	}
	*ret_text = text;
	return 0;
}

static int read_shape(const json_t *list, const struct tensor_spec *spec, struct shape *ret_shape,
	struct error *err)
{
	*ret_shape = spec->shape;
	if (!list) {
		return 0;
	}
	size_t n = json_array_size(list);
	if (!json_is_array(list) || n > SHAPE_MAX_RANK || n != spec->declared.rank) {
		return error_set(
			err, -EINVAL, "JSON: shape of another rank than %u", spec->declared.rank);
	}
	for (size_t i = 0; i < n; i++) {
		json_int_t dim = json_integer_value(json_array_get(list, i));
		bool free = spec->declared.dim[i] == -1;
		if (dim < 0 || dim > SHAPE_MAX_DIM || (!free && dim != spec->declared.dim[i])) {
			return error_set(err, -EINVAL, "JSON: dimension %zu", i);
		}
		ret_shape->dim[i] = (int32_t)dim;
	}
	return 0;
}

/* Numbers of the tensor's own type are stored unchanged; others are quantized. */
static int fill_tensor(const struct tensor_spec *spec, int type, const struct shape *shape,
	const struct numbers *numbers, struct tensor_bytes *ret_tensor, struct error *err)
{
	owned_tensor struct tensor_bytes tensor = {0};
	struct tensor_spec as = *spec;
	as.shape = *shape;
	if (type == (int)spec->type) {
		as.scale = 0;
	}
	if (!tensor_values_are_numbers(spec->type) || tensor_spec_elements(&as) != numbers->n) {
		return error_set(err, -EINVAL, "JSON: %zu numbers for a tensor of %llu", numbers->n,
			(unsigned long long)tensor_spec_elements(&as));
	}
	int r = tensor_new(spec->type, shape, &tensor, err);
	for (size_t i = 0; i < numbers->n && r == 0; i++) {
		if (!tensor_values_put(&as, tensor.data, i, numbers->values[i])) {
			r = error_set(err, -EINVAL, "JSON: number %zu does not fit into %s", i,
				dtype_name(spec->type));
		}
	}
	if (r == 0) {
		*ret_tensor = tensor;
		tensor = (struct tensor_bytes){0};
	}
	return r;
}

static int read_input(const json_t *item, const struct decode_job *job,
	struct decode_result *result, size_t position, struct error *err)
{
	__attribute__((cleanup(numbers_free))) struct numbers numbers = {0};
	char name[SPEC_NAME_SIZE], datatype[16];
	struct shape shape;
	int r = get_text(item, "name", name, sizeof(name), err);
	r = r < 0 ? r : get_text(item, "datatype", datatype, sizeof(datatype), err);
	if (r < 0) {
		return r;
	}
	size_t index = position;
	for (uint32_t i = 0; i < job->n_specs && name[0]; i++) {
		index = strcmp(job->specs[i].name, name) == 0 ? i : index;
	}
	if (result->tensors[index].data) {
		return error_set(err, -EINVAL, "JSON: input %zu comes twice", index);
	}
	const struct tensor_spec *spec = &job->specs[index];
	int type = datatype[0] ? decode_oip_type_named(datatype) : (int)spec->type;
	if (type < 0) {
		return error_set(err, -EINVAL, "JSON: a datatype that is not known");
	}
	const json_t *data = json_object_get(item, "data");
	if (!json_is_array(data)) {
		return error_set(err, -EINVAL, "JSON: input %zu has no list \"data\"", index);
	}
	r = read_shape(json_object_get(item, "shape"), spec, &shape, err);
	r = r < 0 ? r : add(&numbers, data, 0, err);
	return r < 0 ? r : fill_tensor(spec, type, &shape, &numbers, &result->tensors[index], err);
}

static int read_inputs(const json_t *list, const struct decode_job *job,
	struct decode_result *result, struct error *err)
{
	size_t n = json_array_size(list);
	if (n != job->n_specs) {
		return error_set(
			err, -EINVAL, "JSON: %zu inputs, the model has %u", n, job->n_specs);
	}
	for (size_t i = 0; i < n; i++) {
		int r = read_input(json_array_get(list, i), job, result, i, err);
		if (r < 0) {
			return r;
		}
	}
	result->n = job->n_specs;
	return 0;
}

static int read_base64(const json_t *root, const json_t *data, uint8_t **ret_inner,
	size_t *ret_bytes, enum decode_format *ret_format, struct error *err)
{
	char type[64];
	int r = get_text(root, "content_type", type, sizeof(type), err);
	if (r < 0) {
		return r;
	}
	*ret_format = decode_format_of(type);
	if (*ret_format == DECODE_N_FORMATS || *ret_format == DECODE_JSON) {
		return error_set(err, -EOPNOTSUPP, "JSON: \"content_type\" is none for \"data\"");
	}
	return base64_decode(
		json_string_value(data), json_string_length(data), ret_inner, ret_bytes, err);
}

int envelope_open(const void *payload, size_t size, struct decode_envelope *envelope,
	uint8_t **ret_data, size_t *ret_bytes, enum decode_format *ret_format, struct error *err)
{
	owned_json json_t *root = json_loadb(payload, size, JSON_REJECT_DUPLICATES, NULL);
	const json_t *data = json_object_get(root, "data");
	*envelope = (struct decode_envelope){0};
	envelope->there = !json_object_get(root, "values") &&
		(json_object_get(root, "reply_to") || (json_object_get(root, "id") && data));
	int r = envelope->there ? read_members(root, envelope, err) : 0;
	if (r < 0 || !envelope->there) {
		return r;
	}
	if (json_is_string(data)) {
		return read_base64(root, data, ret_data, ret_bytes, ret_format, err);
	}
	if (!json_is_array(data)) {
		return error_set(err, -EINVAL, "JSON: \"data\" is neither base64 nor a list");
	}
	char *text = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(17));
	if (!text) {
		return error_no_memory(err);
	}
	*ret_data = (uint8_t *)text;
	*ret_bytes = strlen(text);
	*ret_format = DECODE_JSON;
	return 0;
}

int envelope_read(const struct decode_job *job, struct decode_result *result, uint8_t **ret_inner,
	size_t *ret_inner_bytes, enum decode_format *ret_format, struct error *err)
{
	__attribute__((cleanup(numbers_free))) struct numbers numbers = {0};
	owned_json json_t *root = parse(job->payload, job->size, err);
	if (!root) {
		return -EINVAL;
	}
	const json_t *data = root;
	if (job->fields[0]) {
		return read_fields(root, job, result, err);
	}
	if (json_is_object(root)) {
		result->envelope.there = true;
		int r = read_members(root, &result->envelope, err);
		if (r < 0) {
			return r;
		}
		const json_t *inputs = json_object_get(root, "inputs");
		result->envelope.oip = json_is_array(inputs);
		if (result->envelope.oip) {
			return read_inputs(inputs, job, result, err);
		}
		data = json_object_get(root, "data");
	}
	if (json_is_string(data)) {
		return read_base64(root, data, ret_inner, ret_inner_bytes, ret_format, err);
	}
	if (!json_is_array(data)) {
		return error_set(err, -EINVAL, "JSON: neither \"data\" nor \"inputs\"");
	}
	int r = add(&numbers, data, 0, err);
	return r < 0 ? r : take_numbers(job, &numbers, result, err);
}
