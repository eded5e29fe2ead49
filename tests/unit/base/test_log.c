/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, and the journal's own protocol, with a socket in the journal's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/log.h"

#define ID "a22d431e6d6545c0a87f0891bb46da07"

struct journal {
	char folder[64], path[80];
	int fd; /* where datagrams come in */
	int lines; /* where lines come in that go to standard error */
	int before; /* standard error of the test itself */
	struct log log;
};

/* From now on standard error is @writes, and what is written comes out at @reads. */
static void goes_to(struct journal *journal, int writes, int reads)
{
	if (journal->lines >= 0) {
		close(journal->lines);
		close(journal->log.own.fd);
	}
	dup2(writes, STDERR_FILENO);
	close(writes);
	journal->lines = reads;
	log_init(&journal->log, LOG_LEVEL_INFO);
}

static int set_up(void **state)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int pipes[2];
	strcpy(journal->folder, "/tmp/edged-log-XXXXXX");
	assert_non_null(mkdtemp(journal->folder));
	snprintf(journal->path, sizeof(journal->path), "%s/socket", journal->folder);
	memcpy(address.sun_path, journal->path, strlen(journal->path) + 1);
	journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(journal->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
	journal->before = dup(STDERR_FILENO);
	journal->lines = -1;
	goes_to(journal, pipes[1], pipes[0]);
	*state = journal;
	return 0;
}

static int tear_down(void **state)
{
	struct journal *journal = *state;
	dup2(journal->before, STDERR_FILENO);
	close(journal->before);
	close(journal->lines);
	close(journal->fd);
	if (journal->log.journal >= 0) {
		close(journal->log.journal);
	}
	if (journal->log.own.fd != STDERR_FILENO) {
		close(journal->log.own.fd);
	}
	alarm(0);
	unlink(journal->path);
	rmdir(journal->folder);
	unsetenv("JOURNAL_STREAM");
	free(journal);
	return 0;
}

/* As the service manager says it. */
static void stream_is_stderr(bool really)
{
	struct stat st;
	char text[64];
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino + !really);
	setenv("JOURNAL_STREAM", text, 1);
}

static void printf_like(5, 6) say(const struct log *log, enum log_level level,
	const struct log_field *fields, size_t n, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	log_event(log, level, ID, fields, n, format, args);
	va_end(args);
}

static size_t come(int fd, char *out, size_t size)
{
	const ssize_t n = read(fd, out, size - 1);
	out[n > 0 ? n : 0] = 0;
	return n > 0 ? (size_t)n : 0;
}

static void an_event_goes_to_the_journal_with_its_fields(void **state)
{
	struct journal *journal = *state;
	char got[4096];
	const struct log_field fields[] = {{"EDGED_MODEL", "digits"}, {"EDGED_VERSION", "3"}};
	stream_is_stderr(true);
	log_open_journal(&journal->log, journal->path, "edged");
	assert_true(journal->log.journal >= 0);
	say(&journal->log, LOG_LEVEL_WARNING, fields, 2, "model %s", "digits");
	assert_true(come(journal->fd, got, sizeof(got)) > 0);
	assert_string_equal(got,
		"MESSAGE=model digits\nMESSAGE_ID=" ID
		"\nPRIORITY=4\nSYSLOG_IDENTIFIER=edged\nEDGED_MODEL=digits\nEDGED_VERSION=3\n");
	assert_int_equal(come(journal->lines, got, sizeof(got)), 0);
	log_info(&journal->log, "a line");
	assert_true(come(journal->lines, got, sizeof(got)) > 0);
	assert_string_equal(got, "<6>a line\n");
}

static void a_value_of_several_lines_comes_with_its_length(void **state)
{
	struct journal *journal = *state;
	char got[4096];
	const struct log_field fields[] = {{"EDGED_PATH", "a\nPRIORITY=0"}};
	static const char wanted[] = "EDGED_PATH\n\x0c\0\0\0\0\0\0\0a\nPRIORITY=0\n";
	stream_is_stderr(true);
	log_open_journal(&journal->log, journal->path, "edged");
	say(&journal->log, LOG_LEVEL_INFO, fields, 1, "x");
	const size_t n = come(journal->fd, got, sizeof(got));
	assert_true(n > sizeof(wanted));
	assert_memory_equal(got + n - (sizeof(wanted) - 1), wanted, sizeof(wanted) - 1);
}

