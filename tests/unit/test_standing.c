/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_standing.c - who may come in: the registry's pending, approved and
 * revoked devices, and their names */
#include "config.h"

#include "registry.h"

#include <errno.h>

#include "atomicfile.h"
#include "vtest.h"

#define ID1 "11111111111111111111111111111111"
#define ID2 "22222222222222222222222222222222"

static const char *path_in(void **state)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/registry.json", (char *)*state);
	return path;
}

static struct vol_registry *load(void **state)
{
	struct vol_error err = {""};
	struct vol_registry *r = vol_registry_load(path_in(state), &err);

	if (!r)
		fail_msg("%s", err.text);
	return r;
}

/* Through the disk. */
static struct vol_registry *again(void **state, struct vol_registry *r)
{
	struct vol_error err = {""};

	if (vol_registry_save(r, &err) < 0)
		fail_msg("%s", err.text);
	vol_registry_destroy(r);
	return load(state);
}

/* Key n: its id is n in 32 digits. */
static struct vol_fingerprint key(unsigned n)
{
	struct vol_fingerprint f = {{0}};

	for (int i = 0; i < 4; i++)
		f.byte[15 - i] = (uint8_t)(n >> 8 * i);
	f.byte[31] = 0xee;
	return f;
}

static struct vol_device *knock(struct vol_registry *r, unsigned n,
				const char *hostname, time_t now)
{
	struct vol_fingerprint f = key(n);
	struct vol_error err = {""};
	struct vol_device *d =
		vol_registry_knock(r, &f, hostname, "10.0.0.7", now, &err);

	if (!d)
		fail_msg("%s", err.text);
	return d;
}

static int approve(struct vol_registry *r, const char *id,
		   struct vol_error *err)
{
	return vol_registry_approve(r, id, "uid 1000", NULL, NULL, 50, err);
}

static void test_life(void **state)
{
	struct vol_registry *r = load(state);
	struct vol_device *d = knock(r, 1, "Desk 1", 10);
	char id[VOL_DEVICE_ID_SIZE], text[VOL_FINGERPRINT_SIZE];
	struct vol_fingerprint f = key(1);
	struct vol_error err;

	strcpy(id, d->id);
	vol_fingerprint_text(&f, text);
	assert_string_equal(d->fingerprint, text);
	assert_int_equal(d->standing, VOL_PENDING);
	assert_string_equal(d->node, "");
	assert_string_equal(d->hostname, "Desk-1");
	assert_string_equal(d->address, "10.0.0.7");
	assert_null(vol_registry_by_node(r, ""));
	assert_int_equal(vol_registry_rename(r, id, "x", NULL, NULL, &err), -1);
	assert_int_equal(errno, ENOENT);
	/* It knocks again, from elsewhere. */
	d = vol_registry_knock(r, &f, "desk2", "fe80::1%eth0", 20, &err);
	assert_string_equal(d->hostname, "desk2");
	assert_string_equal(d->address, "fe80::1%eth0");
	assert_int_equal(d->first_seen, 10);
	assert_int_equal(d->last_seen, 20);
	assert_int_equal(vol_registry_count(r), 1);
	r = again(state, r);
	assert_int_equal(vol_registry_by_id(r, id)->standing, VOL_PENDING);

	assert_int_equal(approve(r, id, &err), 0);
	d = vol_registry_by_node(r, "desk2");
	assert_non_null(d);
	assert_int_equal(d->standing, VOL_APPROVED);
	assert_int_equal(d->standing_at, 50);
	assert_string_equal(d->by, "uid 1000");
	assert_int_equal(approve(r, id, &err), -1);
	assert_int_equal(errno, EALREADY);
	assert_null(vol_registry_knock(r, &f, "desk2", "", 60, &err));
	assert_int_equal(errno, EEXIST);
	vol_registry_release(r, id); /* not revoked: no effect */
	d->created = true;
	vol_registry_touch(r, d);
	r = again(state, r);
	d = vol_registry_by_node(r, "desk2");
	assert_non_null(d);
	assert_string_equal(d->fingerprint, text);
	assert_string_equal(d->by, "uid 1000");

	assert_int_equal(vol_registry_revoke(r, id, "uid 0", 70, &err), 0);
	assert_int_equal(vol_registry_revoke(r, id, "uid 5", 80, &err), 0);
	r = again(state, r);
	d = vol_registry_by_id(r, id);
	assert_int_equal(d->standing, VOL_REVOKED);
	assert_int_equal(d->standing_at, 70);
	assert_string_equal(d->by, "uid 0");
	/* Slurm may still have its node. */
	assert_string_equal(d->node, "desk2");
	assert_true(d->created);
	assert_null(vol_registry_knock(r, &f, "desk2", "", 90, &err));
	assert_contains(err.text, "revoked");
	vol_registry_release(r, id);
	assert_string_equal(d->node, "");
	assert_false(d->created);
	assert_null(vol_registry_by_node(r, "desk2"));
	r = again(state, r);
	assert_int_equal(approve(r, id, &err), 0);
	assert_non_null(vol_registry_by_node(r, "desk2"));
	vol_registry_destroy(r);
}

