/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, and the journal's own protocol, with a socket in the journal's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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
	dup2(pipes[1], STDERR_FILENO);
	close(pipes[1]);
	journal->lines = pipes[0];
	log_init(&journal->log, LOG_LEVEL_INFO);
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

static void say(const struct log *log, enum log_level level, const struct log_field *fields,
	size_t n, const char *format, ...)
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
