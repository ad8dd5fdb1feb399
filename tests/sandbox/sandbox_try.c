/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox_try.c - play slurmstepd for one step, without Slurm
 *
 * Makes the calls of sandbox.h in slurmstepd's order: create and hide as root,
 * output opened as the job's user, then for each task fork, keep, become the
 * user, go to the folder, enter, exec.  Ends with the status of the last task
 * that failed, 0 if none did, 120 when a task was not started, 121 when that is
 * the job's own fault, 122 when Slurm would find something of the step's that
 * has not ended.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wallsfile.h"
#include "sandbox/checkpoint.h"
#include "sandbox/private.h"
#include "sandbox/sandbox.h"

#define EXIT_USAGE       2
#define EXIT_NOT_STARTED 120
#define EXIT_JOBS_FAULT  121
#define EXIT_LEFT        122

/* Slurm's number of it: SLURM_BATCH_SCRIPT. */
#define BATCH_STEP 0xfffffffbu

/* fault.c, if it was preloaded. */
void fault_arm(int on) __attribute__((weak));

static struct {
	struct vol_sandbox_job job;
	struct vol_walls walls;
	const char *state, *cwd, *output, *input, *programs, *epilog, *cast,
		*cgroup, *server, *offer, *bring;
	struct vol_restore restore; /* dir NULL: a fresh start */
	bool probe, slurmd, fresh_else;
	int pair[2]; /* of -f */
	int passed;  /* of -f and -F; -1: none */
	char **argv;
} o = {
	.job = {.job = 1,
		.uid = 65533,
		.gid = 65533,
		.user = "job",
		.tasks = 1},
	.state = "/run/slurm-volunteer-try",
	.cwd = "/",
	.programs = BUILT_PROGRAMS,
	.passed = -1,
};

static void arm(int on)
{
	if (fault_arm)
		fault_arm(on);
}

static void usage(void)
{
	fputs("usage: sandbox-try [OPTION...] WALLS -- PROGRAM [ARG...]\n"
	      "       sandbox-try -p WALLS\n"
	      "  WALLS      file as discoveryd writes it; \"-\": the defaults\n"
	      "  -n TASKS   of the step [1]\n"
	      "  -u UID  -g GID  -U NAME  the job's user\n"
	      "  -j JOB     its number\n"
	      "  -C FOLDER  where slurmstepd goes before the task begins\n"
	      "  -i FILE  -o FILE  input and output, as the user opens them\n"
	      "  -s SCRIPT  a batch script, to be copied inside\n"
	      "  -E PROGRAM  run as the user when the tasks have ended, as\n"
	      "             slurmstepd does with a --task-epilog\n"
	      "  -H         be slurmd first, with its view\n"
	      "  -B FILE    write it as slurmd does for sbcast, and end\n"
	      "  -P FOLDER -X SHELL  of the account\n"
	      "  -f         the task has a socket, $PMI_FD, that says \"word\"\n"
	      "  -F FD      it has that one, as its user says\n"
	      "  -G FOLDER  cgroup to put the tasks into\n"
	      "  -S FOLDER  state\n"
	      "  -L FOLDER  the two programs\n"
	      "  -N NETWORK  that the job gets\n"
	      "  -R FOLDER  restore what was saved there, with -K CRIU\n"
	      "  -b         roll its output back\n"
	      "  -w FOLDER  nothing has run as long as that has a mark\n"
	      "  -D PROGRAM  start \"PROGRAM serve\" in slurmd's view, on stdin\n"
	      "  -A         if that fails, begin afresh\n"
	      "  -M TEXT    how the job is to be saved\n"
	      "  -W WHOSE   its files are: shared, opened or own\n"
	      "  -T FOLDER  the job finds the files that were saved there\n"
	      "  -O FILE    write there what a restored job would see mounted\n"
	      "  -p         probe, and say which walls do not stand\n",
	      stderr);
	exit(EXIT_USAGE);
}

static void read_walls(const char *path)
{
	struct vol_error err;

	if (strcmp(path, "-") == 0) {
		vol_walls_defaults(&o.walls);
	} else if (vol_wallsfile_read(path, &o.walls, &err) != 0) {
		fprintf(stderr, "sandbox-try: %s\n", err.text);
		exit(EXIT_USAGE);
	}
}

static unsigned int number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end)
		usage();
	return (unsigned int)n;
}

