/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desired.c - what to do next about one device's node
 *
 * The order of the questions is the policy: is the node ours, is the device
 * here, is it the same machine, is it reachable, does an administrator hold it,
 * does its owner need it, is it labelled.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "desired.h"

/* slurmd registers within 0.1 s of being up; after this long it did not. */
#define REGISTER_GRACE_MS 1500
/* Between two attempts to resume, and between the first two requests to
 * register again: long enough for slurmctld's answer on a loaded host. */
#define RETRY_MS 5000
/* Each request makes slurmd read its configuration and start itself anew, and
 * those of a slurmctld that loses its nodes again and again are many: no more
 * often than one gives up a node by itself (SlurmdTimeout, 300 s by default).
 */
#define REREGISTER_MAX_MS 300000
/* Without a request for so long, whatever was wrong is over. */
#define REREGISTER_CALM_MS (2 * REREGISTER_MAX_MS)
/* A slurmctld that was killed takes up the state it saved last, seconds old,
 * and believes jobs to be running that ended in between; a slurmd that is
 * killed takes the job with it that it was about to start.  slurmctld compares
 * with the device when slurmd registers, but only for batch jobs that began at
 * least BatchStartTimeout (10 s) and MessageTimeout (10 s) before; without a
 * hint the next registration is a quarter of an hour away. */
#define GHOST_MS 25000
/* A node that is refused right after it was made will be refused again. */
#define RECREATE_MS 60000

static void decide(struct vol_decision *d, enum vol_action action,
		   enum vol_node_state node, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void decide(struct vol_decision *d, enum vol_action action,
		   enum vol_node_state node, const char *fmt, ...)
{
	va_list ap;

	d->action = action;
	d->node = node;
	va_start(ap, fmt);
	vsnprintf(d->reason, sizeof(d->reason), fmt, ap);
	va_end(ap);
}

static bool is_ours(const char *reason)
{
	return strncmp(reason, VOL_REASON_PREFIX, strlen(VOL_REASON_PREFIX)) ==
	       0;
}

/* DOWN by slurmctld itself, without a person's will in it. */
static bool is_slurms(const char *reason)
{
	return !*reason || strncmp(reason, "Not responding", 14) == 0 ||
	       strncmp(reason, "Node unexpectedly rebooted", 26) == 0;
}

/* Drained by slurmctld itself, for no fault of the machine: killed and started
 * again, it hands out job numbers anew, and a device where the first job of
 * that number has not reported its end yet refuses the second one. */
static bool drained_in_error(const struct vol_slurm_node *n)
{
	return n->drained && strcmp(n->reason, "Duplicate jobid") == 0;
}

static bool drained_by_admin(const struct vol_slurm_node *n)
{
	return n->drained && !n->invalid_reg && !is_ours(n->reason) &&
	       !drained_in_error(n);
}

bool vol_node_held(const struct vol_slurm_node *n, bool before)
{
	if (n->invalid_reg)
		return before && (n->drained || n->down);
	return drained_by_admin(n) ||
	       (n->down && !is_ours(n->reason) && !is_slurms(n->reason));
}

bool vol_node_unwalled(const struct vol_slurm_node *n, const char *why)
{
	if (is_ours(why))
		why += strlen(VOL_REASON_PREFIX);
	return n->drained &&
	       strcmp(n->reason, "batch job complete failure") == 0 &&
	       strncmp(why, VOL_WHY_WALLS, strlen(VOL_WHY_WALLS)) == 0;
}

static bool same_hardware(const struct vol_facts *f,
			  const struct vol_slurm_node *n)
{
	return f->sockets == n->sockets && f->cores_per_socket == n->cores &&
	       f->threads_per_core == n->threads &&
	       f->memory_mb == n->memory_mb && f->gpus == n->gpus;
}

static bool list_has(const char *list, const char *word, size_t len)
{
	size_t n;

	for (; *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == len && strncmp(list, word, n) == 0)
			return true;
	}
	return false;
}

static bool list_within(const char *a, const char *b)
{
	size_t n;

	for (; *a; a += n + (a[n] == ',')) {
		n = strcspn(a, ",");
		if (!list_has(b, a, n))
			return false;
	}
	return true;
}

static bool same_features(const struct vol_facts *f,
			  const struct vol_slurm_node *n)
{
	char want[VOL_FACTS_CONF_SIZE];

	if (vol_facts_features(f, want, sizeof(want)) < 0)
		return true; /* can not be said, so can not be set either */
	return list_within(want, n->features) && list_within(n->features, want);
}

bool vol_owner_closes(const struct vol_situation *s)
{
	/* What leaves must not come back at once. */
	return s->harvest == VOL_HARVEST_DRAINING ||
	       (s->harvest != VOL_HARVEST_OPEN &&
		s->closed_ms >= s->drain_after_ms);
}

