/* SPDX-License-Identifier: GPL-2.0-or-later */
/* identity.h - who this device is and whom it knows; kept in state_dir */
#ifndef VOL_IDENTITY_H
#define VOL_IDENTITY_H

#include <stdint.h>

#include "error.h"
#include "names.h"
#include "registry.h"

/* The controller that welcomed us last. */
struct vol_remembered {
	char address[VOL_ADDRESS_SIZE]; /* "" = none */
	uint16_t port;
	char cluster[VOL_NODE_NAME_SIZE];
};

/* Read STATE_DIR/device.id, made at the first start (0600).  A damaged file is
 * an error: a new identity would be a new node. */
int vol_identity_load(const char *state_dir, char id[VOL_DEVICE_ID_SIZE],
		      struct vol_error *err);

/* The kernel's boot id as 32 hex digits. */
int vol_identity_boot(char boot[VOL_DEVICE_ID_SIZE], struct vol_error *err);

/* STATE_DIR/controller.json; a missing file leaves address "". */
int vol_remembered_load(const char *state_dir, struct vol_remembered *r,
			struct vol_error *err);
int vol_remembered_save(const char *state_dir, const struct vol_remembered *r,
			struct vol_error *err);

#endif
