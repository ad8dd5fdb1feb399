/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_rotation.c - any bytes as the file of a key rotation
 *
 * One that is accepted goes forward or back to its end, whatever happens next.
 * The first byte, cut off, says what does.
 */
#include "config.h"

#include "fuzz.h"
#include "rotation_file.h"

static void walk(enum vol_rotation_phase phase, unsigned seed)
{
	bool turned = vol_rotation_turning(phase);

	vol_rotation_step(&phase, VOL_ROTATION_START);
	fuzz_assert(phase != VOL_ROTATION_CLOSE);
	for (unsigned i = 0; i < 64 && phase != VOL_ROTATION_NONE; i++) {
		seed = seed * 1103515245 + 12345;
		vol_rotation_step(&phase, (seed >> 16) % VOL_ROTATION_EVENTS);
		fuzz_assert(!turned || phase == VOL_ROTATION_NONE ||
			    vol_rotation_turning(phase));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_rotation_record r;
	struct vol_error err = {""};

	if (size < 1)
		return 0;
	if (vol_rotation_parse("file", (const char *)data + 1, size - 1, &r,
			       &err) < 0) {
		fuzz_assert(strncmp(err.text, "file", 4) == 0);
		return 0;
	}
	fuzz_assert(r.phase >= VOL_ROTATION_CLOSE &&
		    r.phase <= VOL_ROTATION_UNDO);
	fuzz_assert(vol_authkey_id_valid(r.next));
	fuzz_assert(strlen(r.partitions) < sizeof(r.partitions));
	walk(r.phase, data[0]);
	return 0;
}