static void what_does_not_fit_is_left_out_and_the_rest_comes(void **state)
{
	struct journal *journal = *state;
	static char large[10000];
	static char got[16384];
	memset(large, 'x', sizeof(large) - 1);
	const struct log_field fields[] = {{"EDGED_PATH", large}, {"EDGED_MODEL", "m"}};
	stream_is_stderr(true);
	log_open_journal(&journal->log, journal->path, "edged");
	say(&journal->log, LOG_LEVEL_INFO, fields, 2, "%s", large);
	const size_t n = come(journal->fd, got, sizeof(got));
	assert_true(n > 1000 && n < 2000); /* a message has 1023 bytes at most */
	assert_non_null(strstr(got, "\nEDGED_MODEL=m\n"));
}

static void an_event_is_a_line_where_there_is_no_journal(void **state)
{
	struct journal *journal = *state;
	char got[4096];
	log_open_journal(&journal->log, journal->path, "edged"); /* without $JOURNAL_STREAM */
	assert_int_equal(journal->log.journal, -1);
	stream_is_stderr(false); /* standard error was sent somewhere else */
	log_open_journal(&journal->log, journal->path, "edged");
	assert_int_equal(journal->log.journal, -1);
	say(&journal->log, LOG_LEVEL_NOTICE, NULL, 0, "model %s", "digits");
	assert_true(come(journal->lines, got, sizeof(got)) > 0);
	assert_string_equal(got, "<5>model digits\n");
	assert_int_equal(come(journal->fd, got, sizeof(got)), 0);
}

static void an_event_is_a_line_when_the_journal_has_gone(void **state)
{
	struct journal *journal = *state;
	char got[4096];
	stream_is_stderr(true);
	log_open_journal(&journal->log, journal->path, "edged");
	close(journal->fd);
	journal->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	say(&journal->log, LOG_LEVEL_NOTICE, NULL, 0, "still");
	assert_true(come(journal->lines, got, sizeof(got)) > 0);
	assert_string_equal(got, "<5>still\n");
}

static void an_event_below_the_level_is_not_told(void **state)
{
	struct journal *journal = *state;
	char got[4096];
	stream_is_stderr(true);
	log_open_journal(&journal->log, journal->path, "edged");
	say(&journal->log, LOG_LEVEL_DEBUG, NULL, 0, "quiet");
	assert_int_equal(come(journal->fd, got, sizeof(got)), 0);
	assert_int_equal(come(journal->lines, got, sizeof(got)), 0);
}

/* ---- nobody reads standard error */

/* A pipe that blocks who writes, as a parent passes it. */
static void pipe_begin(struct journal *journal)
{
	int pipes[2];
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	goes_to(journal, pipes[1], pipes[0]);
	alarm(60); /* old code never ends */
}

/* Without a descriptor of its own, as where standard error may not be opened a second time. */
static void only_stderr(struct journal *journal)
{
	assert_int_not_equal(journal->log.own.fd, STDERR_FILENO);
	close(journal->log.own.fd);
	journal->log.own.fd = STDERR_FILENO;
	journal->log.own.blocks = true;
}

#define TOTAL 4000u /* lines, of which no pipe or socket has room for all */

/* Lines of 100 bytes: "<6>", a thread's number, the line's number, and dots. */
static void write_numbered(struct journal *journal, unsigned int thread, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		log_info(&journal->log, "%u %06u %087u", thread, i, 0u);
	}
}

static char *drain(struct journal *journal)
{
	static char text[TOTAL * 128];
	size_t size = 0, n = 0;
	while ((n = come(journal->lines, text + size, sizeof(text) - size)) > 0) {
		size += n;
	}
	return text;
}

/* Each line of @text is whole; how many were written, or told to be lost: a count is short, and may have
 * had room where a line had none. */
static unsigned int count_told(const char *text)
{
	unsigned int n = 0;
	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		if (strncmp(text, "<6>", 3) == 0) {
			assert_int_equal(end - text, 99);
			n++;
		} else {
			assert_memory_equal(text, "<4>", 3);
			n += (unsigned int)strtoul(text + 3, NULL, 10);
		}
	}
	assert_int_equal(*text, 0);
	return n;
}

