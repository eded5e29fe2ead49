/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge_client - client library of edged, the inference daemon, over its Unix socket
 *
 * One struct edge_client is one connection. There are two ways to use a connection:
 *
 *   Synchronous: edge_client_open(), then edge_client_infer() and the other calls. Each call waits
 *   for its own answer, for up to timeout_ms.
 *
 *   In an event loop: edge_client_start_infer() and the other _start_ functions queue a request
 *   and name a callback. Poll edge_client_fd() for edge_client_events(), which may change with
 *   every call, then call edge_client_process(). Answers come in any order. Synchronous calls are
 *   allowed on the same connection; they also deliver the answers of other requests.
 *
 * Threads. One thread at a time uses a connection. Different connections are independent. The
 * library has no global state. A lost peer raises no signal.
 *
 * Ownership. Arguments are borrowed during the call: tensors are copied before the call returns.
 * Answers of synchronous calls belong to the caller, who passes them to their _free function;
 * _free functions accept NULL. Answers passed to a callback are borrowed and valid until the
 * callback returns. Texts end with a zero byte. Texts come from model files and may hold control
 * characters or invalid UTF-8: escape them before printing.
 *
 * Errors. Functions return 0 or a negative errno. On failure they fill *err, which may be NULL:
 *
 *   -ENOTCONN, -EPROTO   the connection is lost, or the peer broke the protocol; every later call
 *                        fails, only edge_client_close() is left
 *   -ETIMEDOUT           no answer in time (status DEADLINE); the request is cancelled, the
 *                        connection stays usable
 *   -EAGAIN              too many bytes wait to be sent, or the daemon is overloaded (see status)
 *   -EINVAL              an argument is invalid
 *   -ENOMEM              out of memory
 *   -ENOBUFS             the answer came, but there was no memory for it
 *   others               the daemon refused the request; err->status says why
 *
 * Shapes are row major, without padding between elements. Units stand in names: timeout_ms,
 * run_us. A timeout of 0 never expires. The library checks every byte that the peer sends.
 */
#ifndef EDGED_EDGE_CLIENT_H
#define EDGED_EDGE_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EDGE_CLIENT_API __attribute__((visibility("default")))
#define EDGE_CLIENT_DEFAULT_SOCKET "/run/edged/edged.sock"
#define EDGE_CLIENT_MAX_RANK 8
#define EDGE_CLIENT_MAX_CHANNELS 16 /* most values of mean, and of std */

/* Result of a request. The numbers never change. */
enum edge_client_code {
	EDGE_CLIENT_OK = 0,
	EDGE_CLIENT_INVALID = 1, /* the request is malformed */
	EDGE_CLIENT_NOT_FOUND = 2, /* no such model, signature or tensor */
	EDGE_CLIENT_DENIED = 3,
	EDGE_CLIENT_TOO_LARGE = 4,
	EDGE_CLIENT_OVERLOADED = 5, /* the daemon has too much work: try again later */
	EDGE_CLIENT_DEADLINE = 6,
	EDGE_CLIENT_CANCELLED = 7,
	EDGE_CLIENT_SUPERSEDED = 8,
	EDGE_CLIENT_UNSUPPORTED = 9,
	EDGE_CLIENT_MODEL_REFUSED = 10,
	EDGE_CLIENT_BACKEND = 11,
	EDGE_CLIENT_INTERNAL = 12,
	EDGE_CLIENT_DRAINING = 13 /* the daemon is shutting down */
};

/* Returns "OK", "NOT_FOUND", ...; "UNKNOWN" for other numbers. */
EDGE_CLIENT_API const char *edge_client_code_name(unsigned int status);

struct edge_client_error {
	int code; /* negative errno */
	unsigned int status; /* enum edge_client_code; EDGE_CLIENT_OK where the daemon sent none */
	char text[240]; /* printable, ends with a zero byte; says what failed and where */
	uint32_t retry_after_us; /* of OVERLOADED: wait before a retry; 0: unknown */
};

