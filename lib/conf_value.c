/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_value.c - one value of a configuration, between text and object */
#include "config.h"

#include "conf_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "units.h"

static int check_range(const struct vol_conf_option *row, uint64_t n,
		       struct vol_error *err)
{
	char lo[32], hi[32];

	if (n >= row->min && (row->max == 0 || n <= row->max))
		return 0;
	switch (row->type) {
	case VOL_CONF_DURATION:
		vol_duration_format(row->min, lo, sizeof(lo));
		vol_duration_format(row->max, hi, sizeof(hi));
		break;
	case VOL_CONF_SIZE:
		vol_size_format(row->min, lo, sizeof(lo));
		vol_size_format(row->max, hi, sizeof(hi));
		break;
	default:
		snprintf(lo, sizeof(lo), "%" PRIu64, row->min);
		snprintf(hi, sizeof(hi), "%" PRIu64, row->max);
	}
	errno = ERANGE;
	if (row->type == VOL_CONF_STRING && n < row->min)
		return vol_errorf(err, "must have at least %s characters", lo);
	if (row->type == VOL_CONF_STRING)
		return vol_errorf(err, "must have at most %s characters", hi);
	if (n < row->min)
		return vol_errorf(err, "must be at least %s", lo);
	return vol_errorf(err, "must be at most %s", hi);
}

static int parse_bool(const char *text, bool *flag, struct vol_error *err)
{
	static const char *const yes[] = {"yes", "true", "on"};
	static const char *const no[] = {"no", "false", "off"};
	size_t i;

	for (i = 0; i < 3; i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*flag = strcmp(text, yes[i]) == 0;
			return 0;
		}
	}
	return vol_errorf_errno(err, EINVAL,
				"'" SHOWN "' is neither yes nor no", text);
}

static int parse_uint(const char *text, uint32_t *uint, struct vol_error *err)
{
	struct vol_share number; /* its plain form is a decimal count */

	if (vol_share_parse(text, VOL_SHARE_COUNT, &number, NULL) != 0 ||
	    number.kind != VOL_SHARE_ABS)
		return vol_errorf_errno(err, EINVAL,
					"'" SHOWN "' is not a number", text);
	if (number.amount > UINT32_MAX)
		return vol_errorf_errno(err, ERANGE, SHOWN " is too large",
					text);
	*uint = (uint32_t)number.amount;
	return 0;
}

static int parse_word(const struct vol_conf_option *row, const char *text,
		      int *word, struct vol_error *err)
{
	char list[160] = "";
	size_t len = 0;
	int i;

	for (i = 0; row->words[i]; i++) {
		if (strcmp(text, row->words[i]) == 0) {
			*word = i;
			return 0;
		}
		if (len < sizeof(list))
			len += (size_t)snprintf(list + len, sizeof(list) - len,
						"%s%s", i ? ", " : "",
						row->words[i]);
	}
	return vol_errorf_errno(err, EINVAL, "'" SHOWN "' is none of: %s", text,
				list);
}

static int parse_string(const struct vol_conf_option *row, const char *text,
			char **string, struct vol_error *err)
{
	if (check_range(row, strlen(text), err) != 0)
		return -1;
	*string = strdup(text);
	return *string ? 0 : vol_errorf(err, "%s", strerror(errno));
}

int vol_conf_value_parse(const struct vol_conf_option *row, const char *text,
			 struct vol_conf_value *v, struct vol_error *err)
{
	switch (row->type) {
	case VOL_CONF_STRING:
		return parse_string(row, text, &v->string, err);
	case VOL_CONF_BOOL:
		return parse_bool(text, &v->flag, err);
	case VOL_CONF_UINT:
		if (parse_uint(text, &v->uint, err) != 0)
			return -1;
		return check_range(row, v->uint, err);
	case VOL_CONF_DURATION:
		if (vol_duration_parse(text, &v->number, err) != 0)
			return -1;
		return check_range(row, v->number, err);
	case VOL_CONF_SIZE:
		if (vol_size_parse(text, &v->number, err) != 0)
			return -1;
		return check_range(row, v->number, err);
	case VOL_CONF_COUNT_SHARE:
		return vol_share_parse(text, VOL_SHARE_COUNT, &v->share, err);
	case VOL_CONF_SIZE_SHARE:
		return vol_share_parse(text, VOL_SHARE_SIZE, &v->share, err);
	case VOL_CONF_ENUM:
		return parse_word(row, text, &v->word, err);
	case VOL_CONF_END:
		break;
	}
	return vol_errorf_errno(err, EINVAL, "unknown option type %d",
				(int)row->type);
}

void vol_conf_value_store(const struct vol_conf_option *row,
			  struct vol_conf_value *v, void *object)
{
	void *to = vol_conf_field(object, row);

	switch (row->type) {
	case VOL_CONF_STRING:
		free(*(char **)to);
		*(char **)to = steal_ptr(&v->string);
		break;
	case VOL_CONF_BOOL:
		*(bool *)to = v->flag;
		break;
	case VOL_CONF_UINT:
		*(uint32_t *)to = v->uint;
		break;
	case VOL_CONF_DURATION:
	case VOL_CONF_SIZE:
		*(uint64_t *)to = v->number;
		break;
	case VOL_CONF_COUNT_SHARE:
	case VOL_CONF_SIZE_SHARE:
		*(struct vol_share *)to = v->share;
		break;
	case VOL_CONF_ENUM:
		*(int *)to = v->word;
		break;
	case VOL_CONF_END:
		break;
	}
}
