/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_device.h - what `volunteer` may ask a device
 *
 * {"type": "version"} -> {"role": "device", "version": "0.1.0",
 *	"slurm": "24.11.5" or ""}
 * {"type": "status"} ->
 *	role       "device"
 *	version, hostname, id
 *	leaving    true after SIGTERM
 *	link       state      "looking", "waiting", "dialing", "greeting", "up",
 *	                      "left"
 *	           for_ms     since when
 *	           controller address dialled last, port
 *	           local      our address on the link, "" unless up
 *	           cluster    of the last welcome, "" before
 *	           trouble    why the last try failed, "" when up
 *	door       as vol_entry_json
 *	node       name       "" before the first welcome
 *	           state      "up", "missing", "wrong", "unknown"
 *	           reason     the controller's words
 *	slurmd     state      "down", "starting", "up"
 *	           pid        0 = none
 *	           node       name it runs under, "" = none
 *	           conf_server, version ("" = not known)
 *	           spank_active  false: steps would not be marked
 *	busy       true while a job step is alive
 *	steps      list of job, step, uid, stepd (see steps.h)
 *	facts      as in the hello message (see facts.h)
 */
#ifndef VOL_CTL_DEVICE_H
#define VOL_CTL_DEVICE_H

#include "ctl.h"

/* arg of vol_ctl_create: struct vol_device_role. */
extern const struct vol_ctl_command vol_device_commands[];

#endif
