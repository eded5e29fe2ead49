/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dedup - recognizes QoS 1 requests that were seen shortly before
 *
 * A ring of the last DEDUP_SLOTS keys with an expiry time each, and a hash index. A key is a keyed
 * hash (SipHash-1-3) with a random seed, so that a publisher cannot make another's request look
 * like a duplicate.
 */
#ifndef DAEMON_MQTT_REQUEST_DEDUP_H
#define DAEMON_MQTT_REQUEST_DEDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEDUP_SLOTS 32768 /* ten seconds of 3,000 requests each, more than edged-mqtt serves */

struct dedup {
	uint64_t seed[2];
	struct {
		uint64_t key, until_ns;
		/* number of the previous entry with the same index in last[]; 0: none */
		uint64_t before;
	} slots[DEDUP_SLOTS]; /* entry number n is slots[n % DEDUP_SLOTS] */
	uint64_t last[DEDUP_SLOTS]; /* newest entry number, by key % DEDUP_SLOTS; 0: none */
	uint64_t n; /* number of the newest entry; the first is 1 */
};

void dedup_init(struct dedup *dedup);

/* Continues hash @key (0 at first) with @size bytes of @data. Never returns 0. */
uint64_t dedup_keyed_hash(const struct dedup *dedup, uint64_t key, const void *data, size_t size);

/* Returns true if @key was recorded and has not expired. Otherwise records it until @until_ns. */
bool dedup_check(struct dedup *dedup, uint64_t key, uint64_t now_ns, uint64_t until_ns);

/* Makes a recorded key expire, because its request was not answered and may be sent again. */
void dedup_forget(struct dedup *dedup, uint64_t key);

#endif
