/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire - the socket protocol's bytes, version 1.3 (docs/protocol.md has them one by one)
 *
 * Pure encoding and decoding, used by daemon and client alike; nothing here does I/O. A frame is a
 * header of WIRE_HEADER_BYTES and a body. Encoders append a body to a struct bytes_writer, whose
 * failed flag is the only error they have (no memory, limit reached, text longer than 65535 bytes).
 * Decoders judge untrusted bytes: every count is bounded before it is used, and they return
 * -EPROTO with a text that names what is wrong. Decoded texts and data point into the body.
 *
 * Messages with lists are read and written item by item: wire_list_decode() gives the count, then
 * wire_list_item_decode() is called that many times, and wire_end() checks that nothing is left.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/error.h"
#include "base/histogram.h"

#define WIRE_MAJOR 1
#define WIRE_MINOR 3
#define WIRE_HEADER_BYTES 32
#define WIRE_REPLY 0x8000u /* bit of the type that marks a reply */
#define WIRE_ALIGNMENT 64 /* of tensor data, counted from the body's start */
#define WIRE_MAX_TENSORS 64 /* inputs of one INFER, and outputs */
#define WIRE_ALL_OUTPUTS 0xFFFFu
#define WIRE_BY_NAME 0xFFFFu /* index of a tensor that is given by name */
#define WIRE_MAX_TEXT 240 /* bytes of an error's text */
#define WIRE_MAX_NAME 1024 /* bytes of a name in a request */

enum wire_type {
	WIRE_HELLO = 1,
	WIRE_LIST = 2,
	WIRE_DESCRIBE = 3,
	WIRE_INFER = 4,
	WIRE_STATUS = 5,
	WIRE_CANCEL = 6,
	WIRE_RELOAD = 7,
	WIRE_SESSION_OPEN = 8, /* these three since 1.1 */
	WIRE_SESSION_RESET = 9,
	WIRE_SESSION_CLOSE = 10,
	WIRE_STORE_LIST = 11, /* these four since 1.2 */
	WIRE_STORE = 12,
	WIRE_REGION_ADD = 13,
	WIRE_REGION_REMOVE = 14,
	WIRE_SUBSCRIBE = 15, /* these two since 1.3 */
	WIRE_EVENT = 16, /* only ever a reply, under the id of its SUBSCRIBE */
	WIRE_STATS = 17, /* these three since 1.3 */
	WIRE_FLIGHT = 18,
	WIRE_CONFIG = 19,
	WIRE_RING_OPEN = 20, /* since 1.3 */

	WIRE_POWER = 21, /* since 1.3 */
	WIRE_TYPE_COUNT
};

/* Bits of a HELLO. Version 1.0 answers none of them, 1.1 that of sessions, 1.2 those of shared memory
 * and the store too, 1.3 those of streams and rings. */
#define WIRE_CAP_SHARED_MEMORY (UINT64_C(1) << 0)
#define WIRE_CAP_STREAMS (UINT64_C(1) << 1)
#define WIRE_CAP_SESSIONS (UINT64_C(1) << 2)
#define WIRE_CAP_ADMIN (UINT64_C(1) << 3)
#define WIRE_CAP_RINGS (UINT64_C(1) << 4)

/* Of a header: the tensors of this INFER, or of its reply, may lie in regions (1.2). */
#define WIRE_FLAG_REGIONS 1u
/* Of an INFER's header (1.3): it has a key, and two bits that are its class. */
#define WIRE_FLAG_KEY 2u
#define WIRE_CLASS_SHIFT 2
#define WIRE_FLAGS_CLASS (3u << WIRE_CLASS_SHIFT)

/* How urgent an INFER is: control before realtime before normal before batch. */
enum wire_class {
	WIRE_CLASS_NORMAL = 0,
	WIRE_CLASS_BATCH = 1,
	WIRE_CLASS_REALTIME = 2,
	WIRE_CLASS_CONTROL = 3,
};

