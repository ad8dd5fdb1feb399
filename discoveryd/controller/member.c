/* SPDX-License-Identifier: GPL-2.0-or-later */
/* member.c - what a device and Slurm say about its node, and when to look again
 *
 * Whatever is heard is noted here, then vol_member_evaluate (member_act.c) is
 * asked for the next step.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller.h"
#include "desk.h"
#include "fits.h"
#include "forecasts.h"
#include "lease.h"
#include "log.h"
#include "member_private.h"
#include "nodes.h"
#include "reports.h"

/* After a restart of ours, devices that wait with backoff need longer to come
 * back than one whose link just broke. */
#define START_GRACE_MS 15000
/* While a node is about to register: 20, 40, ... 200 ms, then every second. */
#define LOOK_MIN_MS      20
#define LOOK_FAST_MS     200
#define LOOK_SLOW_MS     1000
#define LOOK_FAST_FOR_MS 5000

static int on_timer(sd_event_source *source, uint64_t usec, void *arg);

struct vol_member *vol_member_create(struct vol_controller *c,
				     struct vol_device *device)
{
	struct vol_member *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->forecast = vol_forecasts_take(c->forecasts, device->id);
	if (!s->forecast) {
		free(s);
		return NULL;
	}
	s->c = c;
	s->device = device;
	memcpy(s->id, device->id, sizeof(s->id));
	memcpy(s->node_name, device->node, sizeof(s->node_name));
	s->created = device->created;
	s->contact = VOL_CONTACT_SILENT;
	/* We were stopped before its node was gone. */
	s->revoked = device->standing == VOL_REVOKED;
	if (s->revoked)
		s->contact = VOL_CONTACT_FORGOTTEN;
	s->gone_at = c->started_ms + START_GRACE_MS;
	s->look_ms = LOOK_MIN_MS;
	s->lease_ms = vol_lease_floor(c);
	s->heartbeat_ms = (uint32_t)c->conf.heartbeat_ms;
	vol_member_arm(s, START_GRACE_MS + vol_member_lease_ms(s));
	return s;
}

uint64_t vol_member_lease_ms(const struct vol_member *s)
{
	uint64_t conf = s->c->conf.lost_after_ms;

	return s->lease_ms > conf ? s->lease_ms : conf;
}

void vol_member_destroy(struct vol_member *s)
{
	if (!s)
		return;
	sd_event_source_disable_unref(s->timer);
	vol_intake_clear(&s->intake);
	vol_note_clear(&s->node);
	free(s->why);
	free(s->saves_not);
	free(s->farewell);
	free(s->auth.trouble);
	free(s->told_reason);
	free(s->complaint);
	vol_forecast_destroy(s->forecast);
	free(s);
}

void vol_member_keep(char **kept, const char *text)
{
	free(*kept);
	/* Without memory it is said once more. */
	*kept = *text ? strdup(text) : NULL;
}

