/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_ckfit.c - any text as /proc/cpuinfo, CRIU's version, or the option */
#include "config.h"

#include "ckfit.h"
#include "ckplan.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_ckoption option = {0}, again;
	char *text = fuzz_string(data, size), buf[32];
	struct vol_ckcpu cpu = {{0}}, one;
	uint32_t version = 0;

	if (vol_ckcpu_read((const char *)data, size, &cpu, NULL) == 0) {
		fuzz_assert(vol_ckcpu_within(&cpu, &cpu));
		fuzz_assert(vol_ckcpu_level("x86_64", &cpu) <= 4);
	}
	vol_ckcpu_parse(text, &one);
	if (vol_ckcriu_parse(text, &version, NULL) == 0)
		fuzz_assert(version < 1000000);
	if (vol_ckoption_parse(text, &option, NULL) == 0) {
		vol_ckoption_format(&option, buf);
		fuzz_assert(vol_ckoption_parse(buf, &again, NULL) == 0);
		fuzz_assert(again.mode == option.mode &&
			    again.every_s == option.every_s);
	}
	free(text);
	return 0;
}
