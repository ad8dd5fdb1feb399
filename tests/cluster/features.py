# SPDX-License-Identifier: GPL-2.0-or-later
"""features.py - what users of Slurm do, a row each

A row is a script that runs on the login node as the scientist (or as the admin)
with the words of rows.sh; what it says is what this feature of Slurm does.
"""
import dataclasses


@dataclasses.dataclass
class Row:
    """One feature.

    shows: what the script says where Slurm is right; no row may pass because
    it fails in the same way twice.  slow: when "running" is there, it does but
    wait for one of Slurm's own half minutes.  differs: why what it says is
    another thing in the sandbox today."""
    name: str
    script: str
    shows: tuple = ()
    admin: bool = False
    slow: bool = False
    differs: str = ""


# -- how jobs end --------------------------------------------------------------

ENDS = [
    Row("batch ends well", """
batch --wrap 'echo one; exit 0'; ended; cat out
""", ("JobState=COMPLETED ExitCode=0:0", "one")),
    Row("exit code of a batch script", """
batch --wrap 'echo three; exit 3'; ended; cat out
""", ("JobState=FAILED ExitCode=3:0", "three")),
    Row("command not found", """
batch <<< $'#!/bin/bash\\nnosuch-command'; ended; cat out
failing nosuch-command
""", ("ExitCode=127:0", "nosuch-command: command not found",
      "execve(): nosuch-command: No such file", "status 2")),
    Row("not executable", """
echo echo x > plain
batch --wrap "./plain"; ended; cat out
failing ./plain
""", ("ExitCode=126:0", "ermission denied", "status 13")),
    Row("no interpreter, no format", """
printf '#!/nosuch/shell\\necho x\\n' > odd; printf 'echo x\\n' > none
chmod +x odd none
failing ./odd; failing ./none
""", ("status 2", "status 8")),
    *[Row(f"batch script dies of SIG{name}", f"""
batch --wrap 'ulimit -c 0; kill -{name} $$; sleep 5'; ended; cat out
""", (f"JobState=FAILED ExitCode=0:{number}",))
      for name, number in (("TERM", 15), ("SEGV", 11), ("KILL", 9))],
    Row("a program of the batch script dies", """
batch --wrap "ulimit -c 0; sh -c 'kill -SEGV \\$\\$'; echo saw \\$?"
ended; cat out
""", ("ExitCode=0:0", "saw 139")),
    Row("exit code and death of a task of srun", """
ulimit -c 0
step sh -c 'exit 9'; echo "status $?"
step sh -c 'kill -KILL $$'; echo "status $?"
step sh -c 'kill -SEGV $$'; echo "status $?"
step sh -c 'kill -TERM $$'; echo "status $?"
""", ("status 9", "status 137", "status 139", "status 143",
      "task 0: Killed", "task 0: Segmentation fault")),
    Row("the highest exit code of tasks", """
step -n2 sh -c 'exit $((SLURM_PROCID * 4 + 3))' 2>&1 | sort
echo "status ${PIPESTATUS[0]}"
""", ("status 7", "task 1: Exited with exit code 7")),
    Row("kill on bad exit", """
step -n2 -K sh -c '[ $SLURM_PROCID = 0 ] || { date +%s > died; exit 5; }
                   exec sleep 60' > said 2>&1
echo "status $?, soon: $(($(date +%s) - $(cat died) < 30))"
grep -o 'task [01]: .*' said | sort
""", ("soon: 1", "task 1: Exited with exit code 5")),
    Row("time limit", """
batch -t 1 <<'END'
#!/bin/bash
trap 'echo got TERM; exit 1' TERM
touch running
while :; do sleep 0.2; done
END
started; scontrol update jobid=$job endtime=now+1second
ended; cat out
""", ("JobState=TIMEOUT", "got TERM", "DUE TO TIME LIMIT"), admin=True,
        slow=True),
    Row("processes that stay behind are ended", """
batch --wrap 'setsid sh -c "while date > beat; do sleep 0.1; done" &
(setsid sh -c "trap \\"\\" TERM HUP INT
               while date > beat2; do sleep 0.1; done" &)
sleep 0.5; exit 0'
ended; cat out
touch mark; sleep 0.6; find . -name 'beat*' -newer mark; ls beat*
""", ("ExitCode=0:0", "beat\nbeat2\n")),
    Row("requeue", """
batch --requeue --open-mode=append <<'END'
#!/bin/bash
echo "start ${SLURM_RESTART_COUNT-first}"
touch running.${SLURM_RESTART_COUNT-0}
[ "$SLURM_RESTART_COUNT" = 1 ] || exec sleep 60
END
until_there running.0
scontrol requeue $job
for i in $(seq 100); do
    sleep 0.2
    scontrol show job $job | grep -q JobState=PENDING || continue
    scontrol update jobid=$job starttime=now && break
done
until_there running.1; ended; grep -v ^slurmstepd out
""", ("start first\nstart 1\n", "COMPLETED", "Restarts=1")),
]

