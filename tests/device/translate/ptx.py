"""A reader of PTX, as nvcc writes it: modules, functions, statements.

Not a general PTX parser: it takes the grammar that cicc emits, and raises on anything it does not know.
"""

import os
import re
from dataclasses import dataclass, field


class Untranslatable(Exception):
    """An instruction or declaration outside what is modelled."""


@dataclass
class Label:
    name: str


@dataclass
class CallSpace:
    """A .param variable of a call sequence: the memory through which arguments and results pass."""

    name: str
    size: int


@dataclass
class Instruction:
    guard: tuple  # (negated, register) or None
    op: str
    operands: list
    where: str  # "file:line < file:line ...", innermost first; empty without -lineinfo

    @property
    def name(self):
        return self.op.split(".")[0]

    @property
    def parts(self):
        return self.op.split(".")


@dataclass
class Parameter:
    name: str
    size: int
    align: int


@dataclass
class Variable:
    size: int
    align: int
    type: str
    initial: str = None


@dataclass
class Function:
    name: str = ""
    is_kernel: bool = True
    results: list = field(default_factory=list)
    parameters: list = field(default_factory=list)
    directives: str = ""
    registers: dict = field(default_factory=dict)  # name -> type
    statements: list = field(default_factory=list)
    locals: dict = field(default_factory=dict)  # name -> offset in the frame
    local_size: int = 0
    call_spaces: dict = field(default_factory=dict)  # name -> size
    jump_tables: dict = field(default_factory=dict)  # label -> target labels
    error: str = ""  # why its body could not be read

    def instructions(self):
        return (s for s in self.statements if isinstance(s, Instruction))


def width(ptx_type):
    """Bytes of a PTX type."""
    if ptx_type == "pred":
        return 1
    match = re.fullmatch(r"[bsuf](8|16|32|64)", ptx_type)
    if not match or ptx_type == "f16":
        raise Untranslatable("type ." + ptx_type)
    return int(match.group(1)) // 8


def split_operands(text):
    """Splits at commas outside brackets."""
    out, depth, begin = [], 0, 0
    for i, c in enumerate(text):
        if c in "{[(":
            depth += 1
        elif c in "}])":
            depth -= 1
        elif c == "," and depth == 0:
            out.append(text[begin:i].strip())
            begin = i + 1
    last = text[begin:].strip()
    return out + [last] if last else out


def round_up(n, to):
    return (n + to - 1) // to * to


def below(root, path):
    """The path relative to the folder `root`, if it is a file there; else as it is.

    A compiler cache may hand out an object that was compiled in another checkout: then its paths are the other's.
    Example: /elsewhere/tests/device/kernels.cu is tests/device/kernels.cu, since the root has such a file.
    """
    parts = path.split("/")
    for i in range(1, len(parts) - 1) if root else ():
        relative = "/".join(parts[i:])
        if os.path.isfile(os.path.join(root, relative)):
            return relative
    return path


class Module:
    """The PTX of one object. Source files below the folder `root` are named relative to it."""

    SKIPPED = re.compile(r"\.(version|target|address_size|file)\b[^\n]*")
    FUNCTION = re.compile(r"((?:\.(?:visible|extern|weak)\s+)*)\.(entry|func)\b")
    LOC = re.compile(
        r"\.loc\s+(\d+)\s+(\d+)\s+(\d+)"
        r"(?:\s*,\s*function_name\s+[\w$.]+(?:\s*\+\s*\d+)?\s*,\s*inlined_at\s+(\d+)\s+(\d+)\s+(\d+))?"
    )
    VARIABLE = re.compile(
        r"((?:\.(?:visible|extern|weak|common)\s+)*)\.(global|const|shared)\s+(?:\.align\s+(\d+)\s+)?"
        r"\.(\w+)\s+([\w$]+)(\[\d*\])?\s*(=.*)?$",
        re.S,
    )
    PARAMETER = re.compile(
        r"\.param\s+(?:\.align\s+(\d+)\s+)?\.(\w+)\s+(?:\.ptr\s*(?:\.\w+\s+)*(?:\.align\s+\d+\s+)?)?([\w$]+)(\[(\d+)\])?$"
    )

    def __init__(self, text, root=""):
        self.globals, self.shared, self.dynamic_shared, self.functions = {}, {}, set(), []
        self.files = {}
        for number, path in re.findall(r'^\s*\.file\s+(\d+)\s+"([^"]*)"', text, re.M):
            self.files[number] = below(root, os.path.abspath(path))  # nvcc ran in the same folder
        text = text[text.index(".version") :]
        text = re.sub(r'("[^"\n]*")|//[^\n]*', lambda m: m.group(1) or "", text)
        self._read(text)

    def _read(self, text):
        blank, position = re.compile(r"\s*"), 0
        while True:
            position = blank.match(text, position).end()
            if position >= len(text):
                return
            if match := self.SKIPPED.match(text, position):
                position = match.end()
            elif text.startswith(".section", position):
                position = self._closing(text, text.index("{", position)) + 1
            elif match := self.FUNCTION.match(text, position):
                position = self._function(text, match.end(), match.group(2) == "entry")
            else:
                end = text.find(";", position)
                if end < 0:
                    return
                self._variable(text[position:end].strip())
                position = end + 1

    @staticmethod
    def _closing(text, position):
        """Position of the bracket that closes the one at `position`."""
        pair = {"{": "[{}]", "(": "[()]"}[text[position]]
        depth = 0
        for match in re.compile(pair).finditer(text, position):
            depth += 1 if match.group() in "{(" else -1
            if depth == 0:
                return match.start()
        raise Untranslatable("a bracket that nothing closes")

    def _variable(self, text):
        match = self.VARIABLE.match(text)
        if not match:
            raise Untranslatable("declaration " + text[:120])
        linkage, space, align, kind, name, count, initial = match.groups()
        align = int(align or width(kind))
        size = (int(count[1:-1] or 0) if count else 1) * width(kind)
        if space != "shared":
            self.globals[name] = Variable(size, align, kind, initial)
        elif "extern" in linkage:
            self.dynamic_shared.add(name)
        else:
            self.shared[name] = Variable(size, align, kind)

    def _parameters(self, text):
        out = []
        for item in split_operands(text):
            match = self.PARAMETER.match(item)
            if not match:
                raise Untranslatable("parameter " + item)
            size = width(match.group(2)) * int(match.group(5) or 1)
            out.append(Parameter(match.group(3), size, int(match.group(1) or width(match.group(2)))))
        return out

    def _function(self, text, position, is_kernel):
        function, blank = Function(is_kernel=is_kernel), re.compile(r"\s*")
        position = blank.match(text, position).end()
        if text[position] == "(":
            end = self._closing(text, position)
            function.results = self._parameters(text[position + 1 : end])
            position = end + 1
        match = re.compile(r"\s*([\w$]+)\s*").match(text, position)
        function.name, position = match.group(1), match.end()
        if text[position] == "(":
            end = self._closing(text, position)
            function.parameters = self._parameters(text[position + 1 : end])
            position = end + 1
        body = min(p for p in (text.find("{", position), text.find(";", position)) if p >= 0)
        function.directives = text[position:body]
        if text[body] == ";":  # a declaration
            return body + 1
        end = self._closing(text, body)
        try:
            _Body(self, function).read(text[body + 1 : end])
        except Untranslatable as error:  # the other kernels of the object can still be used
            function.error = str(error)
        self.functions.append(function)
        return end + 1


