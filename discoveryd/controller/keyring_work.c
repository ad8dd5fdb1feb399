/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyring_work.c - files of a rotation, and what slurmctld does in it */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "atomicfile.h"
#include "authkey_file.h"
#include "digest.h"
#include "keyring_private.h"
#include "log.h"

#define KEY_MODE 0600
/* Of opening partitions: one may have been removed meanwhile. */
#define OPEN_TRIES 30

/* ---- files ---- */

/* As the unit file gives it to us: the file itself is munge's alone.  That of
 * a cluster beside the main one has another name, so that nothing that was
 * forgotten makes us hand out the main one's. */
static int name_auth_key(const struct vol_controller *c, char *path,
			 size_t size)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	const char *cluster = c->conf.cluster;

	if (c->conf.auth_key)
		return snprintf(path, size, "%s", c->conf.auth_key);
	if (folder)
		return snprintf(path, size, "%s/%s.key", folder,
				cluster ? cluster : "auth");
	return snprintf(path, size, "/etc/munge/%s.key",
			cluster ? cluster : "munge");
}

/* And so that it never is put in the place of the main one's. */
static int name_install_key(const struct vol_controller *c, char **path)
{
	const char *state = c->conf.state_dir;

	if (c->conf.cluster)
		return asprintf(path, "%s/keys/install-%s.key", state,
				c->conf.cluster);
	return asprintf(path, "%s/keys/install.key", state);
}

static void load_current(struct vol_keyring *k)
{
	struct vol_error err;
	char path[4096];

	if (k->c->conf.hand_out_key == VOL_HANDOUT_NO)
		return;
	if (name_auth_key(k->c, path, sizeof(path)) >= (int)sizeof(path))
		return;
	if (vol_authkey_load(path, &k->current, vol_sha256, &err) < 0) {
		snprintf(k->trouble, sizeof(k->trouble), "%s", err.text);
		vol_warn("no key is handed out: %s", err.text);
		return;
	}
	vol_info("key %s is handed out to devices", k->current.id);
}

static int load_next(struct vol_keyring *k, struct vol_error *err)
{
	if (vol_authkey_load(k->next_path, &k->next, vol_sha256, err) < 0)
		return vol_error_prefix(err, "of a rotation under way");
	if (strcmp(k->next.id, k->record.next) != 0)
		return vol_errorf_errno(err, EBADMSG,
					"%s: holds key %s, and %s wants %s",
					k->next_path, k->next.id,
					k->record_path, k->record.next);
	return 0;
}

