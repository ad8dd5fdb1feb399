/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_vbatch_script.c - generated scripts, as text and as they run
 *
 * The property: whatever shell runs it, a script given an index ends in the
 * user's script with exactly the values that vol_matrix_value has for that
 * point, and with exactly the user's bytes.
 */
#include "config.h"

#include "vtest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "matrix.h"
#include "wrappers/vbatch/plan.h"
#include "wrappers/vbatch/script.h"
#include "wrappers/vbatch/words.h"

static const struct vb_limits roomy = {1001, 1001, 10000, 4 << 20};

struct fixture {
	struct vol_matrix *m;
	struct vb_source source;
	struct vb_header header;
	struct vb_job job;
};

static void make(struct fixture *f, const char *const *specs, const char *text,
		 char **args, size_t args_count)
{
	struct vol_error err = {""};

	memset(f, 0, sizeof(*f));
	f->m = vol_matrix_create();
	for (; *specs; specs++) {
		if (vol_matrix_add(f->m, *specs, &err) < 0)
			fail_msg("%s", err.text);
	}
	assert_int_equal(vol_matrix_finish(f->m, NULL), 0);
	f->source.text = strdup(text);
	f->source.size = strlen(text);
	f->source.name = strdup("job \"x\".sh");
	f->source.interpreter = strdup("/bin/sh");
	assert_int_equal(vb_header_read(&f->header, text, strlen(text), NULL,
					NULL, &err),
			 0);
	f->job =
		(struct vb_job){f->m, &f->source, &f->header, args, args_count};
}

static void drop(struct fixture *f)
{
	vol_matrix_destroy(f->m);
	vb_source_free(&f->source);
	vb_header_free(&f->header);
}

static char *rendered(void (*write)(FILE *, const struct vol_matrix *,
				    const char *),
		      const char *text)
{
	struct vol_matrix *m = vol_matrix_create();
	char *out = NULL;
	size_t size;
	FILE *fp = open_memstream(&out, &size);

	assert_int_equal(vol_matrix_add(m, "n=1..3", NULL), 0);
	write(fp, m, text);
	fclose(fp);
	vol_matrix_destroy(m);
	return out;
}

