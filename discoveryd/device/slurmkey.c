/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slurmkey.c - the cluster's Slurm key on this device
 *
 * One key at a time is being put in its place (`at`); another that comes
 * meanwhile waits in `after`.
 */
#include "config.h"

#include "device/slurmkey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "atomicfile.h"
#include "authkey_file.h"
#include "cleanup.h"
#include "device/command.h"
#include "digest.h"
#include "log.h"

#define GIVEN_FILE "slurmkey.json"
#define NEXT_FILE  "slurmkey.next"
#define GIVEN_MAX  256

struct vol_slurmkey {
	sd_event *loop;
	char *path, *restart; /* NULL: "none" */
	char *given_path, *next_path;
	const struct vol_slurmkey_ops *ops;
	void *arg;
	char id[VOL_AUTHKEY_ID_SIZE];       /* in its place */
	char given[VOL_AUTHKEY_ID_SIZE];    /* by us; "": none */
	char before[VOL_AUTHKEY_ID_SIZE];   /* likewise, before that */
	bool due;                           /* restart has not been run since */
	char expected[VOL_AUTHKEY_ID_SIZE]; /* on its way, "": none */
	struct vol_authkey at, after;       /* no bytes: none */
	struct vol_command *command;
	sd_event_source *timer; /* calm, then the end of the hold */
	bool held, calm;
	unsigned looks, calm_looks; /* since it is held; in a row */
	char turning[VOL_AUTHKEY_ID_SIZE];
};

static void say(struct vol_slurmkey *k, const char *id, enum vol_key_use use,
		const char *reason)
{
	struct vol_link_msg msg = {.type = VOL_LINK_KEYED, .key_use = use};

	memcpy(msg.auth, id, sizeof(msg.auth));
	snprintf(msg.reason, sizeof(msg.reason), "%s", reason);
	if (*reason)
		vol_err("Slurm key %s: %s", id, reason);
	k->ops->send(&msg, k->arg);
}

static void look(struct vol_slurmkey *k)
{
	struct vol_authkey key = {.bytes = 0};
	struct vol_error err;

	*k->id = '\0';
	if (!k->path)
		return;
	if (vol_authkey_load(k->path, &key, vol_sha256, &err) == 0)
		memcpy(k->id, key.id, sizeof(k->id));
	else if (errno != ENOENT)
		vol_warn("Slurm key: %s", err.text);
	vol_authkey_wipe(&key);
}

/* ---- the hold ---- */

static int on_timer(sd_event_source *source, uint64_t usec, void *arg);

static void arm(struct vol_slurmkey *k, uint64_t ms)
{
	k->timer = sd_event_source_disable_unref(k->timer);
	if (ms &&
	    sd_event_add_time_relative(k->loop, &k->timer, CLOCK_MONOTONIC,
				       ms * 1000, 0, on_timer, k) < 0)
		vol_err("Slurm key: no timer");
}

static void hold(struct vol_slurmkey *k, bool on)
{
	if (k->held == on)
		return;
	k->held = on;
	k->calm = false;
	k->looks = k->calm_looks = 0;
	k->ops->hold(on, k->arg);
}

/* ---- putting it in its place ---- */

static int save_given(const struct vol_slurmkey *k, struct vol_error *err)
{
	char text[GIVEN_MAX];
	int n = snprintf(text, sizeof(text),
			 "{\"given\": \"%s\", \"before\": \"%s\", "
			 "\"due\": %s}\n",
			 k->given, k->before, k->due ? "true" : "false");

	return vol_file_replace(k->given_path, text, (size_t)n, 0600, 1, err);
}

static void load_given(struct vol_slurmkey *k)
{
	cleanup_free char *text = NULL;
	const char *given = NULL, *before = NULL;
	struct vol_error err;
	json_t *json;
	size_t len;
	int due;

	text = vol_file_read(k->given_path, GIVEN_MAX, &len, &err);
	if (!text) {
		if (errno != ENOENT)
			vol_warn("%s", err.text);
		return;
	}
	json = json_loadb(text, len, 0, NULL);
	if (json_unpack(json, "{s:s, s:s, s:b}", "given", &given, "before",
			&before, "due", &due) == 0 &&
	    vol_authkey_id_valid(given) &&
	    (!*before || vol_authkey_id_valid(before))) {
		memcpy(k->given, given, sizeof(k->given));
		memcpy(k->before, before, strlen(before) + 1);
		k->due = due;
	} else {
		vol_warn("%s: not understood", k->given_path);
	}
	json_decref(json);
}

static void begin(struct vol_slurmkey *k);

