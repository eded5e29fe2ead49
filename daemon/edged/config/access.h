/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access - who may do what, by user and group: section [access] of the configuration
 *
 * A right is a list of users and groups. The first ones are those of every daemon: the classes of
 * requests, and managing models. The others are of models that not everybody may use. A connection
 * has a bit for each right that its peer has, found out when it is first needed and again after the
 * configuration has changed.
 */
#ifndef DAEMON_ACCESS_H
#define DAEMON_ACCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "daemon/queue.h"

#define ACCESS_MODELS 48 /* rules for models */
#define ACCESS_IDS 16 /* users and groups of one right */
#define ACCESS_MODEL_SIZE 65

struct config;

enum access_right {
	ACCESS_CLASS, /* the first of QUEUE_CLASSES */
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
	uint64_t generation; /* counts configurations; 0: none was read */
	uint32_t n_models;
	struct access_list rights[ACCESS_RIGHTS];
	char models[ACCESS_MODELS][ACCESS_MODEL_SIZE]; /* a name, or its beginning and a star */
};

/* Zeroed at first. */
struct access_peer {
	uint64_t generation; /* of the access that @rights are of */
	uint64_t rights; /* bits */
};

/* What [access] says becomes *access. -EINVAL with the key for what cannot be read. A name that this
 * machine does not know is logged and stands for nobody. On failure *access stays. */
int must_check access_read(struct access *access, const struct config *config,
	const struct log *log, struct error *err);

/* @socket: of the peer, whose user is @uid. root and edged's own user have every right but those of
 * models. */
bool access_may(const struct access *access, struct access_peer *peer, int socket, uid_t uid,
	enum access_right right);

/* Whether the peer may use a model of that name. */
bool access_may_use(const struct access *access, struct access_peer *peer, int socket, uid_t uid,
	const char *model);

#endif