/* "HELLO", ...; "message" for a number that is not in the list. The reply bit is ignored. */
const char *wire_type_name(unsigned int type);

struct wire_header {
	uint16_t type; /* enum wire_type, | WIRE_REPLY */
	uint16_t
		flags; /* WIRE_FLAG_REGIONS of INFER and its reply, since 1.2; of INFER since 1.3 key
			   and class; else 0 */
	uint64_t id; /* chosen by the client, unique among its requests in flight */
	uint32_t body_bytes;
	uint32_t status; /* enum edge_status in replies, 0 in requests */
	uint32_t deadline_us; /* requests: from when the header was read, 0 none; replies: 0, but
				 OVERLOADED since 1.3: when to ask again, 0 not told */
	uint32_t session; /* INFER since 1.1: in which it runs, 0 none; all others: 0 */
};

static inline enum wire_class wire_class(const struct wire_header *header)
{
	return (enum wire_class)((header->flags & WIRE_FLAGS_CLASS) >> WIRE_CLASS_SHIFT);
}

void wire_header_encode(const struct wire_header *header, uint8_t out[WIRE_HEADER_BYTES]);

/* -EPROTO for a wrong magic number, an unknown flag or a field that must be zero and is not.
 * *ret_header is filled even then, as far as the magic number was right, so that the error can be
 * answered; all zero otherwise. */
int must_check wire_header_decode(
	const uint8_t in[WIRE_HEADER_BYTES], struct wire_header *ret_header, struct error *err);

struct wire_text {
	const char *data; /* any bytes, not 0-terminated */
	uint32_t length;
};

struct wire_text wire_text_of(const char *text);
bool wire_text_is(struct wire_text text, const char *other);

/* 0 when everything was read and nothing failed, else -EPROTO. @type names the message. */
int must_check wire_end(const struct bytes_reader *r, unsigned int type, struct error *err);

/* ---- the body of every reply whose status is not OK */

void wire_error_encode(struct bytes_writer *w, const char *text);
/* Copies the text, escaped and 0-terminated, into err->text and the status into err->status; never
 * fails: a body that is malformed gives the status' name. Returns err->code, which is -EPROTO for
 * EDGE_OK and a negative errno that fits the status otherwise. */
int wire_error_decode(const void *body, size_t size, uint32_t status, struct error *err);

/* ---- HELLO */

struct wire_hello {
	uint16_t major, minor;
	uint64_t capabilities;
	struct wire_text name; /* the program, for the log; at most 255 bytes */
};

struct wire_hello_reply {
	uint16_t major, minor;
	uint64_t capabilities; /* of those asked for, the ones that will work */
	uint32_t max_body; /* bytes of a body, both ways */
	uint32_t max_in_flight; /* requests of one connection; more are not read until one is
				   answered */
	uint32_t max_tensors; /* inputs or outputs of one INFER */
	struct wire_text name, version; /* "edged", "0.1.0" */
	uint32_t max_sessions; /* of one connection, since 1.1; 0 where there are none */
};

/* What follows the known fields of a HELLO is ignored, so that later versions can add some. */
void wire_hello_encode(struct bytes_writer *w, const struct wire_hello *hello);
int must_check wire_hello_decode(
	const void *body, size_t size, struct wire_hello *ret_hello, struct error *err);
void wire_hello_reply_encode(struct bytes_writer *w, const struct wire_hello_reply *reply);
int must_check wire_hello_reply_decode(
	const void *body, size_t size, struct wire_hello_reply *ret_reply, struct error *err);

/* ---- LIST: the request has no body */

struct wire_list_item {
	struct wire_text name, version;
	struct wire_text state; /* "loading", "ready", "refused" */
	struct wire_text reason; /* why refused, else empty */
	uint64_t generation; /* counts loads; 0 while none of this model serves */
};

