/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_stepfile.c - any text as a step file and as /proc/self/cgroup
 *
 * What is accepted is written and read again; a path that comes out never
 * leaves the cgroup root.
 */
#include "config.h"

#include "fuzz.h"
#include "stepfile.h"

static void check_path(const char *path)
{
	fuzz_assert(path[0] == '/' && path[1]);
	fuzz_assert(strlen(path) < VOL_CGROUP_SIZE);
	fuzz_assert(!strstr(path, "/../") && !strstr(path, "//"));
	fuzz_assert(path[strlen(path) - 1] != '/');
	fuzz_assert(strlen(path) < 3 ||
		    strcmp(path + strlen(path) - 3, "/..") != 0);
	for (const char *p = path; *p; p++)
		fuzz_assert((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void check_step(const struct vol_step *step)
{
	char text[VOL_STEPFILE_MAX];
	struct vol_step again;
	int len = vol_step_format(step, text, sizeof(text));

	check_path(step->cgroup);
	fuzz_assert(len > 0);
	fuzz_assert(vol_step_parse("1.0", text, (size_t)len, &again, NULL) ==
		    0);
	fuzz_assert(again.job == step->job && again.step == step->step);
	fuzz_assert(again.uid == step->uid && again.stepd == step->stepd);
	fuzz_assert(strcmp(again.cgroup, step->cgroup) == 0);
	fuzz_assert(again.tasks == step->tasks && again.born == step->born);
	fuzz_assert(strcmp(again.account, step->account) == 0);
	fuzz_assert(again.save == step->save &&
		    again.every_s == step->every_s &&
		    again.restarts == step->restarts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_error err = {""};
	char *text = fuzz_string(data, size);
	char path[VOL_CGROUP_SIZE];
	struct vol_step step;

	if (vol_step_parse("1.0", (const char *)data, size, &step, &err) == 0)
		check_step(&step);
	else
		fuzz_assert(strncmp(err.text, "1.0:", 4) == 0);
	if (vol_step_cgroup(text, path, sizeof(path), NULL) == 0)
		check_path(path);
	free(text);
	return 0;
}
