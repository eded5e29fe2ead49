/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a model as a model of states: loop, loader, requests, and kill -9 between any two steps.
 *
 *   people    put versions into the folder                       (outside)
 *   loop      owns manifest, table entry and trial               models/jobs.c, models/models.c, models/eviction.c
 *   loader    a job in, a loaded model and a manifest out        install/loader.c, install/execute.c, install/install.c
 *   request   takes a reference, runs, and is judged             serve/request.c, serve/worker.c, models/probation.c
 *   fate      kills edged MOST_KILLS times, and starts it again
 *
 * What a thread does alone is one step where no other thread can see it in between: a turn of the loop, a rename, a
 * counter. A version is what its file does: see kind[]. Version 1 is good and passed its trial before the start.
 * An edged that waits for ever with nothing that serves is a deadlock, which pan reports.
 *
 * With MORE in the environment (and two versions and one request) people also put a file there again, pin and unpin
 * the model, the loop unloads an idle model, and a waiting request takes what serves when its turn comes (serve/adopt.c).
 * MUTATION is the number of a mutation, which must be found (tests/spin/run); from MORE_FROM on, of MORE.
 */
#define LATE_REF (mutation == 1) /* a request reads the pointer, and takes its reference in a later step */
#define EARLY_DONE (mutation == 2) /* a job is done before its manifest is on the disk */
#define STALE (mutation == 3) /* the loop does not take the manifest of a result */
#define TWO_JOBS (mutation == 4) /* a job is started while another one is under way */
#define NO_ASK (mutation == 5) /* a third version is loaded beside a trial and the version before */
#define NO_TRIAL (mutation == 6) /* the manifest does not say that the version is on trial */
#define ANY_VERDICT (mutation == 7) /* a verdict counts whatever version it is about */
#define LATE_BAD (mutation == 8) /* a rollback writes the manifest before the list of bad files */
#define LATE_DEATHS (mutation == 9) /* crashes are forgotten before the file is on the list of bad files */
#define BAD_GOOD (mutation == 10) /* crashes make a version bad that has passed its trial */
#define NO_SELFTEST (mutation == 11) /* a file serves without its self-test */
#define TWICE (mutation == 12) /* a swap drops two references of what served */
#define KEEP_ANY (mutation == 13) /* the version kept for a rollback need not have passed its trial */
#define MORE_FROM 14
#define FORGIVEN (mutation == 14) /* a file that is put there again is not looked up among the bad ones */
#define NO_PIN (mutation == 15) /* a pinned model is installed over */
#define PIN_FALLS (mutation == 16) /* a pinned model goes back when its trial fails */
#define NO_ADOPT (mutation == 17) /* a waiting request is run by what served when it came */
#define ADOPT_BARE (mutation == 18) /* a request takes what serves now without a reference */
#define IN_USE (mutation == 19) /* a model is unloaded though a request has it */
#define NEVER_BACK (mutation == 20) /* an unloaded model is not loaded again */
byte mutation;
bool more;

#define VERSIONS 3
#define REQUESTS 2
#define SLOTS (REQUESTS + 2) /* loaded: each request's, what serves, the one before or the job's */
#ifndef MOST_KILLS
#define MOST_KILLS 1
#endif
#define MOST_TURNS 1 /* of those who pin, and of those who put a file there again */
byte versions = VERSIONS;
#define NOTHING 255

#define GOOD 1
#define WRONG 2 /* its self-test fails */
#define WEAK 3 /* its self-test passes, its runs are bad */
#define KILLER 4 /* a run of it ends edged */
byte kind[VERSIONS + 1];

typedef manifest { byte serves, good, previous; bool trial, pinned };
#define SAME(a, b) (a.serves == b.serves && a.good == b.good && a.previous == b.previous && a.trial == b.trial && a.pinned == b.pinned)
#define COPY(a, b) a.serves = b.serves; a.good = b.good; a.previous = b.previous; a.trial = b.trial; a.pinned = b.pinned

/* ---- on the disk */
byte inbox = 1; /* the version in the folder */
manifest disk;
bool bad[VERSIONS + 1];
byte marked[VERSIONS + 1]; /* crash markers: runs of it under way */
byte deaths[VERSIONS + 1];

