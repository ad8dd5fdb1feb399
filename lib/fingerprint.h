/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fingerprint.h - the name of a key: what people compare and files keep
 *
 * SHA-256 over the SubjectPublicKeyInfo of the public key in DER (RFC 5280
 * 4.1.2.7, RFC 7250 3).  Pure: discoveryd/common/keypair.h computes it.
 */
#ifndef VOL_FINGERPRINT_H
#define VOL_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "names.h"

#define VOL_FINGERPRINT_BYTES 32
/* In lower-case hex, and NUL. */
#define VOL_FINGERPRINT_SIZE (2 * VOL_FINGERPRINT_BYTES + 1)

struct vol_fingerprint {
	uint8_t byte[VOL_FINGERPRINT_BYTES];
};

/* 64 lower-case hex digits. */
void vol_fingerprint_text(const struct vol_fingerprint *f,
			  char text[VOL_FINGERPRINT_SIZE]);

/* Strict: exactly 64 digits of [0-9a-f].  EINVAL, *f untouched. */
int vol_fingerprint_parse(const char *text, struct vol_fingerprint *f,
			  struct vol_error *err);

/* In a time that does not depend on the bytes, so that nobody can feel his way
 * to one. */
bool vol_fingerprint_equal(const struct vol_fingerprint *a,
			   const struct vol_fingerprint *b);

/* The identity on the link of whoever holds the key: its first 16 bytes in hex.
 * To make another key with the same ones takes 2^128 tries. */
void vol_fingerprint_id(const struct vol_fingerprint *f,
			char id[VOL_DEVICE_ID_SIZE]);

#endif
