/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seal.c - encrypt and open the chunks of an image, by GnuTLS */
#include "config.h"

#include "seal.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "hex.h"
#include "trusted.h"

#define KEY_BYTES sizeof(((struct vol_seal_key *)0)->byte)
#define KEY_TEXT  (2 * KEY_BYTES + 2) /* newline and NUL */

struct vol_seal {
	gnutls_aead_cipher_hd_t cipher;
	uint8_t head[VOL_IMAGE_HEAD];
};

/* ---- the store's key ---- */

static int make_key(const char *path, struct vol_seal_key *key,
		    struct vol_error *err)
{
	char text[KEY_TEXT];
	int rc;

	if (vol_random(key->byte, KEY_BYTES) < 0)
		return vol_errorf(err, "%s: no random bytes: %s", path,
				  strerror(errno));
	vol_hex_encode(key->byte, KEY_BYTES, text);
	strcat(text, "\n");
	rc = vol_file_replace(path, text, strlen(text), 0600, 1, err);
	explicit_bzero(text, sizeof(text));
	return rc;
}

static int read_key(int fd, const char *path, const struct stat *st,
		    struct vol_seal_key *key, struct vol_error *err)
{
	char *text;
	size_t len;
	bool good;

	if (st->st_mode & (S_IRWXG | S_IRWXO))
		return vol_errorf_errno(err, EPERM,
					"%s: others than its owner may read it",
					path);
	text = vol_file_read_fd(fd, path, KEY_TEXT, &len, err);
	if (!text)
		return -1;
	good = len == KEY_TEXT - 1 && text[len - 1] == '\n';
	if (good) {
		text[len - 1] = '\0';
		good = vol_hex_decode(text, key->byte, KEY_BYTES);
	}
	explicit_bzero(text, len);
	free(text);
	return good ? 0
		    : vol_errorf_errno(err, EBADMSG,
				       "%s: not a key of images: without the "
				       "right one no image can be opened",
				       path);
}

int vol_seal_key_load(const char *path, struct vol_seal_key *key,
		      struct vol_error *err)
{
	struct vol_error why;
	struct stat st;
	cleanup_fd int fd = vol_trusted_open(path, &st, &why);

	if (fd >= 0)
		return read_key(fd, path, &st, key, err);
	if (errno == ENOENT) {
		vol_file_tidy(path);
		return make_key(path, key, err);
	}
	return vol_errorf(err, "%s", why.text);
}

/* ---- chunks ---- */

/* RFC 5869. */
static int derive(const struct vol_seal_key *key,
		  const struct vol_image_head *head, uint8_t out[KEY_BYTES])
{
	static const char purpose[] = "slurm-volunteer image";
	uint8_t pseudo[VOL_SHA256_BYTES];
	gnutls_datum_t secret = {(unsigned char *)key->byte, KEY_BYTES};
	gnutls_datum_t salt = {(unsigned char *)head->salt, VOL_IMAGE_SALT};
	gnutls_datum_t mid = {pseudo, sizeof(pseudo)};
	gnutls_datum_t info = {(unsigned char *)purpose, sizeof(purpose) - 1};
	int r = gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &secret, &salt, pseudo);

	if (r >= 0)
		r = gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &mid, &info, out,
				       KEY_BYTES);
	explicit_bzero(pseudo, sizeof(pseudo));
	return r;
}

struct vol_seal *vol_seal_create(const struct vol_seal_key *key,
				 const struct vol_image_head *head,
				 struct vol_error *err)
{
	struct vol_seal *s = calloc(1, sizeof(*s));
	uint8_t own[KEY_BYTES];
	gnutls_datum_t datum = {own, sizeof(own)};
	int r;

	if (!s) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	vol_image_head_put(head, s->head);
	r = derive(key, head, own);
	if (r >= 0)
		r = gnutls_aead_cipher_init(&s->cipher,
					    GNUTLS_CIPHER_AES_256_GCM, &datum);
	explicit_bzero(own, sizeof(own));
	if (r < 0) {
		free(s);
		vol_errorf_errno(err, ENOTSUP, "AES-256-GCM: %s",
				 gnutls_strerror(r));
		return NULL;
	}
	return s;
}

void vol_seal_destroy(struct vol_seal *s)
{
	if (!s)
		return;
	gnutls_aead_cipher_deinit(s->cipher);
	free(s);
}

int vol_seal_close(struct vol_seal *s, uint64_t index, bool tail,
		   const void *plain, size_t len, uint8_t *out,
		   struct vol_error *err)
{
	uint8_t nonce[VOL_IMAGE_NONCE];
	size_t n = len + VOL_IMAGE_TAG;
	int r;

	vol_image_nonce(index, tail, nonce);
	r = gnutls_aead_cipher_encrypt(s->cipher, nonce, sizeof(nonce), s->head,
				       sizeof(s->head), VOL_IMAGE_TAG, plain,
				       len, out, &n);
	if (r < 0)
		return vol_errorf_errno(err, ENOTSUP, "AES-256-GCM: %s",
					gnutls_strerror(r));
	return 0;
}

int vol_seal_open(struct vol_seal *s, uint64_t index, bool tail,
		  const uint8_t *sealed, size_t len, void *out,
		  struct vol_error *err)
{
	uint8_t nonce[VOL_IMAGE_NONCE];
	size_t n = len - VOL_IMAGE_TAG;
	int r;

	vol_image_nonce(index, tail, nonce);
	r = gnutls_aead_cipher_decrypt(s->cipher, nonce, sizeof(nonce), s->head,
				       sizeof(s->head), VOL_IMAGE_TAG, sealed,
				       len, out, &n);
	if (r < 0)
		return vol_errorf_errno(
			err, EBADMSG, "chunk %llu was changed, or the key was",
			(unsigned long long)index);
	return 0;
}
