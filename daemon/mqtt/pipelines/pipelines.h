/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipelines - runs pipelines in a sandboxed child process
 *
 * Decoding, features, reading outputs, decisions and drawing run in the worker process (worker.h).
 * The parent reads and checks the pipeline files, sends one input at a time, runs the child's model
 * requests in edged and publishes its results. When the worker process is replaced, the state of
 * all sources is lost. The input in work is sent to the next process once more, unless it took too
 * long.
 *
 *   pipelines_dispatch.c  which request goes next
 *   pipelines.c           commands to the worker        pipelines_files.c     files and models
 *   pipelines_request.c   the child's model requests    pipelines_publish.c   results and states
 *   pipelines_respond.c   the request in work           worker_frames.h       the frames
 *                         and responses                 worker_main.c         the child
 */
#ifndef DAEMON_MQTT_PIPELINES_PIPELINES_H
#define DAEMON_MQTT_PIPELINES_PIPELINES_H

#include <uv.h>

#include "client/lib/edge_client.h"
#include "client/media/byte_source.h"
#include "client/pipeline/pipeline.h"
#include "daemon/mqtt/request/edged_client.h"
#include "daemon/mqtt/request/request_serve.h"
#include "daemon/mqtt/worker/worker.h"

#define PIPELINES_MAX_SESSIONS 16 /* edged sessions of models with state */

struct broker_connection;

/* A source of inputs at one broker. */
struct pipelines_source {
	char name[PIPELINES_SOURCE_SIZE];
	uint32_t connection_id; /* number of the broker's connection */
	struct broker_connection *conn; /* NULL: the connection was removed */
	bool has_published; /* a retained message may be published for it */
	/* owned; last payload of "last" if the outbox had no room; NULL: none */
	char *unpublished;
	bool known; /* an earlier run announced it to Home Assistant */
	uint64_t last_used;
	uint64_t skipped_reported_ns; /* CLOCK_MONOTONIC of the last report of a skipped stage */
	uint64_t
		no_snapshot_reported_ns; /* CLOCK_MONOTONIC of the last report of a too large snapshot */
};

/* One pipeline. */
struct mqtt_pipeline {
	char name[PIPELINE_NAME_SIZE];
	char *path; /* owned */
	struct source file; /* owned; the file's text */
	struct pipeline *parsed; /* owned; parsed file; receives no inputs */
	struct pipeline_about properties;
	char refused[240]; /* why the file is rejected; "" */
	char wait_reason[240]; /* why it cannot run now; "" */
	bool off;
	/* its WORKER_COMMAND_OPEN has failed with -ENOMEM; the child was restarted */
	bool memory_was_short;
	unsigned int ends; /* processes in a row that have ended in its WORKER_COMMAND_OPEN */
	double own_threshold; /* set in the file; NaN: the model's own, or none */
	double threshold; /* set over MQTT; NaN: not set */
	bool send_threshold; /* to be sent to the child */
	/* largest number and bytes of responses to one input so far; 0: none yet */
	size_t max_responses, max_response_bytes;
	struct pipelines_source sources[PIPELINE_MAX_SOURCES];
	size_t n_sources;
	uint64_t state_hash, threshold_hash, enable_hash; /* payload hashes; 0: none */
};

/* A model of a pipeline, with what the worker is told about it. */
struct pipelines_model {
	char name[PIPELINES_MODEL_SIZE], signature[PIPELINES_MODEL_SIZE];
	struct bytes_writer frame; /* WORKER_COMMAND_MODEL frame; size 0: it is not described */
	struct bytes_writer examples; /* WORKER_COMMAND_EXAMPLES frame; size 0: none */
	bool is_served; /* by edged */
	uint64_t elements[PIPELINES_MAX_TENSORS]; /* elements of each output */
	bool send_frame, send_examples; /* to be sent to the worker */
	bool send_removal; /* tell the worker once that edged does not serve the model */
};
void pipelines_model_deinit(struct pipelines_model *model);

struct pipelines_request;

struct pipelines_session {
	uint32_t pipeline;
	uint64_t number; /* number in the pipeline; 0: free slot */
	uint32_t edged_id; /* session id in edged; 0: being opened */
	uint64_t last_used;
};

enum pipelines_job_state {
	JOB_SENT,
	JOB_OPENED, /* the child has sent its JSON envelope, for the first time */
	JOB_DENIED, /* the envelope's reply_to was refused */
	JOB_NO_MEMORY, /* the parent had no memory for the tensors */
};

/* The request in work: a pipeline's input, or a payload that is decoded for a model. */
struct pipelines_job {
	struct mqtt_request *request; /* NULL: none */
	enum pipelines_job_state state;
	uint32_t types[DECODE_MAX_INPUTS]; /* of the tensors that are to come */
	uint32_t n_types;
};

struct pipelines_counts {
	uint64_t inputs, refused, sampled, results, events, skipped, failed, model_requests;
};

