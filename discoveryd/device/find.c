/* SPDX-License-Identifier: GPL-2.0-or-later */
/* find.c - find controllers and be seen */
#include "config.h"

#include "device/find.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "device/identity.h"
#include "device/resolve.h"
#include "link.h"
#include "log.h"
#include "mdns.h"
#include "refusals.h"

/* Where slurmd listens; a hint for people who browse the LAN. */
#define SLURMD_PORT 6818

#define RESOLVE_MIN_MS 1000
#define RESOLVE_MAX_MS 60000

struct vol_find {
	sd_event *loop;
	const struct vol_device_conf *conf;
	void (*found)(void *arg);
	void *arg;
	struct vol_choose choose;
	struct vol_remembered remembered;
	struct vol_mdns *mdns;
	struct vol_txt txt;
	struct vol_refusals strangers;
	char host[256]; /* of the configuration; "" = look for one */
	uint16_t port;
	struct vol_resolve *resolve;
	sd_event_source *resolve_timer;
	struct vol_backoff resolve_backoff;
	bool resolve_failed;
};

/* ---- the configured controller ---- */

static void add_conf(struct vol_find *f, const char address[VOL_ADDRESS_SIZE])
{
	struct vol_candidate c = {.source = VOL_SOURCE_CONF, .port = f->port};

	memcpy(c.address, address, sizeof(c.address));
	vol_choose_add(&f->choose, &c);
}

/* Whoever asks again meanwhile must not put it off: dialing may be faster. */
static void ask_later(struct vol_find *f)
{
	if (sd_event_source_get_enabled(f->resolve_timer, NULL) > 0)
		return;
	sd_event_source_set_time_relative(
		f->resolve_timer, vol_backoff_next(&f->resolve_backoff) * 1000);
	sd_event_source_set_enabled(f->resolve_timer, SD_EVENT_ONESHOT);
}

static void on_resolved(char (*addresses)[VOL_ADDRESS_SIZE], size_t n,
			const char *reason, void *arg)
{
	struct vol_find *f = arg;

	vol_resolve_destroy(f->resolve);
	f->resolve = NULL;
	if (n == 0) {
		if (!f->resolve_failed)
			vol_warn("controller %s: %s; trying on", f->host,
				 reason);
		f->resolve_failed = true;
		ask_later(f);
		return;
	}
	f->resolve_failed = false;
	vol_choose_remove(&f->choose, VOL_SOURCE_CONF, NULL);
	for (size_t i = 0; i < n; i++)
		add_conf(f, addresses[i]);
	f->found(f->arg);
}

static void ask(struct vol_find *f)
{
	struct vol_error err;

	if (f->resolve)
		return;
	f->resolve = vol_resolve_start(f->loop, f->host, on_resolved, f, &err);
	if (!f->resolve) {
		vol_warn("controller %s: %s", f->host, err.text);
		ask_later(f);
	}
}

static int on_resolve_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	ask(arg);
	return 0;
}

static bool is_name(const char *host)
{
	struct in6_addr addr;

	return !strchr(host, ':') && inet_pton(AF_INET, host, &addr) != 1;
}

static int start_conf(struct vol_find *f, struct vol_error *err)
{
	int r;

	if (vol_device_conf_host(f->conf->controller, f->host, sizeof(f->host),
				 &f->port, err) < 0)
		return -1;
	if (!is_name(f->host)) {
		struct vol_candidate c = {.source = VOL_SOURCE_CONF,
					  .port = f->port};

		if (strlen(f->host) >= sizeof(c.address))
			return vol_errorf_errno(err, EINVAL,
						"controller = %s: too long",
						f->host);
		memcpy(c.address, f->host, strlen(f->host) + 1);
		vol_choose_add(&f->choose, &c);
		return 0;
	}
	vol_backoff_init(&f->resolve_backoff, RESOLVE_MIN_MS, RESOLVE_MAX_MS,
			 (uint64_t)getpid());
	r = sd_event_add_time_relative(f->loop, &f->resolve_timer,
				       CLOCK_MONOTONIC, 0, 0, on_resolve_timer,
				       f);
	if (r < 0)
		return vol_errorf_errno(err, -r, "timer: %s", strerror(-r));
	return 0;
}

/* ---- mDNS ---- */

static void note_stranger(struct vol_find *f, const struct vol_candidate *c)
{
	char peer[160];
	char reason[160];

	snprintf(peer, sizeof(peer), "'%s' at %s", c->cluster, c->address);
	snprintf(reason, sizeof(reason),
		 "this device is for cluster '%s' (cluster = ... in "
		 "device.conf changes that)",
		 f->choose.wanted[0] ? f->choose.wanted : f->choose.known);
	vol_refusals_log(&f->strangers, "not joining cluster", peer, reason);
}

static void on_service(const struct vol_service *service, bool present,
		       void *arg)
{
	struct vol_find *f = arg;
	struct vol_candidate c = {.source = VOL_SOURCE_MDNS};

	if (!present) {
		vol_choose_remove(&f->choose, VOL_SOURCE_MDNS,
				  service->instance);
		return;
	}
	if (service->txt.proto != VOL_LINK_PROTO) {
		vol_refusals_log(&f->strangers, "not joining controller",
				 service->address,
				 "it speaks another version of the protocol");
		return;
	}
	if (strlen(service->address) >= sizeof(c.address))
		return; /* IPv6 with a scope, which slurmd could not use */
	snprintf(c.address, sizeof(c.address), "%s", service->address);
	snprintf(c.cluster, sizeof(c.cluster), "%s", service->txt.name);
	snprintf(c.instance, sizeof(c.instance), "%s", service->instance);
	c.port = service->port;
	if (!vol_choose_add(&f->choose, &c))
		return;
	vol_debug("controller of '%s' at %s port %u seen", c.cluster, c.address,
		  c.port);
	if (vol_choose_allows(&f->choose, &c))
		f->found(f->arg);
	else
		note_stranger(f, &c);
}

