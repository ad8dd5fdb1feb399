/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_show.h - the values of a configuration as text, for people */
#ifndef VOL_CONF_SHOW_H
#define VOL_CONF_SHOW_H

#include "conf.h"

/* Call f for each row of the table that belongs to section (NULL: to any) with
 * its value in file syntax, "" for what is not set.  Sizes are rounded to one
 * decimal.  text is borrowed until f returns. */
void vol_conf_show(const struct vol_conf_option *table, const char *section,
		   const void *object,
		   void (*f)(const char *section, const char *key,
			     const char *text, void *arg),
		   void *arg);

#endif
