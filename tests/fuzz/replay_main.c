/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay_main.c - run a fuzz harness over the files of a folder, once each
 *
 * Stands in for libFuzzer's main, so that any compiler and sanitizer can check
 * that what was once found stays fixed.  A folder without files is an error: a
 * test that looks at nothing must not pass.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <limits.h>
#include <unistd.h>

#include "atomicfile.h"
#include "fuzz.h"

/* Larger than what any parser takes, so that its limits are met. */
#define INPUT_MAX (1024 * 1024)

/* An input takes microseconds; one that loops must end the test. */
#define INPUT_TIMEOUT_S 60

static bool replay_file(const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct vol_error err;
	size_t len;
	char *data, *exact;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= PATH_MAX) {
		fprintf(stderr, "%s/%s: name too long\n", folder, name);
		return false;
	}
	data = vol_file_read(path, INPUT_MAX, &len, &err);
	if (!data) {
		fprintf(stderr, "%s\n", err.text);
		return false;
	}
	/* A copy without the closing NUL: reading past the end shows. */
	exact = malloc(len ? len : 1);
	if (!exact)
		abort();
	memcpy(exact, data, len);
	free(data);
	printf("%s\n", path); /* the last line names the one that crashed */
	fflush(stdout);
	alarm(INPUT_TIMEOUT_S);
	LLVMFuzzerTestOneInput((const uint8_t *)exact, len);
	alarm(0);
	free(exact);
	return true;
}

/* Number of files, or -1. */
static int replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	int n = 0;

	if (!dir) {
		fprintf(stderr, "%s: %s\n", folder, strerror(errno));
		return -1;
	}
	while (n >= 0 && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		n = replay_file(folder, e->d_name) ? n + 1 : -1;
	}
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	int n;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	n = replay_folder(argv[1]);
	if (n == 0)
		fprintf(stderr, "%s: no files\n", argv[1]);
	else if (n > 0)
		printf("%d inputs replayed\n", n);
	return n > 0 ? 0 : 1;
}
