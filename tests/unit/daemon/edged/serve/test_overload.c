/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the scheduler makes of more than can be done: the real one, on a clock and with workers that are
 * only counted, so that the figures are the same on every machine. tests/bench/overload measures it with
 * everything around it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/edged/serve/request.h"
#include "daemon/edged/serve/sched.h"

#define SENDERS 64
#define USERS 9
#define WORKERS 2
#define RUN_NS 3e6 /* give or take a tenth */
#define CAPACITY (WORKERS / RUN_NS) /* runs a nanosecond */
#define QUEUE 64
#define SECOND 1e9
#define START (1e12)

struct ask {
	struct request request; /* first */
	struct ask *free_next;
	double due;
};

struct sender {
	struct queue_connection queue; /* first */
	double next, rate; /* of its questions, each nanosecond */
	enum queue_class class;
	uint32_t n_asked, n_done, n_turned_away;
};

struct world {
	struct sched sched;
	struct queue_user users[USERS];
	struct sender senders[SENDERS];
	unsigned int n_senders;
	struct ask asks[QUEUE + WORKERS + 1], *free;
	struct {
		struct ask *ask; /* NULL: idle */
		double end;
	} workers[WORKERS];
	double now, from;
	unsigned short seed[3];
	uint32_t n_done;
	double *waits; /* of those done */
};

static void nobody(void *context)
{
	(void)context;
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	world->waits = calloc(1 << 20, sizeof(double));
	assert_non_null(world->waits);
	assert_int_equal(sched_init(&world->sched, nobody, NULL), 0);
	world->sched.n_workers = WORKERS;
	world->now = START;
	for (size_t i = 0; i < sizeof(world->asks) / sizeof(world->asks[0]); i++) {
		world->asks[i].free_next = world->free;
		world->free = &world->asks[i];
	}
	*state = world;
	return 0;
}

static double pause_of(struct world *world, const struct sender *sender)
{
	return -log(1.0 - erand48(world->seed)) / sender->rate;
}

/* Another sender of that user. @load: of what can be done. */
static struct sender *add(struct world *world, unsigned int user, double load)
{
	struct sender *sender = &world->senders[world->n_senders++];
	sender->queue.user = &world->users[user];
	sender->class = QUEUE_NORMAL;
	sender->rate = load * CAPACITY;
	sender->next = world->now + pause_of(world, sender);
	return sender;
}

static void ask(struct world *world, struct sender *sender)
{
	struct sched_refusal refusal;
	struct ask *ask = world->free;
	assert_non_null(ask);
	ask->request = (struct request){.item = {.connection = &sender->queue,
						.user = sender->queue.user,
						.class = sender->class,
						.cost_ns = (int64_t)RUN_NS}};
	ask->due = world->now;
	const struct sched_request wanted = {.connection = &sender->queue,
		.class = sender->class,
		.cost_ns = (int64_t)RUN_NS,
		.now_ns = (uint64_t)world->now,
		.left_ns = UINT64_MAX,
		.max_queued = QUEUE};
	int code = sched_push(&world->sched, &ask->request, &wanted, &refusal);
	sender->n_asked += world->now >= world->from;
	if (code == 0) {
		world->free = ask->free_next;
	} else {
		sender->n_turned_away += world->now >= world->from;
	}
	sender->next += pause_of(world, sender);
}

static void finish(struct world *world, unsigned int worker)
{
	struct ask *ask = world->workers[worker].ask;
	struct sender *sender = (struct sender *)ask->request.item.connection;
	if (world->now >= world->from) {
		world->waits[world->n_done++] = world->now - ask->due;
		sender->n_done++;
	}
	sched_give_back(&world->sched, &ask->request, (uint64_t)RUN_NS);
	sched_collect(&world->sched);
	ask->free_next = world->free;
	world->free = ask;
	world->workers[worker].ask = NULL;
}

static void take_work(struct world *world)
{
	bool alone = false;
	for (unsigned int i = 0; i < WORKERS; i++) {
		if (!world->workers[i].ask && world->sched.queue.n_queued > 0) {
			world->workers[i].ask = (struct ask *)sched_take(&world->sched, &alone);
			world->workers[i].end =
				world->now + RUN_NS * (0.9 + 0.2 * erand48(world->seed));
		}
	}
}

/* Until @end; what comes from @from on counts. */
static void run(struct world *world, double from, double end)
{
	world->from = from;
	for (;;) {
		struct sender *sender = &world->senders[0];
		for (unsigned int i = 1; i < world->n_senders; i++) {
			sender =
				world->senders[i].next < sender->next ? &world->senders[i] : sender;
		}
		int worker = -1;
		double next = sender->next;
		for (unsigned int i = 0; i < WORKERS; i++) {
			if (world->workers[i].ask && world->workers[i].end < next) {
				worker = (int)i;
				next = world->workers[i].end;
			}
		}
		if (next > end) {
			break;
		}
		world->now = next;
		if (worker >= 0) {
			finish(world, (unsigned int)worker);
		} else {
			ask(world, sender);
		}
		take_work(world);
	}
	world->now = end;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	world->n_senders = 1;
	world->senders[0].next = INFINITY;
	run(world, INFINITY, world->now + 100 * SECOND);
	sched_deinit(&world->sched);
	free(world->waits);
	free(world);
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static double p99(struct world *world)
{
	assert_true(world->n_done > 100);
	qsort(world->waits, world->n_done, sizeof(double), compare);
	return world->waits[world->n_done * 99 / 100];
}

/* 64 senders of one user, for 20 s after one that does not count. */
static void load_with(struct world *world, double load, double *ret_goodput, double *ret_p99)
{
	for (unsigned int i = 0; i < SENDERS; i++) {
		add(world, 0, load / SENDERS);
	}
	run(world, START + SECOND, START + 21 * SECOND);
	*ret_goodput = world->n_done / (20 * SECOND * CAPACITY);
	*ret_p99 = p99(world);
}

static double before_p99(void)
{
	void *state = NULL;
	double goodput = 0, wait = 0;
	set_up(&state);
	load_with(state, 0.8, &goodput, &wait);
	assert_true(goodput > 0.78);
	tear_down(&state);
	return wait;
}

static void ten_times_as_much_does_as_much_and_waits_hardly_longer(void **state)
{
	static const double loads[] = {1, 2, 5, 10};
	const double before = before_p99();
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		double goodput = 0, wait = 0;
		load_with(*state, loads[i], &goodput, &wait);
		print_message("%4.0fx: goodput %.3f, p99 %.2f ms, %.2f of that at 0.8x\n", loads[i],
			goodput, wait / 1e6, wait / before);
		assert_true(goodput > (loads[i] > 1 ? 0.95 : 0.9));
		assert_true(loads[i] == 1 || wait <= 1.5 * before);
		if (i + 1 < sizeof(loads) / sizeof(loads[0])) {
			tear_down(state);
			set_up(state);
		}
	}
}

