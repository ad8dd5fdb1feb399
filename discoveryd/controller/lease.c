/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lease.c - the longest lease that a device may still go by */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "controller.h"
#include "lease.h"
#include "log.h"

static int write_lease(const struct vol_controller *c, uint32_t lease_ms,
		       struct vol_error *err)
{
	cleanup_free char *path = NULL;
	char text[16];

	if (asprintf(&path, "%s/lease", c->conf.state_dir) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	snprintf(text, sizeof(text), "%" PRIu32 "\n", lease_ms);
	return vol_file_replace(path, text, strlen(text), 0644, 1, err);
}

int vol_lease_load(struct vol_controller *c, struct vol_error *err)
{
	cleanup_free char *path = NULL, *text = NULL;
	uint32_t lease = 0;
	size_t len;

	if (asprintf(&path, "%s/lease", c->conf.state_dir) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	text = vol_file_read(path, 64, &len, err);
	if (!text && errno != ENOENT)
		return -1;
	if (text && sscanf(text, "%" SCNu32, &lease) != 1)
		return vol_errorf_errno(err, EINVAL, "%s: not a number of ms",
					path);
	c->lease_ms = lease;
	if (lease >= c->conf.lost_after_ms)
		return 0;
	c->lease_ms = (uint32_t)c->conf.lost_after_ms;
	return write_lease(c, c->lease_ms, err);
}

uint32_t vol_lease_floor(const struct vol_controller *c)
{
	return c->lease_ms;
}

void vol_lease_settle(struct vol_controller *c)
{
	uint32_t longest = (uint32_t)c->conf.lost_after_ms;
	const struct vol_member *s;
	struct vol_error err;
	size_t i;

	for (i = 0; i < c->n_members; i++) {
		s = c->members[i];
		if ((s->contact == VOL_CONTACT_HERE ||
		     s->contact == VOL_CONTACT_SILENT) &&
		    s->lease_ms > longest)
			longest = s->lease_ms;
	}
	if (longest == c->lease_ms)
		return;
	if (write_lease(c, longest, &err) < 0)
		vol_err("lease not written: %s", err.text);
	else
		c->lease_ms = longest;
}
