/* SPDX-License-Identifier: Apache-2.0 */
/* commands - entry points of edgectl's commands; each returns an exit code
 * (client/edgectl/report.h) */
#ifndef CLIENT_EDGECTL_COMMANDS_H
#define CLIENT_EDGECTL_COMMANDS_H

#include "client/edgectl/cli.h"

int cmd_list(const struct cli_settings *settings);
int cmd_show(const struct cli_settings *settings);
int cmd_top(const struct cli_settings *settings);
int cmd_config(const struct cli_settings *settings);
int cmd_flight(const struct cli_settings *settings);
int cmd_status(const struct cli_settings *settings);
int cmd_infer(const struct cli_settings *settings); /* also the command run */
int cmd_verify(const struct cli_settings *settings);
int cmd_bench(const struct cli_settings *settings);
int cmd_reload(const struct cli_settings *settings);
int cmd_store(const struct cli_settings *settings); /* all verbs of cmd_store.c */
int cmd_install(const struct cli_settings *settings);
int cmd_export(const struct cli_settings *settings);
int cmd_pipeline(const struct cli_settings *settings);
int cmd_teach(const struct cli_settings *settings);
/* The command infer for a model that has a pipeline. */
int cmd_pipeline_infer(const struct cli_settings *settings, const char *path);
int cmd_watch(const struct cli_settings *settings);

#endif