/* Element types. The numbers are those of TensorFlow Lite's TensorType. */
enum edge_client_type {
	EDGE_CLIENT_FLOAT32 = 0,
	EDGE_CLIENT_FLOAT16 = 1,
	EDGE_CLIENT_INT32 = 2,
	EDGE_CLIENT_UINT8 = 3,
	EDGE_CLIENT_INT64 = 4,
	EDGE_CLIENT_STRING = 5,
	EDGE_CLIENT_BOOL = 6,
	EDGE_CLIENT_INT16 = 7,
	EDGE_CLIENT_COMPLEX64 = 8,
	EDGE_CLIENT_INT8 = 9,
	EDGE_CLIENT_FLOAT64 = 10,
	EDGE_CLIENT_COMPLEX128 = 11,
	EDGE_CLIENT_UINT64 = 12,
	EDGE_CLIENT_UINT32 = 15,
	EDGE_CLIENT_UINT16 = 16,
	EDGE_CLIENT_INT4 = 17,
	EDGE_CLIENT_BFLOAT16 = 18
};

struct edge_client_shape {
	uint32_t rank; /* number of dimensions; 0: a scalar, one element */
	int32_t dim[EDGE_CLIENT_MAX_RANK]; /* row major; -1: dynamic dimension */
};

struct edge_client;

/*
 * Connects to edged and sends the greeting. Retries once if the peer closed the connection before
 * it answered the greeting: edged was stopping, and with socket activation the next edged answers.
 * @path NULL: $EDGED_SOCKET, else EDGE_CLIENT_DEFAULT_SOCKET. *ret_client goes to
 * edge_client_close(). -ENOTCONN: nobody listens at @path. -EACCES: this user may not open the
 * socket. -EPROTO: the peer is not edged, or has another major version of the protocol.
 */
EDGE_CLIENT_API int edge_client_open(const char *path, uint32_t timeout_ms,
	struct edge_client **ret_client, struct edge_client_error *err);

/* Like edge_client_open() over @fd, a connected stream socket. The connection owns @fd, also on
 * failure. */
EDGE_CLIENT_API int edge_client_open_fd(int fd, uint32_t timeout_ms,
	struct edge_client **ret_client, struct edge_client_error *err);

/* Synchronous calls poll for their answer for up to @us microseconds before they sleep. This
 * shortens the latency and uses a whole CPU core meanwhile. 0, the default: sleep at once. */
EDGE_CLIENT_API void edge_client_set_spin(struct edge_client *client, uint32_t us);

#define EDGE_CLIENT_SHARE_FROM 16384

/*
 * Sets the number of input bytes from which edge_client_infer() and edge_client_session_infer()
 * use shared memory instead of the socket. @bytes counts the inputs given by pointer, all
 * together. Default: EDGE_CLIENT_SHARE_FROM. 0: never.
 *
 * The call copies the inputs into a region of this connection. Where the daemon offers no shared
 * memory the socket is used. The second such call takes one of the connection's regions, 640 KiB
 * at most. The daemon charges the region to the user until the connection ends, also while the
 * connection is idle. A program with many mostly idle connections sets 0. @bytes 0 gives the
 * region back at once. The library gives it back for good when any request of this connection is
 * answered OVERLOADED without retry_after_us; a synchronous inference, edge_client_session_open()
 * and edge_client_region_add() then repeat their request once.
 */
EDGE_CLIENT_API void edge_client_set_share_from(struct edge_client *client, size_t bytes);

/* Closes the connection and frees @client, which may be NULL. Open requests get -ENOTCONN. Must
 * not be called from a callback. */
EDGE_CLIENT_API void edge_client_close(struct edge_client *client);

