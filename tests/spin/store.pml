/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One model of the store, from a file in the folder to an answer: what daemon/ does, step by step, with
 * edged killed between any two of them.
 *
 * Who takes part, and where it is in the code:
 *   people    put versions into the folder                         (outside)
 *   loader    the loader's thread: install, restore, orders        install.c, order.c, catalogue.c, depot.c
 *   loop      the loop's thread: swaps the pointer, and keeps
 *             what was good while the next one is on trial         store.c
 *   request   from its judging to its end, when the trial is
 *             judged too; the run in between is a worker's         request.c, worker.c, served.c, probation.c
 *   fate      kills edged, MOST_KILLS times, and starts it again
 *
 * What a thread does alone is atomic here only where the others cannot see it in between: a turn of the
 * loop, a rename, a counter. What dies with the process stands in one list (forget()), what the disk
 * keeps in another. A version is what its file does: see kind[].
 *
 * Version 1 has proved itself here from the start; that a first version which did well is gone back to without that
 * (manifest_pass_on()) is left out.
 *
 * That edged waits for ever with nothing that serves is a deadlock of this model, which pan reports:
 * requests wait for something that serves, and nobody else has anything to do.
 *
 * Mutations, each of which must be found out (tests/spin/run):
 *   LATE_REF     a request reads the pointer, and takes its reference in a later step
 *   EARLY_SWAP   the pointer is swapped before the manifest is on the disk
 *   NO_TRIAL     the manifest does not say that the version is on trial
 *   ANY_VERDICT  a verdict is heeded whatever it was about
 *   LATE_BAD     a rollback writes the manifest before it writes what is bad
 *   LATE_DEATHS  deaths are forgotten before the file is bad on the disk
 *   BAD_PROVED   deaths make a version bad that has proved itself
 *   NO_SELFTEST  a file is not asked what it must answer
 *   TWICE        a swap lets go twice of what served
 *   KEEP_ANY     what a version on trial goes back to need not have proved itself
 *
 * With MORE people also put a file there again, pin and unpin the model; a request that waits is run by what serves when
 * its turn comes (adopt.c); and the loop lets go of a model that nobody uses, which is loaded again (idle.c). Of two versions,
 * and one request at a time, since this has many more states. Mutations of it:
 *   FORGIVEN     a file that is put there again is not looked up among the bad ones
 *   NO_PIN       a pinned model is installed over
 *   PIN_FALLS    a pinned model goes back when its trial fails
 *   NO_ADOPT     who waited is run by what served when it came
 *   ADOPT_BARE   who takes what serves now takes no reference of it
 *   IN_USE       a model is let go of though a request has it
 *   NEVER_BACK   what the loop has let go of is not loaded again
 */
#ifndef VERSIONS
#define VERSIONS 3 /* 1 is there from the start, and has proved itself */
#endif
#define REQUESTS 2
#define SLOTS 7 /* loaded: each request's, the one that serves, the one before, two that were announced, one that comes */
#ifndef MOST_KILLS
#define MOST_KILLS 3
#endif
#define NOTHING 255

/* What a file does, which nobody knows beforehand. */
#define GOOD 1
#define WRONG 2 /* its self-test tells */
#define WEAK 3 /* its self-test is well, its runs are bad */
#define KILLER 4 /* a run of it ends edged */
byte kind[VERSIONS + 1];

/* ---- what the disk keeps */
byte inbox = 1; /* the version that lies in the folder */
byte m_active = 1, m_good = 1, m_previous; /* the manifest, renamed into place as a whole */
bool m_trial;
bool bad[VERSIONS + 1];
byte marked[VERSIONS + 1]; /* STATE/running: how many runs of it are going on */
byte deaths[VERSIONS + 1];

/* ---- what dies with edged */
bool up = true;
byte serving; /* the loader's idea of what the loop has */
byte tried; /* what the folder held when it was looked at */
byte current = NOTHING; /* the loop's pointer: a slot */
byte before = NOTHING; /* the slot that it goes back to while what serves is on trial */
bool judging; /* what serves is on trial, and there is no verdict */
byte version_of[SLOTS], refs[SLOTS];
bool has_mark[SLOTS];
chan events = [2] of {byte, byte}; /* the loader's: a slot, and the version that was good then */
chan orders = [2] of {byte, bool, bool}; /* the loop's: whether that version is good, and the one before serves already */

