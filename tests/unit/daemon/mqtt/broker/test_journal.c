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
#include "daemon/mqtt/kept.h"
#include "tests/unit/daemon/temp_folder.h"

#define MIB (1u << 20)
#define KIB 1024u

static struct kept *open_as(const struct temp_folder *folder, uint64_t max, bool forgive)
{
	struct kept *kept = malloc(sizeof(*kept));
	struct error err = {0};
	assert_non_null(kept);
	kept_init(kept);
	if (kept_open(kept, folder->path, max, forgive, &err) < 0) {
		fail_msg("%s", err.text);
	}
	return kept;
}

static struct kept *open_kept(const struct temp_folder *folder, uint64_t max)
{
	return open_as(folder, max, false);
}

static void close_kept(struct kept *kept)
{
	kept_close(kept);
	free(kept);
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
		.came_ns = clock_now_ns()};
}

static struct kept_note *add(struct kept *kept, const char *text)
{
	struct mosq_message m = message_of(text, strlen(text));
	return kept_add(kept, "a broker", &m);
}

static bool may(const void *data, const struct kept_note *note)
{
	(void)data;
	return note->waits;
}

/* The next one of an earlier life is @text; its note. */
static struct kept_note *expect(struct kept *kept, const char *text)
{
	struct kept_record record;
	struct kept_note *note = NULL;
	assert_true(kept_next(kept, may, NULL, &record, &note));
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
	return note;
}

static void expect_none(struct kept *kept)
{
	struct kept_record record;
	struct kept_note *note = NULL;
	assert_false(kept_next(kept, may, NULL, &record, &note));
}

static void what_was_not_crossed_out_comes_in_its_order_in_the_next_life(void **state)
{
	struct kept *kept = open_kept(*state, MIB);
	struct kept_note *first = add(kept, "first");
	struct kept_note *second = add(kept, "second");
	assert_non_null(add(kept, "third"));
	kept_cross_out(first);
	assert_non_null(add(kept, "fourth")); /* in the place of the first */
	kept_cross_out(second);
	kept_close(kept);
	kept_cross_out(first); /* as requests and answers do that are still about */
	free(kept);
	kept = open_kept(*state, MIB);
	kept_cross_out(expect(kept, "third"));
	assert_non_null(add(kept, "fifth")); /* of this life, so not told in it */
	assert_non_null(expect(kept, "fourth"));
	expect_none(kept);
	close_kept(kept);
	kept = open_kept(*state, MIB);
	kept_cross_out(expect(kept, "fourth"));
	kept_cross_out(expect(kept, "fifth"));
	expect_none(kept);
	assert_int_equal(kept->bytes, 0);
	assert_int_equal(kept->n_used, 0);
	close_kept(kept);
}

/* A life that reads the only one, does with it what is said, and ends. Whether it was given up. */
static bool live(const struct temp_folder *folder, bool forgive, void (*what)(struct kept_note *))
{
	struct kept *kept = open_as(folder, MIB, forgive);
	struct kept_note *note = expect(kept, "poison");
	bool given_up = kept_is_given_up(note);
	what(note);
	close_kept(kept);
	return given_up;
}

static void do_nothing(struct kept_note *note)
{
	(void)note;
}

static void one_that_ends_every_life_is_asked_three_times(void **state)
{
	struct kept *kept = open_kept(*state, MIB);
	struct kept_note *note = add(kept, "poison");
	kept_count_try(note); /* only what comes again counts */
	assert_non_null(note);
	close_kept(kept);
	for (int life = 0; life < KEPT_TRIES; life++) {
		assert_false(live(*state, false, kept_count_try));
	}
	assert_true(
		live(*state, false, do_nothing)); /* it is answered; that may take another life */
	assert_true(live(*state, false, kept_cross_out));
	kept = open_kept(*state, MIB);
	expect_none(kept);
	assert_int_equal(kept->n_used, 0);
	close_kept(kept);
}

