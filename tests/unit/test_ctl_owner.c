/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl_owner.c - the owner's commands: who may, what is passed on */
#include "config.h"

#include "device/ctl_owner.h"

#include <errno.h>

#include "device/device.h"
#include "device/entry.h"
#include "device/owner.h"
#include "vtest.h"

/* ---- stands for the owner's object and for the role ---- */

static struct {
	bool allowed, reload_fails;
	unsigned calls;
	time_t until;
	size_t events;
	char who[64], note[256];
	uid_t uid; /* of who asks */
} fake;

#define UID_ANN 1000
#define UID_EVE 1001

const char *vol_owner_user(const struct vol_owner *o, uid_t uid)
{
	(void)o;
	return uid == 0         ? "root"
	       : uid == UID_ANN ? "ann"
	       : uid == UID_EVE ? "eve"
				: NULL;
}

bool vol_owner_is_named(const struct vol_owner *o, uid_t uid)
{
	(void)o;
	return uid == UID_ANN;
}

bool vol_owner_may_control(struct vol_owner *o, uid_t uid)
{
	(void)o;
	(void)uid;
	return fake.allowed;
}

int vol_owner_pause(struct vol_owner *o, time_t until, const char *who,
		    struct vol_error *err)
{
	(void)o;
	(void)err;
	fake.calls++;
	fake.until = until;
	snprintf(fake.who, sizeof(fake.who), "%s", who);
	return 0;
}

int vol_owner_resume(struct vol_owner *o, const char *who,
		     struct vol_error *err)
{
	return vol_owner_pause(o, -1, who, err);
}

json_t *vol_owner_log(struct vol_owner *o, size_t n)
{
	(void)o;
	fake.events = n;
	return json_array();
}

void vol_owner_note(struct vol_owner *o, const char *what, const char *fmt, ...)
{
	va_list ap;

	(void)o;
	assert_string_equal(what, "set");
	va_start(ap, fmt);
	vsnprintf(fake.note, sizeof(fake.note), fmt, ap);
	va_end(ap);
}

int vol_device_reload(struct vol_device_role *d, struct vol_error *err)
{
	fake.calls++;
	if (fake.reload_fails)
		return vol_errorf_errno(err, EIO, "not today");
	return vol_device_conf_read(&d->conf, d->conf_path, err);
}

int vol_device_relink(struct vol_device_role *d, struct vol_error *err)
{
	(void)d;
	fake.calls++;
	return vol_errorf_errno(err, EIO, "not today");
}

/* ---- tests ---- */

struct fixture {
	void *folder;
	char path[PATH_MAX];
	struct vol_device_role d;
	struct vol_error err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || vtest_folder_setup(&f->folder) < 0 ||
	    vol_device_conf_defaults(&f->d.conf, NULL) < 0)
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/device.conf", (char *)f->folder);
	f->d.conf_path = f->path;
	memset(&fake, 0, sizeof(fake));
	fake.allowed = true;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vol_device_conf_clear(&f->d.conf);
	vtest_folder_teardown(&f->folder);
	free(f);
	return 0;
}

typedef json_t *(*command_f)(const json_t *request, uid_t uid, void *arg,
			     struct vol_error *err);

static json_t *ask(struct fixture *f, command_f command, const char *request)
{
	json_t *json = json_loads(request, 0, NULL), *data;

	assert_non_null(json);
	f->err.text[0] = '\0';
	data = command(json, fake.uid, &f->d, &f->err);
	json_decref(json);
	return data;
}

static void others_are_refused(void **state)
{
	static const struct {
		command_f command;
		const char *request;
	} rows[] = {
		{vol_ctl_pause, "{\"until\": 0}"},
		{vol_ctl_resume, "{}"},
		{vol_ctl_set, "{\"key\": \"hours\", \"value\": \"never\"}"},
		{vol_ctl_log, "{\"n\": 1}"},
	};
	struct fixture *f = *state;
	size_t i;

	fake.allowed = false;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		assert_null(ask(f, rows[i].command, rows[i].request));
		assert_contains(f->err.text, "only the owner of this machine");
		assert_contains(f->err.text, "owners in device.conf");
	}
	assert_int_equal(fake.calls, 0);
	assert_int_equal(fake.events, 0);
	assert_int_equal(vtest_count_entries(f->folder), 0);
}

