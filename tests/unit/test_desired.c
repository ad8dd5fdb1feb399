/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_desired.c - the next step for a device's node, case by case
 *
 * A row starts from a linked device whose node is registered and right, and
 * its words change that.
 */
#include "config.h"

#include "desired.h"

#include "vtest.h"

#define OURS  VOL_REASON_PREFIX "lost contact at 10:00"
#define ADMIN "new disk"
#define WHY   "owner present since 10:31"

static void start_from_good(struct vol_situation *s)
{
	memset(s, 0, sizeof(*s));
	s->contact = VOL_CONTACT_HERE;
	s->facts.sockets = 1;
	s->facts.cores_per_socket = 4;
	s->facts.threads_per_core = 2;
	s->facts.memory_mb = 8000;
	assert_int_equal(vol_facts_add_feature(&s->facts, "x86_64"), 0);
	strcpy(s->address, "192.0.2.7");
	strcpy(s->comment, "label");
	strcpy(s->farewell, OURS);
	s->slurmd = VOL_SLURMD_UP;
	s->slurmd_up_ms = 60000;
	s->harvest = VOL_HARVEST_OPEN;
	s->closed_ms = VOL_NEVER;
	s->drain_after_ms = 5000;
	s->since_reregister_ms = s->since_create_ms = VOL_NEVER;
	s->since_address_ms = s->since_down_ms = VOL_NEVER;
	s->since_resume_ms = s->since_restart_ms = VOL_NEVER;
	s->since_replaced_ms = VOL_NEVER;
	s->slurm_known = s->exists = s->created = true;
	strcpy(s->node.name, "desk");
	strcpy(s->node.address, "192.0.2.7");
	strcpy(s->node.comment, "label");
	strcpy(s->node.features, "x86_64,volunteer"); /* any order */
	s->node.sockets = 1;
	s->node.cores = 4;
	s->node.threads = 2;
	s->node.memory_mb = 8000;
	s->node.dynamic = s->node.registered = true;
}

static bool change_device(struct vol_situation *s, const char *word)
{
	static const struct {
		const char *word;
		enum vol_contact contact;
	} contacts[] = {
		{"silent", VOL_CONTACT_SILENT},
		{"lost", VOL_CONTACT_LOST},
		{"left", VOL_CONTACT_LEFT},
		{"forgotten", VOL_CONTACT_FORGOTTEN},
		{"revoked", VOL_CONTACT_FORGOTTEN},
	};
	size_t i;

	for (i = 0; i < N_ELEMENTS(contacts); i++)
		if (strcmp(word, contacts[i].word) == 0) {
			s->contact = contacts[i].contact;
			s->revoked = strcmp(word, "revoked") == 0;
			return true;
		}
	if (strcmp(word, "slurmd-down") == 0)
		s->slurmd = VOL_SLURMD_DOWN, s->slurmd_up_ms = 0;
	else if (strcmp(word, "slurmd-starting") == 0)
		s->slurmd = VOL_SLURMD_STARTING, s->slurmd_up_ms = 0;
	else if (strcmp(word, "slurmd-fresh") == 0)
		s->slurmd_up_ms = 100;
	else if (strcmp(word, "busy") == 0)
		s->busy = true;
	else if (strcmp(word, "half-memory") == 0)
		s->facts.memory_mb /= 2;
	else if (strcmp(word, "more-cores") == 0)
		s->facts.cores_per_socket = 8;
	else if (strcmp(word, "new-gpu") == 0)
		s->facts.gpus = 1;
	else if (strcmp(word, "moved") == 0)
		strcpy(s->address, "192.0.2.99");
	else if (strcmp(word, "new-feature") == 0)
		vol_facts_add_feature(&s->facts, "avx512");
	else
		return false;
	return true;
}

