/* SPDX-License-Identifier: GPL-2.0-or-later */
/* search.c - the hashing loop; SHA-256 is OpenSSL's */
#include "search.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DIGEST 32

struct hasher {
	EVP_MD_CTX *prefix; /* state after TEXT, reused for every nonce */
	EVP_MD_CTX *work;
};

static void hasher_free(struct hasher *h)
{
	EVP_MD_CTX_free(h->prefix);
	EVP_MD_CTX_free(h->work);
}

static int hasher_init(struct hasher *h, const char *text)
{
	h->prefix = EVP_MD_CTX_new();
	h->work = EVP_MD_CTX_new();
	if (h->prefix && h->work &&
	    EVP_DigestInit_ex(h->prefix, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(h->prefix, text, strlen(text)) == 1)
		return 0;
	hasher_free(h);
	return -1;
}

static int hasher_digest(struct hasher *h, uint64_t nonce,
			 unsigned char digest[DIGEST])
{
	char decimal[24];
	int len = snprintf(decimal, sizeof(decimal), "%llu",
			   (unsigned long long)nonce);

	return EVP_MD_CTX_copy_ex(h->work, h->prefix) == 1 &&
			       EVP_DigestUpdate(h->work, decimal,
						(size_t)len) == 1 &&
			       EVP_DigestFinal_ex(h->work, digest, NULL) == 1
		       ? 0
		       : -1;
}

static bool has_zero_bits(const unsigned char *digest, unsigned bits)
{
	uint64_t head = 0;

	for (int i = 0; i < 8; i++)
		head = head << 8 | digest[i];
	return head >> (64 - bits) == 0;
}

static void to_hex(const unsigned char *digest, char hex[2 * DIGEST + 1])
{
	for (int i = 0; i < DIGEST; i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", digest[i]);
}

int search_run(const struct search *s, hit_f hit, void *arg)
{
	unsigned char digest[DIGEST];
	char hex[2 * DIGEST + 1];
	struct hasher h;
	int rc = 0;

	if (hasher_init(&h, s->text) < 0)
		return -1;
	for (uint64_t n = s->begin; rc == 0 && n < s->end; n++) {
		rc = hasher_digest(&h, n, digest);
		if (rc == 0 && has_zero_bits(digest, s->bits)) {
			to_hex(digest, hex);
			rc = hit(n, hex, arg);
		}
	}
	hasher_free(&h);
	return rc;
}

int search_check(const struct search *s, uint64_t nonce)
{
	unsigned char digest[DIGEST];
	struct hasher h;
	int rc;

	if (hasher_init(&h, s->text) < 0)
		return -1;
	rc = hasher_digest(&h, nonce, digest);
	hasher_free(&h);
	return rc < 0 ? -1 : has_zero_bits(digest, s->bits);
}
