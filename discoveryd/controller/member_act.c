/* SPDX-License-Identifier: GPL-2.0-or-later */
/* member_act.c - take the step that vol_desired names
 *
 * At most one wish per member is at the registrar; its answer brings the member
 * here again.  A wish that failed is held back for a while, so that a refusal
 * never turns into a loop.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controller.h"
#include "desk.h"
#include "door.h"
#include "log.h"
#include "fits.h"
#include "forecasts.h"
#include "keyring.h"
#include "member_private.h"
#include "reports.h"

/* A full table empties by a person's hand or when a device is forgotten. */
#define TABLE_FULL_MS 30000
#define FAILED_MS     5000
#define BUSY_MS       1000
#define RENAME_MS     500
/* Told "missing" only after this: a node on its way in is nobody's worry. */
#define MISSING_MS 3000

static uint64_t since(uint64_t at, uint64_t now)
{
	return at ? now - at : VOL_NEVER;
}

void vol_member_label(const struct vol_member *s,
		      char label[VOL_MEMBER_LABEL_SIZE])
{
	snprintf(label, VOL_MEMBER_LABEL_SIZE, VOL_MEMBER_LABEL "%.100s, %.8s",
		 s->device->hostname, s->id);
}

static void describe(const struct vol_member *s, struct vol_situation *x)
{
	uint64_t now = vol_controller_now_ms();

	memset(x, 0, sizeof(*x));
	x->created = s->created;
	x->contact = s->contact;
	x->facts = s->device->facts;
	memcpy(x->address, s->device->address, sizeof(x->address));
	vol_member_label(s, x->comment);
	snprintf(x->farewell, sizeof(x->farewell), "%s",
		 vol_member_farewell(s));
	x->slurmd = s->slurmd;
	x->busy = s->busy;
	x->slurmd_up_ms = s->slurmd_up_at ? now - s->slurmd_up_at : 0;
	x->harvest = s->harvest;
	snprintf(x->why, sizeof(x->why), "%s", vol_member_why(s));
	x->closed_ms = since(s->closed_at, now);
	x->drain_after_ms = s->c->conf.drain_after_ms;
	x->undrainable = s->undrainable;
	x->revoked = s->revoked;
	x->fenced = now >= s->gone_at + vol_member_lease_ms(s);
	x->reregisters = s->reregisters;
	x->since_reregister_ms = since(s->reregister_at, now);
	x->since_create_ms = since(s->create_at, now);
	x->since_address_ms = since(s->address_at, now);
	x->since_down_ms = since(s->down_at, now);
	x->since_resume_ms = since(s->resume_at, now);
	x->since_restart_ms = since(s->c->ctld_restarted_ms, now);
	x->since_replaced_ms = since(s->replaced_at, now);
	x->slurm_known = s->slurm_known;
	x->exists = s->exists;
	vol_note_get(&s->node, &x->node);
	x->held = s->held;
}

static void wish(struct vol_member *s)
{
	struct vol_wish w = {.action = s->decision.action};
	struct vol_situation x;

	memcpy(w.node, s->node_name, sizeof(w.node));
	memcpy(w.address, s->device->address, sizeof(w.address));
	memcpy(w.hostname, s->device->hostname, sizeof(w.hostname));
	w.facts = s->device->facts;
	if (w.action == VOL_ACT_COMMENT) {
		describe(s, &x);
		memcpy(w.text, x.comment, sizeof(w.text));
	} else {
		snprintf(w.text, sizeof(w.text), "%s", s->decision.reason);
	}
	s->pending = vol_registrar_wish(s->c->registrar, &w) == 0;
	if (!s->pending)
		vol_member_arm(s, FAILED_MS);
	vol_debug("%s: %s: %s", s->node_name, vol_action_name(w.action),
		  w.text);
}

static void welcome(struct vol_member *s)
{
	struct vol_controller *c = s->c;
	struct vol_link_msg msg = {
		.type = VOL_LINK_WELCOME,
		.conf_port = c->slurm.ctld_port,
		.heartbeat_ms = (uint32_t)c->conf.heartbeat_ms,
		.lease_ms = (uint32_t)c->conf.lost_after_ms,
		.facts_ok = s->decision.facts_ok,
	};

	memcpy(msg.node, s->node_name, sizeof(msg.node));
	memcpy(msg.cluster, c->slurm.cluster, sizeof(msg.cluster));
	vol_keyring_welcome(s, &msg);
	s->welcomed = true;
	s->lease_ms = msg.lease_ms;
	s->heartbeat_ms = msg.heartbeat_ms;
	vol_forecasts_feed(s);
	vol_peer_send(s->peer, &msg);
	vol_reports_welcomed(s);
	vol_keyring_welcomed(s);
}

