/* SPDX-License-Identifier: Apache-2.0 */
/*
 * announce - what brokers retain of this gateway: online status, states, settings, Home
 *            Assistant
 *
 *   announce.c           the gateway, models, the pool
 *   home_assistant.c     the discovery message of Home Assistant (discovery.h)
 *   retained_cleanup.c   empties topics that are out of use (retained_list.h)
 */
#ifndef DAEMON_MQTT_ANNOUNCE_ANNOUNCE_H
#define DAEMON_MQTT_ANNOUNCE_ANNOUNCE_H

#include "daemon/mqtt/announce/discovery.h"
#include "daemon/mqtt/announce/retained_list.h"
#include "daemon/mqtt/broker/brokers.h"
#include "daemon/mqtt/pipelines/pipelines.h"
#include "daemon/mqtt/request/dedup.h"
#include "daemon/mqtt/request/edged_client.h"
#include "daemon/mqtt/request/request_serve.h"

#define ANNOUNCE_HEALTH_TOPIC "te/device/main/service/edged/status/health"

struct announce {
	/* set by the owner before announce_start(); all must outlive *announce */
	uv_loop_t *loop;
	const struct log *log;
	const struct settings *settings;
	const char *state_folder; /* path of the state folder; "": none */
	const char *status_topic;
	struct brokers *brokers;
	struct known_models *models;
	struct pipelines *pipelines;
	const struct edged_client *edged;
	const struct dedup *dedup;
	struct mqtt_requests *requests;

	uint64_t started_ns;
	struct discovery_device device;
	struct retained_list retained;
	bool cleanup_due; /* retained topics may be out of use */
	bool in_pool;
	bool inventory_known; /* announce_is_inventory_known() returned true once */
	uv_timer_t discovery_timer; /* publishes the discovery message if it has changed */
	uv_timer_t rediscover_timer; /* of home_assistant_announce_again_after() */
	uint64_t discovery_not_before_ns; /* CLOCK_MONOTONIC; no discovery message before */
};

/* Reads the list of retained topics, and starts the timers. */
void announce_start(struct announce *announce);
/* Closes the timers. */
void announce_stop(struct announce *announce);
void announce_deinit(struct announce *announce);

/* Publishes all retained topics to a broker that has just connected. */
void announce_all(struct announce *announce, struct broker_connection *conn);
/* Publishes info and health after edged came or went. */
void announce_gateway(struct announce *announce, struct broker_connection *conn);
/* Publishes state and settings of models where they have changed, and empties topics of removed
 * ones. */
void announce_models(struct announce *announce);
/* Subscribes to the pool's requests for each model and pipeline that can serve now, at brokers with
 * pool = yes, and unsubscribes from the others; from all when edged-mqtt stops, edged is away or the
 * waiting time reaches pool-max-wait. */
void announce_update_pool_subscriptions(struct announce *announce);
/* Publishes health "down" and status "stopped", before edged-mqtt leaves a broker. */
void announce_stopped(struct announce *announce, struct broker_connection *conn);
/* Publishes retained topics again to brokers whose outbox was full, once it is half empty. */
void announce_unpublished(struct announce *announce);
/* Publishes the capability topic, for load balancing by others. */
void announce_capability(struct announce *announce);
/* Returns true once all models and pipelines are known, or edged has listed its models and 10
 * seconds have passed since the start. Nothing may be removed from Home Assistant or the broker
 * before. */
bool announce_is_inventory_known(struct announce *announce);

/* ---- home_assistant.c: Home Assistant */

/* Publishes the discovery message, if it has changed, in a few seconds at most, or later after a
 * large one (the pause grows with its size). Changes until then share one message. */
void home_assistant_schedule_publish(struct announce *announce);
/* Sends the discovery message again, even if it has not changed. @conn NULL: to all brokers. */
void home_assistant_announce_again(struct announce *announce, struct broker_connection *conn);
/* Sends the discovery message again to all brokers after @wait_ms, even if it has not changed. */
void home_assistant_announce_again_after(struct announce *announce, uint64_t wait_ms);
/* Removes the device from Home Assistant if conn->home.remove_device. */
void home_assistant_leave(struct announce *announce, struct broker_connection *conn);

/* ---- retained_cleanup.c */

/* Records that the broker has emptied @topic. The discovery message's topic: also that no component
 * and no source is announced there any more. */
void retained_cleanup_on_cleared(
	struct announce *announce, const struct broker_connection *conn, const char *topic);
/* Empties topics that are out of use, if that is due and all models and pipelines are known. */
void retained_cleanup_run(struct announce *announce);
/* Marks the cleanup as due, and runs it now if all models and pipelines are known. */
void retained_cleanup_request(struct announce *announce);

#endif
