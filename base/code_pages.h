/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_pages - unmaps code that is not in use
 *
 * Loading a model runs much code that inference never runs, and the kernel maps neighbouring pages
 * with each fault. After a load most mapped code pages are unused.
 */
#ifndef BASE_CODE_PAGES_H
#define BASE_CODE_PAGES_H

/* Unmaps all read-only segments of the program and its libraries. The pages stay in the page cache
 * and return on use, for about 1 us each. Safe in any thread at any time. Does nothing if the
 * kernel cannot. */
void code_pages_forget(void);

#endif
