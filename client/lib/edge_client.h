/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge_client - talks to edged over its Unix socket
 *
 * One struct edge_client is one connection. Two ways to use it:
 *
 *   Synchronous: edge_client_open(), then edge_client_infer() and the like; each waits for its own
 *   answer, up to a time.
 *
 *   In an event loop: edge_client_start_infer() and the like send a request and name a function
 *   that is called with the answer. Wait until edge_client_fd() is ready for edge_client_events()
 *   (which may change with every call), then call edge_client_process(). Answers come in any
 *   order. Synchronous calls may be mixed in; they also deliver the answers of other requests.
 *
 * Threads. A connection belongs to one thread at a time; different connections are independent.
 * There is no global state. No signal is raised by a lost peer.
 *
 * Ownership. What is passed in is borrowed during the call: tensors are copied before it returns.
 * Answers of synchronous calls belong to the caller and go to their _free function; answers given
 * to a callback are borrowed and end with it. Texts end with a zero byte and are UTF-8 as far as
 * the daemon's models have it; they are foreign text: escape them before printing.
 *
 * Errors. Functions return 0 or a negative errno, and fill *err, which may be NULL, when they fail:
 *
 *   -ENOTCONN, -EPROTO   the connection is gone, or its peer does not speak the protocol; it answers
 *                        nothing from now on and is good only for edge_client_close()
 *   -ETIMEDOUT           no answer in time (status DEADLINE); the request is cancelled, the
 *                        connection stays good
 *   -EAGAIN              too much waits to be sent, or the daemon is overloaded (see the status)
 *   -EINVAL              what was asked for makes no sense
 *   -ENOMEM              no memory
 *   -ENOBUFS             the answer came, and there was no memory for it
 *   others               the daemon refused; err->status says why
 *
 * Nothing but the arguments is trusted: every byte of the peer is checked.
 *
 * Units stand in names: timeout_ms, run_us. A timeout of 0 waits without end.
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
#define EDGE_CLIENT_MAX_CHANNELS 16 /* of mean and std */

/* What the daemon says of a request. The numbers never change. */
enum edge_client_code {
	EDGE_CLIENT_OK = 0,
	EDGE_CLIENT_INVALID = 1, /* the request is malformed */
	EDGE_CLIENT_NOT_FOUND = 2, /* no such model, signature or tensor */
	EDGE_CLIENT_DENIED = 3,
	EDGE_CLIENT_TOO_LARGE = 4,
	EDGE_CLIENT_OVERLOADED = 5, /* try again later */
	EDGE_CLIENT_DEADLINE = 6,
	EDGE_CLIENT_CANCELLED = 7,
	EDGE_CLIENT_SUPERSEDED = 8,
	EDGE_CLIENT_UNSUPPORTED = 9,
	EDGE_CLIENT_MODEL_REFUSED = 10,
	EDGE_CLIENT_BACKEND = 11,
	EDGE_CLIENT_INTERNAL = 12,
	EDGE_CLIENT_DRAINING = 13 /* the daemon is about to stop */
};

/* "OK", "NOT_FOUND", ...; "UNKNOWN" for other numbers. */
EDGE_CLIENT_API const char *edge_client_code_name(unsigned int status);

struct edge_client_error {
	int code; /* negative errno */
	unsigned int status; /* enum edge_client_code */
	char text[240]; /* printable, says what and where */
	uint32_t retry_after_us; /* of OVERLOADED: when to ask again; 0: not told */
};

/* Element types: the numbers of TensorFlow Lite's TensorType. */
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
	uint32_t rank; /* 0: one element */
	int32_t dim[EDGE_CLIENT_MAX_RANK]; /* row major; -1 where a model leaves it free */
};

struct edge_client;

/*
 * Connects and greets, once more when it was disconnected before it was greeted: that is edged which stops, and
 * where a manager keeps the socket the next one answers. @path NULL: $EDGED_SOCKET, else EDGE_CLIENT_DEFAULT_SOCKET. -ENOTCONN when
 * nobody listens there, -EACCES when the socket is not for this user, -EPROTO when the peer is not
 * edged or has another major version.
 */
EDGE_CLIENT_API int edge_client_open(const char *path, uint32_t timeout_ms,
	struct edge_client **ret_client, struct edge_client_error *err);

