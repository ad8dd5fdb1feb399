/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry.c - how this device gets to its controller */
#include "config.h"

#include "device/entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/identity.h"
#include "device/keys.h"
#include "digest.h"
#include "hex.h"
#include "log.h"

int vol_entry_load(struct vol_device_role *d, struct vol_error *err)
{
	return vol_join_load(d->conf.state_dir, &d->join, err);
}

static void keep_join(struct vol_device_role *d)
{
	struct vol_error err;

	if (vol_join_save(d->conf.state_dir, &d->join, &err) < 0)
		vol_warn("%s", err.text);
}

/* ---- the link ---- */

static bool insists_on(const struct vol_device_role *d,
		       const struct vol_fingerprint *key)
{
	struct vol_tls_pin pin;

	vol_keys_pin(d, &pin);
	return pin.bytes > 0 && memcmp(pin.key.byte, key->byte, pin.bytes) == 0;
}

bool vol_entry_knocks(const struct vol_fingerprint *key,
		      struct vol_link_msg *knock, void *arg)
{
	struct vol_device_role *d = arg;
	uint8_t nonce[VOL_SHORTCODE_NONCE];

	/* Never without: then what it says is what everybody may hear. */
	if (vol_random(nonce, sizeof(nonce)) < 0)
		abort();
	if (!vol_trust_knocks(&d->trust, insists_on(d, key), key,
			      vol_keypair_fingerprint(d->key), nonce,
			      vol_sha256, knock))
		return false;
	gethostname(knock->hostname, sizeof(knock->hostname) - 1);
	snprintf(knock->version, sizeof(knock->version), "%s", PACKAGE_VERSION);
	return true;
}

int vol_entry_nonce(const struct vol_link_msg *msg, uint64_t now_ms,
		    struct vol_link_msg *reveal, void *arg,
		    struct vol_error *err)
{
	struct vol_device_role *d = arg;

	return vol_trust_nonce(&d->trust, msg, now_ms, vol_sha256, reveal, err);
}

bool vol_entry_pending(const struct vol_link_msg *msg, void *arg)
{
	struct vol_device_role *d = arg;

	if (!vol_trust_pending(&d->trust, msg))
		return false;
	vol_info("cluster %s: %s; the code is %s", msg->cluster, msg->reason,
		 d->trust.last);
	return true;
}

bool vol_entry_approved(const struct vol_fingerprint *key, void *arg)
{
	struct vol_device_role *d = arg;
	bool told = d->trust.unbelieved;

	if (vol_trust_approved(&d->trust, insists_on(d, key), d->conf.trust))
		return true;
	if (!told)
		vol_warn("a controller approves of this device, which does not "
			 "know it: compare the code (volunteer status), then "
			 "volunteer join CODE");
	return false;
}

/* Our own controller has shut us out: a slurmd that begins anew would make
 * itself a node again. */
static void be_out(struct vol_device_role *d)
{
	struct vol_tls_pin pin;

	vol_keys_pin(d, &pin);
	if (pin.bytes == 0 || !d->slurmd)
		return;
	memset(&d->welcome, 0, sizeof(d->welcome));
	d->node_told = false;
	vol_slurmd_unwant(d->slurmd);
}

void vol_entry_refused(const struct vol_link_msg *msg, void *arg)
{
	struct vol_device_role *d = arg;

	if (strcmp(msg->code, "not_enrolled") == 0)
		be_out(d);
	if (!vol_trust_refused(&d->trust, msg) || !d->join.has_token)
		return;
	explicit_bzero(&d->join.token, sizeof(d->join.token));
	d->join.has_token = false;
	keep_join(d);
	vol_keys_insist(d);
}

void vol_entry_lost(void *arg)
{
	struct vol_device_role *d = arg;

	vol_trust_lost(&d->trust);
}

void vol_entry_hello(const struct vol_device_role *d, struct vol_link_msg *msg)
{
	const struct vol_jointoken *token = &d->join.token;

	if (!d->join.has_token)
		return;
	vol_hex_encode(token->id, sizeof(token->id), msg->token);
	vol_hex_encode(token->secret, sizeof(token->secret),
		       msg->token + 2 * sizeof(token->id));
}

void vol_entry_welcomed(struct vol_device_role *d)
{
	vol_trust_lost(&d->trust);
	*d->trust.last = '\0';
	d->trust.unbelieved = d->trust.told_off = d->trust.bad_token = false;
	if (!d->join.has_token)
		return;
	explicit_bzero(&d->join.token, sizeof(d->join.token));
	d->join.has_token = false;
	keep_join(d);
}

