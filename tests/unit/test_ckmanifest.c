/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckmanifest.c - one form, and whose image it is */
#include "config.h"

#include "ckmanifest.h"

#include <errno.h>
#include <jansson.h>

#include "json_values.h"
#include "vtest.h"

static void fill(struct vol_ckmanifest *m)
{
	static const struct vol_ckplace place[] = {
		{"/usr", "m0", VOL_CKPLACE_EXTERNAL, 7},
		{"/", "", VOL_CKPLACE_TMPFS, 6},
	};
	const struct vol_ckmapped_file libc = {.path = "/usr/lib/libc.so.6",
					       .bytes = 4711,
					       .build = {1, 2, 3, 0xff},
					       .n_build = 4};
	const struct vol_ckfile file[] = {{"pages-1.img", 1 << 20},
					  {"core-1.img", 700}};
	const struct vol_ckoutput output[] = {{"/work/caf\xc3\xa9 100%", 12},
					      {"/work/a", 0}};

	*m = (struct vol_ckmanifest){
		.job = 7,
		.step = UINT32_MAX - 4,
		.restarts = 2,
		.sequence = 3,
		.cluster = "lab",
		.cause = VOL_CKCAUSE_PERIODIC,
		.when = 1800000000,
		.node = "desk1",
		.device = "00112233445566778899aabbccddeeff",
		.boot = "01234567-89ab-cdef-0123-456789abcdef",
		.machine = {.arch = "x86_64",
			    .kernel = "6.12.48",
			    .criu = 40201},
		.uid = 1000,
		.gid = 1000,
		.id_base = 0x70000000,
		.filter = {0xab},
		.processes = 4,
		.memory = 1 << 20,
	};
	vol_ckcpu_parse("fpu sse2 avx2", &m->machine.cpu);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(vol_ckplaces_add(&m->places, &place[i], NULL),
				 0);
		assert_int_equal(vol_ckmanifest_add_file(m, &file[i], NULL), 0);
		assert_int_equal(vol_ckmanifest_add_output(m, &output[i], NULL),
				 0);
	}
	assert_int_equal(vol_ckmapped_add(&m->mapped, &libc, NULL), 0);
}

static char *text_of(size_t *len)
{
	struct vol_ckmanifest m;
	struct vol_error err = {""};
	char *text;

	fill(&m);
	text = vol_ckmanifest_encode(&m, len, &err);
	if (!text)
		fail_msg("%s", err.text);
	vol_ckmanifest_clear(&m);
	return text;
}

static void there_and_back(void **state)
{
	struct vol_ckmanifest m = VOL_CKMANIFEST_INIT, before;
	size_t len, n;
	char *text = text_of(&len), *again;

	(void)state;
	fill(&before);
	assert_int_equal(strlen(text), len);
	assert_printable(text);
	assert_contains(text, "{\"arch\":\"x86_64\",\"boot\":");
	assert_contains(text, "/work/caf%c3%a9 100%25");
	assert_int_equal(vol_ckmanifest_decode(text, len, &m, NULL), 0);
	assert_int_equal(m.job, before.job);
	assert_int_equal(m.step, before.step);
	assert_int_equal(m.cause, before.cause);
	assert_memory_equal(m.filter, before.filter, sizeof(m.filter));
	assert_memory_equal(&m.machine, &before.machine, sizeof(m.machine));
	assert_int_equal(m.n_files, 2);
	assert_string_equal(m.file[0].name, "core-1.img");
	assert_int_equal(m.file[1].bytes, 1 << 20);
	assert_string_equal(m.output[1].path, "/work/caf\xc3\xa9 100%");
	assert_string_equal(m.places.place[1].key, "m0");
	assert_int_equal(m.mapped.file[0].n_build, 4);
	assert_int_equal(vol_ckmanifest_bytes(&m), (1 << 20) + 700);
	assert_int_equal(vol_ckmanifest_file(&m, "pages-1.img")->bytes,
			 1 << 20);
	assert_null(vol_ckmanifest_file(&m, "pages-2.img"));
	again = vol_ckmanifest_encode(&m, &n, NULL);
	assert_non_null(again);
	assert_string_equal(again, text);
	free(again);
	free(text);
	vol_ckmanifest_clear(&m);
	vol_ckmanifest_clear(&before);
}

