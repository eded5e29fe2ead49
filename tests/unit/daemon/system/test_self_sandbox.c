/* SPDX-License-Identifier: Apache-2.0 */
/* Each question is asked in a process of its own, which is confined for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/system/self_sandbox.h"
#include "tests/unit/daemon/temp_folder.h"

#define OK 0
#define BAD 1
#define NO_CALLS 77
#define NO_FILES 78

struct place {
	char folder[64], state[80], socket[80], beside[80];
};

static struct place place_in(const char *folder)
{
	struct place place;
	char path[80];
	snprintf(place.folder, sizeof(place.folder), "%s", folder);
	snprintf(place.state, sizeof(place.state), "%s/state", folder);
	snprintf(place.socket, sizeof(place.socket), "%s/run/socket", folder);
	snprintf(place.beside, sizeof(place.beside), "%s/beside", folder);
	snprintf(path, sizeof(path), "%s/run", folder);
	assert_int_equal(mkdir(place.state, 0700), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	return place;
}

/* A filter that lets everything through, as that of a container would most. */
static bool filter(void)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = {.len = 1, .filter = &code};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

/* What @ask says in a confined child; @filtered: in one that has a filter already. */
static int in_confinement(
	const struct place *place, bool filtered, int (*ask)(const struct place *))
{
	int status = 0;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct self_sandbox_paths paths = {.state = place->state,
			.socket = place->socket,
			.program = "/bin/true",
			.watch = "/nowhere"};
		struct self_sandbox_result result;
		if (filtered && !filter()) {
			_exit(NO_CALLS);
		}
		if (self_sandbox_enter(&paths, &result, NULL) < 0 || result.before ||
			result.filtered != filtered) {
			_exit(BAD);
		}
		_exit(!result.calls && !filtered ? NO_CALLS
				: !result.files  ? NO_FILES
						 : ask(place));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect_ok_after(void **state, bool filtered, int (*ask)(const struct place *))
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) > 0) {
		print_message("SKIPPED: system calls are filtered here already\n");
		return;
	}
	const struct temp_folder *folder = *state;
	const struct place place = place_in(folder->path);
	int said = in_confinement(&place, filtered, ask);
	if (said == NO_CALLS || said == NO_FILES) {
		print_message("SKIPPED: this kernel has no %s\n",
			said == NO_CALLS ? "seccomp" : "Landlock of version 2");
		return;
	}
	if (said != OK) {
		fail_msg("question %d", said);
	}
}

static void expect_ok(void **state, int (*ask)(const struct place *))
{
	expect_ok_after(state, false, ask);
}

/* Numbers of questions count from 2. */
static int fails_with(bool failed, int error)
{
	return failed && errno == error;
}

static int ask_network(const struct place *place)
{
	(void)place;
	int pair[2];
	if (!fails_with(socket(AF_INET, SOCK_STREAM, 0) < 0, EAFNOSUPPORT)) {
		return 2;
	}
	if (!fails_with(socket(AF_INET6, SOCK_DGRAM, 0) < 0, EAFNOSUPPORT)) {
		return 3;
	}
	if (!fails_with(socket(AF_NETLINK, SOCK_RAW, 0) < 0, EAFNOSUPPORT)) {
		return 4;
	}
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 ? OK : 5;
}

static void no_network_but_unix_sockets(void **state)
{
	expect_ok(state, ask_network);
}

static int ask_power(const struct place *place)
{
	(void)place;
	if (!fails_with(unshare(CLONE_NEWUSER) < 0, EPERM)) {
		return 2;
	}
	if (!fails_with(
		    syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0) < 0, EPERM)) {
		return 3;
	}
	if (!fails_with(syscall(SYS_bpf, 0, NULL, 0) < 0, EPERM)) {
		return 4;
	}
	if (!fails_with(syscall(SYS_setuid, 0) < 0, EPERM)) {
		return 5;
	}
	if (!fails_with(syscall(SYS_keyctl, 0, 0) < 0, EPERM)) {
		return 6;
	}
	if (!fails_with(syscall(SYS_mount, NULL, "/", NULL, 0, NULL) < 0, EPERM)) {
		return 7;
	}
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
		return 8;
	}
	/* Of another process: where Landlock can scope signals, from version 6 on, nobody hears of it. */
	const long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	return version < 6 || fails_with(kill(getppid(), 0) < 0, EPERM) ? OK : 9;
}

static void no_namespaces_mounts_users_keys_or_signals_to_others(void **state)
{
	expect_ok(state, ask_power);
}

