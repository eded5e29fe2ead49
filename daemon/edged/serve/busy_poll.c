/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/busy_poll.h"

#include <sched.h>

#include "base/clock.h"

#define LOOKS 64 /* looks per turn of the loop: a few microseconds */
#define WAYS 8 /* yields per turn of the loop */
/* bytes; a client with larger requests does not send the next one within a yield */
#define SMALL 4096
#define WAY_NS 50000 /* a yield that takes less gave the core to the client, not to others */
#define MAX_SKIPS 255 /* limit of yields that are skipped in a row */
#define CREDIT_NS 500 /* credit for yields that each request earns */
#define MAX_CREDIT_NS 10000000 /* limit of the saved credit */

/* Leaves the core to its other hardware thread and saves power. */
static void pause_shortly(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || (defined(__ARM_ARCH) && __ARM_ARCH >= 7)
	__asm__ volatile("yield");
#endif
}

static void end(struct busy_poll *busy_poll)
{
	uv_idle_stop(&busy_poll->idle);
	busy_poll->sleep(busy_poll->context, true);
	/* takes what clients sent before they saw that edged sleeps */
	busy_poll->poll(busy_poll->context, false);
}

/* Yields the core. True when a request came meanwhile and was taken. */
static bool gave_way(struct busy_poll *busy_poll, uint64_t *ret_took_ns)
{
	const uint64_t start_ns = clock_now_ns();
	sched_yield();
	*ret_took_ns = clock_now_ns() - start_ns;
	return busy_poll->poll(busy_poll->context, true);
}

/* Yields once, and once more if the first yield was short: the client may yield too although its
 * answer is there. */
static bool gave_way_soon(struct busy_poll *busy_poll)
{
	uint64_t took_ns = 0;
	const bool found = gave_way(busy_poll, &took_ns) ||
		(took_ns < WAY_NS && gave_way(busy_poll, &took_ns));
	busy_poll->credit_ns -= took_ns < WAY_NS ? 0 : (int64_t)took_ns;
	return found;
}

static void give_way(struct busy_poll *busy_poll)
{
	for (int i = 0; i < WAYS && busy_poll->alone; i++) {
		if (!gave_way_soon(busy_poll)) {
			busy_poll->last_skips = busy_poll->last_skips < MAX_SKIPS
				? 2 * busy_poll->last_skips + 1
				: MAX_SKIPS;
			busy_poll->skips = busy_poll->last_skips;
			end(busy_poll);
			return;
		}
		busy_poll->last_skips = 0;
		if (busy_poll->credit_ns <= 0) {
			end(busy_poll);
			return;
		}
	}
}

static void on_idle(uv_idle_t *idle)
{
	struct busy_poll *busy_poll = idle->data;
	if (busy_poll->until_ns == 0 && !busy_poll->alone) {
		end(busy_poll);
		return;
	}
	if (busy_poll->until_ns == 0) {
		give_way(busy_poll);
		return;
	}
	for (int i = 0; i < LOOKS && !busy_poll->poll(busy_poll->context, false); i++) {
		pause_shortly();
	}
	if (clock_now_ns() >= busy_poll->until_ns) {
		end(busy_poll);
	}
}

void busy_poll_init(struct busy_poll *busy_poll, uv_loop_t *loop,
	bool (*poll)(void *context, bool thoroughly), void (*sleep)(void *context, bool asleep),
	void *context)
{
	*busy_poll = (struct busy_poll){
		.poll = poll, .sleep = sleep, .context = context, .credit_ns = MAX_CREDIT_NS};
	uv_idle_init(loop, &busy_poll->idle);
	busy_poll->idle.data = busy_poll;
}

static void begin(struct busy_poll *busy_poll)
{
	uv_idle_start(&busy_poll->idle, on_idle);
	busy_poll->sleep(busy_poll->context, false);
}

static bool is_begun(const struct busy_poll *busy_poll)
{
	return uv_is_active((const uv_handle_t *)&busy_poll->idle) != 0;
}

void busy_poll_on(struct busy_poll *busy_poll, uint64_t us)
{
	if (us > 0) {
		busy_poll->until_ns = clock_now_ns() + us * 1000;
	}
	if (us > 0 && !is_begun(busy_poll)) {
		begin(busy_poll);
	}
}

void busy_poll_yield_after(struct busy_poll *busy_poll, const void *connection, uint32_t bytes)
{
	const bool again = connection == busy_poll->connection;
	busy_poll->connection = connection;
	busy_poll->alone = busy_poll->alone && again;
	if (busy_poll->credit_ns < MAX_CREDIT_NS) {
		busy_poll->credit_ns += CREDIT_NS;
	}
	if (is_begun(busy_poll) || !again || busy_poll->credit_ns <= 0 || bytes > SMALL) {
		return;
	}
	if (busy_poll->skips > 0) {
		busy_poll->skips--;
		return;
	}
	busy_poll->until_ns = 0;
	busy_poll->alone = true;
	begin(busy_poll);
}
