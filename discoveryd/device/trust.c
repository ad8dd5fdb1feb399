/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust.c - whom a device takes for its controller, and what it says first */
#include "config.h"

#include "device/trust.h"

#include <errno.h>
#include <string.h>

#include "hex.h"

bool vol_trust_knocks(struct vol_trust *t, bool insisted,
		      const struct vol_fingerprint *controller,
		      const struct vol_fingerprint *own, const uint8_t *nonce,
		      vol_sha256_f sha256, struct vol_link_msg *knock)
{
	t->waits = false;
	if (t->accepted || (insisted && !t->told_off))
		return false;
	vol_shortcode_init(&t->code, controller, own);
	/* Without a digest the commit is all zeros, and its reveal refused. */
	(void)vol_shortcode_begin(&t->code, nonce, sha256, NULL);
	memset(knock, 0, sizeof(*knock));
	knock->type = VOL_LINK_KNOCK;
	knock->proto = VOL_LINK_PROTO;
	vol_fingerprint_id(own, knock->id);
	vol_hex_encode(t->code.commit, sizeof(t->code.commit), knock->commit);
	return true;
}

int vol_trust_nonce(struct vol_trust *t, const struct vol_link_msg *msg,
		    uint64_t now_ms, vol_sha256_f sha256,
		    struct vol_link_msg *reveal, struct vol_error *err)
{
	uint8_t nonce[VOL_SHORTCODE_NONCE];

	if (!vol_hex_decode(msg->nonce, nonce, sizeof(nonce)))
		return vol_errorf_errno(err, EINVAL, "nonce: not a number");
	if (!vol_ration_take(&t->codes, VOL_TRUST_CODES, VOL_TRUST_CODE_MS,
			     now_ms)) {
		t->code.state = VOL_SHORTCODE_FAILED;
		return vol_errorf_errno(err, EAGAIN,
					"it asks for too many codes: the next "
					"is made in some minutes");
	}
	if (vol_shortcode_answer(&t->code, nonce, sha256, err) < 0)
		return -1;
	memset(reveal, 0, sizeof(*reveal));
	reveal->type = VOL_LINK_REVEAL;
	vol_hex_encode(t->code.nonce_d, sizeof(t->code.nonce_d), reveal->nonce);
	return 0;
}

bool vol_trust_pending(struct vol_trust *t, const struct vol_link_msg *msg)
{
	if (t->code.state != VOL_SHORTCODE_AGREED)
		return false;
	memcpy(t->last, t->code.code, sizeof(t->last));
	t->last_key = t->code.controller;
	memcpy(t->last_cluster, msg->cluster, sizeof(t->last_cluster));
	t->waits = true;
	t->unbelieved = false;
	return true;
}

bool vol_trust_approved(struct vol_trust *t, bool insisted,
			enum vol_trust_mode mode)
{
	bool believed = insisted || mode == VOL_TRUST_FIRST;

	t->waits = false;
	t->told_off = false;
	t->accepted = believed;
	t->unbelieved = !believed;
	return believed;
}

bool vol_trust_refused(struct vol_trust *t, const struct vol_link_msg *refuse)
{
	t->waits = false;
	if (strcmp(refuse->code, "knock") == 0)
		t->told_off = true;
	if (strcmp(refuse->code, "bad_token") != 0)
		return false;
	t->bad_token = true;
	return true;
}

void vol_trust_lost(struct vol_trust *t)
{
	t->waits = t->accepted = false;
	t->code.state = VOL_SHORTCODE_FAILED;
}

int vol_trust_confirm(struct vol_trust *t, const char *code,
		      struct vol_error *err)
{
	if (!*t->last)
		return vol_errorf_errno(err, ENOENT,
					"there is no code yet: no controller "
					"has answered");
	if (strcmp(code, t->last) != 0)
		return vol_errorf_errno(err, EINVAL,
					"the code here is another one: this is "
					"not the controller that you see, or "
					"it has a new one by now");
	t->unbelieved = false;
	return 0;
}