/* The same over a connected stream socket, which belongs to the connection from now on, also when
 * this fails. */
EDGE_CLIENT_API int edge_client_open_fd(int fd, uint32_t timeout_ms,
	struct edge_client **ret_client, struct edge_client_error *err);

/* Synchronous calls look for their answer again and again for up to @us before they sleep: sooner there
 * where cores are free, at the price of one. 0, as at first: they sleep. */
EDGE_CLIENT_API void edge_client_set_spin(struct edge_client *client, uint32_t us);

#define EDGE_CLIENT_SHARE_FROM 16384

/*
 * edge_client_infer() and edge_client_session_infer() hand inputs that are given by pointer over in memory that
 * this library shares with the daemon, instead of the socket, when there are @bytes of them at least, which at first
 * are EDGE_CLIENT_SHARE_FROM; 0: never. Nobody notices but by the time it takes: inputs are copied before the call
 * goes on, answers are the same, and where the daemon shares no memory, or no more, everything goes through the
 * socket. From the second such call on it takes one of the connection's regions, 640 KiB at most, which the
 * daemon counts as the user's until the connection ends, also while that asks nothing: for many connections that seldom
 * ask, 0 leaves the user's bytes to those that do. With 0 it is given back at once. It is too, for good, when anything
 * of this connection is OVERLOADED and not told when to come again, as whoever finds no room for its bytes or region;
 * a synchronous inference, edge_client_session_open() and edge_client_region_add() then ask once more by themselves.
 */
EDGE_CLIENT_API void edge_client_set_share_from(struct edge_client *client, size_t bytes);

/* NULL is fine. Requests without an answer are told -ENOTCONN. Not from within a callback. */
EDGE_CLIENT_API void edge_client_close(struct edge_client *client);

/* What the daemon said in its greeting; lives as long as the connection. */
struct edge_client_peer {
	const char *name, *version; /* "edged", "0.1.0" */
	unsigned int protocol_major, protocol_minor;
	uint32_t max_body_bytes; /* of one message */
	uint32_t max_in_flight; /* requests of one connection that are worked on at once */
	uint32_t max_tensors; /* inputs, or outputs, of one request */
	uint32_t max_sessions; /* of this connection; 0: the daemon has none */
	int has_store; /* it tells of its store, and takes orders for it */
	int has_regions; /* memory may be shared with the daemon */
	int has_events; /* it tells of changes by itself */
	int has_rings; /* requests may go through memory */
};
EDGE_CLIENT_API const struct edge_client_peer *edge_client_peer(const struct edge_client *client);

/* ---- models */

struct edge_client_list_item {
	const char *name, *version;
	const char *state; /* "loading", "ready", "refused" */
	const char *reason; /* why refused, else "" */
	uint64_t generation; /* counts loads; 0 while none serves */
	/* Of the store, where peer->has_store; else empty: */
	const char *sha256; /* of the file that serves; "" if none does */
	uint64_t since; /* when the store got it, seconds of the calendar */
	uint64_t by; /* user id of the file's owner */
	uint64_t last_good; /* the version that proved itself last; 0: none */
	int on_trial; /* what serves has not proved itself yet */
	int pinned; /* nothing takes its place */
	uint32_t taught; /* another number when its examples are other ones; 0: none */
};

struct edge_client_list {
	size_t n_items;
	const struct edge_client_list_item *items;
};

EDGE_CLIENT_API int edge_client_list(struct edge_client *client, uint32_t timeout_ms,
	struct edge_client_list **ret_list, struct edge_client_error *err);
EDGE_CLIENT_API void edge_client_list_free(struct edge_client_list *list); /* NULL is fine */

struct edge_client_tensor_info {
	const char *name;
	unsigned int type; /* enum edge_client_type */
	struct edge_client_shape shape; /* every dimension known, unless run_time_shape */
	struct edge_client_shape declared; /* -1 where the model leaves it free */
	int run_time_shape; /* an output whose shape only a run can tell */
	float scale; /* real = scale * (q - zero_point); 0: not quantised */
	int32_t zero_point;
	uint64_t bytes; /* of @shape */
	int has_content; /* the two below say something: ContentProperties and ColorSpaceType of
			    TFLite's metadata */
	unsigned int content, colour_space;
	float score_threshold; /* NaN: none */
	uint32_t n_mean, n_std; /* (x - mean) / std: 0, one, or one per channel */
	float mean[EDGE_CLIENT_MAX_CHANNELS], std[EDGE_CLIENT_MAX_CHANNELS];
	const char *labels; /* lines; "" if none */
};

