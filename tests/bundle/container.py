"""The ZIP container, field by field as docs/evidence-bundle.md gives it."""

import struct
import zlib

COMMENT = b"countersign bundle v1"


def names_in_order(files):
    return ["MANIFEST"] * ("MANIFEST" in files) + sorted((n for n in files if n != "MANIFEST"), key=str.encode)


def pack(files, order=None, time=0, method=0, gap=b"", comment=COMMENT):
    """The arguments after `files` are for broken ones."""
    out, directory = b"", b""
    order = order or names_in_order(files)
    for name in order:
        data, path = files[name], name.encode()
        packed = data
        if method == 8:
            squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = squeeze.compress(data) + squeeze.flush()
        fields = struct.pack("<HHHHHIIIHH", 20, 0x0800, method, time, 33, zlib.crc32(data), len(packed), len(data), len(path), 0)
        directory += b"PK\1\2" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + path
        out += b"PK\3\4" + fields + path + packed + gap
    end = struct.pack("<HHHHIIH", 0, 0, len(order), len(order), len(directory), len(out), len(comment))
    return out + directory + b"PK\5\6" + end + comment