#define LOADER REQUESTS
#define LOOP (REQUESTS + 1)
#define ALL (REQUESTS + 2)
#ifdef MORE
#define takes_part(i) (i != 1)
#else
#define takes_part(i) true
#endif
bool dead[ALL]; /* threads that have not heard of it yet */
byte kills;

/* ---- what is proved, beside the asserts on the way */
byte told; /* the version that was last seen to serve */
byte killed[VERSIONS + 1];
bool condemned[VERSIONS + 1];

#ifdef MORE
#define MOST_TURNS 1 /* of those who pin, and of those who put a file there again */
bool pinned; /* in the manifest */
bool pin_order; /* the loader's */
bool unloaded; /* the loop has let go of what served */
bool again; /* the file in the folder is another one, of the same bytes */
byte pins, agains;
#define is_pinned pinned
#define changed (inbox != tried || again)
#else
#define is_pinned false
#define changed (inbox != tried)
#endif

inline forget()
{
	d_step {
		up = false;
		serving = 0;
		tried = 0;
#ifdef MORE
		unloaded = false;
		pin_order = false;
#endif
		current = NOTHING;
		before = NOTHING;
		judging = false;
		i = 0;
		do
		:: i < SLOTS ->
			version_of[i] = 0;
			refs[i] = 0;
			has_mark[i] = false;
			i++
		:: else -> break
		od;
		do
		:: len(events) > 0 -> events?_, _
		:: len(events) == 0 -> break
		od;
		do
		:: len(orders) > 0 -> orders?_, _, _
		:: len(orders) == 0 -> break
		od;
		i = 0;
		do
		:: i < ALL -> dead[i] = takes_part(i); i++
		:: else -> break
		od;
		i = 0
	}
}

/* The last reference frees. Nothing that is freed has one. */
inline unref(s)
{
	assert(refs[s] > 0);
	refs[s]--;
	if
	:: refs[s] == 0 -> version_of[s] = 0; has_mark[s] = false
	:: else
	fi
}

/* ---- the loader */

/* load_model(): the file is opened under its mark; a slot with the store's reference. */
inline load(v)
{
	marked[v]++;
	atomic {
		marked[v]--;
		slot = 0;
		do
		:: refs[slot] > 0 -> slot++ /* the assert of its index is pan's */
		:: else -> break
		od;
		version_of[slot] = v;
		refs[slot] = 1
	}
}

/* try_out(), and the event. */
inline announce(v)
{
	atomic {
		has_mark[slot] = m_trial && m_active == v;
		serving = v
	}
	atomic { events!slot, m_good; slot = 0 }
}

#ifdef NO_SELFTEST
#define passes(v) true
#else
#define passes(v) (kind[v] != WRONG)
#endif

#ifdef FORGIVEN
#define known_bad(v) (bad[v] && agains == 0)
#else
#define known_bad(v) bad[v]
#endif
#ifdef NO_PIN
#define stays false
#else
#define stays (is_pinned && serving)
#endif

/* install_candidate() */
inline install()
{
	d_step {
		tried = inbox;
#ifdef MORE
		again = false
#endif
	}
	if
	:: stays || known_bad(tried) || (serving == tried && m_active == tried) || !passes(tried)
	:: else ->
		load(tried);
#ifdef EARLY_SWAP
		announce(tried);
#endif
		d_step { /* depot_save(): one rename */
			assert(!condemned[tried]);
			assert(!is_pinned || m_active == tried || !serving);
#ifndef NO_TRIAL
			m_trial = (m_active != tried -> m_good != tried : m_trial);
#endif
			m_active = tried
		}
#ifndef EARLY_SWAP
		announce(tried)
#endif
	fi
}

/* install_restore(): what served, or else what was good. */
inline restore()
{
	if
	:: !bad[m_active] -> version = m_active
	:: else ->
		if
		:: m_good && !bad[m_good] -> version = m_good
		:: else -> version = (m_previous && !bad[m_previous] -> m_previous : 0)
		fi
	fi;
	if
	:: version -> load(version); announce(version); version = 0
	:: else
	fi
}

