/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/cli.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <string.h>

#include "base/text/value.h"

const struct cli_command cli_commands[CLI_COMMAND_COUNT] = {
	[CLI_LIST] = {"list", "", "models that the daemon serves", 0, 0, CLI_COMPLETE_NONE,
		CLI_COMPLETE_NONE, NULL},
	[CLI_SHOW] = {"show", "MODEL|FILE.tflite", "inputs, outputs and figures of a model", 1, 1,
		CLI_COMPLETE_MODEL, CLI_COMPLETE_NONE, NULL},
	[CLI_STATUS] = {"status", "", "what the daemon is doing", 0, 0, CLI_COMPLETE_NONE,
		CLI_COMPLETE_NONE, NULL},
	[CLI_INFER] = {"infer", "MODEL [INPUT...]",
		"ask the daemon: pictures, sounds, numbers or texts in, "
		"answers out",
		1, -1, CLI_COMPLETE_MODEL, CLI_COMPLETE_FILE, NULL},
	[CLI_RUN] = {"run", "FILE.tflite [INPUT...]", "the same in this process, without a daemon",
		1, -1, CLI_COMPLETE_TFLITE, CLI_COMPLETE_FILE, NULL},
	[CLI_VERIFY] = {"verify", "FILE...", "would edged serve these files? one line each", 1, -1,
		CLI_COMPLETE_TFLITE, CLI_COMPLETE_TFLITE, NULL},
	[CLI_BENCH] = {"bench", "MODEL|FILE.tflite", "how long a model takes", 1, 1,
		CLI_COMPLETE_MODEL, CLI_COMPLETE_NONE, NULL},
	[CLI_RELOAD] = {"reload", "", "make the daemon look at its models again", 0, 0,
		CLI_COMPLETE_NONE, CLI_COMPLETE_NONE, NULL},
	[CLI_ROLLBACK] = {"rollback", "MODEL", "back to the last good version", 1, 1,
		CLI_COMPLETE_MODEL, CLI_COMPLETE_NONE, NULL},
	[CLI_PIN] = {"pin", "MODEL", "let nothing take the place of what serves", 1, 1,
		CLI_COMPLETE_MODEL, CLI_COMPLETE_NONE, NULL},
	[CLI_UNPIN] = {"unpin", "MODEL", "take that back", 1, 1, CLI_COMPLETE_MODEL,
		CLI_COMPLETE_NONE, NULL},
	[CLI_FORGET_BAD] = {"forget-bad", "DIGEST", "let a file be tried again", 1, 1,
		CLI_COMPLETE_NONE, CLI_COMPLETE_NONE, NULL},
	[CLI_HISTORY] = {"history", "MODEL", "what happened to a model", 1, 1, CLI_COMPLETE_MODEL,
		CLI_COMPLETE_NONE, NULL},
	[CLI_LOAD] = {"load", "MODEL", "load a model that was unloaded", 1, 1, CLI_COMPLETE_MODEL,
		CLI_COMPLETE_NONE, NULL},
	[CLI_UNLOAD] = {"unload", "MODEL", "unload a model until somebody asks for it", 1, 1,
		CLI_COMPLETE_MODEL, CLI_COMPLETE_NONE, NULL},
	[CLI_FSCK] = {"fsck", "", "look at the store on the disk, and say what is wrong with it", 0,
		0, CLI_COMPLETE_NONE, CLI_COMPLETE_NONE, NULL},
	[CLI_INSTALL] = {"install", "FILE|-", "give the daemon a model or a bundle", 1, 1,
		CLI_COMPLETE_FILE, CLI_COMPLETE_NONE, NULL},
	[CLI_EXPORT] = {"export", "MODEL [FILE|-]", "write the model that serves as a bundle", 1, 2,
		CLI_COMPLETE_MODEL, CLI_COMPLETE_FILE, NULL},
	[CLI_REMOVE] = {"remove", "MODEL", "take away a model that was installed", 1, 1,
		CLI_COMPLETE_MODEL, CLI_COMPLETE_NONE, NULL},
	[CLI_WATCH] = {"watch", "", "tell what becomes of the models, until it is ended", 0, 0,
		CLI_COMPLETE_NONE, CLI_COMPLETE_NONE, NULL},
	[CLI_PIPELINE] = {"pipeline", "check|list|run|show [NAME] [INPUT...]",
		"from files or a stream to what a pipelines.d/NAME.conf says", 1, -1,
		CLI_COMPLETE_WORDS, CLI_COMPLETE_FILE, "check list run show"},
	[CLI_TEACH] = {"teach", "NAME LABEL INPUT...",
		"examples of a label for a pipeline of embeddings", 2, -1, CLI_COMPLETE_NONE,
		CLI_COMPLETE_FILE, NULL},
	[CLI_TOP] = {"top", "", "what the daemon is doing, once a second", 0, 0, CLI_COMPLETE_NONE,
		CLI_COMPLETE_NONE, NULL},
	[CLI_FLIGHT] = {"flight", "[FILE]",
		"the last requests, of the daemon or of a file that it wrote", 0, 1,
		CLI_COMPLETE_FILE, CLI_COMPLETE_NONE, NULL},
	[CLI_CONFIG] = {"config", "show",
		"the daemon's configuration, and where each value comes from", 1, 1,
		CLI_COMPLETE_WORDS, CLI_COMPLETE_NONE, "show"},
	[CLI_COMPLETION] = {"completion", "bash|zsh|fish", "print the completion for a shell", 1, 1,
		CLI_COMPLETE_WORDS, CLI_COMPLETE_NONE, "bash zsh fish"},
};

