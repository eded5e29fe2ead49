/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mapped.h"
#include "tests/unit/bus_address.h"

#define PAGES 4

/* A file of as many pages of 'x', mapped and, but for the last ones, cut after that. */
struct file {
	int fd;
	size_t page;
	uint8_t *data;
};

static struct file file_new(void)
{
	char path[] = "/var/tmp/edged-mapped-XXXXXX";
	assert_int_equal(mapped_guard(), 0); /* behind cmocka, who catches SIGBUS in each test */
	struct file file = {.fd = mkstemp(path), .page = (size_t)sysconf(_SC_PAGESIZE)};
	assert_true(file.fd >= 0);
	unlink(path);
	char *bytes = malloc(PAGES * file.page);
	assert_non_null(bytes);
	memset(bytes, 'x', PAGES * file.page);
	assert_int_equal(write(file.fd, bytes, PAGES * file.page), PAGES * file.page);
	free(bytes);
	file.data = mmap(NULL, PAGES * file.page, PROT_READ, MAP_SHARED, file.fd, 0);
	assert_ptr_not_equal(file.data, MAP_FAILED);
	return file;
}

static void file_free(struct file *file)
{
	munmap(file->data, PAGES * file->page);
	close(file->fd);
}

static void what_is_cut_off_reads_as_zeros_and_is_known(void **state)
{
	(void)state;
	struct file file = file_new();
	struct mapped *mapped = mapped_add(file.data, PAGES * file.page - 7);
	assert_non_null(mapped);
	assert_int_equal(file.data[0], 'x');
	assert_false(mapped_broken(mapped));
	assert_int_equal(ftruncate(file.fd, (off_t)file.page), 0);
	assert_int_equal(*(volatile uint8_t *)(file.data + 3 * file.page), 0);
	assert_true(mapped_broken(mapped));
	assert_int_equal(*(volatile uint8_t *)file.data, 0);
	mapped_remove(mapped);
	file_free(&file);
}

static void the_others_are_as_they_were(void **state)
{
	(void)state;
	struct file cut = file_new(), whole = file_new();
	struct mapped *one = mapped_add(cut.data, PAGES * cut.page);
	struct mapped *other = mapped_add(whole.data, PAGES * whole.page);
	assert_int_equal(ftruncate(cut.fd, 0), 0);
	assert_int_equal(*(volatile uint8_t *)cut.data, 0);
	assert_true(mapped_broken(one));
	assert_false(mapped_broken(other));
	assert_int_equal(whole.data[0], 'x');
	mapped_remove(one);
	mapped_remove(other);
	file_free(&cut);
	file_free(&whole);
}

static void a_note_that_is_used_again_is_not_broken(void **state)
{
	(void)state;
	struct file cut = file_new(), whole = file_new();
	struct mapped *mapped = mapped_add(cut.data, PAGES * cut.page);
	assert_int_equal(ftruncate(cut.fd, 0), 0);
	assert_int_equal(*(volatile uint8_t *)cut.data, 0);
	mapped_remove(mapped);
	struct mapped *again = mapped_add(whole.data, PAGES * whole.page);
	assert_ptr_equal(again, mapped);
	assert_false(mapped_broken(again));
	mapped_remove(again);
	file_free(&cut);
	file_free(&whole);
}

static void more_mappings_than_a_chunk_holds_are_known(void **state)
{
	(void)state;
	struct file file = file_new();
	struct mapped *notes[100];
	static uint8_t pages[100];
	for (size_t i = 0; i < 99; i++) {
		notes[i] = mapped_add(pages + i, 1);
		assert_non_null(notes[i]);
	}
	notes[99] = mapped_add(file.data, PAGES * file.page);
	assert_int_equal(ftruncate(file.fd, 0), 0);
	assert_int_equal(*(volatile uint8_t *)file.data, 0);
	assert_true(mapped_broken(notes[99]));
	for (size_t i = 0; i < 100; i++) {
		mapped_remove(notes[i]);
	}
	file_free(&file);
}

static void *read_all(void *argument)
{
	const struct file *file = argument;
	unsigned int sum = 0;
	for (size_t i = 0; i < PAGES * file->page; i++) {
		sum += *(volatile uint8_t *)(file->data + i);
	}
	return (void *)(uintptr_t)sum;
}

static void threads_that_read_it_at_once_go_on(void **state)
{
	(void)state;
	struct file file = file_new();
	struct mapped *mapped = mapped_add(file.data, PAGES * file.page);
	pthread_t threads[8];
	assert_int_equal(ftruncate(file.fd, 0), 0);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, &file), 0);
	}
	for (size_t i = 0; i < 8; i++) {
		void *sum = NULL;
		assert_int_equal(pthread_join(threads[i], &sum), 0);
		assert_null(sum);
	}
	assert_true(mapped_broken(mapped));
	mapped_remove(mapped);
	file_free(&file);
}

static void no_core(void)
{
	const struct rlimit none = {0};
	assert_int_equal(setrlimit(RLIMIT_CORE, &none), 0);
}

static void expect_ended(pid_t child, int number)
{
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), number);
}

/* In a child whose SIGBUS is as the system has it, without what a sanitizer does. */
static void guard_anew(void)
{
	signal(SIGBUS, SIG_DFL);
	assert_int_equal(mapped_guard(), 0);
	no_core();
}

static void any_other_fault_ends_the_process(void **state)
{
	(void)state;
	struct file file = file_new();
	struct mapped *removed = mapped_add(file.data, PAGES * file.page);
	mapped_remove(removed);
	assert_int_equal(ftruncate(file.fd, 0), 0);
	pid_t child = fork();
	if (child == 0) {
		guard_anew();
		_exit(*(volatile uint8_t *)file.data);
	}
	expect_ended(child, SIGBUS);
	file_free(&file);
}

static void a_signal_that_somebody_sent_ends_the_process(void **state)
{
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		guard_anew();
		kill(getpid(), SIGBUS);
		_exit(0);
	}
	expect_ended(child, SIGBUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_cut_off_reads_as_zeros_and_is_known),
		cmocka_unit_test(the_others_are_as_they_were),
		cmocka_unit_test(a_note_that_is_used_again_is_not_broken),
		cmocka_unit_test(more_mappings_than_a_chunk_holds_are_known),
		cmocka_unit_test(threads_that_read_it_at_once_go_on),
		cmocka_unit_test(any_other_fault_ends_the_process),
		cmocka_unit_test(a_signal_that_somebody_sent_ends_the_process),
	};
	if (!bus_address_is_told()) {
		print_message("SKIPPED: this emulator does not say where a SIGBUS was\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
