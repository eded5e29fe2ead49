/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/link.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "daemon/mqtt/culprit.h"
#include "daemon/mqtt/link_send.h"
#include "daemon/mqtt/link_subscribe.h"

#define SECOND_MS 1000
#define STABLE_NS (UINT64_C(30) * 1000000000)
#define RESUBSCRIBE_S 60
#define NUDGE_MS 500 /* between two tries to end a connect that hangs */
#define MUTE_MAX 5 /* closed without a CONNACK so often, it may be of 3.1.1 */
/* Of link.reason: no CONNACK in time; a good one that is not believed. */
#define LATE (-1)
#define DOUBTED (-2)
#define NS_PER_S UINT64_C(1000000000)

/* A watched descriptor: the library closes its own before it says so, and libuv must not lose one
 * that it polls. */
struct link_socket {
	uv_poll_t poll;
	struct link *link; /* NULL: over */
	int fd;
};

/* A connect in the other thread. */
struct link_attempt {
	uv_work_t work;
	struct link *link; /* NULL: nobody wants it any more */
	struct link_options options;
	int version;
	bool doubtful;
	struct mosq *mosq;
	struct error err;
	pthread_mutex_t lock; /* of the two below */
	pthread_t thread;
	bool running;
};

static void attempt_start(struct link *link);
static void arm(struct link *link);

static void on_connected(void *data, int reason);
static void on_lost(void *data, int reason, const char *why);
static void on_message(void *data, const struct mosq_message *message);

static const struct mosq_events mosq_events = {
	.on_connected = on_connected,
	.on_lost = on_lost,
	.on_message = on_message,
	.on_published = link_on_published,
	.on_subscribed = link_on_subscribed,
	.on_unsubscribed = link_on_unsubscribed,
};

/* ---- a connection's life */

static void on_message(void *data, const struct mosq_message *message)
{
	struct link *link = data;
	if (link->reason == DOUBTED) {
		return; /* the broker has no word of us for it, and sends it again */
	}
	link->counts.received++;
	link->heard_ns = clock_now_ns();
	link->events->on_message(link, message);
}

/* What is to be done about it waits until the library has returned. */
static void on_lost(void *data, int reason, const char *why)
{
	struct link *link = data;
	if (!link->lost[0]) {
		link->lost_reason = reason;
		snprintf(link->lost, sizeof(link->lost), "%s", why[0] ? why : "lost");
	}
}

static bool is_auto(const struct link *link)
{
	return strcmp(link->settings->protocol, "auto") == 0;
}

/* Closing without a word is what a broker of 3.1.1 may do, and what a proxy does whose broker is away. So 4 is believed
 * where the broker has said that it wants that, or takes it and then closes on 5 once more. A connection to see that
 * changes nothing there: it has no will, says no goodbye, and leaves what waits for us. */
static bool is_doubtful(const struct link *link)
{
	return is_auto(link) && link->version == 4 && !link->takes_4;
}

static void on_connected(void *data, int reason)
{
	struct link *link = data;
	if (link->state != LINK_GREETING) {
		on_lost(link, 0, "a second CONNACK");
		return;
	}
	if (reason != 0) {
		link->reason = reason;
		snprintf(link->lost, sizeof(link->lost), "it refused us (reason %d)", reason);
		return;
	}
	if (is_doubtful(link)) {
		link->takes_4 = true;
		link->reason = DOUBTED;
		on_lost(link, 0, "it takes MQTT 3.1.1; once more with MQTT 5");
		return;
	}
	link->state = LINK_UP;
	link->takes_4 = link->version == 4; /* what it took before 5 is long ago */
	link->up_since_ns = clock_now_ns();
	link->said[0] = 0;
	link->counts.connects++;
	uv_timer_stop(&link->timer);
	log_info(link->log, "broker %s: connected, MQTT %s", link->settings->name,
		link->version == 5 ? "5" : "3.1.1");
	link_subscribe_all(link);
	link->events->on_up(link);
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct link_socket *socket = handle->data;
	close(socket->fd);
	free(socket);
}

