/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckoption.c - what users say of saving their jobs; pure */
#include "config.h"

#include "ckoption.h"

#include <errno.h>
#include <string.h>

#include "text.h"
#include "units.h"

#define MS_PER_S 1000

int vol_ckoption_parse(const char *text, struct vol_ckoption *option,
		       struct vol_error *err)
{
	static const struct {
		const char *word;
		enum vol_ckmode mode;
	} words[] = {
		{"off", VOL_CKMODE_OFF},
		{"on-evict", VOL_CKMODE_ON_EVICT},
		{"auto", VOL_CKMODE_AUTO},
	};
	char excerpt[VOL_EXCERPT_SIZE];
	uint64_t ms;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i].word) == 0) {
			*option = (struct vol_ckoption){.mode = words[i].mode};
			return 0;
		}
	vol_text_excerpt(text, strlen(text), excerpt);
	if (vol_duration_parse(text, &ms, NULL) < 0 || ms % MS_PER_S)
		return vol_errorf_errno(err, EINVAL,
					"%s: want off, on-evict, auto or a "
					"duration such as 10m",
					excerpt);
	if (ms < UINT64_C(1000) * VOL_CKEVERY_MIN_S ||
	    ms > UINT64_C(1000) * VOL_CKEVERY_MAX_S)
		return vol_errorf_errno(err, ERANGE, "%s: want 1s to 1w",
					excerpt);
	*option = (struct vol_ckoption){.mode = VOL_CKMODE_EVERY,
					.every_s = (uint32_t)(ms / MS_PER_S)};
	return 0;
}

const char *vol_ckoption_format(const struct vol_ckoption *option, char buf[32])
{
	switch (option->mode) {
	case VOL_CKMODE_OFF:
		return strcpy(buf, "off");
	case VOL_CKMODE_ON_EVICT:
		return strcpy(buf, "on-evict");
	case VOL_CKMODE_AUTO:
		return strcpy(buf, "auto");
	case VOL_CKMODE_EVERY:
		break;
	}
	return vol_duration_format((uint64_t)option->every_s * MS_PER_S, buf,
				   32);
}
