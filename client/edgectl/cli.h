/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli - edgectl's commands and options as two tables
 *
 * The option parser, the help and the shell completions read these tables. Options may stand
 * before or after the command and between its arguments; "--" ends them.
 */
#ifndef CLIENT_EDGECTL_CLI_H
#define CLIENT_EDGECTL_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum cli_command_id {
	CLI_LIST,
	CLI_SHOW,
	CLI_STATUS,
	CLI_INFER,
	CLI_RUN,
	CLI_VERIFY,
	CLI_BENCH,
	CLI_RELOAD,
	CLI_ROLLBACK,
	CLI_PIN,
	CLI_UNPIN,
	CLI_FORGET_BAD,
	CLI_HISTORY,
	CLI_WATCH,
	CLI_LOAD,
	CLI_UNLOAD,
	CLI_FSCK,
	CLI_INSTALL,
	CLI_EXPORT,
	CLI_REMOVE,
	CLI_PIPELINE,
	CLI_TEACH,
	CLI_TOP,
	CLI_FLIGHT,
	CLI_CONFIG,
	CLI_COMPLETION,
	CLI_COMMAND_COUNT
};

/* What a shell completes an argument with. */
enum cli_complete {
	CLI_COMPLETE_NONE,
	CLI_COMPLETE_MODEL, /* model names, from `edgectl list` */
	CLI_COMPLETE_FILE,
	CLI_COMPLETE_TFLITE, /* files that end in .tflite */
	CLI_COMPLETE_FOLDER,
	CLI_COMPLETE_WORDS, /* the row's @words */
};

struct cli_command {
	const char *name;
	const char *arguments; /* for help, such as "MODEL INPUT..." */
	const char *help;
	int least, most; /* number of arguments; most -1: any */
	enum cli_complete first, rest;
	const char *words; /* for CLI_COMPLETE_WORDS */
};

/* In the order of enum cli_command_id. */
extern const struct cli_command cli_commands[CLI_COMMAND_COUNT];

enum cli_kind {
	CLI_FLAG, /* bool */
	CLI_COUNT, /* uint32_t in low..high */
	CLI_REAL, /* double */
	CLI_REALS, /* struct cli_reals: up to CLI_MAX_REALS numbers separated by commas */
	CLI_TEXT, /* const char * into argv */
	CLI_CHOICE, /* int: index in @words */
};

#define CLI_MAX_REALS 4

struct cli_reals {
	uint32_t n;
	double value[CLI_MAX_REALS];
};

struct cli_option {
	const char *name;
	char letter; /* 0: none */
	enum cli_kind kind;
	const char *argument; /* for help, such as "FILE"; NULL for flags */
	const char *help;
	size_t offset; /* offset of the value in struct cli_settings */
	uint32_t commands; /* commands that take the option: bits 1 << enum cli_command_id */
	uint32_t low, high; /* CLI_COUNT */
	const char *words; /* of CLI_CHOICE, separated by one blank */
	enum cli_complete complete;
};

extern const struct cli_option cli_options[];
extern const size_t cli_n_options;

enum cli_format {
	CLI_FORMAT_TABLE,
	CLI_FORMAT_JSON,
	CLI_FORMAT_JSONL
};

enum cli_colour {
	CLI_COLOUR_AUTO,
	CLI_COLOUR_ALWAYS,
	CLI_COLOUR_NEVER
};

/* The parsed command line. Texts point into argv. */
struct cli_settings {
	enum cli_command_id command;
	char **arguments; /* arguments after the command, NULL-terminated */
	int n_arguments;

	bool help, version, quiet, verbose, no_legend;
	int colour; /* enum cli_colour */
	const char *socket;
	int format; /* enum cli_format */
	bool json; /* --json, short for -o json */
	uint32_t timeout_ms; /* 0: none */

	uint32_t top_k; /* 0: 5, or as the pipeline says */
	double threshold; /* NaN: the model's own */
	bool raw, exit_status;
	const char *output_dir, *labels, *signature, *state, *record;
	const char *name; /* of install */
	bool keep_state;
	bool repair, forget;
	struct cli_reals mean, std;
	int layout, resize; /* enum preprocess_layout, enum preprocess_resize */
	int input_format; /* enum input_format */
	uint32_t rate;
	const char *cpu;
	const char *draw, *mask, *pipelines;
	bool no_pipeline;

	bool run;
	const char *golden;

	bool local, per_op, plan;
	uint32_t count, warmup, threads, clients;
	int priority; /* enum edge_client_priority */
	uint32_t latest_key; /* 0: none */
	uint32_t repeat; /* number of pages; 0: until interrupted */
};

/* Sets the defaults, then parses @argv. With --help or --version the command may be missing:
 * settings->command is then CLI_COMMAND_COUNT. -EINVAL: invalid command line; the message says
 * why. */
int must_check cli_parse(
	int argc, char **argv, struct cli_settings *ret_settings, struct error *err);

/* Prints the help of one command, with CLI_COMMAND_COUNT the overview. */
void cli_print_help(FILE *out, enum cli_command_id command);

#endif