/* The daemon's greeting. Valid until edge_client_close(). */
struct edge_client_peer {
	const char *name, *version; /* for example "edged" and "0.1.0" */
	unsigned int protocol_major, protocol_minor;
	uint32_t max_body_bytes; /* longest body of one message, in bytes */
	uint32_t max_in_flight; /* requests of one connection processed at once, at most */
	uint32_t max_tensors; /* most inputs, and most outputs, of one request */
	uint32_t max_sessions; /* most sessions of this connection; 0: the daemon has no sessions */
	int has_store; /* 1: edge_client_store() works */
	int has_regions; /* 1: edge_client_region_add() works */
	int has_events; /* 1: edge_client_subscribe_models() works */
	int has_rings; /* 1: edge_client_use_ring() works */
};
EDGE_CLIENT_API const struct edge_client_peer *edge_client_peer(const struct edge_client *client);

/* ---- models */

struct edge_client_list_item {
	const char *name, *version;
	const char *state; /* "loading", "ready", "refused" or "unloaded" */
	const char *reason; /* why the model was refused, else "" */
	/* number of the load of this version, counted over all models; 0: no version serves */
	uint64_t generation;
	/* The fields below come from the store. They are zero or "" without peer->has_store. */
	const char *sha256; /* digest of the serving file in hexadecimal; "" if no version serves */
	uint64_t since; /* when the version was installed, in seconds since 1970 UTC */
	uint64_t by; /* user id of the file's owner */
	uint64_t last_good; /* last version that passed its trial; 0: none */
	int on_trial; /* 1: the serving version is still on trial */
	int pinned; /* 1: no other version replaces the serving one */
	uint32_t taught; /* changes with the few-shot examples; 0: none */
};

struct edge_client_list {
	size_t n_items;
	const struct edge_client_list_item *items;
};

/* Lists all models. *ret_list goes to edge_client_list_free(). */
EDGE_CLIENT_API int edge_client_list(struct edge_client *client, uint32_t timeout_ms,
	struct edge_client_list **ret_list, struct edge_client_error *err);
EDGE_CLIENT_API void edge_client_list_free(struct edge_client_list *list);

struct edge_client_tensor_info {
	const char *name;
	unsigned int type; /* enum edge_client_type */
	struct edge_client_shape shape; /* no dynamic dimension, unless run_time_shape is 1 */
	struct edge_client_shape declared; /* shape in the model file; -1: dynamic dimension */
	int run_time_shape; /* 1: only a run decides the shape of this output */
	float scale; /* real = scale * (q - zero_point); 0: not quantized */
	int32_t zero_point;
	uint64_t bytes; /* bytes of a tensor of shape @shape */
	int has_content; /* 1: content and colour_space are known */
	unsigned int content, colour_space;
	float score_threshold; /* from the metadata; NaN: none */
	uint32_t n_mean, n_std; /* 0, 1 or one for each channel; (x - mean) / std */
	float mean[EDGE_CLIENT_MAX_CHANNELS], std[EDGE_CLIENT_MAX_CHANNELS];
	const char *labels; /* one label a line; "" if none */
};

struct edge_client_signature {
	const char *key; /* "" is the default signature */
	uint32_t n_inputs, n_outputs;
	const struct edge_client_tensor_info *inputs, *outputs;
};

struct edge_client_model {
	const char *name, *version; /* the version that the daemon serves */
	const char *title, *description, *author_version; /* from the metadata, else "" */
	const char *labels; /* of labels.txt beside the model file, one label a line; "" if none */
	uint64_t generation; /* number of the load of this version */
	uint64_t file_bytes, arena_bytes, prepared_bytes, macs;
	uint32_t n_nodes, n_subgraphs;
	int has_float, has_state;
	uint32_t n_signatures; /* the first one is the default signature */
	const struct edge_client_signature *signatures;
};

/* Describes a model's tensors and metadata. @version NULL: the serving version. *ret_model goes
 * to edge_client_model_free(). */
EDGE_CLIENT_API int edge_client_describe(struct edge_client *client, const char *model,
	const char *version, uint32_t timeout_ms, struct edge_client_model **ret_model,
	struct edge_client_error *err);
