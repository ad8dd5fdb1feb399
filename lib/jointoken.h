/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jointoken.h - the one line that lets a device in
 *
 * "sv1-" and 61 characters of base32 (RFC 4648 alphabet in lower case, without
 * padding) that hold, in this order:
 *
 *	16 bytes  the controller: the first half of its fingerprint, so that a
 *	          forged one is refused before anything is sent to it
 *	 4 bytes  id of the token, by which the controller finds it
 *	16 bytes  secret
 *	 2 bytes  check: CRC-16/CCITT-FALSE (ITU-T V.41 polynomial 0x1021, from
 *	          0xffff) of all bytes before, big endian
 *
 * The check tells a mistyped token from one that is not valid any more, without
 * asking anybody.  128 bits of the fingerprint: to make a key that passes for
 * the controller's means to find a second preimage of those.
 */
#ifndef VOL_JOINTOKEN_H
#define VOL_JOINTOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "fingerprint.h"

#define VOL_JOINTOKEN_CONTROLLER 16
#define VOL_JOINTOKEN_ID         4
#define VOL_JOINTOKEN_SECRET     16
/* With NUL. */
#define VOL_JOINTOKEN_SIZE 66

struct vol_jointoken {
	uint8_t controller[VOL_JOINTOKEN_CONTROLLER];
	uint8_t id[VOL_JOINTOKEN_ID];
	uint8_t secret[VOL_JOINTOKEN_SECRET];
};

/* Returns text. */
const char *vol_jointoken_text(const struct vol_jointoken *token,
			       char text[VOL_JOINTOKEN_SIZE]);

/* Whole text, or -1 and one reason without any of the secret in it: EINVAL for
 * what is no token or a mistyped one, ENODATA for one that is cut off,
 * EPROTONOSUPPORT for one of another version.  Capitals pass for small letters.
 * *token is untouched on error. */
int vol_jointoken_parse(const char *text, struct vol_jointoken *token,
			struct vol_error *err);

/* Was the token made by the controller with this key? */
bool vol_jointoken_is_of(const struct vol_jointoken *token,
			 const struct vol_fingerprint *key);

#endif
