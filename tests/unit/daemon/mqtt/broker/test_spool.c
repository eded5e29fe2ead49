/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "daemon/mqtt/broker/spool.h"
#include "tests/unit/daemon/temp_folder.h"

#define MIB (1u << 20)

static struct spool *open_spool(const struct temp_folder *folder, uint64_t max)
{
	struct spool *spool = NULL;
	struct error err = {0};
	char path[96];
	snprintf(path, sizeof(path), "%s/spool", folder->path);
	int r = spool_open(path, max, &spool, &err);
	if (r < 0) {
		fail_msg("%s", err.text);
	}
	return spool;
}

static void append(struct spool *spool, unsigned int from, unsigned int n)
{
	struct error err = {0};
	for (unsigned int i = from; i < from + n; i++) {
		char text[32];
		int length = snprintf(text, sizeof(text), "result %u", i);
		assert_int_equal(spool_append(spool, "a/topic", text, (size_t)length, &err), 0);
	}
}

/* Reads @n and finds them to be those from @from on. */
static void expect(struct spool *spool, unsigned int from, unsigned int n, bool done)
{
	for (unsigned int i = from; i < from + n; i++) {
		struct spool_record record;
		char text[32];
		int length = snprintf(text, sizeof(text), "result %u", i);
		assert_true(spool_read(spool, &record));
		assert_string_equal(record.topic, "a/topic");
		assert_int_equal(record.size, length);
		assert_memory_equal(record.payload, text, record.size);
		if (done) {
			spool_done(spool, record.number);
		}
	}
}

static void what_goes_in_comes_out_in_order_over_many_segments(void **state)
{
	struct spool *spool = open_spool(*state, MIB / 4);
	struct spool_record record;
	append(spool, 0, 5000);
	assert_int_equal(spool_length(spool), 5000);
	expect(spool, 0, 1000, false);
	spool_rewind(spool);
	expect(spool, 0, 5000, true);
	assert_false(spool_read(spool, &record));
	assert_int_equal(spool_length(spool), 0);
	append(spool, 5000, 3);
	expect(spool, 5000, 3, true);
	spool_close(spool);
}

static void what_was_not_delivered_is_there_after_a_restart(void **state)
{
	struct spool *spool = open_spool(*state, MIB);
	append(spool, 0, 100);
	expect(spool, 0, 40, true);
	expect(spool, 40, 10, false);
	spool_close(spool);
	spool = open_spool(*state, MIB);
	assert_int_equal(spool_length(spool), 60);
	append(spool, 100, 10);
	expect(spool, 40, 70, true);
	spool_close(spool);
	spool = open_spool(*state, MIB);
	assert_int_equal(spool_length(spool), 0);
	append(spool, 110, 1);
	expect(spool, 110, 1, true);
	spool_close(spool);
}

static void the_mark_moves_only_over_what_was_delivered_without_gaps(void **state)
{
	struct spool *spool = open_spool(*state, MIB);
	append(spool, 0, 3);
	expect(spool, 0, 3, false);
	spool_done(spool, 2);
	spool_done(spool, 1);
	assert_int_equal(spool_length(spool), 3);
	spool_rewind(spool);
	expect(spool, 0, 3, true);
	assert_int_equal(spool_length(spool), 0);
	spool_close(spool);
}

static void above_the_bound_the_oldest_go(void **state)
{
	struct spool *spool = open_spool(*state, 80000);
	struct spool_record record;
	append(spool, 0, 10000);
	assert_true(spool_dropped(spool) > 5000);
	uint64_t left = spool_length(spool);
	assert_int_equal(left + spool_dropped(spool), 10000);
	assert_true(spool_read(spool, &record));
	assert_int_equal(record.number, spool_dropped(spool));
	spool_done(spool, record.number);
	expect(spool, (unsigned int)record.number + 1, (unsigned int)left - 1, true);
	spool_close(spool);
}