#define BIT(id) (1u << (id))
#define ALL (BIT(CLI_COMMAND_COUNT) - 1)
#define OF_DAEMON                                                                                  \
	(BIT(CLI_LIST) | BIT(CLI_SHOW) | BIT(CLI_STATUS) | BIT(CLI_INFER) | BIT(CLI_BENCH) |       \
		BIT(CLI_RELOAD) | BIT(CLI_ROLLBACK) | BIT(CLI_PIN) | BIT(CLI_UNPIN) |              \
		BIT(CLI_FORGET_BAD) | BIT(CLI_HISTORY) | BIT(CLI_LOAD) | BIT(CLI_UNLOAD) |         \
		BIT(CLI_FSCK) | BIT(CLI_INSTALL) | BIT(CLI_EXPORT) | BIT(CLI_REMOVE) |             \
		BIT(CLI_WATCH) | BIT(CLI_TOP) | BIT(CLI_FLIGHT) | BIT(CLI_CONFIG) | OF_PIPELINES)
#define OF_PIPELINES (BIT(CLI_PIPELINE) | BIT(CLI_TEACH))
#define OF_ANSWERS (BIT(CLI_INFER) | BIT(CLI_RUN))
#define OF_OUTPUT                                                                                  \
	(BIT(CLI_LIST) | BIT(CLI_WATCH) | BIT(CLI_SHOW) | BIT(CLI_STATUS) | BIT(CLI_BENCH) |       \
		BIT(CLI_RELOAD) | BIT(CLI_FLIGHT) | BIT(CLI_CONFIG) | OF_ANSWERS |                 \
		BIT(CLI_PIPELINE))
#define OF_LOCAL (BIT(CLI_RUN) | BIT(CLI_VERIFY) | BIT(CLI_BENCH) | BIT(CLI_SHOW))
#define AT(member) offsetof(struct cli_settings, member)