/* ---- in memory */
bool up = true;
manifest known; /* the loop's manifest; disk is that of the job under way */
byte tried; /* what the folder held at the last look */
byte current = NOTHING, before = NOTHING; /* slots: what serves, and what a failed trial goes back to */
bool judging; /* the trial goes on */
bool unloaded, again, pin_order, opened;
byte version_of[SLOTS], refs[SLOTS];
bool has_mark[SLOTS];
chan verdicts = [2] of {byte, bool}; /* version; it passed */

#define IDLE 0
#define RUNS 1
#define ASKS 2
#define DONE 3
#define OPEN 0
#define RESTORE 1
#define INSTALL 2
#define PASSED 3
#define FAILED 4
#define PIN 5
byte state, job, subject, serving, result = NOTHING; /* struct loader, struct job */

/* ---- what is proved, beside the asserts on the way */
byte told; /* the version last seen to serve */
byte killed[VERSIONS + 1];
bool condemned[VERSIONS + 1];

#define LOADER REQUESTS
#define LOOP (REQUESTS + 1)
#define ALL (REQUESTS + 2)
bool dead[ALL]; /* threads that have not ended yet */
byte kills, pins, agains;

inline forget()
{
	d_step {
		up = false; opened = false; tried = 0; current = NOTHING; before = NOTHING; judging = false;
		unloaded = false; pin_order = false; state = IDLE; job = OPEN; subject = 0; serving = 0; result = NOTHING;
		known.serves = 0; known.good = 0; known.previous = 0; known.trial = false; known.pinned = false;
		do
		:: nempty(verdicts) -> verdicts?_, _
		:: empty(verdicts) -> break
		od;
		for (i : 0 .. SLOTS - 1) { version_of[i] = 0; refs[i] = 0; has_mark[i] = false }
		for (i : 0 .. ALL - 1) { dead[i] = !(more && i == 1) }
		i = 0
	}
}

/* What a thread does when edged is killed: it ends, and begins again with the next start. */
#define REBORN(thread) do :: d_step { dead[thread] -> dead[thread] = false; i = 0 } :: up && !dead[thread] -> break od

inline unref(s)
{
	assert(refs[s] > 0);
	refs[s]--;
	if :: refs[s] == 0 -> version_of[s] = 0; has_mark[s] = false :: else fi
}

/* ---- the loader */
inline load(v)
{
	atomic {
		assert(job != INSTALL || !disk.trial || before == NOTHING); /* no third one beside a trial */
		marked[v]++
	}
	d_step {
		marked[v]--;
		result = 0;
		do
		:: refs[result] > 0 -> result++ /* pan checks the index */
		:: else -> break
		od;
		version_of[result] = v;
		refs[result] = 1;
		state = (EARLY_DONE && job == INSTALL -> DONE : state)
	}
}

inline mark_trial()
{
	has_mark[result] = disk.trial && version_of[result] == disk.serves
}

#define passes(v) (NO_SELFTEST || kind[v] != WRONG)
#define known_bad(v) (bad[v] && !(FORGIVEN && agains > 0))
#define stays (disk.pinned && serving && !NO_PIN)

inline install()
{
	if
	:: stays || known_bad(subject) || (serving == subject && disk.serves == subject) || !passes(subject)
	:: else ->
		if
		:: disk.trial && !NO_ASK -> state = ASKS; state == RUNS /* no third one beside a trial */
		:: else
		fi;
		load(subject);
		d_step { /* one rename */
			assert(!condemned[subject]);
			assert(!disk.pinned || disk.serves == subject || !serving);
			disk.trial = (disk.serves != subject -> disk.good != subject && !NO_TRIAL : disk.trial);
			disk.serves = subject;
			mark_trial()
		}
	fi
}

inline restore()
{
	d_step {
		if
		:: !bad[disk.serves] -> subject = disk.serves
		:: else -> subject = (disk.good && !bad[disk.good] -> disk.good : (bad[disk.previous] -> 0 : disk.previous))
		fi
	}
	if :: subject -> load(subject); mark_trial() :: else fi
}

#define counts (ANY_VERDICT || (disk.trial && disk.serves == subject))
#define may_fall (PIN_FALLS || !disk.pinned || serving == disk.good)