/* order.c: rollback(). What serves again is there before anything is written. */
inline roll_back()
{
	if
	:: !back -> load(m_good)
	:: else
	fi;
#ifndef LATE_BAD
	bad[m_active] = true;
#endif
	d_step { /* one rename */
		version = m_active;
		condemned[m_active] = true;
		m_active = m_good;
		m_trial = false
	}
#ifdef LATE_BAD
	bad[version] = true;
#endif
	version = 0;
	if
	:: !back -> announce(m_active)
	:: else -> serving = m_active
	fi
}

inline prove()
{
	d_step { /* one rename */
		m_previous = (m_good != m_active -> m_good : m_previous);
		m_good = m_active;
		m_trial = false;
		assert(kind[m_good] == GOOD)
	}
	deaths[m_good] = 0
}

#ifdef ANY_VERDICT
#define heeded(v) true
#else
#define heeded(v) (m_trial && m_active == v)
#endif

#ifdef PIN_FALLS
#define may_fall true
#else
#define may_fall (!is_pinned || back)
#endif

inline obey()
{
	if
	:: heeded(version) && good -> version = 0; prove()
	:: heeded(version) && !good && m_good != m_active && may_fall ->
		assert(!is_pinned || back);
		version = 0;
		roll_back()
	:: else -> version = 0
	fi
}

#ifdef BAD_PROVED
#define proved(v) false
#else
#define proved(v) (v == m_good)
#endif

/* marks_open() and deaths_read(). */
inline count_deaths()
{
	d_step {
		i = 1;
		do
		:: i <= VERSIONS ->
			deaths[i] = (marked[i] > 0 && deaths[i] < 2 -> deaths[i] + 1 : deaths[i]);
			marked[i] = 0;
			i++
		:: else -> break
		od;
		i = 1
	}
	do
	:: i <= VERSIONS && deaths[i] < 2 -> i++
	:: i <= VERSIONS && deaths[i] >= 2 && proved(i) -> deaths[i] = 0 /* edged-check opens it again, and it is good */
	:: i <= VERSIONS && deaths[i] >= 2 && !proved(i) ->
#ifdef LATE_DEATHS
		deaths[i] = 0;
		bad[i] = true
#else
		bad[i] = true;
		deaths[i] = 0
#endif
	:: i > VERSIONS -> i = 0; break
	od
}

proctype loader()
{
	byte slot, i, version;
	bool good, back;
start:
	{
		count_deaths();
		assert(!bad[m_good]);
		restore();
end:		do
		:: orders?version, good, back -> obey(); good = false; back = false
		:: empty(orders) && changed -> install()
#ifdef MORE
		:: d_step { pin_order -> pinned = !pinned; pin_order = false } /* order.c: pin(), one rename */
#endif
#if defined(MORE) && !defined(NEVER_BACK)
		:: atomic { empty(orders) && empty(events) && unloaded -> unloaded = false }
		   restore() /* somebody asks for it */
#endif
		od
	} unless { dead[LOADER] };
	do
	:: d_step { dead[LOADER] -> dead[LOADER] = false; slot = 0; i = 0; version = 0; good = false; back = false }
	:: up && !dead[LOADER] -> break
	od;
	goto start
}

/* ---- the loop */

#ifdef KEEP_ANY
#define keeps(v) true
#else
#define keeps(v) (v == good)
#endif

#define newer_or_known(v) (m_active >= v || m_good == v || condemned[v])

proctype loop()
{
	byte slot, old, good;
start:
	{
end:		do
		:: atomic { /* store_update(): one pointer */
			events?slot, good;
			old = current;
			current = slot;
			/* What serves is on the disk, or something newer is. */
			assert(newer_or_known(version_of[slot]));
			/* Nobody who was told of a version finds an older one, but for what was bad. */
			assert(version_of[slot] >= told || bad[told] || condemned[told]);
			told = version_of[slot];
			judging = has_mark[slot];
			if
			:: !judging && before != NOTHING -> unref(before); before = NOTHING
			:: else
			fi;
			if
			:: old != NOTHING && judging && before == NOTHING && keeps(version_of[old]) ->
				before = old /* before_keep() */
			:: old != NOTHING && !(judging && before == NOTHING && keeps(version_of[old])) ->
				unref(old)
#ifdef TWICE
				; unref(old)
#endif
			:: else
			fi;
			old = 0;
			good = 0;
			slot = 0
		   }
		:: atomic { /* there is no room for it, or a third one comes */
			before != NOTHING -> unref(before); before = NOTHING
		   }
#ifdef MORE
#ifdef IN_USE
#define idle (refs[current] > 0)
#else
#define idle (refs[current] == 1)
#endif
		:: atomic { /* idle.c: nobody uses it, and it is not on trial */
			current != NOTHING && before == NOTHING && !judging && !unloaded && empty(events) && !is_pinned &&
			version_of[current] == serving && idle ->
#ifdef IN_USE
			refs[current] = 1;
#endif
			unref(current);
			current = NOTHING;
			unloaded = true
		   }
#endif
		od
	} unless { dead[LOOP] };
	do
	:: d_step { dead[LOOP] -> dead[LOOP] = false; slot = 0; old = 0; good = 0 }
	:: up && !dead[LOOP] -> break
	od;
	goto start
}

