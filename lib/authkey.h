/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authkey.h - the cluster's Slurm key: what munged or auth/slurm signs with
 *
 * Opaque bytes.  A key is called by its id, the first 8 bytes of its SHA-256 in
 * hex: "sha256sum munge.key | cut -c1-16" says the same.  On the link it is hex
 * (link.h, message key).  Whoever has one in memory wipes it after use.
 */
#ifndef VOL_AUTHKEY_H
#define VOL_AUTHKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "sha256.h"

/* What mungekey(8) makes is 32 to 1024 bytes; Debian's package makes 128. */
#define VOL_AUTHKEY_MIN 32
#define VOL_AUTHKEY_MAX 1024
/* Of a new one. */
#define VOL_AUTHKEY_NEW 128

#define VOL_AUTHKEY_ID_BYTES  8
#define VOL_AUTHKEY_ID_SIZE   (2 * VOL_AUTHKEY_ID_BYTES + 1)
#define VOL_AUTHKEY_TEXT_SIZE (2 * VOL_AUTHKEY_MAX + 1)

struct vol_authkey {
	uint8_t byte[VOL_AUTHKEY_MAX];
	size_t bytes;                 /* 0: none */
	char id[VOL_AUTHKEY_ID_SIZE]; /* "": none */
};

/* ERANGE for what is too short or too long.  *k is untouched on error. */
int vol_authkey_set(struct vol_authkey *k, const void *data, size_t len,
		    vol_sha256_f sha256, struct vol_error *err);

/* A new one, from the kernel's random numbers. */
int vol_authkey_make(struct vol_authkey *k, vol_sha256_f sha256,
		     struct vol_error *err);

/* From the hex digits of a message.  EINVAL for what is not hex, EBADMSG when
 * the key is not the one that id names: then nothing of it is to be used. */
int vol_authkey_parse(struct vol_authkey *k, const char *text, const char *id,
		      vol_sha256_f sha256, struct vol_error *err);
/* The same way back; wipe text. */
void vol_authkey_text(const struct vol_authkey *k,
		      char text[VOL_AUTHKEY_TEXT_SIZE]);

void vol_authkey_wipe(struct vol_authkey *k);

/* 16 lower-case hex digits; an even number of them that can be a key. */
bool vol_authkey_id_valid(const char *text);
bool vol_authkey_text_valid(const char *text);

/* hand_out_key = ... in controller.conf. */
enum vol_handout {
	VOL_HANDOUT_APPROVED, /* to devices that a person or a token let in */
	VOL_HANDOUT_ALL,      /* also to those that approve = all let in */
	VOL_HANDOUT_NO,
};

/* May a device have it whose approval is by that (registry.h)? */
bool vol_handout_allows(enum vol_handout handout, const char *by);

#endif
