/* SPDX-License-Identifier: GPL-2.0-or-later */
/* secret_json.h - keys and tokens pass through JSON on their way */
#ifndef VOL_SECRET_JSON_H
#define VOL_SECRET_JSON_H

/* From now on all memory that jansson gives back is overwritten first.  Before
 * the first JSON value is made. */
void vol_secret_json(void);

#endif
