/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/edged/serve/memfd.h"
#include "tests/unit/daemon/log_to.h"

#define PAGE 4096
#define PART (MEMFD_MAX / 2) /* of one user, when nobody else has any */

struct bench {
	struct config config;
	struct log log;
	struct accounts accounts;
	uv_loop_t loop;
	struct memfds memfds;
	struct account *a, *b;
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	config_init(&bench->config);
	log_to(&bench->log, STDERR_FILENO, LOG_LEVEL_INFO);
	accounts_init(&bench->accounts, &bench->config, &bench->log);
	assert_int_equal(uv_loop_init(&bench->loop), 0);
	memfds_start(&bench->memfds, &bench->accounts, &bench->loop, &bench->log);
	assert_int_equal(account_open(&bench->accounts, 70001, &bench->a, NULL), 0);
	assert_int_equal(account_open(&bench->accounts, 70002, &bench->b, NULL), 0);
	*state = bench;
	return 0;
}

static void on_walk(uv_handle_t *handle, void *argument)
{
	(void)argument;
	uv_close(handle, NULL);
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	uv_walk(&bench->loop, on_walk, NULL);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	memfds_deinit(&bench->memfds);
	assert_int_equal(bench->accounts.charged, 0);
	account_close(bench->a);
	account_close(bench->b);
	accounts_deinit(&bench->accounts);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	free(bench);
	return 0;
}

static int memory(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	return fd;
}

/* As a region does: mapped, lent, and returned when it is not mapped any more. */
static void use_once(struct bench *bench, struct account *account, int fd)
{
	struct memfd *memfd = NULL;
	void *data = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(data, MAP_FAILED);
	assert_int_equal(memfd_lend(&bench->memfds, fd, PAGE, account, &memfd, NULL), 0);
	assert_non_null(memfd);
	munmap(data, PAGE);
	memfd_return(memfd);
}

static void a_charge_stays_until_the_last_who_has_the_memory_lets_go(void **state)
{
	struct bench *bench = *state;
	int fd = memory();
	use_once(bench, bench->a, fd);
	assert_int_equal(bench->a->charged, PAGE);
	int other = dup(fd);
	void *data = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	memfds_read_events(&bench->memfds);
	assert_int_equal(bench->a->charged, PAGE);
	close(other);
	memfds_read_events(&bench->memfds);
	assert_int_equal(bench->a->charged, PAGE);
	munmap(data, PAGE);
	memfds_read_events(&bench->memfds);
	assert_int_equal(bench->a->charged, 0);
	assert_int_equal(bench->a->n_memfds, 0);
	assert_int_equal(bench->memfds.n, 0);
}

static void who_has_let_go_before_is_charged_nothing_after_its_return(void **state)
{
	struct bench *bench = *state;
	struct memfd *memfd = NULL;
	int fd = memory();
	void *data = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	assert_int_equal(memfd_lend(&bench->memfds, fd, PAGE, bench->a, &memfd, NULL), 0);
	close(fd);
	memfds_read_events(&bench->memfds);
	assert_int_equal(bench->a->charged, PAGE);
	munmap(data, PAGE);
	memfd_return(memfd);
	assert_int_equal(bench->a->charged, 0);
}

static void the_loop_hears_of_it_too(void **state)
{
	struct bench *bench = *state;
	int fd = memory();
	use_once(bench, bench->a, fd);
	close(fd);
	uv_run(&bench->loop, UV_RUN_ONCE);
	assert_int_equal(bench->a->charged, 0);
}

static void one_memory_is_charged_once_to_who_brought_it_first(void **state)
{
	struct bench *bench = *state;
	struct memfd *memfd = NULL, *again = NULL;
	int fd = memory(), other = memory();
	for (int i = 0; i < 1000; i++) {
		use_once(bench, i % 2 ? bench->b : bench->a, fd);
	}
	assert_int_equal(bench->a->charged, PAGE);
	assert_int_equal(bench->b->charged, 0);
	/* Who has it a second time at once has its charge nowhere. */
	assert_int_equal(memfd_lend(&bench->memfds, fd, PAGE, bench->a, &memfd, NULL), 0);
	assert_non_null(memfd);
	again = memfd;
	assert_int_equal(memfd_lend(&bench->memfds, fd, PAGE, bench->a, &again, NULL), 0);
	assert_null(again);
	memfd_return(memfd);
	use_once(bench, bench->b, other);
	assert_int_equal(bench->b->charged, PAGE);
	assert_int_equal(bench->memfds.n, 2);
	close(fd);
	close(other);
	memfds_read_events(&bench->memfds);
	assert_int_equal(bench->accounts.charged, 0);
}

