/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup_bed.c - step folders for the freezer's tests, plain files or real ones
 */
#include "config.h"

#include "vtest.h"

#include "cgroup_bed.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "atomicfile.h"

/* There on every host; in a namespace of our own it is in nobody's way. */
#define MOUNT "/sys/fs/cgroup"

void bed_nap_ms(long ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

const char *bed_mount(void)
{
	if (geteuid() != 0)
		return "not root";
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return "no mount namespace of our own";
	if (mount("cgroup2", MOUNT, "cgroup2", 0, NULL) < 0)
		return "cgroup2 can not be mounted";
	if (mkdir(MOUNT "/vol-test-probe", 0700) < 0 && errno != EEXIST)
		return "cgroup2 can not be written";
	rmdir(MOUNT "/vol-test-probe");
	return NULL;
}

static void path_of(const struct bed *b, const char *step, const char *file,
		    char path[PATH_MAX])
{
	assert_true(snprintf(path, PATH_MAX, "%s/%s/%s/%s", b->root, b->top,
			     step, file) < PATH_MAX);
}

const char *bed_cgroup(const struct bed *b, const char *step)
{
	static char cgroup[256];

	snprintf(cgroup, sizeof(cgroup), "/%s/%s", b->top, step);
	return cgroup;
}

/* ---- files ---- */

void bed_write(const struct bed *b, const char *step, const char *file,
	       const char *text)
{
	char path[PATH_MAX];
	int fd;

	path_of(b, step, file, path);
	fd = open(path, b->real ? O_WRONLY : O_WRONLY | O_CREAT | O_TRUNC,
		  0600);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

char bed_read(const struct bed *b, const char *step, const char *file)
{
	char path[PATH_MAX], c = '?';
	int fd;

	path_of(b, step, file, path);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	(void)!read(fd, &c, 1);
	close(fd);
	return c;
}

bool bed_exists(const struct bed *b, const char *step, const char *file)
{
	char path[PATH_MAX];

	path_of(b, step, file, path);
	return access(path, F_OK) == 0;
}

static void make(struct bed *b, const char *step, const char *folder)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{"cgroup.freeze", "0\n"},
		{"cgroup.events", "populated 1\nfrozen 0\n"},
		{"cgroup.procs", ""},
		{"cgroup.kill", ""},
	};
	char path[PATH_MAX], file[300];

	path_of(b, step, folder, path);
	assert_int_equal(vol_mkdir_p(path, 0700, NULL), 0);
	for (size_t i = 0; !b->real && i < N_ELEMENTS(files); i++) {
		snprintf(file, sizeof(file), "%s/%s", folder, files[i].name);
		bed_write(b, step, file, files[i].text);
	}
}

void bed_step(struct bed *b, const char *step)
{
	make(b, step, "slurm");
	make(b, step, "user");
	bed_write(b, step, "user/cgroup.freeze", "1");
}

void bed_task(struct bed *b, const char *step, const char *folder)
{
	char path[64];

	snprintf(path, sizeof(path), "user/%s", folder);
	make(b, step, path);
}

static int remove_cb(const char *path, const struct stat *st, int type,
		     struct FTW *where)
{
	(void)st;
	(void)where;
	if (type != FTW_DP)
		unlink(path); /* refused below cgroup2, where rmdir does it */
	else /* whoever was killed just now may still be in it */
		for (int i = 0; i < 100 && rmdir(path) < 0 && errno == EBUSY;
		     i++)
			bed_nap_ms(10);
	return 0;
}

