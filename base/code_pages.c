/* SPDX-License-Identifier: Apache-2.0 */
#include "base/code_pages.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_SEGMENTS 64 /* three for each object */

/* Returns true if the loader wrote to code and then made it read-only: those pages are in no
 * file. */
static bool has_written_code(const struct dl_phdr_info *object)
{
	for (unsigned int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		if (segment->p_type != PT_DYNAMIC) {
			continue;
		}
		const ElfW(Dyn) *entry = (const void *)(object->dlpi_addr + segment->p_vaddr);
		for (; entry->d_tag != DT_NULL; entry++) {
			if (entry->d_tag == DT_TEXTREL ||
				(entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL)) {
				return true;
			}
		}
	}
	return false;
}

/* Segments are collected first and unmapped afterwards, because the linker's tables lie in such
 * segments and would be mapped again. */
struct segments {
	struct {
		void *start;
		size_t bytes;
	} of[MAX_SEGMENTS];
	unsigned int n;
};

/* Adds the whole pages of @segment; pages at its ends may belong to a writable segment too. */
static void add_segment(
	struct segments *segments, const struct dl_phdr_info *object, const ElfW(Phdr) * segment)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = object->dlpi_addr + segment->p_vaddr, end = start + segment->p_filesz;
	start = (start + page - 1) / page * page;
	end = end / page * page;
	if (start < end && segments->n < MAX_SEGMENTS) {
		segments->of[segments->n].start = (void *)start;
		segments->of[segments->n++].bytes = end - start;
	}
}

static int add_object(struct dl_phdr_info *object, size_t size, void *context)
{
	(void)size;
	for (unsigned int i = 0; !has_written_code(object) && i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W)) {
			add_segment(context, object, segment);
		}
	}
	return 0;
}

/* Runs within the callback for one object, so that no other thread can unload an object
 * meanwhile. */
static int forget_all(struct dl_phdr_info *object, size_t size, void *context)
{
	struct segments *segments = context;
	(void)object;
	(void)size;
	dl_iterate_phdr(add_object, segments);
	for (unsigned int i = 0; i < segments->n; i++) {
		(void)madvise(segments->of[i].start, segments->of[i].bytes, MADV_DONTNEED);
	}
	return 1;
}

void code_pages_forget(void)
{
	struct segments segments = {.n = 0};
	dl_iterate_phdr(forget_all, &segments);
}
