/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery - the Home Assistant discovery message of this gateway, its models and pipelines
 *
 * One device with several components, as in Home Assistant's documentation of MQTT discovery: "dev"
 * and "o" at the root; "p" and "uniq_id" in each component; ids of [a-zA-Z0-9_-]. A component is
 * removed by one message with its "p" only and is absent from the next one. A state has at most 255
 * characters.
 */
#ifndef DAEMON_MQTT_ANNOUNCE_DISCOVERY_H
#define DAEMON_MQTT_ANNOUNCE_DISCOVERY_H

#include "base/bytes.h"
#include "daemon/mqtt/config/settings.h"
#include "daemon/mqtt/pipelines/pipelines.h"
#include "daemon/mqtt/request/known_models.h"

#define DISCOVERY_MAX 1024 /* components */
#define DISCOVERY_ID_SIZE 128
#define DISCOVERY_NAME_SIZE 160 /* of a display name: that of a model, or of pipeline and source */

struct discovery_component {
	char id[DISCOVERY_ID_SIZE];
	char platform[16]; /* "sensor", ... */
};

struct broker_connection;

/* The components of the last message. */
struct discovery {
	struct discovery_component components[DISCOVERY_MAX];
	size_t n;
};

struct discovery_device {
	const char *version; /* version of edged-mqtt */
	char machine[128]; /* from the device tree, else "Linux gateway" */
	char serial[33]; /* a hash of the machine id; "": none */
};

void discovery_device_find(struct discovery_device *device, const char *version);

/* Makes an id of at most 80 characters from any name: characters other than [a-zA-Z0-9_-] become
 * "_", and a hash is appended (topics_hash()), so that different names have different ids. */
void discovery_id(char out[DISCOVERY_ID_SIZE], const char *name);

/*
 * Writes the message for all models and pipelines, and for the sources of each pipeline at @conn
 * that have published or are known from an earlier run. Components of @before that no longer exist
 * are written with "p" only: this removes them. *now receives the components that exist now,
 * without the removed ones. Returns the number of removed components.
 */
size_t discovery_write(struct bytes_writer *w, const struct settings *settings,
	const struct discovery_device *device, const struct known_models *models,
	const struct pipelines *pipelines, const struct broker_connection *conn,
	const struct discovery *before, struct discovery *now);

/* Returns true if @discovery has a component @id. */
bool discovery_has(const struct discovery *discovery, const char *id);

/* Writes DISCOVERY-PREFIX/device/edged_GW/config. */
void discovery_topic(char *out, size_t size, const struct settings *settings);

#endif
