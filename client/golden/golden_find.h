/* SPDX-License-Identifier: Apache-2.0 */
/* find - the folders of golden cases that the command line names */
#ifndef CLIENT_GOLDEN_FIND_H
#define CLIENT_GOLDEN_FIND_H

#include "base/own.h"

struct golden_list {
	char **folders;
	size_t count, capacity;
};

void golden_list_deinit(struct golden_list *list);

/* Adds every folder at or below @folder that holds a case.txt, sorted; symbolic links below are not
 * followed. 0 or a negative errno. */
int must_check golden_find(const char *folder, struct golden_list *list);

/* Adds the folders named in the file @path, one in a line, relative to the file's own folder. */
int must_check golden_find_listed(const char *path, struct golden_list *list);

#endif
