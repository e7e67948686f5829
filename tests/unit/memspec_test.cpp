// What a user relies on when naming a memory and a mapping: the numbers arrive as written, pairs
// fit exactly when the reference simulator says so, and nonsense is refused with its key named.
#include "host/dram/memspec.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "host/error.hpp"
#include "host/files/data_dir.hpp"
#include "tests/support/errors.hpp"

namespace exarch::dram {
namespace {

constexpr char kMemory[] = "MICRON_1Gb_DDR3-1600_8bit_G";
constexpr char kMapping[] = "am_ddr3_8x1Gbx8_dimm_p1KB_rbc";

std::string shipped_text(const std::string& folder, const std::string& name) {
  std::ifstream in(find_data_file(folder, name, {".json"}));
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// A file in the test folder, removed at the end of the test.
class TempFile {
 public:
  TempFile(const std::string& name, const std::string& text)
      : path_(::testing::TempDir() + std::to_string(::getpid()) + "_" + name) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

using test::error_of;

std::string memspec_error(const std::string& text) {
  const TempFile file("memspec.json", text);
  return error_of([&] { (void)load_memspec(file.path()); });
}

std::string mapping_error(const std::string& text) {
  const TempFile file("mapping.json", text);
  return error_of([&] { (void)load_address_mapping(file.path()); });
}

AddressMapping mapping_from(const std::string& text) {
  const TempFile file("mapping.json", text);
  return load_address_mapping(file.path());
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(MemSpec, ReadsTheShippedMemory) {
  const MemSpec spec = load_memspec(kMemory);
  EXPECT_EQ(spec.id, kMemory);
  EXPECT_EQ(spec.memory_type, "DDR3");
  EXPECT_EQ(spec.banks, 8u);
  EXPECT_EQ(spec.columns, 1024u);
  EXPECT_EQ(spec.rows, 16384u);
  EXPECT_EQ(spec.bytes_per_burst(), 64u);
  EXPECT_EQ(spec.tck_ps, 1250u);
  const Timing& t = spec.timing;
  EXPECT_EQ(t.tRCD, 10u);
  EXPECT_EQ(t.tRAS, 28u);
  EXPECT_EQ(t.tREFI, 6240u);
  EXPECT_EQ(t.tRFC, 88u);
  EXPECT_EQ(t.burst, 4u);
  EXPECT_EQ(t.banks, 8u);
  EXPECT_EQ(t.read_to_write(), 8u);
  EXPECT_EQ(t.write_to_read(), 18u);
  EXPECT_EQ(t.write_to_precharge(), 24u);
  EXPECT_DOUBLE_EQ(spec.power.idd4w, 145.0);
  EXPECT_DOUBLE_EQ(spec.power.vdd, 1.5);
}

TEST(MemSpec, RoundsTheClockPeriodToWholePicoseconds) {
  EXPECT_EQ(load_memspec("MICRON_1Gb_DDR3-1066_8bit_G").tck_ps, 1876u);
}

TEST(MemSpec, AcceptsTheInnerObjectAndTheFileNameWithExtension) {
  std::string text = shipped_text("dram/memspecs", kMemory);
  text = text.substr(text.find('{', 1));
  text = text.substr(0, text.rfind('}'));
  const TempFile file("inner.json", text);
  EXPECT_EQ(load_memspec(file.path()).rows, 16384u);
  EXPECT_EQ(load_memspec(std::string(kMemory) + ".json").rows, 16384u);
}

TEST(MemSpec, SaysWhatIsUnsupported) {
  const std::string ddr2 = memspec_error(replaced(shipped_text("dram/memspecs", kMemory), "\"DDR3\"", "\"DDR2\""));
  EXPECT_TRUE(contains(ddr2, "memoryType: 'DDR2' is not supported")) << ddr2;
  EXPECT_TRUE(contains(ddr2, "DDR3, DDR4, LPDDR4, HBM2, WIDEIO_SDR")) << ddr2;
  const std::string ranks =
      memspec_error(replaced(shipped_text("dram/memspecs", kMemory), "\"nbrOfRanks\": 1", "\"nbrOfRanks\": 9"));
  EXPECT_TRUE(contains(ranks, "nbrOfRanks: 9 ranks are not supported")) << ranks;
}

// Of every standard: shape, clock, times; what has no energy model.
TEST(MemSpec, ReadsEveryStandard) {
  const MemSpec ddr4 = load_memspec("MICRON_4Gb_DDR4-2400_8bit_A");
  EXPECT_EQ(ddr4.banks, 16u);
  EXPECT_EQ(ddr4.bank_groups, 4u);
  EXPECT_EQ(ddr4.tck_ps, 833u);
  EXPECT_GT(ddr4.cycles("CCD_L"), ddr4.cycles("CCD_S"));
  EXPECT_GT(ddr4.second_power.vdd, ddr4.power.vdd);
  EXPECT_EQ(load_memspec("memspec_ranktest").ranks, 4u);
  const MemSpec wideio = load_memspec("JEDEC_256Mb_WIDEIO-200_128bit");
  EXPECT_EQ(wideio.channels, 4u);
  EXPECT_EQ(wideio.devices, 1u);
  EXPECT_DOUBLE_EQ(wideio.second_power.idd4r, 85.73);
  const MemSpec lpddr4 = load_memspec("JEDEC_8Gb_LPDDR4-3200_16bit");
  EXPECT_FALSE(lpddr4.has_energy);
  EXPECT_EQ(lpddr4.cycles("REFIPB"), 780u);
  const MemSpec hbm2 = load_memspec("HBM2");
  EXPECT_EQ(hbm2.ranks, 2u);
  EXPECT_FALSE(hbm2.is_plain_ddr3());
  EXPECT_TRUE(load_memspec(kMemory).is_plain_ddr3());
}

// The spellings of DRAMSys 5, and its units.
TEST(MemSpec, ReadsDramsys5OfEveryStandard) {
  std::string text = shipped_text("dram/memspecs", "JEDEC_8Gb_LPDDR4-3200_16bit");
  for (const auto& [from, to] : std::map<std::string, std::string>{{"\"REFIPB\"", "\"REFIpb\""},
                                                                   {"\"RFCAB\"", "\"RFCab\""},
                                                                   {"\"RPPB\"", "\"RPpb\""},
                                                                   {"\"clkMhz\": 1600", "\"tCK\": 625e-12"},
                                                                   {"\"width\": 16", "\"width\": 16, \"nbrOfDevices\": 1"}}) {
    text = replaced(text, from, to);
  }
  const TempFile file("lpddr4.json", text);
  const MemSpec spec = load_memspec(file.path());
  EXPECT_EQ(spec.times, load_memspec("JEDEC_8Gb_LPDDR4-3200_16bit").times);
  EXPECT_EQ(spec.clk_mhz, 1600u);
  const TempFile stacks("hbm2.json",
                        replaced(shipped_text("dram/memspecs", "HBM2"), "\"width\": 64", "\"width\": 64, \"nbrOfStacks\": 2"));
  const std::string error = error_of([&] { (void)load_memspec(stacks.path()); });
  EXPECT_TRUE(contains(error, "nbrOfStacks: 2 stacks are not supported")) << error;
}

// In the reference simulator a time below zero is never reached; the file is refused instead.
TEST(MemSpec, RefusesTimesThatCanBeBelowZero) {
  std::string text = replaced(shipped_text("dram/memspecs", "JEDEC_8Gb_LPDDR4-3200_16bit"), "\"RL\": 28", "\"RL\": 56");
  const TempFile one("one.json", text);
  EXPECT_EQ(load_memspec(one.path()).cycles("RL"), 56u) << "with one rank the distance is never used";
  const TempFile two("two.json", replaced(text, "\"nbrOfRanks\": 1", "\"nbrOfRanks\": 2"));
  const std::string error = error_of([&] { (void)load_memspec(two.path()); });
  EXPECT_TRUE(contains(error, "memtimingspec.RL: RD would follow WR after -33 cycles")) << error;
}

TEST(MemSpec, SuggestsAShippedNameForAMissingFile) {
  const std::string error = error_of([] { (void)load_memspec("MICRON_1Gb_DDR3-1600_8bit_H"); });
  EXPECT_TRUE(contains(error, "did you mean 'MICRON_1Gb_DDR3-1600_8bit_G")) << error;
}

struct BadValue {
  const char* from;
  const char* to;
  const char* key;       // named by the message
  const char* expected;  // part of the message
};

class BadMemSpec : public ::testing::TestWithParam<BadValue> {};

TEST_P(BadMemSpec, IsRefusedWithFileLineAndKey) {
  const BadValue& bad = GetParam();
  const std::string text = replaced(shipped_text("dram/memspecs", kMemory), bad.from, bad.to);
  const std::string error = memspec_error(text);
  EXPECT_TRUE(contains(error, "memspec.json")) << error;
  EXPECT_TRUE(contains(error, bad.key)) << error;
  EXPECT_TRUE(contains(error, bad.expected)) << error;
}

INSTANTIATE_TEST_SUITE_P(
    Absurd, BadMemSpec,
    ::testing::Values(
        BadValue{R"("nbrOfBanks": 8)", R"("nbrOfBanks": 0)", ":6: memspec.memarchitecturespec.nbrOfBanks", "from 1"},
        BadValue{R"("nbrOfBanks": 8)", R"("nbrOfBanks": 16)", "nbrOfBanks", "16 banks are not supported"},
        BadValue{R"("nbrOfChannels": 1)", R"("nbrOfChannels": 9)", "nbrOfChannels", "9 channels are not supported"},
        BadValue{R"("nbrOfRows": 16384)", R"("nbrOfRows": 0)", "nbrOfRows", "from 1"},
        BadValue{R"("nbrOfRows": 16384)", R"("nbrOfRows": 33554432)", "nbrOfRows", "to 16777216"},
        BadValue{R"("nbrOfColumns": 1024)", R"("nbrOfColumns": -1)", "nbrOfColumns", "found -1"},
        BadValue{R"("width": 8)", R"("width": 0)", "width", "from 1"},
        BadValue{R"("nbrOfDevicesOnDIMM": 8)", R"("nbrOfDevicesOnDIMM": 99999)", "nbrOfDevicesOnDIMM", "found 99999"},
        BadValue{R"("burstLength": 8)", R"("burstLength": 0)", "burstLength", "from 1"},
        BadValue{R"("burstLength": 8)", R"("burstLength": 7)", "burstLength", "multiple of dataRate"},
        BadValue{R"("dataRate": 2)", R"("dataRate": 0)", "dataRate", "from 1"},
        BadValue{R"("RCD": 10)", R"("RCD": -10)", "memtimingspec.RCD", "found -10"},
        BadValue{R"("RCD": 10)", R"("RCD": 10.5)", "memtimingspec.RCD", "whole number"},
        BadValue{R"("RCD": 10)", R"("RCD": "10")", "memtimingspec.RCD", "found \"10\""},
        BadValue{R"("RCD": 10)", R"("RCD": null)", "memtimingspec.RCD", "found null"},
        BadValue{R"("RCD": 10)", R"("RCD": 99999999999999999999)", "memtimingspec.RCD", "to 10000,"},
        BadValue{R"("RTP": 6)", R"("RTP": 60)", "memtimingspec.RTP", "at most WL"},
        BadValue{R"("RCD": 10)", R"("RDC": 10)", "memtimingspec.RCD", "is 'RDC' a misspelling"},
        BadValue{R"("AL": 0)", R"("AL": 11)", "memtimingspec.AL", "at most RCD"},
        BadValue{R"("RAS": 28)", R"("RAS": 39)", "memtimingspec.RAS", "at most RC"},
        BadValue{R"("WL": 8)", R"("WL": 17)", "memtimingspec.WL", "at most RL + burstLength"},
        BadValue{R"("RP": 10)", R"("RP": 89)", "memtimingspec.RP", "at most RFC"},
        BadValue{R"("REFI": 6240)", R"("REFI": 0)", "memtimingspec.REFI", "from 1"},
        BadValue{R"("REFI": 6240)", R"("REFI": 88)", "memtimingspec.REFI", "greater than RFC"},
        BadValue{R"("clkMhz": 800)", R"("clkMhz": 0)", "memtimingspec.clkMhz", "from 1 to 100000"},
        BadValue{R"("clkMhz": 800)", R"("clkMhz": 100001)", "memtimingspec.clkMhz", "from 1 to 100000"},
        BadValue{R"("idd0": 70.0)", R"("idd0": -70.0)", "mempowerspec.idd0", "found -70.0"},
        BadValue{R"("idd0": 70.0)", R"("idd0": "70")", "mempowerspec.idd0", "expected a number"},
        BadValue{R"("vdd": 1.5)", R"("vdd": 0)", "mempowerspec.vdd", "found 0"},
        BadValue{R"("mempowerspec": {)", R"("mempowerspec_": {)", "mempowerspec", "misspelling"},
        BadValue{R"("memoryType": "DDR3")", R"("memoryType": 3)", "memoryType", "expected a text"},
        BadValue{R"("memoryType": "DDR3",)", R"("memoryType": "DDR3")", ":16: not valid JSON", "line 16"},
        BadValue{R"("XP": 6)", R"("Xp": 6)", "memtimingspec.Xp", "unknown key (did you mean 'XP'?); correct or remove it"},
        BadValue{R"("RCD": 10)", R"("RCD": 10, "tRCD": 11)", "memtimingspec.tRCD", "did you mean 'RCD'?"},
        BadValue{R"("idd0": 70.0)", R"("idd0": 70.0, "width": 8)", "mempowerspec.width", "unknown key"},
        BadValue{R"("dataRate": 2)", R"("dataRate": 2, "dataRates": 2)", ":5: memspec.memarchitecturespec.dataRates", "unknown"},
        BadValue{R"("memoryType": "DDR3")", R"("memoryType": "DDR3", "memoryTypes": 1)", "memspec.memoryTypes", "'memoryType'"},
        BadValue{R"("memspec":)", R"("memspecs": 1, "memspec":)", "memspecs", "did you mean 'memspec'?"},
        BadValue{R"("RCD": 10)", R"("RCD": 10, "RCD": 11)", "memspec.json:40: key \"RCD\" occurs twice", "keep one"},
        BadValue{R"("idd0": 70.0)", R"("idd0": 1e999)", "memspec.json", "not valid JSON"}));

// A key may come back in another object; the line named is that of the second mention in the same one.
TEST(MemSpec, ACopyOfAKeyIsNamedWithItsLine) {
  EXPECT_TRUE(contains(memspec_error("{\"a\": {\"x\": 1},\n\"b\": {\"x\": \"x\",\n\"y\": 2,\n\"x\" : 3}}"),
                       "memspec.json:4: key \"x\" occurs twice"));
  EXPECT_TRUE(contains(mapping_error("{\"CONGEN\": {},\n\"CONGEN\": {}}"), "mapping.json:2: key \"CONGEN\" occurs twice"));
}

TEST(MemSpec, RefusesFilesThatAreNotAMemory) {
  EXPECT_TRUE(contains(memspec_error(""), "not valid JSON"));
  EXPECT_TRUE(contains(memspec_error("[]"), "expected an object"));
  EXPECT_TRUE(contains(memspec_error("{}"), "memspec: this key is missing"));
  EXPECT_TRUE(contains(memspec_error(R"({"memspec": 3})"), "expected an object"));
  const std::string folder = error_of([] { (void)load_memspec(::testing::TempDir()); });
  EXPECT_TRUE(contains(folder, "is a directory")) << folder;
}

TEST(AddressMapping, DecodesTheShippedMapping) {
  const AddressMapping mapping = load_address_mapping(kMapping);
  EXPECT_EQ(mapping.id, kMapping);
  EXPECT_EQ(max_address(mapping), 0x3FFFFFFFu);
  const DecodedAddress decoded = decode_address(mapping, (std::uint64_t{0x2ABC} << 16) | 0xA000 | (77 << 3) | 5);
  EXPECT_EQ(decoded.row, 0x2ABCu);
  EXPECT_EQ(decoded.bank, 5u);
  EXPECT_EQ(decoded.column, 77u);
  EXPECT_EQ(decode_address(mapping, 0xFF40000000ull).row, 0u) << "bits above the map are ignored";
}

TEST(AddressMapping, XorPairsReplaceTheFirstBitInListOrder) {
  const std::string text = replaced(shipped_text("dram/amconfigs", kMapping), "\"BANK_BIT\"",
                                    R"("XOR": [{"FIRST": 13, "SECOND": 16}, {"FIRST": 14, "SECOND": 13}], "BANK_BIT")");
  const AddressMapping mapping = mapping_from(text);
  ASSERT_EQ(mapping.xors.size(), 2u);
  // Bit 16 flips bank bit 13, whose new value then flips bank bit 14.
  EXPECT_EQ(decode_address(mapping, 1u << 16).bank, 3u);
  EXPECT_EQ(decode_address(mapping, 1u << 16).row, 1u);
  EXPECT_EQ(decode_address(mapping, (1u << 16) | (1u << 13)).bank, 0u);
  EXPECT_EQ(decode_address(mapping, 1u << 15).bank, 4u);
}

// DRAMSys 5 writes a bit that is the XOR of several as a list.
TEST(AddressMapping, ListsOfBitsAreXors) {
  const auto mapping = [](const std::string& bank) {
    return R"({"addressmapping": {"BYTE_BIT": [0,1,2], "COLUMN_BIT": [3,4], "ROW_BIT": [5,6], "BANK_BIT": )" + bank + "}}";
  };
  const AddressMapping lists = mapping_from(mapping("[[7, 5], 8]"));
  EXPECT_EQ(decode_address(lists, 1u << 5).bank, 1u);
  EXPECT_EQ(decode_address(lists, (1u << 7) | (1u << 5)).bank, 0u);
  EXPECT_EQ(decode_address(lists, 1u << 8).bank, 2u);
  const std::string chain = mapping_error(mapping("[[7, 8], [8, 5]]"));
  EXPECT_TRUE(contains(chain, "bit 8 is itself replaced by an XOR")) << chain;
  EXPECT_TRUE(contains(mapping_error(mapping("[[7, 7]]")), "occurs twice"));
  EXPECT_TRUE(contains(mapping_error(mapping("[[]]")), "found []"));
}

TEST(AddressMapping, DecodesGroupsRanksAndChannels) {
  const DecodedAddress hbm2 = decode_address(load_address_mapping("am_hbm2_8Gb_pc_brc"), (1u << 29) | (2u << 27) | (3u << 25));
  EXPECT_EQ(hbm2.rank, 1u);
  EXPECT_EQ(hbm2.bank, 2u * 4 + 3);
  const DecodedAddress wideio = decode_address(load_address_mapping("am_wideio_4x256Mb_brc"), (3u << 25) | (2u << 23));
  EXPECT_EQ(wideio.channel, 3u);
  EXPECT_EQ(wideio.bank, 2u);
}

TEST(AddressMapping, RefusesNonsense) {
  const auto with = [](const std::string& bank) {
    return mapping_error(R"({"CONGEN": {"BYTE_BIT": [0,1,2], "COLUMN_BIT": [3,4], "ROW_BIT": [5,6], )" + bank + "}}");
  };
  const std::map<std::string, std::string> expected{
      {R"("BANK_BIT": [6])", "CONGEN.BANK_BIT: bit 6 is used twice"},
      {R"("BANK_BIT": [63])", "from 0 to 62, found 63"},
      {R"("BANK_BIT": [-1])", "found -1"},
      {R"("BANK_BIT": [7.0])", "found 7.0"},
      {R"("BANK_BIT": 7)", "expected a list"},
      {R"("BANK_BITS": [7])", "CONGEN.BANK_BITS: unknown key (did you mean 'BANK_BIT'?)"},
      {R"("BANKGROUP_BIT": [7])", "CONGEN.BANK_BIT: this key is missing"},
      {R"("BANK_BIT": [7], "XOR": [3])", "CONGEN.XOR: expected a pair"},
      {R"("BANK_BIT": [7], "XOR": [{"FIRST": 7}])", "CONGEN.XOR: expected a pair"},
      {R"("BANK_BIT": [7], "XOR": [{"FIRST": 7, "SECOND": 7}])", "the same bit, 7"},
      {R"("BANK_BIT": [7], "XOR": [{"FIRST": 7, "SECOND": 64}])", "found 64"},
  };
  for (const auto& [fields, message] : expected) {
    const std::string error = with(fields);
    EXPECT_TRUE(contains(error, message)) << fields << ": " << error;
  }
  std::string rows;
  for (int bit = 10; bit < 35; ++bit) rows += (rows.empty() ? "" : ",") + std::to_string(bit);
  const std::string wide = mapping_error(R"({"COLUMN_BIT": [3], "BANK_BIT": [4], "ROW_BIT": [)" + rows + "]}");
  EXPECT_TRUE(contains(wide, "ROW_BIT: at most 24 bits")) << wide;
}

TEST(AddressMapping, MismatchesNameTheFieldAndBothSides) {
  const std::string error = error_of([] { check_mapping_fits(load_memspec(kMemory), load_address_mapping("am_ddr3_x16_rbc")); });
  EXPECT_TRUE(contains(error, "ROW_BIT has 13 bits, the memory has 16384 row(s)")) << error;
}

TEST(AddressMapping, RankChannelAndBankGroupBitsDoNotFit) {
  const MemSpec spec = load_memspec(kMemory);
  for (const std::string key : {"RANK_BIT", "CHANNEL_BIT", "BANKGROUP_BIT"}) {
    const AddressMapping mapping =
        mapping_from(replaced(shipped_text("dram/amconfigs", kMapping), "\"BANK_BIT\"", '"' + key + "\": [40], \"BANK_BIT\""));
    const std::string error = error_of([&] { check_mapping_fits(spec, mapping); });
    EXPECT_TRUE(contains(error, key)) << error;
  }
}

// Every recorded pair whose memory is shipped: the reference simulator loads it if and only if we do.
TEST(AddressMapping, FitsTheSameMemoriesAsInTheReference) {
  std::ifstream in(EXARCH_TEST_DATA "/golden/dram/memspec_mapping_matrix.csv");
  ASSERT_TRUE(in);
  std::map<std::string, MemSpec> supported;
  for (const std::string& name : shipped_names("dram/memspecs")) {
    supported.emplace(name, load_memspec(name));
  }
  EXPECT_EQ(supported.size(), 32u);
  int pairs = 0, loads = 0;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string memory, mapping, outcome;
    std::getline(fields, memory, ',');
    std::getline(fields, mapping, ',');
    std::getline(fields, outcome, ',');
    const auto found = supported.find(memory);
    if (found == supported.end()) continue;
    const std::string error = error_of([&] { check_mapping_fits(found->second, load_address_mapping(mapping)); });
    EXPECT_EQ(error == "(no error)", outcome == "loads") << memory << " " << mapping << ": " << error;
    ++pairs;
    loads += outcome == "loads" ? 1 : 0;
  }
  EXPECT_EQ(pairs, 32 * 25);
  EXPECT_EQ(loads, 65);
}

TEST(DataDir, FollowsTheEnvironmentAndExplainsAWrongOne) {
  const char* before = std::getenv("EXARCH_DATA");
  const std::string saved = before == nullptr ? "" : before;
  ::setenv("EXARCH_DATA", "/nonexistent/exarch", 1);
  const std::string dir = error_of([] { (void)data_dir(); });
  const std::string file = error_of([] { (void)load_memspec("no_such_memory"); });
  if (before == nullptr) {
    ::unsetenv("EXARCH_DATA");
  } else {
    ::setenv("EXARCH_DATA", saved.c_str(), 1);
  }
  EXPECT_TRUE(contains(dir, "/nonexistent/exarch")) << dir;
  EXPECT_TRUE(contains(dir, "EXARCH_DATA")) << dir;
  EXPECT_TRUE(contains(file, "no_such_memory")) << file;
}

// A program's own folder comes before those that the library knows, and behind $EXARCH_DATA.
TEST(DataDir, AProgramBringsItsOwn) {
  const std::string known = data_dir().string();
  use_data_dir("/nonexistent/program");
  const std::string own = error_of([] { (void)data_dir(); });
  ::setenv("EXARCH_DATA", known.c_str(), 1);
  const std::string chosen = data_dir().string();
  ::unsetenv("EXARCH_DATA");
  use_data_dir("");
  EXPECT_TRUE(contains(own, "/nonexistent/program")) << own;
  EXPECT_EQ(chosen, known);
  EXPECT_EQ(data_dir().string(), known);
}

}  // namespace
}  // namespace exarch::dram
