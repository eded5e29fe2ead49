/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code - the pages of the program's own code and constants
 *
 * Opening a model goes through much code that running it never sees, and the system maps a page's
 * neighbours with it: after a load most mapped pages of the program and its libraries are of no use.
 */
#ifndef BASE_CODE_H
#define BASE_CODE_H

/*
 * Unmaps the pages of all segments that nobody can write to, of the program and its libraries. They
 * stay in the system's cache, and come back one by one as they are used, for about a microsecond
 * each. Any thread, at any time; what is running goes on. Does nothing where that cannot be.
 */
void code_forget_pages(void);

#endif
