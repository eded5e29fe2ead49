/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/mqtt/broker/journal.h"
#include "tests/unit/daemon/temp_folder.h"

#define MIB (1u << 20)
#define KIB 1024u

static struct journal *open_journal(const struct temp_folder *folder, uint64_t max)
{
	struct journal *journal = malloc(sizeof(*journal));
	struct error err = {0};
	assert_non_null(journal);
	journal_init(journal);
	if (journal_open(journal, folder->path, max, &err) < 0) {
		fail_msg("%s", err.text);
	}
	return journal;
}

static void close_journal(struct journal *journal)
{
	journal_close(journal);
	free(journal);
}

static struct mosq_message message_of(const void *payload, size_t size)
{
	return (struct mosq_message){.topic = "edged/gw1/digits/infer",
		.payload = payload,
		.size = size,
		.qos = 1,
		.response_topic = "edged/reply/me",
		.content_type = "application/octet-stream",
		.correlation = "\0\1\2",
		.correlation_bytes = 3,
		.expiry_s = 60,
		.priority = "high",
		.accept = "",
		.traceparent = "00-1-2-01",
		.deadline = "250",
		.arrived_ns = clock_now_ns()};
}

static struct journal_entry *add(struct journal *journal, const char *text)
{
	struct mosq_message m = message_of(text, strlen(text));
	return journal_add(journal, "a broker", &m);
}

static bool may(const void *data, const struct journal_entry *entry)
{
	(void)data;
	return entry->waits;
}

/* The next one of an earlier life is @text; its entry. */
static struct journal_entry *expect(struct journal *journal, const char *text)
{
	struct journal_record record;
	struct journal_entry *entry = NULL;
	assert_true(journal_next(journal, may, NULL, &record, &entry));
	const struct mosq_message *m = &record.message;
	assert_string_equal(record.broker, "a broker");
	assert_string_equal(m->topic, "edged/gw1/digits/infer");
	assert_string_equal(m->response_topic, "edged/reply/me");
	assert_string_equal(m->content_type, "application/octet-stream");
	assert_string_equal(m->priority, "high");
	assert_string_equal(m->accept, "");
	assert_string_equal(m->traceparent, "00-1-2-01");
	assert_string_equal(m->deadline, "250");
	assert_int_equal(m->correlation_bytes, 3);
	assert_memory_equal(m->correlation, "\0\1\2", 3);
	assert_int_equal(m->expiry_s, 60);
	assert_int_equal(m->qos, 1);
	assert_int_equal(m->size, strlen(text));
	assert_memory_equal(m->payload, text, m->size);
	free(record.buffer);
	return entry;
}

static void expect_none(struct journal *journal)
{
	struct journal_record record;
	struct journal_entry *entry = NULL;
	assert_false(journal_next(journal, may, NULL, &record, &entry));
}

static void what_was_not_crossed_out_comes_in_its_order_in_the_next_life(void **state)
{
	struct journal *journal = open_journal(*state, MIB);
	struct journal_entry *first = add(journal, "first");
	struct journal_entry *second = add(journal, "second");
	assert_non_null(add(journal, "third"));
	journal_delete(first);
	assert_non_null(add(journal, "fourth")); /* in the place of the first */
	journal_delete(second);
	journal_close(journal);
	journal_delete(first); /* as requests and answers do that are still about */
	free(journal);
	journal = open_journal(*state, MIB);
	journal_delete(expect(journal, "third"));
	assert_non_null(add(journal, "fifth")); /* of this life, so not told in it */
	assert_non_null(expect(journal, "fourth"));
	expect_none(journal);
	close_journal(journal);
	journal = open_journal(*state, MIB);
	journal_delete(expect(journal, "fourth"));
	journal_delete(expect(journal, "fifth"));
	expect_none(journal);
	assert_int_equal(journal->bytes, 0);
	assert_int_equal(journal->n_used, 0);
	close_journal(journal);
}

/* A life that reads the only one, does with it what is said, and ends. Whether it was given up. */
static bool live(const struct temp_folder *folder, void (*what)(struct journal_entry *))
{
	struct journal *journal = open_journal(folder, MIB);
	struct journal_entry *entry = expect(journal, "poison");
	bool given_up = journal_is_given_up(entry);
	what(entry);
	close_journal(journal);
	return given_up;
}

static void do_nothing(struct journal_entry *entry)
{
	(void)entry;
}

