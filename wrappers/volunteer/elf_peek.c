/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf_peek.c - read a number out of a shared object without loading it
 *
 * A plugin cannot be dlopen'ed outside its daemon: what it expects from there
 * is missing.  Nothing in the file is believed before it was checked against
 * the file's size.
 */
#include "config.h"

#include "elf_peek.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cleanup.h"

struct image {
	const unsigned char *data;
	size_t size;
};

/* count entries of size bytes at offset, or NULL. */
static const void *at(const struct image *img, uint64_t offset, uint64_t count,
		      size_t size)
{
	if (offset > img->size || count > (img->size - offset) / size)
		return NULL;
	if ((uintptr_t)(img->data + offset) % sizeof(uint32_t))
		return NULL;
	return img->data + offset;
}

static const ElfW(Ehdr) * header(const struct image *img)
{
	const ElfW(Ehdr) *ehdr = at(img, 0, 1, sizeof(*ehdr));
	const int class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;

	if (!ehdr || memcmp(ehdr->e_ident, ELFMAG, SELFMAG) ||
	    ehdr->e_ident[EI_CLASS] != class ||
	    ehdr->e_shentsize != sizeof(ElfW(Shdr)) ||
	    ehdr->e_phentsize != sizeof(ElfW(Phdr)))
		return NULL;
	return ehdr;
}

/* The symbol's address in the loaded object, 0 when it is not defined. */
static ElfW(Addr) find_symbol(const struct image *img, const ElfW(Shdr) * table,
			      const ElfW(Shdr) * strings, const char *name)
{
	size_t count = table->sh_size / sizeof(ElfW(Sym)), len = strlen(name);
	const ElfW(Sym) *sym = at(img, table->sh_offset, count, sizeof(*sym));

	for (size_t i = 0; sym && i < count; i++) {
		uint64_t pos = sym[i].st_name;

		if (sym[i].st_shndx == SHN_UNDEF || pos > strings->sh_size ||
		    strings->sh_size - pos <= len ||
		    strings->sh_offset > img->size ||
		    strings->sh_size > img->size - strings->sh_offset)
			continue;
		if (!memcmp(img->data + strings->sh_offset + pos, name,
			    len + 1))
			return sym[i].st_value;
	}
	return 0;
}

static bool read_address(const struct image *img, const ElfW(Ehdr) * ehdr,
			 ElfW(Addr) addr, uint32_t *value)
{
	const ElfW(Phdr) *ph =
		at(img, ehdr->e_phoff, ehdr->e_phnum, sizeof(*ph));

	for (size_t i = 0; ph && i < ehdr->e_phnum; i++) {
		const void *from;

		if (ph[i].p_type != PT_LOAD || addr < ph[i].p_vaddr ||
		    addr - ph[i].p_vaddr >= ph[i].p_filesz)
			continue;
		from = at(img, addr - ph[i].p_vaddr + ph[i].p_offset, 1,
			  sizeof(*value));
		if (!from)
			return false;
		memcpy(value, from, sizeof(*value));
		return true;
	}
	return false;
}

static int peek(const struct image *img, const char *path, const char *symbol,
		uint32_t *value, struct vol_error *err)
{
	const ElfW(Ehdr) *ehdr = header(img);
	const ElfW(Shdr) *sh = NULL;
	ElfW(Addr) addr = 0;

	if (ehdr)
		sh = at(img, ehdr->e_shoff, ehdr->e_shnum, sizeof(*sh));
	if (!sh)
		return vol_errorf_errno(err, ENOEXEC,
					"%s: not a shared object for this "
					"machine",
					path);
	for (size_t i = 0; i < ehdr->e_shnum && !addr; i++)
		if (sh[i].sh_type == SHT_DYNSYM &&
		    sh[i].sh_link < ehdr->e_shnum)
			addr = find_symbol(img, &sh[i], &sh[sh[i].sh_link],
					   symbol);
	if (!addr)
		return vol_errorf_errno(err, ENODATA, "%s: no symbol %s", path,
					symbol);
	if (!read_address(img, ehdr, addr, value))
		return vol_errorf_errno(err, ENOEXEC,
					"%s: symbol %s points nowhere", path,
					symbol);
	return 0;
}

int vol_elf_peek_u32(const char *path, const char *symbol, uint32_t *value,
		     struct vol_error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct image img;
	struct stat st;
	void *map;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0)
		return vol_errorf(err, "%s: %m", path);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return vol_errorf_errno(err, ENOEXEC, "%s: not a shared object",
					path);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return vol_errorf(err, "%s: %m", path);
	img = (struct image){.data = map, .size = (size_t)st.st_size};
	rc = peek(&img, path, symbol, value, err);
	munmap(map, img.size);
	return rc;
}
