/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pin.h - the controller's key that this device insists on
 *
 * The one in device.conf; else the one that was met first (or came with an
 * approval) and is kept in STATE_DIR/controller.key.json, as long as
 * device.conf does not name another cluster; else any.
 *
 * File: {"cluster": "name", "key": "64 hex"}
 */
#ifndef VOL_PIN_H
#define VOL_PIN_H

#include <stdbool.h>

#include "device/device_conf.h"
#include "error.h"
#include "fingerprint.h"
#include "names.h"
#include "tls.h"

#define VOL_PIN_FILE "controller.key.json"

struct vol_pin {
	bool known;
	struct vol_fingerprint key;
	char cluster[VOL_NODE_NAME_SIZE];
};

/* A missing file leaves pin->known false.  A damaged one is an error: whoever
 * can damage it must not be able to replace the controller by that. */
int vol_pin_load(const char *state_dir, struct vol_pin *pin,
		 struct vol_error *err);
int vol_pin_save(const char *state_dir, const struct vol_pin *pin,
		 struct vol_error *err);

/* What to insist on; of no bytes: any key. */
void vol_pin_choose(const struct vol_pin *pin,
		    const struct vol_device_conf *conf,
		    struct vol_tls_pin *choice);

/* The controller of this cluster, which holds key, is ours: from now on no
 * other is.  Nothing is written when that was so before; what could not be
 * written holds for as long as *pin. */
int vol_pin_keep(const char *state_dir, struct vol_pin *pin,
		 const struct vol_fingerprint *key, const char *cluster,
		 struct vol_error *err);

#endif
