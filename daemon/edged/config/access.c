/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/config/access.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "daemon/edged/config/config.h"

#define FEW_GROUPS 64 /* groups of a peer on the stack; more are allocated */
#define BLANKS " \t"

static_assert(ACCESS_RIGHTS <= 64, "a bit of each");

/* ---- reading */

static bool number(const char *text, uint32_t *ret_id)
{
	char *end = NULL;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	*ret_id = (uint32_t)value;
	return text[0] >= '0' && text[0] <= '9' && !*end && errno == 0 && value < UINT32_MAX;
}

static bool find_id(const char *name, bool group, uint32_t *ret_id)
{
	*ret_id = 0;
	if (number(name, ret_id) || (!group && strcmp(name, "root") == 0)) {
		return true; /* no look-up */
	}
	const struct group *g = group ? getgrnam(name) : NULL;
	const struct passwd *p = group ? NULL : getpwnam(name);
	*ret_id = g ? g->gr_gid : p ? p->pw_uid : 0;
	return g || p;
}

static int list_add(
	struct access_list *list, const char *who, const struct log *log, struct error *err)
{
	char escaped[64];
	const bool group = who[0] == '@';
	uint32_t id = 0;
	if (strcmp(who, "everybody") == 0) {
		list->anybody = true;
		return 0;
	}
	if (list->n == ACCESS_IDS) {
		return error_set(err, -EINVAL, "more than %d users and groups", ACCESS_IDS);
	}
	if (find_id(who + group, group, &id)) {
		list->ids[list->n].group = group;
		list->ids[list->n].id = id;
		list->n++;
	} else {
		log_warning(log, "access: there is no %s",
			error_escape(escaped, sizeof(escaped), who, strlen(who)));
	}
	return 0;
}

/* Reads users and groups that are separated by @between. Cuts @text into pieces. */
static int list_read(struct access_list *list, char *text, const char *between,
	const struct log *log, struct error *err)
{
	char *rest = NULL;
	int code = 0;
	for (char *who = strtok_r(text, between, &rest); who && code == 0;
		who = strtok_r(NULL, between, &rest)) {
		code = list_add(list, who, log, err);
	}
	return code;
}

static int right_read(struct access *access, enum access_right right, const char *text,
	const struct log *log, struct error *err)
{
	char copy[CONFIG_ACCESS_SIZE];
	memcpy(copy, text, strlen(text) + 1);
	return list_read(&access->rights[right], copy, BLANKS, log, err);
}

/* Reads one rule: MODEL=WHO,WHO... */
static int model_read(struct access *access, char *rule, const struct log *log, struct error *err)
{
	char *who = strchr(rule, '=');
	const size_t length = who ? (size_t)(who - rule) : 0;
	if (length == 0 || length >= ACCESS_MODEL_SIZE) {
		return error_set(err, -EINVAL, "models: a rule is MODEL=WHO,WHO...");
	}
	if (access->n_models == ACCESS_MODELS) {
		return error_set(err, -EINVAL, "models: more than %d rules", ACCESS_MODELS);
	}
	*who = 0;
	memcpy(access->models[access->n_models], rule, length + 1);
	return list_read(
		&access->rights[ACCESS_OF_MODELS + access->n_models++], who + 1, ",", log, err);
}

static int models_read(
	struct access *access, const char *text, const struct log *log, struct error *err)
{
	char copy[CONFIG_ACCESS_SIZE], *rest = NULL;
	int code = 0;
	if (strcmp(text, "none") == 0) {
		return 0;
	}
	memcpy(copy, text, strlen(text) + 1);
	for (char *rule = strtok_r(copy, BLANKS, &rest); rule && code == 0;
		rule = strtok_r(NULL, BLANKS, &rest)) {
		code = model_read(access, rule, log, err);
	}
	return code;
}

