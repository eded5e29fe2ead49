/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire - encodes and decodes the socket protocol, version 1.3 (bytes: docs/protocol.md)
 *
 * Used by edged and its clients; does no I/O. A frame is a header of WIRE_HEADER_BYTES and a body.
 * Encoders append a body to a struct bytes_writer; its failed flag is their only error (no memory,
 * limit reached, text above 65535 bytes). Decoders verify untrusted bytes: they bound each count
 * before use, and return -EPROTO with a text that names the fault. Decoded texts and data point
 * into the body.
 *
 * Lists are coded item by item: wire_list_decode() returns the count, wire_list_item_decode() reads
 * one item, and wire_end() checks that nothing is left.
 */
#ifndef BASE_WIRE_WIRE_H
#define BASE_WIRE_WIRE_H

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/error.h"
#include "base/histogram.h"
#include "base/wire/wire_text.h"

#define WIRE_MAJOR 1
#define WIRE_MINOR 3
#define WIRE_HEADER_BYTES 32
#define WIRE_REPLY 0x8000u /* bit of the type of each reply */
#define WIRE_ALIGNMENT 64 /* of tensor data, relative to the body's start */
#define WIRE_MAX_TENSORS 64 /* limit for the inputs, and for the outputs, of one INFER */
#define WIRE_ALL_OUTPUTS 0xFFFFu
#define WIRE_BY_NAME 0xFFFFu /* index of a tensor identified by name */
#define WIRE_MAX_TEXT 240 /* bytes of an error's text */

enum wire_type {
	WIRE_HELLO = 1,
	WIRE_LIST = 2,
	WIRE_DESCRIBE = 3,
	WIRE_INFER = 4,
	WIRE_STATUS = 5,
	WIRE_CANCEL = 6,
	WIRE_RELOAD = 7,
	WIRE_SESSION_OPEN = 8, /* three types since 1.1 */
	WIRE_SESSION_RESET = 9,
	WIRE_SESSION_CLOSE = 10,
	WIRE_STORE_LIST = 11, /* four types since 1.2 */
	WIRE_STORE = 12,
	WIRE_REGION_ADD = 13,
	WIRE_REGION_REMOVE = 14,
	WIRE_SUBSCRIBE = 15, /* two types since 1.3 */
	WIRE_EVENT = 16, /* reply only, with the id of its SUBSCRIBE */
	WIRE_STATS = 17, /* three types since 1.3 */
	WIRE_FLIGHT = 18,
	WIRE_CONFIG = 19,
	WIRE_RING_OPEN = 20, /* since 1.3 */

	WIRE_POWER = 21, /* since 1.3 */
	WIRE_TYPE_COUNT
};

/* Bits of HELLO. Version 1.0 supports none, 1.1 sessions, 1.2 shared memory and the store too, 1.3
 * streams and rings too. */
#define WIRE_CAP_SHARED_MEMORY (UINT64_C(1) << 0)
#define WIRE_CAP_STREAMS (UINT64_C(1) << 1)
#define WIRE_CAP_SESSIONS (UINT64_C(1) << 2)
#define WIRE_CAP_ADMIN (UINT64_C(1) << 3)
#define WIRE_CAP_RINGS (UINT64_C(1) << 4)

/* Header flag (1.2): tensors of this INFER, or of its reply, may lie in regions. */
#define WIRE_FLAG_REGIONS 1u
/* Header flags of INFER (1.3): the body has a key; two bits for the class. */
#define WIRE_FLAG_KEY 2u
#define WIRE_CLASS_SHIFT 2
#define WIRE_FLAGS_CLASS (3u << WIRE_CLASS_SHIFT)

/* Urgency of an INFER: control, realtime, normal, batch; control runs first. */
enum wire_class {
	WIRE_CLASS_NORMAL = 0,
	WIRE_CLASS_BATCH = 1,
	WIRE_CLASS_REALTIME = 2,
	WIRE_CLASS_CONTROL = 3,
};

struct wire_header {
	uint16_t type; /* enum wire_type, | WIRE_REPLY */
	/* INFER and its reply: WIRE_FLAG_REGIONS (1.2); INFER: key and class (1.3); else 0 */
	uint16_t flags;
	uint64_t id; /* chosen by the client, unique among its requests in flight */
	uint32_t body_bytes;
	uint32_t status; /* replies: enum edge_status; requests: 0 */
	/* requests: time limit from the header's arrival, 0: none; OVERLOADED replies (1.3): delay
	 * before a retry, 0: none given; others: 0 */
	uint32_t deadline_us;
	uint32_t session; /* INFER (1.1): its session, 0: none; others: 0 */
};

