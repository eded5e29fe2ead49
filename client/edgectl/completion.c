/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/completion.h"

#include <errno.h>
#include <string.h>

#include "client/edgectl/cli.h"

/* A shell command that prints the daemon's models; without quotes, because it is used inside
 * quotes. */
#define MODEL_LINES "edgectl list --no-legend -q 2>/dev/null | cut -d \\  -f 1"
#define MODELS "$(" MODEL_LINES ")"
#define TFLITE_FILES "$(compgen -f -X '!*.tflite' -- \"$cur\")"

static bool takes_option(const struct cli_option *o, int command)
{
	return o->commands >> command & 1;
}

/* Prints the options of one command as words: "--help -h ...". */
static void print_words(FILE *out, int command)
{
	for (size_t i = 0; i < cli_n_options; i++) {
		const struct cli_option *o = &cli_options[i];
		if (takes_option(o, command)) {
			fprintf(out, " --%s", o->name);
		}
		if (takes_option(o, command) && o->letter) {
			fprintf(out, " -%c", o->letter);
		}
	}
}

static void print_commands(FILE *out)
{
	for (int i = 0; i < CLI_COMMAND_COUNT; i++) {
		fprintf(out, "%s%s", i ? " " : "", cli_commands[i].name);
	}
}

/* Prints the bash statement that completes an argument of @kind. @words: the choices of
 * CLI_COMPLETE_WORDS. */
static void print_bash_reply(FILE *out, enum cli_complete kind, const char *words)
{
	static const char *const replies[] = {
		[CLI_COMPLETE_NONE] = "",
		[CLI_COMPLETE_MODEL] = "$(compgen -W \"" MODELS "\" -- \"$cur\") " TFLITE_FILES,
		[CLI_COMPLETE_FILE] = "$(compgen -f -- \"$cur\")",
		[CLI_COMPLETE_TFLITE] = TFLITE_FILES " $(compgen -d -- \"$cur\")",
		[CLI_COMPLETE_FOLDER] = "$(compgen -d -- \"$cur\")",
	};
	if (kind == CLI_COMPLETE_WORDS) {
		fprintf(out, "COMPREPLY=($(compgen -W '%s' -- \"$cur\"))", words);
	} else {
		fprintf(out, "COMPREPLY=(%s)", replies[kind]);
	}
}

static void print_bash_values(FILE *out)
{
	fputs("\tcase $prev in\n", out);
	for (size_t i = 0; i < cli_n_options; i++) {
		const struct cli_option *o = &cli_options[i];
		if (o->kind == CLI_FLAG) {
			continue;
		}
		fprintf(out, "\t--%s", o->name);
		if (o->letter) {
			fprintf(out, "|-%c", o->letter);
		}
		fputs(") ", out);
		print_bash_reply(out, o->complete, o->words);
		fputs("; return ;;\n", out);
	}
	fputs("\tesac\n", out);
}

static void print_bash(FILE *out)
{
	fputs("# bash completion for edgectl, made from its option table\n_edgectl()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= "
	      "place=0 i\n"
	      "\tcompopt -o filenames 2>/dev/null\n",
		out);
	print_bash_values(out);
	fputs("\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\t[[ ${COMP_WORDS[i]} == -* ]] && continue\n"
	      "\t\tif [[ -z $command ]]; then command=${COMP_WORDS[i]}; else place=$((place + 1)); "
	      "fi\n"
	      "\tdone\n"
	      "\tcase $command in\n",
		out);
	for (int i = 0; i < CLI_COMMAND_COUNT; i++) {
		const struct cli_command *c = &cli_commands[i];
		fprintf(out, "\t%s)\n\t\tif [[ $cur == -* ]]; then COMPREPLY=($(compgen -W '",
			c->name);
		print_words(out, i);
		fputs("' -- \"$cur\"))\n\t\telif ((place == 0)); then ", out);
		print_bash_reply(out, c->first, c->words);
		fputs("\n\t\telse ", out);
		print_bash_reply(out, c->rest, c->words);
		fputs("; fi ;;\n", out);
	}
	fputs("\t*) COMPREPLY=($(compgen -W '", out);
	print_commands(out);
	fputs(" --help --version' -- \"$cur\")) ;;\n\tesac\n}\ncomplete -F _edgectl edgectl\n",
		out);
}

/* zsh: the part after the second colon of an _arguments spec. */
static void print_zsh_action(FILE *out, enum cli_complete kind, const char *words)
{
	static const char *const actions[] = {
		[CLI_COMPLETE_NONE] = " ",
		[CLI_COMPLETE_MODEL] = "_edgectl_models",
		[CLI_COMPLETE_FILE] = "_files",
		[CLI_COMPLETE_TFLITE] = "_files -g \"*.tflite\"",
		[CLI_COMPLETE_FOLDER] = "_files -/",
	};
	if (kind == CLI_COMPLETE_WORDS) {
		fprintf(out, "(%s)", words);
	} else {
		fputs(actions[kind], out);
	}
}

/* Escapes brackets, colons and backslashes for the zsh spec, and quotes for the shell. */
static void print_zsh_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("[]:\\", *text)) {
			fputc('\\', out);
		}
		fputs(*text == '\'' ? "'\\''" : (char[2]){*text, 0}, out);
	}
}