static bool change_owner(struct vol_situation *s, const char *word)
{
	static const struct {
		const char *word;
		enum vol_harvest harvest;
		uint64_t closed_ms;
	} visits[] = {
		{"joined-closed", VOL_HARVEST_CLOSED, VOL_NEVER},
		{"joined-parked", VOL_HARVEST_PARKED, VOL_NEVER},
		{"parked-1s", VOL_HARVEST_PARKED, 1000},
		{"parked-5s", VOL_HARVEST_PARKED, 5000},
		{"closed-9s", VOL_HARVEST_CLOSED, 9000},
		{"draining", VOL_HARVEST_DRAINING, 600000},
		{"draining-1s", VOL_HARVEST_DRAINING, 1000},
	};
	size_t i;

	for (i = 0; i < N_ELEMENTS(visits); i++)
		if (strcmp(word, visits[i].word) == 0) {
			s->harvest = visits[i].harvest;
			s->closed_ms = visits[i].closed_ms;
			strcpy(s->why, WHY);
			return true;
		}
	if (strcmp(word, "at-once") == 0)
		s->drain_after_ms = 0;
	else if (strcmp(word, "just-now") == 0)
		s->closed_ms = 0;
	else if (strcmp(word, "no-why") == 0)
		*s->why = '\0';
	else if (strcmp(word, "walls") == 0)
		strcpy(s->why, "sandbox: no namespaces");
	else if (strcmp(word, "for-owner") == 0)
		strcpy(s->node.reason, VOL_REASON_PREFIX WHY);
	else if (strcmp(word, "for-battery") == 0)
		strcpy(s->node.reason, VOL_REASON_PREFIX "on battery");
	else
		return false;
	return true;
}

static bool change_history(struct vol_situation *s, const char *word)
{
	if (strcmp(word, "held-before") == 0)
		s->held = true;
	else if (strcmp(word, "reregistered") == 0)
		s->since_reregister_ms = 100;
	else if (strcmp(word, "resumed") == 0)
		s->since_resume_ms = 100;
	else if (strcmp(word, "created") == 0)
		s->since_create_ms = 100;
	else if (strcmp(word, "readdressed") == 0)
		s->since_address_ms = 100;
	else if (strcmp(word, "ctld-fresh") == 0)
		s->since_restart_ms = 10000;
	else if (strcmp(word, "ctld-settled") == 0)
		s->since_restart_ms = 30000;
	else if (strcmp(word, "slurmd-new") == 0)
		s->since_replaced_ms = 10000;
	else if (strcmp(word, "slurmd-settled") == 0)
		s->since_replaced_ms = 30000;
	else if (strcmp(word, "reregistered-before") == 0)
		s->since_reregister_ms = 60000;
	else if (strcmp(word, "fenced") == 0)
		s->fenced = true;
	else if (strcmp(word, "undrainable") == 0)
		s->undrainable = true;
	else if (strcmp(word, "downed") == 0)
		s->since_down_ms = 100;
	else
		return false;
	return true;
}

static bool change_node(struct vol_situation *s, const char *word)
{
	struct vol_slurm_node *n = &s->node;

	if (strcmp(word, "away") == 0)
		s->slurm_known = false;
	else if (strcmp(word, "absent") == 0)
		s->exists = false;
	else if (strcmp(word, "not-created") == 0)
		s->created = false;
	else if (strcmp(word, "static") == 0)
		n->dynamic = false;
	else if (strcmp(word, "future") == 0)
		n->future = true, n->registered = false;
	else if (strcmp(word, "down") == 0)
		n->down = true;
	else if (strcmp(word, "drained") == 0)
		n->drained = true;
	else if (strcmp(word, "mute") == 0)
		n->not_responding = true, n->registered = false;
	else if (strcmp(word, "invalid") == 0)
		n->invalid_reg = n->drained = true;
	else if (strcmp(word, "allocated") == 0)
		n->allocated = true;
	else if (strcmp(word, "ours") == 0)
		strcpy(n->reason, OURS);
	else if (strcmp(word, "admin") == 0)
		strcpy(n->reason, ADMIN);
	else if (strcmp(word, "slurms") == 0)
		strcpy(n->reason, "Not responding");
	else if (strcmp(word, "duplicate") == 0)
		strcpy(n->reason, "Duplicate jobid");
	else if (strcmp(word, "unstarted") == 0)
		strcpy(n->reason, "batch job complete failure");
	else if (strcmp(word, "low") == 0)
		strcpy(n->reason, "Low RealMemory");
	else if (strcmp(word, "unlabelled") == 0)
		*n->comment = '\0';
	else
		return false;
	return true;
}

