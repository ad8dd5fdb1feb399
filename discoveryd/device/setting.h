/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setting.h - the preferences in device.conf that an owner may change
 *
 * These are all keys of [owner], [jobs] and [share].  A key is named as "key"
 * or "section.key".
 */
#ifndef VOL_SETTING_H
#define VOL_SETTING_H

#include <jansson.h>

#include "device/device_conf.h"
#include "error.h"

/* ENOENT for a key that there is none of, EPERM for one that is the
 * administrator's. */
const struct vol_conf_option *vol_setting_find(const char *key,
					       struct vol_error *err);

/* Give key that value in the file at path (made if there is none); value NULL
 * goes back to the default.  The file is replaced as a whole, with the mode and
 * owner it had, and only by one that is right as a whole and leaves something
 * to share; otherwise it stays. */
int vol_setting_apply(const char *path, const char *key, const char *value,
		      struct vol_error *err);

/* The same for owners, which has a word of its own (move-owner). */
int vol_setting_owners(const char *path, const char *value,
		       struct vol_error *err);

/* New reference: {"owner.idle_after": "5m", ...}. */
json_t *vol_setting_list(const struct vol_device_conf *conf);

#endif
