/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setgid_program.c - run a program that becomes a member of another group
 *
 * Wall: no_new_privs, nosuid
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char command[512], answer[256] = "";
	const char *program = victim("setgid_program");
	FILE *pipe;

	if (access(program, X_OK))
		blocked("run %s", program);
	snprintf(command, sizeof(command), "exec %s", program);
	pipe = popen(command, "re");
	if (!pipe || !fgets(answer, sizeof(answer), pipe))
		cannot("hear from %s", program);
	errno = 0;
	if (!strstr(answer, " egid=0 "))
		blocked("it says %.*s", (int)strcspn(answer, "\n"), answer);
	reached("the group of root");
}