static void change(struct vol_situation *s, const char *words)
{
	char copy[256], *word, *save;

	snprintf(copy, sizeof(copy), "%s", words);
	for (word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		if (!change_device(s, word) && !change_node(s, word) &&
		    !change_history(s, word) && !change_owner(s, word))
			fail_msg("no such word: %s", word);
	s->held = vol_node_held(&s->node, s->held);
}

struct row {
	const char *words;
	enum vol_action action;
	enum vol_node_state node;
	bool welcome;
};

#define ROW(words, action, node, welcome)                         \
	{                                                         \
		words, VOL_ACT_##action, VOL_NODE_##node, welcome \
	}

static const struct row rows[] = {
	/* All is well, and the way there. */
	ROW("", NONE, UP, true),
	ROW("allocated busy", NONE, UP, true),
	ROW("unlabelled", COMMENT, UP, true),
	ROW("absent", CREATE, MISSING, false),
	ROW("absent slurmd-down", CREATE, MISSING, false),
	ROW("absent busy", CREATE, MISSING, false),
	ROW("future slurmd-down", WAIT, MISSING, true),
	ROW("future slurmd-starting", WAIT, MISSING, true),
	ROW("future slurmd-fresh", WAIT, MISSING, true),
	ROW("future", REREGISTER, MISSING, true),
	ROW("future reregistered", WAIT, MISSING, true),
	ROW("mute slurmd-fresh", WAIT, MISSING, true),
	ROW("mute", REREGISTER, MISSING, true),
	ROW("mute slurmd-down", WAIT, MISSING, true),
	/* slurmctld is away or lost its state. */
	ROW("away", WAIT, MISSING, false),
	ROW("away absent", WAIT, MISSING, false),
	ROW("away lost", WAIT, MISSING, false),
	/* slurmctld was restarted: job ends may be lost, but not at once. */
	ROW("ctld-fresh allocated busy", NONE, UP, true),
	ROW("ctld-settled", NONE, UP, true),
	ROW("ctld-settled allocated", REREGISTER, UP, true),
	ROW("ctld-settled allocated busy", REREGISTER, UP, true),
	ROW("ctld-settled allocated reregistered", NONE, UP, true),
	ROW("ctld-settled allocated reregistered-before", REREGISTER, UP, true),
	/* slurmd was replaced: so may the start of a job. */
	ROW("slurmd-new allocated busy", NONE, UP, true),
	ROW("slurmd-settled", NONE, UP, true),
	ROW("slurmd-settled allocated busy", REREGISTER, UP, true),
	ROW("slurmd-settled allocated reregistered", NONE, UP, true),
	ROW("slurmd-settled allocated reregistered-before", REREGISTER, UP,
	    true),
	ROW("slurmd-settled ctld-fresh allocated", REREGISTER, UP, true),
	/* The name belongs to somebody else. */
	ROW("static", RENAME, MISSING, false),
	ROW("static lost", RENAME, MISSING, false),
	ROW("static forgotten", FORGET, MISSING, false),
	ROW("not-created unlabelled", RENAME, MISSING, false),
	ROW("not-created unlabelled lost", RENAME, MISSING, false),
	ROW("not-created unlabelled forgotten", FORGET, MISSING, false),
	ROW("not-created", NONE, UP, true),
	ROW("not-created future unlabelled slurmd-down", WAIT, MISSING, true),
	/* Another address, other features. */
	ROW("moved", ADDRESS, MISSING, true),
	ROW("moved allocated busy", ADDRESS, MISSING, true),
	ROW("moved future", ADDRESS, MISSING, true),
	ROW("moved readdressed", NONE, UP, true),
	ROW("new-feature", FEATURES, UP, true),
	ROW("new-feature allocated busy", FEATURES, UP, true),
	/* Another machine. */
	ROW("half-memory", DELETE, WRONG, false),
	ROW("more-cores", DELETE, WRONG, false),
	ROW("new-gpu", DELETE, WRONG, false),
	ROW("half-memory future", DELETE, WRONG, false),
	ROW("half-memory down ours", DELETE, WRONG, false),
	ROW("half-memory drained ours", DELETE, WRONG, false),
	ROW("half-memory drained admin", NONE, WRONG, true),
	ROW("half-memory allocated", DOWN, WRONG, false),
	ROW("half-memory allocated down", WAIT, WRONG, false),
	ROW("half-memory allocated busy", DRAIN, WRONG, true),
	ROW("half-memory allocated busy drained ours", NONE, WRONG, true),
	ROW("half-memory allocated busy drained admin", NONE, WRONG, true),
	ROW("half-memory down admin", NONE, WRONG, true),
	ROW("half-memory down slurms", DELETE, WRONG, false),
	ROW("held-before half-memory", DELETE, WRONG, false),
	/* Slurm rejects it. */
	ROW("held-before invalid low", NONE, WRONG, true),
	ROW("held-before invalid low half-memory", NONE, WRONG, true),
	ROW("invalid low", DELETE, WRONG, false),
	ROW("invalid low created", NONE, WRONG, true),
	ROW("invalid low half-memory created", DELETE, WRONG, false),
	ROW("invalid low allocated busy", NONE, WRONG, true),
	ROW("invalid low allocated", DOWN, WRONG, false),
	/* Down, and by whom. */
	ROW("down ours", RESUME, MISSING, true),
	ROW("down ours slurmd-down", WAIT, MISSING, true),
	ROW("down ours slurmd-starting", WAIT, MISSING, true),
	ROW("down ours resumed", REREGISTER, MISSING, true),
	ROW("down ours resumed reregistered", WAIT, MISSING, true),
	ROW("down slurms", RESUME, MISSING, true),
	ROW("down", RESUME, MISSING, true),
	ROW("down admin", NONE, WRONG, true),
	ROW("down admin drained", REREGISTER, WRONG, true),
	ROW("down admin drained reregistered", NONE, WRONG, true),
	ROW("down admin drained slurmd-down", NONE, WRONG, true),
	/* Drained, and by whom. */
	ROW("drained ours", RESUME, UP, true),
	ROW("drained ours resumed", WAIT, UP, true),
	ROW("drained admin", NONE, WRONG, true),
	ROW("drained", NONE, WRONG, true),
	ROW("drained duplicate", RESUME, MISSING, true),
	ROW("drained duplicate allocated busy", RESUME, MISSING, true),
	ROW("drained duplicate resumed", WAIT, MISSING, true),
	ROW("duplicate", NONE, UP, true),
	ROW("lost drained duplicate", DOWN, MISSING, false),
	/* slurmctld knows only that a step did not start. */
	ROW("drained unstarted", NONE, WRONG, true),
	ROW("drained unstarted walls", NONE, WRONG, true),
	ROW("closed-9s drained unstarted", NONE, WRONG, true),
	ROW("closed-9s drained unstarted walls", DRAIN, UP, true),
	ROW("closed-9s drained admin walls", NONE, WRONG, true),
	/* The owner needs it. */
	ROW("parked-1s", NONE, UP, true),
	ROW("parked-5s", DRAIN, UP, true),
	ROW("parked-1s at-once", DRAIN, UP, true),
	ROW("parked-1s just-now at-once", DRAIN, UP, true),
	ROW("closed-9s", DRAIN, UP, true),
	ROW("draining", DRAIN, UP, true),
	ROW("draining-1s", DRAIN, UP, true),
	ROW("draining allocated busy", DRAIN, UP, true),
	ROW("joined-closed", DRAIN, UP, true),
	ROW("joined-parked allocated busy", DRAIN, UP, true),
	ROW("closed-9s unlabelled", DRAIN, UP, true),
	ROW("closed-9s no-why", DRAIN, UP, true),
	/* It is drained for the owner, or for another reason of ours. */
	ROW("closed-9s drained for-owner", NONE, UP, true),
	ROW("joined-closed drained for-owner", NONE, UP, true),
	ROW("closed-9s drained for-owner unlabelled", COMMENT, UP, true),
	ROW("closed-9s drained for-battery", DRAIN, UP, true),
	ROW("closed-9s drained ours", DRAIN, UP, true),
	ROW("closed-9s drained duplicate", DRAIN, UP, true),
	ROW("parked-1s drained for-owner", NONE, UP, true),
	ROW("parked-1s drained for-battery", NONE, UP, true),
	ROW("parked-1s drained duplicate", RESUME, MISSING, true),
	ROW("drained for-owner", RESUME, UP, true),
	ROW("drained for-owner resumed", WAIT, UP, true),
	ROW("drained for-owner allocated busy", RESUME, UP, true),
	ROW("closed-9s drained for-owner ctld-settled allocated", REREGISTER,
	    UP, true),
	/* An administrator's word stands, whoever came first. */
	ROW("closed-9s drained admin", NONE, WRONG, true),
	ROW("joined-closed drained admin", NONE, WRONG, true),
	ROW("closed-9s drained", NONE, WRONG, true),
	ROW("closed-9s down admin", NONE, WRONG, true),
	ROW("closed-9s down admin drained", REREGISTER, WRONG, true),
	ROW("drained admin", NONE, WRONG, true),
	/* It comes back closed: no moment in which it looks free. */
	ROW("joined-closed down ours", DRAIN, MISSING, true),
	ROW("joined-closed down slurms", DRAIN, MISSING, true),
	ROW("joined-closed down ours slurmd-down", DRAIN, MISSING, true),
	ROW("joined-closed down drained for-owner", REREGISTER, MISSING, true),
	ROW("joined-closed down drained ours", REREGISTER, MISSING, true),
	ROW("joined-closed down drained ours reregistered", WAIT, MISSING,
	    true),
	ROW("joined-closed down drained ours slurmd-down", WAIT, MISSING, true),
	ROW("joined-closed future slurmd-down", DRAIN, MISSING, false),
	ROW("joined-parked future slurmd-down", DRAIN, MISSING, false),
	ROW("joined-closed future slurmd-down undrainable", DRAIN, MISSING,
	    true),
	ROW("joined-closed future drained for-owner slurmd-down", WAIT, MISSING,
	    true),
	ROW("joined-closed future drained for-owner", REREGISTER, MISSING,
	    true),
	/* RESUME would make it idle before its slurmd is there. */
	ROW("future drained for-owner slurmd-down", WAIT, MISSING, true),
	ROW("joined-closed absent", CREATE, MISSING, false),
	ROW("joined-closed moved", ADDRESS, MISSING, true),
	ROW("joined-closed half-memory", DELETE, WRONG, false),
	ROW("joined-closed half-memory drained admin", NONE, WRONG, true),
	ROW("joined-closed away", WAIT, MISSING, false),
	ROW("closed-9s silent", NONE, MISSING, false),
	ROW("closed-9s lost drained for-owner", DOWN, MISSING, false),
	/* The device is away. */
	ROW("silent", NONE, MISSING, false),
	ROW("silent half-memory", NONE, MISSING, false),
	ROW("lost", DRAIN, MISSING, false),
	ROW("lost allocated", DRAIN, MISSING, false),
	ROW("lost drained ours", DOWN, MISSING, false),
	ROW("lost allocated drained ours", DOWN, MISSING, false),
	ROW("lost down ours", NONE, MISSING, false),
	ROW("lost future", NONE, MISSING, false),
	ROW("lost absent", NONE, MISSING, false),
	ROW("lost drained admin", DOWN, MISSING, false),
	ROW("lost downed", DRAIN, MISSING, false),
	ROW("lost downed drained ours", NONE, MISSING, false),
	ROW("left", DRAIN, MISSING, false),
	ROW("left drained ours", DOWN, MISSING, false),
	ROW("left downed drained ours", NONE, MISSING, false),
	ROW("left down", NONE, MISSING, false),
	ROW("forgotten", DELETE, MISSING, false),
	ROW("forgotten allocated", DOWN, MISSING, false),
	ROW("forgotten allocated down", WAIT, MISSING, false),
	ROW("forgotten absent", FORGET, MISSING, false),
	/* Its slurmd may be there, and its jobs run until its lease is over. */
	ROW("revoked", DELETE, MISSING, false),
	ROW("revoked absent", FORGET, MISSING, false),
	ROW("static revoked", FORGET, MISSING, false),
	ROW("revoked allocated", DRAIN, MISSING, false),
	ROW("revoked allocated drained", WAIT, MISSING, false),
	ROW("revoked allocated undrainable", WAIT, MISSING, false),
	ROW("revoked allocated fenced", DRAIN, MISSING, false),
	ROW("revoked allocated drained fenced", DOWN, MISSING, false),
	ROW("revoked allocated undrainable fenced", DOWN, MISSING, false),
	ROW("revoked allocated drained down fenced", WAIT, MISSING, false),
};

static void each_case(void **state)
{
	struct vol_situation s;
	struct vol_decision d;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		start_from_good(&s);
		change(&s, rows[i].words);
		vol_desired(&s, &d);
		/* Only then jobs are noted before it registers again. */
		assert_int_equal(d.ghosts, d.action == VOL_ACT_REREGISTER &&
						   d.node == VOL_NODE_UP);
		if (d.action != rows[i].action || d.node != rows[i].node ||
		    d.welcome != rows[i].welcome)
			fail_msg("\"%s\": %s, node %s, welcome %d (%s)",
				 rows[i].words, vol_action_name(d.action),
				 vol_node_state_name(d.node), d.welcome,
				 d.reason);
		assert_printable(d.reason);
	}
}

