/* SPDX-License-Identifier: GPL-2.0-or-later */
/* txt.h - the TXT records of our two mDNS services; hostile input
 *
 * Both services publish
 *	txtvers=1          format of this record; another value is refused
 *	proto=N            device link protocol (VOL_LINK_PROTO)
 *	name=CLUSTER       controller: ClusterName;  device: node name or ""
 *	id=HEX32           controller or device identity (a label, not a proof)
 * All four are required, once each and in any order; unknown keys are ignored.
 * Keys have no case (RFC 6763, 6.4).  name is [A-Za-z0-9_-] and at most 63
 * characters: ClusterName is at most 40, but a node name may be that long.
 */
#ifndef VOL_TXT_H
#define VOL_TXT_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "names.h"

#define VOL_TXT_VERSION   "1"
#define VOL_TXT_NAME_SIZE VOL_NODE_NAME_SIZE
#define VOL_TXT_ITEMS     4
/* "name=" and the longest name */
#define VOL_TXT_ITEM_SIZE 80

#define VOL_SERVICE_CONTROLLER "_slurm-volctl._tcp"
#define VOL_SERVICE_DEVICE     "_slurm-voldev._tcp"

struct vol_txt {
	uint32_t proto;
	char name[VOL_TXT_NAME_SIZE];
	char id[VOL_DEVICE_ID_SIZE];
};

/* One TXT string as it came (not NUL-terminated). */
struct vol_txt_item {
	const uint8_t *data;
	size_t len;
};

/* Check and take apart; -1 with EINVAL, *txt is then untouched. */
int vol_txt_parse(const struct vol_txt_item *items, size_t n_items,
		  struct vol_txt *txt, struct vol_error *err);

/* Write "key=value" strings; returns how many (VOL_TXT_ITEMS, or max).  What
 * may not stand in a name is written as '_'. */
size_t vol_txt_format(const struct vol_txt *txt, char item[][VOL_TXT_ITEM_SIZE],
		      size_t max);

#endif
