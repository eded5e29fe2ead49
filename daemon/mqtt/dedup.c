/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/dedup.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

void dedup_init(struct dedup *dedup)
{
	memset(dedup, 0, sizeof(*dedup)); /* too large for the stack */
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

/* The number under which @key was seen last; 0: it was not, or the ring has gone over it. */
static uint64_t find(const struct dedup *dedup, uint64_t key)
{
	uint64_t number = dedup->last[key % DEDUP_SLOTS];
	while (number && number + DEDUP_SLOTS > dedup->n) {
		if (dedup->slots[number % DEDUP_SLOTS].key == key) {
			return number;
		}
		number = dedup->slots[number % DEDUP_SLOTS].before;
	}
	return 0;
}

bool dedup_see(struct dedup *dedup, uint64_t key, uint64_t now_ns, uint64_t until_ns)
{
	uint64_t seen = find(dedup, key);
	if (seen && dedup->slots[seen % DEDUP_SLOTS].until_ns > now_ns) {
		return true;
	}
	uint64_t number = ++dedup->n;
	uint64_t *last = &dedup->last[key % DEDUP_SLOTS];
	dedup->slots[number % DEDUP_SLOTS].key = key;
	dedup->slots[number % DEDUP_SLOTS].until_ns = until_ns;
	dedup->slots[number % DEDUP_SLOTS].before = *last;
	*last = number;
	return false;
}

void dedup_forget(struct dedup *dedup, uint64_t key)
{
	uint64_t seen = find(dedup, key);
	if (seen) {
		dedup->slots[seen % DEDUP_SLOTS].until_ns = 0;
	}
}
