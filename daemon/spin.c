/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/spin.h"

#include <sched.h>

#include "base/clock.h"

#define LOOKS 64 /* between two turns of the loop: a few microseconds */
#define WAYS 8 /* between two turns of the loop */
#define SMALL 4096 /* who asks sends the next one while it has the core */
#define WAY_NS 50000 /* giving way takes no longer where it is who asks that runs */
#define STAYS 255 /* at most, before it is tried again where nobody asked meanwhile */
#define CREDIT_NS 500 /* of each request: giving way may take that much longer... */
#define MOST_CREDIT_NS 10000000 /* ...and as much as was saved up */

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

/* True when something was asked meanwhile, which has been taken. */
static bool gave_way(struct spin *spin, uint64_t *ret_took_ns)
{
	const uint64_t start_ns = clock_now_ns();
	sched_yield();
	*ret_took_ns = clock_now_ns() - start_ns;
	return spin->look(spin->context, true);
}

/* Who asks may give way itself, although the answer is there, or has still to be given what others had before: not to
 * give up at the first time. */
static bool gave_way_soon(struct spin *spin)
{
	uint64_t took_ns = 0;
	const bool found =
		gave_way(spin, &took_ns) || (took_ns < WAY_NS && gave_way(spin, &took_ns));
	spin->credit_ns -= took_ns < WAY_NS ? 0 : (int64_t)took_ns;
	return found;
}

static void give_way(struct spin *spin)
{
	for (int i = 0; i < WAYS && spin->alone; i++) {
		if (!gave_way_soon(spin)) {
			spin->vain = spin->vain < STAYS ? 2 * spin->vain + 1 : STAYS;
			spin->stays = spin->vain;
			end(spin);
			return;
		}
		spin->vain = 0;
		if (spin->credit_ns <= 0) {
			end(spin);
			return;
		}
	}
}

static void on_idle(uv_idle_t *idle)
{
	struct spin *spin = idle->data;
	if (spin->until_ns == 0 && !spin->alone) {
		end(spin);
		return;
	}
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
	*spin = (struct spin){
		.look = look, .sleep = sleep, .context = context, .credit_ns = MOST_CREDIT_NS};
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

void spin_give_way(struct spin *spin, const void *who, uint32_t bytes)
{
	const bool again = who == spin->who;
	spin->who = who;
	spin->alone = spin->alone && again;
	if (spin->credit_ns < MOST_CREDIT_NS) {
		spin->credit_ns += CREDIT_NS;
	}
	if (is_begun(spin) || !again || spin->credit_ns <= 0 || bytes > SMALL) {
		return;
	}
	if (spin->stays > 0) {
		spin->stays--;
		return;
	}
	spin->until_ns = 0;
	spin->alone = true;
	begin(spin);
}