# -- signals -------------------------------------------------------------------

SIGNALS = [
    Row("scancel, SIGTERM is caught", """
batch <<'END'
#!/bin/bash
trap 'echo got TERM; exit 7' TERM
touch running
sleep 60 & wait
END
started; scancel $job; ended; grep -v ^slurmstepd out
""", ("JobState=CANCELLED", "got TERM")),
    Row("scancel, SIGTERM is ignored", """
batch <<'END'
#!/bin/bash
trap '' TERM
touch running
began=$SECONDS
while :; do sleep 0.2; echo $((SECONDS - began)) >> seconds; done
END
started; scancel $job; ended; grep -v ^slurmstepd out
last=$(tail -n 1 seconds)
[ "$last" -ge 25 ] && [ "$last" -le 65 ] && echo after KillWait
""", ("JobState=CANCELLED", "after KillWait"), slow=True),
    Row("scancel -b -s: the script alone", """
batch <<'END'
#!/bin/bash
trap 'echo script; touch got' USR1
bash -c 'trap "echo child" USR1; touch running
         until [ -e got ]; do sleep 0.1; done; sleep 0.5' &
until wait; do :; done
wait; exit 4
END
started; scancel -b -s USR1 $job; ended; cat out
""", ("script", "ExitCode=4:0")),
    Row("scancel -f -s: the script and its children", """
batch <<'END'
#!/bin/bash
exec 2> /dev/null  # where bash may say of what its sleep died
trap 'echo script' USR1
bash -c 'trap "echo child; exit" USR1; touch running
         while :; do sleep 0.1; done' &
until wait; do :; done
wait; exit 4
END
started; scancel -f -s USR1 $job; ended; sort out
""", ("child\nscript\n", "ExitCode=4:0")),
    Row("scancel -s to the tasks of a step", """
step -n2 bash -c 'trap "echo got USR1 $SLURM_PROCID; exit 6" USR1
    echo $SLURM_JOB_ID > id; touch running.$SLURM_PROCID
    while :; do sleep 0.1; done' > said 2>&1 &
until_there running.0; until_there running.1
scancel -s USR1 $(cat id); wait $!; echo "status $?"
grep -v Exited said | sort
""", ("status 6", "got USR1 0", "got USR1 1")),
    Row("sbatch --signal before the time limit", """
batch -t 10 --signal=B:USR2@50 <<'END'
#!/bin/bash
trap 'echo got USR2; exit 5' USR2
touch running
for i in $(seq 500); do sleep 0.2; done
END
started; scontrol update jobid=$job timelimit=1; ended
grep -v ^slurmstepd out
""", ("got USR2", "JobState=FAILED ExitCode=5:0"), slow=True),
    Row("interrupting srun", """
set -m
exec_step bash -c 'trap "echo task got INT; exit 3" INT; touch running
              for i in $(seq 300); do sleep 0.1; done' > said 2>&1 &
started
# On a busy machine the second one may be later than within a second.
for i in $(seq 10); do
    kill -INT $!; sleep 0.3; kill -INT $!; sleep 1
    grep -q Ctrl-C said && break
done
wait $! || echo it failed
grep -E 'interrupt|Ctrl-C|forcing' said | sort -u
""", ("it failed", "one more within 1 sec to abort", "sending Ctrl-C")),
    Row("srun passes on SIGUSR1, and kills on SIGTERM", """
set -m
exec_step bash -c 'trap "echo task got USR1; touch got" USR1
    touch running
    for i in $(seq 500); do sleep 0.1; done' > said 2>&1 &
started; kill -USR1 $!; until_there got; kill -TERM $!; wait $!
echo "status $?"
grep -o 'task got .*' said
""", ("task got USR1", "status 137")),
    Row("suspend and resume", """
batch <<'END'
#!/bin/bash
echo > beats; touch running
while :; do echo >> beats; sleep 0.05; done
END
started; scontrol suspend $job; sleep 3.2
scontrol show job $job | grep -o JobState=SUSPENDED
n=$(wc -l < beats); sleep 0.8
[ $(wc -l < beats) = $n ] && echo stands still
scontrol resume $job
for i in $(seq 200); do [ $(wc -l < beats) -gt $n ] && break; sleep 0.1; done
[ $(wc -l < beats) -gt $n ] && echo goes on
scancel $job; ended
""", ("JobState=SUSPENDED", "stands still", "goes on", "CANCELLED"),
        admin=True),
]

