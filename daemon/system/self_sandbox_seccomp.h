/* SPDX-License-Identifier: Apache-2.0 */
/* self_sandbox_seccomp - installs the system call filter of self_sandbox */
#ifndef DAEMON_SYSTEM_SELF_SANDBOX_SECCOMP_H
#define DAEMON_SYSTEM_SELF_SANDBOX_SECCOMP_H

/* Installs the filter for the calling thread and its future threads. The caller has set
 * no_new_privs. Returns 0 or a negative errno. */
int self_sandbox_seccomp(void);

#endif
