/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline - from raw bytes of a sensor to a decision, as pipelines.d/NAME.conf says
 *
 * What is pushed (a JPEG, a piece of PCM, a line of numbers) is decoded, collected into windows per
 * source, turned into tensors, asked of a model, read as classes, boxes, key points ..., judged by
 * the decision, and perhaps given to further models. A pipeline asks nobody by itself: it gives out
 * questions and takes answers, so it works alike with a daemon, a model in this process, another
 * process, or a test. It does no input or output, and belongs to one thread at a time.
 *
 *   pipeline_open(path, &models, &sink, &p, err)      the file is read and checked
 *   pipeline_push(p, &input, err)                     0 .. n questions wait then
 *   while ((q = pipeline_next(p)))                    ask q->model; several may be under way
 *           pipeline_answer(p, q, outputs, n, err)    results go to sink; more questions may wait
 *
 * or, where waiting is allowed, pipeline_run() in place of the last three lines.
 *
 * Memory is bounded by the file and by what is named below, whatever is pushed.
 */
#ifndef CLIENT_PIPELINE_PIPELINE_H
#define CLIENT_PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "client/pipeline/image.h"
#include "client/pipeline/spec.h"
#include "client/pipeline/tensor.h"

#define PIPELINE_MAX_SOURCES 64 /* whose state is kept; the one not heard of for longest goes */
#define PIPELINE_MAX_QUESTIONS 64 /* that wait or are under way */
#define PIPELINE_MAX_HELD_BYTES                                                                    \
	(256u << 20) /* of their decoded inputs and tensors; one alone may have more */
#define PIPELINE_MAX_INPUT_BYTES (64u << 20) /* of one push */
#define PIPELINE_NAME_SIZE 64
#define PIPELINE_SOURCE_SIZE 128 /* of a source's name, with its end */

struct pipeline;
struct pipeline_question;

/* ---- models */

/* What a model asks for and gives, by whoever knows. */
struct pipeline_model {
	struct spec *inputs, *outputs; /* owned, malloc'ed */
	uint32_t n_inputs, n_outputs;
	char *labels; /* owned; what spec.labels may point into; or NULL */
	char version[64]; /* printable; "" when nobody knows */
};
void pipeline_model_free(struct pipeline_model *model); /* zeroed is fine */

/* The functions may be called from pipeline_open(), pipeline_push(), pipeline_answer() and
 * pipeline_run(). @signature is NULL for the default. */
struct pipeline_models {
	/* Asked once for each model, when it is first needed. -ENOENT when there is none of that
	 * name: the input fails, and the next one asks again. */
	int (*describe)(void *context, const char *model, const char *signature,
		struct pipeline_model *ret_model, struct error *err);
	/* Only for pipeline_run(); else NULL. Fills @outputs, zeroed, as many as the model has, with
	 * what tensor_free() frees; where an output has another shape than its spec, the
	 * tensor says so. -EBUSY: refused for overload. */
	int (*run)(void *context, const char *model, const char *signature,
		const struct tensor_bytes *inputs, uint32_t n_inputs, struct tensor_bytes *outputs,
		uint32_t n_outputs, struct error *err);
	void *context;
	/* Only for pipeline_run(), in place of run where it is not NULL: sees the whole question. Models
	 * with `session = yes` need it. */
	int (*ask)(void *context, const struct pipeline_question *question,
		struct tensor_bytes *outputs, uint32_t n_outputs, struct error *err);
	/* What the model was taught (base/examples.h), malloc'ed, "" for nothing; NULL: nobody knows. Asked
	 * when a stage of `kind = embedding` without a file of examples is described. */
	int (*examples)(void *context, const char *model, char **ret_text, struct error *err);
};

/* ---- results */

enum pipeline_kind {
	PIPELINE_RESULT, /* what a model said of an input; every one, or those the decision lets
			    through (json has "event" then) */
	PIPELINE_SKIPPED, /* a stage was not asked: budget, overload; or a window began anew, as its
			     source has another rate now; json has "skipped" */
	PIPELINE_FAILED, /* an input or an answer was no good; json has "error" */
};

