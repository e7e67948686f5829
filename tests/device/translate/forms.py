"""Kernels as C++, in two forms.

  thread form  one C++ function with gotos, run for one thread after another; only without warp and block synchronization;
  warp form    one C++ function per basic block, called for each lane that stands there, and one per synchronizing
               instruction, called for all its lanes at once. runtime/grid.cpp chooses the order.
"""

import re

from instructions import (
    BRANCHES, C_TYPES, REDUCE, WITHOUT_RESULT, declare, is_floating, mangle, registers_of, synchronizes, unsigned,
)  # fmt: skip
from ptx import CallSpace, Instruction, Label, Untranslatable, width

# ---- thread form -----------------------------------------------------------------------------------------------------------


def thread_form(writer):
    """The body of a function as C++ with gotos."""
    function = writer.function
    used = set().union(*(registers_of(function, s) for s in function.statements)) if function.statements else set()
    out = declare(writer, used)
    out += [writer.statement(s) for s in function.statements if isinstance(s, CallSpace)]  # no goto may cross them
    for s in function.statements:
        if isinstance(s, Label):
            out.append(mangle(s.name) + ":;")
        elif isinstance(s, Instruction) and s.name in BRANCHES:
            code = _jump(writer, s)
            out.append("if (%s%s) { %s }" % (s.guard[0], writer.register(s.guard[1]), code) if s.guard else code)
        elif isinstance(s, Instruction):
            out.append(writer.statement(s))
    return out


def _jump(writer, s):
    if s.name == "bra":
        return "goto %s;" % mangle(s.operands[0])
    if s.name == "brx":
        cases = ["case %d: goto %s;" % (i, mangle(l)) for i, l in enumerate(writer.function.jump_tables[s.operands[1]])]
        return "switch (%s) { %s }" % (writer.register(s.operands[0]), " ".join(cases))
    if s.name == "exit" and not writer.function.is_kernel:
        return "throw ThreadExit{};"
    return "return;"


# ---- warp form -------------------------------------------------------------------------------------------------------------


class Block:
    """A basic block, or one synchronizing instruction."""

    def __init__(self):
        self.statements, self.branch, self.sync = [], None, None

    def all(self):
        return self.statements + [s for s in (self.branch, self.sync) if s]

    def empty(self):
        return not self.all()


def basic_blocks(function):
    blocks, labels = [Block()], {}
    for s in function.statements:
        if isinstance(s, Label):
            if not blocks[-1].empty():
                blocks.append(Block())
            labels[s.name] = len(blocks) - 1
        elif isinstance(s, Instruction) and s.name in BRANCHES:
            blocks[-1].branch = s
            blocks.append(Block())
        elif isinstance(s, Instruction) and synchronizes(s):
            if not blocks[-1].empty():
                blocks.append(Block())
            blocks[-1].sync = s
            blocks.append(Block())
        else:
            blocks[-1].statements.append(s)
    if blocks[-1].empty() and len(blocks) - 1 not in labels.values():
        blocks.pop()
    return blocks, labels


def lasting_registers(function, blocks):
    """Registers that hold a value across blocks, or that a synchronizing instruction reads from other lanes."""
    home, lasting = {}, set()
    for i, block in enumerate(blocks):
        for s in block.all():
            for r in registers_of(function, s):
                home.setdefault(r, set()).add(i)
                if block.sync:
                    lasting.add(r)
    lasting |= {r for r, where in home.items() if len(where) > 1}
    for block in blocks:  # what a block reads before it writes it comes from the block's previous run (a loop)
        defined = set()
        for s in block.statements + ([block.branch] if block.branch else []):
            if not isinstance(s, Instruction):
                continue
            names = lambda texts: {t for x in texts for t in re.findall(r"%?[A-Za-z_$][\w$]*", x) if t in function.registers}
            has_result = s.name not in WITHOUT_RESULT and bool(s.operands)
            results = names(s.operands[:1]) if has_result else set()
            read = names(s.operands[1:] if has_result else s.operands)
            if s.guard:
                read |= {s.guard[1]} | results  # a result may keep its value
            lasting |= read - defined
            defined |= results
    return lasting


