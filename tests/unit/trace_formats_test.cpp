// Traces as other tools write them: every format is recognised by its content, becomes the requests it means, and says where a
// broken one is broken.
#include <gtest/gtest.h>
#include <unistd.h>
#include <zstd.h>

#include <fstream>
#include <iterator>
#include <set>

#include "host/dram/convert.hpp"
#include "host/dram/formats/formats.hpp"
#include "host/dram/trace.hpp"
#include "host/error.hpp"
#include "tests/support/errors.hpp"

namespace exarch::dram {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using test::error_of;

class TraceFormats : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / (std::string("exarch_") + info->name() + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] fs::path file(const std::string& text, const std::string& name = "in.trace") const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }

  // What the file becomes, its tabs as blanks and without the last end of line.
  [[nodiscard]] std::string converted(const fs::path& in, const ConvertOptions& options = {}) {
    last_ = convert_trace(in, folder_ / "out.stl", options);
    std::ifstream out(folder_ / "out.stl", std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(out), {}};
    std::replace(text.begin(), text.end(), '\t', ' ');
    return text.substr(0, text.size() - 1);
  }

  // By the content, which must be found to be of this format.
  [[nodiscard]] std::string recognised(const std::string& format, const std::string& text, const ConvertOptions& options = {},
                                       const std::string& name = "in.trace") {
    const std::string out = converted(file(text, name), options);
    EXPECT_EQ(last_.format, format);
    return out;
  }

  void refused(const std::string& format, const std::string& text, const std::string& said, ConvertOptions options = {}) {
    options.from = format;
    fs::remove(folder_ / "out.stl");
    const std::string error = error_of([&] { (void)converted(file(text), options); });
    EXPECT_NE(error.find(said), std::string::npos) << format << ": " << error;
    EXPECT_FALSE(fs::exists(folder_ / "out.stl")) << format << ": " << text;
  }

  fs::path folder_;
  Conversion last_;
};

// ---- binary formats, byte by byte ----------------------------------------------------------------------------------------

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
  return bytes + static_cast<char>(value);
}

std::string field(std::uint64_t number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}

std::string message(const std::string& content) {
  return varint(content.size()) + content;
}

std::string gem5_header(std::uint64_t hertz = 1'000'000'000'000) {
  return "gem5" + message("\x0A\x04mon0"s + field(3, hertz) + "\x22\x02\x08\x05"s);
}

std::string gem5_packet(std::uint64_t tick, std::uint64_t command, std::uint64_t address, std::uint64_t size) {
  return message(field(1, tick) + field(2, command) + field(3, address) + field(4, size) + field(6, 1));
}

