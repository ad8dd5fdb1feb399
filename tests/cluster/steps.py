# SPDX-License-Identifier: GPL-2.0-or-later
"""steps.py - what batch scripts do with srun, a row each

ROWS do the same inside the sandbox and outside; REFUSED are lines of srun that
would do something outside of it, each with what it says instead."""
import dataclasses


@dataclasses.dataclass
class Row:
    """A piece of a batch script, in a folder of its own.

    shows: what it says where Slurm is right."""
    name: str
    script: str
    shows: tuple


ROWS = [
    Row("a program and its arguments", """
printf '#!/bin/sh\\necho "$# $1 $2"\\n' > prog; chmod +x prog
srun -n1 ./prog one 'two  three'; echo $?
srun -n1 -- ./prog -n ''; PATH=$PWD:$PATH srun -n1 prog by PATH
""", ("2 one two  three\n0\n2 -n \n2 by PATH",)),
    Row("all tasks of the job", """
srun echo task; echo $?
""", ("task\ntask\n0",)),
    Row("ranks with labels", """
srun -n 2 -l sh -c 'echo $SLURM_PROCID of $SLURM_NTASKS' | sort
""", ("0: 0 of 2\n1: 1 of 2\n",)),
    Row("exact CPUs", """
srun -N1 -n1 -c2 --exact sh -c 'nproc; echo $SLURM_CPUS_PER_TASK'
""", ("2\n2\n",)),
    Row("overlap", """
srun -n2 sh -c 'for i in $(seq 300); do
    [ -e seen ] && exit; sleep 0.1; done; exit 1' &
srun --overlap -n1 touch seen; wait $!; echo $?
""", ("0\n",)),
    Row("many in the background", """
for i in 1 2 3 4 5; do
    srun -Q -n1 --exact --mem=20 sh -c "echo step $i > $i" &
done
wait; cat ?
""", ("step 1\nstep 2\nstep 3\nstep 4\nstep 5\n",)),
    Row("wait -n and exit codes", """
srun -n1 --exact --mem=20 sh -c 'exit 3' & a=$!
srun -n1 --exact --mem=20 sh -c 'exit 0' & b=$!
wait $a; echo $?; wait $b; echo $?
""", ("3\n", "Exited with exit code 3", "0\n")),
    Row("death by a signal", """
srun -n1 sh -c 'kill -KILL $$'; echo $?
srun -n1 sh -c 'ulimit -c 0; kill -SEGV $$'; echo $?
""", ("137\n", "139\n", "task 0: Killed")),
    Row("kill on bad exit", """
srun -n2 -K sh -c '[ $SLURM_PROCID = 0 ] || exit 5; exec sleep 90' 2> said
echo $?; grep -o 'task 1: .*' said
""", ("task 1: Exited with exit code 5",)),
    Row("not found", """
srun -n1 nosuch; echo $?; touch plain; srun -n1 ./plain; echo $?
srun; echo $?
""", ("execve(): nosuch: No such file or directory", "13\n",
      "No command given to execute")),
    Row("pipes", """
seq 1 20000 | srun -n1 md5sum; srun -n1 seq 3 | tail -n 1
srun -n1 cat <<< 'a line'; srun -n2 -l -i none wc -c | sort
srun -n1 sh -c 'echo out; echo err >&2' 2> err; cat err
head -c 3000000 /dev/zero | srun -n1 cat | wc -c
""", ("a line", "0: 0\n1: 0\n", "out\nerr\n", "3000000")),
    Row("files of srun", """
srun -n2 -o out -e err sh -c 'echo o; echo e >&2'; cat out err
srun -n2 -o 'task-%t' sh -c 'echo $SLURM_PROCID'; cat task-*
srun -n1 -o 'new/%x-%%' echo in a new folder; cat new/*
seq 3 > in; srun -n2 -l -i in cat | sort; srun -n1 -o out echo more
srun -n1 --open-mode=append -o out echo and more; cat out
""", ("o\no\ne\ne\n0\n1\n", "in a new folder", "1: 3", "more\nand more")),
    Row("working folder", """
mkdir sub; srun -n1 -D sub pwd; srun -n1 -D "$PWD/sub" pwd
cd sub; srun -n1 pwd; srun -n1 -D .. pwd
""", ("/sub\n",)),
    Row("environment", """
export A='b  c' LINES2=$'x\\ny' EMPTY= LD_LIBRARY_PATH=/nosuch
hello() { echo hello; }; export -f hello
srun -n1 env | sort; srun -n1 bash -c hello
""", ("A=b  c", "LINES2=x\n", "SLURM_PROCID=0", "hello\n")),
    Row("--export", """
export A=1 B='two words'
for what in ALL NONE ALL,A=5 B,C=4; do
    srun -n1 --export="$what" /usr/bin/env | grep -v ^SLURM_ | sort
done
SLURM_EXPORT_ENV=B srun -n1 /usr/bin/env | grep -v ^SLURM_ | sort
""", ("A=1", "B=two words\nC=4")),
    Row("options as variables", """
SLURM_LABELIO=1 srun -n1 echo label; SLURM_NTASKS=2 srun echo twice
""", ("0: label\ntwice\ntwice\n",)),
    Row("limits and umask", """
ulimit -S -s 4096; umask 027; srun -n1 bash -c 'ulimit -s; umask'
""", ("4096\n0027\n",)),
    Row("signals to srun", """
run() {
    rm -f on
    srun -n1 bash -c "trap 'echo got $1; exit 6' $1; touch on
        for i in \\$(seq 300); do sleep 0.1; done" 2> said &
    until [ -e on ]; do sleep 0.1; done
    sleep 0.3; kill -$1 $!; wait $!; echo "$1: $?"
}
run USR1; run TERM; grep -o 'task 0: .*' said
""", ("got USR1\nUSR1: 6\n", "TERM: ")),
    Row("scancel from outside", """
srun -n1 bash -c 'trap "echo got USR2; exit 4" USR2; touch ../on
    for i in $(seq 300); do sleep 0.1; done'; echo $?
""", ("got USR2\n", "4\n")),
    Row("a step that is too large", """
srun -n99 true; echo $?
""", ("More processors requested than permitted",)),
    Row("what srun is", """
srun --version; srun --help | grep -c .
""", ("slurm", )),
]