static void one_that_ends_every_life_is_asked_three_times(void **state)
{
	struct journal *journal = open_journal(*state, MIB);
	struct journal_entry *entry = add(journal, "poison");
	journal_count_try(entry); /* only what comes again counts */
	assert_non_null(entry);
	close_journal(journal);
	for (int life = 0; life < JOURNAL_TRIES; life++) {
		assert_false(live(*state, journal_count_try));
	}
	assert_true(live(*state, do_nothing)); /* it is answered; that may take another life */
	assert_true(live(*state, journal_delete));
	journal = open_journal(*state, MIB);
	expect_none(journal);
	assert_int_equal(journal->n_used, 0);
	close_journal(journal);
}

static void count_twice(struct journal_entry *entry)
{
	journal_count_try(entry);
	journal_count_try(entry);
}

static void lives_that_did_not_ask_it_do_not_count(void **state)
{
	struct journal *journal = open_journal(*state, MIB);
	assert_non_null(add(journal, "poison"));
	close_journal(journal);
	for (int life = 0; life < 3 * JOURNAL_TRIES; life++) {
		assert_false(live(*state, do_nothing));
	}
	assert_false(live(*state, count_twice));
	assert_false(live(*state, journal_count_try));
	assert_false(live(*state, journal_clear_tries)); /* it had an answer */
	for (int life = 0; life < JOURNAL_TRIES; life++) {
		assert_false(live(*state, journal_count_try));
	}
	assert_true(live(*state, do_nothing));
}

static void what_was_put_off_comes_again_in_its_order(void **state)
{
	struct journal *journal = open_journal(*state, MIB);
	struct journal_entry *first = add(journal, "first"), *second = add(journal, "second");
	assert_null(journal_oldest(journal, may, NULL));
	journal_put_off(second);
	journal_put_off(first);
	assert_ptr_equal(journal_oldest(journal, may, NULL), first);
	assert_ptr_equal(expect(journal, "first"), first);
	journal_put_off(first);
	assert_ptr_equal(expect(journal, "first"), first);
	assert_ptr_equal(expect(journal, "second"), second);
	expect_none(journal);
	journal_delete(first);
	close_journal(journal);
	journal = open_journal(*state, MIB);
	journal_delete(expect(journal, "second"));
	expect_none(journal);
	close_journal(journal);
}

static void bytes_and_places_are_bounded(void **state)
{
	struct journal *journal = open_journal(*state, 64 * KIB);
	uint8_t *large = calloc(1, 60 * KIB);
	assert_non_null(large);
	struct mosq_message m = message_of(large, 60 * KIB - 512);
	struct journal_entry *entry = journal_add(journal, "a broker", &m);
	assert_non_null(entry);
	assert_non_null(add(journal, "fits"));
	assert_null(add(journal, "does not"));
	assert_int_equal(journal->full, 1);
	journal_delete(entry);
	assert_non_null(add(journal, "does now"));
	close_journal(journal);
	free(large);
	journal = open_journal(*state, 64 * MIB);
	while (journal->n_used < JOURNAL_SLOTS) {
		assert_non_null(add(journal, "one of many"));
	}
	assert_null(add(journal, "one too many"));
	close_journal(journal);
}

static struct journal_entry *add_of(struct journal *journal, const char *broker, size_t size)
{
	static const uint8_t payload[8 * KIB];
	struct mosq_message m = message_of(payload, size);
	return journal_add(journal, broker, &m);
}

/* So many can be added for @broker, one after the other; the first of them. */
static struct journal_entry *fill(
	struct journal *journal, const char *broker, size_t size, size_t expected)
{
	struct journal_entry *first = add_of(journal, broker, size);
	size_t n = first ? 1 : 0;
	while (n <= JOURNAL_SLOTS && add_of(journal, broker, size)) {
		n++;
	}
	assert_int_equal(n, expected);
	return first;
}

static bool is_not_of(const void *data, const struct journal_entry *entry)
{
	return strcmp(entry->broker, data) != 0;
}

/* By its name, also in the life after. */
static void what_one_broker_has_asked_may_be_passed_over(void **state)
{
	struct journal *journal = open_journal(*state, MIB);
	struct journal_record record;
	struct journal_entry *entry = NULL;
	struct journal_entry *const entries[] = {
		add_of(journal, "a", 1), add_of(journal, "a", 2), add_of(journal, "b", 3)};
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(entries[i]);
		journal_put_off(entries[i]);
	}
	for (int life = 0; life < 2; life++) {
		const struct journal_entry *next = journal_oldest(journal, is_not_of, "a");
		assert_non_null(next);
		assert_string_equal(next->broker, "b");
		assert_true(journal_next(journal, is_not_of, "a", &record, &entry));
		assert_ptr_equal(entry, next);
		assert_string_equal(record.broker, "b");
		free(record.buffer);
		assert_null(journal_oldest(journal, is_not_of, "a"));
		assert_false(journal_next(journal, is_not_of, "a", &record, &entry));
		assert_int_equal(journal->n_waiting, 2);
		close_journal(journal);
		journal = open_journal(*state, MIB);
	}
	close_journal(journal);
}

