/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyring_tell.c - what people hear of the cluster's Slurm key */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keyring_private.h"
#include "log.h"

/* A reply is one frame: so many are named, the rest is counted. */
#define LEFT_MAX 100

/* ---- nodes that are not ours ---- */

static bool is_address_of_host(const char *address, const struct ifaddrs *list)
{
	char text[INET6_ADDRSTRLEN];

	for (; list; list = list->ifa_next) {
		const void *at = NULL;

		if (!list->ifa_addr)
			continue;
		if (list->ifa_addr->sa_family == AF_INET)
			at = &((struct sockaddr_in *)list->ifa_addr)->sin_addr;
		else if (list->ifa_addr->sa_family == AF_INET6)
			at = &((struct sockaddr_in6 *)list->ifa_addr)
				      ->sin6_addr;
		if (at &&
		    inet_ntop(list->ifa_addr->sa_family, at, text,
			      sizeof(text)) &&
		    strcmp(text, address) == 0)
			return true;
	}
	return false;
}

/* It shares our munged.  Names are not looked up: that could take long. */
static bool is_here(const char *address, const struct ifaddrs *list)
{
	char host[VOL_HOSTNAME_SIZE] = "";
	size_t len;

	gethostname(host, sizeof(host) - 1);
	len = strcspn(host, ".");
	return strcmp(address, "localhost") == 0 ||
	       strcmp(address, host) == 0 ||
	       (strncmp(address, host, len) == 0 && address[len] == '\0') ||
	       is_address_of_host(address, list);
}

void vol_keyring_others(const struct vol_controller *c, char *list, size_t size)
{
	struct ifaddrs *own = NULL;
	size_t used = 0, more = 0;

	*list = '\0';
	(void)getifaddrs(&own);
	for (size_t i = 0; i < c->n_fixed; i++) {
		const struct vol_fixed_node *n = &c->fixed[i];

		/* It may be one by now. */
		if (vol_controller_member_at_node((struct vol_controller *)c,
						  n->name) ||
		    is_here(n->address, own))
			continue;
		if (used + strlen(n->name) + 24 > size) {
			more++;
			continue;
		}
		used += (size_t)snprintf(list + used, size - used, "%s%s",
					 used ? ", " : "", n->name);
	}
	if (more)
		snprintf(list + used, size - used, " and %zu more", more);
	if (own)
		freeifaddrs(own);
}

/* ---- devices ---- */

/* Why a device has not the key that is, or becomes, the cluster's; NULL: it
 * has. */
static const char *why_not(const struct vol_keyring *k,
			   const struct vol_member *s)
{
	const char *wanted = vol_rotation_turning(k->record.phase)
				     ? k->next.id
				     : k->current.id;

	if (strcmp(s->auth.has, wanted) == 0)
		return NULL;
	if (!vol_keyring_eligible(s))
		return "not approved by a person or a token";
	if (s->auth.failed)
		return s->auth.trouble ? s->auth.trouble : "refused it";
	return s->peer ? "has not taken it yet"
		       : "not linked: gets it when it comes back";
}

static void count(const struct vol_keyring *k, size_t *have, size_t *of)
{
	*have = *of = 0;
	for (size_t i = 0; i < k->c->n_members; i++) {
		const struct vol_member *s = k->c->members[i];

		if (s->revoked)
			continue;
		++*of;
		*have += why_not(k, s) == NULL;
	}
}

void vol_keyring_note_done(struct vol_keyring *k)
{
	count(k, &k->have, &k->of);
	vol_info("key rotation: done: %zu of %zu devices use key %s; "
		 "partitions were closed for %llu ms, keys differed for %llu "
		 "ms",
		 k->have, k->of, k->next.id, (unsigned long long)k->closed_ms,
		 (unsigned long long)k->apart_ms);
}

static json_t *left_json(const struct vol_keyring *k, size_t *more)
{
	json_t *list = json_array();

	*more = 0;
	for (size_t i = 0; list && i < k->c->n_members; i++) {
		const struct vol_member *s = k->c->members[i];
		const char *why = s->revoked ? NULL : why_not(k, s);

		if (!why)
			continue;
		if (json_array_size(list) == LEFT_MAX)
			++*more;
		else
			json_array_append_new(
				list, json_pack("{s:s, s:s}", "node",
						s->node_name, "why", why));
	}
	return list;
}

json_t *vol_keyring_json(const struct vol_keyring *k, struct vol_error *err)
{
	size_t have, of, more;
	json_t *left = left_json(k, &more), *data;

	count(k, &have, &of);
	data = json_pack(
		"{s:s, s:s, s:s, s:i, s:I, s:I, s:o, s:I, s:I, s:I, s:s, s:s}",
		"phase", vol_rotation_phase_name(k->record.phase), "id",
		k->current.id, "next", k->next.id, "serial", (int)k->serial,
		"have", (json_int_t)have, "of", (json_int_t)of, "left", left,
		"more", (json_int_t)more, "closed_ms", (json_int_t)k->closed_ms,
		"apart_ms", (json_int_t)k->apart_ms, "result", k->result,
		"trouble", k->trouble);
	if (!data)
		vol_errorf_errno(err, ENOMEM, "out of memory");
	return data;
}
