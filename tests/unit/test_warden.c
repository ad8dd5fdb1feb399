/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_warden.c - the walls are written down, tried, and heard of
 *
 * The trial is a script that says what the test wants.
 */
#include "config.h"

#include "device/trial.h"
#include "device/warden.h"

#include <errno.h>
#include <signal.h>

#include "sensor_bed.h"
#include "wallsfail.h"

static const struct vol_sandbox_conf up = {
	.on = true,
	.tmp_bytes = 1 << 30,
	.tasks = 4096,
	.open_files = 65536,
	.network_rate = 4 << 20,
	.work = (char *)"/campaign",
};

static struct {
	const char *folder;
	char trial[PATH_MAX], walls[PATH_MAX], failed[PATH_MAX];
	char mounter[PATH_MAX];
	sd_event *loop;
	struct vol_warden *warden;
	unsigned changes;
} bed;

static void changed(void *arg)
{
	assert_ptr_equal(arg, &bed);
	bed.changes++;
}

/* The trial prints text and ends with that status; first it adds a line to
 * "tried". */
static void trial_says(const char *text, int status)
{
	char script[2 * PATH_MAX + 1024];

	snprintf(script, sizeof(script),
		 "#!/bin/sh\n"
		 "[ \"$1\" = %s ] && [ -r \"$1\" ] || exit 77\n"
		 "echo >>%s/tried\n"
		 "printf %%s '%s'\n"
		 "exit %d\n",
		 bed.walls, bed.folder, text, status);
	bed_put(bed.folder, "trial", script);
	assert_int_equal(chmod(bed.trial, 0755), 0);
}

static size_t times_tried(void)
{
	char path[PATH_MAX + 8];
	struct stat st;

	snprintf(path, sizeof(path), "%s/tried", bed.folder);
	return stat(path, &st) < 0 ? 0 : (size_t)st.st_size;
}

static void begin(void **state)
{
	memset(&bed, 0, sizeof(bed));
	bed.folder = *state;
	snprintf(bed.trial, sizeof(bed.trial), "%s/trial", bed.folder);
	snprintf(bed.mounter, sizeof(bed.mounter), "%s/mounter", bed.folder);
	snprintf(bed.walls, sizeof(bed.walls), "%s/run/walls", bed.folder);
	snprintf(bed.failed, sizeof(bed.failed), "%s/run/walls-failed",
		 bed.folder);
	assert_int_equal(sd_event_new(&bed.loop), 0);
}

static void start(void)
{
	char run[PATH_MAX];
	struct vol_error err = {""};

	snprintf(run, sizeof(run), "%s/run", bed.folder);
	bed.warden = vol_warden_create(bed.loop, run, bed.trial, bed.mounter,
				       changed, &bed, &err);
	if (!bed.warden)
		fail_msg("%s", err.text);
}

static void end(void)
{
	vol_warden_destroy(bed.warden);
	sd_event_unref(bed.loop);
}

static const char *trouble(void)
{
	const char *text = vol_warden_trouble(bed.warden);

	return text ? text : "";
}

static const char *stand(void)
{
	static char text[32];
	json_t *json = vol_warden_json(bed.warden);

	assert_non_null(json);
	snprintf(text, sizeof(text), "%s",
		 json_string_value(json_object_get(json, "stand")));
	json_decref(json);
	return text;
}

static void step_fails(const char *reason)
{
	char text[VOL_WALLSFAIL_MAX];
	struct vol_wallsfail fail;

	vol_wallsfail_set(&fail, 7, reason);
	assert_true(vol_wallsfail_format(&fail, text, sizeof(text)) > 0);
	bed_put(bed.folder, "run/walls-failed", text);
}

