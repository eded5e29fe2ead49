/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/request/edged_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/text/topics.h"

#define OPEN_TIMEOUT_MS 5000
#define RETRY_MS 500
#define YOUNG_POLL_MS 200 /* interval of polls while edged starts */

/* A request for the few-shot examples of a model. */
struct examples_request {
	struct edged_client *edged;
	char model[64];
	uint32_t taught;
};

struct edged_client_open {
	uv_work_t memory;
	struct edged_client *edged; /* NULL: the result is not wanted */
	const char *path;
	struct edge_client *client;
	struct edge_client_error err;
};

static void on_timer(uv_timer_t *timer);
static void on_ready(uv_poll_t *poll, int status, int events);

/* Polls for what the client library waits for, which may change with every call. */
static void arm(struct edged_client *edged)
{
	short events = edge_client_events(edged->client);
	int wanted = UV_READABLE | (events & POLLOUT ? UV_WRITABLE : 0);
	int r = uv_poll_start(&edged->socket, wanted, on_ready);
	(void)r; /* cannot fail: only the events change */
}

static void retry(struct edged_client *edged)
{
	if (!edged->stopping) {
		uv_timer_start(&edged->timer, on_timer, RETRY_MS, 0);
	}
}

static void lose(struct edged_client *edged, const char *why)
{
	struct edge_client *client = take(edged->client);
	log_warning(edged->log, "edged is away: %s", why);
	edged->polling = false;
	edged->status = (struct edge_client_status){0};
	uv_close((uv_handle_t *)&edged->socket, NULL); /* closed before the next connection */
	edge_client_close(client);
	edged->gone_ns = edged->gone_ns ? edged->gone_ns : clock_now_ns();
	for (size_t i = 0; i < edged->models->n; i++) {
		edged->models->entries[i]->describe_sent = false;
		edged->models->entries[i]->described = 0; /* the old one stays usable */
	}
	edged->events->on_down(edged->data);
	retry(edged);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct edged_client *edged = poll->data;
	struct edge_client_error err = {0};
	(void)status;
	(void)events;
	if (edge_client_process(edged->client, &err) < 0) {
		lose(edged, err.text);
		return;
	}
	arm(edged);
}

static int watch(struct edged_client *edged)
{
	int r = uv_poll_init(edged->loop, &edged->socket, edge_client_fd(edged->client));
	if (r == 0) {
		edged->socket.data = edged;
		arm(edged);
	}
	return r;
}

static void open_it(uv_work_t *memory)
{
	struct edged_client_open *open = memory->data;
	int r = edge_client_open(open->path, OPEN_TIMEOUT_MS, &open->client, &open->err);
	if (r < 0) {
		open->client = NULL;
	}
}

static void on_opened(uv_work_t *memory, int status)
{
	owned_mem struct edged_client_open *open = memory->data;
	struct edged_client *edged = open->edged;
	(void)status;
	if (!edged) {
		edge_client_close(open->client);
		return;
	}
	edged->opening = NULL;
	edged->client = open->client;
	if (!edged->client || watch(edged) < 0) {
		edge_client_close(take(edged->client));
		if (!edged->failure_logged) {
			log_warning(edged->log, "edged: no connection yet: %s", open->err.text);
			edged->failure_logged = true;
		}
		retry(edged);
		return;
	}
	log_info(edged->log, "edged %s answers", edge_client_peer(edged->client)->version);
	edged->failure_logged = false;
	edged->events->on_up(edged->data);
	edged_client_poll(edged);
}

static void open_start(struct edged_client *edged)
{
	struct edged_client_open *open = calloc(1, sizeof(*open));
	if (!open) {
		retry(edged);
		return;
	}
	open->memory.data = open;
	open->edged = edged;
	open->path = edged->path;
	if (uv_queue_work(edged->loop, &open->memory, open_it, on_opened) < 0) {
		free(open);
		retry(edged);
		return;
	}
	edged->opening = open;
}

