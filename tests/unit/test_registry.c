/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_registry.c - devices: names, the file, damage, thousands of them */
#include "config.h"

#include "registry.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "atomicfile.h"
#include "json_values.h"
#include "vtest.h"

#define ID1   "00000000000000000000000000000001"
#define ID2   "00000000000000000000000000000002"
#define CROWD 10000

static const struct vol_facts desktop = {
	1, 4, 2, 7900, 100, 0, {"x86_64"}, 1,
};

static const char *path_in(void **state)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/registry.json", (char *)*state);
	return path;
}

static struct vol_registry *load(const char *path)
{
	struct vol_error err = {""};
	struct vol_registry *r = vol_registry_load(path, &err);

	if (!r)
		fail_msg("%s", err.text);
	return r;
}

static void save(struct vol_registry *r)
{
	struct vol_error err = {""};

	if (vol_registry_save(r, &err) < 0)
		fail_msg("%s", err.text);
}

static struct vol_device *add(struct vol_registry *r, const char *id,
			      const char *hostname)
{
	struct vol_error err = {""};
	struct vol_device *d =
		vol_registry_add(r, id, hostname, NULL, NULL, 1000, &err);

	if (!d)
		fail_msg("%s", err.text);
	return d;
}

static void nth_id(char id[VOL_DEVICE_ID_SIZE], unsigned n)
{
	/* Scattered, as real identities are. */
	snprintf(id, VOL_DEVICE_ID_SIZE, "%08x%024x", n * 2654435761u, n);
}

static void test_empty(void **state)
{
	struct vol_registry *r = load(path_in(state));
	struct vol_error err;

	vol_registry_destroy(NULL);
	assert_int_equal(vol_registry_count(r), 0);
	assert_null(vol_registry_at(r, 0));
	assert_null(vol_registry_by_id(r, NULL));
	assert_null(vol_registry_by_id(r, ID1));
	assert_null(vol_registry_by_node(r, NULL));
	assert_null(vol_registry_by_node(r, "pc"));
	vol_registry_remove(r, NULL);
	vol_registry_remove(r, ID1);
	assert_null(vol_registry_add(r, NULL, "pc", NULL, NULL, 0, &err));
	assert_int_equal(errno, EINVAL);
	assert_null(vol_registry_add(r, "", "pc", NULL, NULL, 0, &err));
	assert_null(vol_registry_add(r, "a\nb", "pc", NULL, NULL, 0, &err));
	assert_contains(err.text, "\"a?b\"");
	assert_int_equal(vol_registry_count(r), 0);
	/* Nothing changed, so no file appears. */
	save(r);
	assert_int_equal(access(path_in(state), F_OK), -1);
	vol_registry_destroy(r);
}

static void test_add_remove(void **state)
{
	struct vol_registry *r = load(path_in(state));
	struct vol_device *d = add(r, ID2, "PC.lab"), *e;
	struct vol_error err;

	assert_string_equal(d->node, "pc");
	assert_string_equal(d->hostname, "PC.lab");
	assert_string_equal(d->id, ID2);
	assert_string_equal(d->address, "");
	assert_int_equal(d->first_seen, 1000);
	assert_int_equal(d->last_seen, 1000);
	assert_false(d->created);
	e = add(r, ID1, NULL);
	assert_string_equal(e->node, "device");
	assert_ptr_equal(vol_registry_by_id(r, ID2), d);
	assert_ptr_equal(vol_registry_by_node(r, "pc"), d);
	assert_ptr_equal(vol_registry_by_node(r, "device"), e);
	assert_ptr_equal(vol_registry_at(r, 0), e);
	assert_ptr_equal(vol_registry_at(r, 1), d);
	assert_null(vol_registry_at(r, 2));
	assert_null(vol_registry_add(r, ID1, "x", NULL, NULL, 0, &err));
	assert_int_equal(errno, EEXIST);
	vol_registry_remove(r, ID1);
	assert_int_equal(vol_registry_count(r), 1);
	assert_null(vol_registry_by_id(r, ID1));
	assert_null(vol_registry_by_node(r, "device"));
	assert_ptr_equal(vol_registry_by_id(r, ID2), d);
	vol_registry_destroy(r);
}

