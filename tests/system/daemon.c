/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/daemon.h"

#define PATIENCE_MS 60000 /* when a test is broken it ends, it does not hang */

static void path_in(const struct daemon *daemon, const char *name, char *out, size_t size)
{
	int n = snprintf(out, size, "%s/%s", daemon->folder, name);
	assert_true(n > 0 && (size_t)n < size);
}

static int fifo_open(const struct daemon *daemon, const char *name)
{
	char path[256];
	path_in(daemon, name, path, sizeof(path));
	assert_int_equal(mkfifo(path, 0600), 0);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void file_write(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

void daemon_prepare(struct daemon *daemon)
{
	static const char *const folders[] = {"models", "state", "gate", "edged.conf.d"};
	static const char base[] =
		"[daemon]\nsandbox = no\ncheck-program = none\n[models]\nwatch = no\nallow-signature-change = yes\n";
	char path[256];
	/* Not /tmp, which may be in memory, where no page is ever clean. */
	*daemon = (struct daemon){.folder = "/var/tmp/edged-test-XXXXXX", .log = -1};
	assert_non_null(mkdtemp(daemon->folder));
	path_in(daemon, "socket", daemon->socket, sizeof(daemon->socket));
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		path_in(daemon, folders[i], path, sizeof(path));
		assert_int_equal(mkdir(path, 0755), 0);
	}
	daemon->running = fifo_open(daemon, "gate/running");
	daemon->go = fifo_open(daemon, "gate/go");
	path_in(daemon, "edged.conf", path, sizeof(path));
	file_write(path, base, sizeof(base) - 1);
}

void daemon_put_bytes(struct daemon *daemon, const char *file, const void *bytes, size_t size)
{
	char path[256], name[128];
	snprintf(name, sizeof(name), "models/%s", file);
	path_in(daemon, name, path, sizeof(path));
	for (char *slash = strchr(path + strlen(daemon->folder) + 8, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0755);
		*slash = '/';
	}
	file_write(path, bytes, size);
}

void daemon_put(struct daemon *daemon, const char *file, const char *line)
{
	daemon_put_bytes(daemon, file, line, strlen(line));
}

void daemon_remove(struct daemon *daemon, const char *file)
{
	char path[256], name[128];
	snprintf(name, sizeof(name), "models/%s", file);
	path_in(daemon, name, path, sizeof(path));
	assert_int_equal(unlink(path), 0);
}

void daemon_config(struct daemon *daemon, const char *text)
{
	char path[256];
	path_in(daemon, "edged.conf.d/test.conf", path, sizeof(path));
	file_write(path, text, strlen(text));
}

void daemon_spawn(struct daemon *daemon, bool real)
{
	int pipes[2];
	char config[256], models[256], state[256];
	const char *program = getenv(real ? "EDGED" : "EDGED_FAKE");
	assert_non_null(program);
	path_in(daemon, "edged.conf", config, sizeof(config));
	path_in(daemon, "models", models, sizeof(models));
	path_in(daemon, "state", state, sizeof(state));
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	fcntl(pipes[1], F_SETPIPE_SZ, 1 << 20);
	daemon->pid = fork();
	assert_true(daemon->pid >= 0);
	if (daemon->pid == 0) {
		char pid[16];
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when a test ends half-way */
		snprintf(pid, sizeof(pid), "%d", (int)getpid());
		setenv("LISTEN_PID", pid, 1);
		dup2(pipes[1], STDERR_FILENO);
		execl(program, program, "--config", config, "--socket", daemon->socket, "--models",
			models, "--state", state, (char *)NULL);
		_exit(127);
	}
	close(pipes[1]);
	if (daemon->log >= 0) {
		close(daemon->log);
	}
	daemon->log = pipes[0];
	daemon->length = daemon->seen = 0;
}

void daemon_start(struct daemon *daemon, bool real)
{
	daemon_spawn(daemon, real);
	daemon_wait_log(daemon, "models ready");
}

void daemon_signal(struct daemon *daemon, int number)
{
	assert_int_equal(kill(daemon->pid, number), 0);
}

int daemon_wait(struct daemon *daemon)
{
	int status = 0;
	assert_int_equal(waitpid(daemon->pid, &status, 0), daemon->pid);
	daemon->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void daemon_end(struct daemon *daemon)
{
	if (daemon->pid > 0) {
		daemon_signal(daemon, SIGTERM);
		int status = daemon_wait(daemon);
		if (status != 0) {
			ssize_t n = read(daemon->log, daemon->text, sizeof(daemon->text) - 1);
			print_error("%.*s\n", (int)(n > 0 ? n : 0), daemon->text);
		}
		assert_int_equal(status, 0);
	}
	close(daemon->log);
	close(daemon->running);
	close(daemon->go);
	nftw(daemon->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Makes room: what was looked at goes. */
static void log_forget(struct daemon *daemon)
{
	if (daemon->length < sizeof(daemon->text) / 2) {
		return;
	}
	size_t keep = daemon->length - daemon->seen;
	if (daemon->seen == 0) { /* none of it is waited for: the last line may be in two halves */
		keep = 4096;
	}
	memmove(daemon->text, daemon->text + daemon->length - keep, keep);
	daemon->length = keep;
	daemon->seen = 0;
}

bool daemon_look_log(struct daemon *daemon, const char *text)
{
	for (;;) {
		daemon->text[daemon->length] = 0;
		char *found = strstr(daemon->text + daemon->seen, text);
		if (found) {
			daemon->seen = (size_t)(found - daemon->text) + strlen(text);
			return true;
		}
		struct pollfd waited = {.fd = daemon->log, .events = POLLIN};
		log_forget(daemon);
		if (poll(&waited, 1, PATIENCE_MS) != 1) {
			fail_msg("no line with \"%s\" in: %s", text, daemon->text);
		}
		ssize_t n = read(daemon->log, daemon->text + daemon->length,
			sizeof(daemon->text) - 1 - daemon->length);
		if (n <= 0) {
			return false;
		}
		daemon->length += (size_t)n;
	}
}

void daemon_wait_log(struct daemon *daemon, const char *text)
{
	if (!daemon_look_log(daemon, text)) {
		fail_msg("edged ended without \"%s\": %s", text, daemon->text);
	}
}

void daemon_wait_running(struct daemon *daemon)
{
	char byte = 0;
	struct pollfd waited = {.fd = daemon->running, .events = POLLIN};
	assert_int_equal(poll(&waited, 1, PATIENCE_MS), 1);
	assert_int_equal(read(daemon->running, &byte, 1), 1);
}

void daemon_let_go(struct daemon *daemon, int n)
{
	for (int i = 0; i < n; i++) {
		assert_int_equal(write(daemon->go, "g", 1), 1);
	}
}

bool daemon_memory_counts(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return false;
#elif defined(__has_feature)
	return !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
	return true;
#endif
}

long daemon_memory_kb(const struct daemon *daemon, const char *field)
{
	char path[64], line[256], wanted[64];
	long kb = -1;
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)daemon->pid);
	snprintf(wanted, sizeof(wanted), "%s:", field);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (kb < 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, wanted, strlen(wanted)) == 0) {
			kb = strtol(line + strlen(wanted), NULL, 10);
		}
	}
	fclose(file);
	assert_true(kb >= 0);
	return kb;
}
