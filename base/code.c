/* SPDX-License-Identifier: Apache-2.0 */
#include "base/code.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* True where the loader wrote into code that it made read-only after: those pages are in no file. */
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

/* Whole pages of @segment; its ends may share a page with a segment that is written to. */
static void forget_segment(const struct dl_phdr_info *object, const ElfW(Phdr) * segment)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = object->dlpi_addr + segment->p_vaddr, end = start + segment->p_filesz;
	start = (start + page - 1) / page * page;
	end = end / page * page;
	if (start < end) {
		(void)madvise((void *)start, end - start, MADV_DONTNEED);
	}
}

static int forget_object(struct dl_phdr_info *object, size_t size, void *context)
{
	(void)size;
	(void)context;
	for (unsigned int i = 0; !has_written_code(object) && i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W)) {
			forget_segment(object, segment);
		}
	}
	return 0;
}

void code_forget_pages(void)
{
	dl_iterate_phdr(forget_object, NULL);
}
