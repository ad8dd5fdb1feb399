/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_names.c - any string as a host name, a node name and an identity
 *
 * Besides memory errors: what is made of a host name is a valid node name, and
 * what counts as valid has no character that Slurm or a shell would expand.
 */
#include "config.h"

#include "fuzz.h"
#include "names.h"

static void check_name(const char *name)
{
	fuzz_assert(vol_node_name_valid(name));
	fuzz_assert(strlen(name) < VOL_NODE_NAME_SIZE);
	fuzz_assert(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
		    strlen(name));
	fuzz_assert(name[0] != '-' && name[strlen(name) - 1] != '-');
	fuzz_assert(name[strspn(name, "0123456789")]);
	fuzz_assert(strcmp(name, "all") != 0 && strcmp(name, "volunteer") != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned numbers[] = {0, 1, 2, 9999, 4294967295U};
	char name[VOL_NODE_NAME_SIZE], nth[VOL_NODE_NAME_SIZE];
	char *s = fuzz_string(data, size);
	size_t i;

	vol_node_name_from_host(s, name);
	check_name(name);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		vol_node_name_nth(name, numbers[i], nth);
		check_name(nth);
	}
	if (vol_node_name_valid(s))
		check_name(s);
	if (vol_device_id_valid(s))
		fuzz_assert(strlen(s) == VOL_DEVICE_ID_SIZE - 1);
	free(s);
	return 0;
}
