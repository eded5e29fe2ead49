/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/run/heap.h"

#define CELLS 64

static void *get(struct heap *heap, uint64_t bytes)
{
	void *data = NULL;
	struct error err = {0};
	if (heap_alloc(heap, bytes, &data, &err) < 0) {
		fail_msg("%s", err.text);
	}
	assert_int_equal((uintptr_t)data % 64, 0);
	return data;
}

static void cells_do_not_overlap_and_keep_their_bytes(void **state)
{
	(void)state;
	struct heap heap = {.limit = 1 << 30};
	uint8_t *cells[CELLS];
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < CELLS; i++) {
			size_t bytes = (size_t)(i * i * 97 + round) % 30000;
			cells[i] = get(&heap, bytes);
			memset(cells[i], i, bytes);
		}
		for (int i = 0; i < CELLS; i += 2) {
			heap_free(&heap, cells[i]);
		}
		for (int i = 1; i < CELLS; i += 2) {
			size_t bytes = (size_t)(i * i * 97 + round) % 30000;
			for (size_t k = 0; k < bytes; k++) {
				assert_int_equal(cells[i][k], i);
			}
			heap_free(&heap, cells[i]);
		}
		assert_int_equal(heap.n_cells, 0);
		assert_int_equal(heap.charged, HEAP_CHUNK_BYTES);
	}
	heap_deinit(&heap);
	assert_int_equal(heap.charged, 0);
}

static bool is_all(const uint8_t *bytes, uint8_t value, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != value) {
			return false;
		}
	}
	return true;
}

static void filling_reaches_all_but_cells_in_use(void **state)
{
	(void)state;
	struct heap heap = {.limit = 1 << 30};
	uint8_t *a = get(&heap, 5000), *b = get(&heap, 5000), *c = get(&heap, 5000);
	memset(a, 1, 5000);
	memset(b, 2, 5000);
	memset(c, 3, 5000);
	heap_free(&heap, a);
	heap_free(&heap, c);
	heap_fill(&heap, 0x5a);
	assert_true(is_all(a, 0x5a, 5000));
	assert_true(is_all(b, 2, 5000));
	assert_true(is_all(c, 0x5a, 5000));
	assert_ptr_equal(get(&heap, 5000), a); /* cells are as they were */
	heap_free(&heap, a);
	heap_free(&heap, b);
	heap_fill(&heap, 0);
	assert_true(is_all(a, 0, (size_t)heap_room(a)));
	assert_true(heap_room(a) > 15000); /* one cell now, headers of the others overwritten */
	assert_int_equal(heap.charged, HEAP_CHUNK_BYTES);
	heap_deinit(&heap);
}

static void freed_neighbours_become_one(void **state)
{
	(void)state;
	struct heap heap = {.limit = 1 << 30};
	void *a = get(&heap, 50000), *b = get(&heap, 50000), *c = get(&heap, 100000);
	heap_free(&heap, a);
	heap_free(&heap, b);
	assert_ptr_equal(get(&heap, 100000), a);
	heap_free(&heap, c);
	heap_free(&heap, a);
	heap_deinit(&heap);
}

static void what_passes_the_limit_is_refused_with_the_figures(void **state)
{
	(void)state;
	struct heap heap = {.limit = 10000};
	struct error err = {0};
	void *data = NULL;
	assert_int_equal(heap_charge(&heap, 0, 6000, NULL), 0);
	assert_int_equal(heap_alloc(&heap, 500, &data, &err), -EFBIG);
	assert_string_equal(err.text, "the session would take 10096 bytes, the limit is 10000");
	assert_int_equal(heap_alloc(&heap, UINT64_MAX - 10, &data, NULL), -EFBIG);
	assert_int_equal(heap.charged, 6000);
	assert_int_equal(heap_charge(&heap, 6000, 10001, NULL), -EFBIG);
	assert_int_equal(heap_charge(&heap, 6000, 5000, NULL), 0);
	assert_int_equal(heap.charged, 5000);
	/* Not enough for a chunk of the usual size, but for a page. */
	data = get(&heap, 900);
	assert_int_equal(heap_room(data), 960);
	assert_int_equal(heap.charged, 5000 + 4096);
	heap_free(&heap, data);
	heap_discharge(&heap, 5000);
	heap_deinit(&heap);
}

static void an_idle_chunk_is_nobodys_limit(void **state)
{
	(void)state;
	struct heap heap = {.limit = HEAP_CHUNK_BYTES + 4096};
	heap_free(&heap, get(&heap, 100));
	assert_int_equal(heap.charged, HEAP_CHUNK_BYTES);
	assert_int_equal(heap_charge(&heap, 0, HEAP_CHUNK_BYTES, NULL), 0);
	assert_int_equal(heap.charged, HEAP_CHUNK_BYTES);
	heap_free(&heap, get(&heap, 100));
	heap_discharge(&heap, HEAP_CHUNK_BYTES);
	heap_deinit(&heap);
}

/* Small cells that stay behind large ones do not keep the memory of these. */
static void what_is_mapped_never_passes_the_limit(void **state)
{
	(void)state;
	struct heap heap = {.limit = 64 << 20};
	void *small[64];
	for (int i = 0; i < 64; i++) {
		void *large = get(&heap, (uint64_t)(16 << 20) + (uint64_t)i * 8192);
		small[i] = get(&heap, 64);
		heap_free(&heap, large);
	}
	assert_int_equal(heap.charged, HEAP_CHUNK_BYTES);
	assert_int_equal(heap.n_cells, 64);
	for (int i = 0; i < 64; i++) {
		heap_free(&heap, small[i]);
	}
	heap_deinit(&heap);
}

static void a_large_cell_goes_back_to_the_system_at_once(void **state)
{
	(void)state;
	struct heap heap = {.limit = UINT64_C(1) << 40};
	void *small = get(&heap, 10);
	void *large = get(&heap, 64 << 20);
	heap_free(&heap, large);
	heap_free(&heap, small);
	/* Address space would run out on a 32-bit system if they stayed. */
	for (int i = 0; i < 200; i++) {
		heap_free(&heap, get(&heap, 64 << 20));
	}
	assert_in_range(heap.charged, 0, HEAP_CHUNK_BYTES);
	heap_deinit(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_do_not_overlap_and_keep_their_bytes),
		cmocka_unit_test(filling_reaches_all_but_cells_in_use),
		cmocka_unit_test(freed_neighbours_become_one),
		cmocka_unit_test(what_passes_the_limit_is_refused_with_the_figures),
		cmocka_unit_test(an_idle_chunk_is_nobodys_limit),
		cmocka_unit_test(what_is_mapped_never_passes_the_limit),
		cmocka_unit_test(a_large_cell_goes_back_to_the_system_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
