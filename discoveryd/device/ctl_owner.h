/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_owner.h - what the owner of a device may have it do
 *
 * Commands of the control socket (ctl.h); arg is the struct vol_device_role.
 * All are refused to users who may not control this machine.
 *
 *	pause   {"until": unix seconds, 0 = until resumed} or {"seconds": n}
 *	        -> {"until": unix seconds or 0}
 *	resume  -> {}
 *	set     {"key": "idle_after", "value": "10m" or null = default}
 *	        -> {"key": "owner.idle_after", "old": "5m", "new": "10m"}
 *	log     {"n": at most 200} -> list of vol_owner_log
 */
#ifndef VOL_CTL_OWNER_H
#define VOL_CTL_OWNER_H

#include <jansson.h>
#include <sys/types.h>

#include "error.h"

json_t *vol_ctl_pause(const json_t *request, uid_t uid, void *arg,
		      struct vol_error *err);
json_t *vol_ctl_resume(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err);
json_t *vol_ctl_set(const json_t *request, uid_t uid, void *arg,
		    struct vol_error *err);
json_t *vol_ctl_log(const json_t *request, uid_t uid, void *arg,
		    struct vol_error *err);

/* {"type": "move-owner", "to": name, "from": name?} -> {"owners": what it is
 * now} */
json_t *vol_ctl_move_owner(const json_t *request, uid_t uid, void *arg,
			   struct vol_error *err);

#endif