void wire_list_encode(struct bytes_writer *w, uint32_t n_items);
void wire_list_item_encode(struct bytes_writer *w, const struct wire_list_item *item);
int must_check wire_list_decode(struct bytes_reader *r, uint32_t *ret_n_items, struct error *err);
int must_check wire_list_item_decode(
	struct bytes_reader *r, struct wire_list_item *ret_item, struct error *err);

/* ---- DESCRIBE */

struct wire_describe {
	struct wire_text model;
	struct wire_text version; /* empty: the one that serves */
};

#define WIRE_MODEL_FLOAT 1u /* some operator does float arithmetic */
#define WIRE_MODEL_STATE 2u /* runs depend on earlier ones of the session */

struct wire_model {
	struct wire_text name, version;
	uint64_t generation;
	struct wire_text title, description, author_version; /* of the metadata, else empty */
	uint64_t file_bytes, arena_bytes, prepared_bytes, macs;
	uint32_t n_nodes, n_subgraphs;
	uint32_t flags; /* WIRE_MODEL_*; others are ignored */
	struct wire_text labels; /* of a labels.txt beside the model: lines; empty if none */
	uint32_t n_signatures; /* the first is the default, by position */
};

struct wire_signature {
	struct wire_text key;
	uint32_t n_inputs, n_outputs; /* that many tensors follow, inputs first */
};

#define WIRE_TENSOR_RUN_TIME_SHAPE 1u /* only a run can tell the shape */
#define WIRE_TENSOR_CONTENT 2u /* content and colour_space say something */

struct wire_tensor_info {
	struct wire_text name;
	uint8_t type; /* enum dtype */
	uint8_t flags; /* WIRE_TENSOR_*; others are ignored */
	uint8_t content, colour_space; /* as struct edge_tensor_info */
	struct shape shape, declared;
	float scale; /* 0: not quantised per tensor */
	int32_t zero_point;
	uint64_t bytes;
	float score_threshold; /* NaN: none */
	uint32_t n_mean, n_std;
	const uint8_t *mean, *std; /* float32 little endian, any alignment: wire_f32() */
	struct wire_text labels; /* lines; empty if none */
};

float wire_f32(const uint8_t *floats, uint32_t index);

void wire_describe_encode(struct bytes_writer *w, const struct wire_describe *describe);
int must_check wire_describe_decode(
	const void *body, size_t size, struct wire_describe *ret_describe, struct error *err);
void wire_model_encode(struct bytes_writer *w, const struct wire_model *model);
void wire_signature_encode(struct bytes_writer *w, const struct wire_signature *signature);
void wire_tensor_info_encode(struct bytes_writer *w, const struct wire_tensor_info *info);
int must_check wire_model_decode(
	struct bytes_reader *r, struct wire_model *ret_model, struct error *err);
int must_check wire_signature_decode(
	struct bytes_reader *r, struct wire_signature *ret_signature, struct error *err);
int must_check wire_tensor_info_decode(
	struct bytes_reader *r, struct wire_tensor_info *ret_info, struct error *err);

/* ---- INFER */

struct wire_tensor {
	uint16_t index; /* WIRE_BY_NAME in requests that give @name instead */
	struct wire_text name; /* in replies both are there */
	uint8_t type; /* enum dtype */
	struct shape shape; /* every dimension known */
	uint32_t bytes; /* those of the shape; strings have any */
	uint32_t region; /* where its data lie at @offset, @data is NULL; 0: in the body */
	uint64_t offset; /* a multiple of WIRE_ALIGNMENT */
	const void *data; /* WIRE_ALIGNMENT after decoding when the body is so aligned */
};

/* Where an output is to be written. */
struct wire_place {
	uint16_t output;
	uint32_t region; /* not 0 */
	uint64_t offset; /* a multiple of WIRE_ALIGNMENT */
	uint64_t room; /* bytes that it may have there */
	void *data; /* not on the wire: for whoever finds the region */
};

/* @regions of both: the header has WIRE_FLAG_REGIONS, and so the body has the fields that name
 * them. @key: not 0 when the header has WIRE_FLAG_KEY: a newer request of the same user, model and key
 * takes the place of this one while it waits. */