void vol_closed_reason(enum vol_harvest harvest, const char *why,
		       char reason[VOL_REASON_SIZE])
{
	snprintf(reason, VOL_REASON_SIZE, VOL_REASON_PREFIX "%s",
		 *why ? why : vol_harvest_name(harvest));
}

static void drain(const struct vol_situation *s, struct vol_decision *d,
		  enum vol_node_state node)
{
	char reason[VOL_REASON_SIZE];

	vol_closed_reason(s->harvest, s->why, reason);
	decide(d, VOL_ACT_DRAIN, node, "%s", reason);
}

/* Only nodes that we made are ever changed.  The registry may miss one that was
 * made in the moment before a crash: it waits for its slurmd or has the label.
 */
static bool is_foreign(const struct vol_situation *s)
{
	const struct vol_slurm_node *n = &s->node;

	if (!s->exists)
		return false;
	return !n->dynamic || (!s->created && !n->future &&
			       strcmp(n->comment, s->comment) != 0);
}

/* A revoked one may be as alive as ever, so nothing must start there again
 * while its jobs leave. */
static void on_forgotten(const struct vol_situation *s, struct vol_decision *d)
{
	const char *why = s->revoked ? "revoked" : "gone for long";

	if (!s->exists || is_foreign(s))
		decide(d, VOL_ACT_FORGET, VOL_NODE_MISSING, "%s", why);
	else if (!s->node.allocated)
		decide(d, VOL_ACT_DELETE, VOL_NODE_MISSING, "%s", why);
	else if (s->revoked && !s->node.drained && !s->undrainable)
		decide(d, VOL_ACT_DRAIN, VOL_NODE_MISSING,
		       VOL_REASON_PREFIX "%s", why);
	else if (s->revoked && !s->fenced)
		decide(d, VOL_ACT_WAIT, VOL_NODE_MISSING,
		       "waits for its lease to be over");
	else if (!s->node.down)
		decide(d, VOL_ACT_DOWN, VOL_NODE_MISSING,
		       VOL_REASON_PREFIX "%s", why);
	else
		decide(d, VOL_ACT_WAIT, VOL_NODE_MISSING,
		       "waits for jobs to leave");
}

/* A slurmd that still answers undoes DOWN (ReturnToService=2), and what was
 * requeued would start right there again: drain first.  Each DOWN kills the
 * jobs, so once is enough. */
static void on_absent(const struct vol_situation *s, struct vol_decision *d)
{
	const struct vol_slurm_node *n = &s->node;

	if (!s->exists || n->future || n->down)
		decide(d, VOL_ACT_NONE, VOL_NODE_MISSING, "device is away");
	else if (!n->drained)
		decide(d, VOL_ACT_DRAIN, VOL_NODE_MISSING, "%s", s->farewell);
	else if (s->since_down_ms == VOL_NEVER)
		/* An administrator's reason is kept: no words, no change. */
		decide(d, VOL_ACT_DOWN, VOL_NODE_MISSING, "%s",
		       drained_by_admin(n) ? "" : s->farewell);
	else
		decide(d, VOL_ACT_NONE, VOL_NODE_MISSING, "device is away");
}

/* The record in Slurm describes another machine, or Slurm rejects this one. */
static void on_other_hardware(const struct vol_situation *s,
			      struct vol_decision *d)
{
	const struct vol_slurm_node *n = &s->node;

	if (n->allocated && s->busy) {
		/* Jobs really run: they may finish, and slurmd is needed. */
		d->welcome = true;
		decide(d, n->drained ? VOL_ACT_NONE : VOL_ACT_DRAIN,
		       VOL_NODE_WRONG,
		       VOL_REASON_PREFIX "hardware changed, waits for jobs");
		return;
	}
	if (n->allocated && n->down) {
		decide(d, VOL_ACT_WAIT, VOL_NODE_WRONG,
		       "waits for jobs to leave");
		return;
	}
	if (n->allocated) {
		decide(d, VOL_ACT_DOWN, VOL_NODE_WRONG,
		       VOL_REASON_PREFIX "came back with other hardware");
		return;
	}
	if (s->held) {
		d->welcome = true;
		decide(d, VOL_ACT_NONE, VOL_NODE_WRONG,
		       "hardware changed, but an administrator holds the "
		       "node: %s",
		       n->reason);
		return;
	}
	if (n->invalid_reg && same_hardware(&s->facts, n) &&
	    s->since_create_ms < RECREATE_MS) {
		d->welcome = true;
		decide(d, VOL_ACT_NONE, VOL_NODE_WRONG,
		       "slurmctld rejects the hardware: %s", n->reason);
		return;
	}
	decide(d, VOL_ACT_DELETE, VOL_NODE_WRONG, "hardware changed");
}