/* What is written into Slurm says that it is ours, or says nothing. */
static void reasons_are_recognised_again(void **state)
{
	struct vol_situation s, again;
	struct vol_decision d;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		start_from_good(&s);
		change(&s, rows[i].words);
		vol_desired(&s, &d);
		if (d.action != VOL_ACT_DRAIN || s.node.drained)
			continue;
		assert_int_equal(strncmp(d.reason, VOL_REASON_PREFIX,
					 strlen(VOL_REASON_PREFIX)),
				 0);
		start_from_good(&again);
		again.node.drained = true;
		strcpy(again.node.reason, d.reason);
		vol_desired(&again, &d);
		assert_int_equal(d.action, VOL_ACT_RESUME);
		/* And the same cause does not ask for it again. */
		s.node.drained = true;
		strcpy(s.node.reason, again.node.reason);
		vol_desired(&s, &d);
		assert_int_not_equal(d.action, VOL_ACT_DRAIN);
	}
	start_from_good(&s);
	change(&s, "lost drained admin");
	vol_desired(&s, &d);
	assert_string_equal(d.reason, "");
	start_from_good(&s);
	change(&s, "closed-9s");
	vol_desired(&s, &d);
	assert_string_equal(d.reason, VOL_REASON_PREFIX WHY);
	change(&s, "no-why");
	vol_desired(&s, &d);
	assert_string_equal(d.reason, VOL_REASON_PREFIX "closed");
}

