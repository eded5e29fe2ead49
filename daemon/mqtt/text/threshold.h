/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threshold - the number that can be set over MQTT, as a text
 *
 * What is taken is what is echoed, and what the file of the state folder gives back in the next life: the same
 * rules for orders and files, and a text that leads to the same number.
 */
#ifndef DAEMON_MQTT_THRESHOLD_H
#define DAEMON_MQTT_THRESHOLD_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"

#define THRESHOLD_TEXT_SIZE 32

/* A decimal number as JSON has them, from 0 to 1 unless @any, or nothing: NaN. -EINVAL. */
int must_check threshold_parse(
	const char *text, bool any, double *ret_threshold, struct error *err);

/* The shortest text that threshold_parse() makes the same number of; "" for NaN. */
const char *threshold_print(double threshold, char out[THRESHOLD_TEXT_SIZE]);

/* What was set of @name, as a section of that file; nothing where nothing was. */
void threshold_write_settings(struct bytes_writer *w, const char *name, bool off, double threshold);

/* May it be set where @any is so? NaN may. */
bool threshold_is_allowed(double threshold, bool any);

#endif