static void end(struct vol_slurmkey *k, const char *why)
{
	char id[VOL_AUTHKEY_ID_SIZE];

	memcpy(id, k->at.id, sizeof(id));
	vol_authkey_wipe(&k->at);
	look(k);
	if (strcmp(k->expected, id) == 0)
		*k->expected = '\0';
	/* Held tasks would wait for a controller that does not hear of them. */
	if (why)
		hold(k, false);
	say(k, id, VOL_KEY_NOW, why ? why : "");
	k->ops->changed(k->arg);
	if (k->after.bytes) {
		k->at = k->after;
		vol_authkey_wipe(&k->after);
		begin(k);
	}
}

static void in_use(struct vol_slurmkey *k)
{
	struct vol_error err;

	vol_info("Slurm key %s is in use", k->at.id);
	k->due = false;
	if (*k->given && save_given(k, &err) < 0)
		vol_warn("%s", err.text);
}

static void on_restarted(const char *why, void *arg)
{
	struct vol_slurmkey *k = arg;

	vol_command_destroy(k->command);
	k->command = NULL;
	if (!why)
		in_use(k);
	end(k, why);
}

/* It is on disk before it is done what is done, so that one who is killed knows
 * which keys were ours, and that munged must be started again. */
static int note_given(struct vol_slurmkey *k, struct vol_error *err)
{
	if (strcmp(k->given, k->at.id) != 0)
		memcpy(k->before, k->given, sizeof(k->before));
	memcpy(k->given, k->at.id, sizeof(k->given));
	k->due = true;
	return save_given(k, err);
}

static int install(struct vol_slurmkey *k, struct vol_error *err)
{
	bool foreign = *k->id && strcmp(k->id, k->given) != 0 &&
		       strcmp(k->id, k->before) != 0;

	if (strcmp(k->id, k->at.id) == 0)
		return 0;
	/* One that can not be read is kept as well. */
	foreign |= !*k->id && access(k->path, F_OK) == 0;
	if (note_given(k, err) < 0)
		return -1;
	if (vol_authkey_install(k->path, &k->at, foreign, err) < 0)
		return -1;
	if (foreign)
		vol_warn("%s held another key (%s), which is "
			 "%s" VOL_AUTHKEY_OLD " now",
			 k->path, k->id, k->path);
	vol_info("Slurm key %s put into %s", k->at.id, k->path);
	return 0;
}

static void begin(struct vol_slurmkey *k)
{
	struct vol_error err;

	look(k);
	if (install(k, &err) < 0) {
		end(k, err.text);
		return;
	}
	if (!k->restart) {
		in_use(k);
		end(k, NULL);
		return;
	}
	k->command =
		vol_command_start(k->loop, k->restart, on_restarted, k, &err);
	if (!k->command)
		end(k, err.text);
}

static bool is_at_it(const struct vol_slurmkey *k)
{
	return k->command != NULL;
}

static void want(struct vol_slurmkey *k, const struct vol_authkey *key)
{
	if (is_at_it(k)) {
		k->after = *key;
		return;
	}
	k->at = *key;
	begin(k);
}

static bool is_time(struct vol_slurmkey *k)
{
	k->calm_looks = k->ops->calm(k->arg) ? k->calm_looks + 1 : 0;
	if (k->calm_looks >= VOL_SLURMKEY_CALM_LOOKS)
		return true;
	if (++k->looks < VOL_SLURMKEY_LOOKS_MAX)
		return false;
	vol_warn("Slurm key: a job step ends for long; its last word may be "
		 "lost");
	return true;
}

static void turn(struct vol_slurmkey *k)
{
	struct vol_authkey next = {.bytes = 0};
	struct vol_error err;

	k->calm = true;
	arm(k, VOL_SLURMKEY_HOLD_MS);
	if (vol_authkey_load(k->next_path, &next, vol_sha256, &err) == 0) {
		want(k, &next);
	} else {
		hold(k, false);
		say(k, k->turning, VOL_KEY_NOW, err.text);
	}
	vol_authkey_wipe(&next);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_slurmkey *k = arg;

	(void)source;
	(void)usec;
	if (k->held && !k->calm) {
		if (is_time(k))
			turn(k);
		else
			arm(k, VOL_SLURMKEY_LOOK_MS);
		return 0;
	}
	if (k->held)
		vol_warn("the controller does not say that it has turned to "
			 "the new key: jobs go on");
	hold(k, false);
	return 0;
}

/* ---- the controller ---- */

static void on_key(struct vol_slurmkey *k, const struct vol_link_msg *msg)
{
	struct vol_authkey key = {.bytes = 0};
	struct vol_error err = {""};

	if (!k->path)
		say(k, msg->auth, msg->key_use, "auth_key = none");
	else if (vol_authkey_parse(&key, msg->key, msg->auth, vol_sha256,
				   &err) < 0)
		say(k, msg->auth, msg->key_use, err.text);
	else if (msg->key_use == VOL_KEY_NOW)
		want(k, &key);
	else if (vol_file_replace(k->next_path, key.byte, key.bytes, 0600, 1,
				  &err) < 0)
		say(k, msg->auth, msg->key_use, err.text);
	else
		say(k, msg->auth, msg->key_use, "");
	vol_authkey_wipe(&key);
	/* Whatever became of it, slurmd need not wait for it any longer. */
	if (*k->expected && !is_at_it(k)) {
		*k->expected = '\0';
		k->ops->changed(k->arg);
	}
}

