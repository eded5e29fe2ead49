/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threshold - text form of a threshold that is set over MQTT
 *
 * The same rules apply to MQTT commands and to the file in the state folder. A printed threshold
 * parses to the same number.
 */
#ifndef DAEMON_MQTT_TEXT_THRESHOLD_H
#define DAEMON_MQTT_TEXT_THRESHOLD_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"

#define THRESHOLD_TEXT_SIZE 32

/* Parses a decimal number as in JSON, from 0 to 1 unless @any. "" is NaN. -EINVAL. */
int must_check threshold_parse(
	const char *text, bool any, double *ret_threshold, struct error *err);

/* Prints the shortest text that threshold_parse() reads as the same number; "" for NaN. */
const char *threshold_print(double threshold, char out[THRESHOLD_TEXT_SIZE]);

/* Appends a section [@name] to the settings file, unless both settings have their defaults. */
void threshold_write_settings(struct bytes_writer *w, const char *name, bool off, double threshold);

/* Where threshold_load_settings() stores settings. */
struct threshold_sink {
	void *context;
	/* Returns what section [@name] is about; NULL: the section is ignored. */
	void *(*find)(void *context, const char *name);
	int (*set_threshold)(void *item, const char *text, struct error *err);
	void (*set_off)(void *item, bool off);
};

/* Reads the settings file @name of @folder, which may be missing; "" reads nothing. Invalid lines are
 * skipped; the first one is returned with -EINVAL. */
int must_check threshold_load_settings(
	const char *folder, const char *name, const struct threshold_sink *sink, struct error *err);

/* Returns true for NaN, and for finite numbers from 0 to 1, or of any size if @any. */
bool threshold_is_allowed(double threshold, bool any);

#endif
