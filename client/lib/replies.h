/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replies - decodes the bodies of replies into the structs of edge_client.h
 *
 * edge_client_list_free() and its like free a struct with everything it points to. -EPROTO: the body breaks the protocol,
 * or needs far more memory than its size justifies. -ENOMEM: no memory.
 */
#ifndef CLIENT_LIB_REPLIES_H
#define CLIENT_LIB_REPLIES_H

#include "base/error.h"
#include "client/lib/edge_client.h"

/* @type: WIRE_LIST, WIRE_STORE_LIST or WIRE_EVENT. */
int must_check replies_list(const void *body, size_t size, unsigned int type,
	struct edge_client_list **ret_list, struct error *err);
int must_check replies_model(
	const void *body, size_t size, struct edge_client_model **ret_model, struct error *err);

/* Takes @body on success: the tensors point into it. @body comes from malloc or aligned_alloc
 * and is aligned to 64 bytes. @flags: from the header. */
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

int must_check replies_session(
	const void *body, size_t size, uint32_t *ret_session, struct error *err);
/* The caller frees *ret_text. */
int must_check replies_store(const void *body, size_t size, char **ret_text, struct error *err);

#endif