/* Borrowed: valid until the sink returns. */
struct pipeline_result {
	enum pipeline_kind kind;
	const char *pipeline; /* name of the file without .conf */
	const char *stage; /* [stage NAME]; the pipeline's name for the first, unnamed one */
	size_t stage_index; /* its place in the file, from 0 */
	const char *model; /* that answered */
	const char *source; /* as pushed */
	uint32_t origin; /* the same */
	uint64_t time_us; /* as pushed; of a window: when its last sample came in */
	bool event; /* the decision's: something began, ended or changed; false where every result
		       is shown */
	const char *json; /* one object in one line, without its end: docs/pipelines.md */
	const char *flat; /* the same of one level, for dashboards: the best findings, numbers for
			     truths, no "time_us" */
	const char *text; /* the same for a person, one line */
	const struct image
		*picture; /* that the stage saw, decoded; drawn in for a snapshot; or NULL */
	const void *mask_png; /* of `show = mask`; or NULL */
	size_t mask_bytes;
	const void
		*snapshot; /* the picture with what was found drawn in, PNG or JPEG, of `snapshot`;
				 or NULL */
	size_t snapshot_bytes;
	const float *vector; /* of `kind = embedding`, of norm 1; or NULL */
	size_t n_vector;
	uint64_t tag; /* of the input */
	bool quiet; /* the decision would not have told it: only whose tag it has wants it */
};

struct pipeline_sink {
	void (*result)(void *context, const struct pipeline_result *result);
	void *context;
};

/* ---- life */

/*
 * Reads and checks the file. Errors begin with "file:line: " where a line is wrong: -EINVAL for a
 * mistake (unknown section or key, value out of range, twice the same, keys that contradict each
 * other), else what opening gave. No model is asked yet. Both structures are copied, @sink may be
 * NULL.
 */
int must_check pipeline_open(const char *path, const struct pipeline_models *models,
	const struct pipeline_sink *sink, struct pipeline **ret_pipeline, struct error *err);

/* The same for a text in memory; @name is what a path would be. Files that the text names (labels,
 * examples) are looked for as given. */
int must_check pipeline_open_text(const char *name, const char *text, size_t size,
	const struct pipeline_models *models, const struct pipeline_sink *sink,
	struct pipeline **ret_pipeline, struct error *err);
void pipeline_close(struct pipeline *pipeline); /* NULL is fine; not from within a sink */
DEFINE_OWNED(struct pipeline *, pipeline_close)

/* As the result's. */
const char *pipeline_name(const struct pipeline *pipeline);

/* What the file calls it; "" where it says nothing. */
const char *pipeline_description(const struct pipeline *pipeline);

/* Model of stage @index, from 0; NULL behind the last. The same model may come twice. */
const char *pipeline_model_name(const struct pipeline *pipeline, size_t index);

/* Its signature; NULL: the default, or no such stage. */
const char *pipeline_signature_name(const struct pipeline *pipeline, size_t index);

/* What a front end wants to know before anything was pushed: of the first stage where not of all. */
struct pipeline_about {
	bool latest_only;
	bool decides; /* it has a [decision]: results are events */
	bool tells_ends; /* and tells when something ends */
	bool remembers; /* any stage judges, collects, stays awake or has a session, or `every` counts inputs */
	bool numbers, anomaly; /* `kind`; neither: labels */
	const char *names, *unit; /* of numbers; "" */
	uint32_t output; /* of the model, that they are of */
	bool snapshot; /* any stage gives one, */
	bool snapshot_jpeg; /* the first such one as JPEG */
	bool has_threshold; /* pipeline_set_threshold() has something to set */
};
struct pipeline_about pipeline_about(const struct pipeline *pipeline);

/* What results call number @index of @n: as the list @names says, else "value", or "value_1" of several.
 * Returns its length, of which @size - 1 bytes are written. */
size_t pipeline_number_name(const char *names, size_t index, size_t n, char *ret_name, size_t size);