# -- input and output ----------------------------------------------------------

IO = [
    Row("sbatch -i", """
seq 1 2000 > in; batch -i "$PWD/in" --wrap md5sum; ended; cat out
batch --wrap 'wc -c'; ended; cat out
""", ("COMPLETED", "\n0\n")),
    Row("srun reads a pipe", """
seq 1 200000 | step md5sum
echo to one | step -n2 -l --input=1 cat
echo to none | step --input=none wc -c
""", ("0e10426a1d5bddffcef02f1345787128", "1: to one", "\n0\n")),
    Row("output and errors apart", """
batch -e err --wrap 'echo to out; echo to err >&2'; ended
grep . out err
""", ("out:to out", "err:to err")),
    Row("output and errors in one file", """
batch --wrap 'for i in 1 2 3; do echo $i; echo e$i >&2; done'; ended; cat out
""", ("1\ne1\n2\ne2\n3\ne3\n",)),
    Row("patterns in names of output files", """
batch -J some-name -o '%x.%j.%u.%N.%n.%t.%s.%%.txt' --wrap 'echo named'
ended; grep -H . ./*.txt
""", ("some-name.JOB.alice.desk1.0.0.batch.%.txt:named",)),
    Row("open mode", """
echo before > out; batch --open-mode=append --wrap 'echo after'; ended; cat out
batch --open-mode=truncate --wrap 'echo instead'; ended; cat out
""", ("before\nafter\n", "instead")),
    Row("the script opens its output anew", """
batch <<'END'
#!/bin/bash
echo first; echo second >> /dev/stdout; echo third >> /dev/stderr
cat < /dev/stdin; readlink "/proc/$$/fd/1" | grep -o '[^/]*$'
END
ended; cat out
""", ("first\nsecond\nthird\nout\n",)),
    Row("srun --label with two tasks", """
step -n2 -l sh -c 'echo task $SLURM_PROCID of $SLURM_NTASKS
                   echo error >&2' 2>&1 | sort
""", ("0: error\n0: task 0 of 2\n1: error\n1: task 1 of 2\n",)),
    Row("srun writes files of its tasks", """
step -n2 -o 'task-%t.txt' -e 'err-%t.txt' sh -c '
    echo out $SLURM_PROCID; echo err $SLURM_PROCID >&2'
grep . task-*.txt err-*.txt
""", ("task-0.txt:out 0", "task-1.txt:out 1", "err-1.txt:err 1")),
    Row("100 MB through srun", """
head -c 100000000 /dev/zero | step cat | md5sum
""", ("0f86d7c5a6180cf9584c1d21144d85b0",)),
    Row("srun --pty: a terminal", """
script -qec "stty rows 33 cols 111; srun -p volunteer -w $NODE -N1 --mem=20 -s \\
    --pty bash -c 'test -t 0 && test -t 1 && test -t 2 && echo isatty
        stty size; echo term \\$TERM; exit 6'" /dev/null < /dev/null |
    tr -cd '[:print:]\\n' | grep -oE 'isatty|33 111|term.*|exit code.*' |
    sort
echo "status ${PIPESTATUS[0]}"
""", ("isatty", "33 111", "status 6")),
    Row("srun --pty: the terminal's name", """
script -qec "srun -p volunteer -w $NODE -N1 --mem=20 -s --pty bash -c 'tty
    ps -o tty= -p \\$\\$; echo by its name > \\$(tty)
    stat -c owner:%U \\$(tty)'" /dev/null < /dev/null |
    grep -oE '(/dev/)?pts/|not a tty|^[?]|by its name|owner:.*'
""", ("/dev/pts/\npts/\nby its name\nowner:alice",)),
    Row("srun --pty: job control", """
export TERM=dumb
printf '%s\\n' 'PS1=; set +o emacs; stty -echo' 'sleep 50 &' \\
    'kill -STOP %1; sleep 0.3; jobs' 'kill -CONT %1; sleep 0.3; jobs' \\
    'kill %1; exit 0' |
    script -qec "srun -p volunteer -w $NODE -N1 --mem=20 -s --pty \\
        bash --norc --noprofile -i" /dev/null 2>&1 | tr -d '\\r' |
    grep -oE '(Stopped|Running) .*|job control|ioctl'
""", ("Stopped", "Running")),
    Row("srun --pty: Ctrl-C", """
(started; sleep 0.3; printf '\\003'; sleep 2) |
    script -qec "srun -p volunteer -w $NODE -N1 --mem=20 -s --pty bash -c '
        trap \\"echo got INT; exit 5\\" INT; touch running
        for i in \\$(seq 100); do sleep 0.1; done'" /dev/null > said 2>&1
echo "status $?"; grep -o 'got INT' said
""", ("status 5", "got INT")),
]

