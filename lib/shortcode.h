/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shortcode.h - six digits that both ends of a link compute and a person
 * compares
 *
 * Whoever sits between the two has a key of his own on each side, so the codes
 * differ; but if one end could choose its part after it has seen the other's,
 * it could try keys and numbers until the codes agree.  So the device commits
 * itself first (as ZRTP does, RFC 6189 section 4.4.1.1, and the numeric
 * comparison of Bluetooth, Core Specification 5.4 Vol 3 Part H 2.3.5.6.2):
 *
 *	device -> controller   commit = SHA-256(LABEL_COMMIT, nonce_d)
 *	controller -> device   nonce_c
 *	device -> controller   nonce_d, which must be what was committed
 *	both                   code = SHA-256(LABEL_CODE, key_c, key_d, nonce_c,
 *	                       nonce_d), the first 8 bytes big endian, mod 10^6
 *
 * where key_c and key_d are the fingerprints that each end has seen in the
 * handshake.  What remains to somebody in between is to guess: one in 10^6 for
 * each time that both ends run this, and of n codes that wait on a controller
 * at the same time any may be hit.  So it is for the CALLER to limit how often
 * a peer may begin, and how many codes wait at a time; this file counts
 * nothing.
 *
 * Each machine goes one way only: whatever comes out of turn or twice, or does
 * not fit, ends it for good, and the link with it.  Pure: the caller brings
 * random numbers (from getrandom(2), never used before) and the digest.
 */
#ifndef VOL_SHORTCODE_H
#define VOL_SHORTCODE_H

#include <stdint.h>

#include "sha256.h"
#include "error.h"
#include "fingerprint.h"

#define VOL_SHORTCODE_NONCE 32
/* Six digits and NUL. */
#define VOL_SHORTCODE_TEXT 7

enum vol_shortcode_state {
	VOL_SHORTCODE_NEW,
	VOL_SHORTCODE_COMMITTED, /* device: commit is sent; controller: came */
	VOL_SHORTCODE_AGREED,    /* code is valid */
	VOL_SHORTCODE_FAILED,
};

struct vol_shortcode {
	enum vol_shortcode_state state;
	struct vol_fingerprint controller, device;
	uint8_t commit[VOL_SHA256_BYTES];
	uint8_t nonce_c[VOL_SHORTCODE_NONCE], nonce_d[VOL_SHORTCODE_NONCE];
	char code[VOL_SHORTCODE_TEXT]; /* "" unless AGREED */
};

/* The fingerprints of both ends as this end has seen them. */
void vol_shortcode_init(struct vol_shortcode *s,
			const struct vol_fingerprint *controller,
			const struct vol_fingerprint *device);

/* Device: begin with a fresh nonce; then send s->commit. */
int vol_shortcode_begin(struct vol_shortcode *s,
			const uint8_t nonce[VOL_SHORTCODE_NONCE],
			vol_sha256_f sha256, struct vol_error *err);
/* Device: the controller's nonce has come.  Then send s->nonce_d and show
 * s->code. */
int vol_shortcode_answer(struct vol_shortcode *s,
			 const uint8_t nonce[VOL_SHORTCODE_NONCE],
			 vol_sha256_f sha256, struct vol_error *err);

/* Controller: a commit has come; nonce is our own, fresh.  Then send
 * s->nonce_c. */
int vol_shortcode_committed(struct vol_shortcode *s,
			    const uint8_t commit[VOL_SHA256_BYTES],
			    const uint8_t nonce[VOL_SHORTCODE_NONCE],
			    struct vol_error *err);
/* Controller: the device's nonce has come.  Then show s->code. */
int vol_shortcode_revealed(struct vol_shortcode *s,
			   const uint8_t nonce[VOL_SHORTCODE_NONCE],
			   vol_sha256_f sha256, struct vol_error *err);

/* All four: 0, or -1 with EPROTO (out of turn, or not what was committed) or
 * the errno of sha256, *err, and state FAILED. */

#endif
