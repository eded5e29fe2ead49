/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone - named areas of a picture
 *
 *   zones = door: 0.1 0.2, 0.4 0.2, 0.4 0.9; street: 0 0.5, 1 0.5, 1 1, 0 1
 *
 * Corners are x y, shares of the picture's width and height, in order around the area; it closes by
 * itself. A point is inside by the even-odd rule, and on a side of it.
 */
#ifndef CLIENT_PIPELINE_ZONE_H
#define CLIENT_PIPELINE_ZONE_H

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

/* -EINVAL with the reason. */
int must_check zones_parse(const char *text, struct zones *ret_zones, struct error *err);
char *zones_format(const struct zones *zones, char *out, size_t size);

/* The first zone that @x, @y is in; NULL when it is in none. */
const struct zone *zones_find(const struct zones *zones, double x, double y);

#endif
