/* SPDX-License-Identifier: GPL-2.0-or-later */
/* when.h - moments as people say them, in local time */
#ifndef VOL_WHEN_H
#define VOL_WHEN_H

#include <stddef.h>
#include <time.h>

/* "10:31" within 20 hours of now, "Mon 10:31" within 6 days, else
 * "2026-12-24 10:31".  32 bytes are enough; returns buf. */
const char *vol_when(time_t t, time_t now, char *buf, size_t size);

/* "2026-11-21 10:31:07"; returns buf. */
const char *vol_when_exact(time_t t, char *buf, size_t size);

#endif
