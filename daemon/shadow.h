/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shadow - an answer of a version on trial, asked for once more of the version before it
 *
 * The loop copies question and answer (of NaN the question alone), the loader's thread runs the version before when it has nothing
 * else to do, and the loop counts what came of it. Nobody waits for any of that.
 */
#ifndef DAEMON_SHADOW_H
#define DAEMON_SHADOW_H

#include "daemon/request.h"

#define SHADOW_MOST_BYTES ((size_t)1 << 20) /* of question and answer, each */
#define SHADOW_MOST_NAN_BYTES ((size_t)8 << 20) /* of a question that was answered NaN */
#define SHADOW_MOST 4 /* that wait */

struct shadow {
	struct shadow *next;
	struct served *version, *before; /* a reference each */
	uint32_t signature;
	uint32_t n_inputs;
	struct wire_tensor *inputs; /* their data are in @question */
	uint8_t *question, *answer; /* WIRE_ALIGNMENT */
	size_t answer_bytes;

	/* Of an answer with NaN: @answer is NULL. */
	bool of_nan, planned;
	uint32_t n_wanted;
	uint16_t wanted[WIRE_MAX_TENSORS];

	/* Once it has run: */
	bool compared; /* false: the version before cannot be asked so */
	bool differs; /* or, of an answer with NaN: the version gives that again, the one before does not */
};

/* Of a run that ended well and whose reply was not sent yet. NULL where there is nothing to compare: in
 * sessions, with state, shared memory, other shapes than planned, too many bytes; or without memory. */
struct shadow *shadow_new(const struct request *request, struct served *before);
/*
 * Of a run of finite inputs that ended well with NaN: both versions are asked about a copy of the inputs, in sessions
 * that begin anew. Who asked may change what is in shared memory, or has brought a session where both would give NaN.
 * NULL where models save files, for too many bytes, or without memory.
 */
struct shadow *shadow_new_of_nan(const struct request *request, struct served *before);
void shadow_free(struct shadow *shadow); /* NULL is fine */

/* Any thread. The answers agree when in each output of several numbers the largest is at the same place,
 * and each output of one number is the same within a tenth; what is no number must be the same bytes. */
void shadow_run(struct shadow *shadow);

/* Whether two outputs of @bytes differ, as above; @scale and @zero: of a quantised number, scale 0: of none. */
struct shadow_number {
	float scale;
	int32_t zero;
};
bool shadow_differ(unsigned int type, uint64_t bytes, const void *a,
	const struct shadow_number *of_a, const void *b, const struct shadow_number *of_b);

#endif