struct wire_infer {
	bool regions;
	struct wire_text model;
	struct wire_text version; /* empty: the one that serves */
	struct wire_text signature; /* key; empty: the default */
	uint64_t key;
	uint32_t n_inputs;
	uint32_t n_wanted; /* WIRE_ALL_OUTPUTS, or how many of @wanted */
	uint16_t wanted[WIRE_MAX_TENSORS];
	uint32_t n_places;
	struct wire_place places[WIRE_MAX_TENSORS]; /* of outputs; the others come in the body */
	struct wire_tensor inputs[WIRE_MAX_TENSORS];
};

struct wire_infer_reply {
	bool regions;
	struct wire_text version;
	uint64_t generation;
	uint64_t queue_us, run_us;
	uint32_t n_outputs;
	struct wire_tensor outputs[WIRE_MAX_TENSORS];
};

/*
 * The head is everything up to the tensors' data. The data follow in the order of the tensors, each
 * at the next multiple of WIRE_ALIGNMENT with zeros before it, the last without zeros behind; those
 * in regions are left out.
 * _encode writes head and data; senders that have the data elsewhere write the head and add
 * each tensor with wire_data_encode(), or send it in pieces: wire_data_padding() zeros, then the
 * data.
 */
void wire_infer_encode_head(struct bytes_writer *w, const struct wire_infer *infer);
void wire_infer_encode(struct bytes_writer *w, const struct wire_infer *infer);
void wire_infer_reply_encode_head(struct bytes_writer *w, const struct wire_infer_reply *reply);
void wire_infer_reply_encode(struct bytes_writer *w, const struct wire_infer_reply *reply);
void wire_data_encode(struct bytes_writer *w, const void *data, uint32_t bytes);
uint32_t wire_data_padding(uint64_t body_bytes_so_far);

/* @flags, here and below: those of the header. */
int must_check wire_infer_decode(const void *body, size_t size, unsigned int flags,
	struct wire_infer *ret_infer, struct error *err);

/*
 * The head alone, from the first @size bytes of a body of @body_bytes: for judging a request before
 * its data has come. Every data pointer is NULL. -EAGAIN when the head does not end within @size of
 * more bytes, -EPROTO when it is malformed or its data does not end where the body ends.
 */
int must_check wire_infer_decode_head(const void *body, size_t size, uint32_t body_bytes,
	unsigned int flags, struct wire_infer *ret_infer, struct error *err);

int must_check wire_infer_reply_decode(const void *body, size_t size, unsigned int flags,
	struct wire_infer_reply *ret_reply, struct error *err);

/* ---- STATUS: the request has no body */

struct wire_status {
	uint64_t uptime_us;
	uint32_t models_ready, models_loading, models_refused;
	uint32_t clients, workers;
	uint32_t queue_length, running;
	uint64_t resident_bytes; /* of the whole process */
	uint64_t charged_bytes; /* bodies and replies held for clients */
	uint64_t queue_us, run_us; /* sums over all INFER answered OK */
	uint32_t n_counts; /* requests answered, by status; at most EDGE_STATUS_COUNT are kept */
	uint64_t counts[EDGE_STATUS_COUNT];
	bool memory; /* what follows is there: since 1.3, for who said HELLO so */
	uint32_t models_unloaded;
	uint64_t held_bytes, budget_bytes; /* of all loaded models together, and what they may */
};

void wire_status_encode(struct bytes_writer *w, const struct wire_status *status);
int must_check wire_status_decode(
	const void *body, size_t size, struct wire_status *ret_status, struct error *err);

/* ---- STATS (1.3): the request has no body; the reply is one wire_stats, then users, then models */

#define WIRE_CLASSES 4 /* of enum wire_class */
#define WIRE_STATS_USER_BYTES 40u /* of one on the wire */