inline go_back()
{
	if
	:: counts && disk.good != disk.serves && may_fall ->
		assert(!disk.pinned || serving == disk.good);
		if
		:: serving != disk.good -> load(disk.good) /* what serves again is there before anything is written */
		:: else
		fi;
		bad[disk.serves] = !LATE_BAD;
		d_step { /* one rename */
			subject = disk.serves;
			condemned[subject] = true;
			disk.serves = disk.good;
			disk.trial = false
		}
		bad[subject] = true
	:: !counts && subject != disk.serves && subject != disk.good && subject != disk.previous -> bad[subject] = true
	:: else
	fi
}

inline pass()
{
	if
	:: counts ->
		d_step { /* one rename */
			disk.previous = (disk.good != disk.serves -> disk.good : disk.previous);
			disk.good = disk.serves; disk.trial = false;
			assert(kind[disk.good] == GOOD)
		}
		deaths[disk.good] = 0
	:: else
	fi
}

#define passed_trial(v) (v == disk.good && !BAD_GOOD)

inline count_deaths()
{
	d_step {
		for (i : 1 .. VERSIONS) {
			deaths[i] = (marked[i] > 0 && deaths[i] < 2 -> deaths[i] + 1 : deaths[i]);
			marked[i] = 0
		}
		i = 1
	}
	do
	:: i <= VERSIONS && deaths[i] < 2 -> i++
	:: i <= VERSIONS && deaths[i] >= 2 && passed_trial(i) -> deaths[i] = 0 /* edged-check opens it, and it is good */
	:: i <= VERSIONS && deaths[i] >= 2 && !passed_trial(i) ->
		deaths[i] = (LATE_DEATHS -> 0 : deaths[i]);
		bad[i] = true;
		deaths[i] = 0
	:: i > VERSIONS -> i = 0; break
	od;
	assert(!bad[disk.good])
}

proctype loader()
{
	byte i;
start:	{
end:		do
		:: state == RUNS ->
			if
			:: job == OPEN -> count_deaths()
			:: job == RESTORE -> restore()
			:: job == INSTALL -> install()
			:: job == PASSED -> pass()
			:: job == FAILED -> go_back()
			:: job == PIN -> disk.pinned = !disk.pinned
			fi;
			state = DONE
		od
	} unless { dead[LOADER] };
	REBORN(LOADER);
	goto start
}

/* ---- the loop */
#define may_start (state == IDLE || (TWO_JOBS && state == RUNS))
#define keeps(v) (KEEP_ANY || v == known.good)
#define is_idle (refs[current] == 1 || IN_USE)

inline begin(j, v)
{
	assert(SAME(known, disk));
	job = j; subject = v; state = RUNS;
	serving = (current != NOTHING -> version_of[current] : (unloaded -> known.serves : 0))
}

inline drop_before()
{
	if :: before != NOTHING -> unref(before); before = NOTHING :: else fi
}

/* model_ready() */
inline swap()
{
	/* What serves is on the disk, or something newer is. */
	assert(disk.serves >= version_of[result] || disk.good == version_of[result] || condemned[version_of[result]]);
	/* Nobody who was told of a version finds an older one, but for what was bad. */
	assert(version_of[result] >= told || bad[told] || condemned[told]);
	told = version_of[result];
	judging = has_mark[result];
	if :: !judging -> drop_before() :: else fi;
	if
	:: current != NOTHING && judging && before == NOTHING && keeps(version_of[current]) -> before = current
	:: current != NOTHING && !(judging && before == NOTHING && keeps(version_of[current])) ->
		unref(current);
		if :: TWICE -> unref(current) :: else fi
	:: else
	fi;
	current = result; result = NOTHING; unloaded = false
}

