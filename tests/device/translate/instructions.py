"""C++ statements for PTX instructions.

Registers become C++ variables that hold bits, in the unsigned type of their width; an operand is read as the type that the
instruction names. What C++ leaves undefined (shifts by the width, divisions by zero) is a function of runtime/ptx_runtime.hpp.
"""

import re

from ptx import CallSpace, Instruction, Untranslatable, round_up, split_operands, width

C_TYPES = {"f32": "float", "f64": "double", "pred": "bool"}
for _bits in ("8", "16", "32", "64"):
    C_TYPES["b" + _bits] = C_TYPES["u" + _bits] = "uint%s_t" % _bits
    C_TYPES["s" + _bits] = "int%s_t" % _bits

SYNCHRONIZING = {"shfl", "vote", "bar", "barrier", "match", "activemask", "redux"}
BRANCHES = {"bra", "brx", "ret", "exit"}
WITHOUT_RESULT = BRANCHES | {"st", "red", "call", "prefetch", "prefetchu", "membar", "fence", "nanosleep", "trap"}
IGNORED = {"membar", "fence", "nanosleep", "prefetch", "prefetchu", "discard", "griddepcontrol", "brkpt", "applypriority"}
UNMODELLED = {"sat", "cc", "ftz", "rz", "rm", "rp", "approx", "full"}  # modifiers of arithmetic
STATE_SPACES = ("global", "shared", "local", "param", "const")
SPECIAL = {
    "%tid.x": "E.tid", "%tid.y": "0u", "%tid.z": "0u", "%ntid.x": "E.ntid", "%ntid.y": "1u", "%ntid.z": "1u",
    "%ctaid.x": "E.cx", "%ctaid.y": "E.cy", "%ctaid.z": "0u", "%nctaid.x": "E.ncx", "%nctaid.y": "E.ncy", "%nctaid.z": "1u",
    "%laneid": "(E.tid & 31u)", "%warpid": "(E.tid >> 5)", "%smid": "0u",
    "%lanemask_lt": "((1u << (E.tid & 31u)) - 1u)", "%lanemask_le": "((2u << (E.tid & 31u)) - 1u)",
    "%lanemask_eq": "(1u << (E.tid & 31u))", "%lanemask_ge": "(~0u << (E.tid & 31u))",
    "%lanemask_gt": "(~0u << (E.tid & 31u) << 1)",
}  # fmt: skip
BINARY = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^"}
FLOATING = {
    "add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "div": "{0} / {1}", "min": "std::fmin({0}, {1})",
    "max": "std::fmax({0}, {1})", "mad": "std::fma({0}, {1}, {2})", "fma": "std::fma({0}, {1}, {2})",
    "abs": "std::fabs({0})", "neg": "-({0})", "sqrt": "std::sqrt({0})", "rcp": "1 / ({0})",
}  # fmt: skip
COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "lo": "<", "ls": "<=", "hi": ">", "hs": ">="}
COMPARE_FLOATING = {  # the last letter u: true for an unordered pair
    "eq": "{0} == {1}", "ne": "({0} < {1} || {0} > {1})", "lt": "{0} < {1}", "le": "{0} <= {1}", "gt": "{0} > {1}",
    "ge": "{0} >= {1}", "neu": "{0} != {1}", "equ": "!({0} < {1} || {0} > {1})", "ltu": "!({0} >= {1})", "leu": "!({0} > {1})",
    "gtu": "!({0} <= {1})", "geu": "!({0} < {1})", "nan": "(std::isnan({0}) || std::isnan({1}))",
    "num": "!(std::isnan({0}) || std::isnan({1}))",
}  # fmt: skip
ROUNDING = {"rni": "std::nearbyint", "rzi": "std::trunc", "rmi": "std::floor", "rpi": "std::ceil"}
ATOMIC = {
    "add": "old + {0}", "min": "std::min<{1}>(old, {0})", "max": "std::max<{1}>(old, {0})", "exch": "{0}", "or": "old | {0}",
    "and": "old & {0}", "xor": "old ^ {0}", "inc": "(old >= {0} ? 0 : old + 1)", "dec": "(old == 0 || old > {0} ? {0} : old - 1)",
}  # fmt: skip
REDUCE = {"add": "a + b", "min": "std::min(a, b)", "max": "std::max(a, b)", "and": "a & b", "or": "a | b", "xor": "a ^ b"}


def mangle(name):
    return re.sub(r"\W", "_", name)


def unsigned(ptx_type):
    return "bool" if ptx_type == "pred" else "uint%d_t" % (width(ptx_type) * 8)


def is_floating(ptx_type):
    return ptx_type.startswith("f")


