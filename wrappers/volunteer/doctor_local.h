/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_local.h - what doctor can only see on this host */
#ifndef VOL_DOCTOR_LOCAL_H
#define VOL_DOCTOR_LOCAL_H

#include <stdbool.h>

/* Does plugstack.conf of conf_dir, or a file that it includes, load
 * spank_volunteer.so, and is that plugin there?  plugin_dir is where relative
 * names are looked up. */
bool vol_doctor_has_spank(const char *conf_dir, const char *plugin_dir);

#endif