unsigned vol_reregisters(unsigned before, uint64_t since_ms)
{
	return since_ms > REREGISTER_CALM_MS ? 1 : before + 1;
}

/* Twice as long after each. */
static bool may_reregister(const struct vol_situation *s)
{
	uint64_t wait = RETRY_MS;
	unsigned i;

	for (i = 1; i < s->reregisters && wait < REREGISTER_MAX_MS; i++)
		wait *= 2;
	if (wait > REREGISTER_MAX_MS)
		wait = REREGISTER_MAX_MS;
	return s->since_reregister_ms > wait;
}

/* Drained and down: RESUME would lift both, the registration lifts DOWN alone.
 */
static void on_down_below_drain(const struct vol_situation *s,
				struct vol_decision *d,
				enum vol_node_state node, const char *reason)
{
	decide(d,
	       s->slurmd == VOL_SLURMD_UP && may_reregister(s)
		       ? VOL_ACT_REREGISTER
		       : VOL_ACT_NONE,
	       node, "%s", reason);
}

static void on_down(const struct vol_situation *s, struct vol_decision *d)
{
	const struct vol_slurm_node *n = &s->node;
	char reason[VOL_REASON_SIZE];

	if (!is_ours(n->reason) && !is_slurms(n->reason)) {
		snprintf(reason, sizeof(reason),
			 "set down by an administrator: %.160s", n->reason);
		if (n->drained)
			on_down_below_drain(s, d, VOL_NODE_WRONG, reason);
		else
			decide(d, VOL_ACT_NONE, VOL_NODE_WRONG, "%s", reason);
	} else if (vol_owner_closes(s) && !n->drained) {
		drain(s, d, VOL_NODE_MISSING);
	} else if (s->slurmd != VOL_SLURMD_UP) {
		decide(d, VOL_ACT_WAIT, VOL_NODE_MISSING, "waits for slurmd");
	} else if (vol_owner_closes(s)) {
		on_down_below_drain(s, d, VOL_NODE_MISSING,
				    "waits for slurmctld");
		if (d->action == VOL_ACT_NONE)
			d->action = VOL_ACT_WAIT;
	} else if (s->since_resume_ms > RETRY_MS) {
		decide(d, VOL_ACT_RESUME, VOL_NODE_MISSING, "device is back");
	} else if (may_reregister(s)) {
		decide(d, VOL_ACT_REREGISTER, VOL_NODE_MISSING,
		       "node stays down");
	} else {
		decide(d, VOL_ACT_WAIT, VOL_NODE_MISSING,
		       "waits for slurmctld");
	}
}

/* A node that is drained before its slurmd is there is never idle while its
 * owner needs the machine: a job that starts then would be stopped before its
 * first instruction.  Slurm keeps the drain over the registration. */
static void on_unregistered(const struct vol_situation *s,
			    struct vol_decision *d)
{
	if (s->node.future && !s->node.drained && vol_owner_closes(s)) {
		drain(s, d, VOL_NODE_MISSING);
		/* Better idle for a moment than never there. */
		d->welcome = s->undrainable;
	} else if (s->slurmd == VOL_SLURMD_UP &&
		   s->slurmd_up_ms >= REGISTER_GRACE_MS && may_reregister(s))
		decide(d, VOL_ACT_REREGISTER, VOL_NODE_MISSING,
		       s->node.future ? "slurmd did not register"
				      : "slurmctld does not hear slurmd");
	else
		decide(d, VOL_ACT_WAIT, VOL_NODE_MISSING, "waits for slurmd");
}

/* Long enough after it, and not asked for since. */
static bool wants_comparison(const struct vol_situation *s, uint64_t since_ms)
{
	return since_ms != VOL_NEVER && since_ms >= GHOST_MS &&
	       s->since_reregister_ms > since_ms - GHOST_MS;
}

/* Why slurmctld may hold jobs that are not there any more; NULL: it can not. */
static const char *ghosts_of(const struct vol_situation *s)
{
	if (!s->node.allocated)
		return NULL;
	if (wants_comparison(s, s->since_restart_ms))
		return "slurmctld was restarted and may have lost job ends";
	if (wants_comparison(s, s->since_replaced_ms))
		return "slurmd was replaced and may have lost a job's start";
	return NULL;
}

/* Drained by us, or by an error of slurmctld's.  In the moments before a visit
 * counts, a drain that is there may stay. */