void bed_remove(struct bed *b, const char *step, const char *folder)
{
	char path[PATH_MAX];

	path_of(b, step, folder, path);
	nftw(path, remove_cb, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- processes ---- */

static void on_signal(int sig)
{
	(void)sig;
}

static void work(struct bed *b, size_t index, enum bed_kind kind)
{
	sigset_t all;

	sigfillset(&all);
	if (kind == BED_CATCHES) {
		signal(SIGTERM, on_signal);
		signal(SIGTSTP, on_signal);
	}
	if (kind == BED_WAITS)
		sigprocmask(SIG_BLOCK, &all, NULL);
	/* Ready. */
	b->ticks[index]++;
	for (;;) {
		if (kind == BED_WAITS)
			pause();
		if (kind == BED_FORKS) {
			pid_t pid = fork();

			if (pid == 0)
				_exit(0);
			waitpid(pid, NULL, 0);
		}
		b->ticks[index]++;
	}
}

pid_t bed_spawn(struct bed *b, const char *step, const char *folder,
		enum bed_kind kind)
{
	size_t index = b->n_procs++;
	char file[300], number[16];
	pid_t pid;
	int go[2];

	assert_true(index < BED_PROCS);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		char c;

		/* Whatever becomes of the test. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(go[1]);
		(void)!read(go[0], &c, 1);
		work(b, index, kind);
	}
	assert_true(pid > 0);
	snprintf(number, sizeof(number), "%d\n", (int)pid);
	snprintf(file, sizeof(file), "user/%s/cgroup.procs", folder);
	if (b->real && kind != BED_WAITS)
		bed_write(b, step, file, number);
	else if (!b->real)
		bed_write(b, step, file, number);
	close(go[0]);
	close(go[1]);
	for (int i = 0; kind == BED_WAITS && !b->ticks[index]; i++) {
		assert_true(i < 5000);
		bed_nap_ms(1);
	}
	return pid;
}

bool bed_runs(const struct bed *b, size_t index)
{
	uint64_t before = b->ticks[index];

	for (int i = 0; i < 2000 && b->ticks[index] == before; i++)
		bed_nap_ms(5);
	return b->ticks[index] != before;
}

bool bed_stands_one(const struct bed *b, size_t index)
{
	uint64_t before = b->ticks[index];

	bed_nap_ms(100);
	return b->ticks[index] == before;
}

bool bed_stands(const struct bed *b)
{
	uint64_t before[BED_PROCS];
	bool same = true;

	for (size_t p = 0; p < b->n_procs; p++)
		before[p] = b->ticks[p];
	bed_nap_ms(100);
	for (size_t p = 0; p < b->n_procs; p++)
		same = same && b->ticks[p] == before[p];
	return same;
}

bool bed_ends(pid_t pid)
{
	for (int i = 0; i < 500; i++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return true;
		bed_nap_ms(10);
	}
	return false;
}

/* ---- set up and tear down ---- */

static int setup(void **state, bool real)
{
	static unsigned number;
	struct bed *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	b->real = real;
	snprintf(b->top, sizeof(b->top), "vol-test-%d-%u", (int)getpid(),
		 number++);
	strcpy(b->root, real ? MOUNT : "/tmp/vol-test.XXXXXX");
	b->ticks =
		mmap(NULL, BED_PROCS * sizeof(*b->ticks),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b->ticks == MAP_FAILED || (!real && !mkdtemp(b->root)))
		return -1;
	*state = b;
	return 0;
}

int bed_setup_fake(void **state)
{
	return setup(state, false);
}

int bed_setup_real(void **state)
{
	return setup(state, true);
}

static void kill_all(const struct bed *b)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/cgroup.kill", b->root, b->top);
	fd = open(path, O_WRONLY);
	if (fd >= 0) {
		(void)!write(fd, "1", 1);
		close(fd);
	}
}

int bed_teardown(void **state)
{
	struct bed *b = *state;
	char path[PATH_MAX];

	if (b->real)
		kill_all(b);
	/* What a fake bed started has no cgroup of ours. */
	while (waitpid(-1, NULL, b->real ? 0 : WNOHANG) > 0)
		;
	snprintf(path, sizeof(path), "%s%s%s", b->root, b->real ? "/" : "",
		 b->real ? b->top : "");
	for (int i = 0; i < 100 && access(path, F_OK) == 0; i++) {
		nftw(path, remove_cb, 8, FTW_DEPTH | FTW_PHYS);
		if (i > 0)
			bed_nap_ms(10);
	}
	munmap((void *)b->ticks, BED_PROCS * sizeof(*b->ticks));
	free(b);
	return 0;
}