struct edge_client_signature {
	const char *key; /* "" for the default */
	uint32_t n_inputs, n_outputs;
	const struct edge_client_tensor_info *inputs, *outputs;
};

struct edge_client_model {
	const char *name, *version; /* as the daemon serves it */
	const char *title, *description, *author_version; /* of the file's metadata, else "" */
	const char *labels; /* of a labels.txt beside the model: lines; "" if none */
	uint64_t generation;
	uint64_t file_bytes, arena_bytes, prepared_bytes, macs;
	uint32_t n_nodes, n_subgraphs;
	int has_float, has_state;
	uint32_t n_signatures; /* the first is the default, by position */
	const struct edge_client_signature *signatures;
};

/* @version NULL: the one that serves. */
EDGE_CLIENT_API int edge_client_describe(struct edge_client *client, const char *model,
	const char *version, uint32_t timeout_ms, struct edge_client_model **ret_model,
	struct edge_client_error *err);
EDGE_CLIENT_API void edge_client_model_free(struct edge_client_model *model); /* NULL is fine */

/* ---- inference */

struct edge_client_tensor {
	const char *name; /* in requests NULL: by @index */
	uint32_t index; /* position in the signature; in requests used when @name is NULL */
	unsigned int type; /* enum edge_client_type */
	struct edge_client_shape shape; /* every dimension known */
	const void *data; /* dense, row major, little endian; in answers 64-byte aligned. Strings:
			     int32 count, count + 1 int32 offsets from the first byte, the strings;
			     in answers proved to be so */
	size_t bytes;
	uint32_t region; /* not 0: the bytes lie in that region at @offset, and @data is NULL */
	uint64_t offset; /* a multiple of 64 */
};

/* Where the daemon is to write an output. */
struct edge_client_place {
	uint32_t output; /* its index */
	uint32_t region;
	uint64_t offset; /* a multiple of 64 */
	uint64_t room; /* bytes that the output may have there */
};

/* How urgent a request is: control before realtime before normal before batch, which gets a twentieth
 * at least. The daemon's configuration says who may use which. */
enum edge_client_priority {
	EDGE_CLIENT_NORMAL = 0,
	EDGE_CLIENT_BATCH = 1,
	EDGE_CLIENT_REALTIME = 2,
	EDGE_CLIENT_CONTROL = 3
};

struct edge_client_request {
	const char *model;
	const char *version, *signature; /* NULL: the one that serves, the default */
	uint32_t n_inputs;
	const struct edge_client_tensor *inputs;
	uint32_t deadline_us; /* the daemon gives up then and answers DEADLINE; 0: never */
	uint32_t n_places;
	const struct edge_client_place *places; /* of outputs; the others come with the answer */
	/* Daemons before protocol 1.3 know neither of these, and are not told. */
	unsigned int priority; /* enum edge_client_priority */
	uint64_t
		latest_key; /* not 0: takes the place of a request of the same user, model and key that
				still waits, which is answered SUPERSEDED; not in sessions */
};

struct edge_client_answer {
	const char *version; /* of the model that answered */
	uint64_t generation;
	uint64_t queue_us, run_us; /* in the daemon */
	uint32_t n_outputs;
	const struct edge_client_tensor *outputs;
};

/* @timeout_ms is also the daemon's deadline where the request has none. */
EDGE_CLIENT_API int edge_client_infer(struct edge_client *client,
	const struct edge_client_request *request, uint32_t timeout_ms,
	struct edge_client_answer **ret_answer, struct edge_client_error *err);
EDGE_CLIENT_API void edge_client_answer_free(struct edge_client_answer *answer); /* NULL is fine */

/* ---- sessions: the state of a model from one request to the next */

/*
 * Without a session each request finds the model's variables and tables as they are at first. In
 * one they stay, whatever signatures the requests name; its requests run one at a time, in the
 * order in which they were sent. A session belongs to this connection and ends with it, and keeps
 * the model as it was when it was opened. @version NULL: the one that serves. *ret_session is
 * never 0. -EOPNOTSUPP where the daemon has no sessions, -EAGAIN above peer->max_sessions.
 */