/* ---- the owner ---- */

static json_t *told(const char *text, struct vol_error *err)
{
	json_t *data = json_pack("{s:s}", "text", text);

	if (!data)
		vol_errorf_errno(err, ENOMEM, "out of memory");
	return data;
}

static json_t *join_code(struct vol_device_role *d, const char *code,
			 struct vol_error *err)
{
	if (vol_trust_confirm(&d->trust, code, err) < 0)
		return NULL;
	if (vol_pin_keep(d->conf.state_dir, &d->pin, &d->trust.last_key,
			 d->trust.last_cluster, err) < 0)
		return NULL;
	vol_info("the owner confirmed code %s: cluster %s", code,
		 d->trust.last_cluster);
	vol_keys_insist(d);
	/* While it waits the link is that controller's already. */
	if (d->trust.waits)
		return told("This controller it is; its administrator must "
			    "approve.",
			    err);
	vol_uplink_again(d->uplink);
	return told("This controller it is.", err);
}

/* Checked before anything is changed. */
static int check_token(const struct vol_device_role *d,
		       const struct vol_join *join, struct vol_error *err)
{
	struct vol_fingerprint key;

	if (!d->conf.controller_key ||
	    vol_fingerprint_parse(d->conf.controller_key, &key, NULL) < 0 ||
	    vol_jointoken_is_of(&join->token, &key))
		return 0;
	return vol_errorf_errno(err, EINVAL,
				"the token is of another controller than "
				"controller_key in %s",
				d->conf_path);
}

static json_t *join_token(struct vol_device_role *d, const char *text,
			  const char *controller, struct vol_error *err)
{
	struct vol_join fresh = d->join;
	char host[256];
	uint16_t port;

	if (vol_jointoken_parse(text, &fresh.token, err) < 0 ||
	    check_token(d, &fresh, err) < 0)
		return NULL;
	fresh.has_token = true;
	if (controller && vol_device_conf_host(controller, host, sizeof(host),
					       &port, err) < 0) {
		vol_error_prefix(err, "--controller");
		return NULL;
	}
	if (controller && d->conf.controller && !*d->join.controller) {
		vol_errorf_errno(err, EINVAL,
				 "controller = %.100s is said in %.80s already",
				 d->conf.controller, d->conf_path);
		return NULL;
	}
	if (controller)
		snprintf(fresh.controller, sizeof(fresh.controller), "%s",
			 controller);
	if (vol_join_save(d->conf.state_dir, &fresh, err) < 0)
		return NULL;
	d->join = fresh;
	d->trust.told_off = d->trust.bad_token = false;
	vol_info("the owner gave a token");
	/* Its controller may be of another cluster than the last. */
	vol_remembered_forget(d->conf.state_dir);
	/* Ends a link to another controller; jobs are evicted by its lease. */
	if (vol_device_relink(d, err) < 0)
		return NULL;
	return told("Looking for the controller of this token; see volunteer "
		    "status.",
		    err);
}

json_t *vol_ctl_join(const json_t *request, uid_t uid, void *arg,
		     struct vol_error *err)
{
	struct vol_device_role *d = arg;
	const char *with = json_string_value(json_object_get(request, "with"));
	const char *controller =
		json_string_value(json_object_get(request, "controller"));

	/* Not who sits here, nor who may pause: he would be root. */
	if (uid != 0) {
		vol_errorf_errno(err, EPERM,
				 "only root may join: who is this machine's "
				 "controller has its slurmd, which runs as "
				 "root");
		return NULL;
	}
	if (!with) {
		vol_errorf_errno(err, EINVAL, "with: want a token or a code");
		return NULL;
	}
	if (strlen(with) == VOL_SHORTCODE_TEXT - 1 &&
	    strspn(with, "0123456789") == VOL_SHORTCODE_TEXT - 1)
		return join_code(d, with, err);
	return join_token(d, with, controller, err);
}

json_t *vol_entry_json(const struct vol_device_role *d)
{
	char key[VOL_FINGERPRINT_SIZE] = "";

	if (d->pin.known)
		vol_fingerprint_text(&d->pin.key, key);
	return json_pack("{s:s, s:b, s:b, s:b, s:b, s:s}", "code",
			 d->trust.last, "waits", (int)d->trust.waits,
			 "unbelieved", (int)d->trust.unbelieved, "token",
			 (int)d->join.has_token, "bad_token",
			 (int)d->trust.bad_token, "key", key);
}
