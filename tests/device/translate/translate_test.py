"""What the translation refuses, and that it is deterministic. What it translates is tested by running it (standin_test.cpp)."""

import os
import struct
import tempfile
import unittest

import fatbin
import module
import ptx

PTX = """
.version 9.0
.target sm_90
.address_size 64
.visible .entry good(.param .u64 good_param_0)
{
	.reg .b32 %r<3>;
	.reg .b64 %rd<3>;
	ld.param.u64 %rd1, [good_param_0];
	ld.global.u32 %r1, [%rd1];
	add.s32 %r2, %r1, 7;
	st.global.u32 [%rd1], %r2;
	ret;
}
.visible .entry odd(.param .u64 odd_param_0)
{
	.reg .b32 %r<3>;
	add.sat.s32 %r2, %r1, 7;
	ret;
}
"""


def container(*entries):
    """A fat binary of (kind, architecture, compressed bytes, payload)."""
    body = b"".join(
        fatbin.ENTRY.pack(kind, 0x101, fatbin.ENTRY.size, len(payload), compressed, architecture) + payload
        for kind, architecture, compressed, payload in entries
    )
    return fatbin.CONTAINER.pack(fatbin.MAGIC, 1, fatbin.CONTAINER.size, len(body)) + body


class Translation(unittest.TestCase):
    def test_names_a_kernel_with_an_instruction_that_is_not_modelled(self):
        text, missing = module.translate(ptx.Module(PTX), "tag")
        self.assertEqual([name for name, _ in missing], ["odd"])
        self.assertIn("add.sat.s32", missing[0][1])
        self.assertIn('KernelEntry{"good", nullptr', text)
        self.assertIn('KernelEntry{"odd", "add.sat.s32', text)

    def test_gives_the_same_text_again(self):
        self.assertEqual(module.translate(ptx.Module(PTX), "tag"), module.translate(ptx.Module(PTX), "tag"))

    def test_takes_the_kernels_that_are_chosen(self):
        text, missing = module.translate(ptx.Module(PTX), "tag", "^good$")
        self.assertNotIn("odd", text)
        self.assertEqual(missing, [])

    def test_names_files_of_the_root_relative_to_it(self):
        with tempfile.TemporaryDirectory() as root:
            os.mkdir(os.path.join(root, "kernels"))
            with open(os.path.join(root, "kernels", "one.cu"), "w", encoding="utf-8"):
                pass
            self.assertEqual(ptx.below(root, os.path.join(root, "kernels", "one.cu")), "kernels/one.cu")
            # Compiled in another checkout, and found in a compiler cache.
            self.assertEqual(ptx.below(root, "/elsewhere/kernels/one.cu"), "kernels/one.cu")
            self.assertEqual(ptx.below(root, "/toolkit/include/one.hpp"), "/toolkit/include/one.hpp")

    def test_refuses_what_is_no_declaration(self):
        with self.assertRaises(ptx.Untranslatable):
            ptx.Module(".version 9.0\n.texref somewhere;\n")


class Fatbin(unittest.TestCase):
    def test_lists_the_entries_of_all_containers(self):
        binary = container((1, 80, 0, b"old"), (2, 90, 0, b"cubin")) + bytes(8) + container((1, 90, 5, b"new"))
        self.assertEqual(
            list(fatbin.entries(binary)), [(1, 80, False, b"old"), (2, 90, False, b"cubin"), (1, 90, True, b"new")]
        )

    def test_refuses_what_is_no_object(self):
        with self.assertRaises(fatbin.NoPtx):
            fatbin.section(b"text", b".nv_fatbin")
        header = b"\x7fELF\x02\x01".ljust(0x28, b"\0") + struct.pack("<Q", 64) + bytes(12) + struct.pack("<HH", 1, 0)
        with self.assertRaises(fatbin.NoPtx):
            fatbin.section(header + bytes(64), b".nv_fatbin")


if __name__ == "__main__":
    unittest.main()
