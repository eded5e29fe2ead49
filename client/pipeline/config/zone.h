/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone - named areas of an image
 *
 *   zones = door: 0.1 0.2, 0.4 0.2, 0.4 0.9; street: 0 0.5, 1 0.5, 1 1, 0 1
 *
 * Corners are x y as fractions of the image's width and height, in order around the area. The last
 * corner is connected to the first. A point is inside by the even-odd rule, or if it is on an
 * edge.
 */
#ifndef CLIENT_PIPELINE_CONFIG_ZONE_H
#define CLIENT_PIPELINE_CONFIG_ZONE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define ZONES_MAX 8
#define ZONE_MAX_CORNERS 16
#define ZONE_NAME_SIZE 32
#define ZONES_TEXT_SIZE 2048

struct zone {
	char name[ZONE_NAME_SIZE];
	size_t n;
	double x[ZONE_MAX_CORNERS], y[ZONE_MAX_CORNERS];
};

struct zones {
	size_t n;
	struct zone zone[ZONES_MAX];
};

/* -EINVAL: the message has the reason. */
int must_check zones_parse(const char *text, struct zones *ret_zones, struct error *err);
char *zones_format(const struct zones *zones, char *out, size_t size);

/* Returns the first zone that contains @x, @y; NULL: none. */
const struct zone *zones_find(const struct zones *zones, double x, double y);

#endif