/* Of a request: until a worker had it, while it ran, from its header to its answer. */
enum wire_phase {
	WIRE_PHASE_QUEUE,
	WIRE_PHASE_COMPUTE,
	WIRE_PHASE_TOTAL,
	WIRE_PHASES
};

struct wire_stats {
	uint32_t queued[WIRE_CLASSES]; /* by enum wire_class */
	struct wire_text backends; /* "cpu: avx2, avx-vnni", a line each */
	uint32_t n_users, n_models;
};

struct wire_stats_user {
	uint32_t uid, clients, queued;
	uint32_t reserved; /* 0 */
	uint64_t charged_bytes;
	uint64_t requests,
		run_us; /* answered OK since its first connection that is still there, or later */
};

struct wire_stats_model {
	struct wire_text name, version, state; /* as LIST has them */
	uint64_t held_bytes; /* 0 while it is not loaded */
	uint64_t counts[EDGE_STATUS_COUNT]; /* INFER answered, by status */
	struct histogram phases[WIRE_PHASES]; /* of those answered OK */
};

void wire_stats_encode(struct bytes_writer *w, const struct wire_stats *stats);
void wire_stats_user_encode(struct bytes_writer *w, const struct wire_stats_user *user);
void wire_stats_model_encode(struct bytes_writer *w, const struct wire_stats_model *model);
int must_check wire_stats_decode(
	struct bytes_reader *r, struct wire_stats *ret_stats, struct error *err);
int must_check wire_stats_user_decode(
	struct bytes_reader *r, struct wire_stats_user *ret_user, struct error *err);
int must_check wire_stats_model_decode(
	struct bytes_reader *r, struct wire_stats_model *ret_model, struct error *err);

/* ---- FLIGHT (1.3): the request has no body, the reply is a file of flight records (base/flight.h) */

/* ---- CONFIG (1.3): the request has no body; the reply begins as that of LIST */

struct wire_config_item {
	struct wire_text section, key, value;
	struct wire_text origin; /* "default", "FILE:LINE", ... */
	struct wire_text
		pending; /* what the files say by now, with when it counts; empty: the same */
};

void wire_config_item_encode(struct bytes_writer *w, const struct wire_config_item *item);
int must_check wire_config_item_decode(
	struct bytes_reader *r, struct wire_config_item *ret_item, struct error *err);

/* ---- CANCEL: the reply has no body */

void wire_cancel_encode(struct bytes_writer *w, uint64_t id);
int must_check wire_cancel_decode(
	const void *body, size_t size, uint64_t *ret_id, struct error *err);

/* ---- RELOAD: the request has no body */

struct wire_reload_reply {
	uint32_t models_ready, models_refused;
};

void wire_reload_reply_encode(struct bytes_writer *w, const struct wire_reload_reply *reply);
int must_check wire_reload_reply_decode(
	const void *body, size_t size, struct wire_reload_reply *ret_reply, struct error *err);

/* ---- SESSION_OPEN, SESSION_RESET, SESSION_CLOSE (1.1): the last two have no body in their replies */

struct wire_session_open {
	struct wire_text model;
	struct wire_text version; /* empty: the one that serves */
};

struct wire_session_open_reply {
	uint32_t session; /* never 0 */
	struct wire_text version; /* of the model that the session keeps */
	uint64_t generation;
};

void wire_session_open_encode(struct bytes_writer *w, const struct wire_session_open *open);
int must_check wire_session_open_decode(
	const void *body, size_t size, struct wire_session_open *ret_open, struct error *err);
void wire_session_open_reply_encode(
	struct bytes_writer *w, const struct wire_session_open_reply *reply);
int must_check wire_session_open_reply_decode(const void *body, size_t size,
	struct wire_session_open_reply *ret_reply, struct error *err);

/* Of the other two; @type names the message in errors. */
void wire_session_encode(struct bytes_writer *w, uint32_t session);
int must_check wire_session_decode(
	const void *body, size_t size, unsigned int type, uint32_t *ret_session, struct error *err);

