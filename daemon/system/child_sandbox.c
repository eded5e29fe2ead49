/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/child_sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define ARCHITECTURE AUDIT_ARCH_ARM
#endif

/* Sets both limits, at most to the hard one: a soft limit lowered by the parent would otherwise
 * remain. */
static void limit(int what, rlim_t max)
{
	struct rlimit both = {0};
	int code = getrlimit((__rlimit_resource_t)what, &both);
	const rlim_t least = code == 0 && both.rlim_max < max ? both.rlim_max : max;
	both = (struct rlimit){.rlim_cur = least, .rlim_max = least};
	code = setrlimit((__rlimit_resource_t)what, &both);
	(void)code;
}

/* Enters a Landlock ruleset that covers all file rights of its first version and grants none. */
static void forget_files(void)
{
	const struct landlock_ruleset_attr all = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (ruleset >= 0) {
		long code = syscall(SYS_landlock_restrict_self, ruleset, 0);
		(void)code;
		close(ruleset);
	}
}

#ifdef ARCHITECTURE
static const long allowed[] = {
	SYS_read,
	SYS_pread64,
	SYS_write,
	SYS_close,
	SYS_lseek,
	SYS_fstat,
#ifdef SYS_fstat64
	SYS_fstat64,
#endif
#ifdef SYS_newfstatat
	SYS_newfstatat,
#endif
#ifdef SYS__llseek
	SYS__llseek,
#endif
	SYS_statx,
#ifdef SYS_mmap
	SYS_mmap,
#endif
#ifdef SYS_mmap2
	SYS_mmap2,
#endif
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_madvise,
	SYS_brk,
	SYS_futex,
#ifdef SYS_futex_time64
	SYS_futex_time64,
#endif
	SYS_clock_gettime,
#ifdef SYS_clock_gettime64
	SYS_clock_gettime64,
#endif
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_sched_yield,
	SYS_getrusage,
	SYS_sched_getaffinity,
	SYS_getpid,
	SYS_gettid,
	SYS_getrandom,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_sigaltstack,
	SYS_tgkill,
	SYS_exit,
	SYS_exit_group,
};

#define N_ALLOWED (sizeof(allowed) / sizeof(allowed[0]))
#define HEAD 4

/* Filter: check of the architecture, one comparison for each allowed call, then deny and allow. */
static void forget_calls(void)
{
	struct sock_filter code[HEAD + N_ALLOWED + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	for (size_t i = 0; i < N_ALLOWED; i++) {
		code[HEAD + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			(uint32_t)allowed[i], (uint8_t)(N_ALLOWED - i), 0);
	}
	code[HEAD + N_ALLOWED] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA));
	code[HEAD + N_ALLOWED + 1] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = {
		.len = (unsigned short)(HEAD + N_ALLOWED + 2), .filter = code};
	int result = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
	(void)result;
}
#else
static void forget_calls(void)
{
}
#endif

/* Memory counted by RLIMIT_DATA: private writable mappings and the heap. Source:
 * proc_pid_status(5), VmData. */
static uint64_t data_bytes(void)
{
	char line[128];
	unsigned long long kb = 0;
	FILE *file = fopen("/proc/self/status", "re");
	while (file && fgets(line, sizeof(line), file) &&
		sscanf(line, "VmData: %llu kB", &kb) != 1) {}
	if (file) {
		fclose(file);
	}
	return kb << 10;
}

/* Adds to the present use, which can include a sanitizer's shadow memory or thread stacks. */
static void limit_memory(uint64_t bytes)
{
	const uint64_t max = data_bytes() + bytes;
	if (max < bytes || max != (rlim_t)max) {
		return;
	}
	limit(RLIMIT_DATA, (rlim_t)max);
}

void child_sandbox_enter(uint64_t cpu_seconds, uint64_t bytes)
{
	limit_memory(bytes);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0); /* does not limit pipes */
	limit(RLIMIT_NOFILE, 8);
	limit(RLIMIT_CPU, (rlim_t)cpu_seconds);
	int code = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (code == 0) {
		forget_files();
		forget_calls();
	}
}
