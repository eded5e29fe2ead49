/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link - one broker: connecting again and again, what goes there, what comes from there
 *
 * Names are looked up and connections made in another thread; until that is done nobody else touches
 * its mosq. A connection that did not get the broker's yes in time is given up. Between attempts a
 * random part of a time that doubles is waited; it starts anew once a connection has held.
 *
 * A link is on the heap and has copies of all that it was started with, so that the configuration may change
 * under it; it is freed once it was stopped and the loop has closed its handles.
 *
 * What is sent goes through the outbox, whose messages outlive connections. Results may go through a
 * spool on disk while the broker is away; from then on all go there until it is empty, so that they
 * arrive in order.
 *
 * A connection that ends with messages on their way may have ended because of one of them. So at the beginning the next
 * one takes them one at a time, and what was alone on its way when one ended last. What is that for LINK_MAX_ENDS
 * connections in a row goes; one that ends with something else on its way, or with nothing, clears it, since a network
 * that fails does not wait for its turn. Ends for which the broker gives another reason (MQTT 5) are not looked at.
 * The same is so of lives of the program that end while the first result of the spool is on its way (spool.h).
 * Where what goes is large, and larger than what this broker has ever taken, others of its size are left out for an hour.
 */
#ifndef DAEMON_MQTT_LINK_H
#define DAEMON_MQTT_LINK_H

#include <uv.h>

#include "base/log.h"
#include "daemon/mqtt/hush.h"
#include "daemon/mqtt/mosq.h"
#include "daemon/mqtt/outbox.h"
#include "daemon/mqtt/spool.h"
#include "daemon/mqtt/topics.h"

#define LINK_MAX_SUBSCRIPTIONS 384
#define LINK_MAX_ENDS 5

enum link_state {
	LINK_WAITING, /* for the next attempt */
	LINK_CONNECTING, /* in the other thread */
	LINK_GREETING, /* the broker is to say yes */
	LINK_UP,
	LINK_CLOSED,
};

struct discovery;
struct link;
struct link_socket;
struct link_attempt;

struct link_events {
	void (*on_up)(struct link *link);
	void (*on_down)(struct link *link);
	void (*on_message)(struct link *link, const struct mosq_message *message);
	/* Something may have left while answers waited for room. */
	void (*on_room)(struct link *link);
	/* The broker does not take this message, which goes; @too_large: because of its size, so far as can be told. */
	void (*on_given_up)(struct link *link, struct outbox_message *message, bool too_large);
};

struct link_subscription {
	char *filter; /* owned */
	unsigned int qos;
	bool own; /* what is retained of our own topics */
	int mid; /* of the SUBSCRIBE; 0: not sent on this connection */
	bool asked; /* on some connection */
	bool refused;
	bool gone; /* to be unsubscribed once it is up again: the broker may remember it */
};

struct link_counts {
	uint64_t connects, lost, received, sent, acknowledged, refused_subscriptions, too_large,
		denied, /* PUBACKs of 128 and above */
		spooled, replayed;
};

/* What Home Assistant was told at this broker (home.c). */
struct link_home {
	struct discovery *told; /* NULL: nothing; malloc'ed, freed with the link */
	uint64_t hash; /* of the message; 0: it is to be sent again */
	bool has_gone; /* the message has components with their platform alone */
	bool leaves; /* the device goes, when all else has arrived */
	uint64_t wait_until_ns; /* the broker may have something of an earlier life */
};

/* What it takes to connect; copied, so that the other thread has its own. */
struct link_options {
	struct settings_broker broker;
	char client_id[SETTINGS_TOPIC_SIZE], will_topic[TOPICS_MAX];
	uint32_t max_packet;
};

struct link {
	uint32_t number; /* no two of one bridge have the same; who has started it sets it */
	uv_loop_t *loop;
	const struct log *log;
	struct link_options options;
	const struct settings_broker *settings; /* of the options */
	const struct link_events *events;
	void *data;