static void unwatch(struct link *link)
{
	struct link_socket *socket = take(link->socket);
	if (socket) {
		socket->link = NULL;
		uv_poll_stop(&socket->poll);
		uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
	}
}

static void on_timer(uv_timer_t *timer);

/* Full jitter: any part of a time that doubles. */
static void wait_then_retry(struct link *link)
{
	const struct settings_broker *s = link->settings;
	uint64_t chance = 0;
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0) {
		chance = clock_now_ns();
	}
	link->backoff_ms = link->backoff_ms ? 2 * link->backoff_ms : s->reconnect_min_ms;
	if (link->backoff_ms > s->reconnect_max_ms) {
		link->backoff_ms = s->reconnect_max_ms;
	}
	link->state = LINK_WAITING;
	uv_timer_start(&link->timer, on_timer, 1 + chance % link->backoff_ms, 0);
}

/* Once for each reason until it is up again. */
static void say_lost(struct link *link, bool was_up)
{
	bool news = was_up || strcmp(link->said, link->lost) != 0;
	log_write(link->log, news ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "broker %s: %s",
		link->settings->name, link->lost);
	memcpy(link->said, link->lost, sizeof(link->said));
}

/* Of the next attempt, after the broker has taken us, or was to. A mistake is dear: 3.1.1 knows no response topic, and
 * ends the session in which the broker keeps what is on its way here. */
static void choose_version(struct link *link, bool was_up)
{
	if (!is_auto(link)) {
		return;
	}
	if (link->version == 4) {
		link->version = 5;
		link->mute = was_up || link->takes_4 ? MUTE_MAX - 1 : 0;
		return;
	}
	link->mute = was_up || link->reason > 0 ? 0 : link->mute + (link->reason == 0);
	if (link->reason == MOSQ_REASON_PROTOCOL) {
		link->takes_4 = true;
		link->version = 4;
	} else if (link->mute >= MUTE_MAX) {
		link->version = 4;
	}
}

static void end_connection(struct link *link)
{
	bool was_up = link->state == LINK_UP;
	bool greeting = link->state == LINK_GREETING;
	say_lost(link, was_up);
	unwatch(link);
	mosq_free(take(link->mosq));
	link->lost[0] = 0;
	link->unsubscribing = 0;
	link->state = LINK_WAITING;
	if (was_up) {
		link_look_for_culprit(link);
	}
	link_put_back(link);
	for (size_t i = 0; i < link->n_subscriptions; i++) {
		link->subscriptions[i].mid = 0;
	}
	if (was_up) {
		link->counts.lost++;
		if (clock_now_ns() - link->up_since_ns > STABLE_NS) {
			link->backoff_ms = 0;
		}
		link->events->on_down(link);
	}
	if (was_up || greeting) {
		choose_version(link, was_up);
	}
	wait_then_retry(link);
}

/* libuv says EBADF for whatever has happened to the socket. */
static const char *why_of(int fd, int status)
{
	int code = 0;
	socklen_t size = sizeof(code);
	bool told = getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 && code != 0;
	return told ? strerror(code) : status == UV_EBADF ? "lost" : uv_strerror(status);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct link_socket *socket = poll->data;
	struct link *link = socket->link;
	if (!link || !link->mosq) {
		return;
	}
	if (status < 0) {
		on_lost(link, 0, why_of(socket->fd, status));
		return;
	}
	if (events & UV_WRITABLE) {
		mosq_write(link->mosq);
	}
	if ((events & UV_READABLE) && !link->lost[0]) {
		culprit_set(link->settings->name);
		mosq_read(link->mosq);
		culprit_set(NULL);
	}
}

static void arm(struct link *link)
{
	int events = (link->paused ? 0 : UV_READABLE) | UV_DISCONNECT;
	events |= mosq_wants_write(link->mosq) ? UV_WRITABLE : 0;
	/* A peer that closes while nothing is read shows once reading goes on. */
	events = link->paused ? events & ~UV_DISCONNECT : events;
	int r = events ? uv_poll_start(&link->socket->poll, events, on_ready)
		       : uv_poll_stop(&link->socket->poll);
	if (r < 0) {
		on_lost(link, 0, uv_strerror(r));
	}
}

