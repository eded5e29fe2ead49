/* SPDX-License-Identifier: Apache-2.0 */
/* edged-check: opens one model, runs its self-test, writes a verdict and exits. See check.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/backends.h"
#include "base/background_yield.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mapped.h"
#include "base/own.h"
#include "daemon/check/check.h"
#include "daemon/check/selftest.h"
#include "daemon/system/child_sandbox.h"

static int golden_read(char **ret_bytes, size_t *ret_size, struct error *err)
{
	struct stat st;
	int code = fstat(CHECK_GOLDEN, &st) < 0 ? -errno : 0;
	owned_mem char *bytes = code < 0 ? NULL : malloc((size_t)st.st_size + 1);
	if (!bytes) {
		return error_no_memory(err);
	}
	code = file_read_at(CHECK_GOLDEN, 0, bytes, (size_t)st.st_size);
	if (code < 0) {
		return error_set(err, code, "the self-test: %s",
			code == -EBUSY ? "it was cut" : strerror(-code));
	}
	*ret_size = (size_t)st.st_size;
	*ret_bytes = take(bytes);
	return 0;
}

static int questions(struct edge_model *model, const struct check_task *task, struct error *err)
{
	const struct run_control control = {
		.deadline_ns = clock_now_ns() + task->milliseconds * UINT64_C(1000000),
		.between = background_yield_between};
	owned_mem char *golden = NULL;
	size_t size = 0;
	uint32_t n = 0;
	if (!task->has_golden) {
		return selftest_repeat(model, &control, err);
	}
	int code = golden_read(&golden, &size, err);
	return code < 0 ? code : selftest_run(model, golden, size, &control, &n, err);
}

/* As loaded_model_bytes(). */
static uint64_t bytes_of(const struct edge_model *model)
{
	const struct edge_model_info *info = edge_model_info(model);
	return info->file_bytes + info->pack_bytes + info->prepared_bytes + info->session_bytes;
}

static int check(const struct check_task *task, uint64_t *ret_bytes, struct error *err)
{
	const struct edge_options options = {
		.backends = backends_builtin(),
		.cpu_features = task->cpu_features,
		.limits = {.file_bytes = task->file_bytes,
			.arena_bytes = task->arena_bytes,
			.macs = task->macs,
			.prepared_bytes = task->prepared_bytes,
			.nodes = (uint32_t)task->nodes,
			.plans = (uint32_t)task->plans,
			.loops = task->loops},
	};
	owned(edge_model_unref) struct edge_model *model = NULL;
	int code = edge_model_open_fd(CHECK_MODEL, &options, &model, err);
	if (code == 0) {
		*ret_bytes = bytes_of(model);
		code = questions(model, task, err);
	}
	return model && edge_model_broken(model)
		? error_set(err, -EIO, "the disk did not give a part of it")
		: code;
}

/* Memory that a model within its limits can need: two sessions, for the self-test's comparison;
 * programs and packed weights, which are in memory here; tables of graph and verifier, a few
 * hundred bytes for each node; the self-test; libraries. */
static uint64_t memory_of(const struct check_task *task)
{
	struct stat st = {0};
	const uint64_t golden =
		task->has_golden && fstat(CHECK_GOLDEN, &st) == 0 ? (uint64_t)st.st_size : 0;
	uint64_t bytes = 2 * task->arena_bytes + 2 * task->prepared_bytes;
	bytes += task->nodes * 1024 + 4 * golden + ((uint64_t)64 << 20);
	return fstat(CHECK_MODEL, &st) == 0 ? bytes + (uint64_t)st.st_size : bytes;
}

/* Makes the OOM killer choose this process before edged. With Landlock the write may fail; the OOM
 * killer then chooses by size. */
static void go_first(void)
{
	static const char most[] = "1000"; /* OOM_SCORE_ADJ_MAX of linux/oom.h */
	owned_fd int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : write(fd, most, sizeof(most) - 1);
	(void)n;
}

/* Uses _exit(): after an untrusted file no cleanup code should run. */
int main(int argc, char **argv)
{
	uint64_t numbers[CHECK_NUMBERS];
	struct check_task task;
	struct check_verdict verdict = {0};
	struct error err = {0};
	if (argc != (int)CHECK_NUMBERS + 1) {
		_exit(2);
	}
	for (size_t i = 0; i < CHECK_NUMBERS; i++) {
		numbers[i] = strtoull(argv[i + 1], NULL, 10);
	}
	memcpy(&task, numbers, sizeof(task));
	int guarded = mapped_guard();
	(void)guarded; /* without the guard a disk error looks like a fault of the file */
	go_first();
	child_sandbox_enter(task.milliseconds / 1000 + 30, memory_of(&task));
	background_yield_begin(task.insists != 0);
	verdict.code = check(&task, &verdict.bytes, &err);
	memcpy(verdict.text, err.text, sizeof(verdict.text));
	_exit(write(CHECK_VERDICT, &verdict, sizeof(verdict)) == sizeof(verdict) ? 0 : 1);
}