EDGE_CLIENT_API int edge_client_session_open(struct edge_client *client, const char *model,
	const char *version, uint32_t timeout_ms, uint32_t *ret_session,
	struct edge_client_error *err);

/* As edge_client_infer(), in a session. request->model may be NULL. A request that fails leaves the
 * state as it was. */
EDGE_CLIENT_API int edge_client_session_infer(struct edge_client *client, uint32_t session,
	const struct edge_client_request *request, uint32_t timeout_ms,
	struct edge_client_answer **ret_answer, struct edge_client_error *err);

/* Back to the first state, after what was sent before. */
EDGE_CLIENT_API int edge_client_session_reset(struct edge_client *client, uint32_t session,
	uint32_t timeout_ms, struct edge_client_error *err);

/* What was sent before is still answered. */
EDGE_CLIENT_API int edge_client_session_close(struct edge_client *client, uint32_t session,
	uint32_t timeout_ms, struct edge_client_error *err);

/* ---- memory that is shared with the daemon */

/* What a region is for. */
#define EDGE_CLIENT_INPUTS 1u
#define EDGE_CLIENT_OUTPUTS 2u

/*
 * Memory that can be a region: *ret_data are @bytes for reading and writing, *ret_fd is its
 * descriptor. Both are the caller's, for munmap() and close(); neither needs the other. All of it is taken
 * from the machine at once: -ENOMEM for more than that can spare, -EFBIG above the program's RLIMIT_FSIZE.
 * The daemon takes no region above its max-bytes-per-user, which it says only then.
 */
EDGE_CLIENT_API int edge_client_memory_new(
	size_t bytes, int *ret_fd, void **ret_data, struct edge_client_error *err);

/*
 * The daemon maps the memory behind @fd, a memfd of exactly @bytes that is sealed against shrink,
 * grow and seal and has no holes, for @uses. @fd is borrowed. From then on tensors of requests may
 * lie in region *ret_region, which is never 0, and outputs be written there, without being copied
 * through the socket. Until a request is answered its inputs should stay as they are, and its places
 * may have anything; what another does to them is seen by nobody else. A region ends with
 * the connection. -EOPNOTSUPP where peer->has_regions is 0.
 */
EDGE_CLIENT_API int edge_client_region_add(struct edge_client *client, int fd, size_t bytes,
	unsigned int uses, uint32_t timeout_ms, uint32_t *ret_region,
	struct edge_client_error *err);

/* Requests that were sent before still have it. The daemon counts the memory for its user until nobody has
 * it any more: munmap() and close() it too. */
EDGE_CLIENT_API int edge_client_region_remove(struct edge_client *client, uint32_t region,
	uint32_t timeout_ms, struct edge_client_error *err);

/*
 * From now on synchronous inferences go through memory that daemon and client share, unless they are
 * long, and not through the socket: that costs less, and with edge_client_set_spin() here and spin-us in
 * the daemon no system call at all. It takes one of the connection's regions and a descriptor.
 * -EOPNOTSUPP where peer->has_rings is 0.
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
	uint64_t queue_us, run_us; /* sums over all requests answered OK */
	uint64_t counts[EDGE_CLIENT_N_CODES]; /* requests answered, by status */
	/* 0 from a daemon before protocol 1.3: */
	uint32_t models_unloaded; /* loaded when somebody asks */
	uint64_t held_bytes, budget_bytes; /* of all loaded models together, and what they may */
};

EDGE_CLIENT_API int edge_client_status(struct edge_client *client, uint32_t timeout_ms,
	struct edge_client_status *ret_status, struct edge_client_error *err);

/* So many took at least @low_ns and less than @high_ns. */
struct edge_client_bucket {
	uint64_t low_ns, high_ns, count;
};

/* How long requests took. Buckets are sorted; empty ones are left out. */
struct edge_client_timing {
	uint64_t count, sum_ns, max_ns;
	uint32_t n_buckets;
	const struct edge_client_bucket *buckets;
};

