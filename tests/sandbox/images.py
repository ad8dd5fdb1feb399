# SPDX-License-Identifier: GPL-2.0-or-later
"""images - edit CRIU's image of a process: protobuf, without its schema"""
import struct

# core_entry of criu's images/core.proto
TASK, THREAD = 3, 5


def take_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def put_varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def parse(data):
    fields, at = [], 0
    while at < len(data):
        key, at = take_varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = take_varint(data, at)
        elif kind == 2:
            size, at = take_varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            size = {1: 8, 5: 4}[kind]
            value, at = data[at:at + size], at + size
        fields.append([key >> 3, kind, value])
    return fields


def build(fields):
    out = b""
    for number, kind, value in fields:
        out += put_varint(number << 3 | kind)
        if kind == 0:
            out += put_varint(value)
        elif kind == 2:
            out += put_varint(len(value)) + value
        else:
            out += value
    return out


def is_creds(field, uid):
    """creds_entry begins with eight ids."""
    if field[1] != 2:
        return False
    try:
        inner = parse(field[2])
    except (IndexError, KeyError):
        return False
    return len(inner) > 8 and \
        [f[::2] for f in inner[:8]] == [[n, uid] for n in range(1, 9)]


def edit_creds(core, uid, change):
    changed = 0
    for part in core:
        if part[0] != THREAD:
            continue
        thread = parse(part[2])
        for field in thread:
            if is_creds(field, uid):
                inner = parse(field[2])
                for one in inner:
                    before = one[2]
                    change(one)
                    changed += one[2] != before
                field[2] = build(inner)
        part[2] = build(thread)
    return changed


def be_root(core, uid):
    def change(field):
        if 1 <= field[0] <= 8:
            field[2] = 0
    return edit_creds(core, uid, change)


def take_capabilities(core, uid):
    """cap_inh to cap_bnd; only bits that there are."""
    def change(field):
        if 10 <= field[0] <= 12 and field[1] == 0:
            field[2] = 0xff
    return edit_creds(core, uid, change)


def leave_no_new_privs(core, uid):
    def change(field):
        if field[0] > 13 and field[1] == 0 and field[2] == 1:
            field[2] = 0
    return edit_creds(core, uid, change)


def leave_seccomp(core, _uid):
    """SECCOMP_MODE_FILTER, wherever it is said."""
    changed = 0
    for part in core:
        if part[0] in (TASK, THREAD):
            fields = parse(part[2])
            for field in fields:
                if field[0] > 8 and field[1] == 0 and field[2] == 2:
                    field[2] = 0
                    changed += 1
            part[2] = build(fields)
    return changed


def edit(path, how, uid):
    """The number of values that are others now."""
    data = path.read_bytes()
    size, = struct.unpack_from("<I", data, 8)
    core = parse(data[12:12 + size])
    changed = how(core, uid)
    new = build(core)
    path.write_bytes(data[:8] + struct.pack("<I", len(new)) + new +
                     data[12 + size:])
    return changed
