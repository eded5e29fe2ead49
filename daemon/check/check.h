/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - opens and runs an untrusted model in a child process before edged opens it
 *
 * edged-check (check_main.c) gets descriptors and numbers, drops all privileges, and writes one
 * verdict. A malicious file can only take over this child, which can reach nothing.
 */
#ifndef DAEMON_CHECK_CHECK_H
#define DAEMON_CHECK_CHECK_H

#include <stdatomic.h>

#include "daemon/system/digest.h"
#include "engine/edge.h"

/* Descriptors of the child. */
#define CHECK_VERDICT 1
#define CHECK_MODEL 3
#define CHECK_GOLDEN 4

/* Task of the child: decimal numbers on its command line, in this order. */
struct check_task {
	uint64_t has_golden;
	uint64_t milliseconds; /* time limit for all questions of the self-test */
	uint64_t cpu_features;
	uint64_t file_bytes, arena_bytes, macs, prepared_bytes, nodes, plans, loops;
	/* argument of background_yield_begin(); depends on the current load, not on the file */
	uint64_t insists;
};
#define CHECK_NUMBERS (sizeof(struct check_task) / sizeof(uint64_t))

/* Verdict of the child. */
struct check_verdict {
	int32_t code; /* 0, or a negative errno */
	uint32_t padding;
	uint64_t bytes; /* memory of the model with one session, if @code is 0 */
	char text[240]; /* 0-terminated */
};

/* Files that passed since edged started, newest first. All zero: no entry. */
#define CHECK_REMEMBERED 32
struct check_memory {
	unsigned int next;
	struct check_passed {
		struct digest model, golden; /* @golden none: no self-test */
		struct check_task task;
		uint64_t bytes;
	} passed[CHECK_REMEMBERED];
};

/* How files are checked. */
struct check {
	const char *program; /* edged-check; NULL: files are not checked */
	struct edge_limits limits;
	uint64_t cpu_features;
	uint64_t milliseconds; /* time limit for all questions of the self-test */
	const atomic_bool *cancelled; /* set to true to end the check; NULL: never */
	struct check_memory *memory; /* NULL: no pass is remembered */
};

/* A model file and its self-test. */
struct check_files {
	int blob, golden; /* @golden -1: no self-test */
	const struct digest *blob_digest, *golden_digest;
};

/* Returns true if @program can be executed. */
bool check_is_executable(const char *program);

/* Judges a timeout of @limit_ms. If the child had less than half of that time on a CPU, the machine
 * was busy: returns -EAGAIN. Otherwise returns @err's code, with status MODEL_REFUSED. */
int must_check check_judge_timeout(uint64_t cpu_ns, uint64_t limit_ms, struct error *err);

/*
 * Runs check->program on @blob and the self-test @golden (-1: none). Returns 0 with *ret_bytes, the
 * model's memory as claimed by the child; the code and text of the verdict; -EBADMSG if the child
 * ended without a verdict; -ETIMEDOUT; -EAGAIN for a timeout on a busy machine; -ECANCELED if
 * check->cancelled is set; or an error of starting the child.
 */
int must_check check_run(
	const struct check *check, int blob, int golden, uint64_t *ret_bytes, struct error *err);

/* Runs the program, unless check->memory has a pass of the same files with the same limits.
 * Failures are not remembered. */
int must_check check_files_once(const struct check *check, const struct check_files *files,
	uint64_t *ret_bytes, struct error *err);

#endif
