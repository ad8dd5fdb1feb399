/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capable_program.c - run a program that has capabilities of its own
 *
 * Wall: no_new_privs, nosuid
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char command[512], answer[256] = "";
	const char *program = victim("capable_program");
	FILE *pipe;

	if (access(program, X_OK))
		blocked("run %s", program);
	snprintf(command, sizeof(command), "exec %s", program);
	pipe = popen(command, "re");
	if (!pipe || !fgets(answer, sizeof(answer), pipe))
		blocked("%s does not run", program);
	errno = 0;
	if (strstr(answer, " caps=0\n"))
		blocked("it says %.*s", (int)strcspn(answer, "\n"), answer);
	reached("%.*s", (int)strcspn(answer, "\n"), answer);
}