enum edge_client_phase {
	EDGE_CLIENT_PHASE_QUEUE, /* from the request's header to a worker */
	EDGE_CLIENT_PHASE_COMPUTE, /* in a worker */
	EDGE_CLIENT_PHASE_TOTAL, /* from the header to the answer */
	EDGE_CLIENT_PHASES
};

struct edge_client_stats_user {
	uint32_t uid, clients, queued;
	uint64_t charged_bytes; /* held for it */
	uint64_t requests, run_us; /* answered OK */
};

struct edge_client_stats_model {
	const char *name, *version, *state;
	uint64_t held_bytes;
	uint64_t counts[EDGE_CLIENT_N_CODES]; /* requests answered, by status */
	struct edge_client_timing phases[EDGE_CLIENT_PHASES]; /* of those answered OK */
};

struct edge_client_stats {
	uint32_t queued[4]; /* by enum edge_client_priority */
	const char *backends; /* "cpu: avx2, avx-vnni", a line each */
	size_t n_users; /* only the caller's own for who may not manage models */
	const struct edge_client_stats_user *users;
	size_t n_models;
	const struct edge_client_stats_model *models; /* sorted by name */
};

/* -EOPNOTSUPP for a daemon before protocol 1.3. */
EDGE_CLIENT_API int edge_client_stats(struct edge_client *client, uint32_t timeout_ms,
	struct edge_client_stats **ret_stats, struct edge_client_error *err);
EDGE_CLIENT_API void edge_client_stats_free(struct edge_client_stats *stats); /* NULL is fine */

/* The time that @part (0 to 1) of the requests did not exceed, within 3.2 %: the middle of the bucket
 * of rank ceil(part * count), at most max_ns. 0 when there are none. */
EDGE_CLIENT_API uint64_t edge_client_percentile_ns(
	const struct edge_client_timing *timing, double part);

/* How warm the machine is, what edged does about it, and what runs take. Since protocol 1.3. */
struct edge_client_power {
	const char *policy; /* "performance", "balanced", "cool" */
	int sheds_batch; /* 1: batch work is turned away */
	unsigned int duty; /* percent of the time that workers may run */
	int current; /* 0: nothing is to be done, and these are the last readings before */
	int has_temperature, has_meter; /* what the next two lines say is known */
	int32_t temperature_mc, limit_mc; /* millidegrees Celsius; where the kernel slows down */
	uint32_t power_mw, idle_mw; /* that the machine takes, and without any work */
	char sensor[64]; /* whose temperature it is */
	uint64_t model_runs,
		model_nj; /* of the model: nanojoules of a run, estimated; 0: not known */
};

/* @model: whose runs are meant; NULL: none. -EOPNOTSUPP for a daemon before protocol 1.3. */
EDGE_CLIENT_API int edge_client_power(struct edge_client *client, const char *model,
	uint32_t timeout_ms, struct edge_client_power *ret_power, struct edge_client_error *err);

struct edge_client_reload {
	uint32_t models_ready, models_refused;
};

/* The daemon looks at its models again; answered when that is done. */
EDGE_CLIENT_API int edge_client_reload(struct edge_client *client, uint32_t timeout_ms,
	struct edge_client_reload *ret_reload, struct edge_client_error *err);

/* What may be done with the daemon's store of models; all but HISTORY and EXAMPLES for root and the
 * daemon's user only. */
enum edge_client_store_verb {
	EDGE_CLIENT_STORE_ROLLBACK =
		1, /* to the last good version; what served is bad from now on */
	EDGE_CLIENT_STORE_PIN = 2, /* nothing takes the place of what serves */
	EDGE_CLIENT_STORE_UNPIN = 3,
	EDGE_CLIENT_STORE_FORGET_BAD = 4, /* @argument: 8 to 64 digits of the file's SHA-256 */
	EDGE_CLIENT_STORE_HISTORY = 5, /* *ret_text: what happened to the model, a line each */
	EDGE_CLIENT_STORE_LOAD = 8, /* into memory, as a request would; 1.3 as the two below */
	EDGE_CLIENT_STORE_UNLOAD = 9, /* out of it, until somebody asks */
	EDGE_CLIENT_STORE_FSCK = 10, /* *ret_text: what is wrong with the store on the disk, a line
				     each; @argument "repair" or NULL */
	EDGE_CLIENT_STORE_INSTALL = 6, /* @fd is a bundle or a model's file */
	EDGE_CLIENT_STORE_EXPORT = 7, /* the bundle is written to @fd */
	EDGE_CLIENT_STORE_REMOVE = 11, /* a model that was installed goes, and stays gone */
	EDGE_CLIENT_STORE_TEACH = 12, /* @fd has examples: lines of a label, a tab, and numbers;
					 @argument: the version whose embeddings they are, or NULL */
	EDGE_CLIENT_STORE_UNTEACH = 13, /* @argument: the label whose examples go */
	EDGE_CLIENT_STORE_EXAMPLES = 14 /* *ret_text: those of what serves; for who may use it */
};

