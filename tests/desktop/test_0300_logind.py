# SPDX-License-Identifier: GPL-2.0-or-later
"""What logind knows: desktops that idle and lock, a machine that goes to sleep
"""
import pytest

from guest import wait

SERVICE = "org.freedesktop.login1"
SESSION = f"{SERVICE}.Session"


class Screen:
    """A graphical session of the owner: all of it but the picture."""

    def __init__(self, bed):
        self.bed = bed
        self.desk = bed.desk
        self.desk.run(
            "systemd-run --quiet --collect --unit=screen -p PAMName=login "
            "-p User=ann -p TTYPath=/dev/tty2 -p StandardInput=tty "
            "-p StandardOutput=journal -E XDG_SESSION_TYPE=x11 "
            "-E XDG_SESSION_CLASS=user sleep infinity")
        self.session = wait("the session", lambda: self.desk.run(
            "loginctl --no-legend | awk '/tty2/ { print $1 }'").strip(), 20)
        self.path = self.desk.run(
            f"busctl --json=short call {SERVICE} /org/freedesktop/login1 "
            f"{SERVICE}.Manager GetSession s {self.session} | "
            "grep -o '/org[^\"]*'").strip()
        self.desk.run(f"loginctl activate {self.session}")

    def hint(self, name, value):
        """SetIdleHint or SetLockedHint, as the desktop's program does."""
        self.desk.run(f"runuser -u ann -- busctl call {SERVICE} {self.path} "
                      f"{SESSION} Set{name}Hint b {str(value).lower()}")

    def close(self):
        self.desk.run("systemctl stop screen")
        self.bed.leave_console()


@pytest.fixture
def screen(bed):
    screen = Screen(bed)
    yield screen
    screen.close()


def test_desktop_that_is_used_claims_the_machine(bed, screen):
    screen.hint("Idle", True)
    bed.wait_open()
    folders = bed.running(bed.count(1000))
    screen.hint("Idle", False)
    wait("frozen", lambda: bed.frozen(folders), 30)
    assert bed.sensor("sessions")["says"] == "present"
    # It goes on for as long as the desktop says so, without a key.
    assert bed.stopped(bed.job_of(folders), 6) and bed.frozen(folders)
    assert bed.status()["presence"]["sensor"] == "sessions"
    screen.hint("Idle", True)
    wait("thawed", lambda: not bed.frozen(folders), 30)


def test_unlocking_claims_the_machine(bed, screen):
    screen.hint("Locked", True)
    bed.wait_open()
    folders = bed.running(bed.count(1000))
    screen.hint("Locked", False)
    wait("frozen", lambda: bed.frozen(folders), 30)
    wait("thawed", lambda: not bed.frozen(folders), 30)


def test_sleep_finds_no_running_task_and_loses_no_job(bed):
    job = bed.count(40)
    bed.running(job)
    bed.desk.run("rm -f /run/asleep")
    start = float(bed.desk.run("cut -d ' ' -f 1 /proc/uptime"))
    bed.desk.run("systemctl suspend")
    asleep = wait("asleep", lambda: bed.desk.run(
        "cat /run/asleep 2> /dev/null || true").splitlines(), 30)
    seconds = float(asleep[0]) - start
    print(f"asleep after {seconds:.1f} s")
    assert asleep[1:] == []
    # logind waits for 5 s at most; an emulated machine on a busy host is slow.
    assert seconds < 50
    wait("completed", lambda: bed.job(job)["JobState"] == "COMPLETED", 120)
    guest = {"head": bed.head, "desk": bed.desk}[bed.job(job)["BatchHost"]]
    assert bed.result(job, guest) == bed.counted(40)
    bed.wait_open()
