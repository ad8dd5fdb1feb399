/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_key.h - what an administrator can have done to the Slurm key */
#ifndef VOL_CTL_KEY_H
#define VOL_CTL_KEY_H

#include <jansson.h>
#include <sys/types.h>

#include "error.h"

/* {"type": "rotate-key", "others": bool?}, {"type": "rotate-stop"},
 * {"type": "rotation"} -> as of vol_keyring_json */
json_t *vol_ctl_rotate(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err);
json_t *vol_ctl_rotate_stop(const json_t *request, uid_t uid, void *arg,
			    struct vol_error *err);
json_t *vol_ctl_rotation(const json_t *request, uid_t uid, void *arg,
			 struct vol_error *err);

#endif
