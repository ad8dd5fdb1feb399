/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckdump.c - run slurm-volunteer-checkpoint dump or probe, or ask one that
 * serves */
#include "config.h"

#include "device/ckdump.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "sandbox/checkpoint.h"
#include "text.h"

#define PREFIX "slurm-volunteer-checkpoint: "
/* Its exit status for what is no command. */
#define SERVE_USAGE 2

#define WORDS_MAX 16

/* A command line, the program left out. */
struct words {
	const char *word[WORDS_MAX];
	size_t n;
	char seconds[16], signal[16], grace[24];
};

static void add_word(struct words *w, const char *word)
{
	w->word[w->n++] = word;
}

static void make_words(const struct vol_ckdump *d, struct words *w)
{
	*w = (struct words){.n = 0};
	snprintf(w->seconds, sizeof(w->seconds), "%u", d->seconds);
	add_word(w, "-c");
	add_word(w, d->criu);
	add_word(w, "-t");
	add_word(w, w->seconds);
	if (!d->cgroup) {
		add_word(w, "probe");
		return;
	}
	if (d->goes_on && !d->before)
		add_word(w, "-p");
	if (d->streams)
		add_word(w, "-i");
	if (d->files)
		add_word(w, "-f");
	if (d->files && d->signal && d->grace_ms) {
		snprintf(w->signal, sizeof(w->signal), "%d", d->signal);
		snprintf(w->grace, sizeof(w->grace), "%" PRIu64, d->grace_ms);
		add_word(w, "-s");
		add_word(w, w->signal);
		add_word(w, "-g");
		add_word(w, w->grace);
	}
	add_word(w, d->before ? "pre" : "dump");
	add_word(w, d->cgroup);
	add_word(w, d->dir);
}

static void __attribute__((noreturn))
become_dump(const struct vol_ckdump *d, int said, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const char *argv[WORDS_MAX + 2] = {d->program};
	struct words w;
	sigset_t none;

	make_words(d, &w);
	memcpy(argv + 1, w.word, w.n * sizeof(w.word[0]));
	/* Whoever kills us with our group must not kill CRIU, too, which would
	 * leave the job in the middle: it is told to stop. */
	(void)setpgid(0, 0);
	sigemptyset(&none);
	if (null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 &&
	    dup2(said, 2) == 2 && prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 &&
	    getppid() == parent && sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
	    signal(SIGPIPE, SIG_DFL) != SIG_ERR)
		execv(d->program, (char *const *)argv);
	fprintf(stderr, PREFIX "%s\n", strerror(errno));
	_exit(VOL_CHECKPOINT_EXIT_FAILED);
}

/* Its end, or -1: it was killed, since nobody wants it any more. */
static int wait_end(pid_t pid, int stop)
{
	cleanup_fd int fd = pidfd_open(pid, 0);
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
			      {.fd = stop, .events = POLLIN}};
	int status, rc;

	do
		rc = fd < 0 ? 0 : poll(p, 2, -1);
	while (rc < 0 && errno == EINTR);
	if (rc <= 0 || !p[0].revents)
		kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return p[0].revents ? status : -1;
}

/* What it wrote: the line that it ended with. */
static int tell(int status, char *text, struct vol_error *err)
{
	char *line = strstr(text, PREFIX);

	text = line ? line + strlen(PREFIX) : text;
	text[strcspn(text, "\n")] = '\0';
	for (char *at = text; *at; at++)
		if (!vol_char_printable((unsigned char)*at))
			*at = '?';
	return vol_errorf_errno(
		err, status == VOL_CHECKPOINT_EXIT_UNMOVABLE ? EPERM : EIO,
		"%s", *text ? text : "dump: it says no reason");
}

static int run(const struct vol_ckdump *d, struct vol_error *err)
{
	cleanup_fd int said = memfd_create("said", MFD_CLOEXEC);
	pid_t parent = getpid(), pid = said < 0 ? -1 : fork();
	char text[VOL_SERVE_ANSWER_MAX];
	ssize_t n;
	int status;

	if (pid == 0)
		become_dump(d, said, parent);
	if (pid < 0)
		return vol_errorf(err, "dump: %s", strerror(errno));
	status = wait_end(pid, d->stop);
	if (status == 0)
		return 0;
	if (status < 0)
		return vol_errorf_errno(err, ECANCELED, "told to stop");
	if (WIFSIGNALED(status))
		return vol_errorf_errno(err, EIO, "dump: killed by signal %d",
					WTERMSIG(status));
	n = pread(said, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return tell(WEXITSTATUS(status), text, err);
}

/* ---- one that serves ---- */

/* Words, each with a NUL. */
static int ask(int server, const char *const *words, size_t n,
	       struct vol_error *err)
{
	char text[VOL_SERVE_QUESTION_MAX];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		size_t word = strlen(words[i]) + 1;

		if (word > sizeof(text) - len)
			return vol_errorf_errno(err, ENAMETOOLONG,
						"dump: too long a path");
		memcpy(text + len, words[i], word);
		len += word;
	}
	return send(server, text, len, MSG_NOSIGNAL) < 0
		       ? vol_errorf(err, "dump: %s", strerror(errno))
		       : 0;
}

/* Its status; text is what it wrote. */
static int hear(const struct vol_ckdump *d, char *text, size_t size,
		struct vol_error *err)
{
	struct pollfd p[2] = {{.fd = d->server, .events = POLLIN},
			      {.fd = d->stop, .events = POLLIN}};
	ssize_t n;

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return vol_errorf(err, "dump: %s", strerror(errno));
	if (!p[0].revents)
		return vol_errorf_errno(err, ECANCELED, "told to stop");
	n = recv(d->server, text, size - 1, 0);
	if (n <= 0)
		return vol_errorf_errno(err, EPIPE,
					"dump: who does it has ended");
	text[n] = '\0';
	return (unsigned char)text[0];
}

/* One before us may have been killed and never heard its answer, which is then
 * the first to come.  What is no command has a status of its own. */
static int hear_last(const struct vol_ckdump *d, struct vol_error *err)
{
	static const char *const nothing[] = {"nothing"};
	char text[VOL_SERVE_ANSWER_MAX + 1];
	int status;

	if (ask(d->server, nothing, 1, err) < 0)
		return -1;
	do
		status = hear(d, text, sizeof(text), err);
	while (status >= 0 && status != SERVE_USAGE);
	return status < 0 ? -1 : 0;
}

static int serve(const struct vol_ckdump *d, struct vol_error *err)
{
	char text[VOL_SERVE_ANSWER_MAX + 1];
	struct words w;
	int status;

	make_words(d, &w);
	if (hear_last(d, err) < 0 || ask(d->server, w.word, w.n, err) < 0)
		return -1;
	status = hear(d, text, sizeof(text), err);
	if (status <= 0)
		return status;
	return tell(status, text + 1, err);
}

int vol_ckdump_server(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX,
				      .sun_path = VOL_SERVE_SOCKET};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return steal_fd(&fd);
}

int vol_ckdump(const struct vol_ckdump *d, struct vol_error *err)
{
	return d->server >= 0 ? serve(d, err) : run(d, err);
}