/* A power cut anywhere in the last record: it is taken off, what was before stays. */
static void a_record_cut_short_is_taken_off(void **state)
{
	const struct temp_folder *folder = *state;
	char path[128];
	snprintf(path, sizeof(path), "%s/spool/0000000000000000.spool", folder->path);
	for (off_t cut = 1; cut < 40; cut += 3) {
		struct spool *spool = open_spool(folder, MIB);
		append(spool, 0, 3);
		spool_close(spool);
		struct stat st;
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(truncate(path, st.st_size - cut), 0);
		spool = open_spool(folder, MIB);
		uint64_t whole = cut < 34 ? 2 : 1;
		assert_int_equal(spool_length(spool), whole);
		assert_int_equal(spool_dropped(spool), 1);
		expect(spool, 0, (unsigned int)whole, false);
		append(spool, (unsigned int)whole, 1);
		expect(spool, (unsigned int)whole, 1, false);
		spool_close(spool);
		char used[128], aside[128];
		snprintf(used, sizeof(used), "%s/spool", folder->path);
		snprintf(aside, sizeof(aside), "%s/used-%d", folder->path, (int)cut);
		assert_int_equal(rename(used, aside), 0);
	}
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
	const struct temp_folder *folder = *state;
	struct spool *spool = NULL;
	struct error err = {0};
	char path[96], wanted[160];
	snprintf(path, sizeof(path), "%s/nothing/spool", folder->path);
	snprintf(wanted, sizeof(wanted), "spool: %s: No such file or directory", path);
	assert_int_equal(spool_open(path, MIB, &spool, &err), -ENOENT);
	assert_string_equal(err.text, wanted);
}

#define RECORD (18 + 7 + 10) /* bytes of one whose text is "result NNN" */