static void test_args(void **state)
{
	static const char *const cases[][2] = {
		{"", "''"},
		{"a b", "'a b'"},
		{"it's", "'it'\\''s'"},
		{"{n}", "''\"$n\"''"},
		{"a{n}b{n}", "'a'\"$n\"'b'\"$n\"''"},
		{"{{n}", "'{n}'"},
		{"{{{n}", "'{'\"$n\"''"},
		{"{m} {} { {n", "'{m} {} { {n'"},
		{"${n}", "'${n}'"},
		{"x\r\ny", "'x\r''\ny'"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char *out = rendered(vb_words_arg, cases[i][0]);

		assert_string_equal(out, cases[i][1]);
		free(out);
	}
}

static void test_wrap(void **state)
{
	static const char *const cases[][2] = {
		{"a {n} b", "a \"${n}\" b"},
		{"\"a {n}\" {n}", "\"a ${n}\" \"${n}\""},
		{"'a {n}' {n}", "'a '\"${n}\"'' \"${n}\""},
		{"\\\"{n}", "\\\"\"${n}\""},
		{"\\{n}", "\\{n}"},
		{"'\\'{n}", "'\\'\"${n}\""},
		{"${n} {{n} {m}", "${n} {n} {m}"},
		{"\"$(cat \"{n}\")\"{n}", "\"$(cat \"${n}\")\"\"${n}\""},
		{"\"$(cat '{n}')\"", "\"$(cat ''\"${n}\"'')\""},
		{"\"`cat {n}`\" {n}", "\"`cat \"${n}\"`\" \"${n}\""},
		{"# it's {n}\n{n}", "# it's {n}\n\"${n}\""},
		{"a#'{n}'", "a#''\"${n}\"''"},
		{"\"({n}\"{n}", "\"(${n}\"\"${n}\""},
		{"(echo \"{n})\")", "(echo \"${n})\")"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char *out = rendered(vb_words_wrap, cases[i][0]);

		assert_string_equal(out, cases[i][1]);
		free(out);
	}
}

/* The lines that matter, word for word. */
static void test_text(void **state)
{
	static const char *const specs[] = {"size=256,it's", "seed=5..1:-2",
					    "x=0.5..1:0.5", NULL};
	static char *args[] = {"--seed={seed}", "a b"};
	static const char head[] = "#!/bin/sh\n"
				   "#SBATCH --job-name=\"job \\\"x\\\".sh\"\n"
				   "#SBATCH -t 5\n# vbatch";
	struct fixture f;
	size_t size;
	char *text;

	(void)state;
	make(&f, specs, "#!/bin/sh\n#SBATCH -t 5\necho\n#SBATCH -x", args, 2);
	assert_int_equal(vb_script_generate(&f.job, 6, 3, 1 << 20, &text, &size,
					    NULL),
			 0);
	assert_int_equal(strncmp(text, head, strlen(head)), 0);
	assert_contains(text, "\nVBATCH_POINT=$((${SLURM_ARRAY_TASK_ID:?} + 6"
			      "))\nVBATCH_POINTS=12\n"
			      "size='it'\\''s'\n"
			      "seed=$((5 + -2 * (VBATCH_POINT / 2 % 3)))\n"
			      "case $((VBATCH_POINT / 1 % 2)) in\n"
			      "0) x='0.5' ;;\n1) x='1.0' ;;\n");
	assert_contains(text, "\nset -- '--seed='\"$seed\"'' 'a b'\n");
	assert_string_equal(text + size - f.source.size, f.source.text);
	free(text);
	assert_int_equal(vb_script_generate(&f.job, 6, 3, size - 1, &text,
					    &size, NULL),
			 -1);
	assert_int_equal(errno, EFBIG);
	drop(&f);
}

/* --- running it ------------------------------------------------------------
 */

static void write_text(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	close(fd);
}

static char *run(const char *shell, const char *script, uint64_t index,
		 int *status)
{
	char command[4096], *out = calloc(1, 1 << 16);
	FILE *fp;
	size_t n;

	snprintf(command, sizeof(command),
		 "SLURM_ARRAY_TASK_ID=%" PRIu64 " exec %s %s 2>&1", index,
		 shell, script);
	fp = popen(command, "r");
	assert_non_null(fp);
	n = fread(out, 1, (1 << 16) - 1, fp);
	out[n] = '\0';
	*status = pclose(fp);
	return out;
}

/* What the user's script below prints for a point. */
static void expect(const struct vol_matrix *m, uint64_t point, char *out)
{
	out += sprintf(out, "%" PRIu64 "/%" PRIu64 "\n", point,
		       vol_matrix_count(m));
	for (size_t i = 0; i < vol_matrix_axes(m); i++) {
		char value[VOL_MATRIX_VALUE_SIZE];

		assert_int_equal(
			vol_matrix_value(m, i,
					 point / vol_matrix_stride(m, i) %
						 vol_matrix_length(m, i),
					 value, sizeof(value)),
			0);
		out += sprintf(out, "[%s][%s]\n", value, value);
	}
}

static const char *random_spec(char name, char *buf)
{
	static const char *const lists[] = {
		"plain,$HOME,`id`,$(id)",
		"it's,a\"b,a\\b,\\",
		"a b, c ,-n,*",
		"\303\244\201\210,\302\200,{a},${a}",
		"=,;,&,|,#",
	};
	int lo = rand() % 2000 - 1000, count = rand() % 9, step;

	step = (rand() % 7 + 1) * (rand() % 2 ? 1 : -1);
	switch (rand() % 3) {
	case 0:
		sprintf(buf, "%c=%s", name, lists[rand() % 5]);
		break;
	case 1:
		sprintf(buf, "%c=%d..%d:%d", name, lo, lo + count * step, step);
		break;
	default:
		sprintf(buf, "%c=%d.5..%d.5:%d.25", name, lo < 0 ? -lo : lo,
			(lo < 0 ? -lo : lo) + 3, rand() % 2 + 1);
	}
	return buf;
}

static void check_run(const char *shell, const char *folder, struct fixture *f,
		      uint64_t base, uint64_t span)
{
	char path[4096], expected[1 << 14];
	int status;
	uint64_t index = (uint64_t)rand() % span;
	size_t size;
	char *text, *out;

	assert_int_equal(vb_script_generate(&f->job, base, span, 1 << 20, &text,
					    &size, NULL),
			 0);
	snprintf(path, sizeof(path), "%s/job00001/slurm_script", folder);
	write_text(path, text, size);
	out = run(shell, path, index, &status);
	expect(f->m, base + index, expected);
	assert_string_equal(out, expected);
	assert_int_equal(WEXITSTATUS(status), 7);
	free(out);
	free(text);
}

static void test_property(void **state)
{
	static const char *const shells[] = {"dash", "bash", "bash --posix"};
	static char *args[] = {"[{a}]", "[{b}]", "[{c}]"};
	static const char user[] =
		"#!/bin/sh\n"
		"echo \"$VBATCH_POINT/$VBATCH_POINTS\"\n"
		"printf '[%s]%s\\n' \"$a\" \"$1\" \"$b\" \"$2\" \"$c\" \"$3\"\n"
		"exit 7";
	char folder[4096], text[3][256];

	snprintf(folder, sizeof(folder), "%s/job00001", (char *)*state);
	assert_int_equal(mkdir(folder, 0700), 0);
	srand(2026);
	for (int i = 0; i < 60; i++) {
		const char *specs[] = {random_spec('a', text[0]),
				       random_spec('b', text[1]),
				       random_spec('c', text[2]), NULL};
		struct fixture f;
		uint64_t base, room;

		make(&f, specs, user, args, 3);
		base = (uint64_t)rand() % vol_matrix_count(f.m);
		room = vol_matrix_count(f.m) - base;
		check_run(shells[i % 3], *state, &f, base,
			  (uint64_t)rand() % room + 1);
		drop(&f);
	}
}

/* Every byte but NUL, in the script and in an argument. */
static void test_bytes(void **state)
{
	static const char *const specs[] = {"n=1..2", NULL};
	static const char *const shells[] = {"dash", "bash"};
	char user[1024] = "#!/bin/sh\ncat \"$0\"; printf %s \"$1\"; exit\n";
	char bytes[256], folder[4096], path[4096], *args[] = {bytes};
	size_t n = strlen(user);

	for (int c = 1; c < 256; c++)
		bytes[c - 1] = (char)c;
	bytes[255] = '\0';
	strcpy(user + n, bytes);
	snprintf(folder, sizeof(folder), "%s/job00001", (char *)*state);
	assert_int_equal(mkdir(folder, 0700), 0);
	snprintf(path, sizeof(path), "%s/job00001/slurm_script",
		 (char *)*state);
	for (size_t i = 0; i < N_ELEMENTS(shells); i++) {
		char *text, *out, expected[2048];
		struct fixture f;
		size_t size;
		int status;

		make(&f, specs, user, args, 1);
		assert_int_equal(vb_script_generate(&f.job, 0, 2, 1 << 20,
						    &text, &size, NULL),
				 0);
		write_text(path, text, size);
		out = run(shells[i], path, 1, &status);
		/* In an argument {n} and {{ mean something: not in bytes. */
		snprintf(expected, sizeof(expected), "%s%s", user, bytes);
		assert_string_equal(out, expected);
		assert_int_equal(status, 0);
		free(out);
		free(text);
		drop(&f);
	}
}

/* Not slurmd's file, so it must survive; the job's script has no name. */
static void test_by_hand(void **state)
{
	static const char *const specs[] = {"n=1..2", NULL};
	static const char *const shells[] = {"dash", "bash"};
	char path[4096], line[8192];
	struct fixture f;
	size_t size;
	char *text;

	make(&f, specs, "#!/bin/sh\necho \"$n $0\"; exit 3\n", NULL, 0);
	assert_int_equal(vb_script_generate(&f.job, 0, 2, 1 << 20, &text, &size,
					    NULL),
			 0);
	snprintf(path, sizeof(path), "%s/saved", (char *)*state);
	write_text(path, text, size);
	setenv("TMPDIR", *state, 1);
	for (size_t i = 0; i < N_ELEMENTS(shells); i++) {
		int status;
		char *out = run(shells[i], path, 1, &status);
		FILE *fp = fopen(path, "r");

		assert_string_equal(out, "2 /dev/fd/9\n");
		assert_int_equal(WEXITSTATUS(status), 3);
		assert_int_equal(fread(line, 1, sizeof(line), fp), size);
		assert_memory_equal(line, text, size);
		assert_int_equal(vtest_count_entries(*state), 1);
		fclose(fp);
		free(out);
	}
	unsetenv("TMPDIR");
	free(text);
	drop(&f);
}

/* --- cutting it into arrays ------------------------------------------------
 */

static void test_plan(void **state)
{
	static const char *const specs[] = {"n=1..10", "s=a,b", NULL};
	static const struct {
		const char *exclude;
		struct vb_limits limits;
		uint64_t from, at_once;
		const char *plan; /* "base:indexes ..." */
	} cases[] = {
		{NULL, {1001, 1001, 99, 4 << 20}, 0, 0, "0:0-19 "},
		{NULL, {1001, 1001, 99, 4 << 20}, 0, 5, "0:0-19%5 "},
		{NULL, {8, 8, 99, 4 << 20}, 0, 0, "0:0-7 8:0-7 16:0-3 "},
		{NULL, {20, 8, 99, 4 << 20}, 3, 0, "3:0-7 11:0-7 19:0 "},
		{NULL, {1, 1, 99, 4 << 20}, 18, 0, "18:0 19:0 "},
		{NULL, {8, 8, 99, 4 << 20}, 20, 0, ""},
		{"s=a",
		 {8, 8, 99, 4 << 20},
		 0,
		 0,
		 "1:0,2,4,6 9:0,2,4,6 17:0,2 "},
		{"n=3", {1001, 1001, 99, 4 << 20}, 0, 0, "0:0-3,6-19 "},
		{"n=1", {1001, 6, 99, 4 << 20}, 0, 0, "2:0-5 8:0-5 14:0-5 "},
		{"n=10", {9, 9, 99, 4 << 20}, 0, 0, "0:0-8 9:0-8 "},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		uint64_t from = cases[i].from;
		struct vb_array array;
		char plan[3 * VB_INDEXES_SIZE] = "";
		char *end = plan;
		struct fixture f;

		make(&f, specs, "#!/bin/sh\n", NULL, 0);
		if (cases[i].exclude)
			assert_int_equal(
				vol_matrix_exclude(f.m, cases[i].exclude, NULL),
				0);
		while (vb_plan_next(&f.job, &cases[i].limits, from,
				    cases[i].at_once, &array, NULL) > 0) {
			end += sprintf(end, "%" PRIu64 ":%.40s ", array.base,
				       array.indexes);
			from = array.base + array.span;
			free(array.script);
		}
		assert_string_equal(plan, cases[i].plan);
		drop(&f);
	}
}

/* Index lists and scripts that would be too long give smaller arrays, and no
 * point is lost or doubled. */
static void test_plan_sizes(void **state)
{
	static const char *const specs[] = {"n=1..4000", "x=0.5..1.5:0.5",
					    "y=1.5..20.5", NULL};
	struct vb_limits tight = {100000, 100000, 200000, 2600};
	struct vb_limits wide = {100000, 100000, 200000, 4 << 20};
	uint64_t from = 0, tasks = 0, arrays = 0;
	struct vb_array array;
	struct fixture f;

	(void)state;
	make(&f, specs, "#!/bin/sh\n", NULL, 0);
	assert_int_equal(vol_matrix_exclude(f.m, "x=1.0,y=3.5", NULL), 0);
	while (vb_plan_next(&f.job, &wide, from, 7, &array, NULL) > 0) {
		assert_true(array.base >= from);
		assert_true(strlen(array.indexes) < VB_INDEXES_SIZE);
		assert_contains(array.indexes, "%7");
		tasks += array.tasks;
		arrays++;
		from = array.base + array.span;
		free(array.script);
	}
	assert_int_equal(tasks, 4000 * 60 - 4000);
	assert_true(arrays > 3 && arrays < 30);
	assert_int_equal(vb_plan_next(&f.job, &tight, 0, 0, &array, NULL), 1);
	assert_true(array.script_size <= tight.script_size);
	assert_true(array.tasks > 10 && array.tasks < 240000);
	free(array.script);
	tight.script_size = 100;
	assert_int_equal(vb_plan_next(&f.job, &tight, 0, 0, &array, NULL), -1);
	assert_int_equal(errno, EFBIG);
	drop(&f);
}

/* A million points cost no more than one array. */
static void test_plan_million(void **state)
{
	static const char *const specs[] = {"n=1..1000000", NULL};
	uint64_t from = 0, arrays = 0;
	struct vb_array array;
	struct fixture f;

	(void)state;
	make(&f, specs, "#!/bin/sh\n", NULL, 0);
	while (vb_plan_next(&f.job, &roomy, from, 0, &array, NULL) > 0) {
		from = array.base + array.span;
		arrays++;
		assert_true(array.script_size < 4096);
		free(array.script);
	}
	assert_int_equal(from, 1000000);
	assert_int_equal(arrays, 1000); /* of 1001 */
	drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_text),
		cmocka_unit_test_setup_teardown(test_property,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(test_bytes, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(test_by_hand,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_plan_sizes),
		cmocka_unit_test(test_plan_million),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
