/* SPDX-License-Identifier: GPL-2.0-or-later */
/* admit.h - who may come in: the one decision, pure
 *
 * A device says hello (it knows the controller, and wants to work) or knocks
 * (it asks to be approved, and tells nothing but its name).  From what its key,
 * the registry, its token and the controller's mode say follows one verdict; no
 * other file lets anybody in.
 */
#ifndef VOL_ADMIT_H
#define VOL_ADMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "fingerprint.h"
#include "registry.h"
#include "tickets.h"

/* approve = ... in controller.conf. */
enum vol_approve {
	VOL_APPROVE_ASK,   /* an administrator approves, or a token does */
	VOL_APPROVE_ALL,   /* whoever comes first with a key is let in */
	VOL_APPROVE_TOKEN, /* tokens only: nobody waits for an approval */
};

/* What the link's other end has proved. */
enum vol_admit_key {
	VOL_KEY_NONE,   /* nothing: a link without TLS, which is a mistake */
	VOL_KEY_OTHER,  /* a key, but the message speaks for another one */
	VOL_KEY_PROVEN, /* the key of the identity it speaks for */
};

enum vol_admit_standing {
	VOL_STANDING_STRANGER,
	VOL_STANDING_PENDING,
	VOL_STANDING_APPROVED,
	VOL_STANDING_REVOKED,
	VOL_STANDING_CLASH, /* the registry has another key for this identity */
};

enum vol_admit_token {
	VOL_TOKEN_NONE,
	VOL_TOKEN_GIVEN, /* not looked at yet */
	VOL_TOKEN_OK,
	VOL_TOKEN_BAD,   /* whatever is wrong with it */
	VOL_TOKEN_LATER, /* we could not check it */
};

struct vol_admit {
	enum vol_approve mode;
	bool knock; /* else hello */
	enum vol_admit_key key;
	enum vol_admit_standing standing;
	enum vol_admit_token token;
};

enum vol_admission {
	VOL_ADMIT_REFUSE,
	VOL_ADMIT_PEND,   /* agree on a code and wait for an administrator */
	VOL_ADMIT_REDEEM, /* redeem the token and ask again with the result;
			   * not said when no token is needed, so that none is
			   * used up for nothing */
	VOL_ADMIT_APPROVE_TOKEN, /* write into the registry that it is
				  * approved by its token, then let it in */
	VOL_ADMIT_APPROVE_ALL,   /* the same, by the mode */
	VOL_ADMIT_IN,            /* it is approved: let it in */
};

struct vol_refusal {
	const char *code;   /* of link.h's refuse */
	const char *reason; /* for the peer: nothing that helps to guess */
	uint32_t retry_ms;
	bool logged; /* with what is not for the peer */
};

/* *refusal is filled with REFUSE only. */
enum vol_admission vol_admit(const struct vol_admit *a,
			     struct vol_refusal *refusal);

/* What the registry's entry (NULL: none) is to a link with this key (NULL:
 * none). */
enum vol_admit_standing vol_admit_standing(const struct vol_device *device,
					   const struct vol_fingerprint *key);

/* What a message for this identity is to a link with this key (NULL: none). */
enum vol_admit_key vol_admit_key(const char *id,
				 const struct vol_fingerprint *key);

enum vol_admit_token vol_admit_token(enum vol_redeem redeem);

/* "ask", "all", "token".  parse: 0, or -1 with EINVAL. */
const char *vol_approve_name(enum vol_approve mode);
int vol_approve_parse(const char *text, enum vol_approve *mode);

#endif