static void pause_and_resume(void **state)
{
	struct fixture *f = *state;
	time_t now = time(NULL);
	char request[64];

	json_decref(ask(f, vol_ctl_pause, "{\"until\": 0}"));
	assert_int_equal(fake.calls, 1);
	assert_int_equal(fake.until, 0);
	assert_string_equal(fake.who, "root");
	json_decref(ask(f, vol_ctl_pause, "{\"seconds\": 3600}"));
	assert_in_range(fake.until, now + 3600, now + 3600 + 600);
	snprintf(request, sizeof(request), "{\"until\": %lld}",
		 (long long)now + 900);
	json_decref(ask(f, vol_ctl_pause, request));
	assert_int_equal(fake.until, now + 900);
	json_decref(ask(f, vol_ctl_resume, "{}"));
	assert_int_equal(fake.until, -1);
	assert_int_equal(fake.calls, 4);
}

static void wrong_pauses(void **state)
{
	static const struct {
		const char *request, *reason;
	} rows[] = {
		{"{}", "until when"},
		{"{\"until\": \"0\"}", "until when"},
		{"{\"until\": null}", "until when"},
		{"{\"seconds\": 0.5}", "until when"},
		{"{\"seconds\": 0}", "over already"},
		{"{\"seconds\": -5}", "over already"},
		{"{\"until\": 1}", "over already"},
		{"{\"until\": -9223372036854775807}", "over already"},
		{"{\"seconds\": 9223372036854775807}", "at most a year"},
		{"{\"until\": 9223372036854775807}", "at most a year"},
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < N_ELEMENTS(rows); i++) {
		assert_null(ask(f, vol_ctl_pause, rows[i].request));
		assert_contains(f->err.text, rows[i].reason);
	}
	assert_int_equal(fake.calls, 0);
}

static void set(void **state)
{
	struct fixture *f = *state;
	const char *key, *before, *after;
	json_t *data;

	data = ask(f, vol_ctl_set,
		   "{\"key\": \"idle_after\", \"value\": \"10m\"}");
	assert_int_equal(json_unpack(data, "{s:s, s:s, s:s}", "key", &key,
				     "old", &before, "new", &after),
			 0);
	assert_string_equal(key, "owner.idle_after");
	assert_string_equal(before, "5m");
	assert_string_equal(after, "10m");
	assert_int_equal(f->d.conf.policy.idle_after_ms, 600000);
	assert_string_equal(fake.note, "owner.idle_after: 5m -> 10m by root");
	json_decref(data);
	data = ask(f, vol_ctl_set,
		   "{\"key\": \"idle_after\", \"value\": null}");
	assert_int_equal(f->d.conf.policy.idle_after_ms, 300000);
	json_decref(data);
}

static void wrong_sets(void **state)
{
	static const struct {
		const char *request, *reason;
	} rows[] = {
		{"{}", "no key"},
		{"{\"key\": \"hours\"}", "no value"},
		{"{\"key\": \"hours\", \"value\": 3}", "no value"},
		{"{\"key\": 3, \"value\": \"x\"}", "no key"},
		{"{\"key\": \"x\", \"value\": \"x\"}", "unknown key"},
		{"{\"key\": \"cluster\", \"value\": \"x\"}", "administrator"},
		{"{\"key\": \"hours\", \"value\": \"x\"}", "hours"},
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < N_ELEMENTS(rows); i++) {
		assert_null(ask(f, vol_ctl_set, rows[i].request));
		assert_contains(f->err.text, rows[i].reason);
	}
	assert_int_equal(fake.calls, 0);
	assert_int_equal(vtest_count_entries(f->folder), 0);
	fake.reload_fails = true;
	assert_null(ask(f, vol_ctl_set,
			"{\"key\": \"hours\", \"value\": \"never\"}"));
	assert_contains(f->err.text, "not in force: not today");
	assert_string_equal(fake.note, "");
}

static void events(void **state)
{
	static const struct {
		const char *request;
		size_t n;
	} rows[] = {
		{"{\"n\": 1}", 1},       {"{\"n\": 200}", 200},
		{"{\"n\": 201}", 200},   {"{\"n\": 0}", 200},
		{"{\"n\": -1}", 200},    {"{}", 200},
		{"{\"n\": \"7\"}", 200},
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < N_ELEMENTS(rows); i++) {
		json_decref(ask(f, vol_ctl_log, rows[i].request));
		assert_int_equal(fake.events, rows[i].n);
	}
}