static void tell(struct vol_member *s)
{
	struct vol_link_msg msg = {.type = VOL_LINK_NODE,
				   .node_state = s->decision.node};
	uint64_t now = vol_controller_now_ms();

	/* Of the three only "wrong" has reasons worth following. */
	if (s->decision.node == s->told &&
	    (s->told != VOL_NODE_WRONG ||
	     strcmp(s->decision.reason, s->told_reason ? s->told_reason : "") ==
		     0))
		return;
	/* A node that was just resumed is out until slurmd has answered. */
	if (s->decision.node == VOL_NODE_MISSING &&
	    (!s->slurmd_up_at || now - s->slurmd_up_at < MISSING_MS ||
	     since(s->resume_at, now) < MISSING_MS))
		return;
	s->told = s->decision.node;
	vol_member_keep(&s->told_reason, s->decision.reason);
	memcpy(msg.reason, s->decision.reason, sizeof(msg.reason));
	vol_peer_send(s->peer, &msg);
	vol_log(s->told == VOL_NODE_UP ? VOL_LOG_INFO : VOL_LOG_WARN,
		"%s: node is %s: %s", s->node_name,
		vol_node_state_name(s->told), msg.reason);
}

static void reregister(struct vol_member *s)
{
	struct vol_link_msg msg = {.type = VOL_LINK_REREGISTER};
	uint64_t now = vol_controller_now_ms();

	memcpy(msg.reason, s->decision.reason, sizeof(msg.reason));
	s->reregisters =
		vol_reregisters(s->reregisters, since(s->reregister_at, now));
	s->reregister_at = now;
	vol_info("%s: slurmd must register again: %s", s->node_name,
		 msg.reason);
	vol_peer_send(s->peer, &msg);
}

/* Complain once per text, to the log and to a device that still waits. */
static void complain(struct vol_member *s, const char *code, const char *text,
		     uint32_t retry_ms)
{
	if (!s->complaint || strcmp(s->complaint, text) != 0) {
		vol_member_keep(&s->complaint, text);
		vol_err("%s", text);
	}
	s->hold_until = vol_controller_now_ms() + retry_ms;
	if (s->peer && !s->welcomed)
		vol_peer_refuse(s->peer, code, text, retry_ms);
	else
		vol_member_arm(s, retry_ms);
}

static void rename_node(struct vol_member *s)
{
	struct vol_error err;

	vol_warn("%s: %s", s->node_name, s->decision.reason);
	if (vol_controller_rename(s->c, s, NULL, &err) < 0) {
		complain(s, "busy", err.text, FAILED_MS);
		return;
	}
	if (s->peer && s->welcomed)
		vol_peer_refuse(s->peer, "busy", "the node name changed", 100);
}

static void act(struct vol_member *s)
{
	switch (s->decision.action) {
	case VOL_ACT_NONE:
		break;
	case VOL_ACT_WAIT:
		if (s->slurm_known && (s->slurmd != VOL_SLURMD_DOWN ||
				       s->decision.node == VOL_NODE_WRONG ||
				       s->contact == VOL_CONTACT_FORGOTTEN))
			vol_member_look_later(s);
		break;
	case VOL_ACT_REREGISTER:
		if (s->decision.ghosts && !s->jobs_noted) {
			vol_desk_leaving(s->c->desk, s);
			break;
		}
		s->jobs_noted = false;
		reregister(s);
		vol_member_look_later(s);
		break;
	case VOL_ACT_RENAME:
		rename_node(s);
		break;
	case VOL_ACT_FORGET:
		vol_controller_forget(s->c, s);
		break;
	case VOL_ACT_DOWN:
		if (!s->jobs_noted && s->node.allocated)
			vol_desk_leaving(s->c->desk, s);
		else
			wish(s);
		break;
	default:
		wish(s);
	}
}

/* The old node goes first: killed in between, we find the old name and make it
 * again. */
static void move_name(struct vol_member *s)
{
	char old[VOL_NODE_NAME_SIZE], name[VOL_NODE_NAME_SIZE];
	struct vol_error err;

	if (!s->slurm_known)
		return;
	if (s->exists) {
		s->decision.action = VOL_ACT_DELETE;
		snprintf(s->decision.reason, sizeof(s->decision.reason),
			 "renamed to %s", s->new_name);
		wish(s);
		return;
	}
	memcpy(old, s->node_name, sizeof(old));
	memcpy(name, s->new_name, sizeof(name));
	*s->new_name = '\0';
	if (vol_controller_rename(s->c, s, name, &err) < 0)
		vol_err("%s: not renamed: %s", old, err.text);
	else
		vol_info("%s: renamed to %s", old, s->node_name);
}

/* The node is ours from now on, also when the answer to its creation got lost
 * with slurmctld or with us. */
static void note_created(struct vol_member *s)
{
	s->created = true;
	if (!s->device->created) {
		s->device->created = true;
		vol_registry_touch(s->c->registry, s->device);
		vol_controller_save_soon(s->c);
	}
}

/* A device that we know may start although slurmctld can not be asked: its node
 * is there, or will be made when slurmctld is back. */
static bool may_enter(const struct vol_member *s)
{
	return s->decision.welcome ||
	       (!s->slurm_known && *s->c->slurm.cluster && s->created);
}

