/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/check/check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/background_yield.h"
#include "base/clock.h"

#define NUMBER_SIZE 24
#define GRACE_MS 10000 /* time for all but the self-test */
#define END_MS 1000 /* time from the end of its pipe to its exit */
#define SLICE_MS 50 /* interval to check if edged stops */

bool check_is_executable(const char *program)
{
	return access(program, X_OK) == 0;
}

static struct check_task task_of(const struct check *check, bool has_golden)
{
	const struct edge_limits *limits = &check->limits;
	return (struct check_task){
		.has_golden = has_golden,
		.milliseconds = check->milliseconds,
		.cpu_features = check->cpu_features,
		.file_bytes = limits->file_bytes,
		.arena_bytes = limits->arena_bytes,
		.macs = limits->macs,
		.prepared_bytes = limits->prepared_bytes,
		.nodes = limits->nodes,
		.plans = limits->plans,
		.loops = limits->loops,
	};
}

/* ---- start of the child */

struct child {
	pid_t pid;
	int verdict; /* read end of the child's pipe */
};

/* Moves a descriptor out of the range that the child's fixed numbers need. */
static int move_up(int fd, int *ret_fd)
{
	*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, CHECK_GOLDEN + 1);
	return *ret_fd < 0 ? -errno : 0;
}

static int spawn(const char *program, char *const *arguments, int verdict, int blob, int golden,
	pid_t *ret_pid)
{
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	int code = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	code = code ? code : posix_spawn_file_actions_adddup2(&actions, verdict, CHECK_VERDICT);
	code = code ? code : posix_spawn_file_actions_adddup2(&actions, 0, 2);
	code = code ? code : posix_spawn_file_actions_adddup2(&actions, blob, CHECK_MODEL);
	if (golden >= 0) {
		code = code ? code
			    : posix_spawn_file_actions_adddup2(&actions, golden, CHECK_GOLDEN);
	}
	code = code ? code
		    : posix_spawn(ret_pid, program, &actions, &attributes, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -code;
}

static int start(const struct check_task *task, const char *program, int blob, int golden,
	struct child *ret_child)
{
	char text[CHECK_NUMBERS][NUMBER_SIZE], name[] = "edged-check";
	char *arguments[CHECK_NUMBERS + 2] = {name};
	uint64_t numbers[CHECK_NUMBERS];
	int pipes[2];
	memcpy(numbers, task, sizeof(numbers));
	for (size_t i = 0; i < CHECK_NUMBERS; i++) {
		snprintf(text[i], sizeof(text[i]), "%" PRIu64, numbers[i]);
		arguments[i + 1] = text[i];
	}
	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0) {
		return -errno;
	}
	owned_fd int read_end = pipes[0], write_end = pipes[1], out = -1, model = -1, beside = -1;
	int code = move_up(write_end, &out);
	code = code < 0 ? code : move_up(blob, &model);
	code = code < 0 || golden < 0 ? code : move_up(golden, &beside);
	code = code < 0 ? code : spawn(program, arguments, out, model, beside, &ret_child->pid);
	if (code == 0) {
		ret_child->verdict = take_fd(read_end);
	}
	return code;
}

/* ---- verdict */

/* Returns 0 when the pipe is readable or closed. */
static int wait_for(const struct check *check, const struct child *child)
{
	const uint64_t end = clock_now_ns() + (check->milliseconds + GRACE_MS) * UINT64_C(1000000);
	struct pollfd waited = {.fd = child->verdict, .events = POLLIN};
	while (poll(&waited, 1, SLICE_MS) == 0) {
		if (check->cancelled && atomic_load(check->cancelled)) {
			return -ECANCELED;
		}
		if (clock_now_ns() > end) {
			return -ETIMEDOUT;
		}
	}
	return 0;
}