/* The longest why is still the same reason when it is read again. */
static void a_long_why_is_stable(void **state)
{
	struct vol_situation s;
	struct vol_decision d;

	(void)state;
	start_from_good(&s);
	change(&s, "closed-9s");
	memset(s.why, 'w', sizeof(s.why) - 1);
	s.why[sizeof(s.why) - 1] = '\0';
	vol_desired(&s, &d);
	assert_int_equal(d.action, VOL_ACT_DRAIN);
	s.node.drained = true;
	strcpy(s.node.reason, d.reason);
	vol_desired(&s, &d);
	assert_int_equal(d.action, VOL_ACT_NONE);
}

/* Follow each decision with its effect in Slurm: it must end, and well. */
static void steps_lead_to_a_usable_node(void **state)
{
	static const char *const starts[] = {
		"absent slurmd-down",
		"half-memory",
		"half-memory allocated",
		"invalid low",
		"down ours",
		"drained ours",
		"moved",
		"new-feature",
		"future",
		"unlabelled",
		"moved future",
		"parked-5s",
		"joined-closed down ours",
		"joined-closed absent slurmd-down",
		"drained for-owner",
	};
	struct vol_situation s;
	struct vol_decision d;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < N_ELEMENTS(starts); i++) {
		start_from_good(&s);
		change(&s, starts[i]);
		for (n = 0; n < 20; n++) {
			vol_desired(&s, &d);
			if (d.action == VOL_ACT_NONE)
				break;
			if (d.action == VOL_ACT_DELETE) {
				s.exists = false;
			} else if (d.action == VOL_ACT_CREATE) {
				uint64_t memory = s.facts.memory_mb;

				start_from_good(&s);
				s.facts.memory_mb = s.node.memory_mb = memory;
				change(&s, "future unlabelled");
			} else if (d.action == VOL_ACT_DOWN) {
				s.node.down = true;
				s.node.allocated = false;
				strcpy(s.node.reason, OURS);
			} else if (d.action == VOL_ACT_DRAIN) {
				s.node.drained = true;
				strcpy(s.node.reason, d.reason);
			} else if (d.action == VOL_ACT_RESUME) {
				s.node.down = s.node.drained = false;
				*s.node.reason = '\0';
			} else if (d.action == VOL_ACT_REREGISTER) {
				s.node.future = s.node.down = false;
				s.node.registered = true;
			} else if (d.action == VOL_ACT_ADDRESS) {
				strcpy(s.node.address, s.address);
			} else if (d.action == VOL_ACT_FEATURES) {
				vol_facts_features(&s.facts, s.node.features,
						   sizeof(s.node.features));
			} else if (d.action == VOL_ACT_COMMENT) {
				strcpy(s.node.comment, s.comment);
			}
		}
		if (n == 20 || d.node != VOL_NODE_UP)
			fail_msg("\"%s\" ends in %s: %s", starts[i],
				 vol_action_name(d.action), d.reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case),
		cmocka_unit_test(reasons_are_recognised_again),
		cmocka_unit_test(a_long_why_is_stable),
		cmocka_unit_test(steps_lead_to_a_usable_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
