/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys.c - the device's key and the controller's */
#include "config.h"

#include "device/keys.h"

#include <string.h>

#include "device/identity.h"
#include "log.h"

int vol_keys_load(struct vol_device_role *d, struct vol_error *err)
{
	d->key = vol_identity_load(d->conf.state_dir, d->id, err);
	if (!d->key || vol_identity_boot(d->boot, err) < 0 ||
	    vol_pin_load(d->conf.state_dir, &d->pin, err) < 0)
		return -1;
	d->tls = vol_tls_context_create(d->key, err);
	return d->tls ? 0 : -1;
}

void vol_keys_free(struct vol_device_role *d)
{
	vol_tls_context_destroy(d->tls);
	vol_keypair_destroy(d->key);
}

void vol_keys_pin(const struct vol_device_role *d, struct vol_tls_pin *pin)
{
	if (!d->join.has_token) {
		vol_pin_choose(&d->pin, &d->conf, pin);
		return;
	}
	memset(pin, 0, sizeof(*pin));
	pin->bytes = sizeof(d->join.token.controller);
	memcpy(pin->key.byte, d->join.token.controller, pin->bytes);
}

void vol_keys_insist(struct vol_device_role *d)
{
	struct vol_tls_pin pin;

	vol_keys_pin(d, &pin);
	vol_uplink_pin(d->uplink, &pin);
}

void vol_keys_welcomed(struct vol_device_role *d,
		       const struct vol_fingerprint *key, const char *cluster)
{
	char text[VOL_FINGERPRINT_SIZE];
	bool known = d->pin.known && vol_fingerprint_equal(&d->pin.key, key);
	struct vol_error err;

	if (vol_pin_keep(d->conf.state_dir, &d->pin, key, cluster, &err) < 0)
		vol_warn("the controller's key is not remembered: %s",
			 err.text);
	vol_fingerprint_text(key, text);
	if (!known)
		vol_info("the controller's key is %s from now on", text);
	vol_keys_insist(d);
}

void vol_keys_stranger(const struct vol_fingerprint *key, void *arg)
{
	const struct vol_device_role *d = arg;
	char text[VOL_FINGERPRINT_SIZE];

	vol_fingerprint_text(key, text);
	if (d->conf.controller_key)
		vol_warn("it was told nothing. If the controller has a new "
			 "key, as `volunteer status` there shows it, change "
			 "controller_key in %s to %s",
			 d->conf_path, text);
	else
		vol_warn("it was told nothing. If the controller has a new "
			 "key, as `volunteer status` there shows it, put "
			 "controller_key = %s into %s, or remove "
			 "%s/" VOL_PIN_FILE " and restart",
			 text, d->conf_path, d->conf.state_dir);
}
