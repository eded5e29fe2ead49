/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bridge - edged-mqtt as a whole: its parts, in the order in which they start
 *
 * All of it belongs to the loop's thread; connecting, syncing to disk, what was set and the pin command run in libuv's
 * threads, on things that nobody else touches meanwhile.
 *
 *   link.h      one broker         receive.c   a message becomes a request
 *   brokers.c   all of them        serve.c     which waits for its turn
 *   service.h   edged              respond.c   what the message says
 *   decoder.h   the child          announce.c  what is said without being asked
 *   pipes.h     pipelines          command.c   what is set over MQTT
 *   home.c      Home Assistant     leftover.c  what an earlier life has left at a broker
 *   room.c      for answers        saver.h     what was set, on disk
 */
#ifndef DAEMON_MQTT_BRIDGE_H
#define DAEMON_MQTT_BRIDGE_H

#include <uv.h>

#include "base/log.h"
#include "daemon/mqtt/ask.h"
#include "daemon/mqtt/decoder.h"
#include "daemon/mqtt/dedup.h"
#include "daemon/mqtt/discovery.h"
#include "daemon/mqtt/hush.h"
#include "daemon/mqtt/link.h"
#include "daemon/mqtt/pipes.h"
#include "daemon/mqtt/saver.h"
#include "daemon/mqtt/service.h"
#include "daemon/mqtt/settings.h"
#include "daemon/mqtt/topics.h"

#define BRIDGE_N_CODES EDGE_CLIENT_N_CODES
#define BRIDGE_SIGNALS 3
#define BRIDGE_MAX_LINKS (2 * SETTINGS_MAX_BROKERS) /* all may be replaced at once */

struct bridge_counts {
	uint64_t requests, answers, results, expired, shed, duplicates, retained, refused, commands,
		resumed;
	uint64_t by_code[BRIDGE_N_CODES]; /* answers */
};

/* In place of a hash: something was said, not all have room for the latest. */
#define BRIDGE_SAY_AGAIN 1

struct bridge {
	struct log log;
	struct settings settings;
	const char *path, *socket; /* of the command line; NULL: not there */
	char state[CONFIG_PATH_SIZE]; /* folder; "": none */
	char status_topic[TOPICS_MAX];
	uv_loop_t loop;
	struct models models;
	struct asks asks;
	struct dedup dedup;
	struct kept kept;
	struct service service;
	struct decoder decoder;
	struct pipes pipes;
	struct link *links[BRIDGE_MAX_LINKS]; /* those that leave, too */
	size_t n_links;
	uint32_t last_link; /* the number of the one that began last */
	uv_signal_t signals[BRIDGE_SIGNALS];
	uv_timer_t expiry, stats, capability, pause, rediscover, drain, watchdog, home;
	bool listed; /* edged has said which models there are */
	bool settled; /* and all of them, as far as that is known by now */
	bool draining, in_pool;
	bool paused; /* some link is */
	uint64_t started_ns;
	uint64_t lost_said_ns; /* that an answer was lost */
	uint64_t sequence; /* of results */
	double service_ns; /* moving mean of what a request takes in edged */
	struct bridge_counts counts;
	struct saver set, set_pipelines; /* the files of the state folder */
	struct hush orders, refused; /* lines about what was set, and what was not */
	struct discovery_device device;
	uint64_t home_ns; /* Home Assistant is told nothing before */
};

/* Reads the configuration, and the pipelines: of those *ret_bad are no good, which was logged. *bridge is
 * zeroed first; @path and @socket outlive it. */
int must_check bridge_configure(struct bridge *bridge, const char *path, const char *socket,
	size_t *ret_bad, struct error *err);

/* Runs until a signal ends it. Returns the exit status. */
int bridge_run(struct bridge *bridge);

/* Everything ends with the loop's turns. */
void bridge_stop(struct bridge *bridge);

/* Tells the service manager how things are. */
void bridge_say_status(struct bridge *bridge);

/* ---- brokers.c */

/* Has a link to every broker of the configuration, and to no other: one that is gone from it, or was changed, is left as at the
 * end of the program, its successor begins afterwards. The others see nothing of it. On a failure of a broker the rest is dealt with
 * all the same. */
int must_check brokers_follow(struct bridge *bridge, struct error *err);
/* -EINVAL for what @settings wants of a broker and this gateway does not have. */
int must_check brokers_check(
	const struct bridge *bridge, const struct settings *settings, struct error *err);