# -- what a job finds ----------------------------------------------------------

PLACE = [
    Row("working folder", """
batch --wrap 'pwd; pwd -P; echo "$PWD"; touch made; stat -c "%U:%G %a" made'
ended; cat out; ls made
""", ("alice:alice 644", "COMPLETED")),
    Row("another working folder", """
mkdir sub; batch -D "$PWD/sub" -o "$PWD/out" --wrap 'pwd; ls -a ..'
ended; cat out; step -D "$PWD/sub" pwd
""", ("/sub\n",)),
    Row("$0 and arguments of a script", """
cat > script <<'END'
#!/bin/bash
echo "${0##*/}: $# $1 $2 $3"; sed -n 2p "$0" | cut -c 1-4; exec 3< "$0"
END
batch ./script one 'two three' 'vier fünf'; ended; cat out
""", ("slurm_script: 3 one two three vier fünf", "echo")),
    Row("a script that does not fit a pipe", """
{ echo '#!/bin/bash'; yes : | head -n 100000; echo 'echo the end'; } > long
batch ./long; ended; cat out
""", ("the end",)),
    Row("other interpreters", """
batch <<'END'
#!/usr/bin/perl -w
print "perl $$ENV{SLURM_JOB_NUM_NODES}\\n" =~ s/\\d{2,}//r; exit 12;
END
ended; cat out
batch <<'END'
#!/usr/bin/env -S bash -e
echo env; false; echo not here
END
ended; cat out
""", ("perl", "ExitCode=12:0", "env", "ExitCode=1:0")),
    Row("unusual names", """
mkdir 'a b ü'; cd 'a b ü'
printf '#!/bin/sh\\npwd; ls\\n' > 'öd script $x.sh'
job=$(sbatch --parsable -p volunteer -w "$NODE" -N1 --mem=20 -s \\
    -o 'ö %j "x".txt' './öd script $x.sh')
cd ..; echo "$job" >> ids; ended; cd 'a b ü'; ls; cat ö*.txt
chmod +x *.sh; step './öd script $x.sh'
""", ("öd script $x.sh", "/a b ü", "ö JOB")),
    Row("environment of a batch script", """
batch --wrap 'env'; ended; sort out
""", ("SLURM_JOB_PARTITION=volunteer", "HOME=/campaign/alice")),
    Row("environment of a task", """
step env | sort
""", ("SLURM_PROCID=0", "USER=alice")),
    Row("--export", """
export VOL_A=1 VOL_B='two words' VOL_C=ümlaut
for what in ALL NONE ALL,VOL_A=5 VOL_B,VOL_D=4; do
    echo "$what"; failing --export="$what" env | grep -v '^[A-UW-Z]' | sort
done
batch --export=VOL_A,VOL_E=x --wrap 'env | grep ^VOL_ | sort'; ended; cat out
""", ("VOL_A=5", "VOL_B=two words", "VOL_D=4", "VOL_E=x")),
    Row("a large environment", """
export BIG=$(head -c 120000 /dev/zero | tr '\\0' x)
for i in $(seq 2000); do export VOL_$i=value-$i; done
step bash -c 'echo ${#BIG}; env | grep -c ^VOL_; env | grep ^VOL_ | sort |
    md5sum'
batch --wrap 'echo ${#BIG}; env | grep -c ^VOL_'; ended; cat out
""", ("120000\n2000\n",)),
    Row("umask", """
umask 027; batch --wrap 'umask; touch m; stat -c %a m'; ended; cat out
umask 077; step sh -c umask
""", ("0027\n640\n", "0077")),
    Row("resource limits", """
ulimit -S -s 4096; ulimit -S -f 100000; ulimit -S -v 4000000
step bash -c 'ulimit -a'; step bash -c 'ulimit -Ha'
""", ("4096", "100000", "4000000")),
    Row("user, group and home", """
step bash -c 'whoami; id; id -un; echo ~ "$HOME" $USER; cd ~ && pwd
    getent passwd root | cut -d: -f1,3
    getent group $(id -g)'
""", ("uid=2001(alice) gid=2001(alice)", "/campaign/alice")),
    Row("home and shell of the account", """
step sh -c 'getent passwd $(id -u)'
""", ("alice:x:2001:2001:",)),
    Row("language and time zone", """
step bash -c 'locale 2>&1; echo ü | wc -m; date -d @86400 "+%F %T %Z"'
TZ=America/New_York LC_ALL=C step bash -c '
    locale 2>&1; date -d @86400 "+%F %T %Z"'
""", ("1970-01-02 00:00:00 UTC", "LC_ALL=C")),
    Row("places to write", """
step bash -c 'f=$(mktemp) && echo "echo from tmp" > $f && chmod +x $f && $f
    ! test -w /usr && echo /usr is not; echo x > /dev/null
    echo y > /dev/shm/y && cat /dev/shm/y; rm -f /dev/shm/y $f
    head -c 4 /dev/urandom | wc -c; head -c 3 /dev/zero | wc -c
    test -w /var/tmp && echo /var/tmp is
    echo z > /dev/full' 2>&1
""", ("from tmp", "/usr is not", "y\n", "No space left", "/var/tmp is")),
    Row("pipes, fifos, files of processes", """
step bash -c 'mkfifo f; (seq 3 > f &); cat f; diff <(echo a) <(echo a) &&
    echo same; echo here | tee >(cat > copy); sleep 0.2; cat copy
    readlink /proc/self/cwd; coproc cat; echo co >&${COPROC[1]}
    read -ru ${COPROC[0]} line; echo $line; timeout 0.2 sleep 5; echo $?'
""", ("1\n2\n3\nsame\nhere\nhere\n", "co\n124\n")),
    Row("a lock between two jobs", """
touch lock
batch --wrap 'flock lock sh -c "touch running; until test -e tried
    do sleep 0.1; done; sleep 0.5; touch freed"'
started
step bash -c 'flock -n lock echo free || echo taken; touch tried
    flock lock test -e freed && echo mine'
ended
""", ("taken", "mine")),
    Row("CPUs", """
step nproc
step -c2 bash -c 'nproc; grep Cpus_allowed_list /proc/self/status
    echo $SLURM_CPUS_ON_NODE $SLURM_CPUS_PER_TASK'
""", ("Cpus_allowed_list:", "2 2")),
    Row("memory that was asked for", """
step --mem=64 bash -c 'echo $SLURM_MEM_PER_NODE
    perl -e "my \\$x = q(x) x (30 << 20); print length \\$x, qq(\\n)"'
""", ("64\n31457280\n",)),
]

