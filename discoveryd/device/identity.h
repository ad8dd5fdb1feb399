/* SPDX-License-Identifier: GPL-2.0-or-later */
/* identity.h - who this device is and whom it knows; kept in state_dir */
#ifndef VOL_IDENTITY_H
#define VOL_IDENTITY_H

#include <stdint.h>

#include "error.h"
#include "keypair.h"
#include "names.h"
#include "registry.h"

/* The controller that welcomed us last. */
struct vol_remembered {
	char address[VOL_ADDRESS_SIZE]; /* "" = none */
	uint16_t port;
	char cluster[VOL_NODE_NAME_SIZE];
};

/* The key pair of STATE_DIR/device.key, made at the first start (0600), and the
 * identity that follows from it.  A damaged file is an error: a new key would
 * be a new node.  NULL on error; the caller destroys the pair. */
struct vol_keypair *vol_identity_load(const char *state_dir,
				      char id[VOL_DEVICE_ID_SIZE],
				      struct vol_error *err);

/* The kernel's boot id as 32 hex digits. */
int vol_identity_boot(char boot[VOL_DEVICE_ID_SIZE], struct vol_error *err);

/* STATE_DIR/controller.json; a missing file leaves address "". */
int vol_remembered_load(const char *state_dir, struct vol_remembered *r,
			struct vol_error *err);
int vol_remembered_save(const char *state_dir, const struct vol_remembered *r,
			struct vol_error *err);
/* Another cluster may be the one from now on. */
void vol_remembered_forget(const char *state_dir);

#endif
