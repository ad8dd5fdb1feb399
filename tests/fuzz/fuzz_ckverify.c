/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_ckverify.c - any bytes as one file of a set of images
 *
 * The first byte says which file of an honest set the others are instead.
 */
#include "config.h"

#include "ckverify.h"

#include <errno.h>

#include "ckimage_bed.h"
#include "fuzz.h"

/* Good enough to tell filters apart; plain_sha256 takes short texts only. */
static int digest(const void *data, size_t len, uint8_t out[VOL_SHA256_BYTES],
		  struct vol_error *err)
{
	(void)err;
	memset(out, 0, VOL_SHA256_BYTES);
	vol_put64(out, vol_fnv(data, len));
	return 0;
}

/* Made once; honest. */
static struct ckbed *make_bed(void)
{
	struct ckbed *bed = ck_bed(&ck_honest);

	bed->want.sha256 = digest;
	digest(ck_filter, sizeof(ck_filter), bed->want.filter, NULL);
	fuzz_assert(vol_ckverify(bed->input, bed->n, &bed->want, NULL, NULL) ==
		    0);
	return bed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_ckseen seen = {.processes = 0};
	struct vol_error err = {""};
	struct vol_ckinput *in, honest;
	static struct ckbed *bed;

	if (size == 0)
		return 0;
	if (!bed)
		bed = make_bed();
	in = &bed->input[data[0] % bed->n];
	honest = *in;
	in->data = data + 1;
	in->bytes = size - 1;
	errno = 0;
	if (vol_ckverify(bed->input, bed->n, &bed->want, &seen, &err) < 0) {
		fuzz_assert(errno == EPERM || errno == EBADMSG);
		fuzz_assert(err.text[0]);
		for (const char *p = err.text; *p; p++)
			fuzz_assert(*p >= 0x20 && *p <= 0x7e);
	} else {
		fuzz_assert(seen.processes > 0 &&
			    seen.threads >= seen.processes);
	}
	vol_ckseen_clear(&seen);
	*in = honest;
	return 0;
}