class _Body:
    """The statements of one function. Names of inner scopes (the `{ ... }` of call sequences) are made unique."""

    def __init__(self, module, function):
        self.module, self.function = module, function
        self.scopes, self.renamed = [{}], 0
        self.inlined, self.where = {}, ""

    def read(self, text):
        blank, label = re.compile(r"\s*"), re.compile(r"([\w$]+):(?!:)\s*")
        position = 0
        while True:
            position = blank.match(text, position).end()
            if position >= len(text):
                return
            if text[position] == "{":
                self.scopes.append({})
                position += 1
            elif text[position] == "}":
                self.scopes.pop()
                position += 1
            elif match := Module.LOC.match(text, position):
                self._location(*match.groups())
                position = match.end()
            elif match := label.match(text, position):
                self.function.statements.append(Label(match.group(1)))
                position = match.end()
            else:
                end = text.index(";", position)
                self._statement(re.sub(r"\s+", " ", text[position:end].strip()))
                position = end + 1

    def _location(self, file, line, column, file2, line2, column2):
        """Follows the chain of inlined calls outwards: each link names a location given before."""
        here, caller = (file, line, column), (file2, line2, column2) if file2 else None
        self.inlined[here] = caller
        chain, seen = [here], {here}
        while caller and caller not in seen and len(chain) < 12:
            chain.append(caller)
            seen.add(caller)
            caller = self.inlined.get(caller)
        places = ["%s:%s" % (self.module.files.get(f, "?"), l) for f, l, _ in chain]
        own = [p for p in places if not p.startswith("/")]  # the project's; the toolkit's only where there is no other
        self.where = " < ".join(own or places)

    def _name(self, token):
        for scope in reversed(self.scopes):
            if token in scope:
                return scope[token]
        return token

    def _unique(self, name):
        self.renamed += 1
        unique = "%s_s%d" % (name, self.renamed)
        self.scopes[-1][name] = unique
        return unique

    def _statement(self, text):
        function = self.function
        if text.startswith(".reg"):
            self._registers(text)
        elif text.startswith(".local"):
            match = re.match(r"\.local (?:\.align (\d+) )?\.(\w+) ([\w$]+)(?:\[(\d+)\])?", text)
            offset = round_up(function.local_size, int(match.group(1) or 8))
            function.locals[match.group(3)] = offset
            function.local_size = offset + width(match.group(2)) * int(match.group(4) or 1)
        elif text.startswith(".shared"):
            self.module._variable(text)
        elif text.startswith(".param"):
            match = re.match(r"\.param (?:\.align (\d+) )?\.(\w+) ([\w$]+)(?:\[(\d+)\])?", text)
            name, size = self._unique(match.group(3)), width(match.group(2)) * int(match.group(4) or 1)
            function.call_spaces[name] = size
            function.statements.append(CallSpace(name, size))
        elif text.startswith(".branchtargets"):  # of the label just before
            function.jump_tables[function.statements.pop().name] = split_operands(text[len(".branchtargets") :])
        elif not text.startswith(".pragma"):
            self._instruction(text)

    def _registers(self, text):
        kind, names = re.match(r"\.reg \.(\w+) (.*)$", text).groups()
        for name in split_operands(names):
            if many := re.match(r"(%?[\w$]+)<(\d+)>$", name):
                for i in range(int(many.group(2))):
                    self.function.registers["%s%d" % (many.group(1), i)] = kind
            elif len(self.scopes) > 1:
                self.function.registers[self._unique(name)] = kind
            else:
                self.function.registers[name] = kind

    def _instruction(self, text):
        guard = None
        if match := re.match(r"@(!?)(%?[\w$]+) (.*)$", text):
            guard, text = (match.group(1), self._name(match.group(2))), match.group(3)
        op, _, rest = text.partition(" ")
        operands = split_operands(rest)
        if len(self.scopes) > 1:
            operands = [re.sub(r"%?[A-Za-z_$][\w$]*", lambda m: self._name(m.group()), o) for o in operands]
        self.function.statements.append(Instruction(guard, op, operands, self.where))
