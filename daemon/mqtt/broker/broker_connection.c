/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/broker/broker_connection.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"

#define SECOND_MS 1000
#define STABLE_NS (30 * NSEC_PER_SEC)
#define RESUBSCRIBE_S 60
#define NUDGE_MS 500 /* between two signals to a connect that hangs */
#define SILENT_MAX 5 /* MQTT 5 attempts without a CONNACK before 3.1.1 is tried */

/* A poll handle on a duplicate of the socket, because libmosquitto closes its own descriptor before
 * it reports that, and libuv must not poll a closed one. */
struct broker_connection_socket {
	uv_poll_t poll;
	struct broker_connection *conn; /* NULL: the connection has ended */
	int fd;
};

/* A connect in the worker thread. */
struct broker_connection_attempt {
	uv_work_t work;
	struct broker_connection *conn; /* NULL: the result is not wanted */
	struct broker_connection_options options;
	int version;
	struct mosq *mosq;
	struct error err;
	pthread_mutex_t lock; /* protects thread and running */
	pthread_t thread;
	bool running;
};

static void on_connected(void *data, int reason);
static void on_lost(void *data, const char *why);
static void on_message(void *data, const struct mosq_message *message);

static const struct mosq_events mosq_events = {
	.on_connected = on_connected,
	.on_lost = on_lost,
	.on_message = on_message,
	.on_published = broker_connection_on_published,
	.on_subscribed = broker_connection_on_subscribed,
	.on_unsubscribed = broker_connection_on_unsubscribed,
};

#define FROM(state) (1u << (state))

/* The only place that changes the state. */
static void set_state(struct broker_connection *conn, enum broker_connection_state state)
{
	const unsigned int attempt = FROM(BROKER_CONNECTION_CONNECTING) |
		FROM(BROKER_CONNECTION_GREETING) | FROM(BROKER_CONNECTION_UP);
	const unsigned int from[] = {
		[BROKER_CONNECTION_WAITING] = FROM(BROKER_CONNECTION_LOST),
		[BROKER_CONNECTION_CONNECTING] = FROM(BROKER_CONNECTION_WAITING),
		[BROKER_CONNECTION_GREETING] = FROM(BROKER_CONNECTION_CONNECTING),
		[BROKER_CONNECTION_UP] = FROM(BROKER_CONNECTION_GREETING),
		[BROKER_CONNECTION_LOST] = attempt,
		[BROKER_CONNECTION_CLOSED] =
			attempt | FROM(BROKER_CONNECTION_WAITING) | FROM(BROKER_CONNECTION_LOST),
	};
	assert(from[state] & FROM(conn->state));
	assert((conn->attempt != NULL) == (state == BROKER_CONNECTION_CONNECTING));
	assert(conn->mosq ||
		(state != BROKER_CONNECTION_GREETING && state != BROKER_CONNECTION_UP));
	assert(!conn->mosq ||
		(state != BROKER_CONNECTION_WAITING && state != BROKER_CONNECTION_CONNECTING));
	conn->state = state;
}

/* ---- a connection's life */

static void on_message(void *data, const struct mosq_message *message)
{
	struct broker_connection *conn = data;
	conn->counts.received++;
	conn->heard_ns = clock_now_ns();
	conn->events->on_message(conn, message);
}

/* Only records the end. end_connection() runs after the library has returned. */
static void on_lost(void *data, const char *why)
{
	struct broker_connection *conn = data;
	if (conn->state != BROKER_CONNECTION_LOST) {
		set_state(conn, BROKER_CONNECTION_LOST);
		snprintf(conn->retry.lost, sizeof(conn->retry.lost), "%s", why[0] ? why : "lost");
	}
}

static void on_connected(void *data, int reason)
{
	struct broker_connection *conn = data;
	if (conn->state != BROKER_CONNECTION_GREETING) {
		on_lost(conn, "a second CONNACK");
		return;
	}
	if (reason != 0) {
		conn->retry.reason = reason;
		char why[48];
		snprintf(why, sizeof(why), "it refused us (reason %d)", reason);
		on_lost(conn, why);
		return;
	}
	set_state(conn, BROKER_CONNECTION_UP);
	conn->up_since_ns = clock_now_ns();
	conn->retry.logged[0] = 0;
	uv_timer_stop(&conn->handles.timer);
	log_info(conn->log, "broker %s: connected, MQTT %s", conn->settings->name,
		conn->retry.version == 5 ? "5" : "3.1.1");
	broker_connection_subscribe_all(conn);
	conn->events->on_up(conn);
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct broker_connection_socket *socket = handle->data;
	close(socket->fd);
	free(socket);
}