/* Options of a job that is saved or put back. */
static void take_restore(int c)
{
	switch (c) {
	case 'R':
		o.restore.dir = optarg;
		break;
	case 'K':
		o.restore.criu = optarg;
		break;
	case 'D':
		o.server = optarg;
		break;
	case 'O':
		o.offer = optarg;
		break;
	case 'T':
		o.bring = optarg;
		break;
	case 'b':
		o.restore.roll_back = true;
		break;
	case 'w':
		o.restore.waits = optarg;
		break;
	case 'A':
		o.fresh_else = true;
		break;
	case 'W':
		if (vol_rollback_mode_parse(optarg, &o.job.files, NULL))
			usage();
		break;
	case 'M':
		snprintf(o.job.checkpoint, sizeof(o.job.checkpoint), "%s",
			 optarg);
		break;
	default:
		usage();
	}
}

static void parse(int argc, char *argv[])
{
	int c;

	while ((c = getopt(
			argc, argv,
			"+n:u:g:U:j:C:i:o:s:S:E:L:HB:pP:X:fF:G:N:R:K:bAM:D:O:W:T:w:")) !=
	       -1)
		switch (c) {
		case 'n':
			o.job.tasks = number(optarg);
			break;
		case 'u':
			o.job.uid = number(optarg);
			break;
		case 'g':
			o.job.gid = number(optarg);
			break;
		case 'U':
			snprintf(o.job.user, sizeof(o.job.user), "%s", optarg);
			break;
		case 'j':
			o.job.job = number(optarg);
			break;
		case 'C':
			o.cwd = optarg;
			break;
		case 'i':
			o.input = optarg;
			break;
		case 'o':
			o.output = optarg;
			break;
		case 's':
			o.job.script = optarg;
			o.job.batch = true;
			o.job.step = BATCH_STEP;
			break;
		case 'E':
			o.epilog = optarg;
			break;
		case 'G':
			o.cgroup = optarg;
			break;
		case 'S':
			o.state = optarg;
			break;
		case 'L':
			o.programs = optarg;
			break;
		case 'H':
			o.slurmd = true;
			break;
		case 'B':
			o.cast = optarg;
			break;
		case 'P':
			snprintf(o.job.home, sizeof(o.job.home), "%s", optarg);
			break;
		case 'X':
			snprintf(o.job.shell, sizeof(o.job.shell), "%s",
				 optarg);
			break;
		case 'f':
			o.pair[0] = -1;
			break;
		case 'F':
			o.passed = (int)number(optarg);
			break;
		case 'N':
			if (vol_network_parse(optarg, &o.job.network, NULL))
				usage();
			break;
		case 'p':
			o.probe = true;
			break;
		default:
			take_restore(c);
		}
	if (optind == argc)
		usage();
	read_walls(argv[optind++]);
	if (optind < argc && strcmp(argv[optind], "--") == 0)
		optind++;
	o.argv = argv + optind;
	if (!o.probe && !o.cast && !o.argv[0])
		usage();
}

static int probe(void)
{
	struct vol_error err = {""};
	char text[1024];
	int rc = vol_sandbox_probe(&o.walls, o.state, text, sizeof(text), &err);

	if (rc < 0)
		fprintf(stderr, "sandbox-try: %s\n", err.text);
	else
		fputs(text, stdout);
	return rc < 0 ? EXIT_NOT_STARTED : rc;
}

/* As slurmstepd does it: under the user's ids, for a moment. */
static int open_as_user(const char *path, int flags)
{
	int fd;

	if (setegid(o.job.gid) != 0 || seteuid(o.job.uid) != 0)
		return -1;
	fd = open(path, flags | O_CLOEXEC, 0644);
	if (seteuid(0) != 0 || setegid(0) != 0)
		return -1;
	return fd;
}

static void redirect(const char *path, int flags, int to)
{
	int fd = open_as_user(path, flags);

	if (fd < 0 || dup2(fd, to) < 0) {
		fprintf(stderr, "sandbox-try: %s: %s\n", path, strerror(errno));
		exit(EXIT_NOT_STARTED);
	}
	close(fd);
}

/* As mpi/pmi2 does it in slurmstepd. */
static int open_pair(void)
{
	if (o.pair[0] == 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, o.pair) != 0 ||
	    write(o.pair[0], "word\n", 5) != 5 ||
	    fcntl(o.pair[0], F_SETFD, FD_CLOEXEC) != 0)
		return -1;
	o.passed = o.pair[1];
	return 0;
}

