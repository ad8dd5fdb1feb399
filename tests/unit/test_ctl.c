/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl.c - the control socket: answers, rights, limits */
#include "config.h"

#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "vtest.h"
#include "wire.h"

/* of ctl.h */
#define CLIENTS         64
#define CLIENTS_KEPT    8
#define CLIENTS_OF_USER 16

static json_t *echo(const json_t *request, uid_t uid, void *arg,
		    struct vol_error *err)
{
	unsigned *calls = arg;

	(void)err;
	++*calls;
	return json_pack("{s:i, s:O}", "uid", (int)uid, "request", request);
}

static json_t *fails(const json_t *request, uid_t uid, void *arg,
		     struct vol_error *err)
{
	(void)request;
	(void)uid;
	(void)arg;
	vol_errorf_errno(err, EBUSY, "not today");
	return NULL;
}

static const struct vol_ctl_command commands[] = {
	{"echo", false, echo},
	{"fail", false, fails},
	{"secret", true, echo},
	{NULL, false, NULL},
};

struct fixture {
	sd_event *loop;
	struct vol_ctl *ctl;
	void *folder;
	char path[128];
	unsigned calls;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || vtest_folder_setup(&f->folder) < 0 ||
	    sd_event_new(&f->loop) < 0)
		return -1;
	chmod(f->folder, 0755);
	snprintf(f->path, sizeof(f->path), "%s/run/sock", (char *)f->folder);
	f->ctl = vol_ctl_create(f->loop, f->path, commands, &f->calls, NULL);
	*state = f;
	return f->ctl ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vol_ctl_destroy(f->ctl);
	/* Connections that are still finishing end with the loop. */
	sd_event_exit(f->loop, 0);
	sd_event_loop(f->loop);
	sd_event_unref(f->loop);
	vtest_folder_teardown(&f->folder);
	free(f);
	return 0;
}

