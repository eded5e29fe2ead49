/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipes - the pipelines that edged-mqtt serves, and the process in which they work
 *
 * All of their work (decoding, features, reading outputs, judging, drawing) is done in a child, the same
 * program with --pipelines under daemon/sandbox.h: no files, no network, memory limited. The parent reads and checks
 * the files, hands inputs over one at a time, asks edged what the child wants asked, and publishes what it says. A child that
 * ends, makes no sense or takes too long is replaced; what it had collected of sources is gone then. The
 * input that it was at is given to the next one once more, unless it took too long.
 *
 *   pipes.c          life of the child, its orders    pipes_files.c     what is to be served
 *   pipes_ask.c      its questions to edged           pipes_publish.c   its results, states
 *   pipes_wire.h     the frames                       pipes_main.c      the child
 */
#ifndef DAEMON_MQTT_PIPES_H
#define DAEMON_MQTT_PIPES_H

#include <uv.h>

#include "client/edge_client.h"
#include "client/pipeline/pipeline.h"
#include "daemon/mqtt/child.h"
#include "daemon/mqtt/pipes_main.h"
#include "daemon/mqtt/pipes_wire.h"

#define PIPES_MAX_SESSIONS 16 /* of models with state, with edged */

struct bridge;
struct link;
struct ask;

/* Somebody who has sent something. */
struct pipes_source {
	char name[PIPES_SOURCE_SIZE];
	uint32_t origin; /* of its broker: another one's of that name is another one */
	struct link *link; /* to the broker; NULL: it is gone */
	bool told; /* something that is retained was published */
	char *untold; /* owned; its last word, for which there was no room; NULL: there was */
	bool known; /* an earlier life has told Home Assistant of it */
	uint64_t last_used;
	uint64_t skipped_ns; /* when a skipped stage was told last */
	uint64_t no_snapshot_ns; /* when one that is too large was told last */
};

/* One pipeline. */
struct pipe {
	char name[PIPELINE_NAME_SIZE];
	char *path, *text; /* owned; the file */
	size_t size;
	struct pipeline *about; /* owned; read and checked, never pushed to */
	struct pipeline_about says;
	char refused[240]; /* why it does not work; "" */
	char waits[240]; /* for what: a model of its is not there; "" */
	bool off;
	bool memory_was_short; /* when it was opened last */
	double own_threshold; /* the file's; NaN: it is the model's, or there is none */
	double threshold; /* set over MQTT; NaN: not */
	bool threshold_is_news; /* to the child */
	size_t answers, answers_bytes; /* for who asks: the most that an input had; 0: none yet */
	struct pipes_source sources[PIPELINE_MAX_SOURCES];
	size_t n_sources;
	uint64_t said_state, said_threshold, said_enable; /* hashes; 0: nothing */
};

/* What a model is like, as the child is told. */
struct pipes_known {
	char name[PIPES_MODEL_SIZE], signature[PIPES_MODEL_SIZE];
	struct bytes_writer order; /* size 0: nothing is known */
	bool there; /* edged has it */
	uint64_t elements[PIPES_MAX_TENSORS]; /* of its outputs */
	struct bytes_writer examples; /* the same of what it was taught */
	bool is_news, examples_are_news;
	bool rests; /* the child is to take it for gone for a moment */
};

struct pipes_asked;

struct pipes_session {
	uint32_t pipeline;
	uint64_t number; /* the pipeline's; 0: free */
	uint32_t edge; /* edged's; 0: on its way */
	uint64_t last_used;
};

struct pipes_counts {
	uint64_t inputs, refused, sampled, results, events, skipped, failed, questions, restarts;
};

struct pipes {
	struct bridge *bridge;
	struct pipe *items[PIPES_MAX]; /* owned */
	size_t n;
	struct pipes_known *known; /* owned */
	size_t n_known;
	struct child *child; /* NULL: none runs */
	uint64_t epoch; /* counts children */
	size_t opened; /* of them the child has so many */
	bool works; /* it has all of them */
	bool has_worked; /* some child had */
	uint8_t order; /* it is at; 0: none */
	bool order_told; /* it led to a result already */
	bool unsealed, denied; /* it led to an envelope; whose reply_to is not for answers */
	struct ask *input; /* that it is at */
	struct ask *held; /* inputs that were taken, and whose answers are not whole; owned */
	size_t n_held;
	uint64_t last_tag;
	struct pipes_asked *asked;
	size_t n_asked;
	struct pipes_session sessions[PIPES_MAX_SESSIONS];
	uint64_t uses;
	uv_timer_t timer; /* an order takes too long, or another child is started */
	bool stopped;
	struct pipes_counts counts;
};

/* Reads the pipelines of the configuration. *ret_bad is how many were no good: each was logged, and is
 * served as it was before, if it was. */
int must_check pipes_load(struct pipes *pipes, size_t *ret_bad, struct error *err);
void pipes_start(struct pipes *pipes);
/* Files may have changed: read as by pipes_load(), and all begin anew. */
int must_check pipes_reload(struct pipes *pipes, size_t *ret_bad, struct error *err);
void pipes_stop(struct pipes *pipes); /* the handles close with the loop's turns */
void pipes_deinit(struct pipes *pipes);

/* NULL: none of that name. */
struct pipe *pipes_find(const struct pipes *pipes, const char *name);
void pipe_free(struct pipe *pipe); /* NULL is fine */