static void count_twice(struct kept_note *note)
{
	kept_count_try(note);
	kept_count_try(note);
}

static void lives_that_did_not_ask_it_or_that_another_ended_do_not_count(void **state)
{
	struct kept *kept = open_kept(*state, MIB);
	assert_non_null(add(kept, "poison"));
	close_kept(kept);
	for (int life = 0; life < 3 * KEPT_TRIES; life++) {
		assert_false(live(*state, false, do_nothing));
	}
	assert_false(live(*state, false, count_twice));
	for (int life = 0; life < 3 * KEPT_TRIES; life++) {
		assert_false(live(*state, true, kept_count_try));
	}
	assert_false(live(*state, false, kept_count_try));
	assert_false(live(*state, false, kept_clear_tries)); /* it had an answer */
	for (int life = 0; life < KEPT_TRIES; life++) {
		assert_false(live(*state, false, kept_count_try));
	}
	assert_true(live(*state, false, do_nothing));
}

static void what_was_put_off_comes_again_in_its_order(void **state)
{
	struct kept *kept = open_kept(*state, MIB);
	struct kept_note *first = add(kept, "first"), *second = add(kept, "second");
	assert_null(kept_oldest(kept, may, NULL));
	kept_put_off(second);
	kept_put_off(first);
	assert_ptr_equal(kept_oldest(kept, may, NULL), first);
	assert_ptr_equal(expect(kept, "first"), first);
	kept_put_off(first);
	assert_ptr_equal(expect(kept, "first"), first);
	assert_ptr_equal(expect(kept, "second"), second);
	expect_none(kept);
	kept_cross_out(first);
	close_kept(kept);
	kept = open_kept(*state, MIB);
	kept_cross_out(expect(kept, "second"));
	expect_none(kept);
	close_kept(kept);
}

static void bytes_and_places_are_bounded(void **state)
{
	struct kept *kept = open_kept(*state, 64 * KIB);
	uint8_t *large = calloc(1, 60 * KIB);
	assert_non_null(large);
	struct mosq_message m = message_of(large, 60 * KIB - 512);
	struct kept_note *note = kept_add(kept, "a broker", &m);
	assert_non_null(note);
	assert_non_null(add(kept, "fits"));
	assert_null(add(kept, "does not"));
	assert_int_equal(kept->full, 1);
	kept_cross_out(note);
	assert_non_null(add(kept, "does now"));
	close_kept(kept);
	free(large);
	kept = open_kept(*state, 64 * MIB);
	while (kept->n_used < KEPT_SLOTS) {
		assert_non_null(add(kept, "one of many"));
	}
	assert_null(add(kept, "one too many"));
	close_kept(kept);
}

static struct kept_note *add_of(struct kept *kept, const char *broker, size_t size)
{
	static const uint8_t payload[8 * KIB];
	struct mosq_message m = message_of(payload, size);
	return kept_add(kept, broker, &m);
}

/* So many can be added for @broker, one after the other; the first of them. */
static struct kept_note *fill(struct kept *kept, const char *broker, size_t size, size_t expected)
{
	struct kept_note *first = add_of(kept, broker, size);
	size_t n = first ? 1 : 0;
	while (n <= KEPT_SLOTS && add_of(kept, broker, size)) {
		n++;
	}
	assert_int_equal(n, expected);
	return first;
}

static bool is_not_of(const void *data, const struct kept_note *note)
{
	return strcmp(note->broker, data) != 0;
}