int vol_keyring_load(struct vol_keyring *k, struct vol_error *err)
{
	const char *state = k->c->conf.state_dir;

	if (asprintf(&k->folder, "%s/keys", state) < 0 ||
	    asprintf(&k->record_path, "%s/keys/rotation.json", state) < 0 ||
	    asprintf(&k->next_path, "%s/keys/next.key", state) < 0 ||
	    name_install_key(k->c, &k->install_path) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (vol_mkdir_p(k->folder, 0700, err) < 0)
		return -1;
	vol_file_tidy(k->record_path);
	vol_file_tidy(k->next_path);
	vol_file_tidy(k->install_path);
	if (vol_rotation_load(k->record_path, &k->record, err) < 0)
		return -1;
	load_current(k);
	if (vol_rotation_turning(k->record.phase))
		return load_next(k, err);
	/* Left by one that was killed between two removals, or too early. */
	vol_keyring_forget_files(k);
	return 0;
}

int vol_keyring_save(struct vol_keyring *k, struct vol_error *err)
{
	/* The key first: what is in the record must be there. */
	if (k->record.phase == VOL_ROTATION_CLOSE &&
	    vol_file_replace(k->next_path, k->next.byte, k->next.bytes,
			     KEY_MODE, 1, err) < 0)
		return -1;
	return vol_rotation_save(k->record_path, &k->record, err);
}

void vol_keyring_forget_files(struct vol_keyring *k)
{
	(void)unlink(k->install_path);
	(void)unlink(k->next_path);
}

/* ---- the key's place on this host ---- */

static bool is_down(const struct vol_keyring *k)
{
	return access(k->install_path, F_OK) == 0 || errno != ENOENT;
}

bool vol_keyring_is_placed(const struct vol_keyring *k)
{
	return k->offered && !is_down(k);
}

static int on_change(sd_event_source *source, const struct inotify_event *event,
		     void *arg)
{
	struct vol_keyring *k = arg;

	(void)source;
	(void)event;
	if (k->record.phase != VOL_ROTATION_SELF || !vol_keyring_is_placed(k))
		return 0;
	k->placed = sd_event_source_disable_unref(k->placed);
	vol_keyring_event(k, VOL_ROTATION_PLACED);
	return 0;
}

int vol_keyring_place(struct vol_keyring *k, struct vol_error *err)
{
	int r;

	/* A life before this one asked for it, and it was done. */
	if (!is_down(k) && strcmp(k->current.id, k->next.id) == 0) {
		k->offered = true;
		vol_keyring_arm(k, 1);
		return 0;
	}
	k->placed = sd_event_source_disable_unref(k->placed);
	r = sd_event_add_inotify(k->c->loop, &k->placed, k->folder, IN_DELETE,
				 on_change, k);
	if (r < 0)
		return vol_errorf_errno(err, -r, "%s: %s", k->folder,
					strerror(-r));
	/* Else it is being done. */
	if (!is_down(k) &&
	    vol_file_replace(k->install_path, k->next.byte, k->next.bytes,
			     KEY_MODE, 1, err) < 0)
		return -1;
	k->offered = true;
	return 0;
}

/* ---- partitions ---- */

/* false: slurmctld is away. */
static bool set_each(struct vol_keyring_errand *e, struct vol_error *why)
{
	char names[VOL_ROTATION_PARTITIONS], *name, *save = NULL;

	memcpy(names, e->names, sizeof(names));
	for (name = strtok_r(names, ",", &save); name;
	     name = strtok_r(NULL, ",", &save)) {
		if (vol_slurm_partition_set(name, e->up, why) == 0)
			continue;
		if (errno == EAGAIN)
			return false;
		e->failed = true;
		e->why = *why;
	}
	return true;
}

static bool run(struct vol_errand *errand, struct vol_error *why)
{
	struct vol_keyring_errand *e = (struct vol_keyring_errand *)errand;

	e->failed = false;
	if (!e->find)
		return set_each(e, why);
	if (vol_slurm_partitions_up(e->names, sizeof(e->names), why) == 0)
		return true;
	if (errno == EAGAIN)
		return false;
	e->failed = true;
	e->why = *why;
	return true;
}

static void drop(struct vol_errand *errand)
{
	struct vol_keyring_errand *e = (struct vol_keyring_errand *)errand;

	if (e->k)
		e->k->errand = NULL;
	free(e);
}

void vol_keyring_drop_errand(struct vol_keyring *k)
{
	if (k->errand)
		k->errand->k = NULL;
	k->errand = NULL;
}

static void done(struct vol_errand *errand);

static int ask(struct vol_keyring *k, bool up, bool find)
{
	struct vol_keyring_errand *e;

	vol_keyring_drop_errand(k);
	e = calloc(1, sizeof(*e));
	if (!e)
		return -1;
	e->errand.run = run;
	e->errand.done = done;
	e->errand.drop = drop;
	e->k = k;
	e->up = up;
	e->find = find;
	memcpy(e->names, k->record.partitions, sizeof(e->names));
	k->errand = e;
	vol_registrar_errand(k->c->registrar, &e->errand);
	return 0;
}

/* Their names are on disk before the first one is closed. */
static void found(struct vol_keyring *k, const struct vol_keyring_errand *e)
{
	struct vol_error err;

	memcpy(k->record.partitions, e->names, sizeof(k->record.partitions));
	if (vol_keyring_save(k, &err) < 0) {
		vol_keyring_trouble(k, err.text);
		vol_keyring_event(k, VOL_ROTATION_FAIL);
	} else if (ask(k, false, false) < 0) {
		vol_keyring_event(k, VOL_ROTATION_FAIL);
	}
}

static void closed(struct vol_keyring *k)
{
	k->record.closed_ms = vol_keyring_wall_ms();
	vol_keyring_arm(k, VOL_KEYRING_SETTLE_MS);
}

static void opened(struct vol_keyring *k, bool failed)
{
	if (failed)
		vol_err("key rotation: not all of these partitions could be "
			"opened again, see scontrol: %s",
			k->record.partitions);
	if (k->record.closed_ms)
		k->closed_ms = vol_keyring_wall_ms() - k->record.closed_ms;
	k->open_tries = 0;
	vol_keyring_event(k, VOL_ROTATION_OPENED);
}

static void done(struct vol_errand *errand)
{
	struct vol_keyring_errand *e = (struct vol_keyring_errand *)errand;
	struct vol_keyring *k = e->k;

	if (!k) {
		free(e);
		return;
	}
	k->errand = NULL;
	if (e->failed)
		vol_keyring_trouble(k, e->why.text);
	/* By what was asked for: whatever the phase is by now, partitions that
	 * were closed are not open. */
	if (e->failed && !e->up) {
		vol_keyring_event(k, VOL_ROTATION_FAIL);
	} else if (e->failed && ++k->open_tries < OPEN_TRIES) {
		vol_keyring_arm(k, VOL_KEYRING_RETRY_MS);
	} else if (e->find) {
		found(k, e);
	} else if (!e->up) {
		closed(k);
	} else {
		opened(k, e->failed);
	}
	free(e);
}

int vol_keyring_close(struct vol_keyring *k)
{
	return ask(k, false, true);
}

int vol_keyring_open(struct vol_keyring *k)
{
	/* Those that are being closed are opened behind that. */
	return k->errand && k->errand->up ? 0 : ask(k, true, false);
}
