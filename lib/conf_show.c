/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_show.c - the values of a configuration as text, for people */
#include "config.h"

#include "conf_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 64

static void show_share(const struct vol_share *share, bool size, char *buf)
{
	char amount[TEXT_SIZE / 2];

	if (size && share->kind != VOL_SHARE_PCT)
		vol_size_format(share->amount, amount, sizeof(amount));
	else
		snprintf(amount, sizeof(amount), "%" PRIu64, share->amount);
	switch (share->kind) {
	case VOL_SHARE_NONE:
		snprintf(buf, TEXT_SIZE, "none");
		break;
	case VOL_SHARE_PCT:
		snprintf(buf, TEXT_SIZE, "%s%%", amount);
		break;
	case VOL_SHARE_ABS:
		snprintf(buf, TEXT_SIZE, "%s", amount);
		break;
	case VOL_SHARE_BUT:
		snprintf(buf, TEXT_SIZE, "-%s", amount);
		break;
	}
}

static const char *show(const struct vol_conf_option *row, const void *object,
			char *buf)
{
	const void *at = (const char *)object + row->offset;
	const char *string;

	switch (row->type) {
	case VOL_CONF_END:
		break;
	case VOL_CONF_STRING:
		memcpy(&string, at, sizeof(string));
		return string ? string : "";
	case VOL_CONF_BOOL:
		return *(const bool *)at ? "yes" : "no";
	case VOL_CONF_UINT:
		snprintf(buf, TEXT_SIZE, "%" PRIu32, *(const uint32_t *)at);
		break;
	case VOL_CONF_DURATION:
		vol_duration_format(*(const uint64_t *)at, buf, TEXT_SIZE);
		break;
	case VOL_CONF_SIZE:
		vol_size_format(*(const uint64_t *)at, buf, TEXT_SIZE);
		break;
	case VOL_CONF_COUNT_SHARE:
		show_share(at, false, buf);
		break;
	case VOL_CONF_SIZE_SHARE:
		show_share(at, true, buf);
		break;
	case VOL_CONF_ENUM:
		return row->words[*(const int *)at];
	}
	return buf;
}

void vol_conf_show(const struct vol_conf_option *table, const char *section,
		   const void *object,
		   void (*f)(const char *section, const char *key,
			     const char *text, void *arg),
		   void *arg)
{
	char buf[TEXT_SIZE] = "";

	for (; table->type != VOL_CONF_END; table++)
		if (!section || strcmp(section, table->section) == 0)
			f(table->section, table->key, show(table, object, buf),
			  arg);
}
