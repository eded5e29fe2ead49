/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child - this program once more, as a process of its own that takes and gives frames
 *
 * For what reads the bytes of strangers. A frame is the u32 of its length and so many bytes, both ways,
 * over descriptor 0 of the child.
 */
#ifndef DAEMON_MQTT_CHILD_H
#define DAEMON_MQTT_CHILD_H

#include <uv.h>

#include "base/bytes.h"
#include "base/error.h"

#define CHILD_HEAD_BYTES 4

struct child;

struct child_events {
	/* A whole frame, borrowed; NULL and 0: there was no memory for it, and it is gone. It may kill the child. */
	void (*on_frame)(void *data, const uint8_t *body, size_t size);
	/* It ended, or sent what is none. Nothing more comes; it has freed itself. @killed: by SIGKILL, so by somebody else or a
	 * limit of its life, whatever it was at. One that lives and says nothing is for the clock of whom it belongs to. */
	void (*on_end)(void *data, bool killed, const char *why);
};

/* @arguments: argv, NULL at the end; no environment. @max_frame: bytes of a frame from there. */
int must_check child_start(uv_loop_t *loop, char *const *arguments, size_t max_frame,
	const struct child_events *events, void *data, struct child **ret_child, struct error *err);

/* @frame begins with CHILD_HEAD_BYTES of room; it is taken, also on failure. */
int must_check child_send(struct child *child, struct bytes_writer *frame, struct error *err);

/* Kills it; nothing more is told. It frees itself with the loop's turns. */
void child_kill(struct child *child);

int child_pid(const struct child *child);

/* ---- of the process itself */

/* The next frame, to be freed; NULL when the parent is gone, or there is no memory. */
uint8_t *child_read(size_t *ret_size);
/* Its head is filled in. False when the parent is gone. */
bool child_write(struct bytes_writer *frame);

#endif
