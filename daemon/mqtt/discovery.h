/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery - what Home Assistant is told of this gateway and its models
 *
 * One device with a component for each thing worth seeing, as Home Assistant's page on MQTT discovery
 * has it: "dev" and "o" at the root; "p" and "uniq_id" in each component; ids of [a-zA-Z0-9_-]; a
 * component that goes is sent once with nothing but "p", then left out; a state is never longer
 * than 255 characters.
 */
#ifndef DAEMON_MQTT_DISCOVERY_H
#define DAEMON_MQTT_DISCOVERY_H

#include "base/bytes.h"
#include "daemon/mqtt/models.h"
#include "daemon/mqtt/pipes.h"
#include "daemon/mqtt/settings.h"

#define DISCOVERY_MAX 1024 /* components */
#define DISCOVERY_ID_SIZE 128
#define DISCOVERY_NAME_SIZE 160 /* of a model, or a pipeline and a source */

struct discovery_component {
	char id[DISCOVERY_ID_SIZE];
	const char *platform; /* "sensor", ... */
};

struct link;

/* What was announced. */
struct discovery {
	struct discovery_component components[DISCOVERY_MAX];
	size_t n;
};

struct discovery_device {
	const char *version; /* of edged-mqtt */
	char machine[128]; /* what it is: of the device tree, else "Linux gateway" */
	char serial[33]; /* a hash of the machine's id; "": none */
};

void discovery_device_find(struct discovery_device *device, const char *version);

/* An id out of any name: what is not [a-zA-Z0-9_-] becomes _ and a hash is appended (topics_hash()), so that two names
 * stay two. At most 80 letters. */
void discovery_id(char out[DISCOVERY_ID_SIZE], const char *name);

/*
 * The payload for the models and pipelines that are there; of a pipeline also for each source of @link's that something was
 * told of, or was in an earlier life. Components of @before that are there no more are in it with "p" alone. *now is what it
 * announces, without these. Returns how many these are.
 */
size_t discovery_write(struct bytes_writer *w, const struct settings *settings,
	const struct discovery_device *device, const struct models *models,
	const struct pipes *pipes, const struct link *link, const struct discovery *before,
	struct discovery *now);

/* Adds the components of a payload that was written so, as far as they can be told and there is room. */
void discovery_read(struct discovery *to, const uint8_t *payload, size_t size);

/* DISCOVERY-PREFIX/device/edged_GW/config */
void discovery_topic(char *out, size_t size, const struct settings *settings);

#endif
