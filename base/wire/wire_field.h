/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_field - the fields that several messages are made of; for base/wire*.c only
 *
 * Readers and writers fail as base/bytes.h says; a field out of its range fails the reader too.
 */
#ifndef BASE_WIRE_FIELD_H
#define BASE_WIRE_FIELD_H

#include "base/wire.h"

/* u16 length, bytes. */
void wire_field_text_encode(struct bytes_writer *w, struct wire_text text);
struct wire_text wire_field_text_decode(struct bytes_reader *r);

/* A text that a client sends to be looked up: fails above WIRE_MAX_NAME bytes. */
struct wire_text wire_field_name_decode(struct bytes_reader *r);

/* u32 length, bytes: labels, which may be long. */
void wire_field_lines_encode(struct bytes_writer *w, struct wire_text text);
struct wire_text wire_field_lines_decode(struct bytes_reader *r);

/* u8 rank, i32 per dimension. @smallest: 0 where every dimension is known, -1 where some may be
 * free. */
void wire_field_shape_encode(struct bytes_writer *w, const struct shape *shape);
struct shape wire_field_shape_decode(struct bytes_reader *r, int32_t smallest);

/* -EPROTO with the text for a reader that failed; the second only if it did. */
int wire_field_malformed(unsigned int type, struct error *err);
int must_check wire_field_check(const struct bytes_reader *r, unsigned int type, struct error *err);

#endif