const struct cli_option cli_options[] = {
	{"help", 'h', CLI_FLAG, NULL, "print help and exit", AT(help), ALL, 0, 0, NULL, 0},
	{"version", 0, CLI_FLAG, NULL, "print the version and exit", AT(version), ALL, 0, 0, NULL,
		0},
	{"quiet", 'q', CLI_FLAG, NULL, "no progress and no remarks", AT(quiet), ALL, 0, 0, NULL, 0},
	{"verbose", 'v', CLI_FLAG, NULL, "say more", AT(verbose), ALL, 0, 0, NULL, 0},
	{"color", 0, CLI_CHOICE, "WHEN", "auto (on a terminal), always or never", AT(colour), ALL,
		0, 0, "auto always never", CLI_COMPLETE_WORDS},
	{"no-legend", 0, CLI_FLAG, NULL, "tables without headings", AT(no_legend),
		OF_OUTPUT | BIT(CLI_TOP), 0, 0, NULL, 0},
	{"socket", 0, CLI_TEXT, "PATH", "the daemon's socket", AT(socket), OF_DAEMON, 0, 0, NULL,
		CLI_COMPLETE_FILE},
	{"output", 'o', CLI_CHOICE, "FORMAT", "table, json or jsonl", AT(format), OF_OUTPUT, 0, 0,
		"table json jsonl", CLI_COMPLETE_WORDS},
	{"json", 0, CLI_FLAG, NULL, "short for -o json", AT(json), OF_OUTPUT, 0, 0, NULL, 0},
	{"timeout", 0, CLI_COUNT, "MS", "give up after MS milliseconds", AT(timeout_ms),
		OF_DAEMON | BIT(CLI_RUN), 1, 86400000, NULL, 0},
	{"name", 0, CLI_TEXT, "MODEL", "what the model is called", AT(name), BIT(CLI_INSTALL), 0, 0,
		NULL, 0},
	{"top-k", 'k', CLI_COUNT, "N", "at most N classes (5)", AT(top_k), OF_ANSWERS, 1, 1000000,
		NULL, 0},
	{"threshold", 't', CLI_REAL, "SCORE", "only classes of at least SCORE", AT(threshold),
		OF_ANSWERS | BIT(CLI_PIPELINE), 0, 0, NULL, 0},
	{"draw", 'd', CLI_TEXT, "FILE", "write the picture with what a pipeline found to a PNG",
		AT(draw), BIT(CLI_INFER) | BIT(CLI_PIPELINE), 0, 0, NULL, CLI_COMPLETE_FILE},
	{"mask", 0, CLI_TEXT, "FILE", "write the mask of classes to a grey PNG", AT(mask),
		BIT(CLI_INFER) | BIT(CLI_PIPELINE), 0, 0, NULL, CLI_COMPLETE_FILE},
	{"pipelines", 0, CLI_TEXT, "DIR", "folder of pipelines in place of the system's",
		AT(pipelines), BIT(CLI_INFER) | OF_PIPELINES, 0, 0, NULL, CLI_COMPLETE_FOLDER},
	{"no-pipeline", 0, CLI_FLAG, NULL, "the tensors, though the model has a pipeline",
		AT(no_pipeline), BIT(CLI_INFER), 0, 0, NULL, 0},
	{"exit-status", 0, CLI_FLAG, NULL, "exit 1 when no class reaches the threshold",
		AT(exit_status), OF_ANSWERS, 0, 0, NULL, 0},
	{"labels", 'l', CLI_TEXT, "FILE", "names of the classes", AT(labels), OF_ANSWERS, 0, 0,
		NULL, CLI_COMPLETE_FILE},
	{"raw", 0, CLI_FLAG, NULL, "write the output tensors' bytes, in order", AT(raw), OF_ANSWERS,
		0, 0, NULL, 0},
	{"output-dir", 0, CLI_TEXT, "DIR", "write each output to a .npy file in DIR",
		AT(output_dir), OF_ANSWERS, 0, 0, NULL, CLI_COMPLETE_FOLDER},
	{"record", 0, CLI_TEXT, "FILE", "write questions and answers as a self-test to FILE",
		AT(record), OF_ANSWERS, 0, 0, NULL, CLI_COMPLETE_FILE},
	{"mean", 0, CLI_REALS, "M[,M...]", "subtract M from pixels, one or one per channel",
		AT(mean), OF_ANSWERS, 0, 0, NULL, 0},
	{"std", 0, CLI_REALS, "S[,S...]", "then divide by S", AT(std), OF_ANSWERS, 0, 0, NULL, 0},
	{"layout", 0, CLI_CHOICE, "LAYOUT", "auto, nhwc or nchw", AT(layout), OF_ANSWERS, 0, 0,
		"auto nhwc nchw", CLI_COMPLETE_WORDS},
	{"resize", 0, CLI_CHOICE, "HOW", "stretch, crop or pad to the model's shape", AT(resize),
		OF_ANSWERS, 0, 0, "stretch crop pad", CLI_COMPLETE_WORDS},
	{"input-format", 0, CLI_CHOICE, "FORMAT", "auto, image, wav, s16le, csv, npy or raw",
		AT(input_format), OF_ANSWERS, 0, 0, "auto image wav s16le csv npy raw",
		CLI_COMPLETE_WORDS},
	{"rate", 0, CLI_COUNT, "HZ", "samples a second that the model expects (16000)", AT(rate),
		OF_ANSWERS, 1000, 384000, NULL, 0},
	{"priority", 0, CLI_CHOICE, "CLASS", "normal, batch, realtime or control", AT(priority),
		BIT(CLI_INFER) | BIT(CLI_BENCH), 0, 0, "normal batch realtime control",
		CLI_COMPLETE_WORDS},
	{"latest-key", 0, CLI_COUNT, "KEY",
		"take the place of a question of the same key that still waits", AT(latest_key),
		BIT(CLI_INFER), 1, UINT32_MAX, NULL, 0},
	{"signature", 's', CLI_TEXT, "KEY", "a signature other than the default", AT(signature),
		OF_ANSWERS | BIT(CLI_SHOW), 0, 0, NULL, 0},
	{"keep-state", 0, CLI_FLAG, NULL, "each INPUT finds the state that the one before left",
		AT(keep_state), OF_ANSWERS, 0, 0, NULL, 0},
	{"state", 0, CLI_TEXT, "DIR",
		"folder of what the model saves and restores; fsck: of the store, without a daemon",
		AT(state), BIT(CLI_RUN) | BIT(CLI_FSCK), 0, 0, NULL, CLI_COMPLETE_FOLDER},
	{"repair", 0, CLI_FLAG, NULL, "remove or quarantine unusable files", AT(repair),
		BIT(CLI_FSCK), 0, 0, NULL, 0},
	{"forget", 0, CLI_FLAG, NULL, "take away the examples of LABEL", AT(forget), BIT(CLI_TEACH),
		0, 0, NULL, 0},
	{"cpu", 0, CLI_TEXT, "FEATURES", "all, none, or names of CPU features to use", AT(cpu),
		OF_LOCAL, 0, 0, NULL, 0},
	{"run", 0, CLI_FLAG, NULL, "also run each model once on zeros", AT(run), BIT(CLI_VERIFY), 0,
		0, NULL, 0},
	{"golden", 0, CLI_TEXT, "DIR", "also run the golden cases of each model below DIR",
		AT(golden), BIT(CLI_VERIFY), 0, 0, NULL, CLI_COMPLETE_FOLDER},
	{"local", 0, CLI_FLAG, NULL, "in this process: the argument is a file", AT(local),
		BIT(CLI_BENCH) | BIT(CLI_SHOW), 0, 0, NULL, 0},
	{"plan", 0, CLI_FLAG, NULL, "steps, arena and expected time of a file", AT(plan),
		BIT(CLI_SHOW), 0, 0, NULL, 0},
	{"count", 'c', CLI_COUNT, "N", "N measured runs (100)", AT(count), BIT(CLI_BENCH), 1,
		10000000, NULL, 0},
	{"warmup", 0, CLI_COUNT, "N", "N runs before (5)", AT(warmup), BIT(CLI_BENCH), 0, 1000000,
		NULL, 0},
	{"threads", 0, CLI_COUNT, "N", "N threads work on one run, with --local (1)", AT(threads),
		BIT(CLI_BENCH), 1, 16, NULL, 0},
	{"clients", 0, CLI_COUNT, "N", "N connections, or sessions, at once (1)", AT(clients),
		BIT(CLI_BENCH), 1, 256, NULL, 0},
	{"per-op", 0, CLI_FLAG, NULL, "time per operator, with --local", AT(per_op), BIT(CLI_BENCH),
		0, 0, NULL, 0},
	{"repeat", 'n', CLI_COUNT, "N", "show N pages and exit", AT(repeat), BIT(CLI_TOP), 1,
		1000000000, NULL, 0},
};
const size_t cli_n_options = sizeof(cli_options) / sizeof(cli_options[0]);

