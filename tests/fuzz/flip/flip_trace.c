/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/flip/flip_trace.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__aarch64__)

extern const char __executable_start[];
extern const char flip_trace_fork_here[];

#define FORK_FLAGS ((unsigned long)CLONE_PARENT | SIGCHLD)

#if defined(__x86_64__)
__asm__(".pushsection .text\n"
	".globl flip_trace_fork_here\n"
	"flip_trace_fork_here:\n"
	"	syscall\n"
	"	int3\n"
	".popsection\n");

static void set_fork(struct user_regs_struct *regs)
{
	regs->rip = (unsigned long)flip_trace_fork_here;
	regs->rax = SYS_clone;
	regs->orig_rax = ~0ul;
	regs->rdi = FORK_FLAGS;
	regs->rsi = regs->rdx = regs->r10 = regs->r8 = 0;
}

static void no_restart(struct user_regs_struct *regs)
{
	regs->orig_rax = ~0ul;
}

static uint64_t counter_of(const struct user_regs_struct *regs)
{
	return regs->rip;
}
#else
__asm__(".pushsection .text\n"
	".globl flip_trace_fork_here\n"
	"flip_trace_fork_here:\n"
	"	svc #0\n"
	"	brk #0\n"
	".popsection\n");

static void set_fork(struct user_regs_struct *regs)
{
	regs->pc = (unsigned long)flip_trace_fork_here;
	regs->regs[8] = SYS_clone;
	regs->regs[0] = FORK_FLAGS;
	regs->regs[1] = regs->regs[2] = regs->regs[3] = regs->regs[4] = 0;
}

static void no_restart(struct user_regs_struct *regs)
{
	(void)regs;
}

static uint64_t counter_of(const struct user_regs_struct *regs)
{
	return regs->pc;
}
#endif

static bool get_regs(pid_t pid, struct user_regs_struct *regs)
{
	struct iovec part = {regs, sizeof(*regs)};
	return ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &part) == 0;
}

static bool set_regs(pid_t pid, struct user_regs_struct *regs)
{
	struct iovec part = {regs, sizeof(*regs)};
	return ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &part) == 0;
}

/* What the stopped or ended process has come to; one that only stands is killed. */
static void note_end(pid_t pid, int status, struct flip_end *ret_end)
{
	siginfo_t info;
	struct user_regs_struct regs;
	*ret_end = (struct flip_end){.status = -1};
	if (WIFEXITED(status)) {
		ret_end->status = WEXITSTATUS(status);
		return;
	}
	ret_end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : WSTOPSIG(status);
	if (!WIFSTOPPED(status)) {
		return;
	}
	if (ptrace(PTRACE_GETSIGINFO, pid, NULL, &info) == 0) {
		ret_end->address = (uint64_t)(uintptr_t)info.si_addr;
	}
	if (get_regs(pid, &regs)) {
		ret_end->code = counter_of(&regs) - (uint64_t)(uintptr_t)__executable_start;
	}
	flip_trace_kill(pid);
}

static bool wait_stop(pid_t pid, int signal)
{
	int status = 0;
	return waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) &&
		WSTOPSIG(status) == signal;
}

pid_t flip_trace_start(int (*run)(void *context), void *context)
{
	const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE;
	pid_t pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0) {
			_exit(127);
		}
		_exit(run(context));
	}
	if (pid > 0 && wait_stop(pid, SIGSTOP) &&
		ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options) == 0) {
		return pid;
	}
	if (pid > 0) {
		flip_trace_kill(pid);
	}
	return -1;
}

bool flip_trace_step(pid_t child, struct flip_end *ret_end)
{
	int status = 0;
	if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) < 0 ||
		waitpid(child, &status, __WALL) != child) {
		*ret_end = (struct flip_end){.status = -1, .signal = SIGKILL};
		return false;
	}
	if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP) {
		return true;
	}
	note_end(child, status, ret_end);
	return false;
}

pid_t flip_trace_copy(pid_t child)
{
	struct user_regs_struct then, regs;
	unsigned long message = 0;
	if (!get_regs(child, &then)) {
		return -1;
	}
	no_restart(&then);
	regs = then;
	set_fork(&regs);
	if (!set_regs(child, &regs) || ptrace(PTRACE_CONT, child, NULL, NULL) < 0 ||
		!wait_stop(child, SIGTRAP) ||
		ptrace(PTRACE_GETEVENTMSG, child, NULL, &message) < 0) {
		return -1;
	}
	pid_t copy = (pid_t)message;
	if (copy <= 0 || !wait_stop(copy, SIGSTOP)) {
		return -1;
	}
	/* The child leaves the system call and meets the breakpoint behind it. */
	if (ptrace(PTRACE_CONT, child, NULL, NULL) < 0 || !wait_stop(child, SIGTRAP) ||
		!set_regs(child, &then) || !set_regs(copy, &then)) {
		flip_trace_kill(copy);
		return -1;
	}
	return copy;
}

void flip_trace_finish(pid_t process, unsigned int cpu_seconds, struct flip_end *ret_end)
{
	const struct rlimit limit = {cpu_seconds, cpu_seconds + 1};
	int status = 0;
	(void)prlimit(process, RLIMIT_CPU, &limit, NULL);
	if (ptrace(PTRACE_CONT, process, NULL, NULL) < 0 ||
		waitpid(process, &status, __WALL) != process) {
		*ret_end = (struct flip_end){.status = -1, .signal = SIGKILL};
		return;
	}
	note_end(process, status, ret_end);
}

static int run_nothing(void *context)
{
	(void)context;
	return 42;
}

const char *flip_trace_missing(void)
{
	struct flip_end end;
	pid_t child = flip_trace_start(run_nothing, NULL);
	if (child < 0) {
		return "ptrace is not permitted";
	}
	if (!flip_trace_step(child, &end)) {
		return "no single steps";
	}
	pid_t copy = flip_trace_copy(child);
	if (copy < 0) {
		flip_trace_kill(child);
		return "a stopped process cannot be copied";
	}
	flip_trace_finish(copy, 1, &end);
	flip_trace_kill(child);
	return end.status == 42 ? NULL : "a copied process does not go on";
}

#else /* Arm of 32 bits has no single steps. */

pid_t flip_trace_start(int (*run)(void *context), void *context)
{
	(void)run;
	(void)context;
	return -1;
}

bool flip_trace_step(pid_t child, struct flip_end *ret_end)
{
	(void)child;
	*ret_end = (struct flip_end){.status = -1};
	return false;
}

pid_t flip_trace_copy(pid_t child)
{
	(void)child;
	return -1;
}

void flip_trace_finish(pid_t process, unsigned int cpu_seconds, struct flip_end *ret_end)
{
	(void)process;
	(void)cpu_seconds;
	*ret_end = (struct flip_end){.status = -1};
}

const char *flip_trace_missing(void)
{
	return "this CPU has no single steps";
}

#endif

void flip_trace_kill(pid_t process)
{
	int status;
	(void)kill(process, SIGKILL);
	(void)waitpid(process, &status, __WALL);
}
