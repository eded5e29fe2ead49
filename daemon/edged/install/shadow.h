/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shadow - repeats a request to a version on trial with the version before it, and compares
 *
 * The loop copies inputs and outputs (inputs only if an output has NaN). The loader's thread runs
 * the version before when it is idle. The loop counts the result for the trial. No client waits for
 * a comparison.
 */
#ifndef DAEMON_EDGED_INSTALL_SHADOW_H
#define DAEMON_EDGED_INSTALL_SHADOW_H

#include "base/wire/wire.h"
#include "daemon/edged/model/loaded_model.h"

#define SHADOW_MAX_BYTES ((size_t)1 << 20) /* limit for the inputs, and for the outputs */
/* limit for the inputs of a run with NaN in its outputs */
#define SHADOW_MAX_NAN_BYTES ((size_t)8 << 20)
#define SHADOW_MAX 4 /* comparisons in the loader's queue */

/* A run of a version on trial, borrowed. */
struct shadow_source {
	struct loaded_model *version;
	uint32_t signature;
	const struct wire_infer *infer; /* its inputs are in @question, or in shared memory */
	const uint8_t *question, *answer; /* bodies of request and reply */
	size_t question_bytes, answer_bytes;
	bool planned; /* for the shapes that the model was planned for at load */
	bool in_session, in_regions; /* with a client's session; with inputs in shared memory */
};

struct shadow {
	struct shadow *next;
	struct loaded_model *version, *before; /* one reference each */
	uint32_t signature;
	uint32_t n_inputs;
	struct wire_tensor *inputs; /* their data lie in @question */
	/* copies of the inputs and outputs, aligned to WIRE_ALIGNMENT */
	uint8_t *question, *answer;
	size_t answer_bytes;

	/* NaN in an output: @answer is NULL, and both versions run. */
	bool of_nan, planned;
	uint32_t n_wanted;
	uint16_t wanted[WIRE_MAX_TENSORS];

	/* Set by shadow_run(): */
	bool compared; /* false: the version before could not run the request */
	/* the outputs differ; with @of_nan: only the version on trial gives NaN again */
	bool differs;
};

/* Copies a successful request before its reply is sent. Returns NULL for requests in sessions,
 * models with state, shared memory, resized inputs, too many bytes, or without memory. */
struct shadow *shadow_new(const struct shadow_source *source, struct loaded_model *before);
/* Copies a successful request with finite inputs and NaN in an output. Both versions run it later
 * in fresh sessions, because a client can change shared memory or bring a session that produces
 * NaN. Returns NULL for models that save files, too many bytes, or without memory. */
struct shadow *shadow_new_of_nan(const struct shadow_source *source, struct loaded_model *before);
void shadow_free(struct shadow *shadow); /* NULL is fine */

/* Runs the comparison. Outputs agree if the largest element of each output with several numbers is
 * at the same index, and each output of one number is equal within a tenth. Outputs that are no
 * numbers must have equal bytes. Any thread. */
void shadow_run(struct shadow *shadow);

/* Quantisation of an output. @scale 0: not quantised. */
struct shadow_number {
	float scale;
	int32_t zero;
};
bool shadow_differ(unsigned int type, uint64_t bytes, const void *a,
	const struct shadow_number *of_a, const void *b, const struct shadow_number *of_b);

#endif
