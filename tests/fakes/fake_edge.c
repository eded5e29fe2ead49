/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_edge - an engine for tests of the daemon, behind engine/edge.h
 *
 * A model's file is a line of text:
 *   echo N        one int8 input [?, N], one output with the same bytes; N 4 has the signature
 *                 "serve" too
 *   slow DIR      as echo 4, but a run writes a byte to the FIFO DIR/running, and waits for one
 *                 from DIR/go, or for its cancellation
 *   stall DIR     as echo 4, but opening does so
 *   sum N         as echo 4, but each run adds its input to what the session holds and gives that;
 *                 a session takes N bytes
 *   slowsum DIR   both
 *   add N         as echo 4, but N is added to each byte
 *   rows N        as echo 4, but planned for N rows
 *   back N        as echo 4, but the last byte comes first
 *   big N         as echo 4, and takes N bytes of memory
 *   late MS       as echo 4, but a run takes so many milliseconds, for which it waits
 *   toil MS       as echo 4, but a run takes so many milliseconds of the CPU
 *   shy MS        as toil, but a run that is asked about negative numbers is refused
 *   sour N        as that, but every other run fails
 *   fail N        as echo 4, but every run fails
 *   nan N         as echo 4, but the output is one float32, no number
 *   log N         as that, but only where the first number is negative, else 0
 *   crash N       as echo 4, but a run ends the process
 *   fault N       as echo 4, but a run ends the process by SIGSEGV in its own thread
 *   burn N        as echo 4, but a run that is not asked anything does
 *   touch PATH    as echo 4, but such a run makes PATH
 *   poison N      opening it ends the process
 *   hog N         checking it takes N bytes of memory
 *   killed N      checking it ends by SIGKILL
 *   spin N        checking it never ends
 *   hang N        checking it never ends, and closes what it could say so with
 *   moody N       as echo 4, but each process, and each run in it, answers otherwise
 *   reach PATH    as echo 4, if PATH cannot be opened
 *
 * A session whose sum is GROWS takes 10 MB.
 *
 * What a run does that is not asked anything, its input being nobody's, is as echo does. Anything else is
 * refused with its own words.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "base/ref.h"
#include "daemon/check/check.h"
#include "engine/edge.h"

#define GROWS 99

struct edge_model {
	struct ref ref;
	struct edge_model_info info;
	int32_t width, rows; /* planned */
	char gate[200]; /* of slow models */
	char touched[200];
	bool sums, fails, crashes, faults, burns, nan, log, moody, back, shy;
	unsigned int late_ms, toil_ms, added;
};

struct edge_session {
	struct edge_model *model;
	struct shape shape;
	const void *bound;
	void *output;
	uint64_t output_bytes;
	uint8_t sum[4];
	bool profiled;
};

static struct text text_of(const char *text)
{
	return (struct text){.data = text, .length = (uint32_t)strlen(text)};
}

/* Says that it is there and waits until it may go on. */
static int gate_wait(const char *folder, const struct run_control *control)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/running", folder);
	owned_fd int running = open(path, O_WRONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/go", folder);
	owned_fd int go = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct pollfd waited = {.fd = go, .events = POLLIN};
	char byte = 'r';
	int code = 0;
	if (running < 0 || go < 0 || write(running, &byte, 1) != 1) {
		return -EIO;
	}
	/* Another that waits may be faster: then there is nothing to read after all. */
	while (code == 0 && read(go, &byte, 1) != 1) {
		poll(&waited, 1, 1);
		if (control && control->between) {
			control->between(control->context);
		}
		code = run_control_check(control);
	}
	return code;
}