class WarpForm:
    """Blocks as C++ functions, and the table from which grid.cpp runs them."""

    LANE = "R& r = *(R*)w.reg(l); Env& E = w.env[l]; (void)E; (void)r;"

    def __init__(self, writer):
        self.writer, function = writer, writer.function
        self.blocks, self.labels = basic_blocks(function)
        lasting = lasting_registers(function, self.blocks)
        self.code, self.table, self.slots = ["struct R {"], [], 0
        by_type = {}
        for name in sorted(lasting):
            by_type.setdefault(unsigned(function.registers[name]), []).append(writer.register(name))
        for c_type in ("uint64_t", "uint32_t", "uint16_t", "uint8_t", "bool"):  # no padding
            if c_type in by_type:
                self.code.append("%s %s;" % (c_type, ", ".join(by_type[c_type])))
        self.code.append("};")
        writer.resident = lasting
        for i, block in enumerate(self.blocks):
            self.table.append(self._sync(i, block.sync) if block.sync else self._plain(i, block))
        writer.resident = set()
        self.code.append("const BlockEntry blocks[] = {\n%s\n};" % ",\n".join(self.table))

    def _plain(self, i, block):
        writer, function = self.writer, self.writer.function
        writer.memory_slot = 0
        used = set().union(*(registers_of(function, s) for s in block.all())) if block.all() else set()
        body = declare(writer, used - writer.resident)
        body += [writer.statement(s) for s in block.statements]
        body.append(self._leave(i, block.branch))
        self.code.append("uint32_t b%d(Env& E, void* rp) { R& r = *(R*)rp; (void)r; (void)E; %s }" % (i, " ".join(body)))
        self.slots = max(self.slots, writer.memory_slot)
        count = sum(1 for s in block.all() if isinstance(s, Instruction))
        return "{b%d, nullptr, nullptr, nullptr, kPlain, %d, %d, nullptr}" % (i, count, writer.memory_slot)

    def _leave(self, i, branch):
        """Returns the number of the next block."""
        following = "return %d;" % (i + 1) if i + 1 < len(self.blocks) else "return kExited;"
        if branch is None:
            return following
        if branch.name == "bra":
            jump = "return %d;" % self.labels[branch.operands[0]]
        elif branch.name == "brx":
            targets = self.writer.function.jump_tables[branch.operands[1]]
            cases = " ".join("case %d: return %d;" % (n, self.labels[l]) for n, l in enumerate(targets))
            jump = "switch (%s) { %s } return kExited;" % (self.writer.register(branch.operands[0]), cases)
        else:
            jump = "return kExited;"
        if branch.guard:
            return "if (%s%s) { %s } %s" % (branch.guard[0], self.writer.register(branch.guard[1]), jump, following)
        return jump

    def _each(self, body):
        return "for (int l = 0; l < 32; ++l) if (m >> l & 1) { %s %s }" % (self.LANE, body)

    def _sync(self, i, s):
        if s.guard:
            raise Untranslatable("a guarded " + s.op)
        place = s.op + (" at " + s.where if s.where else "")
        parts = s.parts
        kind, after = "kWarpSync", "nullptr"
        if s.name in ("bar", "barrier") and "warp" not in parts:
            kind, mask, body = "kBarrier", "0u", ""
            whole = len(s.operands) == 3 if "red" in parts else s.operands in ([], ["0"])
            if not whole or "arrive" in parts:
                raise Untranslatable("a barrier of some of the threads: %s %s" % (s.op, s.operands))
            if "red" in parts:
                kind, after = "kBarrierReduction", "a%d" % i
                body, result = self._barrier_reduction(s)
                self.code.append("void a%d(Warp& w, uint32_t m) { %s }" % (i, self._each(result)))
        else:
            mask, body = getattr(self, "_" + s.name)(parts, s.operands)
        self.code.append("uint32_t m%d(Env& E, void* rp) { R& r = *(R*)rp; (void)r; (void)E; return %s; }" % (i, mask))
        self.code.append("void s%d(Warp& w, uint32_t m) { %s }" % (i, body))
        return '{nullptr, s%d, m%d, %s, %s, 1, 0, "%s"}' % (i, i, after, kind, place)

    def _barrier_reduction(self, s):
        mode = next(p for p in s.parts if p in ("or", "and", "popc"))
        result = {"or": "w.block->red_or", "and": "w.block->red_and", "popc": "w.block->red_count"}[mode]
        given = self._each("w.reduced[l] = %s;" % self.writer.read(s.operands[-1], "pred"))
        return given, self.writer.assign(s.operands[0], result, "u32" if mode == "popc" else "pred")

    def _shfl(self, parts, o):
        read, results = self.writer.read, o[0].split("|")
        mode = {"up": 0, "down": 1, "bfly": 2, "idx": 3}[parts[2]]
        body = "uint32_t in[32], out[32]; bool inside[32];"
        body += " for (int l = 0; l < 32; ++l) { %s in[l] = %s; }" % (self.LANE, read(o[1], "u32"))
        how = (mode, read(o[2], "u32"), read(o[3], "u32"))
        body += " " + self._each("shuffle<%d>(in, m, l, %s, %s, out[l], inside[l]);" % how)
        store = self.writer.assign(results[0], "out[l]", "u32")
        if len(results) > 1:
            store += " " + self.writer.assign(results[1], "inside[l]", "pred")
        return read(o[4], "u32"), body + " " + self._each(store)

    def _vote(self, parts, o):
        mode = next(p for p in parts if p in ("ballot", "any", "all", "uni"))
        value = {"ballot": "b", "any": "b != 0", "all": "b == m", "uni": "b == 0 || b == m"}[mode]
        kind = "u32" if mode == "ballot" else "pred"
        body = "uint32_t b = 0; " + self._each("if (%s) b |= 1u << l;" % self.writer.read(o[1], "pred"))
        return self.writer.read(o[2], "u32"), body + " " + self._each(self.writer.assign(o[0], value, kind))

    def _match(self, parts, o):
        if "any" not in parts:
            raise Untranslatable(".".join(parts))
        body = "uint64_t in[32]; " + self._each("in[l] = %s;" % self.writer.read(o[1], "u%d" % (width(parts[-1]) * 8)))
        same = "uint32_t e = 0; for (int q = 0; q < 32; ++q) if ((m >> q & 1) && in[q] == in[l]) e |= 1u << q; "
        return self.writer.read(o[2], "u32"), body + " " + self._each(same + self.writer.assign(o[0], "e", "u32"))

    def _redux(self, parts, o):
        t = parts[-1]
        operation = next((p for p in parts if p in REDUCE), None)
        if operation is None or is_floating(t):
            raise Untranslatable(".".join(parts))
        c = C_TYPES[t]
        body = "bool first = true; %s b = 0; " % c
        joined = (c, self.writer.read(o[1], t), c, REDUCE[operation])
        body += self._each("%s a = %s; b = first ? a : (%s)(%s); first = false;" % joined)
        return self.writer.read(o[2], "u32"), body + " " + self._each(self.writer.assign(o[0], "b", t))

    def _activemask(self, parts, o):
        return "0u", self._each(self.writer.assign(o[0], "m", "u32"))

    def _bar(self, parts, o):  # bar.warp.sync
        return self.writer.read(o[0], "u32"), ""

    _barrier = _bar