static int ask_code(const struct place *place)
{
	(void)place;
	void *both = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!fails_with(both == MAP_FAILED, EPERM)) {
		return 2;
	}
	void *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED) {
		return 3;
	}
	if (!fails_with(mprotect(data, 4096, PROT_READ | PROT_EXEC) < 0, EPERM)) {
		return 4;
	}
	return mprotect(data, 4096, PROT_READ) == 0 ? OK : 5;
}

static void no_memory_is_written_and_run(void **state)
{
	expect_ok(state, ask_code);
}

static bool can_make(const char *folder, const char *name)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0) {
		close(fd);
	}
	return fd >= 0;
}

static int ask_files(const struct place *place)
{
	char from[160], to[160];
	if (!fails_with(!can_make(place->folder, "beside"), EACCES)) {
		return 2;
	}
	if (!fails_with(mkdir(place->beside, 0700) < 0, EACCES)) {
		return 3;
	}
	if (!fails_with(open("/dev/tty", O_RDWR | O_CLOEXEC) < 0, EACCES)) {
		return 4;
	}
	snprintf(from, sizeof(from), "%s/inner", place->state);
	if (!can_make(place->state, "file") || mkdir(from, 0700) < 0) {
		return 5;
	}
	snprintf(from, sizeof(from), "%s/file", place->state);
	snprintf(to, sizeof(to), "%s/inner/file", place->state);
	if (rename(from, to) < 0 || truncate(to, 0) < 0 || unlink(to) < 0) {
		return 6;
	}
	int passwd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	return passwd >= 0 && null >= 0 ? OK : 7;
}

static void files_are_written_below_state_only_and_read_everywhere(void **state)
{
	expect_ok(state, ask_files);
}

static void in_a_container_with_a_filter_files_are_confined_too(void **state)
{
	expect_ok_after(state, true, ask_files);
}

/* In a child, which is filtered and a unit's. */
static void what_a_unit_has_confined_is_left_alone(void **state)
{
	(void)state;
	int status = 0;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct self_sandbox_paths paths = {.state = "/nowhere"};
		struct self_sandbox_result result = {0};
		setenv("INVOCATION_ID", "0123456789abcdef0123456789abcdef", 1);
		bool fine = !filter() ||
			(self_sandbox_enter(&paths, &result, NULL) == 0 && result.before &&
				!result.files && !result.calls);
		_exit(fine ? OK : BAD);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), OK);
}

static int ask_socket(const struct place *place)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(address.sun_path, place->socket);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		chmod(place->socket, 0600) < 0 || unlink(place->socket) < 0) {
		return 2;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(address.sun_path, place->beside);
	return fails_with(bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0, EACCES) ? OK
											      : 3;
}

static void its_socket_is_made_and_removed(void **state)
{
	expect_ok(state, ask_socket);
}

static int run(const char *program)
{
	char *const arguments[] = {(char[]){"program"}, NULL}, *const environment[] = {NULL};
	pid_t pid = 0;
	int status = 0;
	int code = posix_spawn(&pid, program, NULL, NULL, arguments, environment);
	if (code == 0 && waitpid(pid, &status, 0) == pid) {
		code = status == 0 ? 0 : ECHILD;
	}
	return code;
}

static int ask_programs(const struct place *place)
{
	(void)place;
	if (run("/bin/true") != 0) {
		return 2;
	}
	return run("/bin/sh") == EACCES ? OK : 3;
}

static void one_program_may_be_run(void **state)
{
	expect_ok(state, ask_programs);
}

static void *try_socket(void *argument)
{
	int *ret = argument;
	*ret = fails_with(socket(AF_INET, SOCK_STREAM, 0) < 0, EAFNOSUPPORT) &&
			fails_with(open("/var/tmp/edged-test-thread", O_CREAT | O_RDWR, 0600) < 0,
				EACCES)
		? OK
		: 3;
	return NULL;
}

static int ask_thread(const struct place *place)
{
	(void)place;
	pthread_t thread;
	int said = 2;
	if (pthread_create(&thread, NULL, try_socket, &said) != 0) {
		return 2;
	}
	pthread_join(thread, NULL);
	return said;
}

static void threads_that_come_later_are_confined_too(void **state)
{
	expect_ok(state, ask_thread);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_folder_test(no_network_but_unix_sockets),
		temp_folder_test(no_namespaces_mounts_users_keys_or_signals_to_others),
		temp_folder_test(no_memory_is_written_and_run),
		temp_folder_test(files_are_written_below_state_only_and_read_everywhere),
		temp_folder_test(in_a_container_with_a_filter_files_are_confined_too),
		temp_folder_test(what_a_unit_has_confined_is_left_alone),
		temp_folder_test(its_socket_is_made_and_removed),
		temp_folder_test(one_program_may_be_run),
		temp_folder_test(threads_that_come_later_are_confined_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
