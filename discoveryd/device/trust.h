/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust.h - whom a device takes for its controller, and what it says first;
 * pure
 *
 * One whose key it insists on (pin.h: device.conf, a token, a code that was
 * confirmed, an earlier welcome) is told hello.  Anybody else who answers may
 * be a forgery, so he hears a knock: the device's name, and half of a code.
 * That he approves of us proves nothing, since anybody would.  So the device
 * joins him when its owner says that he has seen this code on the controller's
 * screen (volunteer join CODE), or, with trust = first, just so.
 */
#ifndef VOL_TRUST_H
#define VOL_TRUST_H

#include <stdbool.h>

#include "fingerprint.h"
#include "link.h"
#include "ration.h"
#include "shortcode.h"

/* Codes that this device computes: so many at once, then one more in the time
 * after which it turns to another controller (VOL_UPLINK_PENDING_MS).  Somebody
 * in between who keeps n links waiting at the controller has n chances in a
 * million with each; without an end to them he would go on until one of his
 * codes is ours, and that one would be compared. */
#define VOL_TRUST_CODES   10
#define VOL_TRUST_CODE_MS 180000

/* trust = ... in device.conf. */
enum vol_trust_mode {
	VOL_TRUST_CODE,
	VOL_TRUST_FIRST, /* whoever is the first to approve of us */
};

struct vol_trust {
	bool told_off;             /* our controller does not know us: knock */
	struct vol_shortcode code; /* of this link */
	/* The last code that was agreed on, and with whom; "" for none.  It
	 * outlives the link: who was approved meanwhile gets no other. */
	char last[VOL_SHORTCODE_TEXT];
	struct vol_fingerprint last_key;
	char last_cluster[VOL_NODE_NAME_SIZE];
	struct vol_ration codes;
	bool waits;     /* on this link, for its administrator */
	bool accepted;  /* it approved of us on this link, and we believed it */
	bool bad_token; /* the last token was of no use */
	bool unbelieved; /* it approved of us, and nobody confirmed the code */
};

/* Must the holder of key hear a knock?  Fills *knock then (id and key are our
 * own); nonce: VOL_SHORTCODE_NONCE fresh random bytes.  insisted: key is the
 * one that we insist on. */
bool vol_trust_knocks(struct vol_trust *t, bool insisted,
		      const struct vol_fingerprint *controller,
		      const struct vol_fingerprint *own, const uint8_t *nonce,
		      vol_sha256_f sha256, struct vol_link_msg *knock);

/* Its number has come: *reveal is the answer.  -1: not now, or no digest;
 * EAGAIN: there were too many, so the link has to end and nobody to be dialled
 * for a while. */
int vol_trust_nonce(struct vol_trust *t, const struct vol_link_msg *msg,
		    uint64_t now_ms, vol_sha256_f sha256,
		    struct vol_link_msg *reveal, struct vol_error *err);

/* It has the code, too, and waits for its administrator; false: it can not,
 * for there is none. */
bool vol_trust_pending(struct vol_trust *t, const struct vol_link_msg *msg);

/* It approves of us: may we say hello? */
bool vol_trust_approved(struct vol_trust *t, bool insisted,
			enum vol_trust_mode mode);

/* What follows from a refusal; true: our token is of no use. */
bool vol_trust_refused(struct vol_trust *t, const struct vol_link_msg *refuse);

/* The link is gone. */
void vol_trust_lost(struct vol_trust *t);

/* The owner has seen code on the controller's screen: 0, and last_key is the
 * controller's.  -1 with EINVAL for another code, ENOENT without any. */
int vol_trust_confirm(struct vol_trust *t, const char *code,
		      struct vol_error *err);

#endif
