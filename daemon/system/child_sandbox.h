/* SPDX-License-Identifier: Apache-2.0 */
/* child_sandbox - drops all privileges of a child that reads one file and writes one verdict */
#ifndef DAEMON_SYSTEM_CHILD_SANDBOX_H
#define DAEMON_SYSTEM_CHILD_SANDBOX_H

#include <stdint.h>

/*
 * Irreversible. No new privileges; no files but open ones (Landlock, if the kernel has it); no
 * writes to files; at most @cpu_seconds of CPU time, and @bytes of memory beyond the current use
 * and mapped files (RLIMIT_DATA); only the system calls for memory, reading and time (seccomp),
 * others fail with EPERM. Limits that the system does not support are skipped.
 */
void child_sandbox_enter(uint64_t cpu_seconds, uint64_t bytes);

#endif
