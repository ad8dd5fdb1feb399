/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox_view.h - what a job gets on a device, for people; pure */
#ifndef VOL_SANDBOX_VIEW_H
#define VOL_SANDBOX_VIEW_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "walls.h"

/* One line about the walls; sandbox is that member of a device's status, NULL
 * when there is nobody to ask.  Returns buf. */
const char *vol_sandbox_line(const json_t *sandbox, char *buf, size_t size);

/* The page of `volunteer sandbox --show`. */
void vol_sandbox_view(FILE *out, const struct vol_walls *walls,
		      const json_t *sandbox);

/* The same as JSON, a new reference: the walls file's keys, lists as lists, and
 * "status", sandbox or null. */
json_t *vol_sandbox_view_json(const struct vol_walls *walls,
			      const json_t *sandbox);

#endif
