/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keypair_private.h - how tls.c gets at a key pair; nobody else includes it */
#ifndef VOL_KEYPAIR_PRIVATE_H
#define VOL_KEYPAIR_PRIVATE_H

#include <gnutls/gnutls.h>

#include "keypair.h"

/* Copy the pair into credentials, as a raw public key (RFC 7250) and what
 * proves it. */
int vol_keypair_credentials(const struct vol_keypair *k,
			    gnutls_certificate_credentials_t credentials,
			    struct vol_error *err);

#endif
