/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/meter.h"

#include <signal.h>
#include <stdlib.h>

#include "backends/backends.h"
#include "engine/plan/opinfo.h"

#define MAX_OUTPUTS 128

uint64_t __real_clock_now_ns(void);
uint64_t __wrap_clock_now_ns(void);

static struct meter *counting; /* looks; NULL: no meter */

struct program {
	struct program *inner;
	struct compile_request request;
};

static const struct backend *inner_backend(void)
{
	return backends_builtin()[0];
}

static void look(struct meter *meter)
{
	uint64_t now = clock_thread_cpu_ns();
	uint64_t blind = now - meter->looked_ns;
	meter->blind_ns = blind > meter->blind_ns ? blind : meter->blind_ns;
	meter->looked_ns = now;
	meter->n_looks++;
}

uint64_t __wrap_clock_now_ns(void)
{
	if (counting) {
		look(counting);
	}
	return __real_clock_now_ns();
}

/* Ends what is between two nodes, or a node: the longest time without a look in it. */
static uint64_t take_blind(struct meter *meter)
{
	if (!counting) {
		return 0;
	}
	look(meter);
	uint64_t blind = meter->blind_ns;
	meter->blind_ns = 0;
	return blind;
}

static int meter_accept(const struct compile_request *request, uint32_t node, struct error *err)
{
	return inner_backend()->accept(request, node, err);
}

static int meter_compile(const struct compile_request *request, struct node_memory *ret_memory,
	struct program **ret_program, struct error *err)
{
	struct program *program = calloc(1, sizeof(*program));
	if (!program) {
		return error_no_memory(err);
	}
	program->request = *request;
	int r = inner_backend()->compile(request, ret_memory, &program->inner, err);
	if (r < 0) {
		free(program);
		return r;
	}
	*ret_program = program;
	return 0;
}

static void meter_free_program(struct program *program)
{
	if (program) {
		inner_backend()->free_program(program->inner);
		free(program);
	}
}

static uint64_t meter_program_bytes(const struct program *program)
{
	return inner_backend()->program_bytes(program->inner);
}

static const char *meter_node_detail(const struct program *program, uint32_t index)
{
	return inner_backend()->node_detail(program->inner, index);
}

static const struct node *node_of(const struct program *program, uint32_t index)
{
	return &program->request.subgraph->nodes[program->request.nodes[index]];
}

/* What the run charges for the node. */
static uint64_t count_macs(
	const struct program *program, const struct node *node, const struct run_frame *frame)
{
	struct shape outputs[MAX_OUTPUTS];
	struct op_result result = {.shapes = outputs};
	const struct op_context context = {
		.graph = program->request.graph,
		.subgraph = program->request.subgraph,
		.node = node,
		.shapes = frame->shapes ? frame->shapes : program->request.shapes,
		.constants = frame->constants ? frame->constants : program->request.constants,
	};
	return node->n_outputs <= MAX_OUTPUTS && opinfo_check(&context, &result, NULL) == 0
		? result.macs
		: 0;
}

static unsigned int type_of(const struct program *program, const struct node *node)
{
	int32_t t = node->n_inputs && node->inputs[0] >= 0 ? node->inputs[0]
		: node->n_outputs                          ? node->outputs[0]
							   : -1;
	return t < 0 ? 0 : program->request.subgraph->tensors[t].type;
}

static int meter_run_node(const struct program *program, uint32_t index,
	const struct run_frame *frame, struct error *err)
{
	if (!frame->control) { /* folded while the plan is made */
		return inner_backend()->run_node(program->inner, index, frame, err);
	}
	struct meter *meter = frame->control->context;
	const struct node *node = node_of(program, index);
	const uint64_t before = take_blind(meter);
	struct metered m = {.node = node,
		.type = type_of(program, node),
		.macs = count_macs(program, node, frame)};
	meter->looked_ns = clock_thread_cpu_ns();
	uint64_t from = clock_thread_cpu_ns();
	m.result = inner_backend()->run_node(program->inner, index, frame, err);
	uint64_t end = clock_thread_cpu_ns();
	uint64_t cancelled = atomic_load(&meter->cancelled_ns);
	m.ns = end - from;
	m.blind_ns = take_blind(meter);
	m.blind_ns = m.blind_ns > before ? m.blind_ns : before;
	m.late_ns =
		cancelled == 0 || cancelled > end ? 0 : end - (cancelled > from ? cancelled : from);
	if (meter->n_nodes < METER_NODES) {
		meter->nodes[meter->n_nodes++] = m;
	}
	return m.result;
}

static int meter_run(
	const struct program *program, const struct run_frame *frame, struct error *err)
{
	int r = 0;
	for (uint32_t i = 0; i < program->request.n_nodes && r == 0; i++) {
		r = meter_run_node(program, i, frame, err);
	}
	return r;
}

const struct backend *const *meter_backends(void)
{
	static const struct backend backend = {
		.name = "meter",
		.accept = meter_accept,
		.compile = meter_compile,
		.run = meter_run,
		.free_program = meter_free_program,
		.program_bytes = meter_program_bytes,
		.node_detail = meter_node_detail,
		.run_node = meter_run_node,
	};
	static const struct backend *const list[] = {&backend, NULL};
	return list;
}

/* On the thread that runs: the only one. */
static void on_timer(int number, siginfo_t *info, void *context)
{
	struct meter *meter = info->si_value.sival_ptr;
	(void)number;
	(void)context;
	atomic_store(&meter->cancelled_ns, clock_thread_cpu_ns());
	atomic_store(&meter->cancelled, true);
}

int meter_init(struct meter *meter)
{
	struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGALRM,
		.sigev_value.sival_ptr = meter};
	*meter = (struct meter){.control = {.cancelled = &meter->cancelled, .context = meter}};
	return sigaction(SIGALRM, &action, NULL) < 0 ||
			timer_create(CLOCK_MONOTONIC, &event, &meter->timer) < 0
		? -errno
		: 0;
}

void meter_deinit(struct meter *meter)
{
	timer_delete(meter->timer);
}

static void set_timer(struct meter *meter, uint64_t after_ns)
{
	const struct itimerspec after = {
		.it_value = {(time_t)(after_ns / 1000000000), (long)(after_ns % 1000000000)}};
	timer_settime(meter->timer, 0, &after, NULL);
}

void meter_start(struct meter *meter, uint64_t after_ns)
{
	atomic_store(&meter->cancelled, false);
	atomic_store(&meter->cancelled_ns, 0);
	meter->n_nodes = 0;
	set_timer(meter, after_ns);
}

void meter_start_looks(struct meter *meter, uint64_t after_ns)
{
	meter_start(meter, after_ns);
	meter->control.deadline_ns = UINT64_MAX;
	meter->blind_ns = 0;
	meter->looked_ns = clock_thread_cpu_ns();
	counting = meter;
}

/* What the session does after the last node counts as that one's. */
void meter_stop(struct meter *meter)
{
	const uint64_t after = take_blind(meter);
	counting = NULL;
	meter->control.deadline_ns = 0;
	set_timer(meter, 0);
	if (meter->n_nodes && after > meter->nodes[meter->n_nodes - 1].blind_ns) {
		meter->nodes[meter->n_nodes - 1].blind_ns = after;
	}
}