static int call(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void settle(sd_event *loop)
{
	while (sd_event_run(loop, 20 * 1000) > 0)
		;
}

static json_t *ask(struct fixture *f, const char *type)
{
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	json_t *msg = json_pack("{s:s}", "type", type), *reply;
	int fd = call(f->path);

	assert_true(fd >= 0);
	assert_int_equal(vol_wire_send(fd, msg, 1000, NULL), 0);
	settle(f->loop);
	reply = vol_wire_recv(fd, &r, 1000, NULL);
	assert_non_null(reply);
	/* One reply, then the end. */
	assert_null(vol_wire_recv(fd, &r, 1000, NULL));
	vol_wire_reset(&r);
	json_decref(msg);
	close(fd);
	return reply;
}

static void answers(void **state)
{
	struct fixture *f = *state;
	json_t *reply = ask(f, "echo");
	const char *reason;
	int uid = -1;

	assert_int_equal(json_unpack(reply, "{s:{s:i}}", "data", "uid", &uid),
			 0);
	assert_int_equal(uid, (int)getuid());
	json_decref(reply);

	reply = ask(f, "fail");
	assert_int_equal(json_unpack(reply, "{s:s}", "reason", &reason), 0);
	assert_string_equal(reason, "not today");
	json_decref(reply);

	reply = ask(f, "no-such");
	assert_int_equal(json_unpack(reply, "{s:s}", "reason", &reason), 0);
	assert_contains(reason, "no-such");
	json_decref(reply);
}

/* Only root can play another user. */
static void privileged(void **state)
{
	struct fixture *f = *state;
	json_t *reply = ask(f, "secret");
	pid_t pid;
	int status;

	assert_non_null(json_object_get(reply, "data"));
	json_decref(reply);
	if (getuid() != 0)
		return;
	pid = fork();
	if (pid == 0) {
		json_t *msg = json_pack("{s:s}", "type", "secret"), *answer;
		struct vol_wire_reader r = VOL_WIRE_READER_INIT;
		int fd;

		if (setuid(65534) < 0)
			_exit(1);
		fd = call(f->path);
		if (fd < 0 || vol_wire_send(fd, msg, 5000, NULL) < 0)
			_exit(2);
		answer = vol_wire_recv(fd, &r, 5000, NULL);
		_exit(json_object_get(answer, "reason") ? 0 : 3);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		sd_event_run(f->loop, 20 * 1000);
	assert_int_equal(status, 0);
	assert_int_equal(f->calls, 1);
}

static void bad_clients(void **state)
{
	struct fixture *f = *state;
	int fds[CLIENTS + 8];
	char c;

	/* Junk, and silence in numbers. */
	fds[0] = call(f->path);
	assert_int_equal(write(fds[0], "\xff\xff\xff\xff", 4), 4);
	settle(f->loop);
	assert_int_equal(read(fds[0], &c, 1), 0);
	close(fds[0]);
	for (size_t i = 0; i < N_ELEMENTS(fds); i++) {
		fds[i] = call(f->path);
		assert_true(fds[i] >= 0);
		settle(f->loop);
	}
	/* The last ones were turned away. */
	for (size_t i = CLIENTS; i < N_ELEMENTS(fds); i++)
		assert_int_equal(read(fds[i], &c, 1), 0);
	for (size_t i = 0; i < N_ELEMENTS(fds); i++)
		close(fds[i]);
	settle(f->loop);
	json_decref(ask(f, "echo"));
}

/* As another user, if we may play one. */
static int call_as(const char *path, uid_t uid)
{
	int fd;

	assert_int_equal(seteuid(uid), 0);
	fd = call(path);
	assert_int_equal(seteuid(0), 0);
	assert_true(fd >= 0);
	return fd;
}

/* Has the daemon hung up? */
static bool is_over(int fd)
{
	struct pollfd p = {.fd = fd};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP);
}

/* Who asked and does not take the answer still holds a descriptor. */
static void answered_clients_count(void **state)
{
	struct fixture *f = *state;
	json_t *msg = json_pack("{s:s}", "type", "echo");
	int fds[CLIENTS], more;

	for (size_t i = 0; i < N_ELEMENTS(fds); i++) {
		fds[i] = call(f->path);
		assert_int_equal(vol_wire_send(fds[i], msg, 1000, NULL), 0);
		while (f->calls <= i)
			sd_event_run(f->loop, 20 * 1000);
	}
	json_decref(msg);
	more = call(f->path);
	sd_event_run(f->loop, 20 * 1000);
	assert_true(is_over(more));
	close(more);
	/* Their places are free when they hang up, */
	for (size_t i = 0; i < CLIENTS / 2; i++)
		close(fds[i]);
	sd_event_run(f->loop, 20 * 1000);
	json_decref(ask(f, "echo"));
	/* and in the end anyhow. */
	for (int turns = 0; turns < 1000 && !is_over(fds[CLIENTS - 1]); turns++)
		sd_event_run(f->loop, 20 * 1000);
	assert_true(is_over(fds[CLIENTS - 1]));
	for (size_t i = 0; i < CLIENTS; i++) {
		if (i >= CLIENTS / 2)
			close(fds[i]);
		fds[i] = call(f->path);
		sd_event_run(f->loop, 20 * 1000);
		assert_false(is_over(fds[i]));
	}
	for (size_t i = 0; i < CLIENTS; i++)
		close(fds[i]);
	settle(f->loop);
}

/* The daemon leaves while an answer is on its way. */
static void answer_outlives_socket(void **state)
{
	struct fixture *f = *state;
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	json_t *msg = json_pack("{s:s}", "type", "echo"), *reply;
	int fd = call(f->path);

	assert_int_equal(vol_wire_send(fd, msg, 1000, NULL), 0);
	json_decref(msg);
	while (!f->calls)
		sd_event_run(f->loop, 20 * 1000);
	vol_ctl_destroy(f->ctl);
	f->ctl = NULL;
	settle(f->loop);
	reply = vol_wire_recv(fd, &r, 1000, NULL);
	assert_non_null(json_object_get(reply, "data"));
	json_decref(reply);
	vol_wire_reset(&r);
	close(fd);
	settle(f->loop);
}

static void users_share_the_places(void **state)
{
	struct fixture *f = *state;
	int fds[CLIENTS], n = 0, fd;

	if (getuid() != 0)
		skip();
	/* One user has so many, */
	for (; n < CLIENTS_OF_USER; n++)
		fds[n] = call_as(f->path, 65534);
	fd = call_as(f->path, 65534);
	settle(f->loop);
	assert_false(is_over(fds[n - 1]));
	assert_true(is_over(fd));
	close(fd);
	/* all but root together so many. */
	for (; n < CLIENTS - CLIENTS_KEPT; n++)
		fds[n] = call_as(f->path, (uid_t)(60000 + n));
	fd = call_as(f->path, 65533);
	settle(f->loop);
	assert_false(is_over(fds[n - 1]));
	assert_true(is_over(fd));
	close(fd);
	json_decref(ask(f, "secret"));
	for (; n < CLIENTS; n++)
		fds[n] = call(f->path);
	fd = call(f->path);
	settle(f->loop);
	assert_false(is_over(fds[n - 1]));
	assert_true(is_over(fd));
	close(fd);
	while (n)
		close(fds[--n]);
	settle(f->loop);
}

static void socket_file(void **state)
{
	struct fixture *f = *state;
	char long_path[256];
	struct vol_error err;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	/* Two daemons on one socket. */
	assert_null(vol_ctl_create(f->loop, f->path, commands, NULL, &err));
	assert_contains(err.text, f->path);
	/* A leftover of one that was killed is replaced. */
	vol_ctl_destroy(f->ctl);
	assert_int_equal(access(f->path, F_OK), -1);
	close(open(f->path, O_CREAT | O_WRONLY, 0600));
	f->ctl = vol_ctl_create(f->loop, f->path, commands, &f->calls, &err);
	assert_non_null(f->ctl);
	json_decref(ask(f, "echo"));

	memset(long_path, 'x', sizeof(long_path));
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	assert_null(vol_ctl_create(f->loop, long_path, commands, NULL, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers, setup, teardown),
		cmocka_unit_test_setup_teardown(privileged, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(answered_clients_count, setup,
						teardown),
		cmocka_unit_test_setup_teardown(answer_outlives_socket, setup,
						teardown),
		cmocka_unit_test_setup_teardown(users_share_the_places, setup,
						teardown),
		cmocka_unit_test_setup_teardown(socket_file, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
