# SPDX-License-Identifier: GPL-2.0-or-later
"""clean.py - all that a job could leave on a device, as a value"""
import collections
import re

# A line each, in words that do not change when a daemon is started again.
# Processes of root that are a look like this one's are not told.
LOOK = r"""
awk '{ print "mount", $5 }' /proc/1/mountinfo
awk '{ print "mount of slurmd", $5 }' /proc/$(pgrep -o -x slurmd)/mountinfo
# Of slurmd itself, made when it is started again.
find /sys/fs/cgroup -type d ! -path '*/slurmd/system' -printf 'cgroup %p\n'
ps -e -o uid=,comm= | awk '{ print "process", $1, $2 }' |
	grep -vE -e '^process 0 (ba)?sh|^process 0 (ps|awk|grep|find|sort|sleep)$' \
		-e ' voltest-agent$'
find /run /tmp /var /home /root /srv /opt /mnt /dev -xdev \
	\( -path /var/log -o -path '/var/lib/slurm/slurmd/cred_state*' \) \
	-prune -o -printf 'file %p\n'
find /dev/shm /dev/mqueue -mindepth 1 -printf 'file %p\n'
for kind in shm sem msg; do
	tail -n +2 /proc/sysvipc/$kind | awk -v k=$kind '{ print k, $1, $2 }'
done
# Of those with a process that is here: /proc/locks tells all the kernel's.
while read -r _ kind _ how pid _; do
	[ ! -e "/proc/$pid/comm" ] || echo lock $kind $how $(cat /proc/$pid/comm)
done < /proc/locks
readlink /proc/[0-9]*/ns/* 2> /dev/null | sort -u | cut -d : -f 1 |
	sort | sed 's/^/namespace /'
ls /sys/class/net | sed 's/^/network /'
"""


def look(lab, node):
    """What there is on the device now: line -> how often."""
    return collections.Counter(lab.run(node, LOOK).splitlines())


def settled(lab, nodes):
    """Node -> what there is, twice the same in a row."""
    seen = {}

    def steady():
        now = {node: look(lab, node) for node in nodes}
        same = now == seen
        seen.clear()
        seen.update(now)
        return same
    lab.wait("the devices are at rest", steady, 30, every=0.5)
    return dict(seen)


def masked(line):
    """Without the numbers of jobs and devices."""
    return re.sub(r"\d+", "N", line)


def difference(before, after, but=()):
    """What came and went, as text; "" when it is the same.  Lines that are,
    masked, in but are not looked at."""
    def lines(sign, counter):
        return [f"{sign} {line}" + (f" x{n}" if n > 1 else "")
                for line, n in sorted(counter.items())
                if masked(line) not in but]
    return "\n".join(lines("+", after - before) + lines("-", before - after))


def same_again(lab, before, but=(), timeout=30):
    """Wait until all devices are as they were; before: node -> what look()
    said."""
    for node, was in before.items():
        last = []

        def same(node=node, was=was, last=last):
            last[:] = [difference(was, look(lab, node), but)]
            return last == [""]
        try:
            lab.wait(f"{node} is as before", same, timeout, every=0.3)
        except AssertionError:
            raise AssertionError(
                f"{node} is not as it was:\n{last[0]}") from None
