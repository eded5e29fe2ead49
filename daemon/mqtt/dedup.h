/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dedup - requests of QoS 1 that were seen a moment ago
 *
 * A ring of the last DEDUP_SLOTS keys, each for a time. A key is a hash with a secret seed, so that no
 * publisher can make another's request look like one that was seen.
 */
#ifndef DAEMON_MQTT_DEDUP_H
#define DAEMON_MQTT_DEDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEDUP_SLOTS 1024

struct dedup {
	uint64_t seed;
	struct {
		uint64_t key, until_ns;
	} slots[DEDUP_SLOTS];
	size_t at;
};

void dedup_init(struct dedup *dedup);

/* Goes on with @key (0 at first) over @size more bytes. Never 0. */
uint64_t dedup_hash(const struct dedup *dedup, uint64_t key, const void *data, size_t size);

/* Was @key seen, and is its time not over? It is from now on, for @window_ns. */
bool dedup_see(struct dedup *dedup, uint64_t key, uint64_t now_ns, uint64_t window_ns);

/* A request that was not answered may come again. */
void dedup_forget(struct dedup *dedup, uint64_t key);

#endif
