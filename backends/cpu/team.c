/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/team.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/threads.h"

/* Looks at the next job before a member sleeps: some tens of microseconds, the pause between two
 * operators of one run. */
#define LOOKS 4000

/*
 * The parts of one member: job number << 32 | end << 16 | first, of those that nobody has claimed yet.
 * The word has everything that a claim depends on, so that one exchange decides it. A member reads @fn
 * and @args only after a claim, and no job follows before every claimed part is done.
 */
struct share {
	_Alignas(64) _Atomic uint64_t left;
};

struct team {
	unsigned int members;
	bool eager;
	pthread_t threads[TEAM_MAX_MEMBERS];
	team_fn *fn;
	void *args;
	struct share shares[TEAM_MAX_MEMBERS];
	_Alignas(64) atomic_uint done; /* parts of the job */
	_Alignas(64) atomic_uint job; /* number of the last job: what sleepers wait on */
	atomic_uint sleepers;
	atomic_bool stopping;
};

struct member {
	struct team *team;
	unsigned int index;
};

static void look_again(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
	__asm__ volatile("yield");
#endif
}

/* Sleeps while *@word is @value; wakes for no reason too. */
static void sleep_on(atomic_uint *word, unsigned int value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake_all(atomic_uint *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Its own parts a member takes from the first on; those of others from the last on, so that what is left to
 * them lies together. */
static bool claim(struct share *share, bool own, unsigned int *ret_part)
{
	uint64_t left = atomic_load_explicit(&share->left, memory_order_acquire);
	for (;;) {
		const unsigned int end = left >> 16 & 0xffff, first = left & 0xffff;
		if (first == end) {
			return false;
		}
		if (atomic_compare_exchange_weak_explicit(&share->left, &left,
			    own ? left + 1 : left - (1 << 16), memory_order_acq_rel,
			    memory_order_acquire)) {
			*ret_part = own ? first : end - 1;
			return true;
		}
	}
}

static void work(struct team *team, unsigned int member)
{
	unsigned int part, done = 0;
	for (unsigned int i = 0; i < team->members; i++) {
		const unsigned int of = (member + i) % team->members;
		while (claim(&team->shares[of], i == 0, &part)) {
			team->fn(team->args, member, part);
			done++;
		}
	}
	if (done > 0) {
		atomic_fetch_add_explicit(&team->done, done, memory_order_release);
	}
}

/* Waits for a job after @job; its number. */
static unsigned int next_job(struct team *team, unsigned int job)
{
	for (unsigned int i = 0; i < LOOKS; i++) {
		unsigned int now = atomic_load_explicit(&team->job, memory_order_acquire);
		if (now != job) {
			return now;
		}
		look_again();
	}
	atomic_fetch_add(&team->sleepers, 1);
	while (atomic_load(&team->job) == job) {
		sleep_on(&team->job, job);
	}
	atomic_fetch_sub(&team->sleepers, 1);
	return atomic_load(&team->job);
}

static void *member_main(void *argument)
{
	struct member *of = argument;
	struct team *team = of->team;
	const unsigned int index = of->index;
	unsigned int job = 0;
	free(of);
	for (;;) {
		job = next_job(team, job);
		if (atomic_load(&team->stopping)) {
			return NULL;
		}
		work(team, index);
	}
}

static void call_members(struct team *team)
{
	atomic_fetch_add(&team->job, 1);
	if (atomic_load(&team->sleepers) > 0) {
		wake_all(&team->job);
	}
}

void team_run(struct team *team, unsigned int parts, team_fn *fn, void *args)
{
	assert(parts <= TEAM_MAX_PARTS);
	if (team->members == 1 || parts <= 1) {
		for (unsigned int i = 0; i < parts; i++) {
			fn(args, 0, i);
		}
		return;
	}
	team->fn = fn;
	team->args = args;
	atomic_store_explicit(&team->done, 0, memory_order_relaxed);
	const uint64_t number = (uint64_t)atomic_load(&team->job) + 1;
	for (uint64_t i = 0; i < team->members; i++) {
		const uint64_t first = parts * i / team->members;
		const uint64_t end = parts * (i + 1) / team->members;
		atomic_store_explicit(&team->shares[i].left, number << 32 | end << 16 | first,
			memory_order_release);
	}
	call_members(team);
	work(team, 0);
	/* What others have claimed is on its way: a part each, at most. */
	for (unsigned int i = 0; atomic_load_explicit(&team->done, memory_order_acquire) != parts;
		i++) {
		if (i < LOOKS) {
			look_again();
		} else {
			sched_yield();
		}
	}
}

unsigned int team_members(const struct team *team)
{
	return team->members;
}

bool team_is_eager(const struct team *team)
{
	return team->eager;
}

/* Signals are the business of the thread that made the team. */
static int member_start(struct team *team, unsigned int index)
{
	sigset_t all, before;
	struct member *member = malloc(sizeof(*member));
	if (!member) {
		return -ENOMEM;
	}
	*member = (struct member){team, index};
	threads_mask(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&team->threads[index], NULL, member_main, member);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code != 0) {
		free(member);
	}
	return -code;
}

int team_new(unsigned int members, bool eager, struct team **ret_team, struct error *err)
{
	assert(members >= 1 && members <= TEAM_MAX_MEMBERS);
	owned(team_free) struct team *team = aligned_alloc(64, sizeof(*team));
	if (!team) {
		return error_no_memory(err);
	}
	memset(team, 0, sizeof(*team));
	team->eager = eager;
	for (team->members = 1; team->members < members; team->members++) {
		int code = member_start(team, team->members);
		if (code < 0) {
			return error_set(err, code, "a thread of the team: %s", strerror(-code));
		}
	}
	*ret_team = take(team);
	return 0;
}

void team_free(struct team *team)
{
	if (!team) {
		return;
	}
	atomic_store(&team->stopping, true);
	call_members(team);
	for (unsigned int i = 1; i < team->members; i++) {
		pthread_join(team->threads[i], NULL);
	}
	free(team);
}
