/* SPDX-License-Identifier: Apache-2.0 */
/* golden_find - finds the folders of golden cases named on the command line */
#ifndef CLIENT_GOLDEN_GOLDEN_FIND_H
#define CLIENT_GOLDEN_GOLDEN_FIND_H

#include "base/own.h"

struct golden_list {
	char **folders;
	size_t count;
};

void golden_list_deinit(struct golden_list *list);

/* Adds every folder at or below @folder that has a case.txt, sorted. Does not follow symbolic
 * links below @folder. Returns 0 or a negative errno. */
int must_check golden_find(const char *folder, struct golden_list *list);

/* Adds the folders listed in the file @path, one a line, relative to the file's folder. */
int must_check golden_find_listed(const char *path, struct golden_list *list);

#endif
