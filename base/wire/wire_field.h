/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_field - fields shared by several messages; for base/wire/ only
 *
 * Readers and writers fail as in base/bytes.h; a field out of range fails the reader too.
 */
#ifndef BASE_WIRE_WIRE_FIELD_H
#define BASE_WIRE_WIRE_FIELD_H

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/error.h"
#include "base/wire/wire_text.h"

/* Text: u16 length, bytes. */
void wire_field_text_encode(struct bytes_writer *w, struct wire_text text);
struct wire_text wire_field_text_decode(struct bytes_reader *r);

/* Text for a lookup: fails above WIRE_MAX_NAME bytes. */
struct wire_text wire_field_name_decode(struct bytes_reader *r);

/* Long text, such as labels: u32 length, bytes. */
void wire_field_lines_encode(struct bytes_writer *w, struct wire_text text);
struct wire_text wire_field_lines_decode(struct bytes_reader *r);

/* Shape: u8 rank, i32 for each dimension. @smallest: lowest valid dimension; -1 permits unknown
 * ones. */
void wire_field_shape_encode(struct bytes_writer *w, const struct shape *shape);
struct shape wire_field_shape_decode(struct bytes_reader *r, int32_t smallest);

/* Return -EPROTO with a text: always, or only if the reader failed. */
int wire_field_malformed(unsigned int type, struct error *err);
int must_check wire_field_check(const struct bytes_reader *r, unsigned int type, struct error *err);

#endif