static double jain(const double *values, unsigned int n)
{
	double sum = 0, squares = 0;
	for (unsigned int i = 0; i < n; i++) {
		sum += values[i];
		squares += values[i] * values[i];
	}
	return sum * sum / (n * squares);
}

/* Eight users that ask for a ninth each, one for a hundred times that over 32 connections. */
static void equal_users_get_their_part_beside_an_abuser(void **state)
{
	struct world *world = *state;
	double parts[USERS - 1];
	for (unsigned int i = 0; i < USERS - 1; i++) {
		add(world, i, 1.0 / USERS);
	}
	for (unsigned int i = 0; i < SENDERS / 2; i++) {
		add(world, USERS - 1, 100.0 / USERS / (SENDERS / 2));
	}
	run(world, START + SECOND, START + 21 * SECOND);
	double least = 1;
	for (unsigned int i = 0; i < USERS - 1; i++) {
		parts[i] = (double)world->senders[i].n_done / world->senders[i].n_asked;
		least = parts[i] < least ? parts[i] : least;
	}
	print_message("Jain %.4f, the least %.3f\n", jain(parts, USERS - 1), least);
	assert_true(jain(parts, USERS - 1) >= 0.98);
	assert_true(least > 0.8);
	assert_true(world->n_done / (20 * SECOND * CAPACITY) > 0.95);
}

/* The same between the connections of one user. */
static void equal_connections_get_their_part_beside_an_abuser(void **state)
{
	struct world *world = *state;
	double parts[USERS - 1];
	for (unsigned int i = 0; i < USERS - 1; i++) {
		add(world, 0, 1.0 / USERS);
	}
	add(world, 0, 100.0 / USERS);
	run(world, START + SECOND, START + 21 * SECOND);
	for (unsigned int i = 0; i < USERS - 1; i++) {
		parts[i] = (double)world->senders[i].n_done / world->senders[i].n_asked;
		assert_true(parts[i] > 0.8);
	}
	assert_true(jain(parts, USERS - 1) >= 0.98);
}

/* Without the yield between operators, which workers do: one run of batch work and its own. */
static void urgent_work_waits_for_what_runs_at_most(void **state)
{
	struct world *world = *state;
	for (unsigned int i = 0; i < 8; i++) {
		add(world, 0, 2)->class = QUEUE_BATCH;
	}
	struct sender *urgent = add(world, 1, 0.1);
	urgent->class = QUEUE_REALTIME;
	run(world, START + SECOND, START + 21 * SECOND);
	assert_int_equal(urgent->n_turned_away, 0);
	assert_true(urgent->n_done + 2 >= urgent->n_asked);
}

static void batch_work_gets_its_twentieth(void **state)
{
	struct world *world = *state;
	struct sender *batch = add(world, 0, 1);
	batch->class = QUEUE_BATCH;
	add(world, 1, 3)->class = QUEUE_REALTIME;
	run(world, START + SECOND, START + 21 * SECOND);
	const double part = batch->n_done / (20 * SECOND * CAPACITY);
	print_message("batch work gets %.3f\n", part);
	assert_true(part > 0.04 && part < 0.08);
}

static void all_is_well_again_within_a_second(void **state)
{
	struct world *world = *state;
	for (unsigned int i = 0; i < SENDERS; i++) {
		add(world, 0, 10.0 / SENDERS);
	}
	run(world, START, START + 2 * SECOND);
	for (unsigned int i = 0; i < SENDERS; i++) {
		world->senders[i].rate /= 20;
		world->senders[i].n_turned_away = 0;
	}
	run(world, world->now + 0.1 * SECOND, world->now + 10 * SECOND);
	uint32_t turned_away = 0;
	for (unsigned int i = 0; i < SENDERS; i++) {
		turned_away += world->senders[i].n_turned_away;
	}
	assert_int_equal(turned_away, 0);
	assert_true(world->sched.overload_ns < (uint64_t)world->now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			ten_times_as_much_does_as_much_and_waits_hardly_longer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			equal_users_get_their_part_beside_an_abuser, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			equal_connections_get_their_part_beside_an_abuser, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			urgent_work_waits_for_what_runs_at_most, set_up, tear_down),
		cmocka_unit_test_setup_teardown(batch_work_gets_its_twentieth, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			all_is_well_again_within_a_second, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