EDGE_CLIENT_API void edge_client_model_free(struct edge_client_model *model);

/* ---- inference */

struct edge_client_tensor {
	const char *name; /* in requests NULL: the tensor is chosen by @index */
	uint32_t index; /* position in the signature; in requests only read where @name is NULL */
	unsigned int type; /* enum edge_client_type */
	struct edge_client_shape shape; /* no dynamic dimension */
	/* row major without padding, little endian; 64-byte aligned in answers. Strings: int32
	 * count, count + 1 int32 offsets from the first byte, the strings; offsets of answers
	 * are checked, except in regions. */
	const void *data;
	size_t bytes;
	uint32_t region; /* not 0: the data is in this region, at @offset, and @data is NULL */
	uint64_t offset; /* offset in the region in bytes, a multiple of 64 */
};

/* Names the place in a region to which the daemon writes one output. */
struct edge_client_place {
	uint32_t output; /* index of the output in the signature */
	uint32_t region;
	uint64_t offset; /* offset in the region in bytes, a multiple of 64 */
	uint64_t room; /* size of the place in bytes */
};

/* Scheduling class of a request. Control runs before realtime, realtime before normal, normal
 * before batch. Batch requests get at least a twentieth of the time. The daemon's configuration
 * says which user may use which class. */
enum edge_client_priority {
	EDGE_CLIENT_NORMAL = 0,
	EDGE_CLIENT_BATCH = 1,
	EDGE_CLIENT_REALTIME = 2,
	EDGE_CLIENT_CONTROL = 3
};

struct edge_client_request {
	const char *model;
	const char *version, *signature; /* NULL: the serving version, the default signature */
	uint32_t n_inputs;
	const struct edge_client_tensor *inputs;
	uint32_t deadline_us; /* the daemon then answers DEADLINE; 0: none */
	uint32_t n_places;
	const struct edge_client_place *places; /* all other outputs are in the answer */
	/* Both fields below are ignored by daemons before protocol 1.3. */
	unsigned int priority; /* enum edge_client_priority */
	/* not 0: replaces a queued request of the same user, model and key, which is answered
	 * SUPERSEDED; not in sessions */
	uint64_t latest_key;
};

struct edge_client_answer {
	const char *version; /* of the model that ran */
	uint64_t generation; /* number of the load that ran */
	uint64_t queue_us, run_us; /* in the daemon, in microseconds */
	uint32_t n_outputs;
	const struct edge_client_tensor *outputs;
};

/* Runs @request and waits for the answer. *ret_answer goes to edge_client_answer_free(). Where
 * request->deadline_us is 0, @timeout_ms is also the daemon's deadline. */
EDGE_CLIENT_API int edge_client_infer(struct edge_client *client,
	const struct edge_client_request *request, uint32_t timeout_ms,
	struct edge_client_answer **ret_answer, struct edge_client_error *err);
EDGE_CLIENT_API void edge_client_answer_free(struct edge_client_answer *answer);

/* ---- sessions: the state of a model is kept between requests */

/*
 * Opens a session. Without a session each request starts from the initial state of the model's
 * variables and hash tables. In a session the state is kept from one request to the next, for all
 * signatures of the model. The requests of one session run one at a time, in the order in which
 * they were sent. The session keeps its version of the model when another version begins to serve.
 * It ends with the connection. @version NULL: the serving version. *ret_session is never 0.
 * -EOPNOTSUPP: the daemon has no sessions. -EAGAIN: peer->max_sessions are open.
 */
EDGE_CLIENT_API int edge_client_session_open(struct edge_client *client, const char *model,
	const char *version, uint32_t timeout_ms, uint32_t *ret_session,
	struct edge_client_error *err);

/* Runs @request in a session, otherwise like edge_client_infer(). request->model may be NULL. A
 * request that fails does not change the session's state. */
