/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyring.c - the cluster's Slurm key, brought to devices */
#include "config.h"

#include "keyring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "digest.h"
#include "keyring_private.h"
#include "log.h"

uint64_t vol_keyring_wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void vol_keyring_trouble(struct vol_keyring *k, const char *text)
{
	if (strcmp(k->trouble, text) == 0)
		return;
	snprintf(k->trouble, sizeof(k->trouble), "%s", text);
	if (*text)
		vol_err("key rotation: %s", text);
}

/* ---- devices ---- */

static bool is_approved(const struct vol_member *s, bool *allowed)
{
	*allowed = vol_handout_allows((enum vol_handout)s->c->conf.hand_out_key,
				      s->device->by);
	return s->device->standing == VOL_APPROVED && !s->revoked;
}

bool vol_keyring_eligible(const struct vol_member *s)
{
	bool allowed, approved = is_approved(s, &allowed);

	return approved && allowed;
}

static enum vol_rotation_send due(const struct vol_member *s, bool proven)
{
	const struct vol_keyring *k = s->c->keyring;
	struct vol_rotation_device d = {
		.proven = proven,
		.has = s->auth.has,
		.next = s->auth.next,
	};

	d.approved = is_approved(s, &d.allowed);
	return vol_rotation_due(k->record.phase, k->current.id, k->next.id, &d);
}

static const struct vol_authkey *key_of(const struct vol_keyring *k,
					enum vol_rotation_send what)
{
	return what == VOL_SEND_KEY_NOW &&
			       !vol_rotation_turning(k->record.phase)
		       ? &k->current
		       : &k->next;
}

static void send_key(struct vol_member *s, enum vol_rotation_send what,
		     const struct vol_authkey *key)
{
	struct vol_link_msg msg = {.type = VOL_LINK_TURN};

	memcpy(msg.auth, key->id, sizeof(msg.auth));
	if (what != VOL_SEND_TURN) {
		msg.type = VOL_LINK_KEY;
		msg.key_use =
			what == VOL_SEND_KEY_NOW ? VOL_KEY_NOW : VOL_KEY_NEXT;
		vol_authkey_text(key, msg.key);
		vol_info("%s: is sent key %s, to use %s", s->node_name, key->id,
			 what == VOL_SEND_KEY_NOW ? "now" : "next");
	}
	vol_peer_send(s->peer, &msg);
	vol_link_wipe(&msg);
}

static void look(struct vol_member *s)
{
	const struct vol_authkey *key;
	enum vol_rotation_send what;
	bool proven = s->peer && s->welcomed && vol_peer_is_proven(s->peer);

	what = due(s, proven);
	key = key_of(s->c->keyring, what);
	if (what == VOL_SEND_NOTHING) {
		s->auth.sent = what;
		return;
	}
	/* It is at it, or has failed: it may try again on its next link. */
	if (what == s->auth.sent && strcmp(key->id, s->auth.sent_id) == 0)
		return;
	s->auth.sent = what;
	memcpy(s->auth.sent_id, key->id, sizeof(s->auth.sent_id));
	s->auth.failed = false;
	vol_member_keep(&s->auth.trouble, "");
	send_key(s, what, key);
}

static void look_at_all(struct vol_keyring *k)
{
	for (size_t i = 0; i < k->c->n_members; i++)
		look(k->c->members[i]);
}

/* Must the phase wait for it? */
static bool is_awaited(const struct vol_keyring *k, const struct vol_member *s)
{
	bool preparing = k->record.phase == VOL_ROTATION_PREPARE;

	if (!vol_keyring_eligible(s) || s->auth.failed)
		return false;
	/* All links ended with the life before this one. */
	if (!s->peer || !s->welcomed)
		return k->resumed && s->contact == VOL_CONTACT_SILENT;
	if (preparing)
		return strcmp(s->auth.next, k->next.id) != 0;
	return strcmp(s->auth.has, k->next.id) != 0;
}

static bool all_are_done(const struct vol_keyring *k)
{
	for (size_t i = 0; i < k->c->n_members; i++)
		if (is_awaited(k, k->c->members[i]))
			return false;
	return true;
}

