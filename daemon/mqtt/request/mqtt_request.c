/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/request/mqtt_request.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/config/settings.h"

int mqtt_request_set_payload(struct mqtt_request *request, const void *payload, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	if (!copy) {
		return -ENOMEM;
	}
	if (size) {
		memcpy(copy, payload, size);
	}
	copy[size] = 0;
	request->payload = copy;
	request->size = size;
	return 0;
}

void mqtt_request_free(struct mqtt_request *request)
{
	if (request) {
		decode_result_free(&request->tensors);
		free(request->payload);
		free(request->response_topic);
		free(request->responses.newest);
		journal_delete(request->journal);
		free(request);
	}
}

enum mqtt_request_priority mqtt_request_priority_of(const char *text)
{
	bool digit = text[0] >= '0' && text[0] <= '9' && text[1] == 0;
	bool high = strcmp(text, "high") == 0 || strcmp(text, "realtime") == 0;
	bool low = strcmp(text, "low") == 0 || strcmp(text, "batch") == 0;
	if (high || (digit && text[0] <= '3')) {
		return MQTT_REQUEST_HIGH;
	}
	return low || (digit && text[0] >= '7') ? MQTT_REQUEST_LOW : MQTT_REQUEST_NORMAL;
}

int mqtt_request_deadline_us(uint64_t deadline_ns, uint64_t now_ns, uint32_t *ret_us)
{
	const uint64_t left_ns = clock_left_ns(deadline_ns, now_ns);
	const uint64_t us = left_ns / NSEC_PER_USEC + (left_ns % NSEC_PER_USEC != 0);
	if (deadline_ns && left_ns == 0) {
		return -ETIMEDOUT;
	}
	*ret_us = us > UINT32_MAX ? 0 : (uint32_t)us;
	return 0;
}

void mqtt_requests_set_limits(struct mqtt_requests *requests)
{
	requests->max = requests->settings->queue_length;
	requests->max_bytes = requests->settings->queue_bytes;
	requests->max_decoded_bytes = settings_work_bytes(requests->settings);
}

void mqtt_requests_add(struct mqtt_requests *requests, struct mqtt_request *request)
{
	struct mqtt_request **at = &requests->first;
	while (*at && (*at)->priority <= request->priority) {
		at = &(*at)->next;
	}
	request->next = *at;
	*at = request;
	requests->n++;
	requests->bytes += request->size;
}

static size_t *running_of(struct mqtt_requests *requests, const struct mqtt_request *request)
{
	return request->of_pipeline ? &requests->running_inputs : &requests->running;
}

void mqtt_requests_set_running(
	struct mqtt_requests *requests, struct mqtt_request *request, bool running)
{
	bool was_running = request->state == MQTT_REQUEST_RUNNING;
	request->state = running ? MQTT_REQUEST_RUNNING : MQTT_REQUEST_READY;
	if (was_running != running) {
		*running_of(requests, request) += running ? 1 : (size_t)-1;
		requests->n -= running ? 1 : (size_t)-1;
		requests->bytes -= running ? request->size : (size_t)0 - request->size;
	}
}

void mqtt_requests_remove(struct mqtt_requests *requests, struct mqtt_request *request)
{
	struct mqtt_request **at = &requests->first;
	while (*at != request) {
		assert(*at);
		at = &(*at)->next;
	}
	*at = request->next;
	request->next = NULL;
	if (request->state == MQTT_REQUEST_RUNNING) {
		--*running_of(requests, request);
		return;
	}
	requests->n--;
	requests->bytes -= request->size;
}

/* The tensors of a pipeline input are in the child process. */
static bool is_decoded(const struct mqtt_request *request)
{
	return request->state != MQTT_REQUEST_NEW && !request->of_pipeline;
}

bool mqtt_requests_may_decode(
	const struct mqtt_requests *requests, const struct mqtt_request *request)
{
	uint64_t n = 0, bytes = request->memory.bytes, answer = request->memory.response_bytes;
	for (const struct mqtt_request *one = requests->first; one; one = one->next) {
		if (one != request && is_decoded(one)) {
			const uint64_t its = one->memory.response_bytes;
			n++;
			bytes += one->memory.bytes;
			answer = its > answer ? its : answer;
		}
	}
	return n == 0 || bytes + answer <= requests->max_decoded_bytes;
}

struct mqtt_request *mqtt_requests_decoded_victim(
	const struct mqtt_requests *requests, const struct mqtt_request *request)
{
	struct mqtt_request *last = NULL;
	bool behind = false;
	for (struct mqtt_request *one = requests->first; one; one = one->next) {
		behind |= one == request;
		const bool lacks_room = one->conn && one->reserve.is_short;
		if (one->state == MQTT_REQUEST_READY && !one->of_pipeline &&
			(behind || lacks_room)) {
			last = one;
		}
	}
	return last;
}

void mqtt_request_forget_decoded(struct mqtt_request *request)
{
	decode_result_free(&request->tensors);
	request->state = MQTT_REQUEST_NEW;
}