EDGE_CLIENT_API int edge_client_session_infer(struct edge_client *client, uint32_t session,
	const struct edge_client_request *request, uint32_t timeout_ms,
	struct edge_client_answer **ret_answer, struct edge_client_error *err);

/* Sets the session back to the initial state, after all requests sent before this call. */
EDGE_CLIENT_API int edge_client_session_reset(struct edge_client *client, uint32_t session,
	uint32_t timeout_ms, struct edge_client_error *err);

/* Closes the session. Requests sent before this call are still answered. */
EDGE_CLIENT_API int edge_client_session_close(struct edge_client *client, uint32_t session,
	uint32_t timeout_ms, struct edge_client_error *err);

/* ---- memory that is shared with the daemon */

/* What a region may be used for, combined with |. */
#define EDGE_CLIENT_INPUTS 1u
#define EDGE_CLIENT_OUTPUTS 2u

/*
 * Allocates memory that can be made a region. All @bytes are allocated at once. *ret_fd is the
 * descriptor, for close(). *ret_data is a mapping for reading and writing, for munmap(). Both
 * belong to the caller and may be released in any order. -ENOMEM: the machine has less memory
 * available. -EFBIG: above RLIMIT_FSIZE of the process. The daemon's own limit,
 * max-bytes-per-user, is checked by edge_client_region_add() only.
 */
EDGE_CLIENT_API int edge_client_memory_new(
	size_t bytes, int *ret_fd, void **ret_data, struct edge_client_error *err);

/*
 * Shares memory with the daemon as a region of this connection.
 *
 * @fd:        borrowed; a memfd of exactly @bytes, sealed against shrink, grow and seal, no holes
 * @uses:      EDGE_CLIENT_INPUTS, EDGE_CLIENT_OUTPUTS or both
 * *ret_region is never 0.
 *
 * From then on inputs of requests may be in the region, and outputs may be written there. Leave
 * the inputs unchanged until the request is answered; until then the content of its output places
 * is undefined. The region ends with the connection. -EOPNOTSUPP: peer->has_regions is 0.
 */
EDGE_CLIENT_API int edge_client_region_add(struct edge_client *client, int fd, size_t bytes,
	unsigned int uses, uint32_t timeout_ms, uint32_t *ret_region,
	struct edge_client_error *err);

/* Removes a region. Requests sent before this call may still use it. The daemon charges the
 * memory to the user until every process has released it, so munmap() and close() it too. */
EDGE_CLIENT_API int edge_client_region_remove(struct edge_client *client, uint32_t region,
	uint32_t timeout_ms, struct edge_client_error *err);

/*
 * From now on synchronous inferences with messages of at most 16 KiB go through a ring in shared
 * memory instead of the socket. A ring is faster; with edge_client_set_spin() here and spin-us= in
 * the daemon an inference needs no system call. The ring takes one of the connection's regions and
 * one descriptor. -EOPNOTSUPP: peer->has_rings is 0.
 */
EDGE_CLIENT_API int edge_client_use_ring(
	struct edge_client *client, uint32_t timeout_ms, struct edge_client_error *err);

/* ---- the daemon */

#define EDGE_CLIENT_N_CODES 14

struct edge_client_status {
	uint64_t uptime_us;
	uint32_t models_ready, models_loading, models_refused;
	uint32_t clients, workers, queue_length, running;
	uint64_t resident_bytes, charged_bytes;
	uint64_t queue_us, run_us; /* sums over all requests answered OK, in microseconds */
	uint64_t counts[EDGE_CLIENT_N_CODES]; /* number of answered requests, by status */
	/* The fields below are 0 from a daemon before protocol 1.3. */
	uint32_t models_unloaded; /* models that the next request to them loads */
	uint64_t held_bytes, budget_bytes; /* bytes of all loaded models together, and the limit */
};

EDGE_CLIENT_API int edge_client_status(struct edge_client *client, uint32_t timeout_ms,
	struct edge_client_status *ret_status, struct edge_client_error *err);

