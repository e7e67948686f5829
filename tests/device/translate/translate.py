"""translate.py OBJECT OUTPUT.cpp --root FOLDER [--kernels PATTERN]: the device code of one CUDA object as C++ for the CPU.

The object has its PTX uncompressed (nvcc --no-compress), and source lines if it was compiled with -lineinfo; lines of files below
the root are named relative to it. PATTERN chooses kernels by their mangled names. The same object gives the same output. A kernel
with something that is not modelled is named in a warning; the output refuses to launch it.
"""

import argparse
import os
import re
import sys

import fatbin
import module
import ptx


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("object")
    parser.add_argument("output")
    parser.add_argument("--root", required=True)
    parser.add_argument("--kernels")
    options = parser.parse_args()
    tag = re.sub(r"\W", "_", os.path.splitext(os.path.basename(options.object))[0])
    try:
        text, missing = module.translate(ptx.Module(fatbin.ptx_of(options.object), options.root), tag, options.kernels)
    except (fatbin.NoPtx, ptx.Untranslatable) as error:
        sys.exit("%s: %s" % (options.object, error))
    for name, reason in missing:
        print("warning: %s: the kernel %s is not translated: %s" % (os.path.basename(options.object), name, reason), file=sys.stderr)
    with open(options.output, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