static void check_done(struct vol_keyring *k)
{
	enum vol_rotation_phase phase = k->record.phase;

	if ((phase != VOL_ROTATION_PREPARE && phase != VOL_ROTATION_TURN) ||
	    !all_are_done(k))
		return;
	vol_keyring_event(k, phase == VOL_ROTATION_PREPARE
				     ? VOL_ROTATION_PREPARED
				     : VOL_ROTATION_TURNED);
}

static void tell_turned(struct vol_keyring *k)
{
	struct vol_link_msg msg = {.type = VOL_LINK_TURNED};

	memcpy(msg.auth, k->next.id, sizeof(msg.auth));
	for (size_t i = 0; i < k->c->n_members; i++) {
		struct vol_member *s = k->c->members[i];

		if (s->peer && s->welcomed &&
		    strcmp(s->auth.has, k->next.id) == 0)
			vol_peer_send(s->peer, &msg);
	}
}

static void forget(struct vol_member *s)
{
	free(s->auth.trouble);
	memset(&s->auth, 0, sizeof(s->auth));
}

void vol_keyring_met(struct vol_member *s, const struct vol_link_msg *hello)
{
	forget(s);
	memcpy(s->auth.has, hello->auth, sizeof(s->auth.has));
}

void vol_keyring_welcome(struct vol_member *s, struct vol_link_msg *welcome)
{
	enum vol_rotation_send what =
		due(s, s->peer && vol_peer_is_proven(s->peer));

	if (what == VOL_SEND_KEY_NOW)
		memcpy(welcome->auth, key_of(s->c->keyring, what)->id,
		       sizeof(welcome->auth));
}

void vol_keyring_welcomed(struct vol_member *s)
{
	look(s);
	check_done(s->c->keyring);
}

void vol_keyring_message(struct vol_member *s, const struct vol_link_msg *msg)
{
	if (*msg->reason) {
		vol_warn("%s: did not take key %s: %s", s->node_name, msg->auth,
			 msg->reason);
		s->auth.failed = true;
		vol_member_keep(&s->auth.trouble, msg->reason);
	} else if (msg->key_use == VOL_KEY_NOW) {
		vol_info("%s: uses key %s", s->node_name, msg->auth);
		memcpy(s->auth.has, msg->auth, sizeof(s->auth.has));
		look(s);
	} else {
		memcpy(s->auth.next, msg->auth, sizeof(s->auth.next));
		look(s);
	}
	check_done(s->c->keyring);
}

void vol_keyring_parted(struct vol_member *s)
{
	forget(s);
	/* Not while everything ends. */
	if (s->c->keyring)
		check_done(s->c->keyring);
}

void vol_keyring_revoked(struct vol_member *s)
{
	struct vol_keyring *k = s->c->keyring;
	const char *next = k->next.id;
	char text[256];

	if (k->record.phase == VOL_ROTATION_NONE ||
	    (strcmp(s->auth.next, next) != 0 &&
	     strcmp(s->auth.has, next) != 0 &&
	     (s->auth.sent == VOL_SEND_NOTHING ||
	      strcmp(s->auth.sent_id, next) != 0)))
		return;
	snprintf(text, sizeof(text),
		 "%s was revoked after it had the new key: rotate again",
		 s->node_name);
	vol_keyring_trouble(k, text);
	if (!vol_rotation_turning(k->record.phase))
		vol_keyring_event(k, VOL_ROTATION_STOP);
}

/* ---- the rotation ---- */

