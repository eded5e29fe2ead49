/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/plan/arena.h"

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static uint64_t aligned(uint64_t bytes)
{
	return (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
}

static void assert_sound(
	const struct arena_block *blocks, uint32_t n, const uint64_t *offsets, uint64_t bytes)
{
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(offsets[i] % ARENA_ALIGNMENT, 0);
		assert_true(offsets[i] + blocks[i].bytes <= bytes);
		for (uint32_t k = 0; k < i; k++) {
			bool meet = blocks[i].first <= blocks[k].last &&
				blocks[k].first <= blocks[i].last;
			bool overlap = offsets[i] < offsets[k] + blocks[k].bytes &&
				offsets[k] < offsets[i] + blocks[i].bytes;
			assert_false(meet && overlap);
		}
	}
}

static void blocks_that_never_meet_share_memory(void **state)
{
	(void)state;
	const struct arena_block blocks[] = {{100, 0, 1}, {100, 2, 3}, {64, 1, 2}};
	uint64_t offsets[3], bytes = 0, bound = 0;
	assert_int_equal(arena_layout(blocks, 3, offsets, &bytes), 0);
	assert_int_equal(arena_lower_bound(blocks, 3, &bound), 0);
	assert_int_equal(bound, 192);
	assert_int_equal(bytes, 192);
	assert_int_equal(offsets[0], offsets[1]);
	assert_sound(blocks, 3, offsets, bytes);
}

static void nothing_takes_no_memory(void **state)
{
	(void)state;
	const struct arena_block blocks[] = {{0, 0, 5}, {0, 2, 2}};
	uint64_t offsets[2] = {1, 1}, bytes = 7, bound = 7;
	assert_int_equal(arena_layout(blocks, 0, offsets, &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(arena_layout(blocks, 2, offsets, &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(offsets[0] + offsets[1], 0);
	assert_int_equal(arena_lower_bound(blocks, 0, &bound), 0);
	assert_int_equal(bound, 0);
}

static void a_shrinking_chain_needs_its_two_largest_neighbours(void **state)
{
	(void)state;
	struct arena_block blocks[50];
	uint64_t offsets[50], bytes = 0, bound = 0;
	for (uint32_t i = 0; i < 50; i++) {
		blocks[i] = (struct arena_block){100000 - 1999 * i, i, i + 1};
	}
	assert_int_equal(arena_layout(blocks, 50, offsets, &bytes), 0);
	assert_int_equal(arena_lower_bound(blocks, 50, &bound), 0);
	assert_int_equal(bound, aligned(100000) + aligned(98001));
	assert_int_equal(bytes, bound);
	assert_sound(blocks, 50, offsets, bytes);
}

static void fill_at_random(struct arena_block *blocks, uint32_t n, uint64_t *seed)
{
	uint32_t length = 1 + next_random(seed) % 12;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t first = next_random(seed) % n;
		blocks[i] = (struct arena_block){
			next_random(seed) % 5000, first, first + next_random(seed) % length};
	}
}

static void random_layouts_never_overlap(void **state)
{
	(void)state;
	struct arena_block blocks[200];
	uint64_t offsets[200], seed = 1;
	for (int round = 0; round < 200; round++) {
		uint32_t n = 1 + next_random(&seed) % 200;
		uint64_t bytes = 0, bound = 0, sum = 0;
		fill_at_random(blocks, n, &seed);
		for (uint32_t i = 0; i < n; i++) {
			sum += aligned(blocks[i].bytes);
		}
		assert_int_equal(arena_layout(blocks, n, offsets, &bytes), 0);
		assert_int_equal(arena_lower_bound(blocks, n, &bound), 0);
		assert_in_range(bytes, bound, sum);
		assert_sound(blocks, n, offsets, bytes);
	}
}

static void layouts_above_the_thorough_limit_do_not_overlap_either(void **state)
{
	(void)state;
	uint32_t n = ARENA_THOROUGH + 500;
	struct arena_block *blocks = calloc(n, sizeof(*blocks));
	uint64_t *offsets = calloc(n, sizeof(*offsets));
	uint64_t bytes = 0, bound = 0, seed = 3;
	assert_non_null(blocks);
	assert_non_null(offsets);
	fill_at_random(blocks, n, &seed);
	assert_int_equal(arena_layout(blocks, n, offsets, &bytes), 0);
	assert_int_equal(arena_lower_bound(blocks, n, &bound), 0);
	assert_sound(blocks, n, offsets, bytes);
	assert_in_range(bytes, bound, 2 * bound);
	free(blocks);
	free(offsets);
}

/* Lives of all lengths, sizes that leave as many different holes as can be. */
static void a_hundred_thousand_hostile_blocks_take_less_than_a_second(void **state)
{
	(void)state;
	uint32_t n = 100000;
	struct arena_block *blocks = calloc(n, sizeof(*blocks));
	uint64_t *offsets = calloc(n, sizeof(*offsets));
	uint64_t bytes = 0, bound = 0, seed = 9;
	assert_non_null(blocks);
	assert_non_null(offsets);
	for (uint32_t i = 0; i < n; i++) {
		blocks[i] = (struct arena_block){1 + next_random(&seed) % 1000000, i,
			i + (i % 2 ? next_random(&seed) % n : 0)};
	}
	uint64_t start = clock_thread_cpu_ns();
	assert_int_equal(arena_layout(blocks, n, offsets, &bytes), 0);
	/* Ten times what it takes, so that sanitizers and slow machines pass; quadratic work takes
	 * a hundred times as long. */
	assert_true(clock_thread_cpu_ns() - start < 5000000000u);
	assert_int_equal(arena_lower_bound(blocks, n, &bound), 0);
	assert_true(bytes >= bound);
	free(blocks);
	free(offsets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_that_never_meet_share_memory),
		cmocka_unit_test(nothing_takes_no_memory),
		cmocka_unit_test(a_shrinking_chain_needs_its_two_largest_neighbours),
		cmocka_unit_test(random_layouts_never_overlap),
		cmocka_unit_test(layouts_above_the_thorough_limit_do_not_overlap_either),
		cmocka_unit_test(a_hundred_thousand_hostile_blocks_take_less_than_a_second),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
