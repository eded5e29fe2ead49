/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retained_list - what the brokers retain for this gateway, kept in a file of the state folder
 *
 * A sorted set of entries. Each has a broker's name, a kind and a text:
 *
 *   topic      TOPIC             a topic with a retained message
 *   component  ID PLATFORM       a component that was announced to Home Assistant
 *   source     PIPELINE SOURCE   a pipeline's source that was announced to Home Assistant
 *   route      FILTER            a subscription, which the session may hold; of broker "*"
 *
 * The file has a line for each change, "+BROKER KIND TEXT" or "-BROKER KIND TEXT". It is written anew
 * when it is opened and when most of its lines are out of date. A line is written before the message
 * that it is about is sent, so that it survives the process. It is not synced: a power cut may lose
 * the lines of some seconds.
 */
#ifndef DAEMON_MQTT_ANNOUNCE_RETAINED_LIST_H
#define DAEMON_MQTT_ANNOUNCE_RETAINED_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define RETAINED_LIST_MAX 32768 /* entries; further ones are not kept */
#define RETAINED_LIST_TEXT_SIZE 1152

/* Zeroed at first, except @fd. */
struct retained_list {
	int fd; /* -1: no file; the set is in memory only */
	char path[4096], new[4096]; /* the file, and the name under which it is written anew */
	char **entries; /* owned, sorted: "BROKER KIND TEXT" */
	size_t n;
	size_t n_lines; /* of the file */
};

void retained_list_init(struct retained_list *list);
/* Reads @folder/retained, and writes it anew. Lines that are malformed or cut short are skipped.
 * After an error the set is kept in memory only. */
int must_check retained_list_open(
	struct retained_list *list, const char *folder, struct error *err);
void retained_list_deinit(struct retained_list *list);

/* Adds an entry, unless it is there. One that has no room, or a line break, is left out. */
void retained_list_add(
	struct retained_list *list, const char *broker, const char *kind, const char *text);
/* Removes an entry if it is there. */
void retained_list_remove(
	struct retained_list *list, const char *broker, const char *kind, const char *text);

void retained_list_remove_all(struct retained_list *list, const char *broker, const char *kind);

/* Returns the text of the entry at *at of this broker and kind, and sets *at to the next one. NULL:
 * there are no more. Begin with *at = 0. The text is valid until the next change. */
const char *retained_list_next(
	const struct retained_list *list, const char *broker, const char *kind, size_t *at);
/* Removes the entry that retained_list_next() has just returned with @at. */
void retained_list_remove_at(struct retained_list *list, size_t *at);

#endif