static void pass(struct vol_sandbox *s)
{
	struct vol_error err;
	char text[16];

	if (o.passed < 0)
		return;
	if (vol_sandbox_pass(s, o.passed, &err) != 0)
		fprintf(stderr, "sandbox-try: %s\n", err.text);
	snprintf(text, sizeof(text), "%d", o.passed);
	setenv("PMI_FD", text, 1);
}

static void join_cgroup(void)
{
	char path[PATH_MAX];
	int fd;

	if (!o.cgroup)
		return;
	snprintf(path, sizeof(path), "%s/cgroup.procs", o.cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1) {
		fprintf(stderr, "sandbox-try: %s: %s\n", path, strerror(errno));
		_exit(EXIT_NOT_STARTED);
	}
	close(fd);
}

static bool has_ended(pid_t child)
{
	siginfo_t end = {.si_pid = 0};

	return child <= 0 ||
	       (waitid(P_PID, (id_t)child, &end,
		       WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
		end.si_pid == child);
}

/* What Slurm sees when the tasks have ended: no zombies. */
static bool is_something_left(const struct vol_sandbox *s, int status)
{
	char path[PATH_MAX], text[256];
	ssize_t n;
	int fd;

	if (!has_ended(s->guard_pid))
		return true;
	/* A task whose supervisor was killed is init's to reap. */
	if (!o.cgroup)
		return WIFEXITED(status) && !has_ended(s->shared->pid1);
	snprintf(path, sizeof(path), "%s/cgroup.procs", o.cgroup);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text));
	close(fd);
	return n != 0;
}

static int offer(struct vol_sandbox *s, struct vol_error *err)
{
	char cwd[PATH_MAX];

	if (!o.offer)
		return 0;
	if (!getcwd(cwd, sizeof(cwd)))
		return vol_errorf(err, "%s", strerror(errno));
	if (vol_sandbox_offer(s, o.offer, err) != 0)
		return -1;
	return chdir(cwd) == 0 ? 0 : vol_errorf(err, "%s", strerror(errno));
}

/* Returns if that failed. */
static void restore(struct vol_sandbox *s)
{
	struct vol_error err = {""};

	if (!o.restore.dir)
		return;
	arm(1);
	vol_sandbox_restore(s, &o.restore, &err);
	arm(0);
	fprintf(stderr, "sandbox-try: restore: %s\n", err.text);
	if (!o.fresh_else)
		_exit(EXIT_NOT_STARTED);
}

static int bring(struct vol_sandbox *s, struct vol_error *err)
{
	int rc = 0;

	if (o.bring) {
		arm(1);
		rc = vol_sandbox_bring(s, o.bring, err);
		arm(0);
	}
	return rc;
}

static void say_brought(const struct vol_sandbox *s)
{
	const char *why = vol_sandbox_unbrought(s);

	if (why)
		fprintf(stderr, "sandbox-try: not brought: %s\n", why);
	else if (o.bring)
		setenv("VOLUNTEER_RESTORED", "1", 1);
}

static void run_task(struct vol_sandbox *s, uint32_t task)
{
	char where[VOL_WALLS_PATH_SIZE], text[16];
	struct vol_error err = {""};
	int rc;

	join_cgroup();
	arm(1);
	rc = vol_sandbox_keep(&err);
	arm(0);
	if (rc == 0 && (setgroups(0, NULL) != 0 ||
			setresgid(o.job.gid, o.job.gid, o.job.gid) != 0 ||
			setresuid(o.job.uid, o.job.uid, o.job.uid) != 0))
		rc = vol_errorf(&err, "%s", strerror(errno));
	/* killpg(2) is how scancel --full comes. */
	if (o.job.batch)
		setpgid(0, 0);
	pass(s);
	if (rc == 0)
		rc = offer(s, &err);
	if (rc == 0)
		restore(s);
	if (rc == 0)
		rc = bring(s, &err);
	arm(1);
	if (rc == 0)
		rc = vol_sandbox_enter(s, task, where, sizeof(where), &err);
	arm(0);
	if (rc != 0) {
		bool blamed = errno == EACCES;

		fprintf(stderr, "sandbox-try: task %u: %s\n", task, err.text);
		_exit(blamed ? EXIT_JOBS_FAULT : EXIT_NOT_STARTED);
	}
	snprintf(text, sizeof(text), "%u", task);
	setenv("TASK", text, 1);
	setenv("WHERE", where, 1);
	say_brought(s);
	execvp(o.argv[0], o.argv);
	fprintf(stderr, "sandbox-try: %s: %s\n", o.argv[0], strerror(errno));
	_exit(127);
}