static void unwatch(struct broker_connection *conn)
{
	struct broker_connection_socket *socket = take(conn->socket);
	if (socket) {
		socket->conn = NULL;
		uv_poll_stop(&socket->poll);
		uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
	}
}

static void on_timer(uv_timer_t *timer);

/* Full jitter: a random part of a delay that doubles. */
static void wait_then_retry(struct broker_connection *conn)
{
	const struct settings_broker *s = conn->settings;
	uint64_t chance = 0;
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0) {
		chance = clock_now_ns();
	}
	conn->retry.backoff_ms =
		conn->retry.backoff_ms ? 2 * conn->retry.backoff_ms : s->reconnect_min_ms;
	if (conn->retry.backoff_ms > s->reconnect_max_ms) {
		conn->retry.backoff_ms = s->reconnect_max_ms;
	}
	uv_timer_start(&conn->handles.timer, on_timer, 1 + chance % conn->retry.backoff_ms, 0);
}

/* Logs each reason once until the connection is up again. */
static void log_lost(struct broker_connection *conn, bool was_up)
{
	bool news = was_up || strcmp(conn->retry.logged, conn->retry.lost) != 0;
	log_write(conn->log, news ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "broker %s: %s",
		conn->settings->name, conn->retry.lost);
	memcpy(conn->retry.logged, conn->retry.lost, sizeof(conn->retry.logged));
}

/* Chooses the version of the next attempt. A broker of MQTT 3.1.1 may close the connection on an
 * MQTT 5 CONNECT without a word. */
static void choose_version(struct broker_connection *conn, bool was_up)
{
	if (strcmp(conn->settings->protocol, "auto") != 0) {
		return;
	}
	if (conn->retry.version == 4) {
		conn->retry.version = 5;
		conn->retry.n_silent = was_up ? SILENT_MAX - 1 : 0;
		return;
	}
	conn->retry.n_silent = was_up || conn->retry.reason ? 0 : conn->retry.n_silent + 1;
	if (conn->retry.reason == MOSQ_REASON_PROTOCOL || conn->retry.n_silent >= SILENT_MAX) {
		conn->retry.version = 4;
	}
}

static void end_connection(struct broker_connection *conn)
{
	const bool was_up = conn->up_since_ns, was_sent = conn->socket;
	log_lost(conn, was_up);
	unwatch(conn);
	mosq_free(take(conn->mosq));
	set_state(conn, BROKER_CONNECTION_WAITING);
	broker_connection_put_back(conn);
	broker_connection_subscriptions_lost(conn);
	if (was_up) {
		conn->counts.lost++;
		if (clock_now_ns() - conn->up_since_ns > STABLE_NS) {
			conn->retry.backoff_ms = 0;
		}
		conn->events->on_down(conn);
	}
	if (was_sent) {
		choose_version(conn, was_up);
	}
	wait_then_retry(conn);
}

/* libuv reports EBADF for any socket error, so SO_ERROR is read. */
static const char *why_of(int fd, int status)
{
	int code = 0;
	socklen_t size = sizeof(code);
	bool known = getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 && code != 0;
	return known ? strerror(code) : status == UV_EBADF ? "lost" : uv_strerror(status);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct broker_connection_socket *socket = poll->data;
	struct broker_connection *conn = socket->conn;
	if (!conn || !conn->mosq) {
		return;
	}
	if (status < 0) {
		on_lost(conn, why_of(socket->fd, status));
		return;
	}
	if (events & UV_WRITABLE) {
		mosq_write(conn->mosq);
	}
	if ((events & UV_READABLE) && conn->state != BROKER_CONNECTION_LOST) {
		mosq_read(conn->mosq);
	}
}

static void arm(struct broker_connection *conn)
{
	int events = (conn->pause.active ? 0 : UV_READABLE) | UV_DISCONNECT;
	events |= mosq_wants_write(conn->mosq) ? UV_WRITABLE : 0;
	/* While reading is paused, a close by the peer is noticed later. */
	events = conn->pause.active ? events & ~UV_DISCONNECT : events;
	int r = events ? uv_poll_start(&conn->socket->poll, events, on_ready)
		       : uv_poll_stop(&conn->socket->poll);
	if (r < 0) {
		on_lost(conn, uv_strerror(r));
	}
}

