/* SPDX-License-Identifier: GPL-2.0-or-later */
/* publish.c - our own service record, renamed as often as the LAN demands */
#include "config.h"

#include "mdns_private.h"

#include <avahi-common/alternative.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <errno.h>
#include <string.h>

#include "log.h"

/* Names tried on this host before giving up: more services of one type on one
 * host are not in earnest. */
#define LOCAL_NAMES 20

AvahiStringList *vol_publish_txt(const struct vol_txt *txt)
{
	char item[4][80];
	size_t n = vol_txt_format(txt, item, 4);
	AvahiStringList *list = NULL;

	while (n-- > 0) {
		AvahiStringList *more = avahi_string_list_add(list, item[n]);

		if (!more) {
			avahi_string_list_free(list);
			return NULL;
		}
		list = more;
	}
	return list;
}

static void add_service(struct vol_mdns *m);

static void rename_service(struct vol_publish *p)
{
	char *name = avahi_alternative_service_name(p->name);

	if (!name)
		return;
	avahi_free(p->name);
	p->name = name;
}

static void on_group(AvahiEntryGroup *group, AvahiEntryGroupState state,
		     void *arg)
{
	struct vol_mdns *m = arg;

	/* The first call comes from inside avahi_entry_group_new. */
	m->publish.group = group;
	/* A collision heard before a pause and told after it: the next start
	 * takes the host's new name. */
	if (!m->publish.name)
		return;
	switch (state) {
	case AVAHI_ENTRY_GROUP_ESTABLISHED:
		vol_info("published as '%s' (%s)", m->publish.name,
			 m->publish.type);
		break;
	case AVAHI_ENTRY_GROUP_COLLISION:
		rename_service(&m->publish);
		avahi_entry_group_reset(group);
		add_service(m);
		break;
	case AVAHI_ENTRY_GROUP_FAILURE:
		vol_mdns_restart(m,
				 avahi_strerror(avahi_client_errno(m->client)));
		break;
	case AVAHI_ENTRY_GROUP_UNCOMMITED:
	case AVAHI_ENTRY_GROUP_REGISTERING:
		break;
	}
}

static void add_service(struct vol_mdns *m)
{
	struct vol_publish *p = &m->publish;
	AvahiStringList *list = vol_publish_txt(&p->txt);
	int r = AVAHI_ERR_NO_MEMORY;

	for (int i = 0; list && i < LOCAL_NAMES; i++) {
		r = avahi_entry_group_add_service_strlst(
			p->group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, 0,
			p->name, p->type, NULL, NULL, p->port, list);
		if (r != AVAHI_ERR_COLLISION)
			break;
		rename_service(p);
	}
	avahi_string_list_free(list);
	if (r >= 0)
		r = avahi_entry_group_commit(p->group);
	if (r < 0)
		vol_mdns_restart(m, avahi_strerror(r));
}

void vol_publish_start(struct vol_mdns *m)
{
	struct vol_publish *p = &m->publish;

	if (!p->type)
		return;
	if (!p->name)
		p->name = avahi_strdup(avahi_client_get_host_name(m->client));
	if (!p->group)
		p->group = avahi_entry_group_new(m->client, on_group, m);
	if (!p->name || !p->group) {
		vol_mdns_restart(m,
				 avahi_strerror(avahi_client_errno(m->client)));
		return;
	}
	if (avahi_entry_group_is_empty(p->group))
		add_service(m);
}

void vol_publish_pause(struct vol_mdns *m)
{
	struct vol_publish *p = &m->publish;

	if (p->group)
		avahi_entry_group_reset(p->group);
	/* The host gets another name, and so does its service. */
	avahi_free(p->name);
	p->name = NULL;
}

void vol_publish_stop(struct vol_mdns *m)
{
	if (m->publish.group)
		avahi_entry_group_free(m->publish.group);
	m->publish.group = NULL;
}
