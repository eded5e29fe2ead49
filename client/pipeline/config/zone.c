/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/config/zone.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parses a fraction from 0 to 1. Returns the text after it; NULL if there is none. */
static const char *share_parse(const char *text, double *ret_share)
{
	char *end = NULL;
	*ret_share = strtod(text, &end);
	return end != text && *ret_share >= 0 && *ret_share <= 1 ? end : NULL;
}

static const char *corners_parse(const char *text, struct zone *zone)
{
	for (;;) {
		if (zone->n == ZONE_MAX_CORNERS) {
			return NULL;
		}
		text = share_parse(text, &zone->x[zone->n]);
		text = text ? share_parse(text, &zone->y[zone->n]) : NULL;
		if (!text) {
			return NULL;
		}
		zone->n++;
		text += strspn(text, " \t");
		if (*text != ',') {
			return zone->n >= 3 ? text : NULL;
		}
		text++;
	}
}

static const char *zone_parse(const char *text, struct zone *zone)
{
	text += strspn(text, " \t");
	size_t length = strcspn(text, ":;, \t");
	if (length == 0 || length >= sizeof(zone->name) || text[length] != ':') {
		return NULL;
	}
	memcpy(zone->name, text, length);
	zone->name[length] = 0;
	return corners_parse(text + length + 1, zone);
}

int zones_parse(const char *text, struct zones *ret_zones, struct error *err)
{
	struct zones zones = {0};
	while (*text) {
		if (zones.n == ZONES_MAX) {
			return error_set(err, -EINVAL, "more than %d zones", ZONES_MAX);
		}
		text = zone_parse(text, &zones.zone[zones.n]);
		if (!text || (*text && *text != ';')) {
			return error_set(err, -EINVAL,
				"zone %zu is not \"name: x y, x y, x y\" with 3 to %d corners "
				"between 0 and 1",
				zones.n + 1, ZONE_MAX_CORNERS);
		}
		zones.n++;
		text += *text == ';';
	}
	*ret_zones = zones;
	return 0;
}

static void append(char *out, size_t size, size_t *used, const char *text)
{
	int n = snprintf(out + *used, size - *used, "%s", text);
	*used += n > 0 && (size_t)n < size - *used ? (size_t)n : 0;
}

char *zones_format(const struct zones *zones, char *out, size_t size)
{
	size_t used = 0;
	char part[96];
	out[0] = 0;
	for (size_t i = 0; i < zones->n; i++) {
		const struct zone *zone = &zones->zone[i];
		snprintf(part, sizeof(part), "%s%s:", i ? "; " : "", zone->name);
		append(out, size, &used, part);
		for (size_t k = 0; k < zone->n; k++) {
			snprintf(part, sizeof(part), "%s %.9g %.9g", k ? "," : "", zone->x[k],
				zone->y[k]);
			append(out, size, &used, part);
		}
	}
	return out;
}

static bool is_between(double a, double x, double b)
{
	return fmin(a, b) <= x && x <= fmax(a, b);
}

/* True if the point is on the edge from corner @i to corner @j. */
static bool is_on_side(const struct zone *zone, size_t i, size_t j, double x, double y)
{
	const double dx = zone->x[j] - zone->x[i], dy = zone->y[j] - zone->y[i];
	return is_between(zone->x[i], x, zone->x[j]) && is_between(zone->y[i], y, zone->y[j]) &&
		dx * (y - zone->y[i]) == dy * (x - zone->x[i]);
}

static bool is_inside(const struct zone *zone, double x, double y)
{
	bool inside = false;
	for (size_t i = 0, j = zone->n - 1; i < zone->n; j = i++) {
		if (is_on_side(zone, i, j, x, y)) {
			return true;
		}
		bool spans = (zone->y[i] > y) != (zone->y[j] > y);
		if (!spans) {
			continue;
		}
		double share = (y - zone->y[i]) / (zone->y[j] - zone->y[i]);
		inside ^= x < zone->x[i] + share * (zone->x[j] - zone->x[i]);
	}
	return inside;
}

const struct zone *zones_find(const struct zones *zones, double x, double y)
{
	for (size_t i = 0; i < zones->n; i++) {
		if (is_inside(&zones->zone[i], x, y)) {
			return &zones->zone[i];
		}
	}
	return NULL;
}