#define MAX_OPTIONS 64
_Static_assert(sizeof(cli_options) / sizeof(cli_options[0]) <= MAX_OPTIONS, "bits of one uint64");

static const struct cli_settings defaults = {
	.command = CLI_COMMAND_COUNT,
	.threshold = NAN,
	.rate = 16000,
	.count = 100,
	.warmup = 5,
	.threads = 1,
	.clients = 1,
};

static bool parse_reals(const char *text, struct cli_reals *ret_reals)
{
	struct cli_reals reals = {0};
	if (!value_parse_reals(text, CLI_MAX_REALS, reals.value, &reals.n) || reals.n == 0) {
		return false;
	}
	*ret_reals = reals;
	return true;
}

/* Returns false if @text is no valid value of the option. */
static bool set_value(const struct cli_option *o, const char *text, struct cli_settings *settings)
{
	void *place = (char *)settings + o->offset;
	uint64_t count = 0;
	switch (o->kind) {
	case CLI_FLAG:
		*(bool *)place = true;
		return true;
	case CLI_COUNT:
		if (!value_parse_count(text, VALUE_PLAIN, &count) || count < o->low ||
			count > o->high) {
			return false;
		}
		*(uint32_t *)place = (uint32_t)count;
		return true;
	case CLI_REAL:
		return value_parse_real(text, place);
	case CLI_REALS:
		return parse_reals(text, place);
	case CLI_TEXT:
		*(const char **)place = text;
		return true;
	case CLI_CHOICE:
		*(int *)place = value_find_word(o->words, text);
		return *(int *)place >= 0;
	}
	return false;
}