/* Whose controller it is has root here: to sit at the machine, or to be named
 * by owners, is not enough. */
static void only_root_joins(void **state)
{
	static const char *const with[] = {
		"123456",
		"sv1-aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypsaijce"
		"p4qa",
	};
	struct fixture *f = *state;
	char request[128];

	strcpy(f->d.trust.last, "123456");
	fake.allowed = true;
	for (size_t i = 0; i < N_ELEMENTS(with); i++) {
		snprintf(request, sizeof(request), "{\"with\": \"%s\"}",
			 with[i]);
		fake.uid = UID_EVE;
		assert_null(ask(f, vol_ctl_join, request));
		assert_int_equal(errno, EPERM);
		assert_contains(f->err.text, "only root may join");
		fake.uid = UID_ANN;
		assert_null(ask(f, vol_ctl_join, request));
		assert_int_equal(errno, EPERM);
	}
	assert_int_equal(fake.calls, 0);
	assert_false(f->d.pin.known);
	assert_false(f->d.join.has_token);
	/* Root is asked for the right code. */
	fake.uid = 0;
	assert_null(ask(f, vol_ctl_join, "{\"with\": \"123457\"}"));
	assert_int_equal(errno, EINVAL);
	assert_contains(f->err.text, "another one");
}

static void move(struct fixture *f, uid_t uid, const char *request,
		 const char *after)
{
	json_t *data;

	fake.uid = uid;
	data = ask(f, vol_ctl_move_owner, request);
	if (!data)
		fail_msg("%s", f->err.text);
	assert_string_equal(json_string_value(json_object_get(data, "owners")),
			    after);
	assert_string_equal(f->d.conf.owners, after);
	json_decref(data);
}

static void owners_change(void **state)
{
	struct fixture *f = *state;

	move(f, 0, "{\"to\": \"ann\"}", "ann");
	assert_contains(fake.note, "owners: none -> ann by root");
	move(f, UID_ANN, "{\"to\": \"bob\"}", "bob");
	assert_contains(fake.note, "by ann");
	move(f, 0, "{\"to\": \"ann\", \"from\": \"bob\"}", "ann");
	assert_null(strstr(f->d.conf.owners, "bob"));
}

/* To sit at the machine is not enough, nor to be one of several owners. */
static void owners_that_do_not_change(void **state)
{
	static const struct {
		uid_t uid;
		const char *request, *part;
	} rows[] = {
		{UID_EVE, "{\"to\": \"eve\"}", "named by owners"},
		{UID_EVE, "{\"to\": \"eve\", \"from\": \"ann\"}",
		 "named by owners"},
		{UID_ANN, "{\"to\": \"eve\", \"from\": \"bob\"}", "your own"},
		{UID_ANN, "{}", "want a name"},
		{UID_ANN, "{\"to\": \"all\"}", "no user's name"},
		{UID_ANN, "{\"to\": \"eve\\nsandbox = no\"}", "no user's name"},
		{0, "{\"to\": \"eve\"}", "several"},
		{0, "{\"to\": \"eve\", \"from\": \"carol\"}",
		 "not one of the owners"},
	};
	struct fixture *f = *state;
	FILE *conf = fopen(f->path, "w");

	assert_non_null(conf);
	fputs("[owner]\nowners = ann, bob\n", conf);
	fclose(conf);
	assert_int_equal(vol_device_conf_read(&f->d.conf, f->path, NULL), 0);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		fake.uid = rows[i].uid;
		assert_null(ask(f, vol_ctl_move_owner, rows[i].request));
		assert_contains(f->err.text, rows[i].part);
	}
	assert_int_equal(fake.calls, 0);
	assert_string_equal(f->d.conf.owners, "ann, bob");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(others_are_refused),
		TEST(pause_and_resume),
		TEST(wrong_pauses),
		TEST(set),
		TEST(wrong_sets),
		TEST(events),
		TEST(only_root_joins),
		TEST(owners_change),
		TEST(owners_that_do_not_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
