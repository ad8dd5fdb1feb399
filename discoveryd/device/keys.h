/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys.h - the device's key and the controller's; inside discoveryd/device only
 *
 * Whoever welcomes a device first is its controller from then on, until its
 * owner says otherwise (pin.h).
 */
#ifndef VOL_KEYS_H
#define VOL_KEYS_H

#include "device/device.h"

/* Fill d->key, d->tls, d->id, d->boot and d->pin from state_dir; on error some
 * of them.  After the control socket was made: nobody else may make a key. */
int vol_keys_load(struct vol_device_role *d, struct vol_error *err);
void vol_keys_free(struct vol_device_role *d);

/* What we insist on: the controller that the token is of, when one waits to be
 * used, else as of vol_pin_choose. */
void vol_keys_pin(const struct vol_device_role *d, struct vol_tls_pin *pin);

/* Let the link speak to our controller alone, if we have one. */
void vol_keys_insist(struct vol_device_role *d);

/* The holder of key let us into this cluster. */
void vol_keys_welcomed(struct vol_device_role *d,
		       const struct vol_fingerprint *key, const char *cluster);

/* For vol_uplink_ops: tell the owner what he can do.  arg: the role. */
void vol_keys_stranger(const struct vol_fingerprint *key, void *arg);

#endif
