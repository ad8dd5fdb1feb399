/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_ckmanifest.c - any text as a manifest
 *
 * What is accepted is exactly what would be written again.
 */
#include "config.h"

#include "ckmanifest.h"

#include <errno.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_ckmanifest m = VOL_CKMANIFEST_INIT;
	struct vol_error err = {""};
	size_t len = 0;
	char *text;

	errno = 0;
	if (vol_ckmanifest_decode((const char *)data, size, &m, &err) < 0) {
		fuzz_assert(errno == EBADMSG && err.text[0]);
		fuzz_assert(!m.file && !m.output && m.places.n == 0);
		return 0;
	}
	text = vol_ckmanifest_encode(&m, &len, &err);
	fuzz_assert(text && len == size && memcmp(text, data, len) == 0);
	for (size_t i = 0; i < m.n_files; i++)
		fuzz_assert(vol_ckmanifest_file(&m, m.file[i].name) ==
			    &m.file[i]);
	free(text);
	vol_ckmanifest_clear(&m);
	return 0;
}
