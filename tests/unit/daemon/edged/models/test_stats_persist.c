/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/own.h"
#include "daemon/edged/models/stats_persist.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* What kept.c writes: of two models. */
struct row {
	char name[LOADED_MODEL_NAME_SIZE];
	struct counters counters;
};

struct memory {
	char magic[8];
	uint32_t size, n_counts, n_models, row_size;
	uint64_t queue_us, run_us;
	uint64_t counts[EDGE_STATUS_COUNT];
	struct row rows[2];
};

static struct memory memory_of_two(void)
{
	struct memory memory;
	memset(&memory, 0, sizeof(memory));
	memcpy(memory.magic, "edgedk2", 8);
	memory.size = offsetof(struct memory, rows);
	memory.n_counts = EDGE_STATUS_COUNT;
	memory.n_models = 2;
	memory.row_size = sizeof(struct row);
	memory.counts[EDGE_OK] = 12;
	memory.rows[0].counters.counts[EDGE_OK] = 5;
	memory.rows[1].counters.counts[EDGE_OK] = 7;
	memcpy(memory.rows[0].name, "first", 6);
	memcpy(memory.rows[1].name, "second", 7);
	return memory;
}

static void load(const struct memory *memory, struct metrics *metrics, struct models *models)
{
	owned_fd int fd = memfd_create("kept", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, memory, sizeof(*memory)), sizeof(*memory));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, SEALS), 0);
	models_init(models, NULL);
	assert_true(stats_persist_load(fd, metrics, models));
}

static void each_models_counters_are_kept_by_its_name(void **state)
{
	struct metrics metrics = {0};
	struct models models;
	(void)state;
	struct memory memory = memory_of_two();
	/* The longest that there is. */
	memset(memory.rows[1].name, 'n', LOADED_MODEL_NAME_SIZE - 1);
	load(&memory, &metrics, &models);
	assert_int_equal(metrics.counts[EDGE_OK], 12);
	assert_non_null(models.restored);
	assert_string_equal(models.restored->name, memory.rows[1].name);
	assert_int_equal(models.restored->counters->counts[EDGE_OK], 7);
	assert_non_null(models.restored->next);
	assert_string_equal(models.restored->next->name, "first");
	assert_int_equal(models.restored->next->counters->counts[EDGE_OK], 5);
	assert_null(models.restored->next->next);
	models_deinit(&models);
}

/* Nor is there a zero byte anywhere behind it, to the end of the memory. */
static void a_name_without_an_end_is_left_out(void **state)
{
	struct metrics metrics = {0};
	struct models models;
	(void)state;
	struct memory memory = memory_of_two();
	memset(&memory.rows[1], 'n', sizeof(memory.rows[1]));
	load(&memory, &metrics, &models);
	assert_int_equal(metrics.counts[EDGE_OK], 12);
	assert_non_null(models.restored);
	assert_string_equal(models.restored->name, "first");
	assert_null(models.restored->next);
	models_deinit(&models);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_models_counters_are_kept_by_its_name),
		cmocka_unit_test(a_name_without_an_end_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
