/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seen.c - bounded list of devices that mDNS tells of */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seen.h"

struct vol_seen {
	struct vol_seen_entry *entries;
	size_t n, size;
};

struct vol_seen *vol_seen_create(void)
{
	return calloc(1, sizeof(struct vol_seen));
}

void vol_seen_destroy(struct vol_seen *s)
{
	if (!s)
		return;
	free(s->entries);
	free(s);
}

static struct vol_seen_entry *find(struct vol_seen *s, const char *instance)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strncmp(s->entries[i].instance, instance,
			    sizeof(s->entries[i].instance) - 1) == 0)
			return &s->entries[i];
	return NULL;
}

static struct vol_seen_entry *add(struct vol_seen *s)
{
	struct vol_seen_entry *grown;
	size_t size;

	if (s->n == VOL_SEEN_MAX)
		return NULL;
	if (s->n == s->size) {
		size = s->size ? 2 * s->size : 16;
		grown = realloc(s->entries, size * sizeof(*grown));
		if (!grown)
			return NULL;
		s->entries = grown;
		s->size = size;
	}
	return &s->entries[s->n++];
}

void vol_seen_note(struct vol_seen *s, const struct vol_service *service,
		   bool present)
{
	struct vol_seen_entry *e = find(s, service->instance);

	if (!present) {
		if (e)
			*e = s->entries[--s->n];
		return;
	}
	if (!e)
		e = add(s);
	if (!e)
		return;
	memset(e, 0, sizeof(*e));
	snprintf(e->instance, sizeof(e->instance), "%s", service->instance);
	snprintf(e->host, sizeof(e->host), "%s", service->host);
	snprintf(e->address, sizeof(e->address), "%s", service->address);
	e->port = service->port;
	memcpy(e->id, service->txt.id, sizeof(e->id));
	memcpy(e->name, service->txt.name, sizeof(e->name));
}

const struct vol_seen_entry *vol_seen_at(const struct vol_seen *s, size_t i)
{
	return i < s->n ? &s->entries[i] : NULL;
}