static void written(void **state)
{
	struct vol_walls *walls = calloc(1, sizeof(*walls));
	struct vol_sandbox_conf conf = up;
	struct stat st;
	size_t len;
	char *text;

	begin(state);
	start();
	assert_non_null(walls);
	vol_warden_apply(bed.warden, &conf, NULL);
	assert_int_equal(stat(bed.walls, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	text = vol_file_read(bed.walls, VOL_WALLS_FILE_MAX, &len, NULL);
	assert_non_null(text);
	assert_int_equal(vol_walls_parse("w", text, len, walls, NULL), 0);
	assert_true(walls->up);
	assert_true(vol_walls_hold(&walls->work, "/campaign/alice"));
	free(text);
	/* Another setting replaces it. */
	conf.work = (char *)"/srv/jobs";
	vol_warden_apply(bed.warden, &conf, NULL);
	text = vol_file_read(bed.walls, VOL_WALLS_FILE_MAX, &len, NULL);
	assert_int_equal(vol_walls_parse("w", text, len, walls, NULL), 0);
	assert_false(vol_walls_hold(&walls->work, "/campaign"));
	free(text);
	free(walls);
	end();
}

/* A file that can not be replaced is gone: slurmstepd starts nothing then. */
static void not_written(void **state)
{
	struct vol_sandbox_conf conf = up;

	begin(state);
	trial_says("", 0);
	start();
	vol_warden_apply(bed.warden, &conf, NULL);
	UNTIL(bed.loop, !strcmp(stand(), "all"));
	assert_string_equal(trouble(), "");
	conf.work = (char *)"/home";
	vol_warden_apply(bed.warden, &conf, NULL);
	assert_contains(trouble(), "work: /home: people keep");
	assert_int_equal(access(bed.walls, F_OK), -1);
	/* Off does not help: the step would not know that it is. */
	conf.on = false;
	vol_warden_apply(bed.warden, &conf, NULL);
	assert_contains(trouble(), "work: /home");
	vol_warden_apply(bed.warden, &up, NULL);
	UNTIL(bed.loop, !*trouble());
	assert_int_equal(access(bed.walls, F_OK), 0);
	end();
}

static void tried(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *stand, *trouble;
	} rows[] = {
		{"", 0, "all", ""},
		{"kernel 5.10\n", 1, "without ids", ""},
		{"mount: Operation not permitted\nmore\n", 2, "no",
		 "mount: Operation not permitted"},
		{"a\tb\033c\n", 2, "no", "a?b?c"},
		/* A program that is not ours, or damaged. */
		{"", 1, "no", "the trial ended with status 1"},
		{"", 2, "no", "the trial ended with status 2"},
		{"all is well\n", 3, "no", "the trial ended with status 3"},
		{"all is well\n", 127, "no", "the trial ended with status 127"},
	};

	begin(state);
	trial_says("", 0);
	start();
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		unsigned changes = bed.changes;

		trial_says(rows[i].text, rows[i].status);
		vol_warden_apply(bed.warden, &up, NULL);
		if (i == 0)
			assert_string_equal(trouble(), "being tried");
		UNTIL(bed.loop, bed.changes > changes);
		assert_string_equal(stand(), rows[i].stand);
		assert_string_equal(trouble(), rows[i].trouble);
	}
	/* It can not even be run. */
	bed_put(bed.folder, "trial", "#!/nonexistent\n");
	assert_int_equal(chmod(bed.trial, 0755), 0);
	vol_warden_apply(bed.warden, &up, NULL);
	assert_contains(trouble(), "can not run");
	bed_remove(bed.folder, "trial");
	vol_warden_apply(bed.warden, &up, NULL);
	assert_contains(trouble(), "can not run");
	assert_string_equal(stand(), "no");
	end();
}

static void ended_by_signal(void **state)
{
	begin(state);
	bed_put(bed.folder, "trial", "#!/bin/sh\nkill -9 $$\n");
	assert_int_equal(chmod(bed.trial, 0755), 0);
	start();
	vol_warden_apply(bed.warden, &up, NULL);
	UNTIL(bed.loop, strcmp(stand(), "untried") != 0);
	assert_string_equal(trouble(), "the trial ended with signal 9");
	end();
}

static bool is_file(const char *path, char **text)
{
	free(*text);
	*text = vol_file_read(path, 64, NULL, NULL);
	return *text && strchr(*text, '\n');
}

/* Does it run?  Who reaps orphans here may take their time. */
static bool runs(pid_t pid)
{
	char path[64], *text;
	bool alive;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	text = vol_file_read(path, 4096, NULL, NULL);
	alive = text && *text;
	free(text);
	return alive;
}

/* One that hangs is ended with all that it began, when another is wanted and
 * when we end. */
static void hangs(void **state)
{
	char path[PATH_MAX + 8];
	char *text = NULL;
	pid_t child;

	begin(state);
	bed_put(bed.folder, "trial",
		"#!/bin/sh\nsleep 1000 &\necho $! >${0}.pid\nwait\n");
	assert_int_equal(chmod(bed.trial, 0755), 0);
	snprintf(path, sizeof(path), "%s.pid", bed.trial);
	start();
	vol_warden_apply(bed.warden, &up, NULL);
	UNTIL(bed.loop, is_file(path, &text));
	child = (pid_t)atol(text);
	free(text);
	assert_true(child > 1);
	UNTIL(bed.loop, runs(child));
	trial_says("", 0);
	vol_warden_apply(bed.warden, &up, NULL);
	UNTIL(bed.loop, !strcmp(stand(), "all"));
	UNTIL(bed.loop, !runs(child));
	end();
}