static void on_drained(const struct vol_situation *s, struct vol_decision *d)
{
	const struct vol_slurm_node *n = &s->node;
	bool error = drained_in_error(n);
	char reason[VOL_REASON_SIZE];

	if (vol_owner_closes(s)) {
		vol_closed_reason(s->harvest, s->why, reason);
		drain(s, d, VOL_NODE_UP);
		if (strcmp(n->reason, reason) == 0)
			d->action = VOL_ACT_NONE;
	} else if (!error && s->harvest != VOL_HARVEST_OPEN) {
		decide(d, VOL_ACT_NONE, VOL_NODE_UP, "%s", n->reason);
	} else {
		decide(d,
		       s->since_resume_ms > RETRY_MS ? VOL_ACT_RESUME
						     : VOL_ACT_WAIT,
		       error ? VOL_NODE_MISSING : VOL_NODE_UP, "%s",
		       error ? "drained in error" : "device is back");
	}
}

/* The node is the right one and answers: is it open and labelled? */
static void on_usable(const struct vol_situation *s, struct vol_decision *d)
{
	const struct vol_slurm_node *n = &s->node;
	const char *ghosts = NULL;

	if (n->drained && !is_ours(n->reason) && !drained_in_error(n) &&
	    !(vol_owner_closes(s) && vol_node_unwalled(n, s->why)))
		decide(d, VOL_ACT_NONE, VOL_NODE_WRONG,
		       "drained by an administrator: %s", n->reason);
	else if ((ghosts = ghosts_of(s)))
		decide(d, VOL_ACT_REREGISTER, VOL_NODE_UP, "%s", ghosts);
	else if (n->drained)
		on_drained(s, d);
	else if (vol_owner_closes(s))
		drain(s, d, VOL_NODE_UP);
	else
		decide(d, VOL_ACT_NONE, VOL_NODE_UP, "registered");
	d->ghosts = ghosts != NULL;
	/* Whoever looks for the device should find it while it is closed. */
	if (d->action == VOL_ACT_NONE && d->node == VOL_NODE_UP &&
	    strcmp(n->comment, s->comment) != 0)
		d->action = VOL_ACT_COMMENT;
}

static void on_here(const struct vol_situation *s, struct vol_decision *d)
{
	const struct vol_slurm_node *n = &s->node;

	if (!s->exists) {
		decide(d, VOL_ACT_CREATE, VOL_NODE_MISSING,
		       "not in Slurm's node table");
		return;
	}
	if (n->invalid_reg || !same_hardware(&s->facts, n)) {
		on_other_hardware(s, d);
		return;
	}
	d->welcome = d->facts_ok = true;
	/* Once per minute: a device that slurmctld sees at another address
	 * than we do must not make us fight over it. */
	if (strcmp(s->address, n->address) != 0 &&
	    s->since_address_ms > RECREATE_MS)
		decide(d, VOL_ACT_ADDRESS, VOL_NODE_MISSING,
		       "address was %.100s", n->address);
	else if (!same_features(&s->facts, n))
		decide(d, VOL_ACT_FEATURES, VOL_NODE_UP, "features changed");
	else if (n->down)
		on_down(s, d);
	else if (!n->registered)
		on_unregistered(s, d);
	else
		on_usable(s, d);
}

void vol_desired(const struct vol_situation *s, struct vol_decision *d)
{
	memset(d, 0, sizeof(*d));
	if (!s->slurm_known) {
		decide(d, VOL_ACT_WAIT, VOL_NODE_MISSING, "slurmctld is away");
		return;
	}
	if (s->contact == VOL_CONTACT_FORGOTTEN) {
		on_forgotten(s, d);
		return;
	}
	if (is_foreign(s)) {
		decide(d, VOL_ACT_RENAME, VOL_NODE_MISSING,
		       "the name belongs to a node that is not ours");
		return;
	}
	switch (s->contact) {
	case VOL_CONTACT_HERE:
		on_here(s, d);
		break;
	case VOL_CONTACT_SILENT:
		decide(d, VOL_ACT_NONE, VOL_NODE_MISSING, "link is broken");
		break;
	default:
		on_absent(s, d);
	}
}

const char *vol_action_name(enum vol_action action)
{
	static const char *const names[] = {
		"none",    "wait",       "create", "delete",  "rename",
		"down",    "drain",      "resume", "address", "features",
		"comment", "reregister", "forget",
	};

	return (size_t)action < sizeof(names) / sizeof(names[0]) ? names[action]
								 : "?";
}

const char *vol_contact_name(enum vol_contact contact)
{
	static const char *const names[] = {"here", "silent", "lost", "left",
					    "forgotten"};

	return (size_t)contact < sizeof(names) / sizeof(names[0])
		       ? names[contact]
		       : "?";
}