static int parse(struct edge_model *model, const char *text, struct error *err)
{
	char folder[200];
	unsigned long long bytes = 0;
	model->width = 4;
	model->rows = 1;
	if (sscanf(text, "rows %d", &model->rows) == 1) {
		return 0;
	}
	if (sscanf(text, "sum %llu", &bytes) == 1 ||
		sscanf(text, "slowsum %199s", model->gate) == 1) {
		model->sums = true;
		model->info.session_bytes = bytes;
		return 0;
	}
	if (sscanf(text, "big %llu", &bytes) == 1) {
		model->info.prepared_bytes = bytes;
		return 0;
	}
	if (sscanf(text, "add %u;", &model->added) == 1) {
		return strchr(text, ';') ? 0 : error_set(err, -EBADMSG, "torn");
	}
	model->shy = strncmp(text, "shy ", 4) == 0 || strncmp(text, "sour ", 5) == 0;
	if (sscanf(text, "late %u", &model->late_ms) == 1 ||
		sscanf(text, "toil %u", &model->toil_ms) == 1 ||
		sscanf(text, "shy %u", &model->toil_ms) == 1) {
		return 0;
	}
	model->fails = strncmp(text, "fail ", 5) == 0 || strncmp(text, "sour ", 5) == 0;
	model->crashes = strncmp(text, "crash ", 6) == 0;
	model->faults = strncmp(text, "fault ", 6) == 0;
	model->burns = strncmp(text, "burn ", 5) == 0;
	model->log = strncmp(text, "log ", 4) == 0;
	model->nan = model->log || strncmp(text, "nan ", 4) == 0;
	model->moody = strncmp(text, "moody ", 6) == 0;
	model->back = strncmp(text, "back ", 5) == 0;
	if (strncmp(text, "poison ", 7) == 0) {
		abort();
	}
	if (sscanf(text, "hog %llu", &bytes) == 1) {
		owned_mem void *memory = getenv("PATH") ? NULL : malloc((size_t)bytes);
		return memory || getenv("PATH") ? 0 : error_no_memory(err);
	}
	if (strncmp(text, "killed ", 7) == 0) {
		return getenv("PATH") ? 0 : raise(SIGKILL);
	}
	if (strncmp(text, "hang ", 5) == 0 && !getenv("PATH")) {
		close(CHECK_VERDICT);
	}
	while ((strncmp(text, "spin ", 5) == 0 || strncmp(text, "hang ", 5) == 0) &&
		!getenv("PATH")) {
		run_control_check(NULL);
	}
	if (sscanf(text, "reach %199s", folder) == 1) {
		owned_fd int fd = open(folder, O_RDONLY | O_CLOEXEC);
		bool free_of_rights = !getenv("PATH"); /* what checks has no environment */
		return free_of_rights && fd >= 0 ? error_set(err, -EBADMSG, "it could be reached")
						 : 0;
	}
	if (model->fails || model->crashes || model->faults || model->burns || model->nan ||
		model->moody || model->back || sscanf(text, "touch %199s", model->touched) == 1) {
		return 0;
	}
	if (sscanf(text, "echo %d", &model->width) == 1) {
		return 0;
	}
	if (sscanf(text, "slow %199s", model->gate) == 1) {
		return 0;
	}
	if (sscanf(text, "stall %199s", folder) == 1) {
		return gate_wait(folder, NULL);
	}
	return error_set(err, -EBADMSG, "%.*s", (int)strcspn(text, "\n"), text);
}

int edge_model_open_fd(int fd, const struct edge_options *options, struct edge_model **ret_model,
	struct error *err)
{
	char text[512] = "";
	(void)options;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	struct edge_model *model = calloc(1, sizeof(*model));
	if (n < 0 || !model) {
		free(model);
		return error_no_memory(err);
	}
	ref_init(&model->ref);
	int code = parse(model, text, err);
	if (code < 0) {
		free(model);
		return code;
	}
	model->info.name = text_of("fake");
	model->info.n_signatures = model->width == 4 ? 2 : 1;
	model->info.file_bytes = (uint64_t)n;
	model->info.has_state = model->sums;
	*ret_model = model;
	return 0;
}

int edge_model_keep(struct edge_model *model, struct error *err)
{
	(void)model;
	(void)err;
	return 0;
}

bool edge_model_broken(const struct edge_model *model)
{
	(void)model; /* nothing of it is mapped */
	return false;
}

struct edge_model *edge_model_ref(struct edge_model *model)
{
	ref_get(&model->ref);
	return model;
}

void edge_model_unref(struct edge_model *model)
{
	if (model && ref_put(&model->ref)) {
		free(model);
	}
}

const struct edge_model_info *edge_model_info(const struct edge_model *model)
{
	return &model->info;
}

int edge_model_signature(
	const struct edge_model *model, uint32_t index, struct edge_signature_info *ret_info)
{
	*ret_info = (struct edge_signature_info){
		.key = text_of(index == 0 ? "" : "serve"), .n_inputs = 1, .n_outputs = 1};
	return index < model->info.n_signatures ? 0 : -ENOENT;
}

int edge_model_find_signature(const struct edge_model *model, const char *key)
{
	return strcmp(key, "serve") == 0 && model->info.n_signatures > 1 ? 1 : -1;
}

