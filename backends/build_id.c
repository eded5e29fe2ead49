/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "backends/backends.h"

#define NOTE_ALIGNMENT 4

struct search {
	uintptr_t inside; /* an address of the object that is looked for */
	char *text;
};

/* Digits of the first GNU build-id among the notes. */
static bool find_id(const uint8_t *notes, size_t size, char text[BACKENDS_BUILD_SIZE])
{
	while (size >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;
		memcpy(&note, notes, sizeof(note));
		const size_t name =
			(note.n_namesz + NOTE_ALIGNMENT - 1) & ~(size_t)(NOTE_ALIGNMENT - 1);
		const size_t id =
			(note.n_descsz + NOTE_ALIGNMENT - 1) & ~(size_t)(NOTE_ALIGNMENT - 1);
		const uint8_t *at = notes + sizeof(note);
		if (name > size - sizeof(note) || id > size - sizeof(note) - name) {
			return false;
		}
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
			memcmp(at, "GNU", sizeof("GNU")) == 0 && note.n_descsz >= 8) {
			for (unsigned int i = 0; i < 8; i++) {
				snprintf(text + (size_t)2 * i, 3, "%02x", at[name + i]);
			}
			return true;
		}
		notes = at + name + id;
		size -= sizeof(note) + name + id;
	}
	return false;
}

static bool is_inside(const struct dl_phdr_info *object, uintptr_t address)
{
	for (unsigned int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + part->p_vaddr;
		if (part->p_type == PT_LOAD && address >= start &&
			address - start < part->p_memsz) {
			return true;
		}
	}
	return false;
}

static int look_at(struct dl_phdr_info *object, size_t size, void *context)
{
	struct search *search = context;
	(void)size;
	if (!is_inside(object, search->inside)) {
		return 0;
	}
	for (unsigned int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		if (part->p_type == PT_NOTE &&
			find_id((const uint8_t *)(object->dlpi_addr + part->p_vaddr), part->p_memsz,
				search->text)) {
			break;
		}
	}
	return 1;
}

bool backends_build(char ret_text[BACKENDS_BUILD_SIZE])
{
	struct search search = {(uintptr_t)&backends_build, ret_text};
	ret_text[0] = 0;
	dl_iterate_phdr(look_at, &search);
	return ret_text[0] != 0;
}