/* Answered when it is done. @model or @argument may be NULL where the verb has none. *ret_text, if
 * @ret_text is not NULL, goes to edge_client_text_free(). -EOPNOTSUPP without peer->has_store. */
EDGE_CLIENT_API int edge_client_store(struct edge_client *client, enum edge_client_store_verb verb,
	const char *model, const char *argument, uint32_t timeout_ms, char **ret_text,
	struct edge_client_error *err);

/*
 * INSTALL, EXPORT and TEACH, which bring an open file; it is borrowed. It must be a regular file or a memfd: it is read
 * from its beginning to its end, or written from where it stands. Of INSTALL @model may be NULL: then the bundle says
 * it, and *ret_text is "MODEL version N: ready", once that is on the disk and serves. -EBADMSG when the model is
 * refused. -EOPNOTSUPP also where peer->has_regions is 0, and for a daemon before version 1.3.
 */
EDGE_CLIENT_API int edge_client_store_fd(struct edge_client *client,
	enum edge_client_store_verb verb, const char *model, const char *argument, int fd,
	uint32_t timeout_ms, char **ret_text, struct edge_client_error *err);
EDGE_CLIENT_API void edge_client_text_free(char *text); /* NULL is fine */

/* ---- what is told without being asked for */

/* The models that have changed, borrowed; one that is not there any more has the state "gone". Called
 * from within a call of this library on the same connection, which it may not close. */
typedef void (*edge_client_models_fn)(void *data, const struct edge_client_list *list);

/* From now on @fn is told of all models, at once and when they change: whenever edge_client_process()
 * or a synchronous call reads what came. Once for each connection. -EOPNOTSUPP where the daemon tells
 * nothing by itself. */
EDGE_CLIENT_API int edge_client_subscribe_models(struct edge_client *client,
	edge_client_models_fn fn, void *data, uint32_t timeout_ms, struct edge_client_error *err);

/* ---- in an event loop */

/* One of the pointers, or @session, is set, by what was asked for; none when error.code is not 0, and
 * none when a session was reset or closed. */
struct edge_client_reply {
	uint64_t id;
	struct edge_client_error error; /* code 0: answered */
	const struct edge_client_list *list;
	const struct edge_client_model *model;
	const struct edge_client_answer *answer;
	const struct edge_client_status *status;
	const struct edge_client_reload *reload;
	uint32_t session; /* that was opened, else 0 */
	const char *text; /* of the store */
};

/* Called once for each request that was started, from within a call of this library on the same
 * connection. It may start other requests; it may not close the connection. */
typedef void (*edge_client_reply_fn)(void *data, const struct edge_client_reply *reply);

/* Valid as long as the connection is open. */
EDGE_CLIENT_API int edge_client_fd(const struct edge_client *client);

/* POLLIN, and POLLOUT while something waits to be sent. */
EDGE_CLIENT_API short edge_client_events(const struct edge_client *client);

/* Sends and receives what can be without waiting. A negative errno means that the connection is
 * gone: every request that was waiting has been told. */
EDGE_CLIENT_API int edge_client_process(struct edge_client *client, struct edge_client_error *err);

/* How many requests have no answer yet. */
EDGE_CLIENT_API size_t edge_client_in_flight(const struct edge_client *client);

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

/* Asks the daemon to give up on a request. Its callback is still called once: with CANCELLED, or
 * with the answer if that was faster. -ENOENT when no such request is waiting. */
EDGE_CLIENT_API int edge_client_cancel(
	struct edge_client *client, uint64_t id, struct edge_client_error *err);

#ifdef __cplusplus
}
#endif

#endif