proctype loop()
{
	byte i;
	bool passed;
start:	{
end:		do
		:: atomic { state == DONE -> /* result_take() */
			if :: !STALE -> COPY(known, disk) :: else fi;
			opened = true;
			if :: result != NOTHING -> swap() :: else fi;
			subject = 0; serving = 0; job = OPEN; state = IDLE
		   }
		:: atomic { may_start && !opened -> COPY(known, disk); begin(OPEN, 0) }
		:: atomic { may_start && opened && nempty(verdicts) ->
			verdicts?i, passed;
			begin((passed -> PASSED : FAILED), i);
			i = 0; passed = false
		   }
		:: atomic { may_start && opened && empty(verdicts) && current == NOTHING && !unloaded && !tried -> begin(RESTORE, 0); tried = 255 }
		:: atomic { may_start && opened && empty(verdicts) && tried && (inbox != tried || again) ->
			tried = inbox; again = false; begin(INSTALL, tried)
		   }
		:: atomic { state == ASKS -> drop_before(); state = RUNS }
		:: atomic { before != NOTHING -> drop_before() } /* memory is short */
		:: atomic { may_start && opened && pin_order -> begin(PIN, 0); pin_order = false }
		:: atomic { /* eviction.c */
			more && current != NOTHING && before == NOTHING && !judging && !known.pinned && is_idle ->
			refs[current] = (IN_USE -> 1 : refs[current]);
			unref(current);
			current = NOTHING; unloaded = true
		   }
		:: atomic { may_start && opened && empty(verdicts) && unloaded && !NEVER_BACK -> begin(RESTORE, 0) } /* a request waits */
		od
	} unless { dead[LOOP] };
	REBORN(LOOP);
	goto start
}

/* ---- requests */

/* models_note_run(): a verdict may come after any run, or later. */
inline note_run(s)
{
	if
	:: s == current && judging && kind[version_of[s]] != KILLER && nfull(verdicts) ->
		judging = false;
		verdicts!version_of[s], kind[version_of[s]] == GOOD;
		if
		:: kind[version_of[s]] != GOOD && before != NOTHING && refs[before] == 1 && !known.pinned -> /* roll_back_in_memory() */
			assert(kind[version_of[before]] == GOOD);
			unref(s);
			current = before; before = NOTHING;
			told = version_of[current]
		:: else -> drop_before()
		fi
	:: true
	fi
}

/* A worker takes it. */
inline run_begin()
{
	assert(version_of[mine] != 0);
	assert(kind[version_of[mine]] != WRONG);
	mark = has_mark[mine];
	marked[version_of[mine]] = marked[version_of[mine]] + mark
}

proctype request(byte me)
{
	byte mine = NOTHING, i;
	bool mark;
start:	{
		do
		:: atomic { /* request_validate(), in a turn of the loop */
			current != NOTHING;
			mine = current;
			refs[mine] = refs[mine] + !LATE_REF
		   }
		   if
		   :: atomic { more -> /* its turn comes: adopt_one() */
				if
				:: current != NOTHING && current != mine && !NO_ADOPT ->
					refs[current] = refs[current] + !ADOPT_BARE;
					unref(mine);
					mine = current
				:: else
				fi;
				assert(current == NOTHING || version_of[mine] == version_of[current])
			};
			atomic { run_begin() }
		   :: atomic { !more -> refs[mine] = refs[mine] + LATE_REF; run_begin() }
		   fi;
		   if
		   :: atomic { kind[version_of[mine]] == KILLER ->
				killed[version_of[mine]]++;
				assert(killed[version_of[mine]] < 3);
				forget()
			}
			false
		   :: else
		   fi;
		   atomic { /* the answer */
			assert(version_of[mine] != 0);
			marked[version_of[mine]] = marked[version_of[mine]] - mark;
			note_run(mine);
			unref(mine);
			mine = NOTHING; mark = false
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
	:: inbox < versions -> inbox++
	:: atomic { more && agains < MOST_TURNS -> agains++; again = true } /* another file of the same bytes */
	:: atomic { more && pins < MOST_TURNS && up && !pin_order -> pins++; pin_order = true }
	:: else -> break
	od
}

#define NOBODY_DEAD (!dead[0] && !dead[1] && !dead[LOADER] && !dead[LOOP])

proctype fate()
{
	byte i;
end:	do
	:: atomic { up && kills < MOST_KILLS -> kills++; forget() }
	:: atomic { !up && NOBODY_DEAD -> up = true }
	od
}

init
{
	byte i;
	atomic {
		c_code {
			now.mutation = getenv("MUTATION") ? atoi(getenv("MUTATION")) : 0;
			now.more = getenv("MORE") != 0;
			now.versions = now.more ? 2 : 3;
		};
		disk.serves = 1;
		disk.good = 1;
		kind[1] = GOOD;
		for (i : 2 .. versions) {
			if
			:: kind[i] = GOOD
			:: kind[i] = WRONG
			:: kind[i] = WEAK
			:: kind[i] = KILLER
			fi
		}
		run loader();
		run loop();
		run request(0);
		if :: !more -> run request(1) :: else fi;
		run people();
		run fate()
	}
}