static void run_epilog(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (setgroups(0, NULL) == 0 &&
		    setresgid(o.job.gid, o.job.gid, o.job.gid) == 0 &&
		    setresuid(o.job.uid, o.job.uid, o.job.uid) == 0)
			execl(o.epilog, o.epilog, NULL);
		fprintf(stderr, "sandbox-try: epilog: %s\n", strerror(errno));
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

/* The last task that failed. */
static int wait_for_tasks(const pid_t *pid)
{
	int status, result = 0;

	for (uint32_t i = 0; i < o.job.tasks; i++) {
		if (waitpid(pid[i], &status, 0) != pid[i])
			return 1 << 8;
		if (status)
			result = status;
	}
	return result;
}

static void end_like(int status)
{
	const struct rlimit no_core = {0, 0};

	if (WIFSIGNALED(status)) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(WTERMSIG(status), SIG_DFL);
		kill(getpid(), WTERMSIG(status));
	}
	exit(WEXITSTATUS(status));
}

static int run_step(void)
{
	struct vol_error err = {""};
	struct vol_sandbox *s;
	pid_t pid[256];
	int status;

	if (o.job.tasks > 256)
		usage();
	arm(1);
	s = vol_sandbox_create(&o.walls, &o.job, o.state, &err);
	if (!s || vol_sandbox_hide(s, &err) != 0) {
		arm(0);
		fprintf(stderr, "sandbox-try: %s\n", err.text);
		vol_sandbox_destroy(s);
		return EXIT_NOT_STARTED << 8;
	}
	arm(0);
	if (o.input)
		redirect(o.input, O_RDONLY, STDIN_FILENO);
	if (o.output) {
		redirect(o.output, O_WRONLY | O_CREAT | O_APPEND,
			 STDOUT_FILENO);
		dup2(STDOUT_FILENO, STDERR_FILENO);
	}
	if (open_pair() != 0 || (chdir(o.cwd) != 0 && chdir("/tmp") != 0))
		return EXIT_NOT_STARTED << 8;
	for (uint32_t i = 0; i < o.job.tasks; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			run_task(s, i);
	}
	status = wait_for_tasks(pid);
	if (o.epilog)
		run_epilog();
	vol_sandbox_end(s, o.cgroup);
	if (is_something_left(s, status)) {
		fprintf(stderr, "sandbox-try: something is left\n");
		status = EXIT_LEFT << 8;
	}
	vol_sandbox_destroy(s);
	return status;
}

/* What sbcast brings is written by slurmd. */
static int cast(void)
{
	int fd = open_as_user(o.cast, O_WRONLY | O_CREAT | O_TRUNC);

	if (fd < 0 || write(fd, "cast\n", 5) != 5) {
		fprintf(stderr, "sandbox-try: %s: %s\n", o.cast,
			strerror(errno));
		return EXIT_NOT_STARTED;
	}
	return 0;
}

/* As whoever becomes slurmd would. */
static void start_server(void)
{
	pid_t pid = o.server ? fork() : -1;
	int null;

	if (pid == 0) {
		execl(o.server, "slurm-volunteer-checkpoint", "serve", NULL);
		_exit(127);
	}
	null = open("/dev/null", O_RDONLY);
	if (pid > 0 && dup2(null, 0) == 0)
		close(null);
}

static void become_slurmd(void)
{
	struct vol_error err = {""};

	if (vol_sandbox_hide_for(&o.walls, &err) == 0) {
		start_server();
		return;
	}
	fprintf(stderr, "sandbox-try: %s\n", err.text);
	exit(EXIT_NOT_STARTED);
}

int main(int argc, char *argv[])
{
	parse(argc, argv);
	if (o.slurmd || o.cast)
		become_slurmd();
	if (o.cast)
		return cast();
	vol_sandbox_programs(o.programs);
	if (o.probe)
		return probe();
	end_like(run_step());
}