/* @ask was accepted: who sent it is noted, and older ones make room where only the latest counts. */
void pipes_accept(struct pipes *pipes, struct ask *ask);
/* @link is about to be freed. */
void pipes_forget_link(struct pipes *pipes, const struct link *link);
/* Gives the child what it can take. True when there was something. */
bool pipes_feed(struct pipes *pipes);

/* ---- pipes_ask.c */

/* The child asks: *question is taken. @failed -ENOMEM: its tensors could not be kept, and that is the
 * answer; else 0. False when it makes no sense. */
bool pipes_ask(struct pipes *pipes, struct pipes_question *question, int failed);
/* Starts what waits for edged. */
void pipes_ask_again(struct pipes *pipes);
/* An order for the child with an answer that has come; false: there is none. */
bool pipes_next_answer(struct pipes *pipes, struct bytes_writer *ret_order);
/* The child has done what it was told. */
void pipes_order_ended(struct pipes *pipes);
/* The child is gone, and all it has asked for. */
void pipes_forget_asked(struct pipes *pipes);
/* edged is gone: sessions with it. */
void pipes_forget_sessions(struct pipes *pipes);
/* What edged has said of a model. */
void pipes_describe(struct pipes *pipes, const struct edge_client_model *model);
/* What it has been taught. */
void pipes_teach(struct pipes *pipes, const char *model, const char *text);
/* Models that are gone. */
void pipes_look_at_models(struct pipes *pipes);
/* edged is away: the child forgets what sources had found, and goes on with the models that it knows. */
void pipes_rest(struct pipes *pipes);
/* Has a pipeline what it needs of edged? Where not, it says why (pipe->waits), and what it has told is on no more. */
void pipes_look_at_needs(struct pipes *pipes);
/* Has edged said what all of its models are like? */
bool pipes_knows_models(const struct pipes *pipes, const struct pipe *pipe);
/* How many numbers the first stage's output has; 0: nobody knows. */
size_t pipes_count_numbers(const struct pipes *pipes, const struct pipe *pipe);

/* May any gateway's take its inputs? It works, and remembers nothing from one to the next. */
bool pipes_is_poolable(const struct pipes *pipes, const struct pipe *pipe);

/* ---- pipes_respond.c: inputs with a response topic */

/* Does it answer inputs? Pieces of streams it does not, but where they are no good. */
bool pipes_answers(const struct pipe *pipe);
/* A number for the input's results, where it is to be answered; else 0. */
uint64_t pipes_tag(struct pipes *pipes, const struct pipe *pipe, struct ask *ask);
/* The child has found its input in an envelope. False when it makes no sense. */
bool pipes_open(struct pipes *pipes, const struct decode_envelope *envelope);
/* The child is done with @ask, an input. True when that was its envelope: it waits for its second turn, or it is over. */
bool pipes_opened_end(struct pipes *pipes, struct ask *ask, int failed);
/* The child ended at @ask: the next one is to look into the envelope again. */
void pipes_open_again(struct pipes *pipes, struct ask *ask);
/* The child has taken it; @ask is out of the line, and taken. */
void pipes_hold(struct pipes *pipes, struct ask *ask);
/* A result of an input that is to be answered. */
void pipes_note_answer(
	struct pipes *pipes, const struct pipe *pipe, const struct pipes_result *result);
/* All but those of @done are answered with what there is. */
void pipes_answer_held(struct pipes *pipes, const struct pipes_done *done);
/* There will be no answers. */
void pipes_refuse_held(struct pipes *pipes, const char *why);

/* ---- pipes_publish.c */

/* The result as JSON: the gateway's members, then the child's. @ask: who is answered; NULL: it is told to all. */
void pipes_write_result(struct pipes *pipes, const struct pipe *pipe,
	const struct pipes_result *result, const struct ask *ask, struct bytes_writer *w);

/* False when it makes no sense. */
bool pipes_publish(struct pipes *pipes, const struct pipes_result *result);
/* What is retained about pipelines: news to all, everything to @link. */
void pipes_announce(struct pipes *pipes, struct link *link);
/* Last words that found no room, once there may be some. */
void pipes_tell_last(struct pipes *pipes);
/* Retained topics of a pipeline, or of a source of it, that goes are emptied. */
void pipes_forget(struct pipes *pipes, struct pipe *pipe);
void pipes_forget_source(
	struct pipes *pipes, const struct pipe *pipe, const struct pipes_source *source);
/* A child is gone, or a model: nothing is going on any more, as far as anybody knows. */
void pipes_say_reset(struct pipes *pipes);
void pipes_say_reset_of(struct pipes *pipes, struct pipe *pipe);
/* A source that an earlier life has told Home Assistant of at that broker. */
void pipes_know_source(
	struct pipes *pipes, struct link *link, const char *pipeline, const char *source);
/* Was something told of it there? */
bool pipes_was_told(const struct pipes *pipes, const struct link *link, const char *pipeline,
	const char *source);
/* What an earlier life has left behind at the broker. */
void pipes_on_last(
	struct pipes *pipes, struct link *link, const char *pipeline, const char *source);
void pipes_topic(const struct pipes *pipes, const char *pipeline, const char *leaf,
	const char *level, char *out);

/* What is set over MQTT: -EINVAL for what cannot be. *ret_changed: it was not so before. */
int must_check pipes_set(struct pipes *pipes, struct pipe *pipe, const char *key, const char *value,
	bool *ret_changed, struct error *err);
/* What was set before, and keeping it. */
void pipes_load_settings(struct pipes *pipes);
void pipes_write_settings(const struct pipes *pipes, struct bytes_writer *w);

#endif
