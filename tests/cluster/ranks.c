/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ranks.c - two tasks of a step talk as an MPI on one machine does
 *
 * Run by srun with two tasks.  Each says in one line per way whether it could:
 * POSIX shared memory, a futex in it, process_vm_readv ("CMA"), System V shared
 * memory, a signal, an abstract socket, TCP over the loopback.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct shared {
	atomic_int arrived;
	atomic_int pid[2];
	_Atomic(char *) buffer[2];
	atomic_int port;
};

static int rank;
static struct shared *shared;

static void say(const char *way, int ok)
{
	printf("rank %d: %s: %s\n", rank, way, ok ? "ok" : strerror(errno));
}

/* Until both have come here n times; a futex in shared memory. */
static void barrier(int n)
{
	struct timespec second = {.tv_sec = 1};
	int seen, tries = 20;

	atomic_fetch_add(&shared->arrived, 1);
	syscall(SYS_futex, &shared->arrived, FUTEX_WAKE, INT_MAX, NULL, NULL,
		0);
	while ((seen = atomic_load(&shared->arrived)) < 2 * n) {
		if (!tries--)
			errx(1, "rank %d: the other one does not come", rank);
		syscall(SYS_futex, &shared->arrived, FUTEX_WAIT, seen, &second,
			NULL, 0);
	}
}

static void share(const char *job)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/ranks.%s", job);
	fd = shm_open(name, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*shared)))
		err(1, "rank %d: /dev/shm%s", rank, name);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	if (shared == MAP_FAILED)
		err(1, "rank %d: mmap", rank);
	close(fd);
	barrier(1);
	shm_unlink(name);
	say("shared memory and futex", 1);
}

static void read_other(char *own)
{
	char copy[64] = "";
	struct iovec here = {copy, sizeof(copy)}, there;
	int other;

	snprintf(own, 64, "written by rank %d", rank);
	atomic_store(&shared->buffer[rank], own);
	atomic_store(&shared->pid[rank], getpid());
	barrier(2);
	other = atomic_load(&shared->pid[!rank]);
	there = (struct iovec){atomic_load(&shared->buffer[!rank]), 64};
	say("process_vm_readv",
	    process_vm_readv(other, &here, 1, &there, 1, 0) == 64 &&
		    !strncmp(copy, "written by rank ", 16) &&
		    copy[16] == '0' + !rank);
	say("kill(other, 0)", !kill(other, 0));
	barrier(3);
}

static void system_v(key_t key)
{
	int id = shmget(key, 4096, IPC_CREAT | 0600);
	int *p = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

	if (p == (void *)-1) {
		say("System V shared memory", 0);
		barrier(4);
		barrier(5);
		return;
	}
	p[rank] = 100 + rank;
	barrier(4);
	errno = ENOMSG;
	say("System V shared memory", p[!rank] == 100 + !rank);
	barrier(5);
	shmctl(id, IPC_RMID, NULL);
}

/* Rank 0 listens, rank 1 connects. */
static int connection(struct sockaddr *address, socklen_t size, int n)
{
	int fd = socket(address->sa_family, SOCK_STREAM, 0), peer = -1;
	struct sockaddr_in bound;
	socklen_t length = sizeof(bound);

	if (!rank && (bind(fd, address, size) || listen(fd, 1)))
		fd = -1;
	if (!rank && address->sa_family == AF_INET &&
	    !getsockname(fd, (struct sockaddr *)&bound, &length))
		atomic_store(&shared->port, bound.sin_port);
	barrier(n);
	if (!rank)
		peer = accept(fd, NULL, NULL);
	if (rank && address->sa_family == AF_INET)
		((struct sockaddr_in *)address)->sin_port =
			(in_port_t)atomic_load(&shared->port);
	if (rank && !connect(fd, address, size))
		peer = fd;
	return peer;
}

int main(void)
{
	const char *job = getenv("SLURM_JOB_ID"), *id = getenv("SLURM_PROCID");
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct sockaddr_in loop = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char own[64];
	int n;

	if (!job || !id)
		errx(2, "not in a step");
	alarm(30);
	rank = atoi(id);
	share(job);
	read_other(own);
	system_v((key_t)(0x52000000 + atoi(job)));
	n = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "ranks.%s",
		     job);
	say("abstract socket",
	    connection((struct sockaddr *)&name,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) +
			       (socklen_t)n,
		       6) >= 0);
	say("TCP over the loopback",
	    connection((struct sockaddr *)&loop, sizeof(loop), 7) >= 0);
	barrier(8);
	return 0;
}
