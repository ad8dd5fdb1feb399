/* SPDX-License-Identifier: GPL-2.0-or-later */
/* txt.c - the TXT records of our two mDNS services; hostile input */
#include "config.h"

#include "txt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text.h"

enum key { KEY_TXTVERS, KEY_PROTO, KEY_NAME, KEY_ID, N_KEYS };

static const char *const key_names[N_KEYS] = {
	[KEY_TXTVERS] = "txtvers",
	[KEY_PROTO] = "proto",
	[KEY_NAME] = "name",
	[KEY_ID] = "id",
};

static enum key find_key(const char *text, size_t len)
{
	enum key key;

	for (key = 0; key < N_KEYS; key++) {
		if (strlen(key_names[key]) == len &&
		    strncasecmp(key_names[key], text, len) == 0)
			break;
	}
	return key;
}

static int bad_value(enum key key, const char *value, size_t len,
		     const char *why, struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];

	return vol_errorf_errno(err, EINVAL, "TXT %s=%s: %s", key_names[key],
				vol_text_excerpt(value, len, excerpt), why);
}

static int parse_value(enum key key, const char *value, size_t len,
		       struct vol_txt *txt, struct vol_error *err)
{
	char id[VOL_DEVICE_ID_SIZE] = "";
	uint64_t number;

	switch (key) {
	case KEY_TXTVERS:
		if (len != strlen(VOL_TXT_VERSION) ||
		    memcmp(value, VOL_TXT_VERSION, len) != 0)
			return bad_value(key, value, len,
					 "not the version " VOL_TXT_VERSION
					 " spoken here",
					 err);
		break;
	case KEY_PROTO:
		if (vol_text_number(value, len, 1, UINT32_MAX, &number) < 0)
			return bad_value(key, value, len, "not a number", err);
		txt->proto = (uint32_t)number;
		break;
	case KEY_NAME:
		if (len >= sizeof(txt->name))
			return bad_value(key, value, len, "too long", err);
		for (size_t i = 0; i < len; i++) {
			if (!vol_char_in((unsigned char)value[i], "_-"))
				return bad_value(key, value, len,
						 "forbidden character", err);
		}
		memcpy(txt->name, value, len);
		break;
	default:
		if (len < sizeof(id))
			memcpy(id, value, len);
		if (strlen(id) != len || !vol_device_id_valid(id))
			return bad_value(key, value, len,
					 "not 32 digits of lower-case hex",
					 err);
		memcpy(txt->id, id, sizeof(id));
	}
	return 0;
}

static int parse_item(const struct vol_txt_item *item, struct vol_txt *txt,
		      bool seen[N_KEYS], struct vol_error *err)
{
	const char *text = (const char *)item->data;
	char excerpt[VOL_EXCERPT_SIZE];
	const char *equals;
	size_t key_len;
	enum key key;

	/* RFC 6763, 6.1 and 6.4: these are to be ignored in silence. */
	if (item->len == 0 || text[0] == '=')
		return 0;
	equals = memchr(text, '=', item->len);
	key_len = equals ? (size_t)(equals - text) : item->len;
	for (size_t i = 0; i < key_len; i++) {
		if (!vol_char_printable((unsigned char)text[i]))
			return vol_errorf_errno(
				err, EINVAL, "TXT key %s: forbidden character",
				vol_text_excerpt(text, key_len, excerpt));
	}
	key = find_key(text, key_len);
	if (key == N_KEYS)
		return 0;
	if (seen[key])
		return vol_errorf_errno(err, EINVAL, "TXT %s: given twice",
					key_names[key]);
	if (!equals)
		return vol_errorf_errno(err, EINVAL, "TXT %s: no value",
					key_names[key]);
	seen[key] = true;
	return parse_value(key, equals + 1, item->len - key_len - 1, txt, err);
}

int vol_txt_parse(const struct vol_txt_item *items, size_t n_items,
		  struct vol_txt *txt, struct vol_error *err)
{
	struct vol_txt parsed = {0};
	bool seen[N_KEYS] = {false};

	for (size_t i = 0; i < n_items; i++) {
		if (parse_item(&items[i], &parsed, seen, err) < 0)
			return -1;
	}
	for (enum key key = 0; key < N_KEYS; key++) {
		if (!seen[key])
			return vol_errorf_errno(err, EINVAL, "TXT %s: missing",
						key_names[key]);
	}
	*txt = parsed;
	return 0;
}

/* A ClusterName may hold what the parser refuses. */
static void format_name(const char *name, char out[VOL_TXT_ITEM_SIZE])
{
	char *p = out +
		  snprintf(out, VOL_TXT_ITEM_SIZE, "%s=", key_names[KEY_NAME]);

	for (; *name; name++)
		*p++ = vol_char_in((unsigned char)*name, "_-") ? *name : '_';
	*p = '\0';
}

size_t vol_txt_format(const struct vol_txt *txt, char item[][VOL_TXT_ITEM_SIZE],
		      size_t max)
{
	size_t n = max < N_KEYS ? max : N_KEYS;

	for (enum key key = 0; key < n; key++) {
		char *out = item[key];

		if (key == KEY_TXTVERS)
			snprintf(out, VOL_TXT_ITEM_SIZE, "%s=%s",
				 key_names[key], VOL_TXT_VERSION);
		else if (key == KEY_PROTO)
			snprintf(out, VOL_TXT_ITEM_SIZE, "%s=%" PRIu32,
				 key_names[key], txt->proto);
		else if (key == KEY_NAME)
			format_name(txt->name, out);
		else
			snprintf(out, VOL_TXT_ITEM_SIZE, "%s=%s",
				 key_names[key], txt->id);
	}
	return n;
}
