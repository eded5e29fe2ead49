/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge - the library: a .tflite file becomes a model, a model runs in sessions
 *
 *   edge_model_open_file() -> model (immutable, shared by reference count)
 *   edge_session_new()     -> session (arena and state, one thread at a time)
 *   edge_session_run()
 *
 * Nothing here logs, and nothing knows a socket or a device. Tensors are dense, row major, little
 * endian.
 */
#ifndef ENGINE_EDGE_H
#define ENGINE_EDGE_H

#include "base/dtype.h"
#include "base/error.h"
#include "engine/backend.h"
#include "engine/edge_info.h"

struct edge_model;
struct edge_session;

/* Budgets of one model; 0 takes the default in brackets. Above one: -EFBIG, with the figure and the
 * limit in the text. */
struct edge_limits {
	uint64_t file_bytes; /* [256 MiB] */
	uint64_t arena_bytes; /* [256 MiB] all memory of one session: activations, scratch, state,
				 inputs, tensors that only a run can size */
	uint64_t macs; /* [50e9] multiply-accumulates or element operations of one run; of one
			  whose loops go on beyond: -ETIMEDOUT */
	uint64_t prepared_bytes; /* [256 MiB] what compiled programs and folded constants hold; and
				    as much again in the file of packed weights */
	uint32_t nodes; /* [100000] over all subgraphs */
	uint32_t plans; /* [4] plans for other input shapes kept beside the first */
	uint64_t loops; /* [10000000] rounds of all loops of one run; beyond: -ETIMEDOUT */
};

/*
 * Where packed weights of a model are kept: a file of @folder that is mapped, so that its pages are
 * clean, and that the next load of the same model maps again. @key names model and kernels (a digest
 * of the file, backends_build(), the CPU features in use), fewer than 128 characters without '/';
 * NULL: the file has no name and serves this load alone. What is found under @key is believed if
 * its checksum is right, so nobody else may write to the folder.
 */
struct edge_packs {
	int folder; /* a descriptor, the caller's, in use until edge_model_keep() */
	const char *key;
};

struct edge_options {
	const struct backend *const *backends; /* NULL-terminated, asked in order;
						  backends/backends.h has the built-in list */
	uint64_t cpu_features; /* EK_CPU_* mask; ~0 for all that the CPU has */
	struct edge_limits limits;
	unsigned int
		threads; /* that may work on one run, with the caller: room for each is planned;
				 0 counts as 1. A run with a larger team does without it */
	const struct edge_packs *packs; /* NULL: packed weights are in the heap */
	uint32_t
		disabled_rewrites; /* rewrites that are left out, and REWRITE_EAGER: edge_rewrites() */
};

/* Parses names of rewrites ("strips,pads", "all", "none", and "eager") into a mask of engine/backend.h;
 * -EINVAL naming the word that is not known. */
int must_check edge_rewrites(const char *text, uint32_t *ret_mask, struct error *err);

/*
 * Opens, verifies and plans. The file is mapped read-only; nobody may write to it while the model
 * lives (the store sees to that).
 * @fd stays the caller's. Errors: -EBADMSG with "where: why" for a file that breaks a rule,
 * -EOPNOTSUPP naming operator, version and place for what is not there, -EFBIG for budgets,
 * -ENOMEM, or what open and mmap gave.
 */
int must_check edge_model_open_file(const char *path, const struct edge_options *options,
	struct edge_model **ret_model, struct error *err);
int must_check edge_model_open_fd(int fd, const struct edge_options *options,
	struct edge_model **ret_model, struct error *err);
/* As above from memory that stays the caller's and unchanged until the model is freed; 16-byte
 * aligned. */
int must_check edge_model_open_bytes(const void *data, size_t size,
	const struct edge_options *options, struct edge_model **ret_model, struct error *err);
/*
 * What opening leaves for when there is time: packed weights that were made are written to their file
 * (edge_options.packs), and pages that a run does not need are given back. Once, while nobody runs the
 * model; without it all works as well. -ENOMEM: the model cannot be run any more.
 */
int must_check edge_model_keep(struct edge_model *model, struct error *err);
struct edge_model *edge_model_ref(struct edge_model *model);
void edge_model_unref(struct edge_model *model); /* NULL is fine */
DEFINE_OWNED(struct edge_model *, edge_model_unref)

struct edge_signature_info {
	struct text key; /* empty for the default: subgraph 0 by position */
	uint32_t n_inputs, n_outputs;
};

struct edge_model_info {
	struct text name, description, version; /* of the metadata, else empty */
	uint32_t n_signatures; /* index 0 is the default, by position; then the file's own */
	uint64_t file_bytes, arena_bytes, prepared_bytes, macs;
	uint64_t pack_bytes; /* of the file of packed weights; 0: there is none */
	uint64_t session_bytes; /* arenas, state twice, inputs and tables of all subgraphs: what one
				   session takes that enters every signature */
	uint64_t parameters; /* elements of all constants of the file */
	uint32_t n_nodes, n_subgraphs;
	bool has_float; /* some node does float arithmetic */
	bool uses_checkpoints; /* some node saves or restores: see edge_session_set_checkpoints() */
	bool has_state; /* variable tensors or resources: runs depend on earlier ones of the session
			 */
};

const struct edge_model_info *edge_model_info(const struct edge_model *model);
/* -ENOENT when @index is out of range. */
int must_check edge_model_signature(
	const struct edge_model *model, uint32_t index, struct edge_signature_info *ret_info);
