"""One C++ translation unit for the PTX of one object: its variables, its functions, and every kernel in both forms."""

import re

from forms import WarpForm, thread_form
from instructions import C_TYPES, Writer, global_name, mangle, synchronizes
from ptx import Untranslatable, round_up, width


def _variable(tag, name, variable):
    """A variable of the module; its address is registered for the variant that checks accesses."""
    text = global_name(tag, name)
    initial = (variable.initial or "").strip()[1:].strip()  # without the =
    if initial:
        initial = " = {%s}" % initial.strip("{} ") if initial.startswith("{") else " = {%s}" % initial
    align, count = max(variable.align, width(variable.type)), max(1, variable.size // width(variable.type))
    return (
        "alignas(%d) %s %s[%d]%s;\n" % (align, C_TYPES[variable.type], text, count, initial)
        + "const VariableRegistration r_%s(%s, sizeof %s);" % (text, text, text)
    )


class _Functions:
    """The functions that kernels call: translated once, in the order in which they are first needed."""

    def __init__(self, module, tag):
        self.module, self.tag = module, tag
        self.by_name = {f.name: f for f in module.functions if not f.is_kernel}
        self.done, self.heads, self.bodies = {}, [], []  # done: name -> error, or None

    def need(self, name):
        """Translates a function and all that it calls; raises if that cannot be done."""
        if name not in self.done:
            self.done[name] = None  # of a function that calls itself
            try:
                self._translate(name)
            except (Untranslatable, KeyError, StopIteration) as error:
                self.done[name] = "%s, in the function %s" % (error, name)
        if self.done[name] is not None:
            raise Untranslatable(self.done[name])

    def _translate(self, name):
        function = self.by_name.get(name)
        if function is None or function.error:
            raise Untranslatable(function.error if function else "no definition")
        writer = Writer(self.module, self.tag, function)
        if any(synchronizes(s) for s in function.instructions()):
            raise Untranslatable("a synchronizing instruction")
        count = len(function.results + function.parameters)
        head = "void F_%s(Env& E%s)" % (mangle(name), "".join(", uint8_t* P%d" % i for i in range(count)))
        frame = ["LocalFrame frame(E, %d);" % round_up(function.local_size, 16)] if function.local_size else []
        body = "\n".join(frame + thread_form(writer))
        for called in sorted(writer.called):
            self.need(called)
        self.heads.append(head + ";")
        self.bodies.append("%s {\n%s\n}" % (head, body))


def _kernel(module, tag, function, functions):
    """The body of the kernel's namespace."""
    if function.error:
        raise Untranslatable(function.error)
    writer = Writer(module, tag, function)
    alone = not any(synchronizes(s) for s in function.instructions())
    threads = thread_form(writer) if alone else []
    warp = WarpForm(writer)
    for name in sorted(writer.called):
        functions.need(name)
    out = []
    if alone:
        out += ["#ifndef EXARCH_STANDIN_PROFILE", "void thread_form(Env& E) {"] + threads + ["}", "struct R {};"]
        out += ["constexpr const BlockEntry* blocks = nullptr;", "#else", "constexpr void (*thread_form)(Env&) = nullptr;"]
        out += warp.code + ["#endif"]
    else:
        out += ["constexpr void (*thread_form)(Env&) = nullptr;"] + warp.code
    offsets = ["{%d, %d}" % (writer.parameter_offset[p.name], p.size) for p in function.parameters]
    out.append("const ParameterEntry parameters[] = {%s};" % ", ".join(offsets + ["{0, 0}"]))
    limit = re.search(r"\.maxntid (\d+)", function.directives)
    numbers = (len(function.parameters), writer.parameter_size, writer.shared_size, round_up(function.local_size, 16))
    numbers += (int(limit.group(1)) if limit else 1024, warp.slots)
    out.append(
        'const KernelRegistration registration(KernelEntry{"%s", nullptr, thread_form, blocks, %d, sizeof(R), parameters, %s});'
        % (function.name, len(warp.blocks), ", ".join(map(str, numbers)))
    )
    return "\n".join(out)


def translate(module, tag, chosen=None):
    """The C++ of a module, and (kernel, reason) of what is not in it. `tag` is part of the names of variables; `chosen`: a pattern
    that the names of kernels must hold."""
    functions, kernels, missing = _Functions(module, tag), [], []
    for function in module.functions:
        if not function.is_kernel or (chosen and not re.search(chosen, function.name)):
            continue
        try:
            kernels.append(_kernel(module, tag, function, functions))
        except (Untranslatable, KeyError, StopIteration) as error:
            reason = ("%s: %s" % (type(error).__name__, error)).replace("Untranslatable: ", "")
            missing.append((function.name, reason))
            quoted = re.sub(r'[\\"\n]', " ", reason)
            kernels.append('const KernelRegistration registration(KernelEntry{"%s", "%s"});' % (function.name, quoted))
    out = ['#include "tests/device/runtime/ptx_runtime.hpp"', "namespace exarch::standin {", "namespace {"]
    out += [_variable(tag, name, variable) for name, variable in module.globals.items()]
    out += functions.heads + functions.bodies
    for number, text in enumerate(kernels):
        out += ["namespace kernel_%d {" % number, text, "}  // namespace kernel_%d" % number]
    out += ["}  // namespace", "}  // namespace exarch::standin"]
    return "\n".join(out) + "\n", missing
