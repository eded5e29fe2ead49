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
struct service_examples {
	struct service *service;
	char model[64];
	uint32_t taught;
};

struct service_open {
	uv_work_t memory;
	struct service *service; /* NULL: the result is not wanted */
	const char *path;
	struct edge_client *client;
	struct edge_client_error err;
};

static void on_timer(uv_timer_t *timer);
static void on_ready(uv_poll_t *poll, int status, int events);

/* Polls for what the client library waits for, which may change with every call. */
static void arm(struct service *service)
{
	short events = edge_client_events(service->client);
	int wanted = UV_READABLE | (events & POLLOUT ? UV_WRITABLE : 0);
	int r = uv_poll_start(&service->socket, wanted, on_ready);
	(void)r; /* cannot fail: only the events change */
}

static void retry(struct service *service)
{
	if (!service->stopping) {
		uv_timer_start(&service->timer, on_timer, RETRY_MS, 0);
	}
}

static void lose(struct service *service, const char *why)
{
	struct edge_client *client = take(service->client);
	log_warning(service->log, "edged is away: %s", why);
	service->polling = false;
	service->status = (struct edge_client_status){0};
	uv_close((uv_handle_t *)&service->socket, NULL); /* closed before the next connection */
	edge_client_close(client);
	service->gone_ns = service->gone_ns ? service->gone_ns : clock_now_ns();
	for (size_t i = 0; i < service->models->n; i++) {
		service->models->entries[i]->describe_sent = false;
		service->models->entries[i]->described = 0; /* the old one stays usable */
	}
	service->events->on_down(service->data);
	retry(service);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct service *service = poll->data;
	struct edge_client_error err = {0};
	(void)status;
	(void)events;
	if (edge_client_process(service->client, &err) < 0) {
		lose(service, err.text);
		return;
	}
	arm(service);
}

static int watch(struct service *service)
{
	int r = uv_poll_init(service->loop, &service->socket, edge_client_fd(service->client));
	if (r == 0) {
		service->socket.data = service;
		arm(service);
	}
	return r;
}

static void open_it(uv_work_t *memory)
{
	struct service_open *open = memory->data;
	int r = edge_client_open(open->path, OPEN_TIMEOUT_MS, &open->client, &open->err);
	if (r < 0) {
		open->client = NULL;
	}
}

static void on_opened(uv_work_t *memory, int status)
{
	owned_mem struct service_open *open = memory->data;
	struct service *service = open->service;
	(void)status;
	if (!service) {
		edge_client_close(open->client);
		return;
	}
	service->opening = NULL;
	service->client = open->client;
	if (!service->client || watch(service) < 0) {
		edge_client_close(take(service->client));
		if (!service->failure_logged) {
			log_warning(service->log, "edged: no connection yet: %s", open->err.text);
			service->failure_logged = true;
		}
		retry(service);
		return;
	}
	log_info(service->log, "edged %s answers", edge_client_peer(service->client)->version);
	service->failure_logged = false;
	service->events->on_up(service->data);
	service_poll(service);
}

static void open_start(struct service *service)
{
	struct service_open *open = calloc(1, sizeof(*open));
	if (!open) {
		retry(service);
		return;
	}
	open->memory.data = open;
	open->service = service;
	open->path = service->path;
	if (uv_queue_work(service->loop, &open->memory, open_it, on_opened) < 0) {
		free(open);
		retry(service);
		return;
	}
	service->opening = open;
}