/* All are left. */
void brokers_leave(struct bridge *bridge);
/* Whether those that leave have what they are to have; what else there is to do about them. */
void brokers_on_drain(uv_timer_t *timer);
void brokers_stop(struct bridge *bridge);
/* What those that have behaved for a while did before is forgotten (culprit.h). */
void brokers_forgive(struct bridge *bridge);

/* ---- reload.c */

/* The files, and what of the command line counts more. */
int must_check reload_read(struct bridge *bridge, struct settings *ret_settings, struct error *err);
/* Listens for everything that the configuration says, once for each filter. */
int must_check reload_subscribe(struct bridge *bridge, struct link *link, struct error *err);
/* Brokers keep the session of an earlier life, and may go on with routes that are no more: they are taken back. The routes of
 * now are noted in the runtime folder, for a later life. To be called when the links are there. */
void reload_follow_up(struct bridge *bridge);
/* The configuration is read again, pipelines too. With a mistake in it all stays as it was; connections
 * to brokers about which nothing was changed stay in any case. */
void reload_begin(struct bridge *bridge);

/* ---- receive.c */

void receive_message(struct bridge *bridge, struct link *link, const struct mosq_message *message);
/* What an earlier life has left unanswered and what was put off, as far as there is room in the line. */
void receive_kept(struct bridge *bridge);

/* ---- serve.c */

/* @ask gets its place in the line, or is refused; it is taken. */
void serve_accept(struct bridge *bridge, struct ask *ask);
/* The first input of a pipeline that waits, with room for its answers; NULL: none. */
struct ask *serve_next_input(const struct bridge *bridge);
/* There was no room for its answer after all: it is asked again once there is some for so many bytes. */
void serve_ask_again(struct bridge *bridge, struct ask *ask, size_t answer_bytes);
/* Starts what can be started. */
void serve_dispatch(struct bridge *bridge);
/* @ask leaves the line and ends. */
void serve_finish(struct bridge *bridge, struct ask *ask);
/* What JSON said counts where the message's properties said nothing; @ask is in the line. False: its reply_to is not for
 * answers, which serve_refuse_reply_to() says, and ends it. */
bool must_check serve_take_envelope(
	struct bridge *bridge, struct ask *ask, const struct decode_envelope *envelope);
void serve_refuse_reply_to(struct bridge *bridge, struct ask *ask);
/* Was what has its key here a moment ago? For duplicate-window, but not beyond the time that it has named itself: who asks
 * again then has no answer. It was from now on. Only what has correlation data or an id of JSON can be told apart at all. */
bool must_check serve_saw(struct bridge *bridge, const struct ask *ask);
/* The same of what has an id, in the line. Then it is over. */
bool must_check serve_drop_repeated(struct bridge *bridge, struct ask *ask);
/* It leaves the line, and is the caller's, with the room for its answers. */
void serve_leave(struct bridge *bridge, struct ask *ask);
void serve_on_expiry(uv_timer_t *timer);
/* There is none now, which is no fault of its own: it is asked again where it is kept, else OVERLOADED and counted. It ends. */
void serve_lack_memory(struct bridge *bridge, struct ask *ask);
/* serve_on_expiry() soon. */
void serve_look_again(struct bridge *bridge);
void serve_on_pause_end(uv_timer_t *timer);
/* Milliseconds that a request that came now would wait. */
double serve_wait_ms(const struct bridge *bridge);

/* ---- room.c */

/* Room for all answers to @ask is set aside, if that is not done. False: there is none now; link->full says so to the others. */
bool must_check room_take(const struct bridge *bridge, struct ask *ask);
/* One of several answers is about to be put: its room is given back, but never that of the last one. */
void room_use(struct ask *ask, size_t size);
/* The last one is, or there is none. */
void room_give_back(struct ask *ask);
/* Is there some for an error? Else link->packed. */
bool must_check room_is_there(const struct ask *ask);

/* What of the line does not wait for a broker that takes no answers. */
struct room_live {
	size_t n, bytes;
};

/* Marks links as stuck where what lies in the outbox leaves no room for the next answer, asks that wait for that, and counts the
 * others. An ask behind one that is stuck is too, or that might never have its room. */
struct room_live room_look(const struct bridge *bridge);
/* Would this one be, behind those of the last look? One that is not answered needs no room. */
bool room_is_stuck(const struct bridge *bridge, const struct ask *ask);

