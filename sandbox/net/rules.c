/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules.c - libnftables, and nothing else */
#include "config.h"

#include "net.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>

/* Its messages show the text and point at a part of it. */
static void tell(struct nft_ctx *nft, struct vol_error *err)
{
	const char *said = nft_ctx_get_error_buffer(nft);

	vol_errorf_errno(err, EPROTO, "nftables: %.*s",
			 said ? (int)strcspn(said, "\n") : 0, said ? said : "");
}

int vol_rules_apply(const char *text, struct vol_error *err)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	int rc = -1;

	if (!nft)
		return vol_errorf_errno(err, ENOMEM, "nftables: no context");
	if (nft_ctx_buffer_error(nft) == 0 && nft_ctx_buffer_output(nft) == 0)
		rc = nft_run_cmd_from_buffer(nft, text);
	if (rc != 0)
		tell(nft, err);
	nft_ctx_free(nft);
	if (rc != 0)
		errno = EPROTO;
	return rc == 0 ? 0 : -1;
}