/* By the kernel's word. */
static unsigned int watched(const struct memfds *memfds)
{
	char path[64], line[256];
	unsigned int n = 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", memfds->events);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		n += strncmp(line, "inotify wd:", 11) == 0;
	}
	fclose(file);
	return n;
}

static void what_is_refused_is_neither_charged_nor_watched(void **state)
{
	struct bench *bench = *state;
	struct memfd *memfd = NULL;
	int fd = memory();
	bench->config.max_bytes_per_user = PAGE;
	assert_int_equal(memfd_lend(&bench->memfds, fd, PAGE + 1, bench->a, &memfd, NULL), -EAGAIN);
	assert_int_equal(bench->memfds.n, 0);
	assert_int_equal(watched(&bench->memfds), 0);
	assert_int_equal(bench->accounts.charged, 0);
	use_once(bench, bench->a, fd);
	assert_int_equal(watched(&bench->memfds), 1);
	close(fd);
	memfds_read_events(&bench->memfds);
	assert_int_equal(bench->accounts.charged, 0);
	assert_int_equal(memfd_lend(&bench->memfds, fd, PAGE, bench->a, &memfd, NULL), -EAGAIN);
	const struct memfds none = {.events = -1};
	struct memfds without = none;
	fd = memory();
	assert_int_equal(memfd_lend(&without, fd, PAGE, bench->a, &memfd, NULL), -EAGAIN);
	assert_int_equal(bench->accounts.charged, 0);
	close(fd);
}

static void who_may_not_read_the_memory_cannot_watch_it(void **state)
{
	struct bench *bench = *state;
	struct memfd *memfd = NULL;
	if (geteuid() != 0) {
		print_message("SKIPPED: only root can become somebody else\n");
		return;
	}
	int fd = memory();
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(seteuid(65534), 0);
	int code = memfd_lend(&bench->memfds, fd, PAGE, bench->a, &memfd, NULL);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(code, -EINVAL);
	assert_int_equal(bench->accounts.charged, 0);
	close(fd);
}

/* Though the loop has not heard yet of what was let go. */
static void who_has_let_go_has_room_at_once(void **state)
{
	struct bench *bench = *state;
	int fd = memory();
	bench->config.max_bytes_per_user = PAGE;
	use_once(bench, bench->a, fd);
	assert_int_equal(account_charge(bench->a, 1, NULL), -EAGAIN);
	close(fd);
	assert_int_equal(account_charge(bench->a, PAGE, NULL), 0);
	account_release(bench->a, PAGE);
}

/* Mapped, so that it is there without a descriptor. */
static unsigned int hoard(struct bench *bench, struct account *account, void **maps)
{
	unsigned int n = 0;
	int code = 0;
	for (; n <= PART && code == 0; n += code == 0) {
		struct memfd *memfd = NULL;
		int fd = memory();
		maps[n] = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		assert_ptr_not_equal(maps[n], MAP_FAILED);
		code = memfd_lend(&bench->memfds, fd, PAGE, account, &memfd, NULL);
		if (code == 0) {
			memfd_return(memfd);
		} else {
			munmap(maps[n], PAGE);
		}
		close(fd);
	}
	assert_int_equal(code, -EAGAIN);
	return n;
}

static void no_user_has_more_than_it_leaves_free(void **state)
{
	struct bench *bench = *state;
	static void *of_a[PART + 1], *of_b[PART + 1];
	const unsigned int n_a = hoard(bench, bench->a, of_a);
	const unsigned int n_b = hoard(bench, bench->b, of_b);
	assert_int_equal(n_a, PART);
	assert_int_equal(n_b, PART / 2);
	assert_int_equal(bench->accounts.charged, (n_a + n_b) * PAGE);
	for (unsigned int i = 0; i < n_a; i++) {
		munmap(of_a[i], PAGE);
	}
	memfds_read_events(&bench->memfds);
	assert_int_equal(bench->a->charged, 0);
	assert_int_equal(bench->b->charged, n_b * PAGE);
	for (unsigned int i = 0; i < n_b; i++) {
		munmap(of_b[i], PAGE);
	}
	memfds_read_events(&bench->memfds);
	assert_int_equal(bench->accounts.charged, 0);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(a_charge_stays_until_the_last_who_has_the_memory_lets_go),
		bench_test(who_has_let_go_before_is_charged_nothing_after_its_return),
		bench_test(the_loop_hears_of_it_too),
		bench_test(one_memory_is_charged_once_to_who_brought_it_first),
		bench_test(what_is_refused_is_neither_charged_nor_watched),
		bench_test(who_may_not_read_the_memory_cannot_watch_it),
		bench_test(who_has_let_go_has_room_at_once),
		bench_test(no_user_has_more_than_it_leaves_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