ERROR = "srun: error: "
NO = " does not work in a volunteer job: "
RUNS = NO + "it would run a program outside of the sandbox"
READS = NO + "it would open a file outside of the sandbox"
UNKNOWN = "is not known to work in a volunteer job (options must be written " \
          "in full)"

# $EVIL writes into the folder of the row wherever it runs.
REFUSED = [
    ("--task-epilog=$EVIL true", "--task-epilog" + RUNS),
    ("--prolog=$EVIL true", "--prolog" + RUNS),
    ("--epilog=$EVIL true", "--epilog" + RUNS),
    ("--task-prolog=$EVIL true", "--task-prolog" + NO
     + "have the program run it"),
    ("--bcast=/home/ann/x true", "--bcast" + READS),
    ("--multi-prog /home/ann/list", "--multi-prog" + READS),
    ("--nodefile=/home/ann/list true", "--nodefile" + READS),
    ("--container=/home/ann true", "--container" + READS),
    ("--uid=1000 true", "--uid" + NO
     + "the step would not be the job's user's"),
    ("--no-allocate true", "--no-allocate" + NO
     + "a step runs where its job does"),
    ("--jobid=$OTHER true", "--jobid: only steps of this job, $JOB"),
    ("--jobid $OTHER true", "--jobid: only steps of this job, $JOB"),
    ("--task-epi=$EVIL true", 'option "task-epi" ' + UNKNOWN),
    ("--reservation=x true", 'option "reservation" ' + UNKNOWN),
    ("-w /home/ann/list true", "--nodelist=\"/home/ann/list\""
     ": not a value that works in a volunteer job"),
    ("--mpi=../../x true", '--mpi="../../x"'
     ": not a value that works in a volunteer job"),
    ("true : --task-epilog=$EVIL true", '":" (heterogeneous steps)'
     " does not work in a volunteer job"),
    ("-o /home/ann/x true", "Could not open stdout file: *"),
    ("-e /etc/x true", "Could not open stderr file: *"),
    ("-i /home/ann/.bashrc true", "Could not open stdin file: *"),
]
