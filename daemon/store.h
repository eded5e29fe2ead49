/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store - the models that edged has, by name
 *
 * Loop thread only. The loader's events change it; requests look models up and take a reference of
 * what serves at that moment, so a model that is replaced goes on until its last request is done.
 */
#ifndef DAEMON_STORE_H
#define DAEMON_STORE_H

#include "base/wire.h"
#include "daemon/loader.h"
#include "daemon/probation.h"
#include "daemon/tally.h"

struct store_model {
	char name[SERVED_NAME_SIZE];
	char version[SERVED_VERSION_SIZE]; /* that serves, or was tried last */
	struct served *served; /* NULL: nothing serves */
	bool loading;
	bool broken; /* what serves is, and the loader knows */
	bool unloaded; /* it would serve, and is loaded when somebody asks */
	bool wanted; /* somebody does */
	bool load_asked; /* and the loader knows */
	uint64_t bytes; /* that it had when it was loaded */
	uint64_t ready; /* events of that kind that there were */
	struct served_use use; /* while nothing serves */
	char why[48]; /* it was unloaded */
	struct catalogue_about about; /* of what serves */
	struct probation probation; /* of what serves */
	bool well; /* so the loader was told: probation_is_well() */
	/* While it is on trial what it goes back to, and is compared with; NULL: the store has it alone. */
	struct served *before;
	struct catalogue_about about_before;
	uint64_t bytes_before; /* as bytes */
	unsigned int sampled; /* percent of a sample that is due */
	uint64_t runs, run_ns; /* of versions that were good: what is usual */
	struct tally *tally; /* of all versions; NULL: nobody has asked it */
	char reason[CATALOGUE_REASON_SIZE]; /* why the newest file does not serve, or empty */
};

/* What a model was counted before edged was started again, until that model is there. */
struct store_kept {
	struct store_kept *next;
	char name[SERVED_NAME_SIZE];
	struct tally *tally;
};

struct store {
	const struct log *log;
	struct store_model *models; /* sorted by name */
	size_t n, capacity;
	uint64_t scans_done;
	uint64_t generation; /* of the newest that serves or served */
	bool swapped; /* something other serves under some name: adopt_waiting() looks */
	bool keeps_before; /* whatever it costs: for store_sample() */
	struct store_kept *kept; /* until the first look */
};

struct store_count {
	uint32_t ready, loading, refused, unloaded;
};

void store_init(struct store *store, const struct log *log);
void store_deinit(struct store *store);

/* Before the first look: a model of that name counts on from @tally. Without memory from 0. */
void store_keep_tally(struct store *store, const char *name, const struct tally *tally);

/* Applies what @loader has found since the last call. True when something serves, or has gone, since
 * then. */
bool store_update(struct store *store, struct loader *loader);

/*
 * A run of @served has ended, for which its thread had the CPU for @run_ns, 0: that is not known. Trials are
 * counted, and ended by an order to @loader; other runs say what is usual.
 */
void store_note_run(struct store *store, struct loader *loader, const struct config *config,
	const struct served *served, enum probation_fault fault, uint64_t run_ns);
/* The version before @served, which is on trial, borrowed; NULL where it is not in memory, or there is no trial. */
struct served *store_before(struct store *store, const struct served *served);
/* The version that shall answer too what @served has just answered, borrowed; mostly NULL. */
struct served *store_sample(
	struct store *store, const struct config *config, const struct served *served);
/* What came of that. */
void store_note_compared(struct store *store, struct loader *loader, const struct config *config,
	const struct served *served, bool differs);
/* The disk did not give a part of @served: what is on it is looked at again, by orders to @loader. */
void store_note_broken(struct store *store, struct loader *loader, const struct config *config,
	const struct served *served);
/* Ends trials whose time is over. Returns nanoseconds until the next one's is, UINT64_MAX: there is
 * none. */
uint64_t store_look_at_trials(
	struct store *store, struct loader *loader, const struct config *config);

/* The model of that name, or NULL. */
struct store_model *store_find(struct store *store, const char *name);
/* Lets go of what the model would go back to: it is loaded when it is needed. */
void store_drop_before(struct store_model *model);
/* Lets go of what serves; @why as in the log. */
void store_unload(struct store_model *model, const char *why);

/* "ready", "loading", "unloaded" or "refused". */
const char *store_model_state(const struct store_model *model);
struct store_count store_count(const struct store *store);

/*
 * A reference to what serves under @name, in @version if that is neither empty nor "0", as the file
 * NAME.tflite was called before the store numbered it. 1 when it was unloaded: store_want() has
 * it loaded. -ENOENT, -EAGAIN while it is being loaded, -EBADMSG when it was refused; the text says which
 * and why.
 */
int must_check store_get(const struct store *store, struct wire_text name, struct wire_text version,
	struct served **ret_served, struct error *err);

/* An unloaded model is wanted from now on (idle_load_wanted()). Others stay as they are. */
void store_want(struct store *store, const char *name);

#endif
