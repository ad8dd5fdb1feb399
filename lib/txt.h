/* SPDX-License-Identifier: GPL-2.0-or-later */
/* txt.h - the TXT records of our two mDNS services; hostile input
 *
 * Both services publish
 *	txtvers=1          format of this record; another value is refused
 *	proto=N            device link protocol (VOL_LINK_PROTO)
 *	name=CLUSTER       controller: ClusterName;  device: node name or ""
 *	id=HEX32           controller or device identity (a label, not a proof)
 * Unknown keys are ignored, known ones may appear once; name is [A-Za-z0-9_-]
 * and at most 40 characters (Slurm's own limit on ClusterName).
 */
#ifndef VOL_TXT_H
#define VOL_TXT_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "names.h"

#define VOL_TXT_VERSION "1"
#define VOL_TXT_NAME_SIZE VOL_NODE_NAME_SIZE

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

/* Check and take apart; *txt is untouched on error. */
int vol_txt_parse(const struct vol_txt_item *items, size_t n_items,
		  struct vol_txt *txt, struct vol_error *err);

/* Write "key=value" strings; returns how many (always <= 4). */
size_t vol_txt_format(const struct vol_txt *txt, char item[][80], size_t max);

#endif
