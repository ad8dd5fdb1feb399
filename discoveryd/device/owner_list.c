/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_list.c - owners of device.conf as a list that changes hands */
#include "config.h"

#include "device/owner_list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "text.h"

/* As device_conf.c splits lists; what its names can not hold. */
#define BETWEEN ", \t"
#define NO_NAME BETWEEN ":;*?!()[]{}<>|&\"'`#=\r\n"

static bool is_name(const char *name)
{
	return *name && *name != '-' && strlen(name) <= 64 &&
	       !name[strcspn(name, NO_NAME)] && strcmp(name, "all") != 0;
}

static bool same(const char *word, size_t len, const char *name)
{
	return name && strlen(name) == len && memcmp(word, name, len) == 0;
}

static size_t count(const char *list, const char *name)
{
	size_t n = 0, len;

	for (; list && *(list += strspn(list, BETWEEN)); list += len) {
		len = strcspn(list, BETWEEN);
		n += !name || same(list, len, name);
	}
	return n;
}

static int check(const char *list, const char *from, const char *to,
		 struct vol_error *err)
{
	char shown[VOL_EXCERPT_SIZE];

	if (!is_name(to))
		return vol_errorf_errno(err, EINVAL, "%s is no user's name",
					vol_text_excerpt(to, strlen(to),
							 shown));
	if (from && count(list, from) == 0)
		return vol_errorf_errno(
			err, ENOENT, "%s is not one of the owners",
			vol_text_excerpt(from, strlen(from), shown));
	if (!from && count(list, NULL) > 1)
		return vol_errorf_errno(err, ENOENT,
					"there are several owners: say whose "
					"right is handed on");
	return 0;
}

static void add(char *text, const char *word, size_t len)
{
	size_t used = strlen(text);

	if (used) {
		memcpy(text + used, ", ", 2);
		used += 2;
	}
	memcpy(text + used, word, len);
	text[used + len] = '\0';
}

char *vol_owner_list_move(const char *list, const char *from, const char *to,
			  struct vol_error *err)
{
	cleanup_free char *text = NULL;
	bool placed = false;
	size_t len;

	if (check(list, from, to, err) < 0)
		return NULL;
	/* Each word grows by a blank at most. */
	text = calloc(1, 2 * strlen(list ? list : "") + strlen(to) + 3);
	if (!text) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	for (; list && *(list += strspn(list, BETWEEN)); list += len) {
		bool leaves, is_to;

		len = strcspn(list, BETWEEN);
		leaves = !from || same(list, len, from);
		is_to = same(list, len, to);
		if (!leaves && !is_to) {
			add(text, list, len);
		} else if (!placed) {
			add(text, to, strlen(to));
			placed = true;
		}
	}
	if (!placed)
		add(text, to, strlen(to));
	return steal_ptr(&text);
}