/* ---- STORE_LIST (1.2): the request has no body, the reply begins as that of LIST */

#define WIRE_STORE_TRIAL 1u /* what serves has not proved itself yet */
#define WIRE_STORE_PINNED 2u /* nothing takes its place */
#define WIRE_STORE_TAUGHT_SHIFT 8 /* bits 8 to 31: other examples, another number; 0: none (1.3) */

struct wire_store_item {
	struct wire_list_item model;
	struct wire_text sha256; /* of the file that serves, 64 digits; empty: none does */
	uint64_t since; /* seconds of the calendar */
	uint64_t by; /* user id of the file's owner */
	uint64_t last_good; /* version; 0: none */
	uint32_t flags; /* WIRE_STORE_*; others are ignored */
};

void wire_store_item_encode(struct bytes_writer *w, const struct wire_store_item *item);
int must_check wire_store_item_decode(
	struct bytes_reader *r, struct wire_store_item *ret_item, struct error *err);

/* ---- STORE (1.2) */

enum wire_store_verb {
	WIRE_STORE_ROLLBACK = 1,
	WIRE_STORE_PIN = 2,
	WIRE_STORE_UNPIN = 3,
	WIRE_STORE_FORGET_BAD = 4,
	WIRE_STORE_HISTORY = 5,
	WIRE_STORE_LOAD = 8, /* 1.3, as those below */
	WIRE_STORE_UNLOAD = 9,
	WIRE_STORE_FSCK = 10,
	WIRE_STORE_INSTALL =
		6, /* since 1.3: the first byte brings a descriptor, as that of EXPORT */
	WIRE_STORE_EXPORT = 7,
	WIRE_STORE_REMOVE = 11, /* since 1.3, as those below */
	WIRE_STORE_TEACH = 12, /* the first byte brings a descriptor */
	WIRE_STORE_UNTEACH = 13,
	WIRE_STORE_EXAMPLES = 14,
};

struct wire_store {
	uint32_t verb; /* enum wire_store_verb */
	struct wire_text
		model; /* empty for FORGET_BAD, and for an INSTALL of a bundle that says it */
	struct wire_text
		argument; /* FORGET_BAD: digits of a digest; TEACH: a version; UNTEACH: a label; others: empty */
};

void wire_store_encode(struct bytes_writer *w, const struct wire_store *store);
int must_check wire_store_decode(
	const void *body, size_t size, struct wire_store *ret_store, struct error *err);
void wire_store_reply_encode(struct bytes_writer *w, struct wire_text lines);
int must_check wire_store_reply_decode(
	const void *body, size_t size, struct wire_text *ret_lines, struct error *err);

/* ---- SUBSCRIBE, whose reply has no body, and EVENT (1.3) */

#define WIRE_EVENT_MODELS 1u /* what models are like */

void wire_subscribe_encode(struct bytes_writer *w, uint32_t kinds);
int must_check wire_subscribe_decode(
	const void *body, size_t size, uint32_t *ret_kinds, struct error *err);

/* What an EVENT begins with: as many items of LIST follow. A model that is not there any more has the
 * state "gone". The decoder gives -EPROTO for another kind. */
void wire_event_encode(struct bytes_writer *w, uint32_t kind, uint32_t n_items);
int must_check wire_event_decode(struct bytes_reader *r, uint32_t *ret_n_items, struct error *err);

/* ---- REGION_ADD, whose first byte brings a descriptor, and REGION_REMOVE (1.2) */

#define WIRE_REGION_INPUTS 1u /* inputs may lie in it */
#define WIRE_REGION_OUTPUTS 2u /* outputs may be written to it */

struct wire_region {
	uint64_t bytes; /* of the memory behind the descriptor */
	uint32_t uses; /* WIRE_REGION_*, at least one */
};

void wire_region_add_encode(struct bytes_writer *w, const struct wire_region *region);
int must_check wire_region_add_decode(
	const void *body, size_t size, struct wire_region *ret_region, struct error *err);

