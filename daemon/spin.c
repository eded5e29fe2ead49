/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/spin.h"

#include "base/clock.h"

static void on_idle(uv_idle_t *idle)
{
	const struct spin *spin = idle->data;
	if (clock_now_ns() >= spin->until_ns) {
		uv_idle_stop(idle);
	}
}

void spin_init(struct spin *spin, uv_loop_t *loop)
{
	uv_idle_init(loop, &spin->idle);
	spin->idle.data = spin;
}

void spin_on(struct spin *spin, uint64_t us)
{
	if (us == 0) {
		return;
	}
	spin->until_ns = clock_now_ns() + us * 1000;
	uv_idle_start(&spin->idle, on_idle);
}