int access_read(struct access *access, const struct config *config, const struct log *log,
	struct error *err)
{
	struct access next = {.generation = access->generation + 1};
	const struct {
		enum access_right right;
		const char *text;
	} rights[] = {
		{ACCESS_CLASS + QUEUE_CONTROL, config->access_control},
		{ACCESS_CLASS + QUEUE_REALTIME, config->access_realtime},
		{ACCESS_CLASS + QUEUE_NORMAL, config->access_normal},
		{ACCESS_CLASS + QUEUE_BATCH, config->access_batch},
		{ACCESS_MANAGE, config->access_manage},
	};
	int code = 0;
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]) && code == 0; i++) {
		code = right_read(&next, rights[i].right, rights[i].text, log, err);
	}
	code = code < 0 ? code : models_read(&next, config->access_models, log, err);
	if (code < 0) {
		error_prefix(err, "[access]");
		return code;
	}
	*access = next;
	return 0;
}

/* ---- checking */

struct who {
	uid_t uid;
	bool has_group;
	gid_t group;
	size_t n_groups; /* supplementary groups */
	const gid_t *groups;
};

/* Finds the supplementary groups that the peer had when it connected: in @few, or allocated as
 * *ret_many. False without memory. */
static bool groups_find(struct who *who, int socket, gid_t few[FEW_GROUPS], void **ret_many)
{
	socklen_t size = FEW_GROUPS * sizeof(gid_t);
	gid_t *groups = few;
	int code = getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size);
	if (code < 0 && errno == ERANGE) { /* the kernel set @size to the size needed */
		groups = *ret_many = malloc(size);
		if (!groups) {
			return false;
		}
		code = getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size);
	}
	who->groups = groups;
	who->n_groups = code == 0 ? size / sizeof(gid_t) : 0;
	return true;
}

static void group_find(struct who *who, int socket)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	who->has_group = getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
	who->group = who->has_group ? peer.gid : 0;
}

static bool is_in(const struct who *who, gid_t group)
{
	bool in = who->has_group && who->group == group;
	for (size_t i = 0; i < who->n_groups && !in; i++) {
		in = who->groups[i] == group;
	}
	return in;
}

static bool list_has(const struct access_list *list, const struct who *who)
{
	bool has = list->anybody;
	for (uint32_t i = 0; i < list->n && !has; i++) {
		has = list->ids[i].group ? is_in(who, list->ids[i].id)
					 : list->ids[i].id == who->uid;
	}
	return has;
}

static void peer_update(
	const struct access *access, struct access_peer *peer, int socket, uid_t uid)
{
	struct who who = {.uid = uid};
	gid_t few[FEW_GROUPS];
	owned_mem void *many = NULL;
	if (peer->generation == access->generation) {
		return;
	}
	group_find(&who, socket);
	const bool found = groups_find(&who, socket, few, &many);
	const bool all = uid == 0 || uid == geteuid();
	peer->rights = 0;
	for (uint32_t i = 0; i < ACCESS_OF_MODELS + access->n_models; i++) {
		bool has = (all && i < ACCESS_OF_MODELS) || list_has(&access->rights[i], &who);
		peer->rights |= (uint64_t)has << i;
	}
	if (found) { /* else the next call tries again */
		peer->generation = access->generation;
	}
}

bool access_may(const struct access *access, struct access_peer *peer, int socket, uid_t uid,
	enum access_right right)
{
	peer_update(access, peer, socket, uid);
	return peer->rights >> right & 1;
}

static bool is_of(const char *pattern, const char *model)
{
	const size_t length = strlen(pattern);
	return pattern[length - 1] == '*' ? strncmp(pattern, model, length - 1) == 0
					  : strcmp(pattern, model) == 0;
}

bool access_may_use(const struct access *access, struct access_peer *peer, int socket, uid_t uid,
	const char *model)
{
	for (uint32_t i = 0; i < access->n_models; i++) {
		if (is_of(access->models[i], model)) {
			return access_may(access, peer, socket, uid, ACCESS_OF_MODELS + i);
		}
	}
	return true;
}