struct pipelines {
	/* Borrowed; set before pipelines_load(). */
	uv_loop_t *loop;
	const char *state; /* path of the state folder; "": none */
	struct mqtt_requests *mqtt_requests;
	struct edged_client *edged;
	/* A setting, or which pipelines work, has changed. */
	void (*on_change)(void *data);
	void (*on_new_source)(void *data); /* a source has its first result */
	void *data;

	struct mqtt_pipeline *items[PIPELINES_MAX]; /* owned */
	size_t n;
	struct pipelines_model *models; /* owned */
	size_t n_models;
	struct worker worker;
	uint64_t epoch; /* number of ended children */
	size_t opened; /* pipelines that the child has opened */
	/* some child has finished WORKER_COMMAND_BEGIN */
	bool has_worked;
	bool result_sent; /* a result of the command in work was published */
	struct pipelines_job job;
	uint64_t last_tag;
	struct pipelines_request *requests;
	size_t n_requests;
	struct pipelines_session sessions[PIPELINES_MAX_SESSIONS];
	uint64_t uses;
	bool stopped;
	struct pipelines_counts counts;
};

/* Reads the pipeline files of the configuration. *ret_bad is the number of rejected files; each was
 * logged. A rejected file's earlier version stays in use. */
int must_check pipelines_load(struct pipelines *pipelines, size_t *ret_bad, struct error *err);
void pipelines_start(struct pipelines *pipelines);
/* Reads the files again like pipelines_load() and restarts all pipelines. */
int must_check pipelines_reload(struct pipelines *pipelines, size_t *ret_bad, struct error *err);
void pipelines_stop(struct pipelines *pipelines); /* handles close in the loop's next turns */
void pipelines_deinit(struct pipelines *pipelines);

/* Returns NULL if there is no pipeline of that name. */
struct mqtt_pipeline *pipelines_find(const struct pipelines *pipelines, const char *name);
void mqtt_pipeline_free(struct mqtt_pipeline *pipeline); /* NULL is fine */

/* Records the source of a new input. If the pipeline is latest-only, an older waiting input of the
 * source is dropped. */
void pipelines_accept(struct pipelines *pipelines, struct mqtt_request *request);
/* Call before @conn is freed. */
void pipelines_forget_connection(struct pipelines *pipelines, const struct broker_connection *conn);
/* Sends the child its next command. Returns false if there is none, or the child is busy. */
bool pipelines_send_next(struct pipelines *pipelines);
/* Like pipelines_send_next(), but for inputs, which wait for requests before them. */
bool pipelines_send_next_input(struct pipelines *pipelines);
/* Returns true if the worker can take a request. Starts its process if none runs. */
bool pipelines_can_decode(struct pipelines *pipelines);
/* Sends @request to be decoded for @model. Takes @request: it is ready in the end, or answered. */
void pipelines_decode(
	struct pipelines *pipelines, struct mqtt_request *request, const struct model_entry *model);

/* ---- pipelines_dispatch.c */

/* Adds @request, for a model or a pipeline, to the request queue or refuses it. Takes @request. */
void pipelines_dispatch_accept(struct pipelines *pipelines, struct mqtt_request *request);
/* Drops expired requests, then starts every request that can start now. */
void pipelines_dispatch(struct pipelines *pipelines);
/* Returns the first input that may go to the worker and has its outbox reserve; NULL: none, or the limit
 * of model requests or running inputs is reached. */
struct mqtt_request *pipelines_dispatch_next_input(const struct pipelines *pipelines);

/* ---- pipelines_request.c */

/* Queues a model request of the child. Takes *wanted. @failed is 0, or -ENOMEM if its tensors
 * could not be read, which becomes its answer. Returns false if the request is invalid. */
bool pipelines_request_model(
	struct pipelines *pipelines, struct worker_model_request *wanted, int failed);
/* Starts waiting model requests in edged. */
void pipelines_start_waiting(struct pipelines *pipelines);
/* Takes the command with an answer for the child; returns false if there is none. */
bool pipelines_next_model_response(struct pipelines *pipelines, struct bytes_writer *ret_frame);
/* Call when the child has finished its command. */
void pipelines_command_ended(struct pipelines *pipelines);
/* Drops all model requests and closes the sessions of a child that has ended. */
void pipelines_forget_requests(struct pipelines *pipelines);
/* Call when the connection to edged has ended. */
void pipelines_forget_sessions(struct pipelines *pipelines);
/* Stores a model's description for the child. */
void pipelines_describe(struct pipelines *pipelines, const struct edge_client_model *model);
/* Stores a model's few-shot examples for the child. */
void pipelines_set_examples(struct pipelines *pipelines, const char *model, const char *text);
/* Handles models that edged no longer serves. */
void pipelines_check_models(struct pipelines *pipelines);
/* Call when edged is away: resets the state of all sources in the child. */
void pipelines_reset_sources(struct pipelines *pipelines);
/* Sets wait_reason of pipelines whose models are missing or unsuitable. Such a pipeline's active
 * states are reset. */
void pipelines_check_needs(struct pipelines *pipelines);
/* Returns true if all models of @pipeline have been described. */
bool pipelines_are_models_described(
	const struct pipelines *pipelines, const struct mqtt_pipeline *pipeline);
