/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl.h - local control socket: one request frame, one reply frame
 *
 * Request  {"type": "status", ...}
 * Reply    {"type": "ok", "data": {...}} or {"type": "error", "reason": "..."}
 * The socket is world-connectable; who is asking comes from SO_PEERCRED.  At
 * most 64 clients at once, each with 10 s to say something and 1 s to take the
 * answer.  The last 8 places are for root and the daemon's own user; any other
 * user has at most 16.
 */
#ifndef VOL_CTL_H
#define VOL_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "error.h"

struct vol_ctl;

/* Answer a request: return a new reference that becomes "data", or NULL with
 * *err filled. */
typedef json_t *(*vol_ctl_f)(const json_t *request, uid_t uid, void *arg,
			     struct vol_error *err);

struct vol_ctl_command {
	const char *type;
	bool privileged; /* root or the daemon's own user only */
	vol_ctl_f run;
};

/* Listen on path (an old socket is replaced; the folder is made).  commands
 * ends with a NULL type and must stay valid. */
struct vol_ctl *vol_ctl_create(sd_event *loop, const char *path,
			       const struct vol_ctl_command *commands,
			       void *arg, struct vol_error *err);
void vol_ctl_destroy(struct vol_ctl *c);

#endif