/* Only the system kills the child this way before edged has its verdict (out of memory). */
static bool was_killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static int how_it_ended(int status, struct error *err)
{
	if (WIFSIGNALED(status)) {
		return error_set(err, -EBADMSG, "opening it ended a process by signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	}
	return error_set(err, -EBADMSG, "opening it ended a process with status %d",
		WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

/* Untrusted: the file may control the child. */
static int verdict_to_error(struct check_verdict *verdict, struct error *err)
{
	char text[sizeof(verdict->text)];
	verdict->text[sizeof(verdict->text) - 1] = 0;
	if (verdict->code == 0) {
		return 0;
	}
	if (verdict->code == -ENOMEM) {
		return error_set(err, -ENOMEM,
			"edged-check ran out of memory when it opened it; it is tried again");
	}
	const char *reason = verdict->text[0] ? verdict->text : "it cannot be opened";
	error_clean(text, sizeof(text), reason, strlen(reason));
	return error_set(err, verdict->code < 0 && verdict->code > -4096 ? verdict->code : -EBADMSG,
		"%s", text);
}

static uint64_t nanoseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_usec * 1000;
}

static uint64_t cpu_of(const struct rusage *used)
{
	return nanoseconds(used->ru_utime) + nanoseconds(used->ru_stime);
}

int check_judge_timeout(uint64_t cpu_ns, uint64_t limit_ms, struct error *err)
{
	char reason[sizeof(err->text)];
	if (cpu_ns >= limit_ms * UINT64_C(1000000) / 2) {
		err->status = EDGE_MODEL_REFUSED;
		return err->code;
	}
	snprintf(reason, sizeof(reason), "%s", err->text);
	return error_set(
		err, -EAGAIN, "%.100s: it had too little of the CPU; it is tried again", reason);
}

/* Waits a moment for the child's exit after it closed its pipe. Returns true if it ended. */
static bool wait_end(pid_t pid, int *ret_status, struct rusage *ret_used)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	for (int i = 0; i < END_MS; i++) {
		if (wait4(pid, ret_status, WNOHANG, ret_used) == pid) {
			return true;
		}
		nanosleep(&moment, NULL);
	}
	return false;
}

static int finish(int waited, const struct child *child, uint64_t questions_ms, uint64_t *ret_bytes,
	struct error *err)
{
	struct check_verdict verdict;
	struct rusage used = {0};
	int status = 0;
	ssize_t n = waited == 0 ? read(child->verdict, &verdict, sizeof(verdict)) : -1;
	/* A child that stays alive after its verdict is controlled by its file. */
	const bool ended = n == 0 && wait_end(child->pid, &status, &used);
	if (!ended) {
		kill(child->pid, SIGKILL);
		while (wait4(child->pid, &status, 0, &used) < 0 && errno == EINTR) {}
	}
	if (waited < 0) {
		error_set(err, waited, "opening it took too long");
		return waited == -ETIMEDOUT
			? check_judge_timeout(cpu_of(&used), questions_ms + GRACE_MS, err)
			: waited;
	}
	if (n != (ssize_t)sizeof(verdict) && ended && was_killed(status)) {
		return error_set(err, -ENOMEM,
			"the process that opened it was killed: is the system out of memory?");
	}
	if (n != (ssize_t)sizeof(verdict)) {
		return how_it_ended(status, err);
	}
	*ret_bytes = verdict.bytes;
	int code = verdict_to_error(&verdict, err);
	return code == -ETIMEDOUT ? check_judge_timeout(cpu_of(&used), questions_ms, err) : code;
}

int check_run(
	const struct check *check, int blob, int golden, uint64_t *ret_bytes, struct error *err)
{
	struct check_task task = task_of(check, golden >= 0);
	task.insists = background_yield_insists();
	struct child child = {.verdict = -1};
	int code = start(&task, check->program, blob, golden, &child);
	if (code < 0) {
		return error_set(err, code == -ENOENT ? -EAGAIN : code, "starting edged-check: %s",
			strerror(-code));
	}
	code = finish(wait_for(check, &child), &child, task.milliseconds, ret_bytes, err);
	close(child.verdict);
	return code;
}

/* ---- remembered results */

static bool is_same(const struct check_passed *passed, const struct check_passed *wanted)
{
	return digest_equal(&passed->model, &wanted->model) &&
		digest_equal(&passed->golden, &wanted->golden) &&
		memcmp(&passed->task, &wanted->task, sizeof(wanted->task)) == 0;
}

static const struct check_passed *find(
	const struct check_memory *memory, const struct check_passed *wanted)
{
	for (size_t i = 0; memory && i < CHECK_REMEMBERED; i++) {
		if (is_same(&memory->passed[i], wanted)) {
			return &memory->passed[i];
		}
	}
	return NULL;
}

int check_files_once(const struct check *check, const struct check_files *files,
	uint64_t *ret_bytes, struct error *err)
{
	struct check_memory *memory = check->memory;
	struct check_passed wanted = {.model = *files->blob_digest,
		.golden = *files->golden_digest,
		.task = task_of(check, files->golden >= 0)};
	const struct check_passed *before = find(memory, &wanted);
	if (before) {
		*ret_bytes = before->bytes;
		return 0;
	}
	int code = check_run(check, files->blob, files->golden, &wanted.bytes, err);
	if (code < 0) {
		return code;
	}
	if (memory) {
		memory->passed[memory->next++ % CHECK_REMEMBERED] = wanted;
	}
	*ret_bytes = wanted.bytes;
	return 0;
}
