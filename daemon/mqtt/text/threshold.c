/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/text/threshold.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/ini.h"
#include "daemon/system/config_value.h"

#define DIGITS "0123456789"
#define FEWEST 7 /* digits of the shortest text; 17 restore any double */
#define MOST 17

/* JSON syntax: no blanks, no plus sign, no other base, finite. */
static bool is_number(const char *text)
{
	const char *at = text + (*text == '-');
	size_t whole = strspn(at, DIGITS), part = 1, exponent = 1;
	at += whole;
	if (*at == '.') {
		part = strspn(++at, DIGITS);
		at += part;
	}
	if (*at == 'e' || *at == 'E') {
		at++;
		at += *at == '-' || *at == '+';
		exponent = strspn(at, DIGITS);
		at += exponent;
	}
	return whole > 0 && part > 0 && exponent > 0 && *at == 0;
}

bool threshold_is_allowed(double threshold, bool any)
{
	return isnan(threshold) ||
		(isfinite(threshold) && (any || (threshold >= 0 && threshold <= 1)));
}

int threshold_parse(const char *text, bool any, double *ret_threshold, struct error *err)
{
	double value = is_number(text) ? strtod(text, NULL) : (double)NAN;
	if (text[0] && (isnan(value) || !threshold_is_allowed(value, any))) {
		return error_set(err, -EINVAL, "threshold is a number%s, or nothing",
			any ? "" : " from 0 to 1");
	}
	*ret_threshold = value;
	return 0;
}

const char *threshold_print(double threshold, char out[THRESHOLD_TEXT_SIZE])
{
	out[0] = 0;
	for (int digits = FEWEST; digits <= MOST && !isnan(threshold); digits++) {
		snprintf(out, THRESHOLD_TEXT_SIZE, "%.*g", digits, threshold);
		if (strtod(out, NULL) == threshold) {
			break;
		}
	}
	return out;
}

static void write_line(
	struct bytes_writer *w, const char *before, const char *text, const char *after)
{
	bytes_write(w, before, strlen(before));
	bytes_write(w, text, strlen(text));
	bytes_write(w, after, strlen(after));
}

void threshold_write_settings(struct bytes_writer *w, const char *name, bool off, double threshold)
{
	char number[THRESHOLD_TEXT_SIZE];
	if (off || !isnan(threshold)) {
		write_line(w, "[", name, "]\n");
		write_line(w, "enable = ", off ? "no" : "yes", "\n");
	}
	if (!isnan(threshold)) {
		write_line(w, "threshold = ", threshold_print(threshold, number), "\n");
	}
}

struct reading {
	const struct threshold_sink *sink;
	const char *name; /* of the file */
	void *item; /* of the current section; NULL: ignored */
	struct error bad; /* first invalid line */
};

static int section_read(void *context, const char *name, struct error *err)
{
	struct reading *reading = context;
	(void)err;
	reading->item = reading->sink->find(reading->sink->context, name);
	return 0;
}

static int key_read(void *context, unsigned int line, char *key, char *value, struct error *err)
{
	struct reading *reading = context;
	struct error bad = {0};
	bool on = true;
	(void)err;
	if (reading->item && strcmp(key, "threshold") == 0 &&
		reading->sink->set_threshold(reading->item, value, &bad) < 0 &&
		!reading->bad.code) {
		reading->bad = bad;
		error_prefix(&reading->bad, "%s:%u", reading->name, line);
	}
	if (reading->item && strcmp(key, "enable") == 0 && ini_parse_bool(value, &on) == 0) {
		reading->sink->set_off(reading->item, !on);
	}
	return 0;
}

int threshold_load_settings(
	const char *folder, const char *name, const struct threshold_sink *sink, struct error *err)
{
	char path[CONFIG_PATH_SIZE + 32];
	struct reading reading = {.sink = sink, .name = name};
	const struct ini_reader ini = {section_read, key_read, &reading};
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = folder[0] ? fopen(path, "re") : NULL;
	if (!file) {
		return 0;
	}
	int r = ini_read(file, name, &ini, &reading.bad);
	fclose(file);
	if (r < 0 || reading.bad.code) {
		*err = reading.bad;
		return -EINVAL;
	}
	return 0;
}