/* Number of requests that took at least @low_ns and less than @high_ns. */
struct edge_client_bucket {
	uint64_t low_ns, high_ns, count;
};

/* Histogram of request times. Buckets are sorted by time; empty buckets are left out. */
struct edge_client_timing {
	uint64_t count, sum_ns, max_ns;
	uint32_t n_buckets;
	const struct edge_client_bucket *buckets;
};

enum edge_client_phase {
	EDGE_CLIENT_PHASE_QUEUE, /* from the request's header to the start on a worker */
	EDGE_CLIENT_PHASE_COMPUTE, /* on a worker */
	EDGE_CLIENT_PHASE_TOTAL, /* from the request's header to the answer */
	EDGE_CLIENT_PHASES
};

struct edge_client_stats_user {
	uint32_t uid, clients, queued;
	uint64_t charged_bytes; /* bytes that the daemon charges to the user */
	uint64_t requests, run_us; /* answered OK; time in microseconds */
};

struct edge_client_stats_model {
	const char *name, *version, *state;
	uint64_t held_bytes;
	uint64_t counts[EDGE_CLIENT_N_CODES]; /* number of answered requests, by status */
	struct edge_client_timing phases[EDGE_CLIENT_PHASES]; /* of the requests answered OK */
};

struct edge_client_stats {
	uint32_t queued[4]; /* requests in the queue, by enum edge_client_priority */
	const char *backends; /* one a line: "cpu: avx2, avx-vnni" */
	size_t n_users; /* only the caller's own entry, unless the caller may manage models */
	const struct edge_client_stats_user *users;
	size_t n_models;
	const struct edge_client_stats_model *models; /* sorted by name */
};

/* Gets counters and histograms. *ret_stats goes to edge_client_stats_free(). -EOPNOTSUPP: the
 * daemon is older than protocol 1.3. */
EDGE_CLIENT_API int edge_client_stats(struct edge_client *client, uint32_t timeout_ms,
	struct edge_client_stats **ret_stats, struct edge_client_error *err);
EDGE_CLIENT_API void edge_client_stats_free(struct edge_client_stats *stats);

/* Returns the time in ns that @part (0 to 1) of the requests did not exceed, within 3.2 %: the
 * middle of the bucket of rank ceil(part * count), at most max_ns. Returns 0 for an empty
 * histogram. */
EDGE_CLIENT_API uint64_t edge_client_percentile_ns(
	const struct edge_client_timing *timing, double part);

/* Temperature, throttling and energy of runs. Since protocol 1.3. */
struct edge_client_power {
	const char *policy; /* "performance", "balanced", "cool" */
	int refuses_batch; /* 1: the daemon refuses batch requests */
	unsigned int duty; /* percent of the time that workers may run */
	int current; /* 0: throttling is inactive, the readings are old */
	int has_temperature, has_meter; /* 1: the temperatures, the powers below are known */
	int32_t temperature_mc, limit_mc; /* millidegrees Celsius: now; kernel throttles */
	uint32_t power_mw, idle_mw; /* of the whole machine in mW: now; without load */
	char sensor[64]; /* name of the temperature sensor */
	uint64_t model_runs, model_nj; /* of @model; energy of one run in nJ, 0: unknown */
};

/* Gets the power state. @model: the model whose runs are reported; NULL: none. -EOPNOTSUPP: the
 * daemon is older than protocol 1.3. */
EDGE_CLIENT_API int edge_client_power(struct edge_client *client, const char *model,
	uint32_t timeout_ms, struct edge_client_power *ret_power, struct edge_client_error *err);

struct edge_client_reload {
	uint32_t models_ready, models_refused;
};

/* The daemon rescans its model folders. Returns when that is finished. */
EDGE_CLIENT_API int edge_client_reload(struct edge_client *client, uint32_t timeout_ms,
	struct edge_client_reload *ret_reload, struct edge_client_error *err);