static inline enum wire_class wire_class(const struct wire_header *header)
{
	return (enum wire_class)((header->flags & WIRE_FLAGS_CLASS) >> WIRE_CLASS_SHIFT);
}

void wire_header_encode(const struct wire_header *header, uint8_t out[WIRE_HEADER_BYTES]);

/*
 * -EPROTO for a wrong magic number, an unknown flag or a non-zero reserved field. If the magic
 * number is right *ret_header is filled even then, for the error's reply; otherwise it is zeroed.
 */
int must_check wire_header_decode(
	const uint8_t in[WIRE_HEADER_BYTES], struct wire_header *ret_header, struct error *err);

/* Returns 0 if everything was read without failure, else -EPROTO. @type names the message. */
int must_check wire_end(const struct bytes_reader *r, unsigned int type, struct error *err);

/* ---- error: body of each reply whose status is not OK */

void wire_error_encode(struct bytes_writer *w, const char *text);
/* Copies the text, escaped, to err->text, and the status to err->status. A malformed body gives the
 * status' name as text. Returns err->code: -EPROTO for EDGE_OK, else the negative errno of the
 * status. */
int wire_error_decode(const void *body, size_t size, uint32_t status, struct error *err);

/* ---- HELLO */

struct wire_hello {
	uint16_t major, minor;
	uint64_t capabilities;
	struct wire_text name; /* the program, for the log; at most 255 bytes */
};

struct wire_hello_reply {
	uint16_t major, minor;
	uint64_t capabilities; /* supported ones of those requested */
	uint32_t max_body; /* limit for bodies in both directions, in bytes */
	/* limit for a connection; further requests are read after replies */
	uint32_t max_in_flight;
	uint32_t max_tensors; /* limit for inputs, and for outputs, of one INFER */
	struct wire_text name, version; /* "edged", "0.1.0" */
	uint32_t max_sessions; /* limit for a connection (1.1); 0: no sessions */
};

/* Decoders ignore bytes after the known fields of a HELLO, so that later versions can add some. */
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
	struct wire_text reason; /* reason if refused, else empty */
	/* number of the load of this version, counted over all models; 0: the model does not serve */
	uint64_t generation;
};

void wire_list_encode(struct bytes_writer *w, uint32_t n_items);
void wire_list_item_encode(struct bytes_writer *w, const struct wire_list_item *item);
int must_check wire_list_decode(struct bytes_reader *r, uint32_t *ret_n_items, struct error *err);
int must_check wire_list_item_decode(
	struct bytes_reader *r, struct wire_list_item *ret_item, struct error *err);

/* ---- DESCRIBE */

struct wire_describe {
	struct wire_text model;
	struct wire_text version; /* empty: the version that serves */
};

#define WIRE_MODEL_FLOAT 1u /* some operator computes in float */
#define WIRE_MODEL_STATE 2u /* runs depend on earlier ones in the session */

struct wire_model {
	struct wire_text name, version;
	uint64_t generation; /* number of the load of this version */
	struct wire_text title, description, author_version; /* from the metadata; empty: none */
	uint64_t file_bytes, arena_bytes, prepared_bytes, macs;
	uint32_t n_nodes, n_subgraphs;
	uint32_t flags; /* WIRE_MODEL_*; unknown bits are ignored */
	struct wire_text labels; /* lines of the labels file; empty: none */
	uint32_t n_signatures; /* the first, by position, is the default */
};

struct wire_signature {
	struct wire_text key;
	uint32_t n_inputs, n_outputs; /* number of tensors that follow, inputs first */
};

#define WIRE_TENSOR_RUN_TIME_SHAPE 1u /* the shape is known only after a run */
#define WIRE_TENSOR_CONTENT 2u /* content and colour_space are valid */

struct wire_tensor_info {
	struct wire_text name;
	uint8_t type; /* enum dtype */
	uint8_t flags; /* WIRE_TENSOR_*; unknown bits are ignored */
	uint8_t content, colour_space; /* as struct edge_tensor_info */
	struct shape shape, declared;
	float scale; /* 0: not quantised per tensor */
	int32_t zero_point;
	uint64_t bytes;
	float score_threshold; /* NaN: none */
	uint32_t n_mean, n_std;
	const uint8_t *mean, *std; /* float32 little endian at any alignment: wire_f32() */
	struct wire_text labels; /* lines; empty: none */
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
	uint16_t index; /* requests: WIRE_BY_NAME to use @name */
	struct wire_text name; /* replies have @index and @name */
	uint8_t type; /* enum dtype */
	struct shape shape; /* all dimensions known */
	uint32_t bytes; /* follows from type and shape, except for strings */
	uint32_t region; /* region with the data at @offset, and @data is NULL; 0: in the body */
	uint64_t offset; /* a multiple of WIRE_ALIGNMENT */
	const void *data; /* aligned to WIRE_ALIGNMENT if the body is */
};