static int watch(struct broker_connection *conn)
{
	struct broker_connection_socket *socket = calloc(1, sizeof(*socket));
	int fd = fcntl(mosq_fd(conn->mosq), F_DUPFD_CLOEXEC, 0);
	int r = !socket || fd < 0 ? -ENOMEM : uv_poll_init(conn->loop, &socket->poll, fd);
	if (r < 0) {
		free(socket);
		own_close_fd(&fd);
		return r;
	}
	socket->fd = fd;
	socket->poll.data = socket;
	socket->conn = conn;
	conn->socket = socket;
	return 0;
}

/* ---- attempts */

static void connect_it(uv_work_t *work)
{
	struct broker_connection_attempt *a = work->data;
	const struct broker_connection_options *o = &a->options;
	pthread_mutex_lock(&a->lock);
	a->thread = pthread_self();
	a->running = true;
	pthread_mutex_unlock(&a->lock);
	int r = mosq_new(&o->broker, o->client_id, a->version, o->max_packet, o->will_topic,
		&a->mosq, &a->err);
	if (r == 0 && mosq_connect(a->mosq, &a->err) < 0) {
		mosq_free(take(a->mosq));
	}
	pthread_mutex_lock(&a->lock);
	a->running = false;
	pthread_mutex_unlock(&a->lock);
}