static void step_failed(void **state)
{
	begin(state);
	trial_says("", 0);
	start();
	vol_warden_apply(bed.warden, &up, NULL);
	UNTIL(bed.loop, !strcmp(stand(), "all"));
	step_fails("no space left");
	UNTIL(bed.loop, *trouble());
	assert_string_equal(trouble(), "no space left");
	/* Nothing is tried at once: the job would be back at once. */
	bed_settle(bed.loop);
	assert_string_equal(trouble(), "no space left");
	assert_int_equal(times_tried(), 1);
	/* root removes it. */
	bed_remove(bed.folder, "run/walls-failed");
	UNTIL(bed.loop, !*trouble());
	/* Or a reload, when the trial passes. */
	step_fails("no memory");
	UNTIL(bed.loop, *trouble());
	trial_says("still no memory\n", 2);
	vol_warden_apply(bed.warden, &up, NULL);
	UNTIL(bed.loop, times_tried() == 2 && !strcmp(stand(), "no"));
	assert_string_equal(trouble(), "no memory");
	trial_says("no ids\n", 1);
	vol_warden_apply(bed.warden, &up, NULL);
	UNTIL(bed.loop, !*trouble());
	assert_int_equal(access(bed.failed, F_OK), -1);
	assert_string_equal(stand(), "without ids");
	/* What can not be read says that something is wrong. */
	bed_put(bed.folder, "run/walls-failed", "version=1\n");
	UNTIL(bed.loop, *trouble());
	assert_contains(trouble(), "walls-failed: job: missing");
	end();
}

/* A failure outlives discoveryd, and one that comes while the walls are being
 * tried is not forgiven by that trial. */
static void step_failed_before(void **state)
{
	begin(state);
	step_fails("no space left");
	bed_put(bed.folder, "trial",
		"#!/bin/sh\nuntil [ -e ${0}.go ]; do sleep 0.01; done\n");
	assert_int_equal(chmod(bed.trial, 0755), 0);
	start();
	vol_warden_apply(bed.warden, &up, NULL);
	assert_string_equal(trouble(), "no space left");
	step_fails("no memory");
	UNTIL(bed.loop, !strcmp(trouble(), "no memory"));
	bed_put(bed.folder, "trial.go", "");
	UNTIL(bed.loop, !strcmp(stand(), "all"));
	assert_string_equal(trouble(), "no memory");
	end();
}

static void off(void **state)
{
	struct vol_sandbox_conf conf = up;

	begin(state);
	trial_says("broken\n", 2);
	start();
	vol_warden_apply(bed.warden, &conf, NULL);
	UNTIL(bed.loop, !strcmp(trouble(), "broken"));
	step_fails("broken, too");
	UNTIL(bed.loop, !strcmp(trouble(), "broken, too"));
	conf.on = false;
	vol_warden_apply(bed.warden, &conf, NULL);
	assert_string_equal(trouble(), "");
	assert_string_equal(stand(), "untried");
	assert_int_equal(access(bed.failed, F_OK), -1);
	assert_int_equal(times_tried(), 1);
	end();
}

/* ---- an image file ---- */

/* Nothing is mounted under these names. */
#define DIGEST \
	"000000000000000000000000000000000000000000000000000000000000000d"
#define OTHER "000000000000000000000000000000000000000000000000000000000000000e"

/* What mounts it waits for the file "go", then prints text and ends with that
 * status. */
static void mounter_says(const char *file, const char *text, int status)
{
	char script[2 * PATH_MAX + 1024];

	snprintf(script, sizeof(script),
		 "#!/bin/sh\n"
		 "[ \"$1\" = %s ] || exit 77\n"
		 "until [ -e %s/go ]; do sleep 0.01; done\n"
		 "printf %%s '%s'\n"
		 "exit %d\n",
		 file, bed.folder, text, status);
	bed_put(bed.folder, "mounter", script);
	assert_int_equal(chmod(bed.mounter, 0755), 0);
}

/* By the walls that are in force; "": none. */
static const char *image(void)
{
	static struct vol_walls walls;
	size_t len = 0;
	char *text = vol_file_read(bed.walls, VOL_WALLS_FILE_MAX, &len, NULL);

	if (!text)
		return "none";
	assert_int_equal(vol_walls_parse("w", text, len, &walls, NULL), 0);
	free(text);
	return walls.image;
}

