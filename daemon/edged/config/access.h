/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access - rights of users and groups: section [access] of the configuration
 *
 * A right is a list of users and groups. The first rights exist in every configuration: one per
 * request class, and managing models. The others restrict models that not everybody may use. A
 * connection has a bit for each right of its peer. The bits are computed when first needed and
 * again after the configuration changed.
 */
#ifndef DAEMON_EDGED_CONFIG_ACCESS_H
#define DAEMON_EDGED_CONFIG_ACCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "daemon/edged/config/queue_class.h"

#define ACCESS_MODELS 48 /* limit of rules for models */
#define ACCESS_IDS 16 /* limit of users and groups in one right */
#define ACCESS_MODEL_SIZE 65

struct config;

enum access_right {
	ACCESS_CLASS, /* first of QUEUE_CLASSES rights, one per class */
	ACCESS_MANAGE = ACCESS_CLASS + QUEUE_CLASSES,
	ACCESS_OF_MODELS,
	ACCESS_RIGHTS = ACCESS_OF_MODELS + ACCESS_MODELS
};

struct access_list {
	bool anybody;
	uint32_t n;
	struct {
		bool group;
		uint32_t id;
	} ids[ACCESS_IDS];
};

struct access {
	uint64_t generation; /* number of the configuration, counted from 1; 0: none was read */
	uint32_t n_models;
	struct access_list rights[ACCESS_RIGHTS];
	char models[ACCESS_MODELS][ACCESS_MODEL_SIZE]; /* model name, or a prefix and a star */
};

/* The rights of one peer. Zeroed at first. */
struct access_peer {
	uint64_t generation; /* generation of the struct access that @rights were computed from */
	uint64_t rights; /* bit i: right i of enum access_right */
};

/* Reads section [access] into *access. -EINVAL with the key for a list that cannot be parsed. A
 * name that this machine does not know is logged and gives nobody the right. On failure *access
 * stays. */
int must_check access_read(struct access *access, const struct config *config,
	const struct log *log, struct error *err);

/* True when the peer, with user @uid behind @socket, has @right. root and edged's own user have
 * every right but those of models. */
bool access_may(const struct access *access, struct access_peer *peer, int socket, uid_t uid,
	enum access_right right);

/* True when the peer may use @model: no rule matches it, or the first that matches names the
 * peer. */
bool access_may_use(const struct access *access, struct access_peer *peer, int socket, uid_t uid,
	const char *model);

#endif
