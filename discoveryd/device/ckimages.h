/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckimages.h - a folder of CRIU's images, as ckverify.h looks at it */
#ifndef VOL_CKIMAGES_H
#define VOL_CKIMAGES_H

#include <stddef.h>

#include "ckmanifest.h"
#include "ckverify.h"
#include "error.h"

/* Mapped; nobody else writes there. */
struct vol_ckimages {
	size_t n;
	struct vol_ckinput *input;
};

/* All files of the folder, root's alone.  EINVAL for what is no file.  *images
 * need not be set before; close it afterwards, also on error. */
int vol_ckimages_open(const char *path, struct vol_ckimages *images,
		      struct vol_error *err);
/* Keeps errno. */
void vol_ckimages_close(struct vol_ckimages *images);

/* Their names and lengths. */
int vol_ckimages_list(const struct vol_ckimages *images,
		      struct vol_ckmanifest *m, struct vol_error *err);

#endif
