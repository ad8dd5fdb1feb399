/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_bed.c - discoveryd's side of the tests of the select plugin */
#include "config.h"

#include "table_bed.h"

#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "imagetable.h"
#include "tests/unit/vtest.h"

extern const char *vol_select_folder;
extern void (*ctld_cleanup)(void);

static char folder[] = "/tmp/vol-select.XXXXXX";
static char path[64];
static struct vol_nodetable *table;
static pid_t owner;

static uint64_t clock_ms(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &now), 0);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void clean_up(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	if (getpid() == owner && system(command) != 0)
		perror(folder);
}

const char *table_path(void)
{
	return path;
}

void table_folder(void)
{
	if (owner)
		return;
	assert_non_null(mkdtemp(folder));
	owner = getpid();
	ctld_cleanup = clean_up;
	snprintf(path, sizeof(path), "%s/%s", folder, VOL_NODETABLE_FILE);
	vol_select_folder = folder;
}

void table_start(void)
{
	struct vol_error err;

	table_folder();
	table = vol_nodetable_create(path, 0, &err);
	assert_non_null(table);
	vol_nodetable_beat(table, clock_ms());
}

static void id_of(const char *name, char id[VOL_DEVICE_ID_SIZE])
{
	snprintf(id, VOL_DEVICE_ID_SIZE, "%s%.*s", name,
		 (int)(32 - strlen(name)), "00000000000000000000000000000000");
}

uint32_t table_max_risk = VOL_OUTLOOK_ONE;
uint32_t table_machine;

void table_put(const char *name, enum vol_nodetable_state state,
	       unsigned int minutes)
{
	struct vol_nodetable_node node = {
		.state = state,
		.heard_s = clock_ms() / 1000,
		.quiet_s = 600,
		.speed = 1000,
		.max_risk = table_max_risk,
		.machine = table_machine,
	};

	snprintf(node.name, sizeof(node.name), "%s", name);
	id_of(name, node.id);
	for (unsigned int i = 0; i < VOL_OUTLOOK_POINTS; i++) {
		double t = vol_outlook_seconds(i), sure = minutes * 60.0;

		node.outlook.survive[i] =
			(uint16_t)(VOL_OUTLOOK_ONE * (t <= sure ? 1
						      : t >= 2 * sure
							      ? 0
							      : 2 - t / sure));
	}
	assert_int_equal(vol_nodetable_put(table, &node, NULL), 0);
	vol_nodetable_beat(table, clock_ms());
}

void table_remove(const char *name)
{
	char id[VOL_DEVICE_ID_SIZE];

	id_of(name, id);
	vol_nodetable_remove(table, id);
}

void table_storm(void)
{
	static const char *const names[] = {"n0", "n1", "n2", "n3", "n4", "n5"};
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int i = 0;; i++)
		table_put(names[i % 6],
			  i % 6 == 1 ? VOL_NODETABLE_PARKED
				     : VOL_NODETABLE_OPEN,
			  60 + i % 7);
}

void table_images(uint32_t job, uint32_t kind)
{
	static uint32_t edition;
	struct vol_imagetable_need need = {{UINT64_C(1) << kind}};
	struct vol_imagetable_job jobs = {job, 0};
	struct vol_imagetable t = {++edition, kind ? 1 : 0, 1, &jobs, &need};
	char images[96];
	size_t len;
	void *buf = vol_imagetable_encode(&t, &len);
	FILE *f;

	snprintf(images, sizeof(images), "%s/" VOL_IMAGETABLE_FILE, folder);
	f = fopen(images, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(buf, 1, len, f), len);
	fclose(f);
	free(buf);
	vol_nodetable_set_images(table, t.n_jobs ? t.edition : 0);
}