static void each_broker_has_an_equal_part(void **state)
{
	struct journal *journal = open_journal(*state, 64 * MIB);
	journal_set_brokers(journal, 3);
	struct journal_entry *entry = fill(journal, "a", 1, JOURNAL_SLOTS / 3);
	fill(journal, "b", 1, JOURNAL_SLOTS / 3);
	journal_delete(entry);
	fill(journal, "b", 1, 0);
	fill(journal, "a", 1, 1);
	fill(journal, "c", 1, JOURNAL_SLOTS / 3);
	journal_set_brokers(journal, 2); /* more for each, as far as there is something */
	fill(journal, "a", 1, JOURNAL_SLOTS % 3);
	close_journal(journal);
	journal = open_journal(*state, 64 * MIB); /* what it has found counts too */
	journal_set_brokers(journal, 3);
	assert_int_equal(journal->n_used, JOURNAL_SLOTS);
	for (size_t i = 0; i < 10; i++) { /* were a's */
		struct journal_record record;
		assert_true(journal_next(journal, may, NULL, &record, &entry));
		free(record.buffer);
		journal_delete(entry);
	}
	fill(journal, "b", 1, 0);
	fill(journal, "a", 1, 10 - JOURNAL_SLOTS % 3);
	close_journal(journal);
}

static void each_broker_has_an_equal_part_of_the_bytes(void **state)
{
	struct journal *journal = open_journal(*state, 256 * KIB);
	const size_t pages = (6 * KIB + 1023 + journal->page) / journal->page;
	const size_t of_each = 128 * KIB / (pages * journal->page);
	journal_set_brokers(journal, 2);
	struct journal_entry *entry = fill(journal, "a", 6 * KIB, of_each);
	fill(journal, "b", 6 * KIB, of_each);
	journal_delete(entry);
	fill(journal, "b", 6 * KIB, 0);
	fill(journal, "a", 6 * KIB, 1);
	close_journal(journal);
}

static void texts_that_are_too_long_are_not_kept(void **state)
{
	struct journal *journal = open_journal(*state, MIB);
	char *text = malloc(JOURNAL_MAX_TEXTS + 1);
	assert_non_null(text);
	memset(text, 'x', JOURNAL_MAX_TEXTS);
	text[JOURNAL_MAX_TEXTS] = 0;
	struct mosq_message m = message_of("payload", 7);
	m.content_type = text;
	assert_null(journal_add(journal, "a broker", &m));
	free(text);
	close_journal(journal);
}