	enum link_state state;
	int version; /* of MQTT, of the next attempt */
	int reason; /* of the CONNACK that refused us; 0: there was none */
	unsigned int mute; /* attempts with MQTT 5 that were closed without a CONNACK, in a row */
	bool takes_4; /* the broker has shown it, and has not taken 5 since */
	struct mosq *mosq;
	struct link_attempt *attempt; /* in the other thread */
	struct link_socket *socket;
	char lost[160]; /* why; "": it is not */
	int lost_reason; /* of the broker's DISCONNECT, or 0 */
	uint64_t backoff_ms, up_since_ns;
	char said[160]; /* why it cannot be reached, as it was told last; "": it was not */
	bool paused; /* nothing is read, */
	uint64_t paused_until_ns; /* until then at the latest (serve.c) */
	uint64_t rests_until_ns; /* it is not paused again before */
	uint64_t heard_ns; /* when a message came last */
	uint64_t leave_by_ns; /* it is to end, by then at the latest; 0: it stays */
	bool said_stopped;
	uv_timer_t timer; /* the next attempt, or the end of this one */
	uv_timer_t second;
	uv_prepare_t prepare;
	struct outbox outbox;
	bool full; /* answers wait for room (serve.c), */
	bool packed; /* however small they are */
	bool stuck; /* since room_look(): the broker takes no answers */
	bool careful; /* the connection before, or the life, ended with messages on their way */
	uint64_t sent_ns; /* when one was handed over last */
	size_t largest; /* bytes of what the broker has acknowledged */
	size_t too_large; /* so many bytes and more it does not take; 0: nothing is known */
	uint64_t too_large_until_ns;
	uint64_t suspect; /* record of the spool, */
	unsigned int suspect_ends; /* and its ends, because it is read anew; 0: none */
	struct spool *spool; /* NULL: none */
	uv_work_t sync;
	int sync_fds[SPOOL_MAX_FDS]; /* that are being synced */
	size_t n_sync_fds;
	bool syncing;
	unsigned int holds; /* handles, and the thread that syncs: the last one frees it */
	struct link_subscription subscriptions[LINK_MAX_SUBSCRIPTIONS];
	size_t n_subscriptions;
	struct link_home home;
	bool looked_back; /* at what an earlier life has left there (leftover.c) */
	uint64_t look_until_ns; /* 0: not at it */
	uint64_t looks_end_ns; /* no look begins later, */
	bool look_again; /* however much there may be left */
	bool untold; /* something that is retained was not taken (announce.c) */
	bool owes; /* nor was what empties a topic: what it has of ours is to be looked at */
	size_t unsubscribing; /* words of the broker that are still to come */
	struct link_counts counts;
	struct hush denied; /* lines about those */
};

/* @spool_folder: NULL for none. Starts the first attempt. *ret_link is owned by whom calls link_stop(). */
int must_check link_start(uv_loop_t *loop, const struct log *log,
	const struct link_options *options, const char *spool_folder,
	const struct link_events *events, void *data, struct link **ret_link, struct error *err);

/* Says goodbye and closes the spool; the rest goes with the loop's turns. */
void link_stop(struct link *link);

/* @message is taken. False when it was dropped, as outbox_put() says. */
bool link_publish(struct link *link, struct outbox_message *message);

/* Now if it is up and has not this filter with this QoS yet, and on every connection to come. -ENOSPC above LINK_MAX_SUBSCRIPTIONS. */
int must_check link_subscribe(
	struct link *link, const char *filter, unsigned int qos, struct error *err);
/* The same to see what the broker has kept of ours. */
int must_check link_subscribe_own(struct link *link, const char *filter, struct error *err);
/* Where it is subscribed and up: once more, so that what is retained comes again. */
void link_subscribe_anew(struct link *link, const char *filter);
/* Now, or once it is up. One that is not subscribed too: an earlier life may have been. */
void link_unsubscribe(struct link *link, const char *filter);
bool link_is_subscribed(const struct link *link, const char *filter);

/* Stops and goes on reading. */
void link_pause(struct link *link, bool paused);

/* Has everything been handed over and acknowledged, and will nothing come any more that was unsubscribed? */
bool link_is_flushed(const struct link *link);

#endif
