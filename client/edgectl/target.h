/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target - a model to run: by the daemon, or from a file in this process
 *
 * infer, run and bench work on a model in edged or in this process; a target is either of them, and
 * both have one interface. One thread at a time uses a target; target_open_again() makes a target
 * for another thread.
 */
#ifndef CLIENT_EDGECTL_TARGET_H
#define CLIENT_EDGECTL_TARGET_H

#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"
#include "client/media/tensor.h"
#include "client/media/tensor_spec.h"

struct target_ops;
struct edge_model;
struct edge_session;

struct target {
	const struct target_ops *ops;
	struct edge_model *model; /* of a file: a reference; NULL for a model of the daemon */
	struct edge_session *session; /* of a file: owned; NULL for a model of the daemon */
	char name[SPEC_NAME_SIZE]; /* escaped */
	char version[64]; /* escaped; "" if there is none */
	struct tensor_spec *inputs,
		*outputs; /* of the model; outputs have the shapes of the last run */
	uint32_t n_inputs, n_outputs;
	char *labels; /* owned, or NULL; labels of outputs may point into it */
};

struct target_options {
	const char *socket; /* NULL: $EDGED_SOCKET, else the default */
	uint32_t timeout_ms; /* of one inference, in ms; 0: none */
	const char *signature; /* NULL: the default signature */
	uint32_t threads; /* threads of one run, only for files; 0: 1 */
	const char *cpu; /* as backends_cpu_mask() reads it; NULL: all features */
	bool keep_state; /* each run starts with the state that the last run left */
	const char *state; /* folder of checkpoints, only for files; NULL: none */
	unsigned int priority; /* enum edge_client_priority; only for the daemon */
	/* only for the daemon: a newer request with the same key replaces a queued one; 0: off */
	uint64_t latest_key;
	/* only for the daemon: a run fails if edged has switched to another version since the target was
	 * opened */
	bool one_version;
};

/* True if @argument is a file rather than a model's name: it has a slash or ends in .tflite,
 * which no model's name does. */
bool target_names_file(const char *argument);

/* Opens the file once; it stays mapped. Errors like edge_model_open_file(). -ENOENT: no such
 * signature. */
int must_check target_open_file(const char *path, const struct target_options *options,
	struct target **ret_target, struct error *err);

/* -ENOTCONN: the daemon cannot be reached. -ENOENT: it has no such model. */
int must_check target_open_model(const char *model, const struct target_options *options,
	struct target **ret_target, struct error *err);

/* Opens another session of the model, or another connection to the daemon. */
int must_check target_open_again(
	const struct target *target, struct target **ret_target, struct error *err);

void target_free(struct target *target); /* @target may be NULL */
DEFINE_OWNED(struct target *, target_free)

/* Runs the model once. @inputs: target->n_inputs tensors of the model's types. *ret_ns: wall time
 * of the run, with the round trip to the daemon. err->status: why the daemon refused the run. */
int must_check target_run(struct target *target, const struct tensor_bytes *inputs,
	uint64_t *ret_ns, struct error *err);

/* Returns output @index of the last run, borrowed until the next run. */
struct tensor_bytes target_output(const struct target *target, uint32_t index);

/* Inputs and outputs of one signature, with the planned shapes. */
struct target_signature {
	char key[SPEC_NAME_SIZE]; /* escaped; "": the default */
	struct tensor_spec *inputs,
		*outputs; /* owned, except the labels, which belong to the target */
	uint32_t n_inputs, n_outputs;
};
/* Returns signature @index; 0 is the default. -ENOENT: no such signature. */
int must_check target_signature(const struct target *target, uint32_t index,
	struct target_signature *ret_signature, struct error *err);
void target_signature_free(struct target_signature *signature); /* @signature may be zeroed */
#define owned_signature __attribute__((cleanup(target_signature_free)))

/* Implemented by each kind of target. */
struct target_ops {
	int (*run)(struct target *target, const struct tensor_bytes *inputs, struct error *err);
	struct tensor_bytes (*output)(const struct target *target, uint32_t index);
	int (*signature)(const struct target *target, uint32_t index,
		struct target_signature *ret_signature, struct error *err);
	int (*open_again)(
		const struct target *target, struct target **ret_target, struct error *err);
	void (*free)(struct target *target);
};

/* Moves the specs of @signature to @target; target_deinit() frees them. */
void target_set_signature(struct target *target, const struct target_signature *signature);
void target_deinit(struct target *target);
int must_check target_signature_init(struct target_signature *signature, uint32_t n_inputs,
	uint32_t n_outputs, struct error *err);

#endif
