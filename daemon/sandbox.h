/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox - this process gives up what it does not need to read one file and say a word about it */
#ifndef DAEMON_SANDBOX_H
#define DAEMON_SANDBOX_H

#include <stdint.h>

/*
 * For good: no new privileges; no files but those that are open (Landlock, where the kernel has it);
 * nothing can be written to a file; at most @cpu_seconds, and @bytes of memory beside what the process has
 * by now and files that it maps (RLIMIT_DATA); and only the calls that memory, reading
 * and time need (seccomp): others fail with EPERM. What the system does not offer is left out.
 */
void sandbox_enter(uint64_t cpu_seconds, uint64_t bytes);

#endif
