/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner.c - a program of the owner's session, with all that it holds
 *
 * owner PID UID GID LOG  as root: start it under that number and those ids
 * owner serve            what it then becomes; says on stdout, KEY=VALUE a
 *                        line, where everything is, and goes on
 *
 * It is told the rest by the list of victims, as attempts are.  LOG gets a
 * line for everything that somebody else did to it.
 */
#include "serve.h"

#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/prctl.h>

#define NAME     "owners-program"
#define LOG_FD   200
#define TCP_PORT 6000
#define UDP_PORT 6001
#define SYSV_KEY 0x0a11

/* What others look for, or write to, in our memory. */
static char held[256], scratch[256];

static void on_signal(int number)
{
	int error = errno;

	note("signal", sigabbrev_np(number));
	errno = error;
}

static void hold_messages(void)
{
	struct {
		long type;
		char text[128];
	} message = {.type = 1};
	int queue = msgget(SYSV_KEY, IPC_CREAT | 0600);
	int semaphore = semget(SYSV_KEY, 1, IPC_CREAT | 0600);
	mqd_t posix;

	strncpy(message.text, secret, sizeof(message.text) - 1);
	if (queue < 0 || msgsnd(queue, &message, strlen(message.text), 0))
		fail("System V message");
	if (semaphore < 0 || semctl(semaphore, 0, SETVAL, 1))
		fail("System V semaphore");
	posix = mq_open(victim("mqueue"), O_RDWR | O_CREAT, 0600, NULL);
	if (posix < 0 || mq_send(posix, secret, strlen(secret), 0))
		fail("POSIX message");
}

/* An open file that no folder has any more. */
static int hold_deleted(void)
{
	const char *path = home_of_owner("deleted");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, secret, strlen(secret)) < 0 || unlink(path))
		fail(path);
	return fd;
}

static void hold_lock(void)
{
	int fd = open(home_of_owner("locked"), O_RDWR | O_CREAT | O_CLOEXEC,
		      0600);
	struct stat status;

	if (fd < 0 || flock(fd, LOCK_EX) || fstat(fd, &status))
		fail("lock");
	printf("locked_inode=%lu\n", (unsigned long)status.st_ino);
}

/* Two of them: who wrote to which tells the attempts apart. */
static void hold_terminal(const char *key, const char *name)
{
	/* Nobody types there: else the device would close for a while. */
	static const struct timespec long_ago[2];
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0 || grantpt(master) || unlockpt(master))
		fail("terminal");
	/* Else its other end is hung up, and poll says so for ever. */
	if (open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC) < 0)
		fail("terminal");
	if (utimensat(AT_FDCWD, ptsname(master), long_ago, 0))
		fail("terminal's times");
	printf("%s=%s\n", key, ptsname(master));
	add_endpoint(master, name, PLAIN);
}

static void hold_all(void)
{
	char abstract[108];
	int fd;

	serve_unix(victim("unix"), 0600);
	serve_unix(victim("bus"), 0600);
	serve_unix(victim("x11"), 0600);
	snprintf(abstract, sizeof(abstract), "@%s", victim("abstract"));
	serve_unix(strdup(abstract), 0);
	snprintf(abstract, sizeof(abstract), "@%s", victim("x11"));
	serve_unix(strdup(abstract), 0);
	serve_inet("tcp", TCP_PORT, SOCK_STREAM);
	serve_inet("udp", UDP_PORT, SOCK_DGRAM);
	printf("tcp_port=%d\nudp_port=%d\n", TCP_PORT, UDP_PORT);
	hold_sysv_memory(SYSV_KEY, 0600);
	printf("sysv_key=%d\n", SYSV_KEY);
	hold_messages();
	printf("key_id=%ld\n", hold_key(victim("key")));
	printf("open_fd=%d\n", hold_deleted());
	hold_lock();
	hold_terminal("terminal", "terminal");
	hold_terminal("terminal_output", "terminal of output");
	fd = open(victim("fifo"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	add_endpoint(fd, "fifo", PLAIN);
	printf("memory=%p\nscratch=%p\n", (void *)held, (void *)scratch);
}

static _Noreturn void serve_owner(void)
{
	static const int noted[] = {SIGUSR1, SIGWINCH, SIGCONT, SIGTERM,
				    SIGHUP};

	log_fd = LOG_FD;
	secret = victim("secret");
	strncpy(held, secret, sizeof(held) - 1);
	for (size_t i = 0; i < sizeof(noted) / sizeof(*noted); i++)
		signal(noted[i], on_signal);
	if (chdir(victim("home")))
		fail("home");
	hold_all();
	prctl(PR_SET_NAME, NAME);
	printf("pid=%d\ncomm=%s\n", getpid(), NAME);
	fflush(stdout);
	close(STDOUT_FILENO);
	serve();
}

/* Through exec: a process that only changed its uid is not its user's. */
static _Noreturn void become(char *argv[])
{
	char token[300], variable[300];
	char *args[] = {"owner", "serve", token, NULL};
	char *names[] = {variable, NULL, NULL};
	int log = open(argv[4], O_WRONLY | O_CREAT | O_APPEND, 0644);

	snprintf(token, sizeof(token), "--token=%s", victim("secret"));
	snprintf(variable, sizeof(variable), "OWNER_TOKEN=%s",
		 victim("secret"));
	if (asprintf(&names[1], "ESCAPE_VICTIMS=%s", getenv("ESCAPE_VICTIMS")) <
	    0)
		fail("memory");
	if (log < 0 || dup2(log, LOG_FD) < 0)
		fail(argv[4]);
	close(log);
	if (setsid() < 0 || setgroups(0, NULL) ||
	    setresgid(atoi(argv[3]), atoi(argv[3]), atoi(argv[3])) ||
	    setresuid(atoi(argv[2]), atoi(argv[2]), atoi(argv[2])))
		fail("become the owner");
	execve("/proc/self/exe", args, names);
	fail("exec");
}

int main(int argc, char *argv[])
{
	pid_t number;
	struct clone_args args = {.exit_signal = SIGCHLD,
				  .set_tid = (uintptr_t)&number,
				  .set_tid_size = 1};
	long pid;

	if (argc > 1 && !strcmp(argv[1], "serve"))
		serve_owner();
	if (argc != 5) {
		fprintf(stderr, "usage: owner PID UID GID LOG\n");
		return 2;
	}
	number = atoi(argv[1]);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		fail("start a process of that number");
	if (!pid)
		become(argv);
	return 0;
}