static void place(struct vol_keyring *k)
{
	struct vol_error err;

	vol_keyring_arm(k, VOL_KEYRING_TURN_MS);
	if (vol_keyring_place(k, &err) == 0)
		return;
	vol_keyring_trouble(k, err.text);
	vol_keyring_arm(k, VOL_KEYRING_RETRY_MS);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_keyring *k = arg;

	(void)source;
	(void)usec;
	switch (k->record.phase) {
	case VOL_ROTATION_PREPARE:
		vol_keyring_event(k, VOL_ROTATION_PREPARED);
		break;
	case VOL_ROTATION_CLOSE:
		vol_keyring_event(k, k->record.closed_ms && !k->errand
					     ? VOL_ROTATION_CLOSED
					     : VOL_ROTATION_FAIL);
		break;
	case VOL_ROTATION_TURN:
		vol_keyring_event(k, VOL_ROTATION_TURNED);
		break;
	case VOL_ROTATION_SELF:
		if (vol_keyring_is_placed(k)) {
			vol_keyring_event(k, VOL_ROTATION_PLACED);
			break;
		}
		if (!k->offered) {
			place(k);
			break;
		}
		vol_keyring_trouble(
			k, "the new key is not in its place on this host yet: "
			   "is slurm-volunteer-auth-key.path (for a cluster of "
			   "its own: slurm-volunteer-cluster-key.path) "
			   "enabled?");
		vol_keyring_arm(k, VOL_KEYRING_RETRY_MS);
		break;
	case VOL_ROTATION_OPEN:
	case VOL_ROTATION_UNDO:
		if (vol_keyring_open(k) < 0)
			vol_keyring_arm(k, VOL_KEYRING_RETRY_MS);
		break;
	case VOL_ROTATION_NONE:
		break;
	}
	return 0;
}

void vol_keyring_arm(struct vol_keyring *k, uint64_t ms)
{
	k->timer = sd_event_source_disable_unref(k->timer);
	if (ms &&
	    sd_event_add_time_relative(k->c->loop, &k->timer, CLOCK_BOOTTIME,
				       ms * 1000, 0, on_timer, k) < 0)
		vol_err("key rotation: no timer");
}

/* How long the new phase may take. */
static uint64_t limit_of(enum vol_rotation_phase phase)
{
	switch (phase) {
	case VOL_ROTATION_PREPARE:
		return VOL_KEYRING_PREPARE_MS;
	case VOL_ROTATION_CLOSE:
		return VOL_KEYRING_CLOSE_MS;
	case VOL_ROTATION_TURN:
		return VOL_KEYRING_TURN_MS;
	default:
		return 0;
	}
}

static void finish(struct vol_keyring *k, unsigned todo)
{
	if (todo & VOL_ROTATION_DO_DONE) {
		vol_keyring_note_done(k);
		k->current = k->next;
		k->result = "done";
		k->resumed = false;
	}
	if (todo & VOL_ROTATION_DO_DROP) {
		vol_info("key rotation: given up; nothing has changed");
		k->result = "undone";
		k->resumed = false;
	}
	vol_authkey_wipe(&k->next);
	memset(&k->record, 0, sizeof(k->record));
	k->offered = false;
	vol_keyring_forget_files(k);
	/* Who came meanwhile, or missed it. */
	look_at_all(k);
}

static void enter(struct vol_keyring *k, unsigned todo)
{
	if (todo & VOL_ROTATION_DO_CLOSE && vol_keyring_close(k) < 0)
		vol_keyring_arm(k, 1);
	if (todo & VOL_ROTATION_DO_SEND)
		look_at_all(k);
	if (todo & VOL_ROTATION_DO_PLACE)
		place(k);
	if (todo & VOL_ROTATION_DO_OPEN) {
		if (k->record.phase == VOL_ROTATION_OPEN)
			tell_turned(k);
		if (vol_keyring_open(k) < 0)
			vol_keyring_arm(k, VOL_KEYRING_RETRY_MS);
	}
	if (todo & (VOL_ROTATION_DO_DONE | VOL_ROTATION_DO_DROP))
		finish(k, todo);
}

