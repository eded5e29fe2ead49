/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/dedup.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

void dedup_init(struct dedup *dedup)
{
	*dedup = (struct dedup){0};
	if (getrandom(&dedup->seed, sizeof(dedup->seed), GRND_NONBLOCK) < 0) {
		dedup->seed = clock_now_ns();
	}
}

/* One round of a multiply and rotate mix over 64-bit words. */
static uint64_t mix(uint64_t key, uint64_t word)
{
	key = (key ^ word) * UINT64_C(0x9E3779B97F4A7C15); /* 2^64 / golden ratio */
	return (key << 29 | key >> 35) ^ (key >> 17);
}

uint64_t dedup_hash(const struct dedup *dedup, uint64_t key, const void *data, size_t size)
{
	const uint8_t *at = data;
	key = mix(key ? key : dedup->seed, size ^ dedup->seed);
	for (; size >= 8; at += 8, size -= 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		key = mix(key, word);
	}
	uint64_t last = 0;
	if (size) {
		memcpy(&last, at, size);
	}
	key = mix(mix(key, last), dedup->seed);
	return key ? key : 1;
}

bool dedup_see(struct dedup *dedup, uint64_t key, uint64_t now_ns, uint64_t window_ns)
{
	for (size_t i = 0; i < DEDUP_SLOTS; i++) {
		if (dedup->slots[i].key == key && dedup->slots[i].until_ns > now_ns) {
			return true;
		}
	}
	dedup->slots[dedup->at].key = key;
	dedup->slots[dedup->at].until_ns = now_ns + window_ns;
	dedup->at = (dedup->at + 1) % DEDUP_SLOTS;
	return false;
}

void dedup_forget(struct dedup *dedup, uint64_t key)
{
	for (size_t i = 0; i < DEDUP_SLOTS && key; i++) {
		if (dedup->slots[i].key == key) {
			dedup->slots[i].until_ns = 0;
		}
	}
}
