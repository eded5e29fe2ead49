/* SPDX-License-Identifier: Apache-2.0 */
/* completion - what a shell needs to complete edgectl's command line, from the tables of cli.h */
#ifndef CLIENT_COMPLETION_H
#define CLIENT_COMPLETION_H

#include <stdio.h>

/* @shell: "bash", "zsh" or "fish"; -EINVAL for another. */
int completion_print(FILE *out, const char *shell);

#endif