/* Operations on the daemon's store of models. HISTORY and EXAMPLES are for every user of the
 * model, the others for root and the daemon's user only. */
enum edge_client_store_verb {
	EDGE_CLIENT_STORE_ROLLBACK = 1, /* to the last good version; the serving one becomes bad */
	EDGE_CLIENT_STORE_PIN = 2, /* no other version replaces the serving one */
	EDGE_CLIENT_STORE_UNPIN = 3,
	EDGE_CLIENT_STORE_FORGET_BAD = 4, /* @argument: 8 to 64 digits of the file's SHA-256 */
	EDGE_CLIENT_STORE_HISTORY = 5, /* *ret_text: events of the model, one a line */
	EDGE_CLIENT_STORE_LOAD = 8, /* into memory; LOAD, UNLOAD, FSCK since protocol 1.3 */
	EDGE_CLIENT_STORE_UNLOAD = 9, /* from memory, until the next request */
	/* *ret_text: damage on disk, a line each; @argument: "repair" or NULL */
	EDGE_CLIENT_STORE_FSCK = 10,
	EDGE_CLIENT_STORE_INSTALL = 6, /* @fd: a bundle or a model file */
	EDGE_CLIENT_STORE_EXPORT = 7, /* writes the bundle to @fd */
	EDGE_CLIENT_STORE_REMOVE = 11, /* removes an installed model for good */
	/* @fd: lines of label, tab, numbers; @argument: version of the model or NULL */
	EDGE_CLIENT_STORE_TEACH = 12,
	EDGE_CLIENT_STORE_UNTEACH = 13, /* @argument: the label whose examples are removed */
	EDGE_CLIENT_STORE_EXAMPLES = 14 /* *ret_text: examples of the serving version */
};

/* Runs one operation and returns when it is finished. @model and @argument may be NULL where the
 * operation has none. @ret_text may be NULL; *ret_text goes to edge_client_text_free().
 * -EOPNOTSUPP: peer->has_store is 0. */
EDGE_CLIENT_API int edge_client_store(struct edge_client *client, enum edge_client_store_verb verb,
	const char *model, const char *argument, uint32_t timeout_ms, char **ret_text,
	struct edge_client_error *err);

/*
 * Runs INSTALL, EXPORT or TEACH, the operations that need an open file.
 *
 * @fd:       borrowed; a regular file or a memfd. Reading starts at its beginning, writing at its
 *            current offset.
 * @model:    may be NULL for INSTALL: the bundle names the model
 * *ret_text: after INSTALL "MODEL version N: ready", once the version is on disk and serves
 * -EBADMSG: the model was refused. -EOPNOTSUPP: as edge_client_store(), or peer->has_regions is 0,
 * or the daemon is older than protocol 1.3.
 */
EDGE_CLIENT_API int edge_client_store_fd(struct edge_client *client,
	enum edge_client_store_verb verb, const char *model, const char *argument, int fd,
	uint32_t timeout_ms, char **ret_text, struct edge_client_error *err);
EDGE_CLIENT_API void edge_client_text_free(char *text);

/* ---- events */

/* Called with the models that changed. @list is borrowed. A model that was removed has the state
 * "gone". The call comes from within a library call on the same connection; @fn must not close
 * the connection. */
typedef void (*edge_client_models_fn)(void *data, const struct edge_client_list *list);

/* Subscribes @fn to changes of models. @fn gets the list of all models at once, then every
 * change, from within edge_client_process() or a synchronous call. Once for each connection.
 * -EOPNOTSUPP: peer->has_events is 0. */
EDGE_CLIENT_API int edge_client_subscribe_models(struct edge_client *client,
	edge_client_models_fn fn, void *data, uint32_t timeout_ms, struct edge_client_error *err);

/* ---- in an event loop */

/* The answer to one request. The request's type decides which pointer, or @session, is set. None
 * is set when error.code is not 0, and for a session that was reset or closed. */