/* Place for an output in a region. */
struct wire_place {
	uint16_t output;
	uint32_t region; /* not 0 */
	uint64_t offset; /* a multiple of WIRE_ALIGNMENT */
	uint64_t room; /* bytes available there */
	void *data; /* not on the wire: set by the receiver that finds the region */
};

/* @regions: the header has WIRE_FLAG_REGIONS, and the body the fields of regions. @key: not 0 if
 * the header has WIRE_FLAG_KEY; a newer request of this user, model and key replaces this one while
 * it waits. */
struct wire_infer {
	bool regions;
	struct wire_text model;
	struct wire_text version; /* empty: the version that serves */
	struct wire_text signature; /* its key; empty: the default */
	uint64_t key;
	uint32_t n_inputs;
	uint32_t n_wanted; /* number of @wanted, or WIRE_ALL_OUTPUTS */
	uint16_t wanted[WIRE_MAX_TENSORS];
	uint32_t n_places;
	/* places of outputs; other outputs come in the body */
	struct wire_place places[WIRE_MAX_TENSORS];
	struct wire_tensor inputs[WIRE_MAX_TENSORS];
};

struct wire_infer_reply {
	bool regions;
	struct wire_text version;
	uint64_t generation; /* number of the load that ran */
	uint64_t queue_us, run_us;
	uint32_t n_outputs;
	struct wire_tensor outputs[WIRE_MAX_TENSORS];
};

/*
 * The head is all before the tensors' data. Data follow in the order of the tensors; each starts at
 * a multiple of WIRE_ALIGNMENT after zeros, and no padding follows the last. Tensors in regions
 * have no data here.
 *
 * The _encode functions write head and data.
 */
void wire_infer_encode_head(struct bytes_writer *w, const struct wire_infer *infer);
void wire_infer_encode(struct bytes_writer *w, const struct wire_infer *infer);
void wire_infer_reply_encode(struct bytes_writer *w, const struct wire_infer_reply *reply);

/* @flags, here and below: flags of the header. */
int must_check wire_infer_decode(const void *body, size_t size, unsigned int flags,
	struct wire_infer *ret_infer, struct error *err);

/* Decodes only the head, from the first @size bytes of a body of @body_bytes, to judge a request
 * before its data arrive. Data pointers are NULL. -EAGAIN if the head needs more bytes; -EPROTO if
 * it is malformed, or if its data do not end at the body's end. */
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
	uint64_t charged_bytes; /* memory of bodies and replies of clients */
	uint64_t queue_us, run_us; /* sums over INFER requests answered OK */
	/* INFER requests answered, by status; the decoder keeps at most EDGE_STATUS_COUNT */
	uint32_t n_counts;
	uint64_t counts[EDGE_STATUS_COUNT];
	bool memory; /* the fields below are present: since 1.3, if HELLO said so */
	uint32_t models_unloaded;
	uint64_t held_bytes, budget_bytes; /* memory of all loaded models, and its limit */
};

void wire_status_encode(struct bytes_writer *w, const struct wire_status *status);
int must_check wire_status_decode(
	const void *body, size_t size, struct wire_status *ret_status, struct error *err);

/* ---- STATS (1.3): the request has no body; the reply is a wire_stats, then users, then models */

#define WIRE_CLASSES 4 /* number of values in enum wire_class */
#define WIRE_STATS_USER_BYTES 40u /* bytes of a user on the wire */

/* Phases of a request: until a worker has it; while it runs; from header to answer. */
enum wire_phase {
	WIRE_PHASE_QUEUE,
	WIRE_PHASE_COMPUTE,
	WIRE_PHASE_TOTAL,
	WIRE_PHASES
};

struct wire_stats {
	uint32_t queued[WIRE_CLASSES]; /* by enum wire_class */
	struct wire_text backends; /* lines such as "cpu: avx2, avx-vnni" */
	uint32_t n_users, n_models;
};

struct wire_stats_user {
	uint32_t uid, clients, queued;
	uint32_t reserved; /* 0 */
	uint64_t charged_bytes;
	uint64_t requests, run_us; /* of requests answered OK, while the user has a connection */
};

