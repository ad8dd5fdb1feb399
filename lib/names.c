/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.c - node names out of host names, and device identities */
#include "config.h"

#include "names.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Leaves 15 characters of a DNS label for "-device" or "-4294967295". */
#define BASE_MAX 48

#define NO_NAME      "device"
#define TAKEN_SUFFIX "-device"

/* Words with a meaning of their own in slurm.conf, in node lists, or here. */
static const char *const reserved[] = {
	"all",    "any",       "cloud",     "default", "dynamic",
	"future", "infinite",  "localhost", "nodeset", "none",
	"null",   "unlimited", "volunteer",
};

static bool is_reserved(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strcmp(name, reserved[i]) == 0)
			return true;
	}
	return false;
}

static bool only_digits(const char *name)
{
	return name[strspn(name, "0123456789")] == '\0';
}

/* ctype.h depends on the locale. */
static char to_name_char(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return c;
	return '-';
}

void vol_node_name_from_host(const char *host, char name[VOL_NODE_NAME_SIZE])
{
	size_t len = 0;

	for (; host && *host && *host != '.' && len < BASE_MAX; host++) {
		name[len] = to_name_char(*host);
		if (len > 0 || name[len] != '-')
			len++;
	}
	while (len > 0 && name[len - 1] == '-')
		len--;
	name[len] = '\0';
	if (only_digits(name))
		memcpy(name, NO_NAME, sizeof(NO_NAME));
	else if (is_reserved(name))
		memcpy(name + len, TAKEN_SUFFIX, sizeof(TAKEN_SUFFIX));
}

void vol_node_name_nth(const char *base, unsigned n,
		       char name[VOL_NODE_NAME_SIZE])
{
	char copy[BASE_MAX + 1]; /* base may be name itself */

	snprintf(copy, sizeof(copy), "%s", base ? base : NO_NAME);
	if (n < 2)
		snprintf(name, VOL_NODE_NAME_SIZE, "%s", copy);
	else
		snprintf(name, VOL_NODE_NAME_SIZE, "%s-%u", copy, n);
}

/* "-N" at the end of name as vol_node_name_nth writes it?  Returns the length
 * of what is before it, or 0. */
static size_t before_suffix(const char *name)
{
	const char *dash = strrchr(name, '-');
	uint64_t n = 0;
	const char *p;

	if (!dash || dash[1] < '1' || dash[1] > '9')
		return 0;
	for (p = dash + 1; *p >= '0' && *p <= '9' && n <= UINT32_MAX; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	if (*p || n < 2 || n > UINT32_MAX)
		return 0;
	return (size_t)(dash - name);
}

bool vol_node_name_valid(const char *name)
{
	size_t len, i;

	if (!name)
		return false;
	len = strnlen(name, VOL_NODE_NAME_SIZE);
	if (len == 0 || len == VOL_NODE_NAME_SIZE || only_digits(name) ||
	    is_reserved(name))
		return false;
	for (i = 0; i < len; i++) {
		if (to_name_char(name[i]) != name[i])
			return false;
	}
	if (name[0] == '-' || name[len - 1] == '-')
		return false;
	if (len > BASE_MAX)
		len = before_suffix(name);
	return len > 0 && len <= BASE_MAX && name[len - 1] != '-';
}

bool vol_device_id_valid(const char *id)
{
	return id &&
	       strnlen(id, VOL_DEVICE_ID_SIZE) == VOL_DEVICE_ID_SIZE - 1 &&
	       strspn(id, "0123456789abcdef") == VOL_DEVICE_ID_SIZE - 1;
}

int vol_device_id_make(char id[VOL_DEVICE_ID_SIZE], struct vol_error *err)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char raw[(VOL_DEVICE_ID_SIZE - 1) / 2];
	ssize_t n;
	size_t i;

	do {
		n = getrandom(raw, sizeof(raw), 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return vol_errorf(err, "getrandom: %s", strerror(errno));
	/* Requests up to 256 bytes are never cut short, see getrandom(2). */
	for (i = 0; i < sizeof(raw); i++) {
		id[2 * i] = hex[raw[i] >> 4];
		id[2 * i + 1] = hex[raw[i] & 15];
	}
	id[2 * i] = '\0';
	return 0;
}
