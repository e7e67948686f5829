"""The PTX that nvcc puts into an object file.

nvcc packs the code for every architecture into the section .nv_fatbin of an ELF object: containers, one for each source that went
into the object, and in each a list of entries. An entry is PTX or machine code for one architecture. With --no-compress the PTX is
plain text. The layout is not documented; what is read here is checked, and what does not fit is refused.
"""

import struct

MAGIC = 0xBA55ED50
PTX = 1
CONTAINER = struct.Struct("<IHHQ")  # magic, version, bytes of this header, bytes of all entries
ENTRY = struct.Struct("<HHIQI8xI")  # kind, version, bytes of this header, bytes of the payload, compressed bytes, ..., architecture


class NoPtx(Exception):
    """An object without PTX that can be read; the text says why."""


def section(elf, wanted):
    """A section's bytes in a 64-bit little-endian ELF file."""
    if elf[:6] != b"\x7fELF\x02\x01":
        raise NoPtx("not a 64-bit little-endian ELF object")
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    count, names = struct.unpack_from("<HH", elf, 0x3C)
    headers = [struct.unpack_from("<I4xQQQQ", elf, table + 64 * i) for i in range(count)]  # name, flags, address, offset, size
    strings = headers[names][3]
    for name, _, _, offset, size in headers:
        if elf[strings + name : elf.index(b"\0", strings + name)] == wanted:
            return elf[offset : offset + size]
    raise NoPtx("no section " + wanted.decode())


def entries(fatbin):
    """(kind, architecture, compressed, payload) of every entry."""
    position = 0
    while position + CONTAINER.size <= len(fatbin):
        magic, _, header, size = CONTAINER.unpack_from(fatbin, position)
        if magic != MAGIC:  # containers are aligned
            position += 8
            continue
        position += header
        end = position + size
        while position < end:
            kind, _, header, size, compressed, architecture = ENTRY.unpack_from(fatbin, position)
            yield kind, architecture, compressed != 0, fatbin[position + header : position + header + size]
            position += header + size


def ptx_of(path):
    """The PTX of an object; where there are several, that of the newest architecture."""
    with open(path, "rb") as file:
        found = [(architecture, compressed, payload) for kind, architecture, compressed, payload
                 in entries(section(file.read(), b".nv_fatbin")) if kind == PTX]  # fmt: skip
    if not found:
        raise NoPtx("no PTX; compile with EXARCH_CUDA_PTX=ON")
    architecture, compressed, payload = max(found, key=lambda entry: entry[0])
    if compressed:
        raise NoPtx("compressed PTX; compile with --no-compress")
    if sum(entry[0] == architecture for entry in found) > 1:
        raise NoPtx("PTX of several sources for one architecture")
    return payload.rstrip(b"\0").decode()