static int value_error(const struct cli_option *o, const char *text, struct error *err)
{
	char shown[80];
	error_escape(shown, sizeof(shown), text, strlen(text));
	if (o->kind == CLI_COUNT) {
		return error_set(err, -EINVAL, "--%s: a number from %u to %u, not '%s'", o->name,
			o->low, o->high, shown);
	}
	if (o->kind == CLI_CHOICE) {
		return error_set(
			err, -EINVAL, "--%s: one of: %s; not '%s'", o->name, o->words, shown);
	}
	return error_set(err, -EINVAL, "--%s: %s, not '%s'", o->name,
		o->kind == CLI_REAL ? "a number" : "numbers with commas between", shown);
}

/* Tables for getopt, made from the rows. A long option's value is FIRST_ROW + its row. */
#define FIRST_ROW 256

struct getopt_tables {
	struct option longs[MAX_OPTIONS + 1];
	char letters[2 * MAX_OPTIONS + 2];
};

static void build_tables(struct getopt_tables *t)
{
	size_t used = 0;
	memset(t, 0, sizeof(*t));
	t->letters[used++] = ':'; /* distinguishes a missing value from an unknown option */
	for (size_t i = 0; i < cli_n_options; i++) {
		const struct cli_option *o = &cli_options[i];
		t->longs[i] = (struct option){.name = o->name,
			.has_arg = o->kind == CLI_FLAG ? no_argument : required_argument,
			.val = FIRST_ROW + (int)i};
		if (o->letter) {
			t->letters[used++] = o->letter;
		}
		if (o->letter && o->kind != CLI_FLAG) {
			t->letters[used++] = ':';
		}
	}
}

static const struct cli_option *find_row(int value)
{
	for (size_t i = 0; i < cli_n_options; i++) {
		if (value == FIRST_ROW + (int)i || (value && value == cli_options[i].letter)) {
			return &cli_options[i];
		}
	}
	return NULL;
}

static int parse_options(
	int argc, char **argv, struct cli_settings *settings, uint64_t *ret_seen, struct error *err)
{
	struct getopt_tables tables;
	char shown[80];
	build_tables(&tables);
	opterr = 0;
	optind = 0;
	for (;;) {
		int value = getopt_long(argc, argv, tables.letters, tables.longs, NULL);
		const struct cli_option *o = find_row(value);
		if (value == -1) {
			return 0;
		}
		if (!o) {
			const char *word = argv[optind - 1];
			error_escape(shown, sizeof(shown), word, strlen(word));
			return error_set(err, -EINVAL, "%s: %s", shown,
				value == ':' ? "needs a value" : "no such option");
		}
		if (!set_value(o, optarg, settings)) {
			return value_error(o, optarg, err);
		}
		*ret_seen |= (uint64_t)1 << (o - cli_options);
	}
}