/* Every key with what it is, defaults too, as a file would say it (`edgectl pipeline show`). */
void pipeline_print(const struct pipeline *pipeline, FILE *out);

/* Models may have changed: their descriptions are asked anew. State of sources stays. */
void pipeline_forget_models(struct pipeline *pipeline);

/* ---- work */

struct pipeline_input {
	const void *data; /* borrowed for the call */
	size_t size;
	const char
		*content_type; /* "image/jpeg", "image/png", "image/bmp", "image/x-portable-anymap",
				     "audio/wav", "audio/l16" (PCM, as [source] says), "text/csv",
				     "application/json", "application/octet-stream" (raw frames, PCM or
				     tensor, as [source] says); NULL: by what the bytes begin with.
				     Parameters behind a ';' are ignored */
	const char *
		source; /* who sent it; NULL: "". Sources have windows and decisions of their own */
	uint32_t
		origin; /* by which of several ways: sources of one name and different origins are different */
	uint64_t
		time_us; /* when, by any clock that does not go back; holds and limits use it. 0: now, by
			     the clock of this machine; of a stream of sound by its samples, from when
			     its first came. `gap` counts by it, or by when it was pushed */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; past it no further stage is asked. 0: none */
	uint64_t
		tag; /* not 0: every result of this input is told, and has it. Of whole inputs only, not
			 of pieces of a stream */
};

/*
 * Takes one input. 0 when it was taken, also when it made no question (sampling, window not full).
 * Bytes that are no good are -EBADMSG, -EINVAL, -EOPNOTSUPP or -EFBIG with the reason, -ENOSPC when
 * PIPELINE_MAX_QUESTIONS or too many bytes wait: nothing was taken then, nothing else is disturbed, and the sink is not
 * told.
 */
int must_check pipeline_push(
	struct pipeline *pipeline, const struct pipeline_input *input, struct error *err);

/* Of a stream that ends: what is left in the window of @source (of origin 0) is dropped, its decisions forgotten. */
void pipeline_forget_source(struct pipeline *pipeline, const char *source);

/* The same of all, of any origin: what judged them has gone. */
void pipeline_forget_sources(struct pipeline *pipeline);

/* A model's question. Lives until it is answered or failed. */
struct pipeline_question {
	uint64_t id; /* never twice in one pipeline */
	const char *model, *signature; /* signature NULL: the default */
	const struct tensor_bytes *inputs; /* all of the model's, in its order */
	uint32_t n_inputs;
	uint32_t n_outputs; /* that the answer must have */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC: nobody wants the answer later; 0: none */
	const char *source;
	uint32_t origin;
	unsigned int priority; /* the file's; as enum edge_client_priority */
	uint64_t
		session; /* not 0: the model keeps its state between questions of the same number; they
			     come one at a time, in order. Numbers are never used again once the source
			     was forgotten; who keeps sessions may drop the one not used for longest */
};

/* The next one that nobody has been given, oldest first; NULL when there is none. With `latest-only`
 * an older question of the same source that nobody was given is dropped by a push. */
const struct pipeline_question *pipeline_next(struct pipeline *pipeline);

/* How many wait or are under way. */
size_t pipeline_pending(const struct pipeline *pipeline);

/* Tags of the inputs that questions wait of or are under way, perhaps more than once each; at most
 * PIPELINE_MAX_QUESTIONS. An input whose tag is not there has nothing more to tell. */
size_t pipeline_tags(const struct pipeline *pipeline, uint64_t ret_tags[PIPELINE_MAX_QUESTIONS]);

/*
 * @outputs: all of the model's, in its order, borrowed for the call. Tells the sink, and may make more
 * questions. @question is gone then, also on failure: -EBADMSG when the outputs are not what the file
 * says they mean, and the sink is told PIPELINE_FAILED.
 */
int must_check pipeline_answer(struct pipeline *pipeline, const struct pipeline_question *question,
	const struct tensor_bytes *outputs, uint32_t n_outputs, struct error *err);