static void refuse(const char *text, size_t len, const char *part)
{
	struct vol_ckmanifest m = VOL_CKMANIFEST_INIT;
	struct vol_error err = {""};

	errno = 0;
	if (vol_ckmanifest_decode(text, len, &m, &err) == 0)
		fail_msg("taken: %s", text);
	assert_int_equal(errno, EBADMSG);
	assert_contains(err.text, part);
	assert_printable(err.text);
	assert_null(m.file);
	assert_null(m.places.place);
}

/* Each member missing, of each other type, and one that is not known. */
static void members(void **state)
{
	size_t len;
	char *text = text_of(&len);
	json_t *root = json_loads(text, 0, NULL);
	const char *name;
	json_t *value;

	(void)state;
	assert_non_null(root);
	json_object_foreach(root, name, value) {
		for (int type = 0; type <= N_JSON_TYPES; type++) {
			json_t *copy = json_deep_copy(root);
			char *edited;

			if (type == N_JSON_TYPES) {
				json_object_del(copy, name);
			} else {
				json_t *other = value_of_type((json_type)type);

				if (same_kind(value, other)) {
					json_decref(other);
					json_decref(copy);
					continue;
				}
				json_object_set_new(copy, name, other);
			}
			edited =
				json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
			refuse(edited, strlen(edited), name);
			free(edited);
			json_decref(copy);
		}
	}
	json_object_set_new(root, "x", json_true());
	free(text);
	text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
	refuse(text, strlen(text), "unknown member \"x\"");
	free(text);
	json_decref(root);
}