static unsigned int count_lost(const struct journal *journal)
{
	return (unsigned int)journal->log.own.lost;
}

/* The next line has room: before it comes the count, and then there is nothing more to tell. */
static void expect_told(struct journal *journal, unsigned int lost)
{
	char wanted[128];
	snprintf(wanted, sizeof(wanted),
		"<4>%u lines lost: standard error was not read\n<6>again\n", lost);
	log_info(&journal->log, "again");
	assert_string_equal(drain(journal), wanted);
	log_info(&journal->log, "more");
	assert_string_equal(drain(journal), "<6>more\n");
}

static void lines_are_dropped_and_counted(struct journal *journal)
{
	write_numbered(journal, 0, TOTAL);
	const unsigned int told = count_told(drain(journal));
	assert_in_range(told, 1, TOTAL - 1);
	expect_told(journal, TOTAL - told);
}

static void a_full_pipe_does_not_block_and_the_count_is_told(void **state)
{
	struct journal *journal = *state;
	pipe_begin(journal);
	lines_are_dropped_and_counted(journal);
}

static void a_full_pipe_that_cannot_be_opened_again_does_not_block(void **state)
{
	struct journal *journal = *state;
	pipe_begin(journal);
	only_stderr(journal);
	lines_are_dropped_and_counted(journal);
}

static void a_full_stream_socket_does_not_block(void **state)
{
	struct journal *journal = *state;
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	goes_to(journal, pair[1], pair[0]);
	alarm(60);
	lines_are_dropped_and_counted(journal);
}

static void the_flags_of_standard_error_stay_those_of_its_other_users(void **state)
{
	struct journal *journal = *state;
	pipe_begin(journal);
	write_numbered(journal, 0, TOTAL);
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

/* A terminal takes a part of a line: what comes after it begins a line of its own. */
static void a_terminal_that_nobody_reads_does_not_block(void **state)
{
	struct journal *journal = *state;
	struct termios raw;
	const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	const int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	assert_int_equal(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	fcntl(master, F_SETFL, O_NONBLOCK);
	goes_to(journal, slave, master);
	alarm(60);
	write_numbered(journal, 0, TOTAL);
	const unsigned int lost = count_lost(journal);
	assert_in_range(lost, 1, TOTAL - 1);
	drain(journal);
	log_info(&journal->log, "again");
	const char *text = drain(journal);
	char wanted[128];
	snprintf(wanted, sizeof(wanted),
		"warning: %u lines lost: standard error was not read\ninfo: again\n", lost);
	assert_string_equal(text + (text[0] == '\n'), wanted);
}

struct writer {
	struct journal *journal;
	unsigned int number;
	pthread_t thread;
};

#define WRITERS 4u

static void *write_all(void *argument)
{
	struct writer *writer = argument;
	write_numbered(writer->journal, writer->number, TOTAL / WRITERS);
	return NULL;
}

static void threads_write(struct journal *journal)
{
	struct writer writers[WRITERS];
	for (unsigned int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.journal = journal, .number = i};
		assert_int_equal(
			pthread_create(&writers[i].thread, NULL, write_all, &writers[i]), 0);
	}
	for (unsigned int i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
	}
	const unsigned int told = count_told(drain(journal));
	assert_int_equal(told + count_lost(journal), TOTAL);
	expect_told(journal, TOTAL - told);
}

static void threads_at_a_full_pipe_do_not_block(void **state)
{
	struct journal *journal = *state;
	pipe_begin(journal);
	threads_write(journal);
	only_stderr(journal);
	threads_write(journal);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_event_goes_to_the_journal_with_its_fields),
		TEST(a_value_of_several_lines_comes_with_its_length),
		TEST(what_does_not_fit_is_left_out_and_the_rest_comes),
		TEST(an_event_is_a_line_where_there_is_no_journal),
		TEST(an_event_is_a_line_when_the_journal_has_gone),
		TEST(an_event_below_the_level_is_not_told),
		TEST(a_full_pipe_does_not_block_and_the_count_is_told),
		TEST(a_full_pipe_that_cannot_be_opened_again_does_not_block),
		TEST(a_full_stream_socket_does_not_block),
		TEST(the_flags_of_standard_error_stay_those_of_its_other_users),
		TEST(a_terminal_that_nobody_reads_does_not_block),
		TEST(threads_at_a_full_pipe_do_not_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
