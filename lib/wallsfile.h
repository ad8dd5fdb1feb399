/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wallsfile.h - the files of walls.h and wallsfail.h, read and written */
#ifndef VOL_WALLSFILE_H
#define VOL_WALLSFILE_H

#include <stdint.h>

#include "error.h"
#include "walls.h"

/* The walls in the file at path.  -1 with errno of the file or EINVAL; *walls
 * is undefined then. */
int vol_wallsfile_read(const char *path, struct vol_walls *walls,
		       struct vol_error *err);

/* The same for root, who builds by it: refused when a stranger may have put it
 * there (trusted.h). */
int vol_wallsfile_read_trusted(const char *path, struct vol_walls *walls,
			       struct vol_error *err);

/* Tell discoveryd at path that a wall around this job (0: slurmd) could not be
 * built. */
int vol_wallsfile_tell(const char *path, uint32_t job, const char *reason,
		       struct vol_error *err);

#endif
