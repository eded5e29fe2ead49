/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child_frames - fields of the frames between parent and child
 *
 * Readers set r->failed if a field is invalid.
 */
#ifndef DAEMON_MQTT_WORKER_CHILD_FRAMES_H
#define DAEMON_MQTT_WORKER_CHILD_FRAMES_H

#include "base/bytes.h"
#include "client/media/tensor.h"

/* At most 65535 bytes without a zero byte. @size is the size of @out, with the zero byte. */
void child_frames_put_text(struct bytes_writer *w, const char *text);
void child_frames_get_text(struct bytes_reader *r, char *out, size_t size);

void child_frames_put_shape(struct bytes_writer *w, const struct shape *shape);
void child_frames_get_shape(struct bytes_reader *r, struct shape *shape);

/* Without labels. */
void child_frames_put_spec(struct bytes_writer *w, const struct tensor_spec *spec);
void child_frames_get_spec(struct bytes_reader *r, struct tensor_spec *spec);

/* Writes type, shape and bytes. */
void child_frames_put_tensor(struct bytes_writer *w, const struct tensor_bytes *tensor);
/* Reads a copy. -EPROTO if invalid or above @max_bytes, -ENOMEM. */
int must_check child_frames_get_tensor(struct bytes_reader *r, uint64_t max_bytes,
	struct tensor_bytes *ret_tensor, struct error *err);

#endif