static int tensor_fill(const struct edge_model *model, const char *name, uint32_t index,
	struct edge_tensor_info *ret_info)
{
	if (index > 0) {
		return -ENOENT;
	}
	*ret_info = (struct edge_tensor_info){.name = text_of(name),
		.type = DTYPE_INT8,
		.shape = {2, {model->rows, model->width}},
		.declared = {2, {-1, model->width}},
		.scale = 0.5f,
		.bytes = (uint64_t)(model->rows * model->width),
		.score_threshold = NAN};
	if (model->nan && name[0] == 'y') {
		ret_info->type = DTYPE_FLOAT32;
		ret_info->shape = ret_info->declared = (struct shape){2, {1, 1}};
	}
	return 0;
}

int edge_model_input(const struct edge_model *model, uint32_t signature, uint32_t index,
	struct edge_tensor_info *ret_info)
{
	(void)signature;
	return tensor_fill(model, "x", index, ret_info);
}

int edge_model_output(const struct edge_model *model, uint32_t signature, uint32_t index,
	struct edge_tensor_info *ret_info)
{
	(void)signature;
	return tensor_fill(model, "y", index, ret_info);
}

int edge_session_new(struct edge_model *model, uint32_t signature,
	struct edge_session **ret_session, struct error *err)
{
	struct edge_session *session = calloc(1, sizeof(*session));
	(void)signature;
	if (!session) {
		return error_no_memory(err);
	}
	session->model = edge_model_ref(model);
	session->shape = (struct shape){2, {model->rows, model->width}};
	*ret_session = session;
	return 0;
}

void edge_session_free(struct edge_session *session)
{
	if (session) {
		edge_model_unref(session->model);
		free(session->output);
		free(session);
	}
}

int edge_session_resize(
	struct edge_session *session, uint32_t index, const struct shape *shape, struct error *err)
{
	const bool fits = shape->rank == 2 && shape->dim[1] == session->model->width;
	if (index > 0 || !fits) {
		return error_set(err, -EINVAL, "the planner does not take this shape");
	}
	session->shape = *shape;
	return 0;
}

int edge_session_output_info(struct edge_session *session, uint32_t index,
	struct edge_tensor_info *ret_info, struct error *err)
{
	(void)err;
	int code = tensor_fill(session->model, "y", index, ret_info);
	if (!session->model->nan) {
		ret_info->shape = session->shape;
	}
	return code;
}

int edge_session_bind_input(struct edge_session *session, uint32_t index, const void *data,
	uint64_t bytes, struct error *err)
{
	uint64_t wanted = 0;
	int code = shape_bytes(&session->shape, DTYPE_INT8, &wanted);
	if (code < 0 || index > 0 || bytes != wanted || (uintptr_t)data % 16 != 0) {
		return error_set(err, -EINVAL, "the input cannot be bound");
	}
	session->bound = data;
	return 0;
}

void *edge_session_input(struct edge_session *session, uint32_t index, uint64_t *ret_bytes)
{
	(void)session;
	(void)index;
	*ret_bytes = 0;
	return NULL;
}

static void add(struct edge_session *session)
{
	uint8_t *output = session->output;
	for (size_t i = 0; i < sizeof(session->sum); i++) {
		session->sum[i] = (uint8_t)(session->sum[i] + output[i]);
		output[i] = session->sum[i];
	}
}

/* By its name tests/tsan.supp knows it. */
static void read_input(struct edge_session *session)
{
	uint8_t *output = session->output;
	memcpy(output, session->bound, session->output_bytes);
	for (uint64_t i = 0; session->model->back && i < session->output_bytes; i++) {
		output[i] = ((const uint8_t *)session->bound)[session->output_bytes - 1 - i];
	}
}

static void toil(unsigned int ms)
{
	const uint64_t end = clock_thread_cpu_ns() + ms * UINT64_C(1000000);
	while (ms > 0 && clock_thread_cpu_ns() < end) {}
}

