/* SPDX-License-Identifier: Apache-2.0 */
/* completion - prints shell completions of edgectl's command line from the tables of cli.h */
#ifndef CLIENT_EDGECTL_COMPLETION_H
#define CLIENT_EDGECTL_COMPLETION_H

#include <stdio.h>

/* @shell: "bash", "zsh" or "fish"; else -EINVAL. */
int completion_print(FILE *out, const char *shell);

#endif