/* There is no answer. The sink is told: PIPELINE_SKIPPED for -EBUSY, -EAGAIN and -ETIMEDOUT, else
 * PIPELINE_FAILED. @question is gone. */
void pipeline_fail(struct pipeline *pipeline, const struct pipeline_question *question,
	const struct error *why);

/*
 * push, then asks models->run until no question waits. The first error of pushing or asking is
 * returned; failed questions are told to the sink as well, and the others go on.
 */
int must_check pipeline_run(
	struct pipeline *pipeline, const struct pipeline_input *input, struct error *err);

/* Of a stream of sound that ends: what is left in the window of @source (of origin 0), if anything is, becomes
 * one with silence behind it, and that is asked as pipeline_run() asks. */
int must_check pipeline_run_rest(struct pipeline *pipeline, const char *source, struct error *err);

/* ---- while it works */

/* The `threshold` of the first stage's decision, else of what it finds; NaN where neither has one.
 * Setting it (NaN: to what the model says) is -EINVAL for what the file could not say, -EOPNOTSUPP where there is none; decisions of
 * all sources go on from where they are. */
double pipeline_threshold(const struct pipeline *pipeline);
int must_check pipeline_set_threshold(
	struct pipeline *pipeline, double threshold, struct error *err);

/* From now on what every stage finds is drawn into a copy of the picture that came in last, whatever decisions
 * tell: for who asks by pipeline_run(), one picture after the other. What stages find in a part of it stands
 * where that is. */
void pipeline_want_drawing(struct pipeline *pipeline);
/* That picture as PNG, malloc'ed, NULL where none was looked at since this was called last. -ENOMEM, -EIO. */
int must_check pipeline_drawing(
	struct pipeline *pipeline, void **ret_png, size_t *ret_size, struct error *err);

/* With every result a mask, as `show-mask = yes`. False where no stage has one. */
bool pipeline_want_masks(struct pipeline *pipeline);
/* Every result, as `publish = all` of each stage's decision without `rate-limit`, of every input. */
void pipeline_want_everything(struct pipeline *pipeline);
/* Another `top-k` (0: the file's) and `threshold` of [post] (NaN: the same) for every stage that has them. */
void pipeline_want_found(struct pipeline *pipeline, uint32_t top_k, double threshold);

/* How [source] wants to be fed: PIPELINE_STREAM_SOUND (PCM of *ret_rate and *ret_channels where there is
 * no header) and PIPELINE_STREAM_NUMBERS in pieces of any size, the others one thing at a time. */
enum pipeline_feed {
	PIPELINE_SINGLE,
	PIPELINE_STREAM_SOUND,
	PIPELINE_STREAM_NUMBERS
};
enum pipeline_feed pipeline_feed(
	const struct pipeline *pipeline, uint32_t *ret_rate, uint32_t *ret_channels);

/* The model of the first stage of `kind = embedding`, and the file of its `examples`, "" where it names none;
 * NULL: there is no such stage. */
const char *pipeline_taught(const struct pipeline *pipeline, const char **ret_examples);

struct pipeline_counts {
	uint64_t inputs; /* taken */
	uint64_t refused; /* no good, or no room */
	uint64_t sampled_out; /* by `every` and `latest-only` */
	uint64_t questions, answers;
	uint64_t results, events;
	uint64_t skipped, failed;
};
struct pipeline_counts pipeline_counts(const struct pipeline *pipeline);

/* ---- models of a daemon */

struct edge_client;
struct edge_client_model;

/* The caller's; outlives the pipeline. */
struct pipeline_daemon {
	struct edge_client *client; /* borrowed */
	uint32_t timeout_ms; /* of one question; 0: none */
};

/* Asks over that connection and waits for each answer. */
struct pipeline_models pipeline_models_of_daemon(struct pipeline_daemon *daemon);

/* What a daemon's description says, for callers who ask without waiting. @signature as above. -ENOENT
 * when there is no such signature. */
int must_check pipeline_model_of(const struct edge_client_model *from, const char *signature,
	struct pipeline_model *ret_model, struct error *err);

#endif