/* One region's number, which is never 0: the body of REGION_ADD's reply, and of REGION_REMOVE, whose
 * reply has none. @type names the message in errors. */
void wire_region_encode(struct bytes_writer *w, uint32_t region);
int must_check wire_region_decode(
	const void *body, size_t size, unsigned int type, uint32_t *ret_region, struct error *err);

/* ---- RING_OPEN, whose first byte brings the bell, and what a ring looks like (1.3) */

/*
 * A ring is a part of a region: four words that are counted or set by one side each, then the slots of
 * requests, then those of replies. A slot holds one frame.
 */
#define WIRE_RING_SUBMITTED 0u /* the client's: requests that are in their slots, ever */
#define WIRE_RING_CLIENT_SLEEPS 4u /* the client's: not 0 while it waits for WIRE_RING_ANSWERED */
#define WIRE_RING_ANSWERED 64u /* edged's: replies that are in their slots, ever */
#define WIRE_RING_EDGED_SLEEPS 68u /* edged's: not 0 while a request needs the bell */
#define WIRE_RING_SLOTS 128u

#define WIRE_RING_MAX_SLOTS 64u
#define WIRE_RING_MIN_SLOT 256u /* bytes */
#define WIRE_RING_MAX_SLOT 65536u

struct wire_ring {
	uint32_t region;
	uint64_t offset; /* in it; a multiple of WIRE_ALIGNMENT */
	uint32_t slots, slot_bytes; /* the second is a multiple of WIRE_ALIGNMENT */
};

/* What a ring takes in its region. */
static inline uint64_t wire_ring_bytes(const struct wire_ring *ring)
{
	return WIRE_RING_SLOTS + (uint64_t)2 * ring->slots * ring->slot_bytes;
}

/* Where the slot of request, or of reply, number @n is, counted from the ring's start. */
static inline uint64_t wire_ring_request_at(const struct wire_ring *ring, uint32_t n)
{
	return WIRE_RING_SLOTS + (uint64_t)(n % ring->slots) * ring->slot_bytes;
}

static inline uint64_t wire_ring_reply_at(const struct wire_ring *ring, uint32_t n)
{
	return wire_ring_request_at(ring, n) + (uint64_t)ring->slots * ring->slot_bytes;
}

void wire_ring_encode(struct bytes_writer *w, const struct wire_ring *ring);
/* -EPROTO also for numbers that no ring has. */
int must_check wire_ring_decode(
	const void *body, size_t size, struct wire_ring *ret_ring, struct error *err);

/* ---- POWER (1.3): the request is a model's name, which may be empty */

#define WIRE_POWER_TEMPERATURE 1u /* temperature_mc and limit_mc are known */
#define WIRE_POWER_METER 2u /* what the machine takes is known */
#define WIRE_POWER_SHEDS 4u /* batch work is turned away */
#define WIRE_POWER_CURRENT                                                                         \
	8u /* the sensors are read; else these are the last readings before a pause */

struct wire_power {
	uint32_t policy; /* 0 performance, 1 balanced, 2 cool */
	uint32_t flags; /* WIRE_POWER_* */
	uint32_t duty; /* percent of the time that workers may run */
	int32_t temperature_mc,
		limit_mc; /* millidegrees; of what is nearest to being slowed down, and when that happens */
	uint32_t power_mw, idle_mw; /* that the machine takes; without any work */
	struct wire_text sensor; /* whose temperature it is */
	uint64_t model_runs; /* of the model that was asked for: runs that its energy is known of */
	uint64_t model_nj; /* estimated nanojoules of a run; 0: not known */
};

void wire_power_encode(struct bytes_writer *w, const struct wire_power *power);
int must_check wire_power_decode(
	const void *body, size_t size, struct wire_power *ret_power, struct error *err);
void wire_power_ask_encode(struct bytes_writer *w, struct wire_text model);
int must_check wire_power_ask_decode(
	const void *body, size_t size, struct wire_text *ret_model, struct error *err);

#endif