static void attempt_free(struct broker_connection_attempt *a)
{
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static void on_attempted(uv_work_t *work, int status)
{
	struct broker_connection_attempt *a = work->data;
	struct broker_connection *conn = a->conn;
	(void)status;
	if (!conn) {
		mosq_free(a->mosq);
		attempt_free(a);
		return;
	}
	conn->attempt = NULL;
	conn->mosq = a->mosq;
	if (!conn->mosq || mosq_fd(conn->mosq) < 0 || watch(conn) < 0) {
		on_lost(conn, a->err.text);
		end_connection(conn);
	} else {
		set_state(conn, BROKER_CONNECTION_GREETING);
		mosq_listen(conn->mosq, &mosq_events, conn);
	}
	attempt_free(a);
}

static void attempt_start(struct broker_connection *conn)
{
	struct broker_connection_attempt *a = calloc(1, sizeof(*a));
	if (!a) {
		wait_then_retry(conn);
		return;
	}
	pthread_mutex_init(&a->lock, NULL);
	a->work.data = a;
	a->conn = conn;
	a->options = conn->options;
	a->version = conn->retry.version;
	if (uv_queue_work(conn->loop, &a->work, connect_it, on_attempted) < 0) {
		attempt_free(a);
		wait_then_retry(conn);
		return;
	}
	conn->retry.reason = 0;
	conn->up_since_ns = 0;
	conn->attempt = a;
	set_state(conn, BROKER_CONNECTION_CONNECTING);
	uv_timer_start(
		&conn->handles.timer, on_timer, conn->settings->connect_timeout_ms, NUDGE_MS);
}

/* Ends a connect() that hangs with EINTR. */
static void nudge(struct broker_connection_attempt *a)
{
	pthread_mutex_lock(&a->lock);
	if (a->running) {
		pthread_kill(a->thread, SIGUSR2);
	}
	pthread_mutex_unlock(&a->lock);
}

static void on_timer(uv_timer_t *timer)
{
	struct broker_connection *conn = timer->data;
	switch (conn->state) {
	case BROKER_CONNECTION_WAITING:
		attempt_start(conn);
		break;
	case BROKER_CONNECTION_CONNECTING:
		nudge(conn->attempt);
		break;
	case BROKER_CONNECTION_GREETING:
		on_lost(conn, "no CONNACK in time");
		break;
	default:
		uv_timer_stop(timer);
		break;
	}
}

/* ---- callbacks of the loop */

static void on_prepare(uv_prepare_t *prepare)
{
	struct broker_connection *conn = prepare->data;
	if (!conn->mosq) {
		return;
	}
	broker_connection_flush(conn);
	if (conn->full || conn->full_for_errors) {
		conn->events->on_outbox_space(conn);
	}
	if (conn->state == BROKER_CONNECTION_UP) {
		broker_connection_pump(conn);
	}
	if (conn->state != BROKER_CONNECTION_LOST) {
		arm(conn);
	}
	if (conn->state == BROKER_CONNECTION_LOST) {
		end_connection(conn);
	}
}

static void on_second(uv_timer_t *timer)
{
	struct broker_connection *conn = timer->data;
	broker_connection_sync(conn);
	if (conn->state == BROKER_CONNECTION_GREETING || conn->state == BROKER_CONNECTION_UP) {
		mosq_misc(conn->mosq);
	}
	uint64_t up_s = (clock_now_ns() - conn->up_since_ns) / NSEC_PER_SEC;
	if (conn->state == BROKER_CONNECTION_UP && up_s % RESUBSCRIBE_S == RESUBSCRIBE_S - 1) {
		broker_connection_subscribe_again(conn);
	}
}

static void on_nothing(int number)
{
	(void)number;
}

static void start_handles(struct broker_connection *conn)
{
	uv_timer_init(conn->loop, &conn->handles.timer);
	uv_timer_init(conn->loop, &conn->handles.second);
	uv_prepare_init(conn->loop, &conn->handles.prepare);
	conn->handles.timer.data = conn->handles.second.data = conn->handles.prepare.data = conn;
	conn->handles.references = 3;
	uv_timer_start(&conn->handles.second, on_second, SECOND_MS, SECOND_MS);
	uv_prepare_start(&conn->handles.prepare, on_prepare);
}

int broker_connection_start(uv_loop_t *loop, const struct log *log,
	const struct broker_connection_options *options, const char *spool_folder,
	const struct broker_connection_events *events, void *data,
	struct broker_connection **ret_conn, struct error *err)
{
	const struct settings_broker *s = &options->broker;
	struct broker_connection *conn = calloc(1, sizeof(*conn));
	if (!conn) {
		return error_no_memory(err);
	}
	*conn = (struct broker_connection){.loop = loop,
		.log = log,
		.options = *options,
		.settings = &conn->options.broker,
		.events = events,
		.data = data,
		.retry.version = strcmp(s->protocol, "3.1.1") == 0 ? 4 : 5};
	int r = spool_folder && s->spool_bytes
		? spool_open(spool_folder, s->spool_bytes, &conn->spool, err)
		: 0;
	if (r < 0) {
		free(conn);
		return r;
	}
	const struct sigaction nothing = {
		.sa_handler = on_nothing}; /* without SA_RESTART calls end with EINTR */
	sigaction(SIGUSR2, &nothing, NULL);
	outbox_init(&conn->outbox, s->outbox_messages, s->outbox_bytes);
	start_handles(conn);
	if (conn->spool) {
		broker_connection_log_missing(conn, 0);
	}
	uv_timer_start(&conn->handles.timer, on_timer, 0, 0);
	*ret_conn = conn;
	return 0;
}

void broker_connection_release(struct broker_connection *conn)
{
	if (--conn->handles.references > 0) {
		return;
	}
	for (size_t i = 0; i < conn->subscriptions.n; i++) {
		free(conn->subscriptions.items[i].filter);
	}
	outbox_deinit(&conn->outbox);
	free(conn->home.announced);
	free(conn);
}

static void on_handle_closed(uv_handle_t *handle)
{
	broker_connection_release(handle->data);
}

void broker_connection_stop(struct broker_connection *conn)
{
	if (conn->attempt) {
		conn->attempt->conn = NULL;
		nudge(take(conn->attempt));
	}
	if (conn->state == BROKER_CONNECTION_UP) {
		mosq_disconnect(conn->mosq);
	}
	unwatch(conn);
	mosq_free(take(conn->mosq));
	broker_connection_put_back(conn);
	spool_close(take(conn->spool));
	set_state(conn, BROKER_CONNECTION_CLOSED);
	uv_close((uv_handle_t *)&conn->handles.timer, on_handle_closed);
	uv_close((uv_handle_t *)&conn->handles.second, on_handle_closed);
	uv_close((uv_handle_t *)&conn->handles.prepare, on_handle_closed);
}

bool broker_connection_is_flushed(const struct broker_connection *conn)
{
	bool spooled = conn->spool && spool_length(conn->spool) > 0;
	return conn->state != BROKER_CONNECTION_UP ||
		(conn->outbox.n == 0 && !spooled && conn->subscriptions.unsubscribing == 0 &&
			!mosq_wants_write(conn->mosq));
}
