/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf_peek.h - read a number out of a shared object without loading it */
#ifndef VOL_ELF_PEEK_H
#define VOL_ELF_PEEK_H

#include <stdint.h>

#include "error.h"

/* The 32-bit object that path defines under the dynamic symbol name, as it is
 * in the file.  -1 with errno ENOENT (no such file), ENOEXEC (not a shared
 * object of this machine's word size, or a damaged one) or ENODATA (no such
 * symbol), besides what open(2) and mmap(2) set. */
int vol_elf_peek_u32(const char *path, const char *symbol, uint32_t *value,
		     struct vol_error *err);

#endif
