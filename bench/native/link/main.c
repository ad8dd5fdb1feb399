/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - many devices that are nothing but their ends of the link
 *
 * usage: links ADDRESS PORT PREFIX FIRST COUNT
 *
 * Makes COUNT key pairs and prints "ID FINGERPRINT HOSTNAME" for each, then
 * "ready".  After that commands are read from standard input, and each answers
 * with one line of JSON:
 *
 *  dial            all begin to dial, or hang up and dial anew, at once
 *  registered      the slurmds of all are up
 *  park N, open N  the owners of the first N come, or go
 *  status          the counts of struct crowd and the CPU time of this process
 *
 * Ends with its standard input.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "device.h"
#include "log.h"

static struct crowd crowd;
static struct device *devices;
static unsigned count;

static uint64_t cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

static void print_status(void)
{
	printf("{\"up\": %u, \"up_at\": %" PRIu64
	       ", \"told\": %u, \"told_at\": %" PRIu64 ", \"dials\": %u, "
	       "\"failed\": %u, \"refused\": %u, \"lost\": %u, \"acks\": %u, "
	       "\"pongs\": %u, \"slow\": %u, \"slowest_ms\": %" PRIu64
	       ", \"cpu_ms\": %" PRIu64 ", \"trouble\": \"%s\"}\n",
	       crowd.up, crowd.up_at, crowd.told, crowd.told_at, crowd.dials,
	       crowd.failed, crowd.refused, crowd.lost, crowd.acks, crowd.pongs,
	       crowd.slow, crowd.slowest_ms, cpu_ms(), crowd.trouble);
	crowd.pongs = crowd.slow = 0;
	crowd.slowest_ms = 0;
}

static void print_at(uint64_t at)
{
	printf("{\"at\": %" PRIu64 "}\n", at);
}

static void obey(const char *line)
{
	uint64_t at = monotonic_ms();
	unsigned i, n;

	if (strcmp(line, "dial") == 0) {
		for (i = 0; i < count; i++)
			device_dial(&devices[i]);
		print_at(at);
	} else if (strcmp(line, "registered") == 0) {
		crowd.registered = true;
		for (i = 0; i < count; i++)
			device_state(&devices[i]);
		print_at(at);
	} else if (sscanf(line, "park %u", &n) == 1) {
		for (i = 0; i < n && i < count; i++)
			device_harvest(&devices[i], VOL_HARVEST_PARKED,
				       "owner present");
		print_at(at);
	} else if (sscanf(line, "open %u", &n) == 1) {
		for (i = 0; i < n && i < count; i++)
			device_harvest(&devices[i], VOL_HARVEST_OPEN, "");
		print_at(at);
	} else {
		print_status();
	}
	fflush(stdout);
}

static int on_input(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	static char buf[256];
	static size_t len;
	char *end;
	ssize_t n = read(fd, buf + len, sizeof(buf) - len - 1);

	(void)source;
	(void)events;
	(void)arg;
	if (n <= 0)
		return sd_event_exit(crowd.loop, 0);
	len += (size_t)n;
	buf[len] = '\0';
	while ((end = strchr(buf, '\n'))) {
		*end = '\0';
		obey(buf);
		len -= (size_t)(end + 1 - buf);
		memmove(buf, end + 1, len + 1);
	}
	return 0;
}

static void say(enum vol_log_level level, const char *msg, void *arg)
{
	(void)level;
	(void)arg;
	fprintf(stderr, "links: %s\n", msg);
}

static int begin(char **argv)
{
	unsigned first = (unsigned)atoi(argv[4]), i;
	char text[VOL_FINGERPRINT_SIZE], hostname[32];
	struct vol_error err;

	crowd.address = argv[1];
	crowd.port = (uint16_t)atoi(argv[2]);
	count = (unsigned)atoi(argv[5]);
	devices = calloc(count, sizeof(*devices));
	if (!devices || sd_event_new(&crowd.loop) < 0 ||
	    sd_event_add_io(crowd.loop, NULL, STDIN_FILENO, 1, on_input, NULL) <
		    0)
		return -1;
	for (i = 0; i < count; i++) {
		snprintf(hostname, sizeof(hostname), "%.16s%u", argv[3],
			 first + i);
		if (device_init(&devices[i], &crowd, hostname, &err) < 0) {
			fprintf(stderr, "links: %s\n", err.text);
			return -1;
		}
		vol_fingerprint_text(vol_keypair_fingerprint(devices[i].key),
				     text);
		printf("%s %s %s\n", devices[i].id, text, hostname);
	}
	printf("ready\n");
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit files;
	unsigned i;

	if (argc != 6) {
		fprintf(stderr, "usage: links ADDRESS PORT PREFIX FIRST "
				"COUNT\n");
		return 2;
	}
	vol_log_set(say, NULL, VOL_LOG_WARN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (begin(argv) < 0)
		return 1;
	sd_event_loop(crowd.loop);
	for (i = 0; i < count; i++)
		device_clear(&devices[i]);
	free(devices);
	sd_event_unref(crowd.loop);
	return 0;
}