static int start_mdns(struct vol_find *f, struct vol_error *err)
{
	bool browse = !f->conf->controller;

	if (!browse && !f->conf->publish)
		return 0;
	f->mdns = vol_mdns_create(f->loop,
				  f->conf->publish ? VOL_SERVICE_DEVICE : NULL,
				  SLURMD_PORT, &f->txt,
				  browse ? VOL_SERVICE_CONTROLLER : NULL,
				  on_service, f, err);
	return f->mdns ? 0 : -1;
}

/* ---- all of it ---- */

/* The controller that welcomed us last stays a candidate whatever mDNS says: on
 * a network that comes back, its record may be late or never come. */
static void add_memory(struct vol_find *f)
{
	struct vol_candidate c = {.source = VOL_SOURCE_REMEMBERED};

	snprintf(c.address, sizeof(c.address), "%s", f->remembered.address);
	snprintf(c.cluster, sizeof(c.cluster), "%s", f->remembered.cluster);
	c.port = f->remembered.port;
	memcpy(f->choose.known, f->remembered.cluster, sizeof(f->choose.known));
	vol_choose_remove(&f->choose, VOL_SOURCE_REMEMBERED, NULL);
	vol_choose_add(&f->choose, &c);
}

static void start_memory(struct vol_find *f)
{
	struct vol_error err;

	/* Only a memory: without it the LAN is asked. */
	if (vol_remembered_load(f->conf->state_dir, &f->remembered, &err) < 0)
		vol_warn("%s", err.text);
	if (f->remembered.address[0])
		add_memory(f);
}

struct vol_find *vol_find_create(sd_event *loop,
				 const struct vol_device_conf *conf,
				 const char *id, void (*found)(void *arg),
				 void *arg, struct vol_error *err)
{
	struct vol_find *f = calloc(1, sizeof(*f));

	if (!f) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	f->loop = sd_event_ref(loop);
	f->conf = conf;
	f->found = found;
	f->arg = arg;
	f->txt.proto = VOL_LINK_PROTO;
	snprintf(f->txt.id, sizeof(f->txt.id), "%s", id);
	if (conf->cluster)
		snprintf(f->choose.wanted, sizeof(f->choose.wanted), "%s",
			 conf->cluster);
	vol_refusals_init(&f->strangers, 0);
	if (conf->controller) {
		if (start_conf(f, err) < 0)
			goto error;
	} else {
		start_memory(f);
	}
	if (start_mdns(f, err) < 0)
		goto error;
	return f;
error:
	vol_find_destroy(f);
	return NULL;
}

void vol_find_destroy(struct vol_find *f)
{
	int saved = errno;

	if (!f)
		return;
	vol_mdns_destroy(f->mdns);
	vol_resolve_destroy(f->resolve);
	sd_event_source_disable_unref(f->resolve_timer);
	sd_event_unref(f->loop);
	free(f);
	errno = saved;
}

const struct vol_candidate *vol_find_next(struct vol_find *f)
{
	const struct vol_candidate *c = vol_choose_next(&f->choose);

	/* Tried before: the name may lead elsewhere by now. */
	if (c && c->source == VOL_SOURCE_CONF && f->resolve_timer &&
	    f->choose.turn > f->choose.n && !f->resolve)
		ask_later(f);
	return c;
}

size_t vol_find_count(const struct vol_find *f)
{
	return vol_choose_count(&f->choose);
}

bool vol_find_accepts(struct vol_find *f, enum vol_source source,
		      const char *cluster, struct vol_error *err)
{
	const struct vol_choose *c = &f->choose;

	if (vol_choose_accepts(c, source, cluster))
		return true;
	vol_errorf(err,
		   "it is cluster '%s', but this device is for '%s' (cluster "
		   "= ... in device.conf changes that)",
		   cluster, c->wanted[0] ? c->wanted : c->known);
	return false;
}

static void note_others(struct vol_find *f)
{
	for (size_t i = 0; i < f->choose.n; i++)
		if (!vol_choose_allows(&f->choose, &f->choose.candidate[i]))
			note_stranger(f, &f->choose.candidate[i]);
}

void vol_find_welcomed(struct vol_find *f, const char *address, uint16_t port,
		       const char *cluster, const char *node)
{
	struct vol_remembered r = {.port = port};
	bool renamed = strcmp(f->txt.name, node) != 0;
	struct vol_error err;

	vol_backoff_reset(&f->resolve_backoff);
	snprintf(f->txt.name, sizeof(f->txt.name), "%s", node);
	/* Waits for avahi-daemon, so not at each welcome. */
	if (f->mdns && renamed)
		vol_mdns_update(f->mdns, &f->txt);
	snprintf(r.address, sizeof(r.address), "%s", address);
	snprintf(r.cluster, sizeof(r.cluster), "%s", cluster);
	if (!strcmp(r.address, f->remembered.address) &&
	    !strcmp(r.cluster, f->remembered.cluster) &&
	    r.port == f->remembered.port)
		return;
	f->remembered = r;
	/* With one in device.conf it is kept for image.c alone. */
	if (!f->conf->controller) {
		add_memory(f);
		note_others(f);
	}
	if (vol_remembered_save(f->conf->state_dir, &r, &err) < 0)
		vol_warn("the controller is not remembered: %s", err.text);
}
