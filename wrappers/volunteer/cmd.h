/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd.h - the subcommands of volunteer
 *
 * One per file.  argv[0] is the subcommand's name.  The return value is the
 * exit status: 0 done, 1 failed, 2 used wrongly; what went wrong is on stderr.
 */
#ifndef VOL_CMD_H
#define VOL_CMD_H

enum { VOL_EXIT_OK, VOL_EXIT_FAILED, VOL_EXIT_USAGE };

int cmd_approve(int argc, char **argv);
int cmd_checkpoints(int argc, char **argv);
int cmd_cluster(int argc, char **argv);
int cmd_devices(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_forget(int argc, char **argv);
int cmd_join(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_move_owner(int argc, char **argv);
int cmd_pause(int argc, char **argv);
int cmd_rename(int argc, char **argv);
int cmd_resume(int argc, char **argv);
int cmd_rotate_key(int argc, char **argv);
int cmd_sandbox(int argc, char **argv);
int cmd_select(int argc, char **argv);
int cmd_set(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_token(int argc, char **argv);
int cmd_tokens(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_why(int argc, char **argv);

#endif