std::string bytes_of(std::uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

std::string champsim(std::uint64_t ip, std::initializer_list<std::uint64_t> stores, std::initializer_list<std::uint64_t> loads) {
  std::string record = bytes_of(ip) + std::string(8, '\0');
  for (const std::uint64_t address : stores) record += bytes_of(address);
  record.resize(32, '\0');
  for (const std::uint64_t address : loads) record += bytes_of(address);
  record.resize(64, '\0');
  return record;
}

std::string zstd_frame(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

// ---- every format --------------------------------------------------------------------------------------------------------

TEST_F(TraceFormats, DramsimLinesHaveACycle) {
  EXPECT_EQ(recognised("dramsim3", "# k6\n0x1000 P_MEM_RD 10\n0x2000 P_MEM_WR   25\n0x1040 P_LOCK_WR 31\n0x80 BOFF 40\n"),
            "10: read 0x1000\n25: write 0x2000\n31: read 0x1040\n40: write 0x80");
  EXPECT_EQ(recognised("dramsim3", "0x20 IFETCH 1\r\n0x40 WRITE 2"), "1: read 0x20\n2: write 0x40");
  EXPECT_NE(last_.note.find("DRAMSim2 (dramsim3); time: the cycle"), std::string::npos) << last_.note;
  EXPECT_EQ(recognised("dramsim2-misc", "0x100 read\n0x200 write " + std::string(64, '0') + "\n0x40 write\n"),
            "0: read 0x100\n1: write 0x200\n2: write 0x40");
  refused("dramsim2", "0x1000 P_MEM_RD\n", "in.trace:1: cycle ''");
  refused("dramsim2-misc", "0x1000 write xyz\n", "are not hexadecimal digits");
  refused("dramsim2-misc", "0x1000 read zz\n", "unexpected 'zz'");
}

TEST_F(TraceFormats, RamulatorsAddressesAreDecimalOrHexadecimal) {
  EXPECT_EQ(recognised("ramulator", "LD 4096\nST 0x2000\n"), "0: read 0x1000\n1: write 0x2000");
  EXPECT_EQ(recognised("ramulator", "0x1000 R\n8192 W\n"), "0: read 0x1000\n1: write 0x2000");
  EXPECT_EQ(recognised("ramulator", "8192 W\n0x1000 R\n"), "0: write 0x2000\n1: read 0x1000");
  refused("ramulator", "R 0,1,2,3\n", "Ramulator 2's read/write traces");
}

TEST_F(TraceFormats, PacketsOfGem5HaveTicksAndSizes) {
  const std::string packets = gem5_header() + gem5_packet(500, 1, 4096, 64) + gem5_packet(2600, 4, 8190, 4) +
                              gem5_packet(3000, 7, 0, 64) + gem5_packet(5000, 1, 4096, 128);
  const std::string expected = "0: read 0x1000\n2: write 0x1fc0\n2: write 0x2000\n4: read 0x1000\n4: read 0x1040";
  EXPECT_EQ(recognised("gem5", packets), expected);  // a cycle of 800 MHz is 1250 ps
  EXPECT_NE(last_.note.find("left out: 1 of command 7"), std::string::npos) << last_.note;
  const std::string text = "r,4096,64,0,500\nw,8190,4,0,2600\nu,0,64,0,3000\n7,r,4096,128,0,5000,4198400\n";
  EXPECT_EQ(recognised("gem5-text", text), expected);
  EXPECT_NE(last_.note.find("1 packets that neither read nor write"), std::string::npos) << last_.note;
  EXPECT_EQ(recognised("gem5-text", "r,4096,64,0,5000\n", {.read = {.clk_mhz = 200}}), "1: read 0x1000");
  EXPECT_EQ(recognised("gem5", gem5_header(1'000'000'000) + gem5_packet(5, 1, 64, 64)), "4: read 0x40");  // ticks of 1 ns

  refused("gem5", packets.substr(0, packets.size() - 1), "cut off inside a message");
  refused("gem5", gem5_header(), "the trace has no requests");
  refused("gem5", gem5_header() + message(field(1, 5)), "packet 1, which ends at byte");
  refused("gem5", gem5_header() + message(field(1, 5) + field(2, 1) + field(3, 64) + field(4, 1 << 20)),
          "a size of 1048576 bytes");
  refused("gem5", gem5_header() + "\xFF\xFF\xFF\xFF\x7F", "the file is damaged");
  refused("gem5", gem5_header() + message("\x0F"), "a damaged message");
  refused("gem5", gem5_header() + message("\x0A\x7F"), "a damaged message");
  refused("gem5", "gem5" + message(field(3, 1) + field(4, 120)), "a gem5 trace of instructions");
  refused("gem5", "gem5" + message(field(3, 0)), "no ticks per second");
  EXPECT_EQ(recognised("gem5-text", "9,w,4096,64,2500\n"), "2: write 0x1000");  // without flags
  refused("gem5-text", "r,4096,64\n", "expected command, address, size, flags and tick");
  refused("gem5-text", "r,4096,64,0,1,2,3\n", "expected command, address, size, flags and tick");
  refused("gem5-text", "x,4096,64,0,1\n", "unknown command 'x'");
}

TEST_F(TraceFormats, ListsOfAccessesHaveNoTimes) {
  const std::string lackey = "==7== Lackey\n==7== \nI  04016b80,3\n L 1ffeffe7e0,8\n S 0421c7ff,8\n M 0421c7c0,4\n==7== \n";
  EXPECT_EQ(recognised("lackey", lackey),
            "0: read 0x1ffeffe7c0\n1: write 0x421c7c0\n1: write 0x421c800\n2: read 0x421c7c0\n3: write 0x421c7c0");
  EXPECT_NE(last_.note.find("1 instruction fetches (I) are left out"), std::string::npos) << last_.note;
  EXPECT_EQ(recognised("pin", "0x401000: R 0x7ffd10\n0x401003: W 0x7ffd18 8\n#eof\n"), "0: read 0x7ffd10\n1: write 0x7ffd00");
  EXPECT_EQ(recognised("champsim", champsim(0x400000, {0x7000}, {0x8000, 0x8040}) + champsim(0x400004, {}, {}) +
                                       champsim(0x400008, {0x9000}, {})),
            "0: read 0x8000\n1: read 0x8040\n2: write 0x7000\n3: write 0x9000");
  EXPECT_EQ(recognised("pin", "0x1: R 0x40\n0x2: R 0x80\n0x3: R 0xc0\n", {.skip = 1, .interval = 5}),
            "0: read 0x80\n5: read 0xc0");
  refused("lackey", "hello\n", "valgrind --log-file");
  refused("lackey", " L 12,0\n", "a length of 0 bytes");
  refused("lackey", "I  12,4\n", "the trace has no requests: 1 instruction fetches");
  refused("pin", "0x401000 R 0x1\n", "with a ':' behind it");
  refused("champsim", champsim(1, {2}, {}) + "x", "cut off inside an instruction");
  refused("champsim", champsim(1, {}, {}), "no instruction reads or writes memory");
  std::string branch = champsim(1, {2}, {});
  branch[8] = 2;
  refused("champsim", branch, "instruction 1, which ends at byte 64");
}

TEST_F(TraceFormats, TracesOfArraysAreOfOneDirectionAndCountElements) {
  const std::string trace = "-2.0,0.0,1.0,64.0,-1.0,\n-1,2,3,4,5\n3,128,200,,201\n";
  EXPECT_EQ(recognised("scalesim", trace), "0: read 0x0\n0: read 0x40\n1: read 0x0\n5: read 0x80\n5: read 0xc0");
  EXPECT_NE(last_.note.find("all are reads, of elements of 1 byte; cycle 0 is cycle -2 of the file"), std::string::npos);
  EXPECT_EQ(recognised("scalesim", "5,0,1,2,3\n", {.read = {.word_bytes = 32}}, "OFMAP_DRAM_TRACE.csv"),
            "5: write 0x0\n5: write 0x40");
  EXPECT_EQ(recognised("scalesim", "5,0,1,2,3\n", {.read = {.is_write = false}}, "OFMAP_DRAM_TRACE.csv"), "5: read 0x0");
  refused("scalesim", "0,1,2,3,4\n-1,1,2,3,4\n", "in.trace:2: a negative cycle");
  refused("scalesim", "0,1,2,3,4.5\n", "'4.5' is not a whole number");
  refused("scalesim", "0,1,2,3,9007199254740994\n", "is not a whole number");
}

TEST_F(TraceFormats, TablesNameTheirColumns) {
  EXPECT_EQ(recognised("csv", "time,rw,addr\n3,R,0x40\n7,write,128\n"), "3: read 0x40\n7: write 0x80");
  EXPECT_EQ(recognised("csv", "\"Address\",\"Size\",\"Type\",\"time_ns\",\"id\"\n0x1000,128,W,12.5,1\n"),
            "10: write 0x1000\n10: write 0x1040");
  EXPECT_NE(last_.note.find("column 'id' left out"), std::string::npos) << last_.note;
  EXPECT_EQ(recognised("csv", "op,addr\nLD,64\nST,0\n"), "0: read 0x40\n1: write 0x0");
  EXPECT_NE(last_.note.find("there is no time"), std::string::npos) << last_.note;
  EXPECT_EQ(recognised("csv", "tick,rw,address\n2500,r,0x40\n"), "2: read 0x40");
  refused("csv", "time,addr\n1,2\n", "the header has no column rw");
  refused("csv", "rw,time\n1,2\n", "the header has no column addr");
  refused("csv", "time,tick,rw,addr\n1,2,r,3\n", "'tick' means what another column");
  refused("csv", "time,rw,addr\n1,R\n", "in.trace:2: 2 cells, where the header has 3");
  refused("csv", "time,rw,addr\n1,0,0x0\n", "unknown command '0', expected read or write");
  refused("csv", "time_ns,rw,addr\n1.2345,R,0x0\n", "more than 3 decimals");
  refused("csv", "time,rw,addr\n", "the trace has no requests");
}

TEST_F(TraceFormats, OptionsApplyInTheirOrder) {
  const std::string trace = "10: read 0x100\n20: (128) write 0x200\n30: read 0x300\n25: read 0x140\n";
  EXPECT_EQ(recognised("stl", trace, {.skip = 1, .limit = 2}, "a.stl"), "20: (128) write 0x200\n30: read 0x300");
  EXPECT_EQ(recognised("stl", trace, {.skip = 2, .from_zero = true, .address_offset = 0x100}, "a.stl"),
            "0: read 0x200\n0: read 0x40");
  EXPECT_EQ(recognised("stl", trace, {.limit = 2, .burst_bytes = 64}, "a.stl"),
            "10: read 0x100\n20: write 0x200\n20: write 0x240");
  EXPECT_EQ(recognised("dramsim3", "0xffffffffffffffff READ 0\n", {.address_offset = 0xfffffffffffffff0}), "0: read 0xf");
  refused("stl", trace, "the address is below the address offset", {.address_offset = 0x101});
  refused("stl", trace, "the length is no multiple of a burst of 96", {.burst_bytes = 96});
  refused("stl", trace, "no request is left", {.skip = 4});
  refused("ramulator", "LD 1\n", "--clk_mhz has no effect", {.read = {.clk_mhz = 400}});
  refused("dramsim3", "0x0 READ 1\n", "--interval has no effect", {.interval = 2});
  refused("dramsim3", "0x0 READ 1\n", "--burst has no effect", {.burst_bytes = 64});
  refused("csv", "time,rw,addr\n1,R,1\n", "--word-bytes has no effect", {.read = {.word_bytes = 2}});
  refused("csv", "time,rw,addr\n1,R,1\n", "--direction has no effect", {.read = {.is_write = true}});
  refused("lackey", " L ffffffffffffffff,8\n", "the end of the request does not fit in 64 bits");
}

// Under whatever name, a trace is loaded as what it is; the player's clock counts.
TEST_F(TraceFormats, TracesAreLoadedAsTheyAreConverted) {
  const MemSpec memory = load_memspec("MICRON_1Gb_DDR3-1600_8bit_G");
  const AddressMapping mapping = load_address_mapping("am_ddr3_8x1Gbx8_dimm_p1KB_rbc");
  const std::string packets = "r,4096,64,0,500\nw,8190,4,0,2600\nr,4096,128,0,5000\n";
  for (const char* name : {"in.txt", "in.stl", "in.rstl"}) {
    const fs::path path = file(packets, name);
    (void)converted(path, {.read = {.clk_mhz = 400}});
    const PackedTrace direct = load_trace(path.string(), memory, mapping, 0, 400);
    EXPECT_EQ(direct.content_hash, load_trace((folder_ / "out.stl").string(), memory, mapping).content_hash);
    ASSERT_FALSE(direct.warnings.empty());
    EXPECT_NE(direct.warnings[0].find("is read as a trace of gem5 (decode_packet_trace.py) (gem5-text)"), std::string::npos);
  }
  // DRAMSys' own lines under another name have issue times.
  const PackedTrace plain = load_trace(file("3: read 0x40\n", "in.txt").string(), memory, mapping);
  EXPECT_EQ(plain.content_hash, load_trace(file("3: read 0x40\n", "in.stl").string(), memory, mapping).content_hash);
  EXPECT_TRUE(plain.warnings.empty());
}

TEST_F(TraceFormats, CpuTracesAreRefusedWithTheReason) {
  for (const char* text : {"3 20734016\n1 20846400 20734016\n", "10 R 0x1000 0x0\n12 W 0x2000\n"}) {
    const std::string error = error_of([&] { (void)converted(file(text)); });
    EXPECT_NE(error.find("instructions between memory accesses, not times"), std::string::npos) << error;
    EXPECT_NE(error.find("run it through a processor model"), std::string::npos) << error;
  }
}

TEST_F(TraceFormats, TheTableIsWhatIsRead) {
  std::set<std::string> names;
  for (const TraceFormat& format : trace_formats()) {
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_EQ(&find_trace_format(format.name), &format);
    EXPECT_FALSE(name_of(format.kind).empty()) << format.name;
    EXPECT_NE(trace_format_names().find(format.name), std::string::npos);
    EXPECT_FALSE(format.line.empty() || format.time.empty() || format.tool.empty()) << format.name;
  }
}

// ---- compressed by zstd --------------------------------------------------------------------------------------------------

TEST_F(TraceFormats, ZstdIsReadAsItsText) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i) + ": read 0x" + std::to_string(i % 97) + "0\n";
  const std::string plain = converted(file(text, "a.stl"));
  EXPECT_EQ(converted(file(zstd_frame(text), "b.stl.zst")), plain);
  const std::size_t half = text.find('\n', text.size() / 2) + 1;
  const std::string frames = "\x50\x2A\x4D\x18\x03\0\0\0abc"s + zstd_frame(text.substr(0, half)) + zstd_frame(text.substr(half));
  EXPECT_EQ(converted(file(frames, "c.stl")), plain);
  EXPECT_EQ(recognised("gem5-text", zstd_frame("r,4096,64,0,500\n"), {}, "d.zst"), "0: read 0x1000");

  fs::remove(folder_ / "out.stl");
  const std::string frame = zstd_frame(text);
  const auto error = [&](const std::string& bytes) { return error_of([&] { (void)converted(file(bytes, "x.stl.zst")); }); };
  EXPECT_NE(error(frame.substr(0, frame.size() - 5)).find("cut off inside its compressed data"), std::string::npos);
  EXPECT_NE(error(frame + "garbage behind it").find("the compressed data are damaged"), std::string::npos);
  EXPECT_NE(error("\x28\xB5\x2F\xFD"s).find("cut off"), std::string::npos);
  EXPECT_NE(error("\x28\xB5\x2F\xFD"s + std::string(40, '\xFF')).find("damaged"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "out.stl"));
}

}  // namespace
}  // namespace exarch::dram
