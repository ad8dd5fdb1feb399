/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buildid.c - what a program or library says it was made as */
#include "config.h"

#include "device/buildid.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

/* What there is of a file: nothing is taken from behind it. */
struct bytes {
	const uint8_t *at;
	size_t len;
};

static bool copy(const struct bytes *b, uint64_t offset, void *to, size_t size)
{
	if (offset > b->len || b->len - offset < size)
		return false;
	memcpy(to, b->at + offset, size);
	return true;
}

static uint64_t padded(uint32_t n)
{
	return ((uint64_t)n + 3) & ~UINT64_C(3);
}

static uint32_t search(const struct bytes *b, uint64_t offset, uint64_t size,
		       uint8_t build[VOL_CKBUILD_SIZE])
{
	Elf64_Nhdr note; /* the same as Elf32_Nhdr */
	uint64_t at = 0;

	while (size >= sizeof(note) && at <= size - sizeof(note) &&
	       offset <= b->len && copy(b, offset + at, &note, sizeof(note))) {
		uint64_t text =
			offset + at + sizeof(note) + padded(note.n_namesz);
		uint32_t len = note.n_descsz < VOL_CKBUILD_SIZE
				       ? note.n_descsz & ~3u
				       : VOL_CKBUILD_SIZE;

		if (note.n_type == NT_GNU_BUILD_ID)
			return copy(b, text, build, len) ? len : 0;
		at += sizeof(note) + padded(note.n_namesz) +
		      padded(note.n_descsz);
	}
	return 0;
}

static uint32_t find_64(const struct bytes *b, uint8_t *build)
{
	Elf64_Ehdr head;
	Elf64_Phdr part;

	if (!copy(b, 0, &head, sizeof(head)) || head.e_phoff > b->len)
		return 0;
	for (uint64_t i = 0; i < head.e_phnum; i++) {
		uint32_t n;

		if (!copy(b, head.e_phoff + i * sizeof(part), &part,
			  sizeof(part)))
			return 0;
		n = part.p_type == PT_NOTE
			    ? search(b, part.p_offset, part.p_filesz, build)
			    : 0;
		if (n > 0)
			return n;
	}
	return 0;
}

static uint32_t find_32(const struct bytes *b, uint8_t *build)
{
	Elf32_Ehdr head;
	Elf32_Phdr part;

	if (!copy(b, 0, &head, sizeof(head)) || head.e_phoff > b->len)
		return 0;
	for (uint64_t i = 0; i < head.e_phnum; i++) {
		uint32_t n;

		if (!copy(b, head.e_phoff + i * sizeof(part), &part,
			  sizeof(part)))
			return 0;
		n = part.p_type == PT_NOTE
			    ? search(b, part.p_offset, part.p_filesz, build)
			    : 0;
		if (n > 0)
			return n;
	}
	return 0;
}

uint32_t vol_buildid_find(const void *data, size_t len,
			  uint8_t build[VOL_CKBUILD_SIZE])
{
	const struct bytes b = {data, len};

	memset(build, 0, VOL_CKBUILD_SIZE);
	if (len < EI_NIDENT || memcmp(b.at, ELFMAG, SELFMAG) != 0)
		return 0;
	if (b.at[EI_CLASS] == ELFCLASS64)
		return find_64(&b, build);
	return b.at[EI_CLASS] == ELFCLASS32 ? find_32(&b, build) : 0;
}