static void on_turn(struct vol_slurmkey *k, const struct vol_link_msg *msg)
{
	struct vol_authkey next = {.bytes = 0};
	struct vol_error err = {""};

	if (vol_authkey_load(k->next_path, &next, vol_sha256, &err) < 0) {
		say(k, msg->auth, VOL_KEY_NOW, err.text);
	} else if (strcmp(next.id, msg->auth) != 0) {
		say(k, msg->auth, VOL_KEY_NOW, "that key was not given before");
	} else {
		memcpy(k->turning, msg->auth, sizeof(k->turning));
		hold(k, true);
		arm(k, VOL_SLURMKEY_LOOK_MS);
	}
	vol_authkey_wipe(&next);
}

static void on_turned(struct vol_slurmkey *k, const struct vol_link_msg *msg)
{
	if (strcmp(msg->auth, k->id) != 0)
		return;
	(void)unlink(k->next_path);
	arm(k, 0);
	hold(k, false);
}

void vol_slurmkey_message(struct vol_slurmkey *k,
			  const struct vol_link_msg *msg)
{
	switch (msg->type) {
	case VOL_LINK_KEY:
		on_key(k, msg);
		break;
	case VOL_LINK_TURN:
		on_turn(k, msg);
		break;
	default:
		on_turned(k, msg);
	}
}

void vol_slurmkey_hello(struct vol_slurmkey *k, struct vol_link_msg *hello)
{
	if (!is_at_it(k))
		look(k);
	memcpy(hello->auth, k->id, sizeof(hello->auth));
}

void vol_slurmkey_welcomed(struct vol_slurmkey *k,
			   const struct vol_link_msg *welcome)
{
	memcpy(k->expected, welcome->auth, sizeof(k->expected));
	if (!*welcome->auth && !vol_slurmkey_ready(k))
		vol_err("there is no Slurm key in %s, and this controller "
			"hands out none (hand_out_key): slurmd is not started",
			k->path);
}

void vol_slurmkey_lost(struct vol_slurmkey *k)
{
	*k->expected = '\0';
}

bool vol_slurmkey_ready(struct vol_slurmkey *k)
{
	if (!k->path)
		return true;
	if (!*k->id && !is_at_it(k))
		look(k);
	/* One that we can not judge may still be one. */
	return !*k->expected && !is_at_it(k) &&
	       (*k->id || access(k->path, F_OK) == 0);
}

const char *vol_slurmkey_id(struct vol_slurmkey *k)
{
	return k->id;
}

/* ---- life ---- */

/* We were killed before munged was started again. */
static void finish_former(struct vol_slurmkey *k)
{
	struct vol_error err;

	if (strcmp(k->id, k->given) != 0 ||
	    vol_authkey_load(k->path, &k->at, vol_sha256, &err) < 0)
		return;
	begin(k);
}

static char *unless_none(const char *text)
{
	return strcmp(text, "none") == 0 ? NULL : strdup(text);
}

struct vol_slurmkey *vol_slurmkey_create(sd_event *loop, const char *state_dir,
					 const char *path, const char *restart,
					 const struct vol_slurmkey_ops *ops,
					 void *arg, struct vol_error *err)
{
	struct vol_slurmkey *k = calloc(1, sizeof(*k));

	if (!k || asprintf(&k->given_path, "%s/" GIVEN_FILE, state_dir) < 0 ||
	    asprintf(&k->next_path, "%s/" NEXT_FILE, state_dir) < 0) {
		free(k);
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	k->loop = sd_event_ref(loop);
	k->path = unless_none(path);
	k->restart = unless_none(restart);
	k->ops = ops;
	k->arg = arg;
	vol_file_tidy(k->given_path);
	vol_file_tidy(k->next_path);
	if (k->path)
		vol_file_tidy(k->path);
	load_given(k);
	look(k);
	if (k->due && k->path)
		finish_former(k);
	return k;
}

void vol_slurmkey_destroy(struct vol_slurmkey *k)
{
	int saved = errno;

	if (!k)
		return;
	vol_command_destroy(k->command);
	sd_event_source_disable_unref(k->timer);
	vol_authkey_wipe(&k->at);
	vol_authkey_wipe(&k->after);
	free(k->path);
	free(k->restart);
	free(k->given_path);
	free(k->next_path);
	sd_event_unref(k->loop);
	free(k);
	errno = saved;
}