static void test_unknown(void **state)
{
	struct vol_registry *r = load(state);
	struct vol_error err;

	assert_int_equal(approve(r, ID1, &err), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(approve(r, NULL, &err), -1);
	assert_int_equal(vol_registry_revoke(r, ID1, "", 0, &err), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(vol_registry_rename(r, ID1, "a", NULL, NULL, &err),
			 -1);
	assert_int_equal(errno, ENOENT);
	vol_registry_release(r, ID1);
	vol_registry_release(r, NULL);
	assert_string_equal(vol_standing_name(VOL_REVOKED), "revoked");
	assert_string_equal(vol_standing_name(99), "unknown");
	vol_registry_destroy(r);
}

/* Anybody can make keys: the oldest of too many goes, and only pending ones
 * do. */
static void test_flood(void **state)
{
	struct vol_registry *r = load(state);
	char id[VOL_DEVICE_ID_SIZE], first[VOL_DEVICE_ID_SIZE];
	char waiter[VOL_DEVICE_ID_SIZE];
	struct vol_fingerprint f;
	struct vol_device *d;
	struct vol_error err;
	size_t count;

	assert_non_null(vol_registry_add(r, ID1, "pc", NULL, NULL, 0, &err));
	strcpy(id, knock(r, 1, "pc", 1)->id);
	assert_int_equal(vol_registry_revoke(r, id, "uid 0", 1, &err), 0);
	strcpy(first, knock(r, 2, "pc", 2)->id);
	/* Neither heard again nor gone: it has a link. */
	d = knock(r, 9999, "pc", 2);
	d->waits = true;
	strcpy(waiter, d->id);
	for (unsigned n = 3; n < 3 * VOL_REGISTRY_PENDING; n++) {
		/* The first one is heard all the time. */
		knock(r, 2, "pc", (time_t)n);
		knock(r, n, "pc", (time_t)n);
	}
	assert_int_equal(vol_registry_count(r), 2 + VOL_REGISTRY_PENDING);
	assert_non_null(vol_registry_by_id(r, first));
	assert_non_null(vol_registry_by_id(r, waiter));
	assert_int_equal(vol_registry_by_id(r, id)->standing, VOL_REVOKED);
	r = again(state, r);
	assert_int_equal(vol_registry_count(r), 2 + VOL_REGISTRY_PENDING);
	assert_non_null(vol_registry_by_node(r, "pc"));
	for (size_t i = 0; i < vol_registry_count(r); i++) {
		d = vol_registry_at(r, i);
		assert_ptr_equal(vol_registry_by_id(r, d->id), d);
		assert_true(*d->node || i < vol_registry_count(r) - 1);
	}
	/* All wait: the next one is refused, and none is lost. */
	for (size_t i = 0; i < vol_registry_count(r); i++)
		vol_registry_at(r, i)->waits = true;
	count = vol_registry_count(r);
	f = key(77777);
	assert_null(vol_registry_knock(r, &f, "pc", "", 99999, &err));
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(vol_registry_count(r), count);
	/* Each of them can be taken out again. */
	while (vol_registry_count(r) > 0)
		vol_registry_remove(
			r, vol_registry_at(r, vol_registry_count(r) / 2)->id);
	vol_registry_destroy(r);
}

/* Strangers reserve no names. */
static void test_names(void **state)
{
	struct vol_registry *r = load(state);
	char a[VOL_DEVICE_ID_SIZE], b[VOL_DEVICE_ID_SIZE];
	struct vol_device *d;
	struct vol_error err;

	strcpy(a, knock(r, 1, "pc", 1)->id);
	strcpy(b, knock(r, 2, "pc", 1)->id);
	d = vol_registry_add(r, ID2, "pc", NULL, NULL, 1, &err);
	assert_string_equal(d->node, "pc");
	assert_int_equal(approve(r, b, &err), 0);
	assert_string_equal(vol_registry_by_id(r, b)->node, "pc-2");
	assert_int_equal(approve(r, a, &err), 0);
	assert_string_equal(vol_registry_by_id(r, a)->node, "pc-3");
	/* A revoked one keeps its name until Slurm has no such node. */
	vol_registry_revoke(r, b, "", 2, NULL);
	assert_non_null(vol_registry_add(r, ID1, "pc", NULL, NULL, 2, &err));
	assert_string_equal(vol_registry_by_id(r, ID1)->node, "pc-4");
	vol_registry_remove(r, ID1);
	vol_registry_release(r, b);
	assert_non_null(vol_registry_add(r, ID1, "pc", NULL, NULL, 2, &err));
	assert_string_equal(vol_registry_by_id(r, ID1)->node, "pc-2");
	vol_registry_destroy(r);
}

static bool is_name(const char *name, void *arg)
{
	return strcmp(name, arg) == 0;
}

static void test_rename(void **state)
{
	static const struct {
		const char *name;
		int errnum;
	} bad[] = {
		{"", EINVAL},     {"A", EINVAL},    {"all", EINVAL},
		{"a[1]", EINVAL}, {"a.b", EINVAL},  {"-a", EINVAL},
		{"7", EINVAL},    {"pc-2", EEXIST}, {"fixed", EEXIST},
		{"pc", EEXIST},
	};
	struct vol_registry *r = load(state);
	char fixed[] = "fixed";
	struct vol_error err;

	assert_non_null(vol_registry_add(r, ID1, "pc", NULL, NULL, 5, &err));
	assert_non_null(vol_registry_add(r, ID2, "pc", NULL, NULL, 5, &err));
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		assert_int_equal(vol_registry_rename(r, ID1, bad[i].name,
						     is_name, fixed, &err),
				 -1);
		assert_int_equal(errno, bad[i].errnum);
		assert_string_equal(vol_registry_by_id(r, ID1)->node, "pc");
	}
	assert_int_equal(
		vol_registry_rename(r, ID1, "zoo", is_name, fixed, &err), 0);
	assert_null(vol_registry_by_node(r, "pc"));
	r = again(state, r);
	assert_string_equal(vol_registry_by_node(r, "zoo")->id, ID1);
	assert_string_equal(vol_registry_at(r, 1)->node, "zoo");
	assert_int_equal(vol_registry_by_node(r, "zoo")->first_seen, 5);
	/* By its host's name again: the lowest number that is free. */
	assert_int_equal(vol_registry_rename(r, ID1, NULL, NULL, NULL, &err),
			 0);
	assert_non_null(vol_registry_by_node(r, "pc"));
	/* Its own name is not free for it. */
	assert_int_equal(vol_registry_rename(r, ID1, NULL, NULL, NULL, &err),
			 0);
	assert_non_null(vol_registry_by_node(r, "pc-3"));
	vol_registry_destroy(r);
}

#define V1                                                                 \
	"{\"version\":1,\"devices\":[{\"id\":\"" ID1 "\",\"node\":\"pc\"," \
	"\"hostname\":\"pc\",\"address\":\"10.0.0.7\",\"facts\":null,"     \
	"\"first_seen\":3,\"last_seen\":4,\"created\":true}]}"

/* A file from before there were keys. */
static void test_version_1(void **state)
{
	struct vol_registry *r;
	struct vol_device *d;
	char *text;

	vol_file_replace(path_in(state), V1, strlen(V1), 0600, 0, NULL);
	r = load(state);
	d = vol_registry_by_node(r, "pc");
	assert_non_null(d);
	assert_int_equal(d->standing, VOL_APPROVED);
	assert_int_equal(d->standing_at, 3);
	assert_string_equal(d->fingerprint, "");
	assert_string_equal(d->by, "");
	assert_true(d->created);
	vol_registry_touch(r, d);
	r = again(state, r);
	d = vol_registry_by_node(r, "pc");
	assert_string_equal(d->fingerprint, "");
	assert_int_equal(d->last_seen, 4);
	vol_registry_destroy(r);
	text = vol_file_read(path_in(state), 65536, NULL, NULL);
	assert_contains(text, "\"version\": 3");
	free(text);
}

#define KEY1 ID1 ID2
#define DEVICE(standing, node, key)                                          \
	"{\"version\":2,\"devices\":[{\"id\":\"" ID1 "\"," standing node key \
	"\"standing_at\":1,\"by\":\"\","                                     \
	"\"hostname\":\"pc\",\"address\":\"\",\"facts\":null,"               \
	"\"first_seen\":3,\"last_seen\":4,\"created\":true}]}"
#define STANDING(word) "\"standing\":\"" word "\","
#define NODE           "\"node\":\"pc\","
#define KEY(digits)    "\"fingerprint\":\"" digits "\","

static void test_damaged(void **state)
{
	static const struct {
		const char *text, *part;
	} bad[] = {
		{DEVICE("", NODE, ""), "standing: missing"},
		{DEVICE(STANDING("Approved"), NODE, ""), "standing"},
		{DEVICE(STANDING("approved"), "", ""), "without a node"},
		{DEVICE(STANDING("pending"), NODE, ""), "with a node"},
		{DEVICE(STANDING("approved"), NODE, KEY("")), "fingerprint"},
		{DEVICE(STANDING("approved"), NODE, KEY(ID1)), "fingerprint"},
		{DEVICE(STANDING("approved"), NODE, KEY(ID2 ID1)),
		 "fingerprint: does not begin with id"},
	};
	static const char *const good[] = {
		DEVICE(STANDING("approved"), NODE, KEY(KEY1)),
		DEVICE(STANDING("approved"), NODE, ""),
		DEVICE(STANDING("revoked"), NODE, KEY(KEY1)),
		DEVICE(STANDING("revoked"), "", KEY(KEY1)),
		DEVICE(STANDING("pending"), "", KEY(KEY1)),
	};
	struct vol_error err;

	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		vol_file_replace(path_in(state), bad[i].text,
				 strlen(bad[i].text), 0600, 0, NULL);
		assert_null(vol_registry_load(path_in(state), &err));
		assert_int_equal(errno, EINVAL);
		assert_contains(err.text, "registry.json: device 1: ");
		assert_contains(err.text, bad[i].part);
	}
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		vol_file_replace(path_in(state), good[i], strlen(good[i]), 0600,
				 0, NULL);
		vol_registry_destroy(load(state));
	}
}

/* Two keys whose first halves are alike are two devices with one id. */
static void test_half_alike(void **state)
{
	struct vol_registry *r = load(state);
	struct vol_fingerprint f = key(1);
	struct vol_error err;

	knock(r, 1, "pc", 1);
	f.byte[31] ^= 1;
	assert_null(vol_registry_knock(r, &f, "pc", "", 2, &err));
	assert_int_equal(errno, EEXIST);
	assert_int_equal(vol_registry_count(r), 1);
	vol_registry_destroy(r);
}

#define TEST(function)                                                \
	cmocka_unit_test_setup_teardown(function, vtest_folder_setup, \
					vtest_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_life),    TEST(test_unknown),    TEST(test_flood),
		TEST(test_names),   TEST(test_rename),     TEST(test_version_1),
		TEST(test_damaged), TEST(test_half_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