static void mounted(void **state)
{
	struct vol_sandbox_conf conf = up;
	char view[VOL_WALLS_VIEW_SIZE];
	json_t *json;

	begin(state);
	trial_says("", 0);
	mounter_says("/srv/" DIGEST ".erofs", "", 0);
	start();
	assert_string_equal(vol_warden_runtime(bed.warden), "");
	vol_warden_apply(bed.warden, &conf, NULL);
	UNTIL(bed.loop, !*trouble());
	strcpy(view, vol_warden_view(bed.warden));
	/* Until it is there jobs that run keep the walls that they had. */
	conf.image = (char *)"/srv/" DIGEST ".erofs";
	vol_warden_apply(bed.warden, &conf, NULL);
	assert_string_equal(trouble(), "image 000000000000 is being read");
	assert_true(vol_warden_settles(bed.warden));
	bed_settle(bed.loop);
	assert_string_equal(image(), "");
	assert_string_equal(vol_warden_view(bed.warden), view);
	assert_string_equal(vol_warden_runtime(bed.warden), "");
	assert_int_equal(times_tried(), 1);
	bed_put(bed.folder, "go", "");
	UNTIL(bed.loop, !vol_warden_settles(bed.warden));
	assert_string_equal(image(), VOL_RUN_DIR "/runtime/" DIGEST);
	assert_string_not_equal(vol_warden_view(bed.warden), view);
	assert_string_equal(vol_warden_runtime(bed.warden), DIGEST);
	/* And the walls with it are tried. */
	UNTIL(bed.loop, times_tried() == 2 && !*trouble());
	json = vol_warden_json(bed.warden);
	assert_string_equal(json_string_value(json_object_get(json, "runtime")),
			    DIGEST);
	json_decref(json);
	/* Without walls there is no system but the machine's. */
	conf.on = false;
	mounter_says("nothing", "", 2);
	vol_warden_apply(bed.warden, &conf, NULL);
	assert_false(vol_warden_settles(bed.warden));
	assert_string_equal(trouble(), "");
	assert_string_equal(vol_warden_runtime(bed.warden), "");
	end();
}

/* What is not mounted is no system, nor is the machine's own one in its place.
 */
static void not_mounted(void **state)
{
	struct vol_sandbox_conf conf = up;

	begin(state);
	trial_says("", 0);
	start();
	conf.image = (char *)"/srv/" DIGEST ".squashfs";
	mounter_says(conf.image, "it is another\nmore\n", 2);
	bed_put(bed.folder, "go", "");
	vol_warden_apply(bed.warden, &up, NULL);
	UNTIL(bed.loop, !*trouble());
	vol_warden_apply(bed.warden, &conf, NULL);
	UNTIL(bed.loop, !vol_warden_settles(bed.warden));
	assert_string_equal(trouble(), "image it is another");
	assert_string_equal(image(), "none");
	bed_settle(bed.loop);
	assert_int_equal(times_tried(), 1);
	/* A program that can not be run. */
	bed_remove(bed.folder, "mounter");
	vol_warden_apply(bed.warden, &conf, NULL);
	assert_contains(trouble(), "can not run");
	assert_false(vol_warden_settles(bed.warden));
	assert_string_equal(image(), "none");
	/* A name that is none. */
	conf.image = (char *)"/srv/my.squashfs";
	vol_warden_apply(bed.warden, &conf, NULL);
	assert_contains(trouble(), "image: \"my.squashfs\": an image file is "
				   "named by its SHA-256");
	vol_warden_apply(bed.warden, &up, NULL);
	UNTIL(bed.loop, !*trouble());
	assert_string_equal(image(), "");
	end();
}

/* The last word counts, whatever is still being done for an earlier one. */
static void another_is_wanted(void **state)
{
	struct vol_sandbox_conf conf = up;

	begin(state);
	trial_says("", 0);
	start();
	conf.image = (char *)"/srv/" DIGEST ".squashfs";
	mounter_says(conf.image, "", 0);
	vol_warden_apply(bed.warden, &conf, NULL);
	bed_settle(bed.loop);
	assert_string_equal(image(), "none");
	conf.image = (char *)"/srv/" OTHER ".erofs";
	mounter_says(conf.image, "", 0);
	vol_warden_apply(bed.warden, &conf, NULL);
	bed_put(bed.folder, "go", "");
	UNTIL(bed.loop, !*trouble());
	assert_string_equal(vol_warden_runtime(bed.warden), OTHER);
	assert_string_equal(image(), VOL_RUN_DIR "/runtime/" OTHER);
	vol_warden_apply(bed.warden, &up, NULL);
	assert_string_equal(vol_warden_runtime(bed.warden), "");
	UNTIL(bed.loop, !*trouble());
	end();
}

int main(void)
{
#define WITH_FOLDER(test)                                         \
	cmocka_unit_test_setup_teardown(test, vtest_folder_setup, \
					vtest_folder_teardown)
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(written),
		WITH_FOLDER(not_written),
		WITH_FOLDER(tried),
		WITH_FOLDER(ended_by_signal),
		WITH_FOLDER(hangs),
		WITH_FOLDER(step_failed),
		WITH_FOLDER(step_failed_before),
		WITH_FOLDER(off),
		WITH_FOLDER(mounted),
		WITH_FOLDER(not_mounted),
		WITH_FOLDER(another_is_wanted),
	};

	vol_warden_destroy(NULL);
	vol_trial_end(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