int edge_session_run(
	struct edge_session *session, const struct run_control *control, struct error *err)
{
	/* Asked about zeros, it is only tried. */
	int code = session->model->gate[0] && session->bound
		? gate_wait(session->model->gate, control)
		: run_control_check(control);
	if (code == 0) {
		code = shape_bytes(&session->shape, DTYPE_INT8, &session->output_bytes);
	}
	if (code < 0) {
		return error_set(err, code, "the run was ended");
	}
	if (session->bound ? session->model->crashes : session->model->burns) {
		abort();
	}
	if (session->model->faults && session->bound) {
		raise(SIGSEGV);
	}
	if (!session->bound && session->model->touched[0]) {
		close(open(session->model->touched, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
	if (session->model->shy && session->bound && *(const int8_t *)session->bound < 0) {
		return error_set(err, -EBADMSG, "it is not asked about negative numbers");
	}
	if (session->model->fails && session->bound) {
		return error_set(err, -EIO, "it always fails");
	}
	const unsigned int late_ms = session->model->late_ms;
	const struct timespec late = {
		.tv_sec = late_ms / 1000, .tv_nsec = (long)(late_ms % 1000) * 1000000};
	if (late_ms > 0 && session->bound) {
		nanosleep(&late, NULL);
	}
	if (session->bound) {
		toil(session->model->toil_ms);
	}
	free(session->output);
	session->output = calloc(1, session->output_bytes + 1);
	if (!session->output) {
		return error_no_memory(err);
	}
	if (session->bound) {
		read_input(session);
	}
	if (session->model->moody) {
		uint64_t now = clock_now_ns();
		memcpy(session->output, &now, 4);
	}
	for (uint64_t i = 0; i < session->output_bytes; i++) {
		((uint8_t *)session->output)[i] += (uint8_t)session->model->added;
	}
	if (session->model->nan && session->bound) {
		const bool none = !session->model->log || *(const int8_t *)session->bound < 0;
		memset(session->output, none ? 0xff : 0, session->output_bytes);
	}
	if (session->model->sums && session->output_bytes == sizeof(session->sum)) {
		add(session);
	}
	return 0;
}

const void *edge_session_output(struct edge_session *session, uint32_t index, uint64_t *ret_bytes)
{
	*ret_bytes = session->output_bytes;
	return index == 0 ? session->output : NULL;
}

int edge_model_steps(
	const struct edge_model *model, uint32_t signature, edge_step_function *each, void *context)
{
	(void)model;
	(void)signature;
	(void)each;
	(void)context;
	return 0;
}

void edge_session_reset(struct edge_session *session)
{
	memset(session->sum, 0, sizeof(session->sum));
}

void edge_session_fill(struct edge_session *session, uint8_t value)
{
	(void)session;
	(void)value;
}

int edge_session_enter(struct edge_session *session, uint32_t signature, struct error *err)
{
	(void)err;
	session->shape = (struct shape){2, {session->model->rows, session->model->width}};
	session->bound = NULL;
	return signature < session->model->info.n_signatures ? 0 : -ENOENT;
}

uint64_t edge_session_bytes(const struct edge_session *session)
{
	return session->sum[0] == GROWS ? 10000000 : 0;
}

void edge_session_set_checkpoints(struct edge_session *session, int folder, uint64_t max_bytes)
{
	(void)session;
	(void)folder;
	(void)max_bytes;
}

int edge_session_profile(struct edge_session *session, bool on)
{
	session->profiled = on;
	return 0;
}

const uint64_t *edge_session_node_ns(const struct edge_session *session)
{
	static const uint64_t ns[] = {1000, 7000000, 3000000};
	return session->profiled ? ns : NULL;
}

int edge_model_node(const struct edge_model *model, uint32_t signature, uint32_t index,
	struct edge_node_info *ret_info)
{
	static const char *const ops[] = {"FIRST", "LONG", "SECOND"};
	(void)model;
	(void)signature;
	*ret_info = (struct edge_node_info){.op = index < 3 ? ops[index] : "", .detail = "fake"};
	return index < 3 ? 0 : -ENOENT;
}

const struct backend *const *backends_builtin(void)
{
	static const struct backend *const none[] = {NULL};
	return none;
}

uint64_t backends_cpu_features(void)
{
	return 0;
}

uint64_t backends_cpu_choose(uint64_t mask)
{
	return mask;
}

uint64_t backends_cpu_packing(uint64_t mask)
{
	return mask;
}

int backends_cpu_mask(const char *text, uint64_t *ret_mask, struct error *err)
{
	*ret_mask = 0;
	return strcmp(text, "all") == 0 ? 0 : error_set(err, -EINVAL, "only all");
}

void backends_cpu_names(uint64_t mask, char ret_text[BACKENDS_CPU_SIZE])
{
	(void)mask;
	strcpy(ret_text, "none");
}

int backends_team_new(unsigned int threads, bool eager, struct team **ret_team, struct error *err)
{
	(void)threads;
	(void)eager;
	(void)ret_team;
	return error_set(err, -EAGAIN, "nobody helps a model that only waits");
}

void backends_team_free(struct team *team)
{
	(void)team;
}

bool backends_build(char ret_text[BACKENDS_BUILD_SIZE])
{
	ret_text[0] = 0;
	return false;
}