/* By its name, also in the life after. */
static void what_one_broker_has_asked_may_be_passed_over(void **state)
{
	struct kept *kept = open_kept(*state, MIB);
	struct kept_record record;
	struct kept_note *note = NULL;
	struct kept_note *const notes[] = {
		add_of(kept, "a", 1), add_of(kept, "a", 2), add_of(kept, "b", 3)};
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(notes[i]);
		kept_put_off(notes[i]);
	}
	for (int life = 0; life < 2; life++) {
		const struct kept_note *next = kept_oldest(kept, is_not_of, "a");
		assert_non_null(next);
		assert_string_equal(next->broker, "b");
		assert_true(kept_next(kept, is_not_of, "a", &record, &note));
		assert_ptr_equal(note, next);
		assert_string_equal(record.broker, "b");
		free(record.buffer);
		assert_null(kept_oldest(kept, is_not_of, "a"));
		assert_false(kept_next(kept, is_not_of, "a", &record, &note));
		assert_int_equal(kept->n_waiting, 2);
		close_kept(kept);
		kept = open_kept(*state, MIB);
	}
	close_kept(kept);
}

static void each_broker_has_an_equal_part(void **state)
{
	struct kept *kept = open_kept(*state, 64 * MIB);
	kept_divide(kept, 3);
	struct kept_note *note = fill(kept, "a", 1, KEPT_SLOTS / 3);
	fill(kept, "b", 1, KEPT_SLOTS / 3);
	kept_cross_out(note);
	fill(kept, "b", 1, 0);
	fill(kept, "a", 1, 1);
	fill(kept, "c", 1, KEPT_SLOTS / 3);
	kept_divide(kept, 2); /* more for each, as far as there is something */
	fill(kept, "a", 1, KEPT_SLOTS % 3);
	close_kept(kept);
	kept = open_kept(*state, 64 * MIB); /* what it has found counts once it is asked again */
	kept_divide(kept, 3);
	assert_int_equal(kept->n_used, KEPT_SLOTS);
	for (size_t i = 0; i < KEPT_SLOTS; i++) {
		struct kept_record record;
		assert_true(kept_next(kept, may, NULL, &record, &note));
		free(record.buffer);
		if (i < 10) { /* were a's */
			kept_cross_out(note);
		}
	}
	fill(kept, "b", 1, 0);
	fill(kept, "a", 1, 10 - KEPT_SLOTS % 3);
	close_kept(kept);
}

static void each_broker_has_an_equal_part_of_the_bytes(void **state)
{
	struct kept *kept = open_kept(*state, 256 * KIB);
	const size_t pages = (6 * KIB + 1023 + kept->page) / kept->page;
	const size_t of_each = 128 * KIB / (pages * kept->page);
	kept_divide(kept, 2);
	struct kept_note *note = fill(kept, "a", 6 * KIB, of_each);
	fill(kept, "b", 6 * KIB, of_each);
	kept_cross_out(note);
	fill(kept, "b", 6 * KIB, 0);
	fill(kept, "a", 6 * KIB, 1);
	close_kept(kept);
}

static void texts_that_are_too_long_are_not_kept(void **state)
{
	struct kept *kept = open_kept(*state, MIB);
	char *text = malloc(KEPT_MAX_TEXTS + 1);
	assert_non_null(text);
	memset(text, 'x', KEPT_MAX_TEXTS);
	text[KEPT_MAX_TEXTS] = 0;
	struct mosq_message m = message_of("payload", 7);
	m.content_type = text;
	assert_null(kept_add(kept, "a broker", &m));
	free(text);
	close_kept(kept);
}