static void check_away(struct edged_client *edged)
{
	bool away = edged->gone_ns && clock_now_ns() - edged->gone_ns >= EDGED_CLIENT_AWAY_NS;
	if (away && !edged->away) {
		edged->away = true;
		edged->events->on_away(edged->data);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct edged_client *edged = timer->data;
	check_away(edged);
	if (edged->client) {
		edged_client_poll(edged);
	} else if (!edged->opening) {
		open_start(edged);
	}
}

void edged_client_start(struct edged_client *edged, uv_loop_t *loop, const struct log *log,
	const char *path, uint64_t poll_ms, struct known_models *models,
	const struct edged_client_events *events, void *data)
{
	*edged = (struct edged_client){.loop = loop,
		.log = log,
		.path = path,
		.poll_ms = poll_ms,
		.models = models,
		.events = events,
		.data = data,
		.gone_ns = clock_now_ns()};
	uv_timer_init(loop, &edged->timer);
	edged->timer.data = edged;
	open_start(edged);
}

void edged_client_stop(struct edged_client *edged)
{
	edged->stopping = true;
	if (edged->opening) {
		edged->opening->edged = NULL;
	}
	if (edged->client) {
		lose(edged, "stopping");
	}
	uv_close((uv_handle_t *)&edged->timer, NULL);
}

static void on_description(void *data, const struct edge_client_reply *reply)
{
	struct edged_client *edged = data;
	struct error err = {0};
	if (reply->error.code || !reply->model) {
		for (size_t i = 0; i < edged->models->n; i++) {
			edged->models->entries[i]->describe_sent =
				false; /* requested by the next poll */
		}
		return;
	}
	struct model_entry *entry = known_models_find(edged->models, reply->model->name);
	if (!entry) {
		return;
	}
	entry->describe_sent = false;
	if (known_models_describe(entry, reply->model, &err) < 0) {
		log_warning(edged->log, "%s: labels: %s", entry->name, err.text);
	}
	edged->events->on_description(edged->data, reply->model);
	edged->events->on_models(edged->data);
}

static void describe(struct edged_client *edged, struct model_entry *entry)
{
	uint64_t id = 0;
	struct edge_client_error err = {0};
	if (entry->listed && entry->generation && entry->described != entry->generation &&
		!entry->describe_sent) {
		entry->describe_sent = edge_client_start_describe(edged->client, entry->name, NULL,
					       on_description, edged, &id, &err) == 0;
	}
}

static void on_examples(void *data, const struct edge_client_reply *reply)
{
	owned_mem struct examples_request *examples = data;
	struct edged_client *edged = examples->edged;
	struct model_entry *entry = known_models_find(edged->models, examples->model);
	if (!entry) {
		return;
	}
	entry->examples_sent = false;
	if (!edged->client || reply->error.code == -ENOTCONN) {
		return;
	}
	snprintf(entry->no_examples, sizeof(entry->no_examples), "%s",
		reply->error.code ? reply->error.text : "");
	if (reply->error.code) {
		log_warning(
			edged->log, "the examples of model %s: %s", entry->name, reply->error.text);
	}
	entry->taught = examples->taught; /* after an error too, to request it once only */
	edged->events->on_examples(edged->data, entry->name, reply->text ? reply->text : "");
	describe(edged, entry);
	arm(edged);
}

/* Requests new examples. The description follows them, so that no input is judged without examples.
 * Returns true if they are to come. */
static bool mqtt_request_examples(
	struct edged_client *edged, struct model_entry *entry, uint32_t taught)
{
	struct edge_client_error err = {0};
	uint64_t id = 0;
	if (entry->examples_sent || entry->taught == taught) {
		return entry->examples_sent;
	}
	if (taught == 0) {
		entry->taught = 0;
		entry->no_examples[0] = 0;
		edged->events->on_examples(edged->data, entry->name, "");
		return false;
	}
	struct examples_request *examples = calloc(1, sizeof(*examples));
	if (!examples) {
		return true; /* the next poll tries again */
	}
	examples->edged = edged;
	examples->taught = taught;
	memcpy(examples->model, entry->name, sizeof(examples->model));
	entry->examples_sent = edge_client_start_store(edged->client, EDGE_CLIENT_STORE_EXAMPLES,
				       entry->name, NULL, on_examples, examples, &id, &err) == 0;
	if (!entry->examples_sent) {
		free(examples);
	}
	return true;
}

static void take_item(struct edged_client *edged, const struct edge_client_list_item *item)
{
	struct model_entry *entry = known_models_find(edged->models, item->name);
	if (!topics_is_model(item->name)) {
		return; /* the name cannot be in a topic */
	}
	entry = entry ? entry : known_models_add(edged->models, item->name);
	if (!entry) {
		return;
	}
	entry->listed = true;
	entry->generation = item->generation;
	entry->pinned = item->pinned;
	snprintf(entry->version, sizeof(entry->version), "%s", item->version);
	snprintf(entry->state, sizeof(entry->state), "%s", item->state);
	snprintf(entry->reason, sizeof(entry->reason), "%s", item->reason);
	snprintf(entry->sha256, sizeof(entry->sha256), "%s", item->sha256 ? item->sha256 : "");
	if (!mqtt_request_examples(edged, entry, item->taught)) {
		describe(edged, entry);
	}
}

static void on_list(void *data, const struct edge_client_reply *reply)
{
	struct edged_client *edged = data;
	edged->polling = false;
	if (reply->error.code || !reply->list) {
		return;
	}
	edged->gone_ns = 0;
	edged->away = false;
	for (size_t i = 0; i < edged->models->n; i++) {
		edged->models->entries[i]->listed = false;
	}
	/* First marks models that stay, so that a new model does not take their place. */
	for (size_t i = 0; i < reply->list->n_items; i++) {
		struct model_entry *entry =
			known_models_find(edged->models, reply->list->items[i].name);
		if (entry) {
			entry->listed = true;
		}
	}
	bool full = reply->list->n_items > MODELS_MAX;
	if (full && !edged->full) {
		log_warning(edged->log, "edged has %zu models, %d of which are served at most",
			(size_t)reply->list->n_items, MODELS_MAX);
	}
	edged->full = full;
	for (size_t i = 0; i < reply->list->n_items; i++) {
		take_item(edged, &reply->list->items[i]);
	}
	edged->events->on_models(edged->data);
}

static void on_status(void *data, const struct edge_client_reply *reply)
{
	struct edged_client *edged = data;
	if (!reply->error.code && reply->status) {
		edged->status = *reply->status;
	}
}

void edged_client_poll(struct edged_client *edged)
{
	uint64_t id = 0;
	struct edge_client_error err = {0};
	if (!edged->client) {
		return;
	}
	bool often = edged_client_is_young(edged) && edged->poll_ms > YOUNG_POLL_MS;
	uv_timer_start(&edged->timer, on_timer, often ? YOUNG_POLL_MS : edged->poll_ms, 0);
	if (!edged->polling) {
		edged->polling =
			edge_client_start_list(edged->client, on_list, edged, &id, &err) == 0;
		int r = edge_client_start_status(edged->client, on_status, edged, &id, &err);
		(void)r; /* the next poll requests the status again */
		arm(edged);
	}
}

struct tensor_bytes edged_client_tensor(const struct edge_client_tensor *from)
{
	struct tensor_bytes tensor = {.type = from->type,
		.shape = {.rank = (uint8_t)from->shape.rank},
		.data = (void *)(uintptr_t)from->data,
		.bytes = from->bytes};
	memcpy(tensor.shape.dim, from->shape.dim, sizeof(tensor.shape.dim));
	return tensor;
}

static void fill_tensor(
	const struct tensor_bytes *from, uint32_t index, struct edge_client_tensor *to)
{
	*to = (struct edge_client_tensor){.index = index,
		.type = from->type,
		.shape = {.rank = from->shape.rank},
		.data = from->data,
		.bytes = (size_t)from->bytes};
	memcpy(to->shape.dim, from->shape.dim, sizeof(to->shape.dim));
}

int edged_client_infer(struct edged_client *edged, const struct edged_client_run *run,
	edge_client_reply_fn fn, void *data, struct edge_client_error *err)
{
	struct edge_client_tensor tensors[DECODE_MAX_INPUTS];
	struct edge_client_request request = {.model = run->model,
		.signature = run->signature && run->signature[0] ? run->signature : NULL,
		.n_inputs = run->n,
		.inputs = tensors,
		.priority = run->priority};
	uint64_t id = 0;
	for (uint32_t i = 0; i < run->n; i++) {
		fill_tensor(&run->tensors[i], i, &tensors[i]);
	}
	if (mqtt_request_deadline_us(run->deadline_ns, clock_now_ns(), &request.deadline_us) < 0) {
		snprintf(err->text, sizeof(err->text), "deadline exceeded");
		return -ETIMEDOUT;
	}
	int r = run->session ? edge_client_start_session_infer(
				       edged->client, run->session, &request, fn, data, &id, err)
			     : edge_client_start_infer(edged->client, &request, fn, data, &id, err);
	if (r == 0) {
		arm(edged);
	}
	return r;
}

int edged_client_session_open(struct edged_client *edged, const char *model,
	edge_client_reply_fn fn, void *data, struct edge_client_error *err)
{
	uint64_t id = 0;
	int r = edge_client_start_session_open(edged->client, model, NULL, fn, data, &id, err);
	if (r == 0) {
		arm(edged);
	}
	return r;
}

static void on_session_closed(void *data, const struct edge_client_reply *reply)
{
	(void)data;
	(void)reply;
}

void edged_client_session_close(struct edged_client *edged, uint32_t session)
{
	uint64_t id = 0;
	if (edged->client &&
		edge_client_start_session_close(
			edged->client, session, on_session_closed, NULL, &id, NULL) == 0) {
		arm(edged);
	}
}
