/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buildid.h - what a program or library says it was made as; pure */
#ifndef VOL_BUILDID_H
#define VOL_BUILDID_H

#include <stddef.h>
#include <stdint.h>

#include "ckfit.h"

/* So much of a file's beginning is looked at, as CRIU does. */
#define VOL_BUILDID_LOOK (1u << 20)

/* From the beginning of a file: the first NT_GNU_BUILD_ID note of an ELF file
 * (elf(5)), as CRIU keeps it, in words of 32 bits; the rest of build is zeros.
 * Its length, 0: it has none. */
uint32_t vol_buildid_find(const void *data, size_t len,
			  uint8_t build[VOL_CKBUILD_SIZE]);

#endif