def space_of(parts):
    """State space of a memory instruction; gen: any, decided by the address."""
    return next((p.split("::")[0] for p in parts if p.split("::")[0] in STATE_SPACES), "gen")


def synchronizes(instruction):
    return instruction.name in SYNCHRONIZING


class Writer:
    """C++ statements for the instructions of one function."""

    def __init__(self, module, tag, function):
        self.module, self.tag, self.function = module, tag, function
        self.used_globals, self.called = set(), set()
        self.resident = set()  # registers that live in the lane's R, not in a C++ variable
        self.memory_slot = 0  # number of the memory instruction in its basic block, for the profile
        self._lay_out_shared()
        self.parameter_offset, self.parameter_size = {}, 0
        self.argument = {}
        if function.is_kernel:
            for p in function.parameters:
                self.parameter_offset[p.name] = round_up(self.parameter_size, p.align)
                self.parameter_size = self.parameter_offset[p.name] + p.size
        else:
            self.argument = {p.name: i for i, p in enumerate(function.results + function.parameters)}

    def _lay_out_shared(self):
        module, used = self.module, set()
        for s in self.function.instructions():
            for token in re.findall(r"[\w$]+", " ".join(s.operands)):
                if token in module.shared or token in module.dynamic_shared:
                    used.add(token)
        self.shared_offset, self.shared_size = {}, 0
        for name in sorted(used - module.dynamic_shared):
            variable = module.shared[name]
            self.shared_offset[name] = round_up(self.shared_size, variable.align)
            self.shared_size = self.shared_offset[name] + variable.size
        if used & module.dynamic_shared:  # all of them begin after the static ones
            self.shared_size = round_up(self.shared_size, 16)
            for name in used & module.dynamic_shared:
                self.shared_offset[name] = self.shared_size

    # ---- operands ----------------------------------------------------------------------------------------------------------

    def register(self, name):
        variable = "v_" + mangle(name.lstrip("%"))
        return "r." + variable if name in self.resident else variable

    def symbol(self, name):
        if name in self.shared_offset:
            return "%uull" % self.shared_offset[name]
        if name in self.function.locals:
            return "((uint64_t)E.local + %d)" % self.function.locals[name]
        if name in self.module.globals:
            self.used_globals.add(name)
            return "((uint64_t)%s)" % global_name(self.tag, name)
        if name in self.parameter_offset:
            return "((uint64_t)E.param + %d)" % self.parameter_offset[name]
        if name in self.argument:
            return "((uint64_t)P%d)" % self.argument[name]
        if name in self.function.call_spaces:
            return "((uint64_t)%s)" % mangle(name)
        raise Untranslatable("symbol " + name)

    def read(self, operand, ptx_type):
        """An operand as a C++ value of a type."""
        c_type, negation = C_TYPES[ptx_type], ""
        if operand.startswith("!"):
            negation, operand = "!", operand[1:]
        if operand in self.function.registers:
            register = self.register(operand)
            if ptx_type == "f64":
                return "as_f64(%s)" % register
            if ptx_type == "f32":
                return "as_f32((uint32_t)%s)" % register
            return "(%s(%s)%s)" % (negation, c_type, register)
        if operand in SPECIAL:
            return "((%s)%s)" % (c_type, SPECIAL[operand])
        if match := re.fullmatch(r"0[dD]([0-9A-Fa-f]{16})", operand):
            return "as_f64(0x%sull)" % match.group(1)
        if match := re.fullmatch(r"0[fF]([0-9A-Fa-f]{8})", operand):
            return "as_f32(0x%su)" % match.group(1)
        if match := re.fullmatch(r"(-?)(0x[0-9A-Fa-f]+|\d+)U?", operand):
            value = int(match.group(2), 0) * (-1 if match.group(1) else 1)
            if ptx_type == "pred":
                return "true" if value else "false"
            return "((%s)%dull)" % (c_type, value % 2**64)
        return "((%s)%s)" % (c_type, self.symbol(operand))

    def assign(self, register, value, ptx_type):
        """Registers hold bits: a result is stored in the unsigned type of the register's width."""
        if register == "_":
            return "(void)(%s);" % value
        if is_floating(ptx_type):
            value = "of_%s(%s)" % (ptx_type, value)
        return "%s = (%s)(%s);" % (self.register(register), unsigned(self.function.registers[register]), value)

    def address(self, operand, space):
        match = re.fullmatch(r"\[\s*(%?[\w$.]+)\s*(?:\+\s*(-?\w+))?\s*\]", operand)
        if not match:
            raise Untranslatable("address " + operand)
        base, offset = match.group(1), int(match.group(2) or "0", 0)
        if base in self.function.registers:
            value = "(uint64_t)" + self.register(base)
        elif base[0].isdigit():
            value = base + "ull"
        else:
            value = self.symbol(base)
        value = "(%s + (int64_t)%d)" % (value, offset)
        return "((uint64_t)E.sh + (uint32_t)%s)" % value if space == "shared" else value

    def touch(self, space, kind, size):
        """The note of an access, for bounds checks and for the profile; kind: 0 load, 1 store, 2 atomic."""
        if space == "param":
            return ""
        self.memory_slot += 1
        return "access<%d, %d>(E, a, %d, k%sSpace);" % (size, kind, self.memory_slot - 1, space.capitalize())

    # ---- instructions ------------------------------------------------------------------------------------------------------

    def statement(self, s):
        if isinstance(s, CallSpace):
            return "alignas(16) uint8_t %s[%d];" % (mangle(s.name), s.size)
        code = self.instruction(s)
        return "if (%s%s) { %s }" % (s.guard[0], self.register(s.guard[1]), code) if s.guard else code

    def instruction(self, s):
        name = s.name
        if name in IGNORED:
            return ";"
        if name == "trap":
            return "ptx_trap(E);"
        handler = getattr(self, "op_" + name, None) or (self.arithmetic if name in ARITHMETIC else None)
        if handler is None:
            raise Untranslatable("%s %s" % (s.op, ", ".join(s.operands)))
        return handler(s.parts, s.operands, s.parts[-1])

    def op_mov(self, parts, o, t):
        bits = width(t) * 8
        if o[0].startswith("{"):
            names = split_operands(o[0][1:-1])
            each = bits // len(names)
            stores = [self.assign(n, "(uint%d_t)(x >> %d)" % (each, each * i), "b%d" % each) for i, n in enumerate(names)]
            return "{ uint64_t x = %s; %s }" % (self.read(o[1], "b%d" % bits), " ".join(stores))
        if o[1].startswith("{"):
            names = split_operands(o[1][1:-1])
            each = bits // len(names)
            joined = " | ".join("((uint64_t)%s << %d)" % (self.read(n, "u%d" % each), each * i) for i, n in enumerate(names))
            return self.assign(o[0], joined, "b%d" % bits)
        return self.assign(o[0], self.read(o[1], t), t)

    def op_ld(self, parts, o, t):
        space = space_of(parts)
        names = split_operands(o[0][1:-1]) if o[0].startswith("{") else [o[0]]
        c_type = unsigned(t) if is_floating(t) else C_TYPES[t]
        code = "{ uint64_t a = %s; %s" % (self.address(o[1], space), self.touch(space, 0, width(t) * len(names)))
        kept = [(i, n) for i, n in enumerate(names) if n != "_"]
        for i, _ in kept:  # all loads before all results: the address may be in a result's register
            code += " %s t%d = load<%s>(a + %d);" % (c_type, i, c_type, width(t) * i)
        for i, name in kept:
            code += " %s = (%s)t%d;" % (self.register(name), unsigned(self.function.registers[name]), i)
        return code + " }"

    op_ldu = op_ld

    def op_st(self, parts, o, t):
        space = space_of(parts)
        values = split_operands(o[1][1:-1]) if o[1].startswith("{") else [o[1]]
        code = "{ uint64_t a = %s; %s" % (self.address(o[0], space), self.touch(space, 1, width(t) * len(values)))
        for i, value in enumerate(values):
            if is_floating(t) and value in self.function.registers:
                bits = "(%s)%s" % (unsigned(t), self.register(value))
            elif is_floating(t):
                bits = "of_%s(%s)" % (t, self.read(value, t))
            else:
                bits = self.read(value, "u%d" % (width(t) * 8))
            code += " store<%s>(a + %d, %s);" % (unsigned(t), width(t) * i, bits)
        return code + " }"

    def arithmetic(self, parts, o, t):
        if UNMODELLED & set(parts):
            raise Untranslatable(".".join(parts))
        if t == "pred":
            return self.logic(parts[0], o)
        if is_floating(t):
            return self.assign(o[0], FLOATING[parts[0]].format(*(self.read(x, t) for x in o[1:])), t)
        return self.integer(parts, o, t)

    def logic(self, name, o):
        a = self.read(o[1], "pred")
        if name == "not":
            return self.assign(o[0], "!" + a, "pred")
        return self.assign(o[0], "%s %s %s" % (a, {"and": "&&", "or": "||", "xor": "!="}[name], self.read(o[2], "pred")), "pred")

    def integer(self, parts, o, t):
        name, bits = parts[0], width(t) * 8
        u = "u%d" % bits
        c, read = C_TYPES[u], self.read
        if name in ("mul", "mad"):
            return self.product(parts, o, t)
        if name in BINARY:
            return self.assign(o[0], "(%s)(%s %s %s)" % (c, read(o[1], u), BINARY[name], read(o[2], u)), u)
        if name in ("div", "rem"):
            return self.assign(o[0], "int_%s(%s, %s)" % (name, read(o[1], t), read(o[2], t)), t)
        if name in ("min", "max"):
            return self.assign(o[0], "std::%s<%s>(%s, %s)" % (name, C_TYPES[t], read(o[1], t), read(o[2], t)), t)
        if name == "neg":
            return self.assign(o[0], "(%s)(0 - %s)" % (c, read(o[1], u)), u)
        if name == "abs":
            return self.assign(o[0], "(%s < 0 ? (%s)(0 - %s) : %s)" % (read(o[1], t), c, read(o[1], u), read(o[1], u)), u)
        if name == "not":
            return self.assign(o[0], "(%s)~%s" % (c, read(o[1], u)), u)
        if name == "shl":
            return self.assign(o[0], "shift_left<%s>(%s, %s)" % (c, read(o[1], u), read(o[2], "u32")), u)
        if name == "shr":
            kind = t if t[0] == "s" else u
            return self.assign(o[0], "shift_right<%s>(%s, %s)" % (C_TYPES[kind], read(o[1], kind), read(o[2], "u32")), kind)
        raise Untranslatable(".".join(parts))

    def product(self, parts, o, t):
        bits, add, read = width(t) * 8, parts[0] == "mad", self.read
        u, c = "u%d" % bits, C_TYPES["u%d" % bits]
        if "wide" in parts:
            wide = t[0] + str(bits * 2)
            value = "(%s)%s * (%s)%s" % (C_TYPES[wide], read(o[1], t), C_TYPES[wide], read(o[2], t))
            if add:
                value = "(uint64_t)(%s) + %s" % (value, read(o[3], "u%d" % (bits * 2)))
            return self.assign(o[0], value, wide)
        if "hi" in parts:
            big = {"u32": "uint64_t", "s32": "int64_t", "u64": "unsigned __int128", "s64": "__int128"}[t]
            value = "(%s)(((%s)%s * (%s)%s) >> %d)" % (c, big, read(o[1], t), big, read(o[2], t), bits)
            return self.assign(o[0], value + (" + %s" % read(o[3], u) if add else ""), t)
        value = "(uint64_t)%s * (uint64_t)%s" % (read(o[1], u), read(o[2], u))
        return self.assign(o[0], "(%s)(%s%s)" % (c, value, " + (uint64_t)%s" % read(o[3], u) if add else ""), u)

    def op_shf(self, parts, o, t):
        values = tuple(self.read(x, "u32") for x in o[1:4])
        return self.assign(o[0], "funnel_%s_%s(%s, %s, %s)" % ((parts[1], parts[2]) + values), "u32")

    def op_bfi(self, parts, o, t):
        values = (self.read(o[1], t), self.read(o[2], t), self.read(o[3], "u32"), self.read(o[4], "u32"))
        return self.assign(o[0], "insert_bits<%s>(%s, %s, %s, %s)" % ((unsigned(t),) + values), t)

    def op_bfe(self, parts, o, t):
        values = (self.read(o[1], t), self.read(o[2], "u32"), self.read(o[3], "u32"))
        return self.assign(o[0], "extract_bits<%s>(%s, %s, %s)" % ((C_TYPES[t],) + values), t)

    def op_bmsk(self, parts, o, t):
        return self.assign(o[0], "bit_mask(%s, %s)" % (self.read(o[1], "u32"), self.read(o[2], "u32")), "u32")

    def op_prmt(self, parts, o, t):
        if len(parts) > 2:
            raise Untranslatable(".".join(parts))
        return self.assign(o[0], "permute(%s, %s, %s)" % tuple(self.read(x, "u32") for x in o[1:4]), "u32")

    def op_lop3(self, parts, o, t):
        return self.assign(o[0], "logic3(%s, %s, %s, %s)" % (*(self.read(x, "u32") for x in o[1:4]), o[4]), "u32")

    def op_popc(self, parts, o, t):
        return self.assign(o[0], "__builtin_popcountll(%s)" % self.read(o[1], "u%d" % (width(t) * 8)), "u32")

    def op_clz(self, parts, o, t):
        return self.assign(o[0], "leading_zeros<%s>(%s)" % (unsigned(t), self.read(o[1], "u%d" % (width(t) * 8))), "u32")

    def op_brev(self, parts, o, t):
        return self.assign(o[0], "reverse_bits<%s>(%s)" % (unsigned(t), self.read(o[1], t)), t)

    def op_setp(self, parts, o, t):
        results, a, b = o[0].split("|"), self.read(o[1], t), self.read(o[2], t)
        if is_floating(t):
            value = COMPARE_FLOATING[parts[1]].format(a, b)
        else:
            value = "%s %s %s" % (a, COMPARE[parts[1]], b)
        combine = next((p for p in parts[2:] if p in ("and", "or", "xor")), None)
        if combine:
            value = "(%s) %s %s" % (value, {"and": "&&", "or": "||", "xor": "!="}[combine], self.read(o[3], "pred"))
        if len(results) > 1:
            raise Untranslatable("setp with two results")
        return self.assign(results[0], value, "pred")

    def op_selp(self, parts, o, t):
        return self.assign(o[0], "%s ? %s : %s" % (self.read(o[3], "pred"), self.read(o[1], t), self.read(o[2], t)), t)

    def op_cvt(self, parts, o, t):
        to, source = parts[-2], parts[-1]
        value = self.read(o[1], source)
        rounding = next((ROUNDING[p] for p in parts if p in ROUNDING), None)
        if {"sat", "ftz", "rz", "rm", "rp"} & set(parts):
            raise Untranslatable(".".join(parts))
        if is_floating(to) and is_floating(source):
            return self.assign(o[0], "%s(%s)" % (rounding or "(%s)" % C_TYPES[to], value), to)
        if is_floating(source):
            return self.assign(o[0], "to_integer<%s>(%s(%s))" % (C_TYPES[to], rounding, value), to)
        return self.assign(o[0], "(%s)%s" % (C_TYPES[to], value), to)

    def op_cvta(self, parts, o, t):
        """Generic addresses are host addresses; only shared memory has addresses of its own."""
        value = self.read(o[1], "u64")
        if space_of(parts) == "shared":
            value = ("%s - (uint64_t)E.sh" if "to" in parts else "(uint64_t)E.sh + %s") % value
        return self.assign(o[0], value, "u64")

    def op_atom(self, parts, o, t):
        space, returns = space_of(parts), parts[0] == "atom"
        operation = next((p for p in parts[1:] if p in ATOMIC or p == "cas"), None)
        if operation is None or is_floating(t) and operation != "add" and operation != "exch":
            raise Untranslatable(".".join(parts))
        target, *values = o[1:] if returns else o
        c, bits = C_TYPES[t], unsigned(t)
        value = self.read(values[0], t)
        as_value, of_value = ("as_" + t, "of_" + t) if is_floating(t) else ("(%s)" % c, "(%s)" % bits)
        code = "{ uint64_t a = %s; %s" % (self.address(target, space), self.touch(space, 2, width(t)))
        code += " %s old = %s(load<%s>(a));" % (c, as_value, bits)
        if operation == "cas":
            code += " if (old == %s) store<%s>(a, %s);" % (value, bits, self.read(values[1], t))
        else:
            code += " store<%s>(a, %s(%s));" % (bits, of_value, ATOMIC[operation].format(value, c))
        return code + (" " + self.assign(o[0], "old", t) if returns else "") + " }"

    op_red = op_atom

    def op_call(self, parts, o, t):
        operands, results = list(o), []
        if operands[0].startswith("("):
            results = split_operands(operands.pop(0)[1:-1])
        name = operands.pop(0)
        if name in self.function.registers:
            raise Untranslatable("a call through a pointer")
        if name == "__assertfail":
            return 'ptx_fault("assert", E, 0, 0, 0);'
        arguments = split_operands(operands[0][1:-1]) if operands else []
        self.called.add(name)
        return "F_%s(E%s);" % (mangle(name), "".join(", (uint8_t*)" + mangle(x) for x in results + arguments))


ARITHMETIC = set(FLOATING) | set(BINARY) | {"rem", "not", "shl", "shr"}


def global_name(tag, name):
    return "g_%s_%s" % (tag, mangle(name))


def registers_of(function, s):
    if not isinstance(s, Instruction):
        return set()
    tokens = re.findall(r"%?[A-Za-z_$][\w$]*", " ".join(s.operands))
    return {t for t in tokens if t in function.registers} | ({s.guard[1]} if s.guard else set())


def declare(writer, registers):
    by_type = {}
    for name in sorted(registers):
        by_type.setdefault(unsigned(writer.function.registers[name]), []).append(writer.register(name) + " = 0")
    return ["%s %s;" % (c_type, ", ".join(names)) for c_type, names in by_type.items()]