void vol_member_evaluate(struct vol_member *s)
{
	uint64_t now = vol_controller_now_ms();
	struct vol_situation x;

	if (s->pending || s->unsaved || s->stale)
		return;
	if (*s->new_name && s->contact != VOL_CONTACT_FORGOTTEN) {
		move_name(s);
		return;
	}
	describe(s, &x);
	vol_desired(&x, &s->decision);
	if (s->slurm_known && s->exists && s->node.future &&
	    s->decision.welcome && !s->created)
		note_created(s);
	if (s->peer && !s->welcomed && may_enter(s))
		welcome(s);
	if (s->peer && s->welcomed && s->slurm_known)
		tell(s);
	if (now < s->hold_until && s->decision.action != VOL_ACT_NONE) {
		vol_member_arm(s, s->hold_until - now);
		return;
	}
	if (s->decision.action == VOL_ACT_NONE && x.closed_ms < VOL_NEVER &&
	    x.closed_ms < x.drain_after_ms)
		vol_member_arm(s, x.drain_after_ms - x.closed_ms);
	act(s);
}

static void note_done(struct vol_member *s, const struct vol_wish *w)
{
	struct vol_slurm_node node;
	uint64_t now = vol_controller_now_ms();

	switch (w->action) {
	case VOL_ACT_CREATE:
		s->create_at = now;
		note_created(s);
		vol_info("%s: node created", s->node_name);
		break;
	case VOL_ACT_DELETE:
		vol_info("%s: node deleted", s->node_name);
		break;
	case VOL_ACT_DOWN:
		s->down_at = now;
		s->jobs_noted = false;
		vol_note_get(&s->node, &node);
		vol_info("%s: set down (%s)", s->node_name,
			 *w->text ? w->text : node.reason);
		break;
	case VOL_ACT_DRAIN:
		s->undrainable = false;
		s->resume_at = 0; /* the next one is another matter */
		vol_info("%s: drained (%s)", s->node_name, w->text);
		break;
	case VOL_ACT_RESUME:
		s->resume_at = now;
		vol_info("%s: back in service", s->node_name);
		break;
	case VOL_ACT_ADDRESS:
		s->address_at = now;
		vol_info("%s: address is %s", s->node_name, w->address);
		/* The slurmd may not have noticed, and jobs need both ends. */
		if (s->peer && s->slurmd == VOL_SLURMD_UP)
			reregister(s);
		break;
	default:
		break;
	}
	vol_member_keep(&s->complaint, "");
}

static void note_failure(struct vol_member *s, const struct vol_answer *a)
{
	if (*s->new_name) {
		vol_warn("%s: not renamed to %s: %s", s->node_name, s->new_name,
			 a->why.text);
		*s->new_name = '\0';
		return;
	}
	switch (a->error) {
	case ENOSPC:
		complain(s, "table_full", a->why.text, TABLE_FULL_MS);
		return;
	case EEXIST: /* the fresh look says what to do */
	case ESTALE:
		return;
	case EBUSY:
		s->hold_until = vol_controller_now_ms() + BUSY_MS;
		return;
	}
	if (a->wish->action == VOL_ACT_RESUME && a->error == EINVAL) {
		/* Not down any more: somebody was faster. */
		s->resume_at = vol_controller_now_ms();
		return;
	}
	s->undrainable |= a->wish->action == VOL_ACT_DRAIN;
	complain(s, "slurm_away", a->why.text, FAILED_MS);
}

void vol_member_answer(struct vol_member *s, const struct vol_answer *a)
{
	s->pending = false;
	if (a->looked) {
		s->slurm_known = true;
		s->exists = a->exists;
		if (a->exists)
			vol_member_note_node(s, &a->node);
	}
	if (a->error)
		note_failure(s, a);
	else
		note_done(s, a->wish);
	/* Part of a list: the table is on its way, and knows more. */
	if (a->looked || a->error)
		vol_member_evaluate(s);
}

void vol_member_revoke(struct vol_member *s)
{
	s->revoked = true;
	vol_fits_changed(s->c->fits);
	s->contact = VOL_CONTACT_FORGOTTEN;
	*s->new_name = '\0';
	s->jobs_noted = false;
	vol_info("%s: revoked", s->node_name);
	vol_keyring_revoked(s);
	/* The end of the link is evaluated, too. */
	if (s->peer)
		vol_peer_refuse(s->peer, "not_enrolled",
				"an administrator has revoked this device",
				VOL_DOOR_REVOKED_MS);
	else
		vol_member_evaluate(s);
}

int vol_member_rename(struct vol_member *s, const char *name,
		      struct vol_error *err)
{
	if (!s->slurm_known)
		return vol_errorf_errno(err, EBUSY,
					"slurmctld does not answer");
	if (s->busy || (s->exists && s->node.allocated))
		return vol_errorf_errno(err, EBUSY,
					"jobs are on %s; drain it and wait",
					s->node_name);
	if (s->revoked || s->unsaved || *s->new_name)
		return vol_errorf_errno(err, EBUSY, "%s is being changed",
					s->node_name);
	snprintf(s->new_name, sizeof(s->new_name), "%s", name);
	if (s->peer)
		vol_peer_refuse(s->peer, "busy", "the node name changes",
				RENAME_MS);
	else
		vol_member_evaluate(s);
	return 0;
}
