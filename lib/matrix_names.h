/* SPDX-License-Identifier: GPL-2.0-or-later */
/* matrix_names.h - which names an axis may have (private to matrix.c) */
#ifndef VOL_MATRIX_NAMES_H
#define VOL_MATRIX_NAMES_H

#include <stddef.h>

#include "error.h"

#define VOL_MATRIX_NAME_SIZE 64 /* with its NUL */

/* Is name[0..size) a C identifier that is safe to set in a job's environment?
 * -1 and EINVAL with the reason if not. */
int vol_matrix_name_check(const char *name, size_t size, struct vol_error *err);

#endif
