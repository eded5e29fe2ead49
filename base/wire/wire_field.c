/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wire/wire_field.h"

#include <errno.h>

void wire_field_text_encode(struct bytes_writer *w, struct wire_text text)
{
	if (text.length > UINT16_MAX) {
		w->failed = w->too_long = true;
		return;
	}
	bytes_write_u16(w, (uint16_t)text.length);
	bytes_write(w, text.data, text.length);
}

static struct wire_text text_of(struct bytes_reader *r, uint32_t length)
{
	const char *data = bytes_read(r, length);
	return data ? (struct wire_text){.data = data, .length = length}
		    : (struct wire_text){.data = ""};
}

struct wire_text wire_field_text_decode(struct bytes_reader *r)
{
	return text_of(r, bytes_read_u16(r));
}

void wire_field_lines_encode(struct bytes_writer *w, struct wire_text text)
{
	bytes_write_u32(w, text.length);
	bytes_write(w, text.data, text.length);
}

struct wire_text wire_field_lines_decode(struct bytes_reader *r)
{
	return text_of(r, bytes_read_u32(r));
}

struct wire_text wire_field_name_decode(struct bytes_reader *r)
{
	struct wire_text name = wire_field_text_decode(r);
	if (name.length > WIRE_MAX_NAME) {
		r->failed = true;
		return (struct wire_text){.data = ""};
	}
	return name;
}

int wire_field_malformed(unsigned int type, struct error *err)
{
	return error_set(err, -EPROTO,
		"%s: the body ends before its last field, or a field is out of range",
		wire_type_name(type));
}

int wire_field_check(const struct bytes_reader *r, unsigned int type, struct error *err)
{
	return r->failed ? wire_field_malformed(type, err) : 0;
}

void wire_field_shape_encode(struct bytes_writer *w, const struct shape *shape)
{
	bytes_write_u8(w, shape->rank);
	for (unsigned int i = 0; i < shape->rank; i++) {
		bytes_write_u32(w, (uint32_t)shape->dim[i]);
	}
}

struct shape wire_field_shape_decode(struct bytes_reader *r, int32_t smallest)
{
	struct shape shape = {.rank = bytes_read_u8(r)};
	if (shape.rank > SHAPE_MAX_RANK) {
		r->failed = true;
		shape.rank = 0;
	}
	for (unsigned int i = 0; i < shape.rank; i++) {
		shape.dim[i] = (int32_t)bytes_read_u32(r);
		if (shape.dim[i] < smallest || shape.dim[i] > SHAPE_MAX_DIM) {
			r->failed = true;
		}
	}
	return shape;
}
