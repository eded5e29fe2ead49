/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts - what frames to and from the children are made of
 *
 * Readers mark themselves failed where something is not what it can be.
 */
#ifndef DAEMON_MQTT_PARTS_H
#define DAEMON_MQTT_PARTS_H

#include "base/bytes.h"
#include "client/pipeline/tensor.h"

/* Up to 65535 bytes without a zero byte. @size is room with the zero at the end. */
void parts_put_text(struct bytes_writer *w, const char *text);
void parts_get_text(struct bytes_reader *r, char *out, size_t size);

void parts_put_shape(struct bytes_writer *w, const struct shape *shape);
void parts_get_shape(struct bytes_reader *r, struct shape *shape);

/* Without labels. */
void parts_put_spec(struct bytes_writer *w, const struct spec *spec);
void parts_get_spec(struct bytes_reader *r, struct spec *spec);

/* Type, shape, bytes. */
void parts_put_tensor(struct bytes_writer *w, const struct tensor_bytes *tensor);
/* Copied. -EPROTO for what contradicts itself or has more than @max_bytes, -ENOMEM. */
int must_check parts_get_tensor(struct bytes_reader *r, uint64_t max_bytes,
	struct tensor_bytes *ret_tensor, struct error *err);

#endif
