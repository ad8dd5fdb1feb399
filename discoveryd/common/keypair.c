/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keypair.c - the Ed25519 key pair by which a device or a controller is known
 */
#include "config.h"

#include "keypair.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "digest.h"
#include "keypair_private.h"
#include "trusted.h"

/* An Ed25519 key is 119 bytes of PEM; people add comments. */
#define FILE_MAX 4096

struct vol_keypair {
	gnutls_datum_t secret; /* PKCS #8, PEM */
	gnutls_datum_t public; /* SubjectPublicKeyInfo, PEM */
	struct vol_fingerprint fingerprint;
};

static int failed(int r, struct vol_error *err)
{
	errno = r == GNUTLS_E_MEMORY_ERROR ? ENOMEM : EBADMSG;
	return vol_errorf(err, "%s", gnutls_strerror(r));
}

static void wipe(gnutls_datum_t *d)
{
	if (d->data)
		gnutls_memset(d->data, 0, d->size);
	gnutls_free(d->data);
	d->data = NULL;
}

static int fingerprint(gnutls_pubkey_t public, struct vol_fingerprint *f,
		       struct vol_error *err)
{
	gnutls_datum_t der = {NULL, 0};
	int r = gnutls_pubkey_get_pk_algorithm(public, NULL);

	if (r != GNUTLS_PK_EDDSA_ED25519)
		return vol_errorf_errno(
			err, EBADMSG, "not an Ed25519 key, but %s",
			r < 0 ? "an unknown kind"
			      : gnutls_pk_get_name((unsigned)r));
	r = gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &der);
	if (r < 0)
		return failed(r, err);
	r = vol_sha256(der.data, der.size, f->byte, err);
	gnutls_free(der.data);
	return r;
}

int vol_keypair_fingerprint_of(const void *der, size_t len,
			       struct vol_fingerprint *f, struct vol_error *err)
{
	gnutls_datum_t data = {(unsigned char *)der, (unsigned)len};
	gnutls_pubkey_t public;
	int r = gnutls_pubkey_init(&public);

	if (r < 0)
		return failed(r, err);
	r = gnutls_pubkey_import(public, &data, GNUTLS_X509_FMT_DER);
	if (r < 0)
		failed(r, err);
	else
		r = fingerprint(public, f, err);
	gnutls_pubkey_deinit(public);
	return r < 0 ? -1 : 0;
}

static int fill_public(struct vol_keypair *k, gnutls_x509_privkey_t secret,
		       struct vol_error *err)
{
	gnutls_privkey_t key = NULL;
	gnutls_pubkey_t public = NULL;
	int r = gnutls_privkey_init(&key);

	if (r >= 0)
		r = gnutls_privkey_import_x509(key, secret, 0);
	if (r >= 0)
		r = gnutls_pubkey_init(&public);
	if (r >= 0)
		r = gnutls_pubkey_import_privkey(public, key, 0, 0);
	if (r >= 0)
		r = gnutls_pubkey_export2(public, GNUTLS_X509_FMT_PEM,
					  &k->public);
	if (r < 0)
		failed(r, err);
	else
		r = fingerprint(public, &k->fingerprint, err);
	if (public)
		gnutls_pubkey_deinit(public);
	if (key)
		gnutls_privkey_deinit(key);
	return r < 0 ? -1 : 0;
}

/* From text in PEM, or a new one without. */
static struct vol_keypair *create(const gnutls_datum_t *text,
				  struct vol_error *err)
{
	struct vol_keypair *k = calloc(1, sizeof(*k));
	gnutls_x509_privkey_t secret = NULL;
	int r;

	if (!k) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	r = gnutls_x509_privkey_init(&secret);
	if (r >= 0)
		r = text ? gnutls_x509_privkey_import(secret, text,
						      GNUTLS_X509_FMT_PEM)
			 : gnutls_x509_privkey_generate(
				   secret, GNUTLS_PK_EDDSA_ED25519,
				   GNUTLS_CURVE_TO_BITS(
					   GNUTLS_ECC_CURVE_ED25519),
				   0);
	if (r >= 0)
		r = gnutls_x509_privkey_export2_pkcs8(secret,
						      GNUTLS_X509_FMT_PEM, NULL,
						      GNUTLS_PKCS_PLAIN,
						      &k->secret);
	if (r < 0)
		failed(r, err);
	else
		r = fill_public(k, secret, err);
	if (secret)
		gnutls_x509_privkey_deinit(secret);
	if (r < 0) {
		vol_keypair_destroy(k);
		return NULL;
	}
	return k;
}

struct vol_keypair *vol_keypair_make(struct vol_error *err)
{
	return create(NULL, err);
}

static struct vol_keypair *make_file(const char *path, struct vol_error *err)
{
	struct vol_keypair *k = create(NULL, err);

	if (k && vol_file_replace(path, k->secret.data, k->secret.size, 0600, 1,
				  err) < 0) {
		vol_keypair_destroy(k);
		k = NULL;
	}
	return k;
}

static struct vol_keypair *read_file(int fd, const char *path,
				     struct vol_error *err)
{
	cleanup_free char *text = NULL;
	struct vol_keypair *k;
	gnutls_datum_t data;
	size_t len;

	text = vol_file_read_fd(fd, path, FILE_MAX, &len, err);
	if (!text)
		return NULL;
	data.data = (unsigned char *)text;
	data.size = (unsigned)len;
	k = create(&data, err);
	if (!k)
		vol_error_prefix(err,
				 "%s: restore it, or remove it to get a "
				 "new identity",
				 path);
	gnutls_memset(text, 0, len);
	return k;
}

struct vol_keypair *vol_keypair_load(const char *path, struct vol_error *err)
{
	cleanup_fd int fd = -1;
	struct stat st;

	fd = vol_trusted_open(path, &st, err);
	if (fd < 0)
		return errno == ENOENT ? make_file(path, err) : NULL;
	if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		vol_errorf_errno(err, EPERM,
				 "%s: mode is %03o, so that others may have "
				 "read it: if none has, chmod 600, otherwise "
				 "remove it to get a new identity",
				 path, st.st_mode & 0777);
		return NULL;
	}
	return read_file(fd, path, err);
}

void vol_keypair_destroy(struct vol_keypair *k)
{
	int saved = errno;

	if (!k)
		return;
	wipe(&k->secret);
	wipe(&k->public);
	free(k);
	errno = saved;
}

const struct vol_fingerprint *vol_keypair_fingerprint(
	const struct vol_keypair *k)
{
	return &k->fingerprint;
}

int vol_keypair_credentials(const struct vol_keypair *k,
			    gnutls_certificate_credentials_t credentials,
			    struct vol_error *err)
{
	int r = gnutls_certificate_set_rawpk_key_mem(
		credentials, &k->public, &k->secret, GNUTLS_X509_FMT_PEM, NULL,
		GNUTLS_KEY_DIGITAL_SIGNATURE, NULL, 0, 0);

	return r < 0 ? failed(r, err) : 0;
}