static void check_away(struct service *service)
{
	bool away = service->gone_ns && clock_now_ns() - service->gone_ns >= SERVICE_AWAY_NS;
	if (away && !service->away) {
		service->away = true;
		service->events->on_away(service->data);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct service *service = timer->data;
	check_away(service);
	if (service->client) {
		service_poll(service);
	} else if (!service->opening) {
		open_start(service);
	}
}

void service_start(struct service *service, uv_loop_t *loop, const struct log *log,
	const char *path, uint64_t poll_ms, struct known_models *models,
	const struct service_events *events, void *data)
{
	*service = (struct service){.loop = loop,
		.log = log,
		.path = path,
		.poll_ms = poll_ms,
		.models = models,
		.events = events,
		.data = data,
		.gone_ns = clock_now_ns()};
	uv_timer_init(loop, &service->timer);
	service->timer.data = service;
	open_start(service);
}

void service_stop(struct service *service)
{
	service->stopping = true;
	if (service->opening) {
		service->opening->service = NULL;
	}
	if (service->client) {
		lose(service, "stopping");
	}
	uv_close((uv_handle_t *)&service->timer, NULL);
}

static void on_description(void *data, const struct edge_client_reply *reply)
{
	struct service *service = data;
	struct error err = {0};
	if (reply->error.code || !reply->model) {
		for (size_t i = 0; i < service->models->n; i++) {
			service->models->entries[i]->describe_sent =
				false; /* requested by the next poll */
		}
		return;
	}
	struct model_entry *entry = known_models_find(service->models, reply->model->name);
	if (!entry) {
		return;
	}
	entry->describe_sent = false;
	if (known_models_describe(entry, reply->model, &err) < 0) {
		log_warning(service->log, "%s: labels: %s", entry->name, err.text);
	}
	service->events->on_description(service->data, reply->model);
	service->events->on_models(service->data);
}

static void describe(struct service *service, struct model_entry *entry)
{
	uint64_t id = 0;
	struct edge_client_error err = {0};
	if (entry->listed && entry->generation && entry->described != entry->generation &&
		!entry->describe_sent) {
		entry->describe_sent = edge_client_start_describe(service->client, entry->name,
					       NULL, on_description, service, &id, &err) == 0;
	}
}

static void on_examples(void *data, const struct edge_client_reply *reply)
{
	owned_mem struct service_examples *examples = data;
	struct service *service = examples->service;
	struct model_entry *entry = known_models_find(service->models, examples->model);
	if (!entry) {
		return;
	}
	entry->examples_sent = false;
	if (!service->client || reply->error.code == -ENOTCONN) {
		return;
	}
	snprintf(entry->no_examples, sizeof(entry->no_examples), "%s",
		reply->error.code ? reply->error.text : "");
	if (reply->error.code) {
		log_warning(service->log, "the examples of model %s: %s", entry->name,
			reply->error.text);
	}
	entry->taught = examples->taught; /* after an error too, to request it once only */
	service->events->on_examples(service->data, entry->name, reply->text ? reply->text : "");
	describe(service, entry);
	arm(service);
}

/* Requests new examples. The description follows them, so that no input is judged without examples.
 * Returns true if they are to come. */
static bool mqtt_request_examples(
	struct service *service, struct model_entry *entry, uint32_t taught)
{
	struct edge_client_error err = {0};
	uint64_t id = 0;
	if (entry->examples_sent || entry->taught == taught) {
		return entry->examples_sent;
	}
	if (taught == 0) {
		entry->taught = 0;
		entry->no_examples[0] = 0;
		service->events->on_examples(service->data, entry->name, "");
		return false;
	}
	struct service_examples *examples = calloc(1, sizeof(*examples));
	if (!examples) {
		return true; /* the next poll tries again */
	}
	examples->service = service;
	examples->taught = taught;
	memcpy(examples->model, entry->name, sizeof(examples->model));
	entry->examples_sent = edge_client_start_store(service->client, EDGE_CLIENT_STORE_EXAMPLES,
				       entry->name, NULL, on_examples, examples, &id, &err) == 0;
	if (!entry->examples_sent) {
		free(examples);
	}
	return true;
}

static void take_item(struct service *service, const struct edge_client_list_item *item)
{
	struct model_entry *entry = known_models_find(service->models, item->name);
	if (!topics_is_model(item->name)) {
		return; /* the name cannot be in a topic */
	}
	entry = entry ? entry : known_models_add(service->models, item->name);
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
	if (!mqtt_request_examples(service, entry, item->taught)) {
		describe(service, entry);
	}
}

static void on_list(void *data, const struct edge_client_reply *reply)
{
	struct service *service = data;
	service->polling = false;
	if (reply->error.code || !reply->list) {
		return;
	}
	service->gone_ns = 0;
	service->away = false;
	for (size_t i = 0; i < service->models->n; i++) {
		service->models->entries[i]->listed = false;
	}
	/* First marks models that stay, so that a new model does not take their place. */
	for (size_t i = 0; i < reply->list->n_items; i++) {
		struct model_entry *entry =
			known_models_find(service->models, reply->list->items[i].name);
		if (entry) {
			entry->listed = true;
		}
	}
	bool full = reply->list->n_items > MODELS_MAX;
	if (full && !service->full) {
		log_warning(service->log, "edged has %zu models, %d of which are served at most",
			(size_t)reply->list->n_items, MODELS_MAX);
	}
	service->full = full;
	for (size_t i = 0; i < reply->list->n_items; i++) {
		take_item(service, &reply->list->items[i]);
	}
	service->events->on_models(service->data);
}

static void on_status(void *data, const struct edge_client_reply *reply)
{
	struct service *service = data;
	if (!reply->error.code && reply->status) {
		service->status = *reply->status;
	}
}

void service_poll(struct service *service)
{
	uint64_t id = 0;
	struct edge_client_error err = {0};
	if (!service->client) {
		return;
	}
	bool often = service_is_young(service) && service->poll_ms > YOUNG_POLL_MS;
	uv_timer_start(&service->timer, on_timer, often ? YOUNG_POLL_MS : service->poll_ms, 0);
	if (!service->polling) {
		service->polling =
			edge_client_start_list(service->client, on_list, service, &id, &err) == 0;
		int r = edge_client_start_status(service->client, on_status, service, &id, &err);
		(void)r; /* the next poll requests the status again */
		arm(service);
	}
}

struct tensor_bytes service_tensor(const struct edge_client_tensor *from)
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

int service_infer(struct service *service, const struct service_run *run, edge_client_reply_fn fn,
	void *data, struct edge_client_error *err)
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
	int r = run->session
		? edge_client_start_session_infer(
			  service->client, run->session, &request, fn, data, &id, err)
		: edge_client_start_infer(service->client, &request, fn, data, &id, err);
	if (r == 0) {
		arm(service);
	}
	return r;
}

int service_session_open(struct service *service, const char *model, edge_client_reply_fn fn,
	void *data, struct edge_client_error *err)
{
	uint64_t id = 0;
	int r = edge_client_start_session_open(service->client, model, NULL, fn, data, &id, err);
	if (r == 0) {
		arm(service);
	}
	return r;
}

static void on_session_closed(void *data, const struct edge_client_reply *reply)
{
	(void)data;
	(void)reply;
}

void service_session_close(struct service *service, uint32_t session)
{
	uint64_t id = 0;
	if (service->client &&
		edge_client_start_session_close(
			service->client, session, on_session_closed, NULL, &id, NULL) == 0) {
		arm(service);
	}
}