static uint64_t memory_of(const struct kept *kept)
{
	struct stat st;
	assert_int_equal(fstat(kept->fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void memory_goes_back_when_large_ones_are_crossed_out(void **state)
{
	struct kept *kept = open_kept(*state, 32 * MIB);
	uint8_t *large = malloc(4 * MIB);
	struct kept_note *notes[4];
	assert_non_null(large);
	memset(large, 1, 4 * MIB);
	struct mosq_message m = message_of(large, 4 * MIB);
	for (size_t i = 0; i < 4; i++) {
		notes[i] = kept_add(kept, "a broker", &m);
		assert_non_null(notes[i]);
	}
	assert_true(memory_of(kept) >= 16 * MIB);
	for (size_t i = 0; i < 4; i++) {
		kept_cross_out(notes[i]);
	}
	assert_true(memory_of(kept) < MIB);
	free(large);
	close_kept(kept);
}

static void a_write_that_is_cut_short_leaves_no_memory_behind(void **state)
{
	struct kept *kept = open_kept(*state, 32 * MIB);
	uint8_t *large = calloc(1, 4 * MIB);
	struct rlimit before;
	assert_non_null(large);
	struct mosq_message m = message_of(large, 4 * MIB);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	const struct rlimit small = {.rlim_cur = 2 * MIB, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0); /* as a full file system does */
	assert_null(kept_add(kept, "a broker", &m));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(kept->full, 1);
	assert_int_equal(memory_of(kept), 0);
	free(large);
	close_kept(kept);
}

static void pages_are_those_of_the_machine(void **state)
{
	struct kept *kept = open_kept(*state, MIB);
	kept->page = 64 * KIB; /* as some have */
	for (int i = 0; i < 16; i++) {
		assert_non_null(add(kept, "a page"));
	}
	assert_null(add(kept, "one too many"));
	close_kept(kept);
}

static void what_is_removed_is_not_asked_later(void **state)
{
	const struct temp_folder *folder = *state;
	struct kept *kept = open_kept(folder, MIB);
	assert_non_null(add(kept, "old"));
	close_kept(kept);
	kept_remove(folder->path);
	kept = open_kept(folder, MIB);
	expect_none(kept);
	close_kept(kept);
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
	struct kept *kept = open_kept(*state, MIB);
	struct kept_note *note = add(kept, "cut");
	assert_non_null(note);
	off_t size = note->bytes;
	close_kept(kept);
	damage(*state, size - 1, 0x80); /* its number's second copy is another's */
	kept = open_kept(*state, MIB);
	expect_none(kept);
	assert_int_equal(kept->n_used, 0);
	close_kept(kept);
}

static void any_byte_that_is_wrong_does_no_harm(void **state)
{
	const char text[] = "a payload";
	struct kept *kept = open_kept(*state, MIB);
	struct kept_note *note = add(kept, text);
	assert_non_null(note);
	off_t size = note->bytes;
	close_kept(kept);
	for (off_t at = 0; at < size; at++) {
		struct kept_record record;
		struct kept_note *found = NULL;
		kept = open_kept(*state, MIB);
		while (kept->n_waiting == 0) { /* the one before was dropped: a new one */
			kept_cross_out(add(kept, text));
			assert_non_null(add(kept, text));
			close_kept(kept);
			kept = open_kept(*state, MIB);
		}
		close_kept(kept);
		damage(*state, at, (uint8_t)(at % 2 ? 0xFF : 0x01));
		kept = open_kept(*state, MIB);
		if (kept_next(kept, may, NULL, &record, &found)) {
			assert_true(record.message.size <= MIB);
			free(record.buffer);
			kept_cross_out(found);
		}
		expect_none(kept);
		close_kept(kept);
	}
}

static void what_came_before_the_machine_started_anew_is_not_asked(void **state)
{
	struct kept *kept = open_kept(*state, MIB);
	struct mosq_message m = message_of("old", 3);
	m.came_ns += UINT64_C(1000000000) * 3600; /* a clock that began anew is behind it */
	assert_non_null(kept_add(kept, "a broker", &m));
	close_kept(kept);
	kept = open_kept(*state, MIB);
	expect_none(kept);
	close_kept(kept);
}

static void a_folder_that_is_not_there_keeps_nothing(void **state)
{
	struct kept *kept = malloc(sizeof(*kept));
	struct error err = {0};
	(void)state;
	assert_non_null(kept);
	kept_init(kept);
	assert_true(kept_open(kept, "/nonexistent", MIB, false, &err) < 0);
	assert_null(add(kept, "nothing"));
	kept_cross_out(NULL);
	close_kept(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_folder_test(what_was_not_crossed_out_comes_in_its_order_in_the_next_life),
		temp_folder_test(one_that_ends_every_life_is_asked_three_times),
		temp_folder_test(lives_that_did_not_ask_it_or_that_another_ended_do_not_count),
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
