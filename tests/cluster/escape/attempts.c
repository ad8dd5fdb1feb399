/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempts.c - all attempts as one program, which makes the one that it is
 * called by: .../GROUP/NAME
 *
 * "build" lists them, ATTEMPT(GROUP/NAME, FUNCTION) a line; the function is the
 * main() of that file.
 */
#include <stdio.h>
#include <string.h>

/* Those that take no arguments ignore ours. */
#define ATTEMPT(name, function) int function(int argc, char *argv[]);
#include "attempts.list"
#undef ATTEMPT

static const struct attempt {
	const char *name;
	int (*make)(int argc, char *argv[]);
} attempts[] = {
#define ATTEMPT(name, function) {#name, function},
#include "attempts.list"
};

static int is_called(const char *path, const char *name)
{
	size_t len = strlen(path), tail = strlen(name);

	return len > tail && path[len - tail - 1] == '/' &&
	       !strcmp(path + len - tail, name);
}

int main(int argc, char *argv[])
{
	const size_t n = sizeof(attempts) / sizeof(*attempts);

	for (size_t i = 0; argc > 0 && i < n; i++)
		if (is_called(argv[0], attempts[i].name))
			return attempts[i].make(argc, argv);
	fprintf(stderr, "attempts: is called by the name of one\n");
	return 2;
}
