/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target - a model that answers: of the daemon, or of a file in this process
 *
 * Both behave alike to the commands. A target belongs to one thread at a time; target_share() gives
 * another thread one of its own.
 */
#ifndef CLIENT_TARGET_H
#define CLIENT_TARGET_H

#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"
#include "client/pipeline/spec.h"
#include "client/pipeline/tensor.h"

struct target_ops;

struct target {
	const struct target_ops *ops;
	char name[SPEC_NAME_SIZE]; /* escaped */
	char version[64]; /* escaped; "" when there is none */
	struct spec *inputs, *outputs; /* what the model asks for; outputs follow the last run */
	uint32_t n_inputs, n_outputs;
	char *labels; /* owned; what spec.labels may point into; or NULL */
};

struct target_options {
	const char *socket; /* NULL: $EDGED_SOCKET, else the default */
	uint32_t timeout_ms; /* of one answer; 0: none */
	const char *signature; /* NULL: the default */
	uint32_t threads; /* that work on one run, of a file only; 0: 1 */
	const char *cpu; /* as backends_cpu_mask() reads it; NULL: all */
	bool keep_state; /* each run finds the state that the one before has left */
	const char *state; /* folder of checkpoints, of a file only; NULL: none */
	unsigned int priority; /* enum edge_client_priority, in the daemon */
	uint64_t latest_key; /* in the daemon; 0: none */
	bool one_version; /* in the daemon: once another one serves a run fails */
};

/* What the commands may want to know of a model in this process; NULL for one of the daemon. */
struct edge_model;
struct edge_session;
struct edge_model *target_model(const struct target *target);
struct edge_session *target_session(const struct target *target);

/* Does an argument that may be either name a file? It does when it holds a slash or ends in
 * .tflite, which no model's name does. */
bool target_names_file(const char *argument);

/* The file is opened once and stays mapped. Errors as edge_model_open_file(), -ENOENT for a
 * signature that is not there. */
int must_check target_open_file(const char *path, const struct target_options *options,
	struct target **ret_target, struct error *err);

/* -ENOTCONN when the daemon cannot be reached; -ENOENT when it has no such model. */
int must_check target_open_model(const char *model, const struct target_options *options,
	struct target **ret_target, struct error *err);

/* Another session of the same model, or another connection to the same daemon. */
int must_check target_share(
	const struct target *target, struct target **ret_target, struct error *err);

void target_free(struct target *target); /* NULL is fine */
DEFINE_OWNED(struct target *, target_free)

/* One answer for target->n_inputs tensors of the types asked for. @ret_ns: what it took, seen from
 * here. err->status says why it was refused. */
int must_check target_run(struct target *target, const struct tensor_bytes *inputs,
	uint64_t *ret_ns, struct error *err);

/* Output @index of the last run, borrowed until the next. */
struct tensor_bytes target_output(const struct target *target, uint32_t index);

/* One of the model's signatures: what it asks for and gives as planned. */
struct target_signature {
	char key[SPEC_NAME_SIZE]; /* escaped; "" for the default */
	struct spec *inputs, *outputs; /* owned; labels are the target's */
	uint32_t n_inputs, n_outputs;
};
/* -ENOENT when there is no signature @index; 0 is the default. */
int must_check target_signature(const struct target *target, uint32_t index,
	struct target_signature *ret_signature, struct error *err);
void target_signature_free(struct target_signature *signature); /* zeroed is fine */
#define owned_signature __attribute__((cleanup(target_signature_free)))

/* For those who implement a target. */
struct target_ops {
	int (*run)(struct target *target, const struct tensor_bytes *inputs, struct error *err);
	struct tensor_bytes (*output)(const struct target *target, uint32_t index);
	int (*signature)(const struct target *target, uint32_t index,
		struct target_signature *ret_signature, struct error *err);
	int (*share)(const struct target *target, struct target **ret_target, struct error *err);
	void (*free)(struct target *target);
	struct edge_model *(*model)(const struct target *target);
	struct edge_session *(*session)(const struct target *target);
};

/* Room for specs, zeroed; what target_deinit() gives back. */
int must_check target_init(struct target *target, const struct target_ops *ops, uint32_t n_inputs,
	uint32_t n_outputs, struct error *err);
void target_deinit(struct target *target);
int must_check target_signature_init(struct target_signature *signature, uint32_t n_inputs,
	uint32_t n_outputs, struct error *err);

#endif
