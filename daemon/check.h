/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - a model is opened and asked in a process of its own before edged opens it
 *
 * edged-check (check_main.c) gets descriptors and numbers, gives up every right that it can, and
 * writes one verdict. Whatever the file does to it, it does to a process that can reach nothing.
 */
#ifndef DAEMON_CHECK_H
#define DAEMON_CHECK_H

#include "daemon/load.h"

/* Descriptors of the child. */
#define CHECK_VERDICT 1
#define CHECK_MODEL 3
#define CHECK_GOLDEN 4

/* What the child is told, as decimal numbers on its command line, in this order. */
struct check_task {
	uint64_t has_golden;
	uint64_t milliseconds; /* for all questions */
	uint64_t cpu_features;
	uint64_t file_bytes, arena_bytes, macs, prepared_bytes, nodes, plans, loops;
	uint64_t insists; /* breath_begin(); of the moment, not of the question */
};
#define CHECK_NUMBERS (sizeof(struct check_task) / sizeof(uint64_t))

/* What it answers. */
struct check_verdict {
	int32_t code; /* 0, or a negative errno */
	uint32_t padding;
	uint64_t bytes; /* that it takes in memory with one session, if the code is 0 */
	char text[240]; /* 0-terminated */
};

/* The newest of what passed while edged has been running. All zero: nothing. */
#define CHECK_REMEMBERED 32
struct check_memory {
	unsigned int next;
	struct check_passed {
		struct digest model, golden; /* the latter none: there was none */
		struct check_task task;
		uint64_t bytes;
	} passed[CHECK_REMEMBERED];
};

/* A file, and what stands beside it. */
struct check_files {
	int blob, golden; /* the latter -1: there is none */
	const struct digest *blob_digest, *golden_digest;
};

/* True when @program can be run. */
bool check_there(const char *program);

/*
 * What @err, of a time of @limit_ms that is over, says of the file: nothing where only @cpu_ns of it, less than
 * half, were had of the CPU, as on a busy machine, since all of this is nicer than answering: -EAGAIN then, else
 * @err's code.
 */
int must_check check_overdue(uint64_t cpu_ns, uint64_t limit_ms, struct error *err);

/*
 * Runs @program on @blob, and on @golden (-1: none) of the file beside it. 0, and *ret_bytes, what the
 * model takes in memory, as far as the child is to be believed; the verdict's code and
 * text; -EBADMSG when it ended without one, with how; -ETIMEDOUT, or -EAGAIN when it had the CPU for less than half of that
 * time; -ECANCELED when
 * @context->stopping says so; or what starting it gave.
 */
int must_check check_run(const struct load_context *context, const char *program, int blob,
	int golden, uint64_t *ret_bytes, struct error *err);

/* As above by context->check, unless context->check_memory has it that the same bytes passed with the same
 * questions and limits. What was refused is asked again. */
int must_check check_files_once(const struct load_context *context, const struct check_files *files,
	uint64_t *ret_bytes, struct error *err);

#endif