static void test_roundtrip(void **state)
{
	struct vol_registry *r = load(path_in(state));
	struct vol_device *d = add(r, ID1, "B\xc3\xbcro PC;$(x)"), *e;
	struct stat st;

	assert_string_equal(d->hostname, "B--ro-PC---x-");
	d->facts = desktop;
	strcpy(d->address, "fe80::1%eth0");
	d->last_seen = 4102444800;
	d->created = true;
	add(r, ID2, "x"); /* its facts are not known yet */
	save(r);
	assert_int_equal(stat(path_in(state), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	vol_registry_destroy(r);

	r = load(path_in(state));
	assert_int_equal(vol_registry_count(r), 2);
	e = vol_registry_by_id(r, ID1);
	assert_non_null(e);
	assert_string_equal(e->node, "b--ro-pc---x");
	assert_string_equal(e->hostname, "B--ro-PC---x-");
	assert_string_equal(e->address, "fe80::1%eth0");
	assert_true(vol_facts_equal(&e->facts, &desktop));
	assert_int_equal(e->first_seen, 1000);
	assert_int_equal(e->last_seen, 4102444800);
	assert_true(e->created);
	e = vol_registry_by_node(r, "x");
	assert_non_null(e);
	assert_int_equal(vol_facts_cpus(&e->facts), 0);
	vol_registry_destroy(r);
}

/* Only a touched registry is written. */
static void test_touch(void **state)
{
	struct vol_registry *r = load(path_in(state));

	add(r, ID1, "pc");
	save(r);
	assert_int_equal(unlink(path_in(state)), 0);
	save(r);
	assert_int_equal(access(path_in(state), F_OK), -1);
	vol_registry_touch(r, vol_registry_by_id(r, ID1));
	save(r);
	assert_int_equal(access(path_in(state), F_OK), 0);
	assert_int_equal(unlink(path_in(state)), 0);
	vol_registry_remove(r, ID2); /* unknown */
	save(r);
	assert_int_equal(access(path_in(state), F_OK), -1);
	vol_registry_remove(r, ID1);
	save(r);
	vol_registry_destroy(r);
	r = load(path_in(state));
	assert_int_equal(vol_registry_count(r), 0);
	vol_registry_destroy(r);
}

static bool starts_with(const char *name, void *arg)
{
	return strncmp(name, arg, strlen(arg)) == 0;
}

static bool is_name(const char *name, void *arg)
{
	return strcmp(name, arg) == 0;
}

static void test_taken(void **state)
{
	struct vol_registry *r = load(path_in(state));
	char none[] = "", fixed[] = "pc";
	struct vol_device *d;
	struct vol_error err;

	d = vol_registry_add(r, ID1, "pc", is_name, fixed, 0, &err);
	assert_non_null(d);
	assert_string_equal(d->node, "pc-2");
	assert_null(vol_registry_add(r, ID2, "pc", starts_with, none, 0, &err));
	assert_int_equal(errno, ENOSPC);
	assert_contains(err.text, "pc-9999");
	assert_int_equal(vol_registry_count(r), 1);
	/* Slurm gave the name free again. */
	d = vol_registry_add(r, ID2, "pc", NULL, NULL, 0, &err);
	assert_string_equal(d->node, "pc-3");
	vol_registry_remove(r, ID1);
	d = vol_registry_add(r, ID1, "pc", NULL, NULL, 0, &err);
	assert_string_equal(d->node, "pc");
	vol_registry_destroy(r);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* As many clones of one image as there are names, then one too many. */
static void test_crowd(void **state)
{
	struct vol_registry *r = load(path_in(state));
	char id[VOL_DEVICE_ID_SIZE], name[VOL_NODE_NAME_SIZE];
	double start = seconds();
	struct vol_error err;

	for (unsigned n = 1; n < CROWD; n++) {
		struct vol_device *d;

		nth_id(id, n);
		d = add(r, id, "pc.lab");
		d->facts = desktop;
		vol_node_name_nth("pc", n, name);
		assert_string_equal(d->node, name);
	}
	nth_id(id, CROWD);
	assert_null(vol_registry_add(r, id, "pc", NULL, NULL, 0, &err));
	assert_int_equal(errno, ENOSPC);
	save(r);
	vol_registry_destroy(r);

	r = load(path_in(state));
	assert_int_equal(vol_registry_count(r), CROWD - 1);
	for (unsigned n = 1; n < CROWD; n++) {
		struct vol_device *d;

		nth_id(id, n);
		vol_node_name_nth("pc", n, name);
		d = vol_registry_by_id(r, id);
		assert_non_null(d);
		assert_string_equal(d->node, name);
		assert_ptr_equal(vol_registry_by_node(r, name), d);
	}
	/* The hole of one that left is found again. */
	nth_id(id, 5000);
	vol_registry_remove(r, id);
	assert_string_equal(add(r, id, "pc")->node, "pc-5000");
	for (unsigned n = 1; n < CROWD; n++) {
		nth_id(id, n);
		vol_registry_remove(r, id);
	}
	assert_int_equal(vol_registry_count(r), 0);
	vol_registry_destroy(r);
	/* About 0.3 s, 1.5 s with sanitizers; the quadratic way takes 13 s and
	 * 30 s. */
	assert_true(seconds() - start < 20);
}

/* kill -9 between write and rename leaves a temporary file beside the old
 * state; it must neither be read nor be in the way. */
static void test_killed_writer(void **state)
{
	struct vol_registry *r = load(path_in(state));
	char temporary[PATH_MAX + 16];

	add(r, ID1, "pc");
	save(r);
	snprintf(temporary, sizeof(temporary), "%s/.registry.json.Xx1Yy2",
		 (char *)*state);
	assert_int_equal(
		vol_file_replace(temporary, "{\"versi", 7, 0600, 0, NULL), 0);
	vol_registry_destroy(r);
	r = load(path_in(state));
	assert_int_equal(vol_registry_count(r), 1);
	add(r, ID2, "pc");
	save(r);
	vol_registry_destroy(r);
	r = load(path_in(state));
	assert_int_equal(vol_registry_count(r), 2);
	vol_registry_destroy(r);
}

/* A disk that takes no more: RLIMIT_FSIZE stands in, EFBIG for ENOSPC. */
static void test_failed_save(void **state)
{
	struct vol_registry *r = load(path_in(state));
	struct rlimit old, small;
	struct vol_error err;
	size_t before;

	add(r, ID1, "pc");
	save(r);
	before = vtest_count_entries(*state);
	add(r, ID2, "pc");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(vol_registry_save(r, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_contains(err.text, "registry.json");
	assert_int_equal(vtest_count_entries(*state), before);
	/* Disk keeps the old, memory the new, and the next try works. */
	vol_registry_destroy(load(path_in(state)));
	assert_int_equal(vol_registry_count(r), 2);
	save(r);
	vol_registry_destroy(r);
	r = load(path_in(state));
	assert_int_equal(vol_registry_count(r), 2);
	vol_registry_destroy(r);
}

static void test_no_folder(void **state)
{
	char path[PATH_MAX];
	struct vol_registry *r;
	struct vol_error err;

	snprintf(path, sizeof(path), "%s/none/registry.json", (char *)*state);
	r = load(path);
	add(r, ID1, "pc");
	assert_int_equal(vol_registry_save(r, &err), -1);
	assert_int_equal(errno, ENOENT);
	assert_contains(err.text, "none");
	vol_registry_destroy(r);
}

/* Nothing is written that would be refused when it is read. */
static void test_unsavable(void **state)
{
	struct vol_registry *r = load(path_in(state));
	struct vol_device *d = add(r, ID1, "pc");
	struct vol_error err;

	save(r);
	d->facts = desktop;
	d->facts.memory_mb = 0;
	vol_registry_touch(r, d);
	assert_int_equal(vol_registry_save(r, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_contains(err.text, "device 1: facts: memory_mb");
	d->facts = desktop;
	d->last_seen = -1;
	assert_int_equal(vol_registry_save(r, &err), -1);
	assert_contains(err.text, "last_seen");
	vol_registry_destroy(r);
	r = load(path_in(state));
	assert_int_equal(vol_registry_at(r, 0)->last_seen, 1000);
	vol_registry_destroy(r);
}

#define DEVICE(id, node)                                                    \
	"{\"id\":\"" id "\",\"node\":\"" node "\",\"hostname\":\"h\","      \
	"\"address\":\"\",\"facts\":null,\"first_seen\":1,\"last_seen\":2," \
	"\"created\":false}"
#define FILE_OF(devices) "{\"version\":1,\"devices\":[" devices "]}"

static const struct {
	const char *text;
	size_t len; /* 0: strlen */
	const char *error;
} damaged[] = {
	{"", 0, "registry.json:1:0: "},
	{"\n\n{\"version\": 1,\n", 0, "registry.json:4:0: "},
	{"{\"version\": 1,\n\"devices\": [}", 0, "registry.json:2:13: "},
	{"[]", 0, "version"},
	{"{}", 0, "version"},
	{"{\"version\":4,\"devices\":[]}", 0, "version"},
	{"{\"version\":0,\"devices\":[]}", 0, "version"},
	{"{\"version\":\"1\",\"devices\":[]}", 0, "version"},
	{"{\"version\":1}", 0, "devices"},
	{"{\"version\":1,\"devices\":{}}", 0, "devices"},
	{"{\"version\":1,\"devices\":[],\"x\":1}", 0, "unknown member"},
	{"{\"version\":1,\"version\":1,\"devices\":[]}", 0, "duplicate"},
	{FILE_OF("") "x", 0, "registry.json:1:"},
	{FILE_OF("") "\0", sizeof(FILE_OF("")), "registry.json:1:"},
	{FILE_OF("7"), 0, "device 1: want an object"},
	{FILE_OF("{}"), 0, "device 1: id: missing"},
	{FILE_OF(DEVICE("x", "a")), 0, "device 1: id: \"x\" is not valid"},
	{FILE_OF(DEVICE(ID1, "A")), 0, "device 1: node: \"A\""},
	{FILE_OF(DEVICE(ID1, "a[1-2]")), 0, "device 1: node"},
	{FILE_OF(DEVICE(ID1, "")), 0, "device 1: node"},
	{FILE_OF(DEVICE(ID1, "all")), 0, "device 1: node"},
	{FILE_OF(DEVICE(ID1, "a") "," DEVICE(ID1, "b")), 0,
	 "device 2: id " ID1 " given twice"},
	{FILE_OF(DEVICE(ID1, "a") "," DEVICE(ID2, "a")), 0,
	 "device 2: node a given twice"},
};

static void refuse_file(const char *path, const char *text, size_t len,
			const char *part)
{
	struct vol_error err = {""};

	assert_int_equal(vol_file_replace(path, text, len, 0600, 0, NULL), 0);
	errno = 0;
	assert_null(vol_registry_load(path, &err));
	assert_int_equal(errno, EINVAL);
	assert_contains(err.text, path);
	assert_contains(err.text, part);
}

static void test_damaged(void **state)
{
	for (size_t i = 0; i < N_ELEMENTS(damaged); i++) {
		const char *text = damaged[i].text;

		refuse_file(path_in(state), text,
			    damaged[i].len ? damaged[i].len : strlen(text),
			    damaged[i].error);
	}
}

/* The device with another value for one member. */
static void refuse_device(const char *path, const json_t *device,
			  const char *name, json_t *value)
{
	json_t *copy = json_copy((json_t *)device);
	json_t *root = json_pack("{s:i,s:[o]}", "version", 1, "devices", copy);
	char *text;

	assert_non_null(root);
	json_object_set(copy, name, value);
	text = json_dumps(root, 0);
	assert_non_null(text);
	refuse_file(path, text, strlen(text), name);
	free(text);
	json_decref(root);
}

/* Each member of a device with each type that it does not have. */
static void test_damaged_types(void **state)
{
	json_t *device = json_loads(DEVICE(ID1, "a"), 0, NULL);
	const char *name;
	json_t *value;

	json_object_foreach(device, name, value) {
		for (json_type t = 0; t < N_JSON_TYPES; t++) {
			json_t *other = value_of_type(t);

			if (!same_kind(other, value))
				refuse_device(path_in(state), device, name,
					      other);
			json_decref(other);
		}
	}
	json_decref(device);
}

/* Every way to cut a good file short. */
static void test_truncated(void **state)
{
	struct vol_registry *r = load(path_in(state));
	char *text;
	size_t len;

	add(r, ID1, "pc")->facts = desktop;
	add(r, ID2, "pc");
	save(r);
	vol_registry_destroy(r);
	text = vol_file_read(path_in(state), 65536, &len, NULL);
	assert_non_null(text);
	assert_int_equal(text[len - 1], '\n');
	for (size_t n = 0; n < len - 1; n++)
		refuse_file(path_in(state), text, n, "");
	free(text);
}

static void test_unreadable(void **state)
{
	struct vol_error err;

	/* A folder in its place: not "missing", so not empty. */
	assert_null(vol_registry_load(*state, &err));
	assert_int_not_equal(errno, ENOENT);
	assert_contains(err.text, *state);
}

#define TEST(function)                                                \
	cmocka_unit_test_setup_teardown(function, vtest_folder_setup, \
					vtest_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),         TEST(test_add_remove),
		TEST(test_roundtrip),     TEST(test_touch),
		TEST(test_taken),         TEST(test_crowd),
		TEST(test_killed_writer), TEST(test_failed_save),
		TEST(test_no_folder),     TEST(test_unsavable),
		TEST(test_damaged),       TEST(test_damaged_types),
		TEST(test_truncated),     TEST(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