/* One text in place of another. */
static void texts(void **state)
{
	static const struct {
		const char *from, *to, *part;
	} rows[] = {
		{"\"version\":2", "\"version\":1", "version: want 2"},
		{"{\"arch\"", "{ \"arch\"", "not in the form in which"},
		{"{\"arch\"", "{\"job\":7,\"arch\"", "no JSON object"},
		{"\"job\":7", "\"job\":0", "job: want an integer from 1"},
		{"\"job\":7", "\"job\":4294967296", "job: want an integer"},
		{"\"sequence\":3", "\"sequence\":0", "sequence: want"},
		{"\"uid\":1000", "\"uid\":0", "uid: want an integer from 1"},
		{"\"uid\":1000", "\"uid\":1000.0", "uid: want an integer"},
		{"\"uid\":1000", "\"uid\":01000", "no JSON object"},
		{"desk1", "desk[1-9]", "node: "},
		{"desk1", "", "node: "},
		{"\"lab\"", "\"../lab\"", "cluster: "},
		{"89ab-cdef", "89AB-cdef", "boot: "},
		{"89ab-cdef", "89abcdef-", "boot: "},
		{"periodic", "evil", "cause: want one of the known words"},
		{"\"fpu\",\"sse2\"", "\"sse2\",\"fpu\"", "not in the form"},
		{"\"fpu\"", "\"nx\"", "cpu: want a CPU feature"},
		{"\"criu\":40201", "\"criu\":1000000", "criu: want"},
		{"\"ab00", "\"AB00", "filter: want 64 digits"},
		{"\"ab00", "\"ab0", "filter: want 64 digits"},
		{"core-1.img", "cgroup.img", "files: \"cgroup.img\" is no"},
		{"core-1.img", "../core-1.img", "files: \"../core-1.img\" is"},
		{"core-1.img", "pages-2.img", "files: entry 2: not behind"},
		{"core-1.img", "pages-1.img", "files: entry 2: not behind"},
		{"\"bytes\":700", "\"bytes\":-1", "files: entry 1: bytes"},
		{"\"bytes\":700", "\"bytes\":17592186044417", "bytes: want"},
		{"/work/a", "/work/../a", "outputs: entry 1: path: want a no"},
		{"/work/a", "work/a", "path: want a normal absolute path"},
		{"/work/a", "/work/%61", "path: want a normal absolute path"},
		{"/work/a", "/work/%C3", "path: want a normal absolute path"},
		{"/work/a", "/work/%c", "path: want a normal absolute path"},
		{"/work/a", "/work/%00", "path: want a normal absolute path"},
		{"/work/a", "/work/%0a", "path: want a normal absolute path"},
		{"/work/a", "/work/\\u0000", "no JSON object"},
		{"\"external\"", "\"overlay\"", "places: entry 2: kind: want"},
		{"\"key\":\"m0\"", "\"key\":\"\"", "\"/usr\" is no place"},
		{"\"key\":\"\"", "\"key\":\"m1\"", "\"/\" is no place"},
		{"\"flags\":7", "\"flags\":263", NULL},
		{"\"flags\":7", "\"flags\":16", "\"/usr\" is no place"},
		{"010203ff", "010203f", "mapped: entry 1: build: want a"},
		{"010203ff", "010203FF", "mapped: entry 1: build: want a"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_ckmanifest m = VOL_CKMANIFEST_INIT;
		size_t len;
		char *text = text_of(&len), edited[8192];
		char *at = strstr(text, rows[i].from);

		assert_non_null(at);
		snprintf(edited, sizeof(edited), "%.*s%s%s", (int)(at - text),
			 text, rows[i].to, at + strlen(rows[i].from));
		if (rows[i].part)
			refuse(edited, strlen(edited), rows[i].part);
		else
			assert_int_equal(vol_ckmanifest_decode(edited,
							       strlen(edited),
							       &m, NULL),
					 0);
		vol_ckmanifest_clear(&m);
		free(text);
	}
}

static void cut(void **state)
{
	struct vol_ckmanifest m = VOL_CKMANIFEST_INIT;
	size_t len;
	char *text = text_of(&len);
	struct vol_error err;

	(void)state;
	for (size_t n = 0; n < len; n++)
		refuse(text, n, "");
	assert_int_equal(vol_ckmanifest_decode(text, VOL_CKMANIFEST_MAX + 1, &m,
					       &err),
			 -1);
	assert_int_equal(errno, EFBIG);
	free(text);
}

static void encode_refuses(void **state)
{
	struct vol_ckmanifest m;
	struct vol_ckfile file = {.name = "core-1.img"};
	struct vol_ckoutput out = {.path = "relative"};
	struct vol_error err;
	size_t len;

	(void)state;
	fill(&m);
	m.uid = 0;
	assert_null(vol_ckmanifest_encode(&m, &len, &err));
	assert_int_equal(errno, EINVAL);
	assert_contains(err.text, "uid: want");
	m.uid = 1000;
	/* The same name twice. */
	assert_int_equal(vol_ckmanifest_add_file(&m, &file, NULL), 0);
	assert_null(vol_ckmanifest_encode(&m, &len, &err));
	assert_contains(err.text, "files: entry 2: not behind");
	strcpy(file.name, "cgroup.img");
	assert_int_equal(vol_ckmanifest_add_file(&m, &file, &err), -1);
	memset(file.name, 'x', sizeof(file.name));
	assert_int_equal(vol_ckmanifest_add_file(&m, &file, &err), -1);
	assert_int_equal(vol_ckmanifest_add_output(&m, &out, &err), -1);
	assert_int_equal(errno, EINVAL);
	m.cause = 17;
	assert_null(vol_ckmanifest_encode(&m, &len, &err));
	assert_int_equal(errno, EINVAL);
	vol_ckmanifest_clear(&m);
}

static void whose(void **state)
{
	static const struct {
		struct vol_ckidentity id;
		const char *part;
	} rows[] = {
		{{7, UINT32_MAX - 4, "lab", 1000, 1000, 2, 3}, NULL},
		{{7, UINT32_MAX - 4, "lab", 1000, 1000, 1, 9}, NULL},
		{{7, UINT32_MAX - 4, "lab", 1000, 1000, 2, 4},
		 "number 3 of run 2, older than number 4 of run 2"},
		{{7, UINT32_MAX - 4, "lab", 1000, 1000, 3, 1}, "older than"},
		{{8, UINT32_MAX - 4, "lab", 1000, 1000, 2, 3},
		 "the image is of step 7.4294967291, and this is 8."},
		{{7, 0, "lab", 1000, 1000, 2, 3}, "and this is 7.0"},
		{{7, UINT32_MAX - 4, "lob", 1000, 1000, 2, 3},
		 "the image is of cluster \"lab\", and this is \"lob\""},
		{{7, UINT32_MAX - 4, "lab", 1001, 1000, 2, 3}, "user 1000"},
		{{7, UINT32_MAX - 4, "lab", 1000, 1001, 2, 3}, "group 1000"},
	};
	struct vol_ckmanifest m, n;
	struct vol_error err;

	(void)state;
	fill(&m);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int rc = vol_ckmanifest_is_of(&m, &rows[i].id, &err);

		assert_int_equal(rc, rows[i].part ? -1 : 0);
		if (rows[i].part) {
			assert_int_equal(errno, EPERM);
			assert_contains(err.text, rows[i].part);
		}
	}
	n = m;
	assert_int_equal(vol_ckmanifest_compare(&m, &n), 0);
	n.sequence++;
	assert_true(vol_ckmanifest_compare(&m, &n) < 0);
	m.restarts++;
	assert_true(vol_ckmanifest_compare(&m, &n) > 0);
	vol_ckmanifest_clear(&m);
}

