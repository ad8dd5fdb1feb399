/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_door.c - what an administrator can have the door do */
#include "config.h"

#include "ctl_door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controller.h"
#include "door.h"
#include "images.h"
#include "keyring.h"
#include "log.h"
#include "names.h"
#include "text.h"

/* A reply is one frame (ctl_controller.c): the rest is counted. */
#define PENDING_MAX 100
/* As many digits of an id as a person may give for it: 64 bits, to which nobody
 * finds another key.  Logs show the first 8. */
#define ID_MIN   16
#define ID_LOOKS 8

/* What a person has said.  Hosts are called as strangers like, so a word that
 * looks like a code or an id is never taken for a name. */
enum word {
	WORD_CODE,   /* six digits */
	WORD_ID,     /* hex digits, ID_MIN or more */
	WORD_UNSURE, /* fewer, but ID_LOOKS or digits only: no name either */
	WORD_NAME,
};

/* A device that somebody spoke of. */
struct subject {
	struct vol_device *device;
	const struct vol_waiting *waiting; /* on a link, with a code; or NULL */
	bool by_id;                        /* its key itself was named */
};

static json_t *done(json_t *data, struct vol_error *err)
{
	if (!data)
		vol_errorf_errno(err, ENOMEM, "out of memory");
	return data;
}

static const char *text_of(const json_t *request, const char *name,
			   struct vol_error *err)
{
	const char *text = json_string_value(json_object_get(request, name));

	if (!text || !*text) {
		vol_errorf_errno(err, EINVAL, "%s: want a text", name);
		return NULL;
	}
	return text;
}

static const char *by_uid(uid_t uid, char by[VOL_BY_SIZE])
{
	snprintf(by, VOL_BY_SIZE, "uid %u", (unsigned)uid);
	return by;
}

/* ---- tokens ---- */

static uint64_t number_of(const json_t *request, const char *name,
			  uint64_t otherwise)
{
	const json_t *value = json_object_get(request, name);
	json_int_t n = json_integer_value(value);

	if (!value)
		return otherwise;
	/* 0 is out of all ranges. */
	return json_is_integer(value) && n > 0 ? (uint64_t)n : 0;
}

json_t *vol_ctl_token(const json_t *request, uid_t uid, void *arg,
		      struct vol_error *err)
{
	struct vol_controller *c = arg;
	uint64_t uses = number_of(request, "uses", 1);
	uint64_t ttl_s = number_of(request, "ttl_s", 3600);

	return vol_door_make_token(
		c->door, uses <= UINT32_MAX ? (uint32_t)uses : UINT32_MAX,
		ttl_s, uid, err);
}

json_t *vol_ctl_tokens(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err)
{
	struct vol_controller *c = arg;

	(void)request;
	(void)uid;
	return vol_door_tokens(c->door, err);
}

json_t *vol_ctl_revoke_token(const json_t *request, uid_t uid, void *arg,
			     struct vol_error *err)
{
	struct vol_controller *c = arg;
	const char *id = text_of(request, "id", err);

	if (!id || vol_door_revoke_token(c->door, id, err) < 0)
		return NULL;
	vol_info("token %.8s revoked by uid %u", id, (unsigned)uid);
	return done(json_pack("{s:s}", "id", id), err);
}

/* ---- who is meant ---- */

static const struct vol_waiting *waiting_of(const struct vol_controller *c,
					    const char *id)
{
	const struct vol_peer *p;
	const struct vol_waiting *w;

	for (p = vol_server_waiting(c->server); p; p = vol_peer_next(p)) {
		w = vol_peer_waiting(p);
		if (strcmp(w->id, id) == 0)
			return w;
	}
	return NULL;
}

static bool is_called(const struct vol_device *d, const char *name)
{
	char node[VOL_NODE_NAME_SIZE];

	/* A node's name is its own; one without it may go by any. */
	if (d->standing == VOL_APPROVED)
		return strcmp(d->node, name) == 0;
	vol_node_name_from_host(d->hostname, node);
	return strcmp(node, name) == 0 || strcmp(d->hostname, name) == 0;
}

static bool has_id(const struct vol_device *d, const char *name)
{
	size_t len = strlen(name);

	return strncmp(d->id, name, len) == 0 ||
	       strncmp(d->fingerprint, name, len) == 0;
}

static enum word word_of(const char *name)
{
	size_t len = strlen(name);
	bool digits = strspn(name, "0123456789") == len;

	if (strspn(name, "0123456789abcdefABCDEF") != len)
		return WORD_NAME;
	if (len >= ID_MIN)
		return WORD_ID;
	if (digits && len == VOL_SHORTCODE_TEXT - 1)
		return WORD_CODE;
	return digits || len >= ID_LOOKS ? WORD_UNSURE : WORD_NAME;
}

static bool is_meant(const struct vol_device *d, const struct vol_waiting *w,
		     enum word word, const char *name)
{
	switch (word) {
	case WORD_CODE:
		return w && strcmp(w->code.code, name) == 0;
	case WORD_ID:
		return has_id(d, name);
	case WORD_NAME:
		return is_called(d, name);
	default:
		return false;
	}
}

