/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keypair.h - the Ed25519 key pair by which a device or a controller is known
 *
 * Kept as PEM (PKCS #8, RFC 5958) in a file that only its owner may read.  No
 * certificates: who is who is told by fingerprints, so no clock matters.
 */
#ifndef VOL_KEYPAIR_H
#define VOL_KEYPAIR_H

#include <stddef.h>

#include "error.h"
#include "fingerprint.h"

struct vol_keypair;

/* Read path, or make a key pair and store it there, durably (fsync of file and
 * folder) before it is used.  The folder must exist.
 *
 * What is there is never overwritten: a file that others than its owner may
 * read (EPERM), that belongs to a stranger (as of vol_trusted_open), is damaged
 * or holds another kind of key (EBADMSG) is an error that names it, since a new
 * key is a new device to the controller. */
struct vol_keypair *vol_keypair_load(const char *path, struct vol_error *err);

/* One that is kept nowhere. */
struct vol_keypair *vol_keypair_make(struct vol_error *err);

/* NULL-safe; what was secret is overwritten. */
void vol_keypair_destroy(struct vol_keypair *k);

const struct vol_fingerprint *vol_keypair_fingerprint(
	const struct vol_keypair *k);

/* The fingerprint of a public key in DER (SubjectPublicKeyInfo), as a peer
 * sends it.  EBADMSG for what is not an Ed25519 key.  One key has one
 * fingerprint, however it was written down. */
int vol_keypair_fingerprint_of(const void *der, size_t len,
			       struct vol_fingerprint *f,
			       struct vol_error *err);

#endif
