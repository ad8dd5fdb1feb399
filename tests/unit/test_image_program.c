/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_image_program.c - slurm-volunteer-image and volunteer checkpoints
 * themselves, against the controller
 */
#include "config.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "images_bed.h"

/* Its folder, key, configuration and whom it trusts. */
static struct device_key *make_device(struct bed *bed, const char *name)
{
	struct device_key *k = device_key(bed, name);
	struct vol_controller *role = bed->role;
	char path[PATH_MAX], text[VOL_FINGERPRINT_SIZE];
	FILE *f;

	snprintf(path, sizeof(path), "%s/device", bed->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/device.key");
	vol_tls_context_destroy(k->ctx);
	vol_keypair_destroy(k->pair);
	k->pair = vol_keypair_load(path, NULL);
	assert_non_null(k->pair);
	vol_fingerprint_id(vol_keypair_fingerprint(k->pair), k->id);
	k->ctx = vol_tls_context_create(k->pair, NULL);
	snprintf(path, sizeof(path), "%s/device/conf", bed->folder);
	f = fopen(path, "w");
	fprintf(f, "[device]\nstate_dir = %s/device\n", bed->folder);
	fclose(f);
	snprintf(path, sizeof(path), "%s/device/controller.key.json",
		 bed->folder);
	vol_fingerprint_text(vol_controller_key(role), text);
	f = fopen(path, "w");
	fprintf(f, "{\"cluster\": \"fake\", \"key\": \"%s\"}\n", text);
	fclose(f);
	snprintf(path, sizeof(path), "%s/device/controller.json", bed->folder);
	f = fopen(path, "w");
	fprintf(f,
		"{\"address\": \"127.0.0.1\", \"port\": %u, \"cluster\": "
		"\"fake\"}\n",
		bed->port);
	fclose(f);
	return k;
}

/* In the device's folder; what it says goes into the file "said". */
static pid_t start(struct bed *bed, const char *program, const char *option,
		   const char *args)
{
	char line[3 * PATH_MAX];
	pid_t pid;

	snprintf(line, sizeof(line), "cd %s/device && exec %s %s %s >said 2>&1",
		 bed->folder, program, option, args);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", line, NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

/* Its exit status; what it said goes into said. */
static int finish(struct bed *bed, pid_t pid, char said[2048])
{
	char path[PATH_MAX];
	int status = 0;
	FILE *f;

	run_until(bed, waitpid(pid, &status, WNOHANG) == pid);
	snprintf(path, sizeof(path), "%s/device/said", bed->folder);
	f = fopen(path, "r");
	said[fread(said, 1, 2047, f)] = '\0';
	fclose(f);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int run_program(struct bed *bed, const char *args, char said[2048])
{
	return finish(bed, start(bed, IMAGE_PROGRAM, "--conf=conf", args),
		      said);
}

static int checkpoints(struct bed *bed, const char *args, char said[2048])
{
	return finish(bed,
		      start(bed, VOLUNTEER, "checkpoints --socket=../sock",
			    args),
		      said);
}

static void write_image(struct bed *bed, size_t len)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/device/image", bed->folder);
	f = fopen(path, "w");
	for (size_t i = 0; i < len; i++)
		fputc((int)(i * 7 + i / 251), f);
	fclose(f);
}

static bool exists(struct bed *bed, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/device/%s", bed->folder, name);
	return access(path, F_OK) == 0;
}

/* What one that was killed has left, and nothing that somebody works in. */
static void it_tidies_up(void **state)
{
	static const char *const folders[] = {"images", "images/save.left",
					      "images/save.left/img",
					      "images/save.used",
					      "images/others"};
	struct bed *bed = *state;
	char path[PATH_MAX], said[2048];
	int fd;

	make_device(bed, ID_A);
	assert_int_equal(run_program(bed, "tidy", said), 0);
	for (size_t i = 0; i < N_ELEMENTS(folders); i++) {
		snprintf(path, sizeof(path), "%s/device/%s", bed->folder,
			 folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	snprintf(path, sizeof(path), "%s/device/images/save.left/img/pages-1",
		 bed->folder);
	assert_int_equal(close(creat(path, 0600)), 0);
	snprintf(path, sizeof(path), "%s/device/images/save.used", bed->folder);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
	assert_int_equal(run_program(bed, "tidy", said), 0);
	assert_string_equal(said, "");
	assert_false(exists(bed, "images/save.left"));
	assert_true(exists(bed, "images/save.used"));
	assert_true(exists(bed, "images/others"));
	close(fd);
	assert_int_equal(run_program(bed, "tidy", said), 0);
	assert_false(exists(bed, "images/save.used"));
	assert_int_equal(run_program(bed, "tidy more", said), 2);
}

static void it_puts_and_gets(void **state)
{
	static const char *const wrong[] = {
		"put --job=17 --restarts=0 --files image",
		"get --job=17 --files back",
		"save --job=17 --restarts=0 --signal=15 cgroup",
		"save --job=17 --restarts=0 --grace=1s cgroup",
		"save --job=17 --restarts=0 --files --signal=0 cgroup",
		"save --job=17 --restarts=0 --files --signal=32 cgroup",
		"save --job=17 --restarts=0 --files --grace=x cgroup",
		"save --job=17 --restarts=0 --files --places=x cgroup",
		"load --job=17 --uid=1 --gid=1 folder",
		"load --job=17 --uid=1 --gid=1 --files --places=x folder",
		"load --job=17 --uid=1 --gid=1 --files --signal=15 folder",
	};
	struct bed *bed = *state;
	struct client a;
	char said[2048];

	make_device(bed, ID_A);
	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	write_image(bed, LEN);
	assert_int_equal(
		run_program(bed, "put --job=17 --restarts=0 image", said), 0);
	assert_string_equal(said, "{\"number\": 1}\n");
	assert_int_equal(
		run_program(bed,
			    "put --job=17 --restarts=0 --bytes=300000 <image",
			    said),
		0);
	assert_string_equal(said, "{\"number\": 2}\n");
	/* None for this run. */
	assert_int_equal(run_program(bed, "get --job=17 back", said), 4);
	assert_contains(said, "there is no image of job 17");
	assert_false(exists(bed, "back"));
	assert_false(exists(bed, "back.part"));
	put_job(JOB, "desk", VOL_JOB_RUNNING, 1);
	assert_int_equal(run_program(bed, "get --job=17 --wait=10s back", said),
			 0);
	assert_contains(said, "{\"number\": 2, \"restarts\": 0, \"bytes\": "
			      "300000, \"sha256\": \"");
	assert_int_equal(run_program(bed,
				     "get --job=17 --before=2 - | cmp - image",
				     said),
			 0);
	assert_int_equal(run_program(bed, "--help", said), 2);
	assert_int_equal(run_program(bed, "put --job=17 image", said), 2);
	assert_int_equal(run_program(bed, "get --job=0 back", said), 2);
	assert_int_equal(run_program(bed, "get --job=17", said), 2);
	for (size_t i = 0; i < N_ELEMENTS(wrong); i++)
		assert_int_equal(run_program(bed, wrong[i], said), 2);
	assert_contains(said, "Usage:");
	hang_up(&a);
}

static void it_is_refused(void **state)
{
	struct bed *bed = *state;
	struct client a;
	char said[2048];

	make_device(bed, ID_A);
	join(bed, &a, ID_A, "desk", "desk");
	write_image(bed, 100);
	assert_int_equal(
		run_program(bed, "put --job=99 --restarts=0 --wait=10s image",
			    said),
		3);
	assert_contains(said, "refused (not_here)");
	assert_int_equal(
		run_program(bed, "put --job=99 --restarts=0 nothing", said), 1);
	assert_contains(said, "nothing: No such file");
	/* Nobody is there. */
	assert_int_equal(run_program(bed,
				     "--controller=127.0.0.1:1 --wait=1s put "
				     "--job=99 --restarts=0 image",
				     said),
			 1);
	assert_contains(said, "can not connect to 127.0.0.1");
	hang_up(&a);
}

/* Bytes of image 1 that are on the controller's disk; fills the pipe. */
static off_t feed(struct bed *bed, int fifo)
{
	static const char bytes[4096];
	struct stat st = {.st_size = 0};
	char path[PATH_MAX];

	(void)!write(fifo, bytes, sizeof(bytes)); /* it may be full */
	snprintf(path, sizeof(path), "%s/checkpoints/%u/1.part", bed->folder,
		 JOB);
	(void)stat(path, &st);
	return st.st_size;
}

/* A signal ends it while it waits for more of its input. */
static void it_is_told_to_stop(void **state)
{
	struct bed *bed = *state;
	char path[PATH_MAX];
	struct client a;
	int status = 0, fifo;
	pid_t pid;

	make_device(bed, ID_A);
	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	snprintf(path, sizeof(path), "%s/device/fifo", bed->folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	fifo = open(path, O_RDWR | O_NONBLOCK);
	assert_true(fifo >= 0);
	pid = start(bed, IMAGE_PROGRAM, "--conf=conf",
		    "put --job=17 --restarts=0 <>fifo");
	run_until(bed, feed(bed, fifo) > VOL_IMAGE_CHUNK);
	assert_int_equal(kill(pid, SIGTERM), 0);
	run_until(bed, waitpid(pid, &status, WNOHANG) == pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	run_until(bed, stored(bed, JOB) == 0);
	run_until(bed, strstr(bed->log, "broken off by the device: told to"));
	close(fifo);
	hang_up(&a);
}

/* A byte behind the head of an image on the disk changes. */
static void damage(struct bed *bed, const char *name)
{
	char path[PATH_MAX];
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "%s/checkpoints/%s", bed->folder, name);
	f = fopen(path, "r+");
	assert_non_null(f);
	fseek(f, 10000, SEEK_SET);
	c = fgetc(f);
	fseek(f, 10000, SEEK_SET);
	fputc(c ^ 1, f);
	fclose(f);
}

static void administrators_look_after_them(void **state)
{
	struct bed *bed = *state;
	struct client a;
	char said[2048];

	make_device(bed, ID_A);
	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 3);
	write_image(bed, LEN);
	assert_int_equal(checkpoints(bed, "", said), 0);
	assert_contains(said, "0 of 100G are used");
	for (int i = 0; i < 2; i++)
		assert_int_equal(run_program(bed,
					     "put --job=17 --restarts=3 image",
					     said),
				 0);
	assert_int_equal(checkpoints(bed, "list", said), 0);
	/* Columns are as wide as the name of user 1000. */
	assert_contains(said, "JOB  IMAGE  USER ");
	assert_contains(said, "17   2      ");
	assert_contains(said, "desk    292.9K");
	assert_contains(said, "whole");
	assert_int_equal(checkpoints(bed, "--json", said), 0);
	assert_contains(said, "\"restarts\": 3");
	assert_int_equal(checkpoints(bed, "verify", said), 0);
	assert_contains(said, "job 17 image 1: whole\njob 17 image 2: whole\n");
	damage(bed, "17/2.image");
	assert_int_equal(checkpoints(bed, "verify 17", said), 1);
	assert_contains(said, "job 17 image 2: damaged: image 2 of job 17: "
			      "chunk 0 was changed");
	assert_int_equal(checkpoints(bed, "verify 18", said), 1);
	assert_contains(said, "there is no image of job 18");
	/* The newest whole one of a job that runs stays, unless it is named. */
	assert_int_equal(checkpoints(bed, "prune", said), 0);
	assert_string_equal(said, "0 removed\n");
	assert_int_equal(checkpoints(bed, "prune --older=1h 17", said), 0);
	assert_string_equal(said, "0 removed\n");
	assert_int_equal(checkpoints(bed, "prune 17", said), 0);
	assert_string_equal(said, "2 removed\n");
	assert_int_equal(checkpoints(bed, "prune --older=x", said), 2);
	assert_int_equal(checkpoints(bed, "list --older=1h", said), 2);
	assert_int_equal(checkpoints(bed, "list 17", said), 2);
	assert_int_equal(checkpoints(bed, "verify all", said), 2);
	assert_int_equal(checkpoints(bed, "empty", said), 2);
	hang_up(&a);
}

int main(void)
{
#define TEST(_name) cmocka_unit_test_setup_teardown(_name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(it_tidies_up),
		TEST(it_puts_and_gets),
		TEST(it_is_refused),
		TEST(it_is_told_to_stop),
		TEST(administrators_look_after_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