static void places(void **state)
{
	static const struct vol_ckplace bad[] = {
		{"usr", "m0", VOL_CKPLACE_EXTERNAL, 0},
		{"/usr/", "m0", VOL_CKPLACE_EXTERNAL, 0},
		{"//usr", "m0", VOL_CKPLACE_EXTERNAL, 0},
		{"/usr/./x", "m0", VOL_CKPLACE_EXTERNAL, 0},
		{"/usr/..", "m0", VOL_CKPLACE_EXTERNAL, 0},
		{"/u\nsr", "m0", VOL_CKPLACE_EXTERNAL, 0},
		{"", "m0", VOL_CKPLACE_EXTERNAL, 0},
		{"/usr", "", VOL_CKPLACE_EXTERNAL, 0},
		{"/usr", "a]", VOL_CKPLACE_EXTERNAL, 0},
		{"/usr", "m0", VOL_CKPLACE_TMPFS, 0},
		{"/usr", "m0", 4, 0},
		{"/usr", "m0", VOL_CKPLACE_EXTERNAL, 32},
	};
	struct vol_ckplaces want = {.n = 0}, have = {.n = 0};
	struct vol_ckplace p = {"/usr", "m0", VOL_CKPLACE_EXTERNAL, 6};
	struct vol_error err;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		errno = 0;
		assert_int_equal(vol_ckplaces_add(&want, &bad[i], &err), -1);
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(vol_ckplaces_add(&want, &p, NULL), 0);
	assert_int_equal(vol_ckplaces_add(&want, &p, NULL), 0);
	assert_int_equal(want.n, 1);
	assert_int_equal(vol_ckplaces_within(&want, &have, &err), -1);
	assert_string_equal(err.text, "this machine has no \"/usr\" inside");
	p.flags = 7; /* more is fine */
	assert_int_equal(vol_ckplaces_add(&have, &p, NULL), 0);
	assert_int_equal(vol_ckplaces_within(&want, &have, NULL), 0);
	assert_int_equal(vol_ckplaces_within(&have, &want, &err), -1);
	assert_contains(err.text, "mounted differently");
	assert_int_equal(vol_ckplaces_add(&want, &p, &err), -1);
	assert_int_equal(errno, EEXIST);
	strcpy(p.target, "/");
	assert_int_equal(vol_ckplaces_add(&have, &p, NULL), 0);
	strcpy(p.target, "/usr/lib");
	assert_int_equal(vol_ckplaces_add(&have, &p, NULL), 0);
	assert_string_equal(vol_ckplaces_of(&have, "/usr/lib/x/y")->target,
			    "/usr/lib");
	assert_string_equal(vol_ckplaces_of(&have, "/usr/lib")->target,
			    "/usr/lib");
	assert_string_equal(vol_ckplaces_of(&have, "/usr/lib64")->target,
			    "/usr");
	assert_string_equal(vol_ckplaces_of(&have, "/usrx")->target, "/");
	assert_string_equal(vol_ckplaces_of(&have, "/")->target, "/");
	assert_null(vol_ckplaces_of(&have, "/usr/../etc"));
	assert_null(vol_ckplaces_of(&want, "/etc"));
	vol_ckplaces_clear(&want);
	vol_ckplaces_clear(&have);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(members),
		cmocka_unit_test(texts),          cmocka_unit_test(cut),
		cmocka_unit_test(encode_refuses), cmocka_unit_test(whose),
		cmocka_unit_test(places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