/* ---- a request, and the next one */

/* store_note_run(): a verdict may come after any run, or later. */
inline note_run(s)
{
	if
	:: s == current && judging && kind[version_of[s]] != KILLER && nfull(orders) ->
		judging = false;
		if
		:: kind[version_of[s]] != GOOD && before != NOTHING && refs[before] == 1 -> /* back_at_once() */
			assert(kind[version_of[before]] == GOOD);
			orders!version_of[s], false, true;
			unref(s);
			current = before;
			told = version_of[current]
		:: else ->
			orders!version_of[s], kind[version_of[s]] == GOOD, false;
			if
			:: before != NOTHING -> unref(before)
			:: else
			fi
		fi;
		before = NOTHING
	:: true
	fi
}

proctype request(byte me)
{
	byte mine = NOTHING, i;
	bool mark;
start:
	{
		do
		:: atomic { /* request_judge(), in a turn of the loop */
			current != NOTHING;
			mine = current;
#ifdef LATE_REF
		   }
		   atomic {
#endif
			refs[mine]++
		   }
#ifdef MORE
		   atomic { /* its turn comes: adopt_one() */
#ifndef NO_ADOPT
			if
			:: current != NOTHING && current != mine ->
#ifndef ADOPT_BARE
				refs[current]++;
#endif
				unref(mine);
				mine = current
			:: else
			fi;
#endif
			assert(current == NOTHING || version_of[mine] == version_of[current])
		   }
#endif
		   atomic { /* a worker: mark_begin() */
			assert(version_of[mine] != 0);
			assert(kind[version_of[mine]] != WRONG);
			mark = has_mark[mine];
			marked[version_of[mine]] = marked[version_of[mine]] + mark
		   }
		   if
		   :: kind[version_of[mine]] == KILLER ->
			atomic {
				killed[version_of[mine]]++;
				assert(killed[version_of[mine]] < 3);
				forget()
			}
			false
		   :: else
		   fi;
		   atomic {
			assert(version_of[mine] != 0);
			marked[version_of[mine]] = marked[version_of[mine]] - mark
		   }
		   atomic { /* finish() */
			note_run(mine);
			unref(mine);
			mine = NOTHING;
			mark = false
		   }
		od
	} unless { dead[me] };
	do
	:: d_step { dead[me] -> dead[me] = false; mine = NOTHING; mark = false }
	:: up && !dead[me] -> break
	od;
	goto start
}

/* ---- what comes from outside */

proctype people()
{
	do
	:: inbox < VERSIONS -> inbox++
#ifdef MORE
	:: atomic { agains < MOST_TURNS -> agains++; again = true } /* another file of the same bytes */
	:: atomic { pins < MOST_TURNS && up && !pin_order -> pins++; pin_order = true } /* edgectl pin, unpin */
#endif
	:: else -> break
	od
}

#define all_gone (!dead[0] && !dead[1] && !dead[LOADER] && !dead[LOOP])

proctype fate()
{
	byte i;
end:	do
	:: atomic { up && kills < MOST_KILLS -> kills++; forget() }
	:: atomic { !up && all_gone -> up = true }
	od
}

init
{
	byte i = 2;
	atomic {
		kind[1] = GOOD;
		do
		:: i <= VERSIONS ->
			if
			:: kind[i] = GOOD
			:: kind[i] = WRONG
			:: kind[i] = WEAK
			:: kind[i] = KILLER
			fi;
			i++
		:: else -> break
		od;
		i = 0;
		run loader();
		run loop();
		run request(0);
#ifndef MORE
		run request(1);
#endif
		run people();
		run fate()
	}
}
