/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stepfile_remove.c - remove the file of a step that is over */
#include "config.h"

#include "device/stepfile_remove.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "stepfile.h"

/* It is put aside under this name before it is removed. */
#define ASIDE ".leaving"

/* A requeued job may have come back under the same number, and its step may
 * replace the file at any moment.  So it is moved aside, looked at, and moved
 * back if it is not the one that was meant. */
bool vol_stepfile_remove(const char *dir, const char *name, pid_t stepd)
{
	char path[PATH_MAX], aside[PATH_MAX];
	cleanup_free char *text = NULL;
	struct vol_step step;
	size_t len;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
		    (int)sizeof(path) ||
	    snprintf(aside, sizeof(aside), "%s/" ASIDE, dir) >=
		    (int)sizeof(aside) ||
	    rename(path, aside) < 0)
		return false;
	text = vol_file_read(aside, VOL_STEPFILE_MAX, &len, NULL);
	if (!text || vol_step_parse(name, text, len, &step, NULL) < 0 ||
	    step.stepd != stepd) {
		(void)renameat2(AT_FDCWD, aside, AT_FDCWD, path,
				RENAME_NOREPLACE);
		return false;
	}
	return unlink(aside) == 0;
}
