# SPDX-License-Identifier: GPL-2.0-or-later
"""battlefield.py - the escape battery, made in a lab: victims on a device, and
all attempts inside a job and bare"""
import concurrent.futures
import contextlib
import os
import pathlib
import shlex
import tempfile

import attempts
import migrating
import parked
import runtimes
import walls
from attempts import CANNOT, REACHED, Result

DEVICE = "desk1"
ELSEWHERE = "desk2"  # from where a saved job comes
AT_A_TIME = 12    # attempts that are submitted together
USER = "ann"      # the owner of every device, and the submitter
OTHER = "alice"   # a submitter who is neither
WORK = f"/campaign/{USER}/escape"
VICTIMS = f"{WORK}/victims.list"
CONF = "/etc/slurm-volunteer/device.conf"
WALLS = "/run/slurm-volunteer/walls"  # as slurmstepd reads it
FAILED = "/run/slurm-volunteer/walls-failed"  # why the device is closed

# What a login session has; a job has nothing to do with it.
SESSION = {"DISPLAY": ":0", "XAUTHORITY": "/home/ann/.Xauthority",
           "SSH_AUTH_SOCK": "/run/user/1000/agent",
           "XDG_RUNTIME_DIR": "/run/user/1000",
           "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1000/bus"}

SETTINGS = {
    "node": DEVICE, "lan_port": "6818",
    "slurm_conf": "/var/lib/slurm/slurmd/conf-cache/slurm.conf",
    "control_socket": "/run/slurm-volunteer/device.sock",
    "run_folder": "/run/slurm-volunteer", "spool": "/var/lib/slurm/slurmd",
    "slurmd_log": "/var/log/slurm/slurmd.log",
    "open_files": "4096",  # less than a container has
}


def set_walls(lab, node=DEVICE, **settings):
    """Put these into [sandbox] of that device's device.conf, or, None, take
    them out; until slurmstepd will read them."""
    for key, value in settings.items():
        edit = f"sed -i '/^{key} *=/d' {CONF}"
        if value is not None:
            edit += f" && sed -i '/^.sandbox.$/a {key} = {value}' {CONF}"
        lab.run(node, edit)
    lab.run(node, "pkill -HUP -x discoveryd")
    told = [f"walls={settings['sandbox'] or 'yes'}"] \
        if "sandbox" in settings else []
    if settings.get("open_files"):
        told.append(f"open_files={settings['open_files']}")
    for line in told:
        lab.wait(f"{line} in {WALLS}", lambda line=line: lab.run(
            node, f"grep -x {line} {WALLS}"), 20)


@contextlib.contextmanager
def walls_down(lab):
    """The owner takes the walls down, as device.conf lets him."""
    set_walls(lab, sandbox="no")
    try:
        yield
    finally:
        set_walls(lab, sandbox=None)


