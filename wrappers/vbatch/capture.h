/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture.h - run a command and keep what it prints */
#ifndef VB_CAPTURE_H
#define VB_CAPTURE_H

#include "error.h"

/* Run argv (found along PATH, its stderr is ours) to its end.  Returns its
 * standard output, which the caller frees, and its exit status or 128 + signal
 * in *status.  NULL and errno if it could not be run. */
char *vb_capture(const char *const *argv, int *status, struct vol_error *err);

#endif
