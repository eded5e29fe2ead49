/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/request/dedup.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

void dedup_init(struct dedup *dedup)
{
	memset(dedup, 0, sizeof(*dedup)); /* too large for the stack */
	if (getrandom(dedup->seed, sizeof(dedup->seed), GRND_NONBLOCK) < 0) {
		dedup->seed[0] = clock_now_ns();
	}
}

/* SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): without the seed
 * no collisions can be constructed. */
static uint64_t turn(uint64_t word, unsigned int by)
{
	return word << by | word >> (64 - by);
}

static void mix(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = turn(v[1], 13) ^ v[0];
	v[3] = turn(v[3], 16) ^ v[2];
	v[0] = turn(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = turn(v[1], 17) ^ v[2];
	v[3] = turn(v[3], 21) ^ v[0];
	v[2] = turn(v[2], 32);
}

static void take_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v);
	v[0] ^= word;
}

uint64_t dedup_keyed_hash(const struct dedup *dedup, uint64_t key, const void *data, size_t size)
{
	const uint8_t *at = data;
	const uint64_t a = dedup->seed[0], b = dedup->seed[1];
	uint64_t v[4] = {a ^ UINT64_C(0x736f6d6570736575), b ^ UINT64_C(0x646f72616e646f6d),
		a ^ UINT64_C(0x6c7967656e657261), b ^ UINT64_C(0x7465646279746573)};
	uint64_t word = 0;
	take_word(v, key);
	take_word(v, size);
	for (; size >= 8; at += 8, size -= 8) {
		memcpy(&word, at, 8);
		take_word(v, word);
	}
	word = 0;
	if (size) {
		memcpy(&word, at, size);
	}
	take_word(v, word);
	v[2] ^= 0xff;
	mix(v);
	mix(v);
	mix(v);
	key = v[0] ^ v[1] ^ v[2] ^ v[3];
	return key ? key : 1;
}

/* Returns the newest entry number of @key; 0: none, or overwritten in the ring. */
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

bool dedup_check(struct dedup *dedup, uint64_t key, uint64_t now_ns, uint64_t until_ns)
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
