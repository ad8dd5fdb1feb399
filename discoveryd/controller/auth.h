/* SPDX-License-Identifier: GPL-2.0-or-later */
/* auth.h - who may be a device of this cluster */
#ifndef VOL_AUTH_H
#define VOL_AUTH_H

#include <stdbool.h>

#include "conf_controller.h"
#include "link.h"

struct vol_refusal {
	const char *code; /* of link.h's refuse */
	char reason[VOL_REASON_SIZE];
	uint32_t retry_ms;
};

/* The one place that lets a device in.  true, or *refusal is filled. */
bool vol_auth_admit(const struct vol_controller_conf *conf,
		    const struct vol_link_msg *hello, const char *address,
		    struct vol_refusal *refusal);

#endif