static bool is_vouched_for(const struct vol_device *d)
{
	return vol_handout_allows(VOL_HANDOUT_APPROVED, d->by);
}

static int not_one(size_t n, enum word word, const char *name,
		   struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];

	vol_text_excerpt(name, strlen(name), excerpt);
	if (word == WORD_UNSURE)
		return vol_errorf_errno(
			err, EINVAL,
			"%s may be a name, a code or the beginning of an id: "
			"give the code, which has %d digits, or at least %d "
			"digits of the id (volunteer devices --pending; for a "
			"node, volunteer devices --json)",
			excerpt, VOL_SHORTCODE_TEXT - 1, ID_MIN);
	if (n == 0)
		return vol_errorf_errno(err, ENOENT,
					"no device %s waits for approval",
					excerpt);
	return vol_errorf_errno(err, EINVAL,
				"%zu devices are called %s: give the code or "
				"the id of one",
				n, excerpt);
}

/* The one device that is meant.  An id is of any, and of one only; a code of
 * one that waits.  By a name goes a node that nobody vouched for, if no
 * other has knocked under that name, or one without a node; of these those that
 * wait come before all others. */
static int find_subject(struct vol_controller *c, const char *name,
			struct subject *s, struct vol_error *err)
{
	enum word word = word_of(name);
	struct vol_device *node = NULL, *rival = NULL;
	size_t n = 0, n_waiting = 0;

	*s = (struct subject){.by_id = word == WORD_ID};
	for (size_t i = 0; i < vol_registry_count(c->registry); i++) {
		struct vol_device *d = vol_registry_at(c->registry, i);
		const struct vol_waiting *w = waiting_of(c, d->id);

		if (!is_meant(d, w, word, name) ||
		    (word == WORD_NAME && d->standing == VOL_APPROVED &&
		     is_vouched_for(d)))
			continue;
		n++;
		n_waiting += w != NULL;
		if (d->standing == VOL_APPROVED)
			node = d;
		else if (d->standing == VOL_PENDING)
			rival = d;
		if (!s->device || w) {
			s->device = d;
			s->waiting = w;
		}
	}
	if (word == WORD_NAME && node && rival)
		return vol_errorf_errno(
			err, EINVAL,
			"%.64s is a node that nobody vouched for, device %s, "
			"and how device %s calls itself, which waits: give the "
			"id of the one you mean",
			name, node->id, rival->id);
	if (word == WORD_NAME && node) {
		*s = (struct subject){.device = node};
		return 0;
	}
	if (n == 1 || (word == WORD_NAME && n_waiting == 1))
		return 0;
	return not_one(word == WORD_NAME && n_waiting ? n_waiting : n, word,
		       name, err);
}

/* ---- pending ---- */

static json_t *pending_json(const struct vol_device *d,
			    const struct vol_waiting *w)
{
	char name[VOL_NODE_NAME_SIZE];

	vol_node_name_from_host(d->hostname, name);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "name", name,
			 "hostname", d->hostname, "address", d->address, "code",
			 w ? w->code.code : "", "id", d->id, "standing",
			 vol_standing_name(d->standing), "last_seen",
			 (json_int_t)(w ? time(NULL) : d->last_seen));
}

json_t *vol_ctl_pending(const json_t *request, uid_t uid, void *arg,
			struct vol_error *err)
{
	struct vol_controller *c = arg;
	enum vol_standing standing =
		json_is_true(json_object_get(request, "revoked")) ? VOL_REVOKED
								  : VOL_PENDING;
	json_t *list = json_array();
	json_int_t more = 0;

	(void)uid;
	/* First those with a code: they can be approved. */
	for (int waits = 1; list && waits >= 0; waits--) {
		for (size_t i = 0; i < vol_registry_count(c->registry); i++) {
			const struct vol_device *d =
				vol_registry_at(c->registry, i);
			const struct vol_waiting *w;

			if (d->standing != standing)
				continue;
			w = waiting_of(c, d->id);
			if ((w != NULL) != waits)
				continue;
			if (json_array_size(list) < PENDING_MAX)
				json_array_append_new(list, pending_json(d, w));
			else
				more++;
		}
	}
	return done(json_pack("{s:o, s:I}", "pending", list, "more", more),
		    err);
}

/* ---- approve, forget, rename ---- */

static void tell_approved(struct vol_controller *c, const char *id)
{
	struct vol_peer *p, *next;

	for (p = vol_server_waiting(c->server); p; p = next) {
		next = vol_peer_next(p);
		if (strcmp(vol_peer_waiting(p)->id, id) == 0)
			vol_peer_approved(p);
	}
}

/* By name it may have been another than was thought of. */
static json_t *approved(const struct vol_member *member, const char *code,
			bool linked, struct vol_error *err)
{
	return done(json_pack("{s:s, s:s, s:s, s:b}", "node", member->node_name,
			      "id", member->id, "code", code, "linked",
			      (int)linked),
		    err);
}