/* The byte at @at of the oldest segment has changed. */
static void damage(const struct temp_folder *folder, off_t at)
{
	char path[128], byte = 0;
	snprintf(path, sizeof(path), "%s/spool/0000000000000000.spool", folder->path);
	owned_fd int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

/* Wherever it is: in size, checksum, number, topic or payload. */
static void a_byte_that_changed_costs_the_rest_of_its_segment(void **state)
{
	const struct temp_folder *folder = *state;
	const unsigned int whole = MIB / 64 / SPOOL_SEGMENTS / RECORD;
	for (off_t byte = 0; byte < RECORD; byte++) {
		char used[128], aside[128];
		struct spool_record record;
		struct spool *spool = open_spool(folder, MIB / 64);
		append(spool, 100, 100);
		spool_close(spool);
		damage(folder, 5 * RECORD + byte);
		spool = open_spool(folder, MIB / 64);
		append(spool, 200, 2);
		assert_int_equal(spool_length(spool), 102);
		expect(spool, 100, 5, false);
		assert_false(spool_read(spool, &record)); /* not before that was delivered */
		spool_rewind(spool);
		expect(spool, 100, 5, true);
		assert_int_equal(spool_dropped(spool), 0);
		expect(spool, 100 + whole, 1, false);
		assert_int_equal(spool_dropped(spool), whole - 5);
		spool_unread(spool);
		expect(spool, 100 + whole, 102 - whole, true);
		assert_false(spool_read(spool, &record));
		assert_int_equal(spool_length(spool), 0);
		spool_close(spool);
		snprintf(used, sizeof(used), "%s/spool", folder->path);
		snprintf(aside, sizeof(aside), "%s/used-%d", folder->path, (int)byte);
		assert_int_equal(rename(used, aside), 0);
	}
}

/* Nobody knows how many those are that nothing whole follows: they count as one. */
static void what_is_damaged_at_the_end_is_counted(void **state)
{
	const struct temp_folder *folder = *state;
	struct spool *spool = open_spool(folder, MIB);
	append(spool, 100, 20);
	expect(spool, 100, 3, true);
	spool_close(spool);
	damage(folder, 18 * RECORD);
	damage(folder, 19 * RECORD + 30);
	spool = open_spool(folder, MIB);
	assert_int_equal(spool_length(spool), 15);
	assert_int_equal(spool_dropped(spool), 1);
	append(spool, 200, 3);
	expect(spool, 103, 15, true);
	expect(spool, 200, 3, true);
	assert_int_equal(spool_dropped(spool), 1);
	spool_close(spool);
}

static void what_was_delivered_and_damaged_is_not_missed(void **state)
{
	const struct temp_folder *folder = *state;
	struct spool *spool = open_spool(folder, MIB);
	append(spool, 100, 20);
	expect(spool, 100, 10, true);
	spool_close(spool);
	for (off_t record = 0; record < 8; record++) {
		damage(folder, record * RECORD + 30);
	}
	spool = open_spool(folder, MIB);
	assert_int_equal(spool_length(spool), 10);
	expect(spool, 110, 10, true);
	assert_int_equal(spool_dropped(spool), 0);
	spool_close(spool);
}

static ino_t inode_of(const struct temp_folder *folder, const char *name)
{
	char path[400];
	struct stat st;
	snprintf(path, sizeof(path), "%s/spool/%s", folder->path, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* The last @n segments, the newest last, and the folder behind them. */
static void expect_fds(struct spool *spool, const struct temp_folder *folder, size_t n)
{
	int fds[SPOOL_MAX_FDS];
	char path[128];
	struct dirent **names = NULL;
	snprintf(path, sizeof(path), "%s/spool", folder->path);
	assert_true(spool_is_dirty(spool));
	assert_int_equal(spool_take_fds(spool, fds), n + 1);
	assert_false(spool_is_dirty(spool));
	int all = scandir(path, &names, NULL, alphasort); /* done is behind digits */
	size_t segments = 0;
	for (int i = 0; i < all; i++) {
		segments += strstr(names[i]->d_name, ".spool") != NULL;
	}
	assert_true(segments >= n);
	for (size_t i = 0; i <= n; i++) {
		struct stat st;
		assert_int_equal(fstat(fds[i], &st), 0);
		const char *name = i < n ? names[2 + segments - n + i]->d_name : "."; /* . and .. */
		assert_int_equal(st.st_ino, inode_of(folder, name));
		close(fds[i]);
	}
	for (int i = 0; i < all; i++) {
		free(names[i]);
	}
	free(names);
}

/* Segments that were full meanwhile as well. */
static void all_that_was_written_is_to_be_synced(void **state)
{
	struct spool *spool = open_spool(*state, MIB / 64);
	append(spool, 100, 200); /* of several segments */
	expect_fds(spool, *state, 4);
	append(spool, 300, 1);
	expect_fds(spool, *state, 1);
	append(spool, 301, 5000); /* above the bound: of those that have gone it is all the same */
	int fds[SPOOL_MAX_FDS];
	size_t n = spool_take_fds(spool, fds);
	assert_int_equal(n, SPOOL_MAX_FDS);
	while (n > 0) {
		close(fds[--n]);
	}
	append(spool, 5301, 100); /* what nobody has asked for is closed */
	spool_close(spool);
}

static void what_is_read_once_more_is_the_same(void **state)
{
	struct spool *spool = open_spool(*state, MIB / 64);
	append(spool, 0, 100); /* of several segments */
	for (unsigned int i = 0; i < 100; i++) {
		expect(spool, i, 1, false);
		spool_unread(spool);
		expect(spool, i, 1, true);
	}
	spool_close(spool);
}

/* A power cut that took the end of a segment which is not the last: what follows is not held up. */
static void a_hole_between_segments_is_left_out(void **state)
{
	const struct temp_folder *folder = *state;
	char path[128];
	struct spool_record record;
	snprintf(path, sizeof(path), "%s/spool/0000000000000000.spool", folder->path);
	struct spool *spool = open_spool(folder, MIB / 64);
	append(spool, 100, 100); /* all of one size */
	spool_close(spool);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	const unsigned int bytes = 18 + 7 + 10, whole = (unsigned int)st.st_size / bytes;
	assert_int_equal(truncate(path, st.st_size - 2 * bytes - 3), 0);
	spool = open_spool(folder, MIB / 64);
	assert_int_equal(spool_length(spool), 100);
	expect(spool, 100, whole - 3, false);
	assert_false(spool_read(spool, &record)); /* not before that was delivered */
	spool_rewind(spool);
	expect(spool, 100, whole - 3, true);
	assert_true(spool_read(spool, &record));
	assert_true(record.number >= whole);
	assert_int_equal(spool_dropped(spool), record.number - (whole - 3));
	spool_done(spool, record.number);
	expect(spool, (unsigned int)record.number + 101, 99 - (unsigned int)record.number, true);
	assert_int_equal(spool_length(spool), 0);
	spool_close(spool);
}

/* Of the first, or of one between others. */
static void a_segment_of_which_nothing_is_left_is_left_out(void **state)
{
	const struct temp_folder *folder = *state;
	static const off_t lefts[] = {0, 15, RECORD + 5};
	unsigned int from = 0;
	for (size_t i = 0; i < 2 * sizeof(lefts) / sizeof(lefts[0]); i++) {
		char path[128];
		struct spool_record record;
		struct stat st;
		struct spool *spool = open_spool(folder, MIB / 64);
		append(spool, 100, 200);
		spool_close(spool);
		snprintf(path, sizeof(path), "%s/spool/%016x.spool", folder->path, from);
		assert_int_equal(stat(path, &st), 0);
		const unsigned int whole = (unsigned int)st.st_size / RECORD;
		const unsigned int before = i % 2 ? whole : 0;
		snprintf(path, sizeof(path), "%s/spool/%016x.spool", folder->path, from + before);
		assert_int_equal(truncate(path, lefts[i / 2]), 0);
		owned_fd int fd = open(path, O_RDWR | O_CLOEXEC);
		assert_int_equal(pwrite(fd, "x", 1, 0), 1); /* nor a whole one */
		spool = open_spool(folder, MIB / 64);
		assert_int_equal(spool_length(spool), 200);
		expect(spool, 100, before, false);
		assert_int_equal(spool_read(spool, &record), before == 0);
		assert_int_equal(spool_dropped(spool), before == 0 ? whole : 0);
		spool_rewind(spool);
		expect(spool, 100, before, true);
		expect(spool, 100 + before + whole, 200 - before - whole, true);
		assert_int_equal(spool_dropped(spool), whole);
		assert_int_equal(spool_length(spool), 0);
		spool_close(spool);
		from += 200;
	}
}

/* Heads that each could be one, as a payload may have them. */
static void what_looks_like_records_without_end_is_given_up(void **state)
{
	const struct temp_folder *folder = *state;
	char path[128];
	struct spool *spool = open_spool(folder, 64 * MIB);
	append(spool, 100, 1);
	spool_close(spool);
	snprintf(path, sizeof(path), "%s/spool/0000000000000000.spool", folder->path);
	owned_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	static uint8_t heads[MIB / 18][18];
	for (uint32_t i = 0; i < MIB / 18; i++) {
		const uint32_t size = (MIB / 18 - i - 1) * 18;
		memcpy(heads[i], &size, sizeof(size));
		heads[i][16] = 1; /* of topic */
	}
	assert_int_equal(pwrite(fd, heads, sizeof(heads), 0), sizeof(heads));
	spool = open_spool(folder, 64 * MIB);
	assert_int_equal(spool_dropped(spool), 1);
	assert_int_equal(spool_length(spool), 0);
	append(spool, 100, 1);
	expect(spool, 100, 1, true);
	spool_close(spool);
}

/* A disk that has lost something of what is being written to. */
static void a_hole_in_the_newest_segment_costs_nothing_that_comes_after(void **state)
{
	const struct temp_folder *folder = *state;
	struct spool_record record;
	struct spool *spool = open_spool(folder, MIB);
	append(spool, 100, 20);
	damage(folder, 5 * RECORD + 30);
	expect(spool, 100, 5, true);
	assert_false(spool_read(spool, &record));
	assert_int_equal(spool_dropped(spool), 15);
	assert_int_equal(spool_length(spool), 0);
	append(spool, 120, 20);
	expect(spool, 120, 20, true);
	assert_int_equal(spool_dropped(spool), 15);
	assert_int_equal(spool_length(spool), 0);
	spool_close(spool);
	spool = open_spool(folder, MIB);
	assert_int_equal(spool_length(spool), 0);
	assert_int_equal(spool_dropped(spool), 0);
	spool_close(spool);
}

/* Each start begins one, and leaves what is not delivered. */
static void many_small_segments_are_bounded(void **state)
{
	struct spool *spool = NULL;
	for (unsigned int i = 0; i < 100; i++) {
		spool = open_spool(*state, MIB);
		append(spool, i, 1);
		spool_close(spool);
	}
	spool = open_spool(*state, MIB);
	assert_in_range(spool_length(spool), 60, 64);
	expect(spool, 100 - (unsigned int)spool_length(spool), (unsigned int)spool_length(spool),
		false);
	spool_close(spool);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_folder_set_up, temp_folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_goes_in_comes_out_in_order_over_many_segments),
		TEST(what_was_not_delivered_is_there_after_a_restart),
		TEST(the_mark_moves_only_over_what_was_delivered_without_gaps),
		TEST(above_the_bound_the_oldest_go),
		TEST(a_record_cut_short_is_taken_off),
		TEST(a_byte_that_changed_costs_the_rest_of_its_segment),
		TEST(what_is_damaged_at_the_end_is_counted),
		TEST(what_was_delivered_and_damaged_is_not_missed),
		TEST(what_is_read_once_more_is_the_same),
		TEST(a_hole_between_segments_is_left_out),
		TEST(a_segment_of_which_nothing_is_left_is_left_out),
		TEST(what_looks_like_records_without_end_is_given_up),
		TEST(a_hole_in_the_newest_segment_costs_nothing_that_comes_after),
		TEST(all_that_was_written_is_to_be_synced),
		TEST(many_small_segments_are_bounded),
		TEST(a_folder_that_cannot_be_made_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