static int find_command(const char *name)
{
	for (int i = 0; i < CLI_COMMAND_COUNT; i++) {
		if (strcmp(cli_commands[i].name, name) == 0) {
			return i;
		}
	}
	return CLI_COMMAND_COUNT;
}

static int check_options(enum cli_command_id id, uint64_t seen, struct error *err)
{
	for (size_t i = 0; i < cli_n_options; i++) {
		if (seen >> i & 1 && !(cli_options[i].commands & BIT(id))) {
			return error_set(err, -EINVAL, "--%s does not belong to '%s'",
				cli_options[i].name, cli_commands[id].name);
		}
	}
	return 0;
}

static int check_arguments(const struct cli_settings *s, struct error *err)
{
	const struct cli_command *c = &cli_commands[s->command];
	if (s->n_arguments < c->least) {
		return error_set(err, -EINVAL, "%s: needs %s", c->name, c->arguments);
	}
	if (c->most >= 0 && s->n_arguments > c->most) {
		return error_set(err, -EINVAL, "%s: %s", c->name,
			c->most ? "too many arguments" : "takes no arguments");
	}
	return 0;
}

int cli_parse(int argc, char **argv, struct cli_settings *ret_settings, struct error *err)
{
	struct cli_settings s = defaults;
	uint64_t seen = 0;
	char shown[80];
	int r = parse_options(argc, argv, &s, &seen, err);
	if (r < 0) {
		return r;
	}
	if (optind < argc) {
		s.command = (enum cli_command_id)find_command(argv[optind]);
		s.arguments = argv + optind + 1;
		s.n_arguments = argc - optind - 1;
		if (s.command == CLI_COMMAND_COUNT) {
			error_escape(shown, sizeof(shown), argv[optind], strlen(argv[optind]));
			return error_set(err, -EINVAL, "no such command: %s", shown);
		}
	}
	if (!s.help && !s.version) {
		if (s.command == CLI_COMMAND_COUNT) {
			return error_set(err, -EINVAL, "which command?");
		}
		r = check_options(s.command, seen, err);
		r = r < 0 ? r : check_arguments(&s, err);
		if (r < 0) {
			return r;
		}
	}
	s.format = s.json ? CLI_FORMAT_JSON : s.format;
	*ret_settings = s;
	return 0;
}

static void print_option(FILE *out, const struct cli_option *o)
{
	char left[64];
	snprintf(left, sizeof(left), "%c%c %s--%s%s%s", o->letter ? '-' : ' ',
		o->letter ? o->letter : ' ', o->letter ? "" : " ", o->name, o->argument ? " " : "",
		o->argument ? o->argument : "");
	fprintf(out, "  %-28s %s\n", left, o->help);
}

void cli_print_help(FILE *out, enum cli_command_id command)
{
	bool overview = command == CLI_COMMAND_COUNT;
	const struct cli_command *c = overview ? NULL : &cli_commands[command];
	fprintf(out, "edgectl %s%s[OPTION...] %s\n\n%s\n\n", overview ? "" : c->name,
		overview ? "" : " ", overview ? "COMMAND" : c->arguments,
		overview ? "Talks to edged, the inference daemon." : c->help);
	for (int i = 0; overview && i < CLI_COMMAND_COUNT; i++) {
		char left[64];
		snprintf(left, sizeof(left), "%s %s", cli_commands[i].name,
			cli_commands[i].arguments);
		fprintf(out, "  %-28s %s\n", left, cli_commands[i].help);
	}
	fputs(overview ? "\nOptions of all commands (`edgectl COMMAND --help` shows the rest):\n"
		       : "Options:\n",
		out);
	for (size_t i = 0; i < cli_n_options; i++) {
		uint32_t wanted = overview ? ALL : BIT(command);
		if ((cli_options[i].commands & wanted) == wanted) {
			print_option(out, &cli_options[i]);
		}
	}
	fputs("\nExit codes: 0 done, 1 negative answer, 2 usage, 3 no such model, 4 daemon not "
	      "reachable,\n5 refused, 6 unreadable input, 7 timeout, 8 overloaded. See edgectl(1).\n",
		out);
}