static void print_zsh_option(FILE *out, const struct cli_option *o)
{
	for (int form = 0; form < (o->letter ? 2 : 1); form++) {
		if (form == 0) {
			fprintf(out, " \\\n\t\t\t'--%s[", o->name);
		} else {
			fprintf(out, " \\\n\t\t\t'-%c[", o->letter);
		}
		print_zsh_text(out, o->help);
		fputc(']', out);
		if (o->kind != CLI_FLAG) {
			fputc(':', out);
			print_zsh_text(out, o->argument);
			fputc(':', out);
			print_zsh_action(out, o->complete, o->words);
		}
		fputc('\'', out);
	}
}

static void print_zsh(FILE *out)
{
	fputs("#compdef edgectl\n# zsh completion for edgectl, made from its option table\n"
	      "_edgectl_models()\n{\n"
	      "\tlocal -a models=(${(f)\"" MODELS "\"})\n"
	      "\tcompadd -a models\n\t_files -g \"*.tflite\"\n}\n"
	      "_edgectl()\n{\n\tlocal -a commands=(\n",
		out);
	for (int i = 0; i < CLI_COMMAND_COUNT; i++) {
		fprintf(out, "\t\t'%s:", cli_commands[i].name);
		print_zsh_text(out, cli_commands[i].help);
		fputs("'\n", out);
	}
	fputs("\t)\n\tif ((CURRENT == 2)); then _describe command commands; return; fi\n"
	      "\tlocal command=$words[2]\n\tshift words\n\t((CURRENT--))\n\tcase $command in\n",
		out);
	for (int i = 0; i < CLI_COMMAND_COUNT; i++) {
		const struct cli_command *c = &cli_commands[i];
		fprintf(out, "\t%s)\n\t\t_arguments", c->name);
		for (size_t o = 0; o < cli_n_options; o++) {
			if (takes_option(&cli_options[o], i)) {
				print_zsh_option(out, &cli_options[o]);
			}
		}
		if (c->first != CLI_COMPLETE_NONE) {
			fputs(" \\\n\t\t\t'1:argument:", out);
			print_zsh_action(out, c->first, c->words);
			fputc('\'', out);
		}
		if (c->rest != CLI_COMPLETE_NONE) {
			fputs(" \\\n\t\t\t'*:argument:", out);
			print_zsh_action(out, c->rest, c->words);
			fputc('\'', out);
		}
		fputs(" ;;\n", out);
	}
	fputs("\tesac\n}\n_edgectl \"$@\"\n", out);
}

static void print_fish_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\') {
			fputc('\\', out);
		}
		fputc(*text, out);
	}
}

static void print_fish_arguments(FILE *out, enum cli_complete kind, const char *words)
{
	static const char *const arguments[] = {
		[CLI_COMPLETE_NONE] = "",
		[CLI_COMPLETE_MODEL] = " -ka '(" MODEL_LINES ")'",
		[CLI_COMPLETE_FILE] = " -F",
		[CLI_COMPLETE_TFLITE] = " -ka '(__fish_complete_suffix .tflite)'",
		[CLI_COMPLETE_FOLDER] = " -a '(__fish_complete_directories)'",
	};
	if (kind == CLI_COMPLETE_WORDS) {
		fprintf(out, " -a '%s'", words);
	} else {
		fputs(arguments[kind], out);
	}
}

static void print_fish(FILE *out)
{
	fputs("# fish completion for edgectl, made from its option table\n"
	      "complete -c edgectl -f\n",
		out);
	for (int i = 0; i < CLI_COMMAND_COUNT; i++) {
		const struct cli_command *c = &cli_commands[i];
		fprintf(out, "complete -c edgectl -n __fish_use_subcommand -a %s -d '", c->name);
		print_fish_text(out, c->help);
		fputs("'\n", out);
		enum cli_complete both[2] = {c->first, c->rest};
		for (int k = 0; k < 2; k++) {
			if (both[k] == CLI_COMPLETE_NONE || (k == 1 && both[1] == both[0])) {
				continue;
			}
			fprintf(out, "complete -c edgectl -n '__fish_seen_subcommand_from %s'",
				c->name);
			print_fish_arguments(out, both[k], c->words);
			fputc('\n', out);
		}
	}
	for (size_t i = 0; i < cli_n_options; i++) {
		const struct cli_option *o = &cli_options[i];
		fputs("complete -c edgectl -n '__fish_seen_subcommand_from", out);
		for (int c = 0; c < CLI_COMMAND_COUNT; c++) {
			if (takes_option(o, c)) {
				fprintf(out, " %s", cli_commands[c].name);
			}
		}
		fprintf(out, "' -l %s", o->name);
		if (o->letter) {
			fprintf(out, " -s %c", o->letter);
		}
		if (o->kind != CLI_FLAG) {
			fputs(" -r", out);
			print_fish_arguments(out, o->complete, o->words);
		}
		fputs(" -d '", out);
		print_fish_text(out, o->help);
		fputs("'\n", out);
	}
}

int completion_print(FILE *out, const char *shell)
{
	static const struct {
		const char *name;
		void (*print)(FILE *out);
	} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].name, shell) == 0) {
			shells[i].print(out);
			return 0;
		}
	}
	return -EINVAL;
}
