/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/self_sandbox_seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define OTHER_ABI 0x40000000 /* x32: system calls with other numbers. Source: asm/unistd.h */
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define ARCHITECTURE AUDIT_ARCH_ARM
#endif
#ifndef OTHER_ABI
#define OTHER_ABI 0xffffffff
#endif

#define NAMESPACES                                                                                 \
	(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID |              \
		CLONE_NEWUSER | CLONE_NEWUTS)

#ifdef ARCHITECTURE
/* Refused with any arguments: calls outside the unit's SystemCallFilter= that a daemon does not
 * need. */
static const long refused[] = {
	/* change of user */
	SYS_setuid,
	SYS_setgid,
	SYS_setreuid,
	SYS_setregid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setfsuid,
	SYS_setfsgid,
	SYS_setgroups,
	SYS_capset,
#ifdef SYS_setuid32
	SYS_setuid32,
	SYS_setgid32,
	SYS_setreuid32,
	SYS_setregid32,
	SYS_setresuid32,
	SYS_setresgid32,
	SYS_setfsuid32,
	SYS_setfsgid32,
	SYS_setgroups32,
#endif
	/* namespaces and mounts */
	SYS_chroot,
	SYS_pivot_root,
	SYS_mount,
	SYS_umount2,
	SYS_unshare,
	SYS_setns,
	SYS_open_by_handle_at,
#ifdef SYS_open_tree
	SYS_open_tree,
	SYS_move_mount,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
#endif
#ifdef SYS_mount_setattr
	SYS_mount_setattr,
#endif
	/* machine and kernel */
	SYS_reboot,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_quotactl,
	SYS_syslog,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_vhangup,
	SYS_personality,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_adjtimex,
	SYS_clock_adjtime,
#ifdef SYS_clock_settime64
	SYS_clock_settime64,
	SYS_clock_adjtime64,
#endif
	SYS_kexec_load,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
	SYS_iopl,
	SYS_ioperm,
	SYS_modify_ldt,
#endif
/* other processes, and kernel internals */
#ifndef __SANITIZE_ADDRESS__ /* LeakSanitizer uses ptrace */
	SYS_ptrace,
#endif
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
#ifdef SYS_pidfd_getfd
	SYS_pidfd_getfd,
#endif
	SYS_perf_event_open,
	SYS_bpf,
	SYS_userfaultfd,
	SYS_fanotify_init,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
#ifdef SYS_io_uring_setup
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
#endif
};

/* Refused if (argument & mask) == value, or if it is not. */
static const struct {
	long call;
	unsigned int argument;
	uint32_t mask, value;
	bool equal;
	int error;
} judged[] = {
	{SYS_socket, 0, UINT32_MAX, AF_UNIX, false, EAFNOSUPPORT},
	{SYS_clone, 0, NAMESPACES, 0, false, EPERM},
	{SYS_mprotect, 2, PROT_EXEC, PROT_EXEC, true, EPERM},
#ifdef SYS_pkey_mprotect
	{SYS_pkey_mprotect, 2, PROT_EXEC, PROT_EXEC, true, EPERM},
#endif
#ifdef SYS_mmap
	{SYS_mmap, 2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC, true, EPERM},
#else
	{SYS_mmap2, 2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC, true, EPERM},
#endif
};

#define N_REFUSED (sizeof(refused) / sizeof(refused[0]))
#define N_JUDGED (sizeof(judged) / sizeof(judged[0]))
#define HEAD 8
#define PER_JUDGED 6
#define N_CODE (HEAD + N_JUDGED * PER_JUDGED + N_REFUSED + 2)

_Static_assert(N_REFUSED < 256, "a jump reaches 255");

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define REFUSE(error) RETURN(SECCOMP_RET_ERRNO | ((uint32_t)(error)&SECCOMP_RET_DATA))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), (yes), (no))

#ifdef SYS_clone3
#define CLONE3 SYS_clone3
#else
#define CLONE3 435 /* equal on all architectures. Source: asm-generic/unistd.h */
#endif

/* Checks the architecture, calls of another ABI, and clone3(), whose flags a filter cannot read;
 * libc works without it. The kernel caches calls that are always allowed (5.11 and later), so calls
 * of a request cost nothing. */
static size_t head_build(struct sock_filter *code)
{
	const struct sock_filter head[HEAD] = {
		LOAD(offsetof(struct seccomp_data, arch)),
		IF_EQUAL(ARCHITECTURE, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, OTHER_ABI, 1, 0),
		IF_EQUAL(CLONE3, 0, 1),
		REFUSE(ENOSYS),
		LOAD(offsetof(struct seccomp_data, nr)),
	};
	for (size_t i = 0; i < HEAD; i++) {
		code[i] = head[i];
	}
	return HEAD;
}

/* The lower half of the argument comes first, as all three architectures are little-endian. */
static size_t judged_build(struct sock_filter *code, size_t i)
{
	const uint32_t at = offsetof(struct seccomp_data, args) + judged[i].argument * 8;
	const struct sock_filter lines[PER_JUDGED] = {
		IF_EQUAL(judged[i].call, 0, PER_JUDGED - 1),
		LOAD(at),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, judged[i].mask),
		IF_EQUAL(judged[i].value, judged[i].equal ? 0 : 1, judged[i].equal ? 1 : 0),
		REFUSE(judged[i].error),
		RETURN(SECCOMP_RET_ALLOW),
	};
	for (size_t k = 0; k < PER_JUDGED; k++) {
		code[k] = lines[k];
	}
	return PER_JUDGED;
}

int self_sandbox_seccomp(void)
{
	struct sock_filter code[N_CODE];
	size_t n = head_build(code);
	for (size_t i = 0; i < N_JUDGED; i++) {
		n += judged_build(code + n, i);
	}
	for (size_t i = 0; i < N_REFUSED; i++) {
		code[n++] = (struct sock_filter)IF_EQUAL(refused[i], N_REFUSED - i, 0);
	}
	code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)REFUSE(EPERM);
	const struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}
#else
int self_sandbox_seccomp(void)
{
	return 0; /* unknown architecture, with unknown call numbers */
}
#endif
