/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/flip/flip_signals.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t flip_signals_copy(unsigned int cpu_seconds)
{
	const struct rlimit limit = {cpu_seconds, cpu_seconds + 1};
	pid_t pid = _Fork(); /* the run may stand in malloc() */
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)setrlimit(RLIMIT_CPU, &limit);
	}
	return pid;
}

void flip_signals_wait(pid_t process, const struct flip_fault *fault, struct flip_end *ret_end)
{
	int status = 0;
	*ret_end = (struct flip_end){.status = -1, .signal = SIGKILL};
	if (waitpid(process, &status, 0) != process) {
		return;
	}
	ret_end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	ret_end->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (ret_end->signal) {
		ret_end->address = fault->address;
		ret_end->code = fault->code;
	}
}

#if defined(__x86_64__)

#include <sys/ucontext.h>

#define PAGE 4096u
#define TRAP_FLAG 0x100
#define FAULT_WRITES 2 /* bit of a page fault's error code */
#define MAX_OPEN 64 /* pages: 16 rows or elements, each across two of them */

extern const char __executable_start[];

/* Handlers have no place for their state but this. */
static struct {
	struct flip_signals *plan;
	bool free; /* no more stops */
	bool done[FLIP_SIGNALS_MAX_REGIONS]; /* readable for good */
	uint64_t reads[FLIP_SIGNALS_MAX_REGIONS], stops;
	uint32_t last; /* region that was read */
	struct {
		uint8_t *page;
		uint32_t region;
	} open[MAX_OPEN]; /* for the instruction that is being done */
	size_t n_open;
} state;

bool flip_signals_possible(void)
{
	return true;
}

static void set_access(uint8_t *start, size_t bytes, int access)
{
	if (bytes > 0 && mprotect(start, bytes, access) < 0) {
		perror("flip: mprotect");
		_exit(2);
	}
}

static bool is_in(uint32_t region, const uint8_t *at)
{
	const struct flip_signals_region *r = &state.plan->regions[region];
	return at >= r->start && at < r->start + r->bytes;
}

/* The number of regions where it is none. */
static uint32_t region_of(const uint8_t *at)
{
	uint32_t n = state.plan->n_regions;
	if (state.last < n && is_in(state.last, at)) {
		return state.last;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (is_in(i, at)) {
			return i;
		}
	}
	return n;
}

static bool is_open(uint32_t region)
{
	for (size_t i = 0; i < state.n_open; i++) {
		if (state.open[i].region == region) {
			return true;
		}
	}
	return false;
}

static void open_region(uint32_t region)
{
	const struct flip_signals_region *r = &state.plan->regions[region];
	state.done[region] = true;
	set_access(r->start, r->bytes, PROT_READ);
}

static void open_page(uint32_t region, uint8_t *at)
{
	uint8_t *page = at - (uintptr_t)at % PAGE;
	if (state.n_open == MAX_OPEN) {
		fprintf(stderr, "flip: an instruction that reads more than %d pages\n", MAX_OPEN);
		_exit(2);
	}
	set_access(page, PAGE, PROT_READ);
	state.open[state.n_open].page = page;
	state.open[state.n_open++].region = region;
}

static void set_trap(ucontext_t *u, bool on)
{
	u->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
	u->uc_mcontext.gregs[REG_EFL] |= on ? TRAP_FLAG : 0;
}

/* The instruction is done again once the handler returns, and then ends the process. */
static void die(int signal_number, const siginfo_t *info, const ucontext_t *u)
{
	if (state.plan->fault) {
		state.plan->fault->address = (uint64_t)(uintptr_t)info->si_addr;
		state.plan->fault->code = (uint64_t)u->uc_mcontext.gregs[REG_RIP] -
			(uint64_t)(uintptr_t)__executable_start;
	}
	(void)signal(signal_number, SIG_DFL);
	if (info->si_code <= 0 || signal_number == SIGTRAP) {
		(void)raise(signal_number);
	}
}

/* Whether the run is to be stopped again. */
static bool ask(uint32_t region, uint64_t n)
{
	switch (state.plan->stop(state.plan->context, region, n)) {
	case FLIP_SIGNALS_COPY:
		state.free = true;
		return false;
	case FLIP_SIGNALS_NO_MORE:
		return false;
	default:
		state.free = ++state.stops >= state.plan->max_stops;
		return !state.free;
	}
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	uint8_t *at = info->si_addr;
	uint32_t region = region_of(at);
	bool reads = signal_number == SIGSEGV && info->si_code == SEGV_ACCERR &&
		!(u->uc_mcontext.gregs[REG_ERR] & FAULT_WRITES);
	if (!reads || region == state.plan->n_regions || state.done[region]) {
		die(signal_number, info, u);
		return;
	}
	state.last = region;
	if (state.free) {
		open_region(region);
		return;
	}
	if (is_open(region)) {
		open_page(region, at); /* the same instruction, a further page */
		return;
	}
	if (ask(region, state.reads[region]++)) {
		open_page(region, at);
		set_trap(u, true);
		return;
	}
	open_region(region);
	set_trap(u, !state.free && state.n_open > 0);
}

static void on_trap(int signal_number, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	if (state.free) {
		set_trap(u, false);
	} else if (state.n_open == 0) {
		die(signal_number, info, u);
	} else {
		for (size_t i = 0; i < state.n_open; i++) {
			set_access(state.open[i].page, PAGE, PROT_NONE);
		}
		state.n_open = 0;
		set_trap(u, false);
	}
}

static void handle(int signal_number, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	sigemptyset(&action.sa_mask);
	if (sigaction(signal_number, &action, NULL) < 0) {
		perror("flip: sigaction");
		_exit(2);
	}
}

int flip_signals_run(struct flip_signals *s, int (*run)(void *context))
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	state.plan = s;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		handle(faults[i], on_fault);
	}
	handle(SIGTRAP, on_trap);
	for (uint32_t i = 0; i < s->n_regions; i++) {
		set_access(s->regions[i].start, s->regions[i].bytes, PROT_NONE);
	}
	int r = run(s->context);
	state.free = true;
	return r;
}

#else

bool flip_signals_possible(void)
{
	return false;
}

int flip_signals_run(struct flip_signals *s, int (*run)(void *context))
{
	(void)s;
	(void)run;
	return -1;
}

#endif