/* ---- respond.c */

/* Answers with an error; the ask stays with the caller. */
void respond_refuse(struct bridge *bridge, struct ask *ask, unsigned int status, const char *text);
void respond_refuse_and_end(
	struct bridge *bridge, struct ask *ask, unsigned int status, const char *text);
/* With a message that is there already; @more: others follow. The last one says so where one before found no room, and is an
 * error where there is none for itself. The ask stays with the caller. */
void respond_with(struct bridge *bridge, struct ask *ask, const void *data, size_t size,
	unsigned int status, bool more);
/* Answers with what edged has said; the ask ends. */
void respond_succeed(struct bridge *bridge, struct ask *ask, struct model_entry *model,
	const struct edge_client_answer *answer);

/* @message did not go to the broker of @link: who asked is told where that is because of its size, and the pipeline's
 * error topic of a snapshot. */
void respond_given_up(
	struct bridge *bridge, struct link *link, struct outbox_message *message, bool too_large);

/* ---- announce.c */

/* Everything that is retained, for a broker that has just said yes. */
void announce_all(struct bridge *bridge, struct link *link);
/* Info and health, when edged comes and goes. */
void announce_gateway(struct bridge *bridge, struct link *link);
/* What has changed about the models. */
void announce_models(struct bridge *bridge);
void announce_settings(struct bridge *bridge, struct model_entry *model);
void announce_pool(struct bridge *bridge);
/* What a member of the pool subscribes to. */
void announce_pool_filter_of_pipeline(
	const struct bridge *bridge, char out[TOPICS_MAX], const char *pipeline);
void announce_pool_filter(const struct bridge *bridge, char out[TOPICS_MAX], const char *model);
void announce_stopped(struct bridge *bridge, struct link *link);
void announce_on_stats(uv_timer_t *timer);
/* *hash after announce_publish() to @link, or to all of them: @now, or that it is to be said again. */
void announce_note(const struct link *link, bool all, uint64_t now, uint64_t *hash);
/* What had no room, once there is some. */
void announce_untold(struct bridge *bridge);
void announce_on_capability(uv_timer_t *timer);
/* A message to all brokers, or to @link. False when one that is connected has no room for it now: what is retained is to be told again
 * then, and announce_untold() follows. */
bool announce_publish(struct bridge *bridge, struct link *link, enum outbox_kind kind, bool retain,
	const char *topic, const void *payload, size_t size);

/* ---- home.c: Home Assistant */

/* What it is told may have changed: it is told within seconds, once for all that has changed meanwhile. */
void home_follow(struct bridge *bridge);
/* It is told in any case; @link NULL: at all brokers. */
void home_tell_again(struct bridge *bridge, struct link *link);
void home_on_timer(uv_timer_t *timer);
void home_on_rediscover(uv_timer_t *timer);
/* Is it known by now which models and pipelines there are? What Home Assistant is not told of before is not gone. */
bool home_is_settled(struct bridge *bridge);
/* What an earlier life has told it: components, and sources of pipelines. */
void home_on_leftover(
	struct bridge *bridge, struct link *link, const uint8_t *payload, size_t size);
/* The device goes, where it is to (link->home.leaves). */
void home_leave(struct bridge *bridge, struct link *link);

/* ---- leftover.c */

/* Has the brokers send what is retained of our own topics, once that can be judged, and for a moment; again and again while that
 * finds something, for minutes at most. Anew where something that empties a topic found no room (link->owes), once there is some. */
void leftover_look(struct bridge *bridge);
/* Something may have gone of which nobody has said so: all brokers are looked at anew. */
void leftover_owe(struct bridge *bridge);
/* Room in the outbox for what empties topics, beside what others are to have. */
bool leftover_has_room(const struct link *link);
/* True when that is what it is: it was dealt with. */
bool leftover_take(struct bridge *bridge, struct link *link, const struct mosq_message *message);

/* ---- command.c */

/* What is not taken is told on the error topic, at @link. */
void command_message(struct bridge *bridge, struct link *link, const char *model, const char *key,
	const struct mosq_message *message);
/* The same to a pipeline. */
void command_pipeline_message(struct bridge *bridge, struct link *link, const char *pipeline,
	const char *key, const struct mosq_message *message);
/* ON, OFF and the like. -EINVAL. */
int must_check command_parse_switch(const char *text, bool *ret_on);

#endif
