/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_select_abi.c - what the built select_cons_tres.so shows and needs
 *
 * Loaded lazily and from a folder that also holds a stand-in for Slurm's own
 * plugin, as on a controller.  Skipped, aloud, when the plugin was not built.
 */
#include "config.h"

#include <dlfcn.h>
#include <stdbool.h>

#include "atomicfile.h"
#include "tests/unit/vtest.h"

#ifndef VOL_SELECT_SO

int main(void)
{
	fputs("SKIP: the select plugin is not built (./configure "
	      "--with-slurm-source=DIR)\n",
	      stderr);
	return 77; /* automake: skipped */
}

#else

typedef int job_test_f(void *, void *, uint32_t, uint32_t, uint32_t, uint16_t,
		       void *, void *, void *, void *);

static char folder[] = "/tmp/vol-select-abi.XXXXXX";
static char active[64], base[72];
static void *plugin;

static int copy(const char *from, const char *to)
{
	size_t len;
	char *data = vol_file_read(from, 16u << 20, &len, NULL);
	int rc = data ? vol_file_replace(to, data, len, 0644, 0, NULL) : -1;

	free(data);
	return rc;
}

static int load(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(active, sizeof(active), "%s/select_cons_tres.so", folder);
	snprintf(base, sizeof(base), "%s.base", active);
	if (copy(VOL_SELECT_SO, active) < 0 || copy(VOL_FAKE_BASE, base) < 0)
		return -1;
	plugin = dlopen(active, RTLD_LAZY);
	if (!plugin)
		fprintf(stderr, "%s\n", dlerror());
	return plugin ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	if (plugin)
		dlclose(plugin);
	unlink(active);
	unlink(base);
	return rmdir(folder);
}

/* Output of a binutils program on the plugin, in lines of at most 255. */
static size_t tool(const char *command, char lines[][256], size_t max)
{
	char full[PATH_MAX + 64];
	size_t n = 0;
	FILE *out;

	snprintf(full, sizeof(full), "LC_ALL=C %s '%s'", command,
		 VOL_SELECT_SO);
	out = popen(full, "r");
	assert_non_null(out);
	while (n < max && fgets(lines[n], sizeof(lines[n]), out))
		n++;
	assert_int_equal(pclose(out), 0);
	return n;
}

/* The names between "global:" and "local:" of the map, sorted as there. */
static size_t read_map(char names[][256], size_t max)
{
	FILE *map = fopen(VOL_SELECT_MAP, "r");
	bool global = false;
	char line[256];
	size_t n = 0;

	assert_non_null(map);
	while (fgets(line, sizeof(line), map)) {
		char *end = strchr(line, ';');

		if (strstr(line, "global:"))
			global = true;
		else if (strstr(line, "local:"))
			global = false;
		else if (global && end && n < max) {
			*end = '\0';
			strcpy(names[n++], line + strspn(line, " \t"));
		}
	}
	fclose(map);
	return n;
}

static void exports_are_those_of_the_map(void **state)
{
	char want[16][256], lines[64][256];
	size_t n_want = read_map(want, 16);
	size_t n = tool("nm -D --defined-only --format=posix", lines, 64);

	(void)state;
	assert_int_equal(n_want, 2);
	assert_int_equal(n, n_want);
	for (size_t i = 0; i < n; i++) {
		lines[i][strcspn(lines[i], " ")] = '\0';
		assert_string_equal(lines[i], want[i]);
	}
}

/* dlsym() looks into the libraries in the order in which they are needed. The
 * sanitizers put theirs in front. */
static void original_is_needed_first(void **state)
{
	char lines[64][256];
	size_t n = tool("readelf -d", lines, 64), needed = 0, base_at = 0;
	bool soname = false, runpath = false;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		if (strstr(lines[i], "(NEEDED)")) {
			needed++;
			if (strstr(lines[i], "[select_cons_tres.so.base]"))
				base_at = needed;
#ifndef VOL_SANITIZED
			else
				assert_contains(lines[i], "[libc.so.");
#endif
		} else if (strstr(lines[i], "(SONAME)")) {
			soname = true;
			assert_contains(lines[i], "[select_cons_tres.so]");
		} else if (strstr(lines[i], "(RUNPATH)")) {
			runpath = true;
			assert_contains(lines[i], "[$ORIGIN]");
		}
		assert_null(strstr(lines[i], "(RPATH)"));
	}
#ifdef VOL_SANITIZED
	assert_true(base_at > 0);
#else
	assert_int_equal(base_at, 1);
#endif
	assert_true(soname && runpath);
}

/* A symbol that another release of slurmctld lacks must not keep the plugin,
 * and so slurmctld, from loading. */
static void symbols_of_slurm_are_weak(void **state)
{
	char lines[128][256];
	size_t n = tool("nm -D --undefined-only --format=posix", lines, 128);

	(void)state;
	assert_true(n > 0);
#ifndef VOL_SANITIZED
	for (size_t i = 0; i < n; i++)
		if (!strstr(lines[i], "@GLIBC_"))
			assert_contains(lines[i], " w ");
#endif
}

static void the_rest_is_inherited(void **state)
{
	const char *type = dlsym(plugin, "plugin_type");
	const uint32_t *version = dlsym(plugin, "vol_select_slurm_version");

	(void)state;
	assert_non_null(type);
	assert_string_equal(type, "select/cons_tres");
	assert_non_null(dlsym(plugin, "plugin_version"));
	assert_non_null(version);
	assert_true(*version >= 0x160500); /* 22.05, the first we support */
	assert_null(dlsym(plugin, "vol_score_node"));
}

/* The stand-in says version 0, so this is the call in a foreign slurmctld. */
static void foreign_call_is_forwarded(void **state)
{
	job_test_f *job_test = (job_test_f *)dlsym(plugin, "select_p_job_test");
	job_test_f *original;
	void *handle = dlopen(base, RTLD_LAZY | RTLD_NOLOAD);
	char memory[8];

	(void)state;
	assert_non_null(handle);
	original = (job_test_f *)dlsym(handle, "select_p_job_test");
	assert_non_null(job_test);
	assert_ptr_not_equal(job_test, original);
	assert_int_equal(job_test(memory, memory + 1, 1, 2, 3, 4, memory + 2,
				  memory + 3, memory + 4, memory + 5),
			 original(memory, memory + 1, 1, 2, 3, 4, memory + 2,
				  memory + 3, memory + 4, memory + 5));
	dlclose(handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exports_are_those_of_the_map),
		cmocka_unit_test(original_is_needed_first),
		cmocka_unit_test(symbols_of_slurm_are_weak),
		cmocka_unit_test(the_rest_is_inherited),
		cmocka_unit_test(foreign_call_is_forwarded),
	};

	return cmocka_run_group_tests(tests, load, unload);
}

#endif