static uint64_t memory_of(const struct journal *journal)
{
	struct stat st;
	assert_int_equal(fstat(journal->fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void memory_goes_back_when_large_ones_are_crossed_out(void **state)
{
	struct journal *journal = open_journal(*state, 32 * MIB);
	uint8_t *large = malloc(4 * MIB);
	struct journal_entry *entries[4];
	assert_non_null(large);
	memset(large, 1, 4 * MIB);
	struct mosq_message m = message_of(large, 4 * MIB);
	for (size_t i = 0; i < 4; i++) {
		entries[i] = journal_add(journal, "a broker", &m);
		assert_non_null(entries[i]);
	}
	assert_true(memory_of(journal) >= 16 * MIB);
	for (size_t i = 0; i < 4; i++) {
		journal_delete(entries[i]);
	}
	assert_true(memory_of(journal) < MIB);
	free(large);
	close_journal(journal);
}

static void a_write_that_is_cut_short_leaves_no_memory_behind(void **state)
{
	struct journal *journal = open_journal(*state, 32 * MIB);
	uint8_t *large = calloc(1, 4 * MIB);
	struct rlimit before;
	assert_non_null(large);
	struct mosq_message m = message_of(large, 4 * MIB);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	const struct rlimit small = {.rlim_cur = 2 * MIB, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0); /* as a full file system does */
	assert_null(journal_add(journal, "a broker", &m));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(journal->full, 1);
	assert_int_equal(memory_of(journal), 0);
	free(large);
	close_journal(journal);
}

static void pages_are_those_of_the_machine(void **state)
{
	struct journal *journal = open_journal(*state, MIB);
	journal->page = 64 * KIB; /* as some have */
	for (int i = 0; i < 16; i++) {
		assert_non_null(add(journal, "a page"));
	}
	assert_null(add(journal, "one too many"));
	close_journal(journal);
}

static void what_is_removed_is_not_asked_later(void **state)
{
	const struct temp_folder *folder = *state;
	struct journal *journal = open_journal(folder, MIB);
	assert_non_null(add(journal, "old"));
	close_journal(journal);
	journal_remove(folder->path);
	journal = open_journal(folder, MIB);
	expect_none(journal);
	close_journal(journal);
}

/* Byte @at of the first record, of @size, becomes another. */
static void damage(const struct temp_folder *folder, off_t at, uint8_t mask)
{
	uint8_t byte = 0;
	owned_fd int fd = openat(folder->fd, "kept", O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= mask;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void a_record_that_was_cut_short_is_none(void **state)
{
	struct journal *journal = open_journal(*state, MIB);
	struct journal_entry *entry = add(journal, "cut");
	assert_non_null(entry);
	off_t size = entry->bytes;
	close_journal(journal);
	damage(*state, size - 1, 0x80); /* its number's second copy is another's */
	journal = open_journal(*state, MIB);
	expect_none(journal);
	assert_int_equal(journal->n_used, 0);
	close_journal(journal);
}

static void any_byte_that_is_wrong_does_no_harm(void **state)
{
	const char text[] = "a payload";
	struct journal *journal = open_journal(*state, MIB);
	struct journal_entry *entry = add(journal, text);
	assert_non_null(entry);
	off_t size = entry->bytes;
	close_journal(journal);
	for (off_t at = 0; at < size; at++) {
		struct journal_record record;
		struct journal_entry *found = NULL;
		journal = open_journal(*state, MIB);
		while (journal->n_waiting == 0) { /* the one before was dropped: a new one */
			journal_delete(add(journal, text));
			assert_non_null(add(journal, text));
			close_journal(journal);
			journal = open_journal(*state, MIB);
		}
		close_journal(journal);
		damage(*state, at, (uint8_t)(at % 2 ? 0xFF : 0x01));
		journal = open_journal(*state, MIB);
		if (journal_next(journal, may, NULL, &record, &found)) {
			assert_true(record.message.size <= MIB);
			free(record.buffer);
			journal_delete(found);
		}
		expect_none(journal);
		close_journal(journal);
	}
}

static void what_came_before_the_machine_started_anew_is_not_asked(void **state)
{
	struct journal *journal = open_journal(*state, MIB);
	struct mosq_message m = message_of("old", 3);
	m.arrived_ns += UINT64_C(1000000000) * 3600; /* a clock that began anew is behind it */
	assert_non_null(journal_add(journal, "a broker", &m));
	close_journal(journal);
	journal = open_journal(*state, MIB);
	expect_none(journal);
	close_journal(journal);
}

static void a_folder_that_is_not_there_keeps_nothing(void **state)
{
	struct journal *journal = malloc(sizeof(*journal));
	struct error err = {0};
	(void)state;
	assert_non_null(journal);
	journal_init(journal);
	assert_true(journal_open(journal, "/nonexistent", MIB, &err) < 0);
	assert_null(add(journal, "nothing"));
	journal_delete(NULL);
	close_journal(journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_folder_test(what_was_not_crossed_out_comes_in_its_order_in_the_next_life),
		temp_folder_test(one_that_ends_every_life_is_asked_three_times),
		temp_folder_test(lives_that_did_not_ask_it_do_not_count),
		temp_folder_test(what_was_put_off_comes_again_in_its_order),
		temp_folder_test(what_one_broker_has_asked_may_be_passed_over),
		temp_folder_test(bytes_and_places_are_bounded),
		temp_folder_test(each_broker_has_an_equal_part),
		temp_folder_test(each_broker_has_an_equal_part_of_the_bytes),
		temp_folder_test(texts_that_are_too_long_are_not_kept),
		temp_folder_test(memory_goes_back_when_large_ones_are_crossed_out),
		temp_folder_test(a_write_that_is_cut_short_leaves_no_memory_behind),
		temp_folder_test(pages_are_those_of_the_machine),
		temp_folder_test(what_is_removed_is_not_asked_later),
		temp_folder_test(a_record_that_was_cut_short_is_none),
		temp_folder_test(any_byte_that_is_wrong_does_no_harm),
		temp_folder_test(what_came_before_the_machine_started_anew_is_not_asked),
		cmocka_unit_test(a_folder_that_is_not_there_keeps_nothing),
	};
	return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
