# SPDX-License-Identifier: GPL-2.0-or-later
"""extra.py - a device more than docker/cluster made"""
import contextlib
import json


@contextlib.contextmanager
def extra_device(lab, name, hostname, env=None):
    """One more device container, with a host name of our choice."""
    like = json.loads(lab.host("docker", "inspect",
                               lab.container("desk1")).stdout)[0]
    command = ["docker", "run", "-d", "--name", f"{lab.project}-{name}",
               "--hostname", hostname, "--network", lab.network(),
               "--label", f"com.docker.compose.project={lab.project}",
               "--label", f"com.docker.compose.service={name}"]
    # The privileges that docker/cluster found the engine to have.
    for flag, key in (("--cap-add", "CapAdd"), ("--cap-drop", "CapDrop"),
                      ("--security-opt", "SecurityOpt")):
        command += [f"{flag}={value}"
                    for value in like["HostConfig"][key] or []]
    command += [f"--device-cgroup-rule={rule}"
                for rule in like["HostConfig"]["DeviceCgroupRules"] or []]
    command += [f"--tmpfs={path}" for path in like["HostConfig"]["Tmpfs"] or {}]
    for variable in like["Config"]["Env"] or []:
        command.append(f"--env={variable}")
    for key, value in (env or {}).items():
        command.append(f"--env={key}={value}")
    for mount in like["Mounts"]:
        # Shared volumes yes, a device's own state no.
        if mount["Type"] == "volume" and len(mount["Name"]) < 64:
            command.append(f"--volume={mount['Name']}:{mount['Destination']}")
    lab.host(*command, like["Config"]["Image"], *(like["Config"]["Cmd"] or []))
    try:
        yield
    finally:
        lab.host("docker", "rm", "-f", "-v", f"{lab.project}-{name}")
