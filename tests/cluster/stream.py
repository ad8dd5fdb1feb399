# SPDX-License-Identifier: GPL-2.0-or-later
"""stream.py - a saved job as bytes, taken apart and put together otherwise

The layout is in discoveryd/device/ckstream.h.
"""
import ctypes
import json
import pathlib
import struct
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "sandbox"))
import images  # noqa: E402  pylint: disable=wrong-import-position

MAGIC = b"VOLCKPT3"
# No image of a test's is larger.
MAX = 256 << 20

_zstd = ctypes.CDLL("libzstd.so.1")
for _name in ("ZSTD_compress", "ZSTD_decompress"):
    getattr(_zstd, _name).restype = ctypes.c_size_t


def inflate(data):
    out = ctypes.create_string_buffer(MAX)
    n = _zstd.ZSTD_decompress(out, ctypes.c_size_t(MAX), data,
                              ctypes.c_size_t(len(data)))
    assert n <= MAX, "no frame of zstd"
    return out.raw[:n]


def deflate(data):
    size = len(data) + len(data) // 8 + 1024
    out = ctypes.create_string_buffer(size)
    n = _zstd.ZSTD_compress(out, ctypes.c_size_t(size), data,
                            ctypes.c_size_t(len(data)), 1)
    assert n <= size
    return out.raw[:n]


class Stream:
    """manifest: a dictionary; record: text; files: name -> bytes."""

    def __init__(self, data):
        assert data.startswith(MAGIC)
        early, rest = self.pieces(inflate(data[len(MAGIC):]))
        text, rest = self.take(rest)
        self.manifest = json.loads(text)
        record, rest = self.take(rest)
        self.record = record.decode()
        self.files = {}
        for entry in self.manifest["files"]:
            name, size = entry["name"], entry["bytes"]
            if name in early:
                self.files[name] = early[name]
                assert len(early[name]) == size
                continue
            self.files[name], rest = rest[:size], rest[size:]
        assert not rest

    @staticmethod
    def pieces(data):
        """Memory that was sent while it was written down."""
        early = {}
        while True:
            size, number = struct.unpack_from(">II", data)
            if not size:
                return early, data[8:]
            name = f"pages-{number}.img"
            early[name] = early.get(name, b"") + data[8:8 + size]
            data = data[8 + size:]

    @staticmethod
    def take(data):
        size, = struct.unpack_from(">I", data)
        return data[4:4 + size], data[4 + size:]

    def pack(self):
        """With lengths that are right, and all files behind the manifest."""
        self.manifest["files"] = [
            {"name": name, "bytes": len(data)}
            for name, data in sorted(self.files.items(),
                                     key=lambda item: item[0].encode())]
        text = json.dumps(self.manifest, separators=(",", ":"),
                          sort_keys=True).encode()
        record = self.record.encode()
        body = bytes(8) + struct.pack(">I", len(text)) + text
        body += struct.pack(">I", len(record)) + record
        for entry in self.manifest["files"]:
            body += self.files[entry["name"]]
        return MAGIC + deflate(body)

    def edit_core(self, folder, how):
        """In each process; how: one of tests/sandbox/images.py."""
        changed = 0
        for name in [n for n in self.files if n.startswith("core-")]:
            path = pathlib.Path(folder) / name
            path.write_bytes(self.files[name])
            changed += images.edit(path, how, self.manifest["uid"])
            self.files[name] = path.read_bytes()
        assert changed