/* Index of the signature with that key, or -1. */
int edge_model_find_signature(const struct edge_model *model, const char *key);
int must_check edge_model_input(const struct edge_model *model, uint32_t signature, uint32_t index,
	struct edge_tensor_info *ret_info);
int must_check edge_model_output(const struct edge_model *model, uint32_t signature, uint32_t index,
	struct edge_tensor_info *ret_info);

/* One row per node of the subgraph that a signature enters, for `edgectl show`, and of the default one
 * for --per-op. */
struct edge_node_info {
	const char *op; /* "CONV_2D" */
	const char *detail; /* backend and kernel variant, "" when unknown */
	struct shape output;
	uint8_t type;
	uint64_t macs;
};
uint32_t edge_model_node_count(const struct edge_model *model);
int must_check edge_model_node(const struct edge_model *model, uint32_t signature, uint32_t index,
	struct edge_node_info *ret_info);

/* Tells every node of the plan of @signature to @each, in the order in which they run; the nodes of a
 * called subgraph follow the first one that calls it. Ends early with what @each returns if that is not
 * 0. -ENOENT for a signature that is not there. */
int must_check edge_model_steps(const struct edge_model *model, uint32_t signature,
	edge_step_function *each, void *context);

/* A session holds a reference to its model. @signature: index as above. */
int must_check edge_session_new(struct edge_model *model, uint32_t signature,
	struct edge_session **ret_session, struct error *err);
void edge_session_free(struct edge_session *session); /* NULL is fine */
DEFINE_OWNED(struct edge_session *, edge_session_free)

/*
 * Another signature from now on: its inputs and outputs are those of a new session; variables,
 * tables and state stay, as all signatures of a model share them. -ENOENT for one that is not there,
 * or -ENOMEM: then nothing has changed. An error of the plan comes with the run, as after a resize.
 */
int must_check edge_session_enter(
	struct edge_session *session, uint32_t signature, struct error *err);

/* Gives input @index another shape (same rank rules as the operators that read it). The plan for
 * the new shapes is made, or found among those kept, at the next run or edge_session_output_info();
 * an error there leaves the session usable with other shapes. Another shape than before also takes
 * the entered subgraph's variables, and its operators' state, back to their start. */
int must_check edge_session_resize(
	struct edge_session *session, uint32_t index, const struct shape *shape, struct error *err);

/* What input or output @index has now: info->shape and info->bytes follow resizes, and runs for
 * run-time shapes. */
int must_check edge_session_input_info(struct edge_session *session, uint32_t index,
	struct edge_tensor_info *ret_info, struct error *err);
int must_check edge_session_output_info(struct edge_session *session, uint32_t index,
	struct edge_tensor_info *ret_info, struct error *err);

/*
 * Tensors of strings are LiteRT's tables (base/strings.h): checked and copied when they are bound,
 * of any size that the budget allows.
 *
 * Input bytes in place: @data is read during runs and must stay valid and 16-byte aligned until the
 * next bind or the session's end; @bytes must be exactly the tensor's. Somebody else may write to
 * @data during a run: that can change the numbers that come out, and nothing else, as what a kernel
 * must not see change is copied first (engine/plan/read_in_place.h). A session without a bound
 * input uses its own buffer, which starts as zeros: edge_session_input() gives it.
 */
int must_check edge_session_bind_input(struct edge_session *session, uint32_t index,
	const void *data, uint64_t bytes, struct error *err);
void *edge_session_input(struct edge_session *session, uint32_t index, uint64_t *ret_bytes);

/* True when the disk did not give a part of the model's file, or of its packed weights, to this process
 * (base/mapped.h): every run fails from then on, and so does opening while it goes on. */
bool edge_model_broken(const struct edge_model *model);

/* Runs once. @control may be NULL. -EIO when the model is broken. On error the state of variables is as if the run had not been
 * finished; the session stays usable. */
int must_check edge_session_run(
	struct edge_session *session, const struct run_control *control, struct error *err);

/* The output's bytes, valid until the next run, resize or free. NULL when @index is out of range or
 * nothing was run. */
const void *edge_session_output(struct edge_session *session, uint32_t index, uint64_t *ret_bytes);

/* Memory that the session has now beside its inputs: as planned, and what only runs could size. */
uint64_t edge_session_bytes(const struct edge_session *session);

/* Variables and resources back to their start. */
void edge_session_reset(struct edge_session *session);

/*
 * Overwrites what a run may have left in the session with @value: arenas, scratch, outputs, the
 * session's own inputs, and free memory of its heap. The inputs are not bound any more, and outputs
 * are gone. Variables and resources stay: edge_session_reset() takes those back. With both, and
 * @value 0, a session goes from one user to another with nothing of the first one in it.
 */
void edge_session_fill(struct edge_session *session, uint8_t value);

/*
 * The folder of the files that a model's save and restore signatures name (FlexSave, FlexRestore),
 * for this session: an open directory, the caller's, which outlives the session; -1, as at first,
 * refuses them. @max_bytes: of all files in it together. Nothing outside of it is read or written.
 */
void edge_session_set_checkpoints(struct edge_session *session, int folder, uint64_t max_bytes);

/* Switches per-node timing on; nanoseconds of the last run, one per node of the entered subgraph, 0 for what
 * it has not come to. NULL before; entering another signature takes it back, until it is switched on again. */
int must_check edge_session_profile(struct edge_session *session, bool on);
const uint64_t *edge_session_node_ns(const struct edge_session *session);

#endif
