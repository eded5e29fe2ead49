/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/spin.h"

#include "base/clock.h"

#define LOOKS 64 /* between two turns of the loop: a few microseconds */

/* To the other thread of this core, and to whoever pays for its power. */
static void pause_shortly(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || (defined(__ARM_ARCH) && __ARM_ARCH >= 7)
	__asm__ volatile("yield");
#endif
}

static void on_idle(uv_idle_t *idle)
{
	const struct spin *spin = idle->data;
	for (int i = 0; i < LOOKS && !spin->look(spin->context); i++) {
		pause_shortly();
	}
	if (clock_now_ns() < spin->until_ns) {
		return;
	}
	uv_idle_stop(idle);
	spin->sleep(spin->context, true);
	spin->look(spin->context); /* what came before they knew; it spins again then */
}

void spin_init(struct spin *spin, uv_loop_t *loop, bool (*look)(void *context),
	void (*sleep)(void *context, bool asleep), void *context)
{
	uv_idle_init(loop, &spin->idle);
	spin->look = look;
	spin->sleep = sleep;
	spin->context = context;
	spin->idle.data = spin;
}

void spin_on(struct spin *spin, uint64_t us)
{
	if (us == 0) {
		return;
	}
	spin->until_ns = clock_now_ns() + us * 1000;
	if (!uv_is_active((uv_handle_t *)&spin->idle)) {
		uv_idle_start(&spin->idle, on_idle);
		spin->sleep(spin->context, false);
	}
}
