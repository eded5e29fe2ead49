/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replies - the bodies of replies become the structs of edge_client.h
 *
 * Everything that a struct points to is freed with it. -EPROTO for a body that breaks the protocol,
 * or that would take far more memory than its bytes; -ENOMEM.
 */
#ifndef CLIENT_REPLIES_H
#define CLIENT_REPLIES_H

#include "base/error.h"
#include "client/edge_client.h"

/* @type: WIRE_LIST, WIRE_STORE_LIST or WIRE_EVENT. */
int must_check replies_list(const void *body, size_t size, unsigned int type,
	struct edge_client_list **ret_list, struct error *err);
int must_check replies_model(
	const void *body, size_t size, struct edge_client_model **ret_model, struct error *err);

/* @body is malloc'ed, aligned to 64, and taken on success: the tensors' data stay in it. @flags: of the
 * header. */
int must_check replies_answer(void *body, size_t size, unsigned int flags,
	struct edge_client_answer **ret_answer, struct error *err);

int must_check replies_status(
	const void *body, size_t size, struct edge_client_status *ret_status, struct error *err);
int must_check replies_power(
	const void *body, size_t size, struct edge_client_power *ret_power, struct error *err);
int must_check replies_reload(
	const void *body, size_t size, struct edge_client_reload *ret_reload, struct error *err);

/* replies_stats.c */
int must_check replies_stats(
	const void *body, size_t size, struct edge_client_stats **ret_stats, struct error *err);
void replies_stats_free(struct edge_client_stats *stats);

void replies_list_free(struct edge_client_list *list); /* NULL is fine, here and below */
void replies_model_free(struct edge_client_model *model);
void replies_answer_free(struct edge_client_answer *answer);

int must_check replies_session(
	const void *body, size_t size, uint32_t *ret_session, struct error *err);
/* malloc'ed, the caller's. */
int must_check replies_store(const void *body, size_t size, char **ret_text, struct error *err);

#endif
