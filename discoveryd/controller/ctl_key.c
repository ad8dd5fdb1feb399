/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_key.c - what an administrator can have done to the Slurm key */
#include "config.h"

#include "ctl_key.h"

#include "controller.h"
#include "keyring.h"
#include "log.h"

json_t *vol_ctl_rotation(const json_t *request, uid_t uid, void *arg,
			 struct vol_error *err)
{
	const struct vol_controller *c = arg;

	(void)request;
	(void)uid;
	return vol_keyring_json(c->keyring, err);
}

json_t *vol_ctl_rotate(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err)
{
	struct vol_controller *c = arg;

	if (vol_keyring_rotate(c->keyring,
			       json_is_true(json_object_get(request, "others")),
			       uid, err) < 0)
		return NULL;
	return vol_keyring_json(c->keyring, err);
}

json_t *vol_ctl_rotate_stop(const json_t *request, uid_t uid, void *arg,
			    struct vol_error *err)
{
	struct vol_controller *c = arg;

	(void)request;
	if (vol_keyring_stop(c->keyring, err) < 0)
		return NULL;
	vol_info("key rotation stopped by uid %u", (unsigned)uid);
	return vol_keyring_json(c->keyring, err);
}
