/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_sandbox.h - the sandbox as a list of who called what
 *
 * Implements vol_sandbox_*() so that the hook files link unchanged.  Nothing is
 * built; a test says which call fails.
 */
#ifndef VOL_FAKE_SANDBOX_H
#define VOL_FAKE_SANDBOX_H

#include <limits.h>
#include <stdbool.h>

#include "sandbox/checkpoint.h"
#include "sandbox/sandbox.h"

struct fake_sandbox {
	/* Which calls answer -1, with the reason "no NAME". */
	bool no_create, no_hide, no_keep, no_enter, no_offer;
	bool no_restore; /* else the process ends, FAKE_RESTORED */
	bool ran;        /* for a moment, before that */
	bool no_bring;
	const char *unbrought; /* what that says after enter */
	int enter_errno;       /* of no_enter; 0: EPERM */
	const char *where;     /* that enter answers */

	/* One letter a call: C create, H hide, K keep, P pass, O offer, R
	 * restore, B bring, E enter, X end, D destroy. */
	char calls[32];
	struct vol_sandbox_job job;
	char script[PATH_MAX]; /* job.script, "" for NULL */
	char state_dir[PATH_MAX];
	uint64_t scratch_bytes; /* of the walls */
	uint32_t task;          /* that entered last */
	int passed;
	char cgroup[PATH_MAX]; /* of end */
};

#define FAKE_RESTORED 77

/* What offer writes. */
#define FAKE_OFFER "/usr 7\n"

extern struct fake_sandbox fake_sandbox;

#endif