# -- arrays, steps, several tasks ----------------------------------------------

PARTS = [
    Row("array", """
batch -a 1-3,7 -o 'out.%a' --wrap 'echo $SLURM_ARRAY_TASK_ID of \\
    $SLURM_ARRAY_TASK_COUNT; exit $SLURM_ARRAY_TASK_ID'
ended | sort; grep . out.*
""", ("ArrayTaskId=7", "ExitCode=7:0", "out.3:3 of 4")),
    Row("ranks of one step talk", """
step -n2 "$TOOLS/ranks" | sort
""", tuple(f"rank {n}: {way}: ok" for n in (0, 1) for way in (
        "shared memory and futex", "process_vm_readv", "kill(other, 0)",
        "System V shared memory", "abstract socket",
        "TCP over the loopback"))),
    Row("MPI start-up by PMI-2", """
step -n2 --mpi=pmi2 bash -c '
    echo "cmd=init pmi_version=2 pmi_subversion=0" >&$PMI_FD
    read -r -t 5 -u $PMI_FD line; echo "$PMI_RANK of $PMI_SIZE: $line"' | sort
""", ("0 of 2: cmd=response_to_init", "rc=0")),
    Row("a program for each task", """
printf '0 echo zero %%t\\n1 printf one-%%o\\n' > programs
step -n2 -l --multi-prog programs | sort
""", ("0: zero 0", "1: one-0")),
    Row("--task-prolog", """
printf '#!/bin/sh\\necho print from the prolog\\necho export VOL_P=here\\n' \\
    > prolog; chmod +x prolog
step --task-prolog="$PWD/prolog" bash -c 'echo $VOL_P'
""", ("from the prolog", "here")),
    Row("srun into an allocation", """
salloc -p volunteer -w "$NODE" -N1 --mem=20 -s --no-shell 2> said
job=$(grep -o 'allocation [0-9]*' said | grep -o '[0-9]*' | tail -n 1)
echo $job >> ids
srun --jobid=$job sh -c 'echo step $SLURM_STEP_ID'
srun --jobid=$job --overlap sh -c 'echo step $SLURM_STEP_ID; exit 3' \
    2> /dev/null
echo "status $?"; scancel $job; ended
""", ("step 0", "step 1", "status 3")),
    Row("two steps side by side", """
salloc -Q -p volunteer -w "$NODE" -N1 --mem=40 -s -n2 bash -c '
    for i in 1 2; do
        srun --exact -n1 --mem=20 sh -c "touch at.$i
            for j in \\$(seq 100); do test -e at.1 && test -e at.2 && break
            sleep 0.1; done; ls at.*" &
    done; wait'
echo "status $?"
""", ("at.1\nat.2\nat.1\nat.2\n", "status 0")),
    Row("a node to oneself", """
job=$(sbatch --parsable -p volunteer -w "$NODE2" --exclusive -o out \\
    --wrap 'echo $SLURM_CPUS_ON_NODE of $(nproc --all)'); echo $job >> ids
ended; cat out
""", ("COMPLETED",)),
    Row("sbcast to the working folder", """
seq 1 1000 > from
salloc -Q -p volunteer -w "$NODE" -N1 --mem=20 -s bash -c '
    sbcast from "$PWD/to" && srun md5sum to; stat -c %U to'
""", ("53d025127ae99ab79e8502aae2d9bea6", "alice")),
    Row("a step within a batch script", """
batch --wrap 'timeout 60 srun echo in a step; echo status $?'; ended; cat out
""", ("in a step", "status 0")),
]

ROWS = ENDS + SIGNALS + IO + PLACE + PARTS