void vol_member_arm(struct vol_member *s, uint64_t ms)
{
	if (!s->timer &&
	    sd_event_add_time_relative(s->c->loop, &s->timer, CLOCK_BOOTTIME,
				       ms * 1000, 0, on_timer, s) < 0) {
		vol_err("%s: no timer", s->node_name);
		return;
	}
	sd_event_source_set_time_relative(s->timer, ms * 1000);
	sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

const char *vol_member_why(const struct vol_member *s)
{
	return s->why ? s->why : "";
}

const char *vol_member_farewell(const struct vol_member *s)
{
	return s->farewell ? s->farewell : VOL_REASON_PREFIX "device is gone";
}

/* What is known for long is to be on disk. */
static void remember(struct vol_member *s)
{
	vol_registry_touch(s->c->registry, s->device);
	vol_controller_save_later(s->c);
}

/* What hello and harvest tell of the owner. */
static void note_owner(struct vol_member *s, const struct vol_link_msg *msg)
{
	time_t now = time(NULL);

	s->harvest = msg->harvest;
	vol_member_keep(&s->why, msg->why);
	s->away_since = msg->away_s ? now - (time_t)msg->away_s : 0;
	s->closes_at = msg->closes_s ? now + (time_t)msg->closes_s : 0;
	s->on_battery = msg->battery;
	if (s->speed != msg->speed)
		vol_nodes_speeds_changed(s->c->nodes);
	s->speed = msg->speed;
}

void vol_member_attach(struct vol_member *s, struct vol_peer *peer,
		       const struct vol_link_msg *hello)
{
	struct vol_peer *older = s->peer;
	struct vol_device *d = s->device;

	s->peer = NULL;
	if (older) {
		vol_info("%s: new link from %s takes over", s->node_name,
			 vol_peer_address(peer));
		vol_peer_destroy(older);
	}
	s->peer = peer;
	s->contact = VOL_CONTACT_HERE;
	s->welcomed = false;
	s->told = VOL_NODE_MISSING;
	vol_member_keep(&s->told_reason, "");
	s->slurmd = hello->busy ? VOL_SLURMD_STARTING : VOL_SLURMD_DOWN;
	s->slurmd_up_at = 0;
	s->slurmd_ended = false;
	s->busy = hello->busy;
	note_owner(s, hello);
	vol_nodes_mark(s);
	s->closed_at = 0;
	d->facts = hello->facts;
	memcpy(d->hostname, hello->hostname, sizeof(d->hostname));
	memcpy(s->boot, hello->boot, sizeof(s->boot));
	memcpy(s->version, hello->version, sizeof(s->version));
	memcpy(s->slurm, hello->slurm, sizeof(s->slurm));
	snprintf(d->address, sizeof(d->address), "%s", vol_peer_address(peer));
	s->here_at = vol_controller_now_ms();
	d->last_seen = time(NULL);
	s->hold_until = s->address_at = 0;
	s->stale = 0;
	s->reregisters = 0;
	s->jobs_noted = false;
	s->look_ms = LOOK_MIN_MS;
	vol_reports_met(s, hello);
	vol_keyring_met(s, hello);
	vol_info("%s (%s): linked: device %.8s, host %s, %u CPUs, %llu MB",
		 s->node_name, d->address, s->id, d->hostname,
		 vol_facts_cpus(&d->facts),
		 (unsigned long long)d->facts.memory_mb);
	remember(s);
	vol_forecasts_feed(s);
	vol_member_evaluate(s);
}

static void on_state(struct vol_member *s, const struct vol_link_msg *msg)
{
	if (msg->slurmd != VOL_SLURMD_UP) {
		s->slurmd_ended |= s->slurmd != VOL_SLURMD_DOWN &&
				   msg->slurmd == VOL_SLURMD_DOWN;
		s->slurmd_up_at = 0;
	} else if (s->slurmd != VOL_SLURMD_UP) {
		s->slurmd_up_at = vol_controller_now_ms();
		if (s->slurmd_ended)
			s->replaced_at = s->slurmd_up_at;
	}
	s->slurmd = msg->slurmd;
	s->busy = msg->busy;
	/* What Slurm says may change any moment now. */
	s->look_ms = LOOK_MIN_MS;
	vol_member_evaluate(s);
	if (s->slurmd != VOL_SLURMD_DOWN && s->decision.action == VOL_ACT_NONE)
		vol_member_look(s);
}

static void on_harvest(struct vol_member *s, const struct vol_link_msg *msg)
{
	bool was_open = s->harvest == VOL_HARVEST_OPEN;

	/* First of all: the next scheduling decision must see it. */
	note_owner(s, msg);
	vol_nodes_mark(s);
	vol_debug("%s: %s (%s)", s->node_name, vol_harvest_name(msg->harvest),
		  msg->why);
	vol_forecasts_feed(s);
	if (s->harvest == VOL_HARVEST_OPEN)
		s->closed_at = 0;
	else if (was_open)
		s->closed_at = vol_controller_now_ms();
	if (s->harvest == VOL_HARVEST_OPEN)
		vol_desk_opened(s->c->desk, s);
	vol_member_evaluate(s);
}

void vol_member_message(struct vol_member *s, const struct vol_link_msg *msg)
{
	struct vol_peer *peer = s->peer;
	char farewell[VOL_REASON_SIZE];

	if (msg->type != VOL_LINK_HARVEST)
		vol_nodes_mark(s);
	switch (msg->type) {
	case VOL_LINK_STATE:
		on_state(s, msg);
		break;
	case VOL_LINK_HARVEST:
		on_harvest(s, msg);
		break;
	case VOL_LINK_MOVED:
	case VOL_LINK_EVICT:
		vol_reports_take(s, msg);
		break;
	case VOL_LINK_CHECK:
		vol_desk_evict(s->c->desk, s, msg);
		break;
	case VOL_LINK_UNBEGUN:
		vol_desk_unbegun(s->c->desk, s, msg);
		break;
	case VOL_LINK_PARKED:
		vol_desk_parked(s->c->desk, s, msg);
		break;
	case VOL_LINK_KEYED:
		vol_keyring_message(s, msg);
		break;
	case VOL_LINK_FACTS:
		if (vol_facts_equal(&s->device->facts, &msg->facts))
			break;
		vol_info("%s: shares %u CPUs and %llu MB now", s->node_name,
			 vol_facts_cpus(&msg->facts),
			 (unsigned long long)msg->facts.memory_mb);
		s->device->facts = msg->facts;
		remember(s);
		vol_member_evaluate(s);
		break;
	case VOL_LINK_MACHINE:
		vol_fits_machine(s, msg);
		break;
	default:
		vol_info("%s: device leaves: %s", s->node_name, msg->reason);
		snprintf(farewell, sizeof(farewell),
			 VOL_REASON_PREFIX "device left (%.150s)", msg->reason);
		vol_member_keep(&s->farewell, farewell);
		s->contact = VOL_CONTACT_LEFT;
		vol_peer_destroy(peer);
	}
}

/* A node is set down over whatever an administrator wrote there a moment ago,
 * so that must be known first.  One view serves all that leave together. */
static void look_at_all(struct vol_member *s)
{
	s->stale = vol_registrar_refresh(s->c->registrar);
}

/* SILENT turns into LOST, and anyone away into FORGOTTEN, by time alone. */
static void grow_older(struct vol_member *s)
{
	uint64_t now = vol_controller_now_ms(), limit;
	char farewell[VOL_REASON_SIZE];
	struct tm tm;
	time_t t = time(NULL);

	if (s->contact == VOL_CONTACT_HERE ||
	    s->contact == VOL_CONTACT_FORGOTTEN)
		return;
	if (s->contact == VOL_CONTACT_SILENT) {
		limit = s->gone_at + vol_member_lease_ms(s);
		if (now < limit) {
			vol_member_arm(s, limit - now);
			return;
		}
		s->contact = VOL_CONTACT_LOST;
		look_at_all(s);
		localtime_r(&t, &tm);
		snprintf(farewell, sizeof(farewell),
			 VOL_REASON_PREFIX "lost contact at %02d:%02d",
			 tm.tm_hour, tm.tm_min);
		vol_member_keep(&s->farewell, farewell);
		if (s->exists)
			vol_info("%s: lost contact", s->node_name);
		vol_forecasts_gone(s, s->gone_at);
	}
	limit = (uint64_t)s->device->last_seen * 1000 +
		s->c->conf.forget_after_ms;
	if ((uint64_t)t * 1000 >= limit) {
		s->contact = VOL_CONTACT_FORGOTTEN;
		vol_info("%s: forgotten after long absence", s->node_name);
	} else {
		/* Days: the wall clock may be set meanwhile, so look hourly. */
		limit -= (uint64_t)t * 1000;
		vol_member_arm(s, limit < 3600000 ? limit : 3600000);
	}
}

void vol_member_detach(struct vol_member *s, uint64_t heard_at)
{
	s->peer = NULL;
	s->welcomed = false;
	vol_reports_part(s);
	vol_keyring_parted(s);
	s->slurmd = VOL_SLURMD_DOWN;
	s->slurmd_up_at = s->down_at = 0;
	s->gone_at = heard_at;
	s->device->last_seen = time(NULL);
	remember(s);
	if (s->contact == VOL_CONTACT_HERE) {
		s->contact = VOL_CONTACT_SILENT;
		vol_forecasts_feed(s);
	} else {
		look_at_all(s);
		vol_forecasts_gone(s, vol_controller_now_ms());
	}
	vol_nodes_speeds_changed(s->c->nodes);
	grow_older(s);
	vol_member_evaluate(s);
}

void vol_member_look(struct vol_member *s)
{
	struct vol_wish wish = {.action = VOL_ACT_WAIT};

	if (s->pending)
		return;
	memcpy(wish.node, s->node_name, sizeof(wish.node));
	s->pending = vol_registrar_wish(s->c->registrar, &wish) == 0;
}

void vol_member_look_later(struct vol_member *s)
{
	uint64_t age = vol_controller_now_ms() - s->here_at;

	if (s->slurmd_up_at)
		age = vol_controller_now_ms() - s->slurmd_up_at;
	vol_member_arm(s, s->look_ms);
	s->look_ms *= 2;
	if (s->look_ms > LOOK_FAST_MS)
		s->look_ms =
			age < LOOK_FAST_FOR_MS ? LOOK_FAST_MS : LOOK_SLOW_MS;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_member *s = arg;

	(void)source;
	(void)usec;
	grow_older(s);
	if (s->contact == VOL_CONTACT_HERE &&
	    s->decision.action == VOL_ACT_WAIT && s->slurm_known && !s->pending)
		vol_member_look(s);
	else
		vol_member_evaluate(s);
	return 0;
}

void vol_member_note_node(struct vol_member *s,
			  const struct vol_slurm_node *node)
{
	s->held = vol_node_held(node, s->held);
	/* The next look tells it again. */
	if (vol_note_set(&s->node, node) < 0)
		vol_err("%s: out of memory", s->node_name);
}

void vol_member_view(struct vol_member *s, const struct vol_slurm_node *node)
{
	if (s->pending)
		return; /* an answer that is newer is on its way */
	if (s->c->view_refresh >= s->stale)
		s->stale = 0;
	s->slurm_known = true;
	s->exists = node != NULL;
	if (node)
		vol_member_note_node(s, node);
	vol_member_evaluate(s);
}

void vol_member_slurm_away(struct vol_member *s)
{
	s->slurm_known = false;
	vol_member_evaluate(s);
}

bool vol_member_shuts(const struct vol_member *s, char reason[VOL_REASON_SIZE])
{
	if (s->contact == VOL_CONTACT_LEFT || s->contact == VOL_CONTACT_LOST) {
		snprintf(reason, VOL_REASON_SIZE, "%s", vol_member_farewell(s));
		return true;
	}
	if (s->harvest == VOL_HARVEST_OPEN)
		return false;
	vol_closed_reason(s->harvest, vol_member_why(s), reason);
	return true;
}

void vol_member_drained(struct vol_member *s, const char *reason)
{
	struct vol_slurm_node node;

	if (!s->slurm_known || !s->exists || s->node.drained)
		return;
	vol_note_get(&s->node, &node);
	node.drained = true;
	snprintf(node.reason, sizeof(node.reason), "%s", reason);
	if (vol_note_set(&s->node, &node) < 0)
		return;
	vol_info("%s: drained (%s)", s->node_name, reason);
	vol_member_evaluate(s);
}

bool vol_member_ajar(const struct vol_member *s)
{
	char reason[VOL_REASON_SIZE];

	return s->slurm_known && s->exists && !s->node.drained &&
	       !s->node.down && vol_member_shuts(s, reason);
}
