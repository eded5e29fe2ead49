/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/spin.h"

#include <sched.h>

#include "base/clock.h"

#define LOOKS 64 /* between two turns of the loop: a few microseconds */
#define WAYS 8 /* between two turns of the loop */
#define WAY_NS 50000 /* giving way takes no longer where it is who asks that runs */
#define STAYS 255 /* at most, before it is tried again where it took no time */
#define PAID_NS                                                                                    \
	250 /* of the time that it took in vain, by each request for which it is not tried */

/* To the other thread of this core, and to whoever pays for its power. */
static void pause_shortly(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || (defined(__ARM_ARCH) && __ARM_ARCH >= 7)
	__asm__ volatile("yield");
#endif
}

static void end(struct spin *spin)
{
	uv_idle_stop(&spin->idle);
	spin->sleep(spin->context, true);
	spin->look(spin->context, false); /* what came before they knew; it begins again then */
}

/* Time that giving way took without use; 0: what was asked meanwhile has been taken. */
static uint64_t lost_ns(struct spin *spin)
{
	const uint64_t start_ns = clock_now_ns();
	sched_yield();
	const uint64_t took_ns = clock_now_ns() - start_ns;
	const bool found = spin->look(spin->context, true);
	return found && took_ns < WAY_NS ? 0 : took_ns + 1;
}

/* Who asks may have been kept from giving way until now, and does it although the answer is there: not to give up at
 * the first time. */
static void give_way(struct spin *spin)
{
	for (int i = 0; i < WAYS; i++) {
		const bool first = !spin->paid;
		uint64_t lost = lost_ns(spin);
		lost = lost > 0 && lost < WAY_NS && first ? lost_ns(spin) : lost;
		spin->paid = lost == 0;
		if (lost > 0) {
			spin->vain = spin->vain < STAYS ? 2 * spin->vain + 1 : STAYS;
			spin->stays = spin->vain + lost / PAID_NS;
			end(spin);
			return;
		}
		spin->vain = 0;
	}
}

static void on_idle(uv_idle_t *idle)
{
	struct spin *spin = idle->data;
	if (spin->until_ns == 0) {
		give_way(spin);
		return;
	}
	for (int i = 0; i < LOOKS && !spin->look(spin->context, false); i++) {
		pause_shortly();
	}
	if (clock_now_ns() >= spin->until_ns) {
		end(spin);
	}
}

void spin_init(struct spin *spin, uv_loop_t *loop, bool (*look)(void *context, bool thoroughly),
	void (*sleep)(void *context, bool asleep), void *context)
{
	*spin = (struct spin){.look = look, .sleep = sleep, .context = context};
	uv_idle_init(loop, &spin->idle);
	spin->idle.data = spin;
}

static void begin(struct spin *spin)
{
	uv_idle_start(&spin->idle, on_idle);
	spin->sleep(spin->context, false);
}

static bool is_begun(const struct spin *spin)
{
	return uv_is_active((const uv_handle_t *)&spin->idle) != 0;
}

void spin_on(struct spin *spin, uint64_t us)
{
	if (us > 0) {
		spin->until_ns = clock_now_ns() + us * 1000;
	}
	if (us > 0 && !is_begun(spin)) {
		begin(spin);
	}
}

void spin_give_way(struct spin *spin)
{
	if (is_begun(spin)) {
		return;
	}
	if (spin->stays > 0) {
		spin->stays--;
		return;
	}
	spin->until_ns = 0;
	begin(spin);
}
