/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckplaces.c - the mounts that a job's inside is made of */
#include "config.h"

#include "ckplaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static bool part_valid(const char *part, size_t len)
{
	return len > 0 && !(len == 1 && part[0] == '.') &&
	       !(len == 2 && part[0] == '.' && part[1] == '.');
}

bool vol_ckpath_valid_n(const char *path, size_t len)
{
	size_t from = 1;

	if (len == 0 || len >= VOL_CKPATH_SIZE || path[0] != '/')
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
			return false;
	for (size_t i = 1; len > 1 && i <= len; i++) {
		if (i < len && path[i] != '/')
			continue;
		if (!part_valid(path + from, i - from))
			return false;
		from = i + 1;
	}
	return true;
}

bool vol_ckpath_valid(const char *path)
{
	return vol_ckpath_valid_n(path, strlen(path));
}

/* < 0, 0, > 0 as strcmp(target, wanted). */
static int compare(const char *target, const char *wanted, size_t len)
{
	int order = strncmp(target, wanted, len);

	return order ? order : target[len] != '\0';
}

/* Position of target, or where it would be. */
static size_t search(const struct vol_ckplaces *places, const char *target,
		     size_t len)
{
	size_t lo = 0, hi = places->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (compare(places->place[mid].target, target, len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct vol_ckplace *vol_ckplaces_at(const struct vol_ckplaces *places,
					  const char *target, size_t len)
{
	size_t i;

	if (len == 0 || len >= VOL_CKPATH_SIZE)
		return NULL;
	i = search(places, target, len);
	if (i < places->n && compare(places->place[i].target, target, len) == 0)
		return &places->place[i];
	return NULL;
}

static bool key_valid(const struct vol_ckplace *place)
{
	size_t len = strnlen(place->key, sizeof(place->key));

	for (size_t i = 0; i < len; i++)
		if (!vol_char_in((unsigned char)place->key[i], ""))
			return false;
	return place->kind == VOL_CKPLACE_EXTERNAL
		       ? len > 0 && len < sizeof(place->key)
		       : len == 0;
}

static bool place_valid(const struct vol_ckplace *place)
{
	return vol_ckpath_valid_n(place->target,
				  strnlen(place->target,
					  sizeof(place->target))) &&
	       place->kind <= VOL_CKPLACE_DEVPTS &&
	       !(place->flags & ~VOL_CKPLACE_FLAGS) && key_valid(place);
}

int vol_ckplaces_add(struct vol_ckplaces *places,
		     const struct vol_ckplace *place, struct vol_error *err)
{
	size_t i, len = strnlen(place->target, sizeof(place->target));
	const struct vol_ckplace *same;
	char excerpt[VOL_EXCERPT_SIZE];
	struct vol_ckplace *grown;

	vol_text_excerpt(place->target, len, excerpt);
	if (!place_valid(place))
		return vol_errorf_errno(err, EINVAL, "%s is no place", excerpt);
	same = vol_ckplaces_at(places, place->target, len);
	if (same && same->kind == place->kind && same->flags == place->flags &&
	    strcmp(same->key, place->key) == 0)
		return 0;
	if (same)
		return vol_errorf_errno(err, EEXIST,
					"%s is another kind of place already",
					excerpt);
	if (places->n >= VOL_CKPLACES_MAX)
		return vol_errorf_errno(err, ENOSPC, "more than %d places",
					VOL_CKPLACES_MAX);
	i = search(places, place->target, len);
	grown = reallocarray(places->place, places->n + 1, sizeof(*grown));
	if (!grown)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	places->place = grown;
	memmove(grown + i + 1, grown + i, (places->n - i) * sizeof(*grown));
	memset(&grown[i], 0, sizeof(grown[i]));
	strcpy(grown[i].target, place->target);
	strcpy(grown[i].key, place->key);
	grown[i].kind = place->kind;
	grown[i].flags = place->flags;
	places->n++;
	return 0;
}

void vol_ckplaces_clear(struct vol_ckplaces *places)
{
	int saved = errno;

	free(places->place);
	*places = (struct vol_ckplaces){.n = 0};
	errno = saved;
}

const struct vol_ckplace *vol_ckplaces_of(const struct vol_ckplaces *places,
					  const char *path)
{
	size_t len = strlen(path);

	if (!vol_ckpath_valid_n(path, len))
		return NULL;
	while (len > 0) {
		const struct vol_ckplace *p =
			vol_ckplaces_at(places, path, len);

		if (p)
			return p;
		while (len > 0 && path[len - 1] != '/')
			len--;
		/* Behind the slash, which goes, too, unless it is all. */
		if (len > 1)
			len--;
		else if (len == 1)
			return vol_ckplaces_at(places, "/", 1);
	}
	return NULL;
}

int vol_ckplaces_within(const struct vol_ckplaces *want,
			const struct vol_ckplaces *have, struct vol_error *err)
{
	for (size_t i = 0; i < want->n; i++) {
		const struct vol_ckplace *w = &want->place[i];
		const struct vol_ckplace *h =
			vol_ckplaces_at(have, w->target, strlen(w->target));
		char excerpt[VOL_EXCERPT_SIZE];

		vol_text_excerpt(w->target, strlen(w->target), excerpt);
		if (!h)
			return vol_errorf_errno(err, ENOENT,
						"this machine has no %s inside",
						excerpt);
		if (h->kind != w->kind || strcmp(h->key, w->key) != 0 ||
		    (w->flags & ~h->flags) != 0)
			return vol_errorf_errno(
				err, ENOENT,
				"%s is mounted differently on this machine",
				excerpt);
	}
	return 0;
}
