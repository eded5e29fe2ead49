/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dedup - requests of QoS 1 that were seen a moment ago
 *
 * A ring of the last DEDUP_SLOTS keys, each for a time, and where to look for one. A key is a hash with a
 * secret seed (SipHash-1-3), so that no publisher can make another's request look like one that was seen.
 */
#ifndef DAEMON_MQTT_DEDUP_H
#define DAEMON_MQTT_DEDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEDUP_SLOTS 32768 /* ten seconds of 3,000 requests, more than one edged-mqtt answers */

struct dedup {
	uint64_t seed[2];
	struct {
		uint64_t key, until_ns;
		uint64_t
			before; /* number of the one that came before with the same place in last[] */
	} slots[DEDUP_SLOTS]; /* number n has slot n % DEDUP_SLOTS */
	uint64_t last[DEDUP_SLOTS]; /* by the key's low bits: the number of the newest; 0: none */
	uint64_t n; /* number of the newest of all; they begin with 1 */
};

void dedup_init(struct dedup *dedup);

/* Goes on with @key (0 at first) over @size more bytes. Never 0. */
uint64_t dedup_hash(const struct dedup *dedup, uint64_t key, const void *data, size_t size);

/* Was @key seen, and is its time not over? It is from now on, until @until_ns. */
bool dedup_see(struct dedup *dedup, uint64_t key, uint64_t now_ns, uint64_t until_ns);

/* A request that was not answered may come again. */
void dedup_forget(struct dedup *dedup, uint64_t key);

#endif
