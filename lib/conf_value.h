/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_value.h - one value of a configuration, between text and object
 *
 * For conf.c only.
 */
#ifndef VOL_CONF_VALUE_H
#define VOL_CONF_VALUE_H

#include "conf.h"

/* The part of a foreign word that a message repeats. */
#define SHOWN "%.60s"

struct vol_conf_value {
	union {
		char *string; /* owned */
		bool flag;
		uint32_t uint;
		uint64_t number;
		struct vol_share share;
		int word;
	};
	bool given; /* by the text, not by the default */
};

/* The member of object that the row describes. */
static inline void *vol_conf_field(void *object,
				   const struct vol_conf_option *row)
{
	return (char *)object + row->offset;
}

/* text in file syntax into *v; what it held is forgotten, not freed.  The
 * reason in err does not name the key. */
int vol_conf_value_parse(const struct vol_conf_option *row, const char *text,
			 struct vol_conf_value *v, struct vol_error *err);

/* Move *v into object, freeing what it held. */
void vol_conf_value_store(const struct vol_conf_option *row,
			  struct vol_conf_value *v, void *object);

#endif