/* It is in already, by a mode that asks nobody (approve = all). */
static json_t *vouch(struct vol_controller *c, struct vol_device *device,
		     uid_t uid, struct vol_error *err)
{
	struct vol_member *member = vol_controller_member_by_id(c, device->id);
	char by[VOL_BY_SIZE];

	if (!member || is_vouched_for(device)) {
		vol_errorf_errno(err, EALREADY, "%s is approved already",
				 device->node);
		return NULL;
	}
	if (vol_registry_vouch(c->registry, device->id, by_uid(uid, by),
			       time(NULL), err) < 0 ||
	    vol_controller_save(c, err) < 0)
		return NULL;
	vol_info("%s: approved by %s: device %.8s", member->node_name, by,
		 member->id);
	/* It may have a key now. */
	vol_keyring_welcomed(member);
	return approved(member, "", member->peer != NULL, err);
}

json_t *vol_ctl_approve(const json_t *request, uid_t uid, void *arg,
			struct vol_error *err)
{
	struct vol_controller *c = arg;
	const char *name = text_of(request, "name", err);
	char id[VOL_DEVICE_ID_SIZE], by[VOL_BY_SIZE];
	char code[VOL_SHORTCODE_TEXT] = "";
	struct vol_fingerprint key;
	struct vol_member *member;
	struct subject s;

	if (!name || find_subject(c, name, &s, err) < 0)
		return NULL;
	if (s.device->standing == VOL_APPROVED)
		return vouch(c, s.device, uid, err);
	memcpy(id, s.device->id, sizeof(id));
	/* Without a code nobody has compared anything but the key itself. */
	if (!s.waiting && !s.by_id) {
		vol_errorf_errno(err, ENOTCONN,
				 "%.64s is not linked, so there is no code to "
				 "compare; to approve its key all the same "
				 "give its id, %s",
				 s.device->hostname, id);
		return NULL;
	}
	if (s.waiting)
		memcpy(code, s.waiting->code.code, sizeof(code));
	if (vol_fingerprint_parse(s.device->fingerprint, &key, err) < 0)
		return NULL;
	member = vol_controller_approve(c, &key, s.device->hostname,
					by_uid(uid, by), err);
	if (!member || vol_controller_save(c, err) < 0)
		return NULL;
	vol_info("%s: approved by %s: device %.8s", member->node_name, by, id);
	tell_approved(c, id);
	return approved(member, code, *code != '\0', err);
}

static void turn_away(struct vol_controller *c, const char *id)
{
	struct vol_peer *p, *next;

	for (p = vol_server_waiting(c->server); p; p = next) {
		next = vol_peer_next(p);
		if (strcmp(vol_peer_waiting(p)->id, id) == 0)
			vol_peer_refuse(p, "not_enrolled",
					"an administrator has turned this "
					"device away",
					VOL_DOOR_REVOKED_MS);
	}
}

json_t *vol_ctl_forget(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err)
{
	struct vol_controller *c = arg;
	const char *name = text_of(request, "name", err);
	char id[VOL_DEVICE_ID_SIZE], by[VOL_BY_SIZE];
	struct vol_member *member = NULL;
	struct subject s;

	if (!name)
		return NULL;
	if (word_of(name) == WORD_NAME)
		member = vol_controller_member_at_node(c, name);
	if (!member) {
		if (find_subject(c, name, &s, err) < 0)
			return NULL;
		member = vol_controller_member_by_id(c, s.device->id);
	}
	memcpy(id, member ? member->id : s.device->id, sizeof(id));
	if (vol_registry_revoke(c->registry, id, by_uid(uid, by), time(NULL),
				err) < 0)
		return NULL;
	vol_info("device %.8s revoked by %s", id, by);
	/* First of all: the disk may fail us, the door must not. */
	turn_away(c, id);
	vol_images_revoke(c->images, id);
	if (member)
		vol_member_revoke(member);
	if (vol_controller_save(c, err) < 0) {
		vol_error_prefix(err, "it is shut out, but not on disk");
		return NULL;
	}
	return done(json_pack("{s:s, s:b}", "id", id, "node", member != NULL),
		    err);
}

json_t *vol_ctl_rename(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err)
{
	struct vol_controller *c = arg;
	const char *old = text_of(request, "old", err);
	const char *name = old ? text_of(request, "new", err) : NULL;
	struct vol_member *member =
		name ? vol_controller_member_at_node(c, old) : NULL;
	char excerpt[VOL_EXCERPT_SIZE];

	if (!name)
		return NULL;
	if (!member) {
		vol_errorf_errno(err, ENOENT, "there is no device %s",
				 vol_text_excerpt(old, strlen(old), excerpt));
		return NULL;
	}
	if (vol_controller_check_name(c, name, err) < 0 ||
	    vol_member_rename(member, name, err) < 0)
		return NULL;
	vol_info("%s: to be renamed to %s by uid %u", old, name, (unsigned)uid);
	return done(json_pack("{s:s, s:s}", "old", old, "new", name), err);
}
