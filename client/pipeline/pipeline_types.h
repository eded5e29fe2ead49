/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline_types - what goes into a pipeline of pipeline.h and what comes out: models, inputs, questions, results */
#ifndef CLIENT_PIPELINE_PIPELINE_TYPES_H
#define CLIENT_PIPELINE_PIPELINE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "client/media/image.h"
#include "client/media/tensor.h"
#include "client/media/tensor_spec.h"

/* sources with state; a new source replaces the least recently used one */
#define PIPELINE_MAX_SOURCES 64
#define PIPELINE_MAX_QUESTIONS 64 /* requests that are queued or running */
/* bytes of decoded inputs and tensors of all requests; a single request may exceed it */
#define PIPELINE_MAX_HELD_BYTES (256u << 20)
#define PIPELINE_MAX_INPUT_BYTES (64u << 20) /* bytes of one input */
#define PIPELINE_NAME_SIZE 64
#define PIPELINE_SOURCE_SIZE 128 /* bytes of a source's name with its zero byte */

struct pipeline;
struct pipeline_question;

/* ---- models */

/* Inputs, outputs and labels of a model. */
struct pipeline_model {
	struct tensor_spec *inputs, *outputs; /* owned, allocated with malloc */
	uint32_t n_inputs, n_outputs;
	char *labels; /* owned; spec.labels may point into it; or NULL */
	char version[64]; /* printable; "" if unknown */
};
void pipeline_model_free(struct pipeline_model *model); /* @model may be zeroed */

/* How the pipeline gets at models. The functions may be called from pipeline_open(),
 * pipeline_push(), pipeline_answer() and pipeline_run(). @signature NULL: the default signature. */
struct pipeline_models {
	/* Describes a model. Called when the model is first needed. -ENOENT: no such model; the
	 * input fails, and the next input calls describe again. */
	int (*describe)(void *context, const char *model, const char *signature,
		struct pipeline_model *ret_model, struct error *err);
	/* Runs a model; only for pipeline_run(), else NULL. @outputs are zeroed, one for each
	 * output of the model; run fills them for tensor_free(). A tensor carries its shape if
	 * it differs from the spec. -EBUSY: overloaded. */
	int (*run)(void *context, const struct pipeline_question *question,
		struct tensor_bytes *outputs, uint32_t n_outputs, struct error *err);
	void *context;
	/* Returns the few-shot examples (base/few_shot.h) of a model, "" for none; the pipeline
	 * frees *ret_text. Called for a stage of `kind = embedding` without a file of examples.
	 * NULL: not available. */
	int (*examples)(void *context, const char *model, char **ret_text, struct error *err);
};

/* ---- results */

enum pipeline_kind {
	/* outputs of an input: of every input, or only of those the decision emits (json then
	 * has "event") */
	PIPELINE_RESULT,
	/* a stage did not run: budget, overload, or the source's rate changed and its window
	 * started again; json has "skipped" */
	PIPELINE_SKIPPED,
	PIPELINE_FAILED, /* an input or the outputs were invalid; json has "error" */
};

/* All pointers are borrowed and valid until the sink returns. */
struct pipeline_result {
	enum pipeline_kind kind;
	const char *pipeline; /* name of the file without .conf */
	const char *stage; /* [stage NAME]; for the first, unnamed stage the pipeline's name */
	size_t stage_index; /* position of the stage in the file, from 0 */
	const char *model; /* the model that ran */
	const char *source; /* as pushed */
	uint32_t origin; /* as pushed */
	uint64_t time_us; /* as pushed; of a window: the time of its last sample */
	/* the decision emitted a begin, an end or a change of numbers */
	bool event;
	const char *json; /* one object in one line, without line end: docs/pipelines.md */
	/* json without nesting, for dashboards: the best findings, numbers for booleans, no
	 * "time_us" */
	const char *flat_json;
	const char *text; /* one line for people */
	const struct image
		*picture; /* decoded input of the stage, with the drawing for a snapshot; or NULL */
	const void *mask_png; /* PNG, with `show-mask = yes`; or NULL */
	size_t mask_bytes;
	/* PNG or JPEG of the picture with the findings drawn in, with `snapshot`; or NULL */
	const void *snapshot;
	size_t snapshot_bytes;
	const float *vector; /* embedding of norm 1, for `kind = embedding`; or NULL */
	size_t n_vector;
	uint64_t tag; /* tag of the input */
	/* the decision would not have emitted it; emitted only because the input has a tag */
	bool only_for_requester;
};

struct pipeline_sink {
	void (*result)(void *context, const struct pipeline_result *result);
	void *context;
};

/* ---- inputs and questions */

struct pipeline_input {
	const void *data; /* borrowed during the call */
	size_t size;
	/* "image/jpeg", "image/png", "image/bmp", "image/x-portable-anymap", "audio/wav",
	 * "audio/l16" (PCM as in [source]), "text/csv", "application/json",
	 * "application/octet-stream" (raw frames, PCM or tensor as in [source]); NULL: detected
	 * from the first bytes. Parameters after ';' are ignored */
	const char *content_type;
	/* name of the sender; NULL: "". Each source has its own windows and decisions */
	const char *source;
	/* number of the transport; sources with equal names and different origins are distinct */
	uint32_t origin;
	/* time of the input in us, on any clock that does not go back; hold-off and limits use
	 * it. 0: now, on this machine's clock; for a sound stream counted in samples from the
	 * arrival of the first. `gap` uses it too, or the time of the push */
	uint64_t time_us;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; later no further stage runs. 0: none */
	/* not 0: every result of this input is emitted and carries the tag. Only for whole
	 * inputs, not for pieces of a stream */
	uint64_t tag;
};

/* A request to run a model. Valid until pipeline_answer() or pipeline_fail(). */
struct pipeline_question {
	uint64_t id; /* unique in one pipeline */
	const char *model, *signature; /* signature NULL: the default signature */
	const struct tensor_bytes *inputs; /* all inputs of the model, in its order */
	uint32_t n_inputs;
	uint32_t n_outputs; /* number of outputs that pipeline_answer() expects */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC: outputs are useless later; 0: none */
	const char *source;
	uint32_t origin;
	unsigned int priority; /* from the file; enum edge_client_priority */
	/* not 0: the model keeps its state between requests with the same number. They come one
	 * at a time, in order. Numbers are not reused after the source was forgotten; a caller
	 * may drop the least recently used session */
	uint64_t session;
};

/* ---- counts */

struct pipeline_counts {
	uint64_t inputs; /* inputs taken */
	uint64_t refused; /* invalid inputs, and inputs refused with -ENOSPC */
	uint64_t sampled_out; /* inputs dropped by `every` and `latest-only` */
	uint64_t questions, answers;
	uint64_t results, events;
	uint64_t skipped, failed;
};

/* Writes the name of number @index of @n: from the list @names, else "value", or "value_1" if @n
 * > 1. Returns the full length; at most @size - 1 bytes are written. */
size_t result_json_number_name(
	const char *names, size_t index, size_t n, char *ret_name, size_t size);

#endif