struct wire_stats_model {
	struct wire_text name, version, state; /* as in LIST */
	uint64_t held_bytes; /* 0: not loaded */
	uint64_t counts[EDGE_STATUS_COUNT]; /* INFER requests answered, by status */
	struct histogram phases[WIRE_PHASES]; /* latencies of requests answered OK */
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

/* ---- FLIGHT (1.3): the request has no body, the reply is a file of flight records
 * (base/flight_record.h) */

/* ---- CONFIG (1.3): the request has no body; the reply begins like that of LIST */

struct wire_config_item {
	struct wire_text section, key, value;
	struct wire_text origin; /* "default", "FILE:LINE", ... */
	struct wire_text
		pending; /* value now in the files, with when it takes effect; empty: unchanged */
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

/* ---- SESSION_OPEN, SESSION_RESET, SESSION_CLOSE (1.1): replies of the last two have no body */

struct wire_session_open {
	struct wire_text model;
	struct wire_text version; /* empty: the version that serves */
};

struct wire_session_open_reply {
	uint32_t session; /* never 0 */
	struct wire_text version; /* version that the session keeps */
	uint64_t generation; /* number of its load */
};

void wire_session_open_encode(struct bytes_writer *w, const struct wire_session_open *open);
int must_check wire_session_open_decode(
	const void *body, size_t size, struct wire_session_open *ret_open, struct error *err);
void wire_session_open_reply_encode(
	struct bytes_writer *w, const struct wire_session_open_reply *reply);
int must_check wire_session_open_reply_decode(const void *body, size_t size,
	struct wire_session_open_reply *ret_reply, struct error *err);

/* Body of SESSION_RESET and SESSION_CLOSE; @type names the message in errors. */
void wire_session_encode(struct bytes_writer *w, uint32_t session);
int must_check wire_session_decode(
	const void *body, size_t size, unsigned int type, uint32_t *ret_session, struct error *err);

/* ---- STORE_LIST (1.2): the request has no body, the reply begins like that of LIST */

#define WIRE_STORE_TRIAL 1u /* the version that serves is on trial */
#define WIRE_STORE_PINNED 2u /* the version that serves is not replaced */
/* bits 8 to 31: number that changes with the few-shot examples; 0: none (1.3) */
#define WIRE_STORE_TAUGHT_SHIFT 8

struct wire_store_item {
	struct wire_list_item model;
	struct wire_text sha256; /* 64 digits, of the file that serves; empty: none */
	uint64_t since; /* seconds since 1970 */
	uint64_t by; /* user id of the file's owner */
	uint64_t last_good; /* version number; 0: none */
	uint32_t flags; /* WIRE_STORE_*; unknown bits are ignored */
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
	WIRE_STORE_LOAD = 8, /* this and all commands below: since 1.3 */
	WIRE_STORE_UNLOAD = 9,
	WIRE_STORE_FSCK = 10,
	WIRE_STORE_INSTALL = 6, /* the first byte carries a descriptor, also for EXPORT */
	WIRE_STORE_EXPORT = 7,
	WIRE_STORE_REMOVE = 11,
	WIRE_STORE_TEACH = 12, /* the first byte carries a descriptor */
	WIRE_STORE_UNTEACH = 13,
	WIRE_STORE_EXAMPLES = 14,
};

struct wire_store {
	uint32_t verb; /* enum wire_store_verb */
	struct wire_text
		model; /* empty for FORGET_BAD, and for an INSTALL of a bundle with a name */
	/* FORGET_BAD: digest; TEACH: version; UNTEACH: label; FSCK: "repair" or empty; others:
	 * empty */
	struct wire_text argument;
};

void wire_store_encode(struct bytes_writer *w, const struct wire_store *store);
int must_check wire_store_decode(
	const void *body, size_t size, struct wire_store *ret_store, struct error *err);
void wire_store_reply_encode(struct bytes_writer *w, struct wire_text lines);
int must_check wire_store_reply_decode(
	const void *body, size_t size, struct wire_text *ret_lines, struct error *err);

/* ---- SUBSCRIBE, whose reply has no body, and EVENT (1.3) */

#define WIRE_EVENT_MODELS 1u /* changes of models */

void wire_subscribe_encode(struct bytes_writer *w, uint32_t kinds);
int must_check wire_subscribe_decode(
	const void *body, size_t size, uint32_t *ret_kinds, struct error *err);

/* Start of an EVENT, followed by @n_items items of LIST. A removed model has state "gone". The
 * decoder gives -EPROTO for another kind. */
void wire_event_encode(struct bytes_writer *w, uint32_t kind, uint32_t n_items);
int must_check wire_event_decode(struct bytes_reader *r, uint32_t *ret_n_items, struct error *err);

/* ---- REGION_ADD, whose first byte carries a descriptor, and REGION_REMOVE (1.2) */

#define WIRE_REGION_INPUTS 1u /* inputs may lie in it */
#define WIRE_REGION_OUTPUTS 2u /* outputs may be written to it */

struct wire_region {
	uint64_t bytes; /* size of the memory behind the descriptor */
	uint32_t uses; /* WIRE_REGION_*, at least one */
};

void wire_region_add_encode(struct bytes_writer *w, const struct wire_region *region);
int must_check wire_region_add_decode(
	const void *body, size_t size, struct wire_region *ret_region, struct error *err);

/* A region's number, never 0: body of REGION_ADD's reply and of REGION_REMOVE, whose reply has
 * none. @type names the message in errors. */
void wire_region_encode(struct bytes_writer *w, uint32_t region);
int must_check wire_region_decode(
	const void *body, size_t size, unsigned int type, uint32_t *ret_region, struct error *err);

/* ---- RING_OPEN, whose first byte carries the doorbell, and the layout of a ring (1.3) */

/* A ring is part of a region: four words, each written by one side only, then the slots of
 * requests, then the slots of replies. A slot holds one frame. */
#define WIRE_RING_SUBMITTED 0u /* by the client: requests written to slots so far */
#define WIRE_RING_CLIENT_SLEEPS 4u /* by the client: not 0 while it waits for WIRE_RING_ANSWERED */
#define WIRE_RING_ANSWERED 64u /* by edged: replies written to slots so far */
#define WIRE_RING_EDGED_SLEEPS 68u /* by edged: not 0 while a request needs the doorbell */
#define WIRE_RING_SLOTS 128u

#define WIRE_RING_MAX_SLOTS 64u
#define WIRE_RING_MIN_SLOT 256u /* bytes */
#define WIRE_RING_MAX_SLOT 65536u

struct wire_ring {
	uint32_t region;
	uint64_t offset; /* offset in the region; a multiple of WIRE_ALIGNMENT */
	uint32_t slots, slot_bytes; /* slot_bytes is a multiple of WIRE_ALIGNMENT */
};

/* Returns the bytes of the ring in its region. */
static inline uint64_t wire_ring_bytes(const struct wire_ring *ring)
{
	return WIRE_RING_SLOTS + (uint64_t)2 * ring->slots * ring->slot_bytes;
}

/* Offset of request slot @n, and of reply slot @n, from the ring's start. */
static inline uint64_t wire_ring_request_at(const struct wire_ring *ring, uint32_t n)
{
	return WIRE_RING_SLOTS + (uint64_t)(n % ring->slots) * ring->slot_bytes;
}

static inline uint64_t wire_ring_reply_at(const struct wire_ring *ring, uint32_t n)
{
	return wire_ring_request_at(ring, n) + (uint64_t)ring->slots * ring->slot_bytes;
}

void wire_ring_encode(struct bytes_writer *w, const struct wire_ring *ring);
/* -EPROTO also for values out of range. */
int must_check wire_ring_decode(
	const void *body, size_t size, struct wire_ring *ret_ring, struct error *err);

/* ---- POWER (1.3): the request is a model's name, which may be empty */

#define WIRE_POWER_TEMPERATURE 1u /* temperature_mc and limit_mc are known */
#define WIRE_POWER_METER 2u /* power_mw and idle_mw are known */
#define WIRE_POWER_REFUSES_BATCH 4u /* batch requests are refused */
#define WIRE_POWER_LIVE 8u /* sensors are being read; otherwise these are the last readings */

struct wire_power {
	uint32_t policy; /* 0 performance, 1 balanced, 2 cool */
	uint32_t flags; /* WIRE_POWER_* */
	uint32_t duty; /* percentage of the time in which workers may run */
	/* millidegrees, of the sensor nearest to throttling, and its throttling temperature */
	int32_t temperature_mc, limit_mc;
	uint32_t power_mw, idle_mw; /* power of the machine; without load */
	struct wire_text sensor; /* name of the temperature's sensor */
	uint64_t model_runs; /* runs of the requested model with known energy */
	uint64_t model_nj; /* estimated energy of one run in nanojoules; 0: not known */
};

void wire_power_encode(struct bytes_writer *w, const struct wire_power *power);
int must_check wire_power_decode(
	const void *body, size_t size, struct wire_power *ret_power, struct error *err);
void wire_power_ask_encode(struct bytes_writer *w, struct wire_text model);
int must_check wire_power_ask_decode(
	const void *body, size_t size, struct wire_text *ret_model, struct error *err);

#endif
