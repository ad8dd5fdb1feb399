/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mdns.c - the Avahi client: made, lost and made again
 *
 * With AVAHI_CLIENT_NO_FAIL the client itself waits for avahi-daemon; when
 * avahi-daemon or the D-Bus goes away it can only be thrown away.
 */
#include "config.h"

#include "mdns_private.h"

#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "avahi_poll.h"
#include "log.h"

#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 30000

static void complain(struct vol_mdns *m, const char *why)
{
	if (!m->complained)
		vol_warn("mDNS is not available (%s); trying on", why);
	m->complained = true;
}

static void drop_client(struct vol_mdns *m)
{
	AvahiClient *client = m->client;

	vol_publish_stop(m);
	vol_browse_stop(m);
	m->client = NULL;
	if (client)
		avahi_client_free(client);
}

static void on_client(AvahiClient *client, AvahiClientState state, void *arg)
{
	struct vol_mdns *m = arg;

	/* The first call comes from inside avahi_client_new. */
	m->client = client;
	switch (state) {
	case AVAHI_CLIENT_S_RUNNING:
		if (m->complained)
			vol_info("mDNS is available");
		m->complained = false;
		vol_backoff_reset(&m->backoff);
		vol_publish_start(m);
		vol_browse_start(m);
		break;
	case AVAHI_CLIENT_S_REGISTERING:
	case AVAHI_CLIENT_S_COLLISION:
		vol_publish_pause(m);
		break;
	case AVAHI_CLIENT_CONNECTING:
		complain(m, "avahi-daemon does not run");
		break;
	case AVAHI_CLIENT_FAILURE:
		vol_mdns_restart(m, avahi_strerror(avahi_client_errno(client)));
		break;
	}
}

static void make_client(struct vol_mdns *m)
{
	int error = 0;
	AvahiClient *client;

	client = avahi_client_new(m->poll, AVAHI_CLIENT_NO_FAIL, on_client, m,
				  &error);
	if (client) {
		m->client = client;
		return;
	}
	/* A client that failed inside avahi_client_new is freed already. */
	m->client = NULL;
	vol_mdns_restart(m, avahi_strerror(error));
}

static int on_retry(sd_event_source *s, uint64_t usec, void *arg)
{
	struct vol_mdns *m = arg;

	(void)s;
	(void)usec;
	drop_client(m);
	make_client(m);
	return 0;
}

void vol_mdns_restart(struct vol_mdns *m, const char *why)
{
	complain(m, why);
	sd_event_source_set_time_relative(m->retry,
					  vol_backoff_next(&m->backoff) * 1000);
	sd_event_source_set_enabled(m->retry, SD_EVENT_ONESHOT);
}

static struct vol_mdns *create(sd_event *loop, struct vol_error *err)
{
	struct vol_mdns *m = calloc(1, sizeof(*m));
	uint64_t seed = 0;
	int r;

	if (!m)
		goto error;
	m->loop = sd_event_ref(loop);
	m->poll = vol_avahi_poll_create(loop);
	if (!m->poll)
		goto error;
	r = sd_event_add_time_relative(loop, &m->retry, CLOCK_MONOTONIC, 0, 0,
				       on_retry, m);
	if (r < 0) {
		errno = -r;
		goto error;
	}
	sd_event_source_set_enabled(m->retry, SD_EVENT_OFF);
	if (getrandom(&seed, sizeof(seed), 0) < 0)
		seed = (uintptr_t)m;
	vol_backoff_init(&m->backoff, RETRY_MIN_MS, RETRY_MAX_MS, seed);
	vol_refusals_init(&m->browse.refusals, 0);
	return m;
error:
	vol_errorf(err, "can not set up mDNS: %s", strerror(errno));
	vol_mdns_destroy(m);
	return NULL;
}

struct vol_mdns *vol_mdns_create(sd_event *loop, const char *type,
				 uint16_t port, const struct vol_txt *txt,
				 const char *browse_type, vol_service_f found,
				 void *arg, struct vol_error *err)
{
	struct vol_mdns *m = create(loop, err);

	if (!m)
		return NULL;
	m->publish.type = type;
	m->publish.port = port;
	if (txt)
		m->publish.txt = *txt;
	m->browse.type = browse_type;
	m->browse.found = found;
	m->browse.arg = arg;
	make_client(m);
	return m;
}

void vol_mdns_update(struct vol_mdns *m, const struct vol_txt *txt)
{
	AvahiStringList *list;
	struct vol_publish *p = &m->publish;

	p->txt = *txt;
	if (!p->group || avahi_entry_group_is_empty(p->group))
		return;
	list = vol_publish_txt(txt);
	if (!list || avahi_entry_group_update_service_txt_strlst(
			     p->group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, 0,
			     p->name, p->type, NULL, list) < 0)
		vol_mdns_restart(m, "can not change the record");
	avahi_string_list_free(list);
}

void vol_mdns_destroy(struct vol_mdns *m)
{
	int saved = errno;

	if (!m)
		return;
	m->browse.found = NULL;
	drop_client(m);
	sd_event_source_disable_unref(m->retry);
	vol_avahi_poll_destroy(m->poll);
	avahi_free(m->publish.name);
	sd_event_unref(m->loop);
	free(m);
	errno = saved;
}
