/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_owner.c - what the owner of a device may have it do; see ctl_owner.h */
#include "config.h"

#include "device/ctl_owner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "device/device.h"
#include "device/owner.h"
#include "device/owner_list.h"
#include "device/setting.h"

/* Longer than a reply over the socket may be; see journal.c. */
#define EVENTS_MAX 200
/* A year: more is a slip of the finger. */
#define PAUSE_MAX_S (366 * 24 * 3600)
#define NAME_SIZE   64

static int check_right(struct vol_device_role *d, uid_t uid, const char *what,
		       struct vol_error *err)
{
	if (vol_owner_may_control(d->owner, uid))
		return 0;
	return vol_errorf_errno(err, EPERM,
				"only the owner of this machine may %s (see "
				"owners in device.conf)",
				what);
}

/* For the journal. */
static const char *name_of(const struct vol_device_role *d, uid_t uid,
			   char buf[NAME_SIZE])
{
	const char *name = vol_owner_user(d->owner, uid);

	if (name)
		snprintf(buf, NAME_SIZE, "%s", name);
	else
		snprintf(buf, NAME_SIZE, "uid %u", (unsigned)uid);
	return buf;
}

static json_t *reply(json_t *data, struct vol_error *err)
{
	if (!data)
		vol_errorf_errno(err, ENOMEM, "out of memory");
	return data;
}

/* ---- pause and resume ---- */

static int parse_until(const json_t *request, time_t now, time_t *until,
		       struct vol_error *err)
{
	const json_t *seconds = json_object_get(request, "seconds");
	const json_t *end = json_object_get(request, "until");
	json_int_t begin = seconds ? 0 : now;
	json_int_t n = json_integer_value(seconds ? seconds : end);

	if (!json_is_integer(seconds ? seconds : end))
		return vol_errorf_errno(err, EINVAL, "until when is not said");
	*until = 0;
	if (!seconds && n == 0)
		return 0;
	if (n <= begin)
		return vol_errorf_errno(err, ERANGE,
					"the end of the pause is over already");
	if (n > begin + PAUSE_MAX_S)
		return vol_errorf_errno(err, ERANGE,
					"a pause is at most a year (or until "
					"resumed)");
	*until = now + (time_t)(n - begin);
	return 0;
}

json_t *vol_ctl_pause(const json_t *request, uid_t uid, void *arg,
		      struct vol_error *err)
{
	struct vol_device_role *d = arg;
	char name[NAME_SIZE];
	time_t until;

	if (check_right(d, uid, "pause it", err) < 0 ||
	    parse_until(request, time(NULL), &until, err) < 0 ||
	    vol_owner_pause(d->owner, until, name_of(d, uid, name), err) < 0)
		return NULL;
	return reply(json_pack("{s:I}", "until", (json_int_t)until), err);
}

json_t *vol_ctl_resume(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err)
{
	struct vol_device_role *d = arg;
	char name[NAME_SIZE];

	(void)request;
	if (check_right(d, uid, "resume it", err) < 0 ||
	    vol_owner_resume(d->owner, name_of(d, uid, name), err) < 0)
		return NULL;
	return reply(json_object(), err);
}

/* ---- set ---- */

static json_t *show(const struct vol_device_role *d, const char *name)
{
	json_t *all = vol_setting_list(&d->conf);
	json_t *value = json_incref(json_object_get(all, name));

	json_decref(all);
	return value;
}

json_t *vol_ctl_set(const json_t *request, uid_t uid, void *arg,
		    struct vol_error *err)
{
	struct vol_device_role *d = arg;
	const char *key = json_string_value(json_object_get(request, "key"));
	const json_t *value = json_object_get(request, "value");
	const struct vol_conf_option *row;
	char name[128], who[NAME_SIZE];
	json_t *before, *after;

	if (check_right(d, uid, "change its settings", err) < 0)
		return NULL;
	if (!key || (!json_is_string(value) && !json_is_null(value))) {
		vol_errorf_errno(err, EINVAL, "no key or no value");
		return NULL;
	}
	row = vol_setting_find(key, err);
	if (!row)
		return NULL;
	snprintf(name, sizeof(name), "%s.%s", row->section, row->key);
	before = show(d, name);
	if (vol_setting_apply(d->conf_path, name, json_string_value(value),
			      err) < 0) {
		json_decref(before);
		return NULL;
	}
	if (vol_device_reload(d, err) < 0) {
		vol_error_prefix(err, "written, but not in force");
		json_decref(before);
		return NULL;
	}
	after = show(d, name);
	vol_owner_note(d->owner, "set", "%s: %s -> %s by %s", name,
		       json_string_value(before), json_string_value(after),
		       name_of(d, uid, who));
	return reply(json_pack("{s:s, s:o, s:o}", "key", name, "old", before,
			       "new", after),
		     err);
}

/* ---- another owner ---- */

/* Whose right it is; *from NULL: of the only one. */
static int check_owner(struct vol_device_role *d, uid_t uid, const char *own,
		       const char **from, struct vol_error *err)
{
	if (uid == 0)
		return 0;
	if (!vol_owner_is_named(d->owner, uid))
		return vol_errorf_errno(err, EPERM,
					"only root and those named by owners "
					"in device.conf can hand it on");
	if (*from && strcmp(*from, own) != 0)
		return vol_errorf_errno(err, EPERM,
					"you can hand on your own right only");
	*from = own;
	return 0;
}

json_t *vol_ctl_move_owner(const json_t *request, uid_t uid, void *arg,
			   struct vol_error *err)
{
	struct vol_device_role *d = arg;
	const char *from = json_string_value(json_object_get(request, "from"));
	const char *to = json_string_value(json_object_get(request, "to"));
	cleanup_free char *before = NULL, *after = NULL;
	char who[NAME_SIZE];

	name_of(d, uid, who);
	if (!to) {
		vol_errorf_errno(err, EINVAL, "to: want a name");
		return NULL;
	}
	if (check_owner(d, uid, who, &from, err) < 0)
		return NULL;
	after = vol_owner_list_move(d->conf.owners, from, to, err);
	before = strdup(d->conf.owners ? d->conf.owners : "none");
	if (!after || !before ||
	    vol_setting_owners(d->conf_path, after, err) < 0)
		return NULL;
	if (vol_device_reload(d, err) < 0) {
		vol_error_prefix(err, "written, but not in force");
		return NULL;
	}
	vol_owner_note(d->owner, "set", "owners: %s -> %s by %s", before, after,
		       who);
	return reply(json_pack("{s:s}", "owners", after), err);
}

json_t *vol_ctl_log(const json_t *request, uid_t uid, void *arg,
		    struct vol_error *err)
{
	struct vol_device_role *d = arg;
	json_int_t n = json_integer_value(json_object_get(request, "n"));

	if (check_right(d, uid, "read its log", err) < 0)
		return NULL;
	if (n < 1 || n > EVENTS_MAX)
		n = EVENTS_MAX;
	return reply(vol_owner_log(d->owner, (size_t)n), err);
}