class Battlefield:
    """Programs and victims in a lab; results are {name: Result}."""

    def __init__(self, lab):
        self.lab = lab
        self.env = [f"ESCAPE_VICTIMS={VICTIMS}"]
        self.session = [f"{k}={v}" for k, v in SESSION.items()]
        self.closers = []  # attempts after which the device was closed
        self.told = False  # has a failed test shown the logs of the lab?

    # -- making it ---------------------------------------------------------

    def up(self):
        """Build, copy, make the victims.  With $VOLTEST_IMAGE, an image file
        with a system like the device's, jobs have that."""
        lab = self.lab
        image = os.environ.get("VOLTEST_IMAGE")
        if image:
            image = runtimes.put(lab, DEVICE, image)
        set_walls(lab, open_files=SETTINGS["open_files"], image=image)
        walls.settled(lab, DEVICE)
        with tempfile.TemporaryDirectory() as folder:
            attempts.build(pathlib.Path(folder) / "escape")
            lab.ctl(f"rm -rf {WORK} && install -d -o {USER} {WORK}")
            lab.host("docker", "cp", f"{folder}/escape",
                     f"{lab.container('controller')}:/campaign/{USER}/")
        lab.ctl(f"chown -R {USER} /campaign/{USER}; "
                f"usermod --append --groups audio {USER}")
        self.make_victims()

    def make_victims(self):
        lab = self.lab
        settings = dict(SETTINGS, controller=lab.address("controller"),
                        lan_host=lab.address("desk2"))
        words = " ".join(f"{k}={v}" for k, v in settings.items())
        lab.run(DEVICE, f"{WORK}/victims up {USER} {VICTIMS} {words}")

    def down(self):
        """All of it goes, also what attempts left."""
        lab = self.lab
        lab.ctl("scancel --partition=volunteer", check=False)
        set_walls(lab, open_files=None, image=None)
        lab.run(DEVICE, f"{WORK}/victims down {USER} {VICTIMS}", check=False)
        lab.ctl(f"gpasswd --delete {USER} audio; cd /campaign && rm -rf "
                f"{WORK} {USER}/work-* {USER}/*.out {OTHER}/neighbour.out "
                "*/neighbour.socket",
                check=False)
        lab.wait_idle([DEVICE], 60)

    def clean(self):
        """Fresh victims: others have been here."""
        lab = self.lab
        lab.run(DEVICE, f"{WORK}/victims down {USER} {VICTIMS}", check=False)
        self.make_victims()

    def touched(self):
        """What happened to the victims."""
        return self.lab.run(DEVICE, f"{WORK}/victims touched").splitlines()

    # -- inside a job ------------------------------------------------------

    def sbatch(self, user, name, script, *options,
               where=f"-w {DEVICE} --no-requeue"):
        """Submit on the device; the id of the job."""
        env = [*self.env, *self.session]
        return self.lab.proc(
            "controller", f"cd {WORK} && sbatch --parsable -p volunteer "
            f"{where} -n1 --mem=200 -t 10 "
            f"-o {shlex.quote(f'/campaign/{user}/{name}.out')} "
            f"{' '.join(options)} --wrap {shlex.quote(script)}", user=user,
            env=env).stdout.strip()

    def in_job(self, chosen, user=USER):
        """Make these attempts in one batch job."""
        names = " ".join(a.name for a in chosen)
        job = self.sbatch(user, "inside", f"{WORK}/battery {names}",
                          f"--chdir={WORK}")
        self.wait_end(job, 300)
        return self.complete(chosen, self.lab.ctl(
            f"cat /campaign/{user}/inside.out"))

    def in_restored_job(self, chosen, user=USER):
        """The same in a job that was saved elsewhere and went on here."""
        lab, names = self.lab, " ".join(a.name for a in chosen)
        lab.ctl(f"rm -f {WORK}/go /campaign/{user}/restored.out")
        # With fewer files than that job has it would not go on here.
        set_walls(lab, ELSEWHERE, open_files=SETTINGS["open_files"])
        with migrating.only(lab, ELSEWHERE):
            job = self.sbatch(
                user, "restored", "until [ -e go ]; do sleep 0.1; done; "
                f"exec {WORK}/battery {names}", f"--chdir={WORK}",
                migrating.ASK, where="--requeue")
            lab.wait("the job runs", lambda: parked.running_on(
                lab, job) == ELSEWHERE, 60)
        with migrating.only(lab, ELSEWHERE, DEVICE):
            assert migrating.evict(lab, job, ELSEWHERE) == DEVICE
        set_walls(lab, ELSEWHERE, open_files=None)
        lab.ctl(f"touch {WORK}/go")
        self.wait_end(job, 300)
        said = lab.ctl(f"cat /campaign/{user}/restored.out")
        assert migrating.GOES_ON.findall(said), said
        return self.complete(chosen, migrating.NOTES.sub("", said))

    def wait_end(self, job, timeout=60):
        self.lab.wait(f"job {job} ends", lambda: not self.lab.ctl(
            f"squeue -h -j {job} -o %T 2>/dev/null || true"), timeout)

    # -- bare ---------------------------------------------------------------

    def bare(self, chosen, user=USER):
        """Make these attempts on the device without walls."""
        results = {}
        for kind in ("user", "capable"):
            names = " ".join(a.name for a in chosen if a.bare == kind)
            if names:
                results |= self.run_bare(kind, f"./battery {names}", user)
        return self.complete(chosen, results)

    def run_bare(self, kind, command, user=USER):
        done = self.lab.proc(
            DEVICE, f"cd {WORK} && exec ./bare {kind} {user} {command}",
            env=[*self.env, *self.session], timeout=300)
        return attempts.parse(done.stdout)

    def look(self, results, chosen):
        """The second part of those that need one: what came of it."""
        for attempt in chosen:
            first = results.get(attempt.name)
            if not attempt.look or not first or first.status != REACHED:
                continue
            done = self.lab.proc(
                DEVICE, f"cd {WORK} && exec ./bare user {USER} "
                f"./{attempt.name} look", env=self.env, check=False)
            results[attempt.name] = Result(
                done.returncode, f"{first.said}; {done.stdout.strip()}")
        return results

    @staticmethod
    def complete(chosen, text):
        """One result an attempt, whatever the battery printed."""
        results = text if isinstance(text, dict) else attempts.parse(text)
        missing = Result(CANNOT, "the battery said nothing of it")
        return {a.name: results.get(a.name, missing) for a in chosen}

    # -- by the submitter ---------------------------------------------------

    def submit(self, attempt):
        """Make an attempt from the login host, in a folder of its own."""
        folder = f"/campaign/{USER}/work-{attempt.name.replace('/', '-')}"
        done = self.lab.proc(
            "controller", f"mkdir -p {folder} && cd {folder} && "
            f"exec {WORK}/{attempt.name}", user=USER, env=self.env,
            check=False, timeout=200)
        said = done.stdout.strip().splitlines() or [done.stderr.strip()]
        return Result(done.returncode, said[-1])

    def submit_all(self, chosen):
        """A few at a time, so that it is known who closed the device."""
        self.closers = []
        results = {}
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            for i in range(0, len(chosen), AT_A_TIME):
                some = chosen[i:i + AT_A_TIME]
                names = [a.name for a in some]
                results |= zip(names, pool.map(self.submit, some))
                self.reopen(" or ".join(names))
        return self.look(results, chosen)

    def reopen(self, names):
        """A job that says what can not be is no fault of the device's."""
        lab = self.lab
        if lab.proc(DEVICE, f"test -e {FAILED}", check=False).returncode == 0:
            why = lab.run(DEVICE, f"cat {FAILED}", check=False)
            self.closers.append(f"{names}: {why}")
            lab.ctl(f"scancel -u {USER}")
            lab.run(DEVICE, f"rm -f {FAILED}; pkill -HUP -x discoveryd")
        lab.wait_idle([DEVICE], 60)

    # -- beside another job --------------------------------------------------

    def beside(self, chosen, neighbour, kind):
        """Make attempts against a neighbour that runs as that user; kind:
        in two jobs ("job"), or both bare ("user")."""
        # In the script's own words, which somebody might read.
        secret, key = (self.lab.run(DEVICE, f"sed -n s/^{name}=//p {VICTIMS}")
                       for name in ("secret", "neighbour_key"))
        said = f"/campaign/{neighbour}/neighbour.out"
        self.lab.ctl(f"rm -f {said}")
        socket = f"/campaign/{neighbour}/neighbour.socket"
        command = f"{WORK}/neighbour {secret} {socket} {key}"
        job = self.sbatch(neighbour, "neighbour", f"exec {command}",
                          f"--chdir={WORK}")
        try:
            self.lab.wait("the neighbour is there", lambda: self.lab.ctl(
                f"grep -s ready {said}"), 30)
            self.note_neighbour(job, neighbour)
            self.note(neighbour_work_socket=socket)
            if kind == "job":
                return self.in_job(chosen)
            return self.beside_bare(chosen, neighbour, command)
        finally:
            self.lab.ctl(f"scancel {job}")
            self.wait_end(job)

    def beside_bare(self, chosen, neighbour, command):
        """Its script and socket are those of the job, the rest bare."""
        lab = self.lab
        lab.run(DEVICE, f"cd /tmp && exec {WORK}/bare user {neighbour} setsid "
                f"{command} > /tmp/escape-ready 2>&1 < /dev/null &")
        try:
            lab.wait("the bare neighbour is there", lambda: lab.run(
                DEVICE, "grep -s ready /tmp/escape-ready"), 30)
            pid = lab.run(DEVICE, "pgrep -n -x neighbour")
            self.note(neighbour_pid=pid)
            return self.bare(chosen)
        finally:
            lab.run(DEVICE, "pkill -KILL -n -x neighbour; rm -f "
                    "/tmp/neighbour* /dev/shm/neighbour /tmp/escape-ready; "
                    "ipcrm -M 0x4e16; true")

    def note_neighbour(self, job, neighbour):
        spool = SETTINGS["spool"]
        self.note(
            neighbour_pid=self.lab.run(DEVICE, "pgrep -n -x neighbour"),
            neighbour_script=self.lab.run(
                DEVICE, f"ls -d {spool}/job{int(job):05d}/slurm_script"),
            neighbour_stepd=self.lab.run(
                DEVICE, f"ls {spool}/{DEVICE}_{job}.4294967291"))

    def note(self, **values):
        """Put more into the list of victims."""
        for key, value in values.items():
            self.lab.run(DEVICE, f"sed -i '/^{key}=/d' {VICTIMS} && "
                         f"echo '{key}={value}' >> {VICTIMS}")