/* Returns the elements of the first stage's output; 0: not known. */
size_t pipelines_count_numbers(
	const struct pipelines *pipelines, const struct mqtt_pipeline *pipeline);

/* Returns true if any gateway of the pool may process the inputs: @pipeline works and keeps no state
 * between inputs. */
bool pipelines_is_poolable(const struct pipelines *pipelines, const struct mqtt_pipeline *pipeline);

/* ---- pipelines_respond.c: the request in work */

/* Sends @request with the command in @frame to the worker. Takes both. */
void pipelines_job_start(
	struct pipelines *pipelines, struct mqtt_request *request, struct bytes_writer *frame);
/* Handle frames about the request. Return false if the frame is invalid. */
bool pipelines_job_take_envelope(struct pipelines *pipelines, struct bytes_reader *r);
bool pipelines_job_take_tensors(struct pipelines *pipelines, struct bytes_reader *r);
/* Ends the request: it is ready, waits for its second pass or for its results, or answered.
 * @failed: the child's error, code 0: none. */
void pipelines_job_end(
	struct pipelines *pipelines, enum worker_frame command, const struct error *failed);
/* The process has ended in the middle of it: the next one gets it once more if @may_again. */
void pipelines_job_retry(struct pipelines *pipelines, const char *why, bool may_again);

/* ---- inputs with a response topic */

/* Returns true if inputs of @pipeline get responses. Pieces of streams do not, except errors. */
bool pipelines_has_responses(const struct mqtt_pipeline *pipeline);
/* Implements expect() of struct mqtt_requests. */
void pipelines_expect_responses(
	void *data, const struct mqtt_request *input, size_t *ret_n, size_t *ret_bytes);
/* Returns the number that the child's results for @request carry, or 0 if it gets no response. */
uint64_t pipelines_tag(struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	struct mqtt_request *request);
/* Stores a result for the response to its input. Publishes the result before it. */
void pipelines_add_response(struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	const struct worker_result *result);
/* Completes the responses to all running inputs that are not in @done. */
void pipelines_complete_running(struct pipelines *pipelines, const struct worker_done *done);
/* Answers all running inputs with an error. */
void pipelines_refuse_running(struct pipelines *pipelines, const char *why);

/* ---- pipelines_publish.c */

/* Writes the result as JSON: members of the gateway, then the child's. @request: the input it answers;
 * NULL: for the result topic. */
void pipelines_write_result(struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	const struct worker_result *result, const struct mqtt_request *request,
	struct bytes_writer *w);

/* Publishes a result, and a response if it has a tag. Returns false if the result is invalid. */
bool pipelines_publish(struct pipelines *pipelines, const struct worker_result *result);
/* Publishes state and settings: changes to all brokers (@conn NULL), or everything to @conn. */
void pipelines_announce(struct pipelines *pipelines, struct broker_connection *conn);
/* Publishes the "last" payloads again that found no room in the outbox. */
void pipelines_retry_last(struct pipelines *pipelines);
/* pipelines_forget() empties all retained topics of a removed pipeline, pipelines_forget_source() those of
 * a source. */
void pipelines_forget(struct pipelines *pipelines, struct mqtt_pipeline *pipeline);
void pipelines_forget_source(struct pipelines *pipelines, struct mqtt_pipeline *pipeline,
	const struct pipelines_source *source);
/* Publishes {"active":0} on "last" of all sources, because the child or a model is gone. */
void pipelines_publish_all_inactive(struct pipelines *pipelines);
void pipelines_publish_inactive(struct pipelines *pipelines, struct mqtt_pipeline *pipeline);
/* Adds a source that an earlier run announced to Home Assistant at @conn. */
void pipelines_add_known_source(struct pipelines *pipelines, struct broker_connection *conn,
	const char *pipeline, const char *source);
/* Returns the source of that name at that connection; NULL: none. */
struct pipelines_source *pipelines_source_find(
	struct mqtt_pipeline *pipeline, uint32_t connection_id, const char *name);
/* Returns true if a result of @source was published at @conn. */
bool pipelines_was_published(const struct pipelines *pipelines,
	const struct broker_connection *conn, const char *pipeline, const char *source);
void pipelines_topic(const struct pipelines *pipelines, const char *pipeline, const char *leaf,
	const char *level, char *out);

/* Sets the threshold; "": the file's. -EINVAL for other text that is no threshold of the pipeline.
 * *ret_changed: it differs from before. */
int must_check pipelines_set_threshold(struct pipelines *pipelines, struct mqtt_pipeline *pipeline,
	const char *value, bool *ret_changed, struct error *err);
/* Returns true if @off differs from before. */
bool pipelines_set_off(struct pipelines *pipelines, struct mqtt_pipeline *pipeline, bool off);
/* Read and write the settings file of the state folder. */
void pipelines_load_settings(struct pipelines *pipelines);
void pipelines_write_settings(const struct pipelines *pipelines, struct bytes_writer *w);

#endif