struct edge_client_reply {
	uint64_t id;
	struct edge_client_error error; /* code 0: success */
	const struct edge_client_list *list;
	const struct edge_client_model *model;
	const struct edge_client_answer *answer;
	const struct edge_client_status *status;
	const struct edge_client_reload *reload;
	uint32_t session; /* of session_open: the new session, else 0 */
	const char *text; /* of a store operation */
};

/* Called once for each started request, from within a library call on the same connection. The
 * callback may start requests; it must not close the connection. */
typedef void (*edge_client_reply_fn)(void *data, const struct edge_client_reply *reply);

/* Returns the socket to poll, valid until edge_client_close(). */
EDGE_CLIENT_API int edge_client_fd(const struct edge_client *client);

/* Returns POLLIN, with POLLOUT while bytes wait to be sent. */
EDGE_CLIENT_API short edge_client_events(const struct edge_client *client);

/* Sends and receives without waiting. A negative errno: the connection is lost, and the callback
 * of every open request has been called. */
EDGE_CLIENT_API int edge_client_process(struct edge_client *client, struct edge_client_error *err);

/* Returns the number of requests without an answer. */
EDGE_CLIENT_API size_t edge_client_in_flight(const struct edge_client *client);

/* Queue a request with the arguments of the synchronous call. On success @fn is called once, with
 * the request's *ret_id in reply->id. */
EDGE_CLIENT_API int edge_client_start_list(struct edge_client *client, edge_client_reply_fn fn,
	void *data, uint64_t *ret_id, struct edge_client_error *err);
EDGE_CLIENT_API int edge_client_start_describe(struct edge_client *client, const char *model,
	const char *version, edge_client_reply_fn fn, void *data, uint64_t *ret_id,
	struct edge_client_error *err);
EDGE_CLIENT_API int edge_client_start_infer(struct edge_client *client,
	const struct edge_client_request *request, edge_client_reply_fn fn, void *data,
	uint64_t *ret_id, struct edge_client_error *err);
EDGE_CLIENT_API int edge_client_start_status(struct edge_client *client, edge_client_reply_fn fn,
	void *data, uint64_t *ret_id, struct edge_client_error *err);
EDGE_CLIENT_API int edge_client_start_reload(struct edge_client *client, edge_client_reply_fn fn,
	void *data, uint64_t *ret_id, struct edge_client_error *err);

EDGE_CLIENT_API int edge_client_start_store(struct edge_client *client,
	enum edge_client_store_verb verb, const char *model, const char *argument,
	edge_client_reply_fn fn, void *data, uint64_t *ret_id, struct edge_client_error *err);
EDGE_CLIENT_API int edge_client_start_session_open(struct edge_client *client, const char *model,
	const char *version, edge_client_reply_fn fn, void *data, uint64_t *ret_id,
	struct edge_client_error *err);
EDGE_CLIENT_API int edge_client_start_session_infer(struct edge_client *client, uint32_t session,
	const struct edge_client_request *request, edge_client_reply_fn fn, void *data,
	uint64_t *ret_id, struct edge_client_error *err);
EDGE_CLIENT_API int edge_client_start_session_reset(struct edge_client *client, uint32_t session,
	edge_client_reply_fn fn, void *data, uint64_t *ret_id, struct edge_client_error *err);
EDGE_CLIENT_API int edge_client_start_session_close(struct edge_client *client, uint32_t session,
	edge_client_reply_fn fn, void *data, uint64_t *ret_id, struct edge_client_error *err);

/* Asks the daemon to cancel request @id. The request's callback is still called once: with
 * CANCELLED, or with the answer if it was ready first. -ENOENT: no open request has this id. */
EDGE_CLIENT_API int edge_client_cancel(
	struct edge_client *client, uint64_t id, struct edge_client_error *err);

#ifdef __cplusplus
}
#endif

#endif