void vol_keyring_event(struct vol_keyring *k, enum vol_rotation_event event)
{
	struct vol_rotation_record before = k->record;
	unsigned todo = vol_rotation_step(&k->record.phase, event);
	struct vol_error err;

	if (todo & VOL_ROTATION_DO_WRONG)
		return;
	if (k->record.phase == VOL_ROTATION_TURN && !k->record.apart_ms)
		k->record.apart_ms = vol_keyring_wall_ms();
	if (k->record.phase == VOL_ROTATION_OPEN && !k->apart_ms)
		k->apart_ms = vol_keyring_wall_ms() - k->record.apart_ms;
	/* A phase that is not on disk has not begun. */
	if (todo & VOL_ROTATION_DO_SAVE && vol_keyring_save(k, &err) < 0) {
		vol_keyring_trouble(k, err.text);
		k->record = before;
		/* Nor does what was given up go on meanwhile. */
		if (event == VOL_ROTATION_STOP || event == VOL_ROTATION_FAIL) {
			vol_keyring_drop_errand(k);
			k->record.closed_ms = 0;
		}
		vol_keyring_arm(k, VOL_KEYRING_RETRY_MS);
		return;
	}
	vol_debug("key rotation: %s", vol_rotation_phase_name(k->record.phase));
	vol_keyring_arm(k, limit_of(k->record.phase));
	enter(k, todo);
	check_done(k);
}

int vol_keyring_rotate(struct vol_keyring *k, bool others, uid_t uid,
		       struct vol_error *err)
{
	char list[160];

	if (k->record.phase != VOL_ROTATION_NONE)
		return vol_errorf_errno(
			err, EBUSY, "a rotation is under way (%s)",
			vol_rotation_phase_name(k->record.phase));
	if (k->c->conf.hand_out_key == VOL_HANDOUT_NO)
		return vol_errorf_errno(err, EPERM, "hand_out_key = no");
	if (!k->current.bytes)
		return vol_errorf_errno(err, EINVAL,
					"the present key is not known: %.180s",
					k->trouble);
	if (!k->c->slurm_known)
		return vol_errorf_errno(err, EAGAIN,
					"slurmctld does not answer");
	vol_keyring_others(k->c, list, sizeof(list));
	if (*list && !others)
		return vol_errorf_errno(
			err, EINVAL,
			"these get no key from here: %s; with --others they "
			"are without until you bring it to them",
			list);
	if (vol_authkey_make(&k->next, vol_sha256, err) < 0)
		return -1;
	vol_info("key rotation begun by uid %u: key %s instead of %s",
		 (unsigned)uid, k->next.id, k->current.id);
	memcpy(k->record.old, k->current.id, sizeof(k->record.old));
	memcpy(k->record.next, k->next.id, sizeof(k->record.next));
	k->serial++;
	k->result = "";
	*k->trouble = '\0';
	k->closed_ms = k->apart_ms = 0;
	k->have = k->of = 0;
	vol_keyring_event(k, VOL_ROTATION_BEGIN);
	return 0;
}

int vol_keyring_stop(struct vol_keyring *k, struct vol_error *err)
{
	if (k->record.phase == VOL_ROTATION_NONE)
		return vol_errorf_errno(err, ENOENT, "there is no rotation");
	if (vol_rotation_turning(k->record.phase))
		return vol_errorf_errno(err, EALREADY,
					"the new key is being taken: it is too "
					"late to go back");
	vol_keyring_event(k, VOL_ROTATION_STOP);
	return 0;
}

struct vol_keyring *vol_keyring_create(struct vol_controller *c,
				       struct vol_error *err)
{
	struct vol_keyring *k = calloc(1, sizeof(*k));

	if (!k) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	k->c = c;
	k->result = "";
	if (vol_keyring_load(k, err) < 0) {
		vol_keyring_destroy(k);
		return NULL;
	}
	c->keyring = k;
	if (k->record.phase == VOL_ROTATION_NONE)
		return k;
	vol_warn("key rotation: goes on (%s)",
		 vol_rotation_phase_name(k->record.phase));
	k->resumed = true;
	k->serial++;
	vol_keyring_event(k, VOL_ROTATION_START);
	return k;
}

void vol_keyring_destroy(struct vol_keyring *k)
{
	int saved = errno;

	if (!k)
		return;
	k->c->keyring = NULL;
	vol_keyring_drop_errand(k);
	sd_event_source_disable_unref(k->timer);
	sd_event_source_disable_unref(k->placed);
	vol_authkey_wipe(&k->current);
	vol_authkey_wipe(&k->next);
	free(k->folder);
	free(k->record_path);
	free(k->next_path);
	free(k->install_path);
	free(k);
	errno = saved;
}
