/* SPDX-License-Identifier: GPL-2.0-or-later */
/* auth.c - the one place that decides who is let in
 *
 * With enrol = open every well-formed hello is welcome: whoever reaches the
 * port may join.  The door (keys, tokens, approval) belongs here and nowhere
 * else.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "auth.h"

/* A device of another version changes only by an update. */
#define RETRY_VERSION_MS 600000
#define RETRY_ENROL_MS   60000

bool vol_auth_admit(const struct vol_controller_conf *conf,
		    const struct vol_link_msg *hello, const char *address,
		    struct vol_refusal *refusal)
{
	(void)address; /* an address proves nothing */
	if (hello->proto != VOL_LINK_PROTO) {
		refusal->code = "version";
		refusal->retry_ms = RETRY_VERSION_MS;
		snprintf(refusal->reason, sizeof(refusal->reason),
			 "link protocol %u is spoken here, not %u",
			 VOL_LINK_PROTO, hello->proto);
		return false;
	}
	if (strcmp(conf->enrol, "open") == 0)
		return true;
	refusal->code = "not_enrolled";
	refusal->retry_ms = RETRY_ENROL_MS;
	snprintf(refusal->reason, sizeof(refusal->reason),
		 "this controller enrols no devices");
	return false;
}