static int watch(struct link *link)
{
	struct link_socket *socket = calloc(1, sizeof(*socket));
	int fd = fcntl(mosq_fd(link->mosq), F_DUPFD_CLOEXEC, 0);
	int r = !socket || fd < 0 ? -ENOMEM : uv_poll_init(link->loop, &socket->poll, fd);
	if (r < 0) {
		free(socket);
		own_close_fd(&fd);
		return r;
	}
	socket->fd = fd;
	socket->poll.data = socket;
	socket->link = link;
	link->socket = socket;
	return 0;
}

/* ---- attempts */

static void connect_it(uv_work_t *work)
{
	struct link_attempt *a = work->data;
	const struct link_options *o = &a->options;
	pthread_mutex_lock(&a->lock);
	a->thread = pthread_self();
	a->running = true;
	pthread_mutex_unlock(&a->lock);
	int r = mosq_new(&o->broker, o->client_id, a->version, o->max_packet,
		a->doubtful ? NULL : o->will_topic, &a->mosq, &a->err);
	if (r == 0 && mosq_connect(a->mosq, &a->err) < 0) {
		mosq_free(take(a->mosq));
	}
	pthread_mutex_lock(&a->lock);
	a->running = false;
	pthread_mutex_unlock(&a->lock);
}

static void attempt_free(struct link_attempt *a)
{
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static void on_attempted(uv_work_t *work, int status)
{
	struct link_attempt *a = work->data;
	struct link *link = a->link;
	(void)status;
	if (!link) {
		mosq_free(a->mosq);
		attempt_free(a);
		return;
	}
	link->attempt = NULL;
	link->mosq = a->mosq;
	link->state = LINK_GREETING;
	if (link->mosq) {
		mosq_listen(link->mosq, &mosq_events, link);
	}
	if (!link->mosq || mosq_fd(link->mosq) < 0 || watch(link) < 0) {
		link->state = LINK_CONNECTING; /* nobody was there to greet */
		on_lost(link, 0, a->err.text);
		end_connection(link);
	}
	attempt_free(a);
}

static void attempt_start(struct link *link)
{
	struct link_attempt *a = calloc(1, sizeof(*a));
	if (!a) {
		wait_then_retry(link);
		return;
	}
	pthread_mutex_init(&a->lock, NULL);
	a->work.data = a;
	a->link = link;
	a->options = link->options;
	a->version = link->version;
	a->doubtful = is_doubtful(link);
	link->reason = 0;
	link->state = LINK_CONNECTING;
	link->attempt = a;
	if (uv_queue_work(link->loop, &a->work, connect_it, on_attempted) < 0) {
		link->attempt = NULL;
		attempt_free(a);
		wait_then_retry(link);
		return;
	}
	uv_timer_start(&link->timer, on_timer, link->settings->connect_timeout_ms, NUDGE_MS);
}

/* Ends a connect() that hangs: the signal has a handler that does nothing. */
static void nudge(struct link_attempt *a)
{
	pthread_mutex_lock(&a->lock);
	if (a->running) {
		pthread_kill(a->thread, SIGUSR2);
	}
	pthread_mutex_unlock(&a->lock);
}

static void on_timer(uv_timer_t *timer)
{
	struct link *link = timer->data;
	switch (link->state) {
	case LINK_WAITING:
		attempt_start(link);
		break;
	case LINK_CONNECTING:
		nudge(link->attempt);
		break;
	case LINK_GREETING:
		link->reason = LATE;
		on_lost(link, 0, "no CONNACK in time");
		break;
	default:
		uv_timer_stop(timer);
		break;
	}
}

/* ---- the loop's turns */

static void on_prepare(uv_prepare_t *prepare)
{
	struct link *link = prepare->data;
	if (!link->mosq) {
		return;
	}
	link_flush(link);
	if (link->full || link->packed) {
		link->events->on_room(link);
	}
	if (!link->lost[0] && link->state == LINK_UP) {
		link_pump(link);
	}
	if (!link->lost[0]) {
		arm(link);
	}
	if (link->lost[0]) {
		end_connection(link);
	}
}

static void on_second(uv_timer_t *timer)
{
	struct link *link = timer->data;
	link_sync(link);
	if (link->mosq && link->state >= LINK_GREETING && !link->lost[0]) {
		mosq_misc(link->mosq);
	}
	uint64_t up_s = (clock_now_ns() - link->up_since_ns) / NS_PER_S;
	if (link->state == LINK_UP && !link->lost[0] && up_s % RESUBSCRIBE_S == RESUBSCRIBE_S - 1) {
		link_subscribe_again(link);
	}
}

static void on_nothing(int number)
{
	(void)number;
}

static void start_handles(struct link *link)
{
	uv_timer_init(link->loop, &link->timer);
	uv_timer_init(link->loop, &link->second);
	uv_prepare_init(link->loop, &link->prepare);
	link->timer.data = link->second.data = link->prepare.data = link;
	link->holds = 3;
	uv_timer_start(&link->second, on_second, SECOND_MS, SECOND_MS);
	uv_prepare_start(&link->prepare, on_prepare);
}

int link_start(uv_loop_t *loop, const struct log *log, const struct link_options *options,
	const char *spool_folder, const struct link_events *events, void *data,
	struct link **ret_link, struct error *err)
{
	const struct settings_broker *s = &options->broker;
	struct link *link = calloc(1, sizeof(*link));
	if (!link) {
		return error_no_memory(err);
	}
	*link = (struct link){.loop = loop,
		.log = log,
		.options = *options,
		.settings = &link->options.broker,
		.events = events,
		.data = data,
		.version = strcmp(s->protocol, "3.1.1") == 0 ? 4 : 5};
	int r = spool_folder && s->spool_bytes
		? spool_open(spool_folder, s->spool_bytes, &link->spool, err)
		: 0;
	if (r < 0) {
		free(link);
		return r;
	}
	const struct sigaction nothing = {.sa_handler = on_nothing}; /* calls end with EINTR */
	sigaction(SIGUSR2, &nothing, NULL);
	outbox_init(&link->outbox, s->outbox_messages, s->outbox_bytes);
	start_handles(link);
	if (link->spool) {
		uint64_t number = 0;
		link->careful = spool_tries(link->spool, &number) > 0;
		link_say_missing(link, 0);
	}
	link->backoff_ms = culprit_wait_ms(s);
	uv_timer_start(&link->timer, on_timer, link->backoff_ms, 0);
	*ret_link = link;
	return 0;
}

void link_release(struct link *link)
{
	if (--link->holds > 0) {
		return;
	}
	for (size_t i = 0; i < link->n_subscriptions; i++) {
		free(link->subscriptions[i].filter);
	}
	outbox_deinit(&link->outbox);
	free(link->home.told);
	free(link);
}

static void on_handle_closed(uv_handle_t *handle)
{
	link_release(handle->data);
}

void link_stop(struct link *link)
{
	if (link->attempt) {
		link->attempt->link = NULL;
		nudge(take(link->attempt));
	}
	if (link->mosq && link->state == LINK_UP && !link->lost[0]) {
		mosq_disconnect(link->mosq);
	}
	unwatch(link);
	mosq_free(take(link->mosq));
	link_put_back(link);
	spool_close(take(link->spool));
	link->state = LINK_CLOSED;
	uv_close((uv_handle_t *)&link->timer, on_handle_closed);
	uv_close((uv_handle_t *)&link->second, on_handle_closed);
	uv_close((uv_handle_t *)&link->prepare, on_handle_closed);
}

void link_pause(struct link *link, bool paused)
{
	link->paused = paused;
}

bool link_is_flushed(const struct link *link)
{
	bool spooled = link->spool && spool_length(link->spool) > 0;
	return link->state != LINK_UP ||
		(link->outbox.n == 0 && !spooled && link->unsubscribing == 0 &&
			!mosq_wants_write(link->mosq));
}
