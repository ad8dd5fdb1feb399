/* SPDX-License-Identifier: GPL-2.0-or-later */
/* browse.c - services of one type on the LAN; everything here is hostile input
 *
 * One entry for each (interface, IP version, instance) that Avahi reports.
 * Its resolver is kept, since that is how Avahi tells of changed records.
 */
#include "config.h"

#include "mdns_private.h"

#include <avahi-common/domain.h>
#include <avahi-common/error.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry.h"

/* Entries kept at once.  avahi-daemon gives a client 1024 objects; a LAN has a
 * handful of controllers. */
#define ENTRIES_MAX 512
/* Strings of a record looked at; ours has 4. */
#define ITEMS_MAX 64

struct vol_browse_entry {
	struct vol_browse_entry *next;
	struct vol_mdns *m;
	AvahiIfIndex interface;
	AvahiProtocol protocol;
	AvahiServiceResolver *resolver;
	bool announced;
	char name[AVAHI_LABEL_MAX];
};

/* A service is seen on each interface and IP version, but refused once. */
static void refuse(struct vol_mdns *m, const char *name, const char *address,
		   const char *reason)
{
	vol_refusals_log_at(&m->browse.refusals, "ignored mDNS service", name,
			    address, reason);
}

static void make_printable(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

static void format_address(const AvahiAddress *a, AvahiIfIndex interface,
			   char *buf, size_t size)
{
	char text[AVAHI_ADDRESS_STR_MAX];
	char ifname[IF_NAMESIZE];

	avahi_address_snprint(text, sizeof(text), a);
	if (a->proto == AVAHI_PROTO_INET6 && a->data.ipv6.address[0] == 0xfe &&
	    (a->data.ipv6.address[1] & 0xc0) == 0x80 &&
	    if_indextoname((unsigned)interface, ifname))
		snprintf(buf, size, "%s%%%s", text, ifname);
	else
		snprintf(buf, size, "%s", text);
}

static int parse_txt(AvahiStringList *list, struct vol_txt *txt,
		     struct vol_error *err)
{
	struct vol_txt_item items[ITEMS_MAX];
	size_t n = 0;

	for (; list; list = avahi_string_list_get_next(list)) {
		if (n == ITEMS_MAX)
			return vol_errorf(err, "more than %d TXT strings",
					  ITEMS_MAX);
		items[n].data = avahi_string_list_get_text(list);
		items[n].len = avahi_string_list_get_size(list);
		n++;
	}
	return vol_txt_parse(items, n, txt, err);
}

static void on_resolved(AvahiServiceResolver *r, AvahiIfIndex interface,
			AvahiProtocol protocol, AvahiResolverEvent event,
			const char *name, const char *type, const char *domain,
			const char *host_name, const AvahiAddress *a,
			uint16_t port, AvahiStringList *list,
			AvahiLookupResultFlags flags, void *arg)
{
	struct vol_browse_entry *e = arg;
	char address[AVAHI_ADDRESS_STR_MAX + IF_NAMESIZE + 1];
	char host[VOL_HOSTNAME_SIZE];
	char instance[AVAHI_LABEL_MAX];
	struct vol_service service = {.instance = instance,
				      .host = host,
				      .address = address,
				      .port = port};
	struct vol_error err;

	(void)r;
	(void)interface;
	(void)protocol;
	(void)type;
	(void)domain;
	(void)flags;
	if (event == AVAHI_RESOLVER_FAILURE) {
		refuse(e->m, e->name, "an unknown address",
		       avahi_strerror(avahi_client_errno(e->m->client)));
		return;
	}
	format_address(a, e->interface, address, sizeof(address));
	snprintf(host, sizeof(host), "%s", host_name);
	snprintf(instance, sizeof(instance), "%s", name);
	make_printable(host);
	make_printable(instance);
	if (parse_txt(list, &service.txt, &err) < 0) {
		refuse(e->m, instance, address, err.text);
		return;
	}
	e->announced = true;
	e->m->browse.found(&service, true, e->m->browse.arg);
}

static void remove_entry(struct vol_mdns *m, struct vol_browse_entry **link)
{
	struct vol_browse_entry *e = *link;
	struct vol_browse *b = &m->browse;
	bool last = e->announced;

	*link = e->next;
	b->n_entries--;
	if (e->resolver)
		avahi_service_resolver_free(e->resolver);
	for (struct vol_browse_entry *o = b->entries; o; o = o->next)
		if (o->announced && !strcmp(o->name, e->name))
			last = false;
	if (last && b->found) {
		struct vol_service service = {.instance = e->name};

		make_printable(e->name);
		b->found(&service, false, b->arg);
	}
	free(e);
}

static struct vol_browse_entry **find_entry(struct vol_mdns *m,
					    AvahiIfIndex interface,
					    AvahiProtocol protocol,
					    const char *name)
{
	struct vol_browse_entry **link = &m->browse.entries;

	for (; *link; link = &(*link)->next)
		if ((*link)->interface == interface &&
		    (*link)->protocol == protocol &&
		    !strcmp((*link)->name, name))
			break;
	return link;
}

static void add_entry(struct vol_mdns *m, AvahiIfIndex interface,
		      AvahiProtocol protocol, const char *name,
		      const char *type, const char *domain)
{
	struct vol_browse *b = &m->browse;
	struct vol_browse_entry *e;

	if (b->n_entries == ENTRIES_MAX) {
		/* One line for all of them: the names are the flooder's. */
		refuse(m, "any more", "any address",
		       "too many services of this type");
		return;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return;
	e->m = m;
	e->interface = interface;
	e->protocol = protocol;
	snprintf(e->name, sizeof(e->name), "%s", name);
	e->next = b->entries;
	b->entries = e;
	b->n_entries++;
	e->resolver = avahi_service_resolver_new(m->client, interface, protocol,
						 name, type, domain, protocol,
						 0, on_resolved, e);
	if (!e->resolver)
		refuse(m, name, "an unknown address",
		       avahi_strerror(avahi_client_errno(m->client)));
}

static void on_browse(AvahiServiceBrowser *browser, AvahiIfIndex interface,
		      AvahiProtocol protocol, AvahiBrowserEvent event,
		      const char *name, const char *type, const char *domain,
		      AvahiLookupResultFlags flags, void *arg)
{
	struct vol_mdns *m = arg;
	struct vol_browse_entry **link;

	(void)browser;
	(void)flags;
	switch (event) {
	case AVAHI_BROWSER_NEW:
		link = find_entry(m, interface, protocol, name);
		if (!*link)
			add_entry(m, interface, protocol, name, type, domain);
		break;
	case AVAHI_BROWSER_REMOVE:
		link = find_entry(m, interface, protocol, name);
		if (*link)
			remove_entry(m, link);
		break;
	case AVAHI_BROWSER_FAILURE:
		vol_mdns_restart(m,
				 avahi_strerror(avahi_client_errno(m->client)));
		break;
	case AVAHI_BROWSER_CACHE_EXHAUSTED:
	case AVAHI_BROWSER_ALL_FOR_NOW:
		break;
	}
}

void vol_browse_start(struct vol_mdns *m)
{
	struct vol_browse *b = &m->browse;

	if (!b->type || b->browser)
		return;
	b->browser = avahi_service_browser_new(m->client, AVAHI_IF_UNSPEC,
					       AVAHI_PROTO_UNSPEC, b->type,
					       NULL, AVAHI_LOOKUP_USE_MULTICAST,
					       on_browse, m);
	if (!b->browser)
		vol_mdns_restart(m,
				 avahi_strerror(avahi_client_errno(m->client)));
}

void vol_browse_stop(struct vol_mdns *m)
{
	struct vol_browse *b = &m->browse;

	while (b->entries)
		remove_entry(m, &b->entries);
	if (b->browser)
		avahi_service_browser_free(b->browser);
	b->browser = NULL;
}
