/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_spank_abi.c - what the built spank_volunteer.so shows and needs
 *
 * Loads the shared object as slurmstepd would, with the SPANK functions of
 * tests/unit/fake_spank.c in the program's place of Slurm's.
 */
#include "config.h"

#include <dlfcn.h>

#include <slurm/spank.h>

#include "tests/unit/fake_spank.h"
#include "tests/unit/vtest.h"

static void *plugin;

static int load(void **state)
{
	(void)state;
	plugin = dlopen(VOL_SPANK_SO, RTLD_NOW | RTLD_LOCAL);
	if (!plugin)
		fprintf(stderr, "%s\n", dlerror());
	return plugin ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	return dlclose(plugin);
}

/* Output of a binutils program on the plugin, in lines of at most 255. */
static size_t tool(const char *command, char lines[][256], size_t max)
{
	char full[PATH_MAX + 64];
	size_t n = 0;
	FILE *out;

	snprintf(full, sizeof(full), "LC_ALL=C %s '%s'", command, VOL_SPANK_SO);
	out = popen(full, "r");
	assert_non_null(out);
	while (n < max && fgets(lines[n], sizeof(lines[n]), out))
		n++;
	assert_int_equal(pclose(out), 0);
	return n;
}

static void loader_symbols_are_right(void **state)
{
	const unsigned int *version = dlsym(plugin, "plugin_version");

	(void)state;
	assert_string_equal(dlsym(plugin, "plugin_type"), "spank");
	assert_string_equal(dlsym(plugin, "plugin_name"), "volunteer");
	assert_non_null(version);
	assert_int_equal(*version, SLURM_VERSION_NUMBER);
}

static void exports_are_those_of_the_map(void **state)
{
	/* In nm's order. A new hook belongs here and in the man page. */
	static const char *const want[] = {
		"plugin_name",
		"plugin_type",
		"plugin_version",
		"slurm_spank_exit",
		"slurm_spank_init",
		"slurm_spank_init_post_opt",
		"slurm_spank_slurmd_exit",
		"slurm_spank_task_exit",
		"slurm_spank_task_init",
		"slurm_spank_task_init_privileged",
		"slurm_spank_task_post_fork",
		"spank_plugin_version",
	};
	char lines[64][256];
	size_t n = tool("nm -D --defined-only --format=posix", lines, 64);

	(void)state;
	assert_int_equal(n, N_ELEMENTS(want));
	for (size_t i = 0; i < n; i++) {
		lines[i][strcspn(lines[i], " ")] = '\0';
		assert_string_equal(lines[i], want[i]);
	}
}

/* Whatever else came along would be loaded into every job's slurmstepd. */
static void little_is_needed_beside_libc(void **state)
{
	char lines[64][256];
	size_t n = tool("readelf -d", lines, 64), needed = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		if (!strstr(lines[i], "(NEEDED)"))
			continue;
		needed++;
#ifndef VOL_SANITIZED
		if (!strstr(lines[i], "[libseccomp.so."))
			assert_contains(lines[i], "[libc.so.");
#endif
	}
	assert_true(needed > 0);
}

static void hooks_run_through_the_loader(void **state)
{
	static const enum spank_context contexts[] = {
		S_CTX_ERROR,
		S_CTX_LOCAL,
		S_CTX_ALLOCATOR,
		S_CTX_JOB_SCRIPT,
	};
	spank_f *init = (spank_f *)dlsym(plugin, "slurm_spank_init");

	(void)state;
	assert_non_null(init);
	for (size_t i = 0; i < N_ELEMENTS(contexts); i++) {
		fake_spank_reset(contexts[i]);
		assert_int_equal(init(fake_spank_handle(), 0, NULL), 0);
		assert_int_equal(fake_spank.errors, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loader_symbols_are_right),
		cmocka_unit_test(exports_are_those_of_the_map),
		cmocka_unit_test(little_is_needed_beside_libc),
		cmocka_unit_test(hooks_run_through_the_loader),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
