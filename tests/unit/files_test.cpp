// What readers of all kinds rely on: damaged compressed files are errors, deep nesting is refused before it is walked through, a
// file of another kind is named, and nothing that a file contains can steer a terminal.
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/file_kind.hpp"
#include "host/files/json.hpp"
#include "host/files/line_reader.hpp"
#include "host/files/text.hpp"
#include "host/files/toml_check.hpp"
#include "tests/support/errors.hpp"

namespace exarch {
namespace {

namespace fs = std::filesystem;
using test::error_of;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / (std::string("exarch_files_") + info->name() + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& bytes) const {
    const fs::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }

  // One gzip member.
  std::string gzip(const std::string& text) const {
    const std::string path = (folder_ / "member.gz").string();
    const gzFile out = gzopen(path.c_str(), "wb");
    EXPECT_EQ(gzwrite(out, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
    gzclose(out);
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder_;
};

std::string content_of(const std::string& path, std::size_t block) {
  ByteStream stream(path);
  std::string text, buffer(block, '\0');
  while (const std::size_t got = stream.read(buffer.data(), block)) text.append(buffer, 0, got);
  return text;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string many_lines(int first, int count) {
  std::string text;
  for (int i = first; i < first + count; ++i) text += std::to_string(i) + ": read 0x" + std::to_string(i * 64) + "\n";
  return text;
}

// ---- compressed files ---------------------------------------------------------------------------------------------------

TEST_F(Files, AllMembersOfAGzipFileAreRead) {
  const std::string a = many_lines(0, 30000), b = many_lines(30000, 30000), nothing;
  const std::map<std::string, std::string> good{{gzip(a), a},
                                                {gzip(a) + gzip(b), a + b},
                                                {gzip(nothing) + gzip(a) + gzip(nothing) + gzip(b), a + b},
                                                {gzip(a) + std::string(1, '\0'), a},
                                                {gzip(a) + std::string(1000000, '\0'), a},
                                                {gzip(nothing), nothing},
                                                {a, a},
                                                {nothing, nothing},
                                                {"\x1F", "\x1F"},
                                                {"x", "x"}};
  for (const auto& [bytes, text] : good) {
    for (const std::size_t block : {std::size_t{1000}, std::size_t{1} << 20}) {
      EXPECT_TRUE(content_of(file("t", bytes), block) == text) << bytes.size() << " bytes in blocks of " << block;
    }
  }
}

TEST_F(Files, WhatFollowsAGzipMemberIsAMemberOrAnError) {
  const std::string a = gzip(many_lines(0, 1000)), b = gzip(many_lines(1000, 1000));
  for (const std::size_t byte : {0u, 1u}) {  // of the second member's magic
    std::string damaged = b;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 1);
    const std::string error = error_of([&] { (void)content_of(file("t.stl", a + damaged), 1000); });
    EXPECT_TRUE(contains(error, "t.stl: byte " + std::to_string(a.size()) + ":")) << error;
    EXPECT_TRUE(contains(error, "neither compressed nor zeros")) << error;
    EXPECT_TRUE(contains(error, "gzip -t")) << error;
  }
  for (const std::string& rest : {std::string("\n"), std::string("more text"), std::string("\0\0x", 3), std::string("\x1F"),
                                  std::string(300000, '\0') + "x", std::string(5, '\0') + b}) {
    EXPECT_TRUE(contains(error_of([&] { (void)content_of(file("t", a + rest), 1000); }), "neither compressed nor zeros"))
        << rest.size();
  }
}

// Every byte of a compressed file that is damaged or missing is noticed; names and times, which the format does not protect,
// apart.
TEST_F(Files, DamagedAndCutGzipFilesAreErrors) {
  const std::string text = many_lines(0, 40), whole = gzip(text), two = whole + whole;
  constexpr std::size_t kHeader = 10;
  for (std::size_t size = 2; size < two.size(); ++size) {
    if (size == whole.size()) continue;
    const std::string error = error_of([&] { (void)content_of(file("t", two.substr(0, size)), 1000); });
    EXPECT_NE(error, "(no error)") << size;
  }
  for (std::size_t at = whole.size() + kHeader; at < two.size(); ++at) {
    std::string damaged = two;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    const std::string error = error_of([&] { (void)content_of(file("t", damaged), 1000); });
    EXPECT_TRUE(contains(error, ", in the part that begins at byte " + std::to_string(whole.size()))) << at << ": " << error;
  }
}

TEST_F(Files, LongLinesMayBeCutSoThatTheOthersAreRead) {
  const std::string text = "one\n" + std::string(kLongestLine + 1, 'x') + "\n" + std::string(3 * kLongestLine, 'y') + "\ntwo\n" +
                           std::string(kLongestLine, 'z');
  LineReader lines(file("t", text), "", LongLines::cut);
  std::vector<std::pair<std::string, bool>> got;
  for (std::string_view line; lines.next(line);) got.emplace_back(line.substr(0, 3), lines.is_cut());
  const std::vector<std::pair<std::string, bool>> expected{
      {"one", false}, {"xxx", true}, {"yyy", true}, {"two", false}, {"zzz", false}};
  EXPECT_EQ(got, expected);
  EXPECT_EQ(lines.line_number(), 5u);
}

// ---- JSON and TOML ------------------------------------------------------------------------------------------------------

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(Json, NestingIsLimited) {
  const auto lists = [](std::size_t deep) { return repeated("[", deep) + repeated("]", deep); };
  const auto objects = [](std::size_t deep) { return repeated("{\"a\":", deep) + "1" + repeated("}", deep); };
  for (const std::string& text : {lists(kDeepest), objects(kDeepest), "[\"" + lists(1000) + "\", \"\\\"" + lists(1000) + "\"]"}) {
    EXPECT_NO_THROW((void)parse_json(text, "f")) << text.substr(0, 40);
  }
  for (const std::size_t deep : {std::size_t{kDeepest + 1}, std::size_t{100000}, std::size_t{5000000}}) {
    for (const std::string& text : {lists(deep), objects(deep), repeated("[", deep), repeated("[{\"a\":", deep)}) {
      EXPECT_TRUE(contains(error_of([&] { (void)parse_json("\n\n" + text, "f"); }), "f:3: ")) << deep;
      EXPECT_TRUE(contains(error_of([&] { (void)parse_json(text, "f"); }), "nested more than 32 deep")) << deep;
    }
  }
}

TEST(Json, MistakesHaveTheirLineAndNoLibraryNumbers) {
  const std::pair<std::string, std::string> cases[] = {
      {"{\"a\": 1,\n\"b\": }", "f:2: not valid JSON: syntax error"},
      {"", "f:1: not valid JSON: "},
      {"[1, 2", "f:1: not valid JSON: "},
      {"[\n\n1] x", "f:3: not valid JSON: "},
      {"{\"a\": \"\xFF\"}", "not valid JSON: "},
      {"[1e999]", "not valid JSON: "},
      {std::string("[1]\n\0", 5), "f:2: not valid JSON: a NUL byte"},
      {std::string("{}\0 \"a\": 1", 11), "f:1: not valid JSON: a NUL byte"},
      {std::string("[\"\0\"]", 5), "f:1: not valid JSON: "},
      {"{\"a\": {\"x\": 1},\n\"b\": {\"x\": \"x\",\n\"y\": 2,\n\"x\" : 3}}", "f:4: key \"x\" occurs twice"},
      {"{\"ab\": 1,\n\"a\\u0062\": 2}", "f:2: key \"ab\" occurs twice"}};
  for (const auto& [text, message] : cases) {
    const std::string error = error_of([&text = text] { (void)parse_json(text, "f"); });
    EXPECT_TRUE(contains(error, message)) << error;
    EXPECT_FALSE(contains(error, "json.exception")) << error;
    EXPECT_FALSE(contains(error, "parse error at")) << error;
  }
  EXPECT_EQ(parse_json(R"({"a": 1, "a": 2})", "f", TwiceKeys::last_counts)["a"], 2);
  EXPECT_EQ(parse_json(R"([{"a": 1}, {"a": {"a": "a"}}])", "f").size(), 2u);
  EXPECT_EQ(parse_json("\xEF\xBB\xBF{}", "f").size(), 0u);
}

TEST(Toml, WhatTheParserWouldNotSurviveIsRefusedBefore) {
  const std::pair<std::string, std::string> refused[] = {{"[# x", "f:1: expected the name of a table"},
                                                         {"a = 1\n[", "f:2: expected the name of a table"},
                                                         {"[a.#b]", "f:1: "},
                                                         {"[[a]", "f:1: expected ]]"},
                                                         {"[a] b", "f:1: expected the end of the line"},
                                                         {"a = 1\xC2\xB7", "f:1: expected the end of the line"},
                                                         {"a = [0, 1\xD9\xA1]", "f:1: expected ',' or ']'"},
                                                         {"\n\xC2\xB7 = 1", "f:2: expected a key"},
                                                         {"a = 1\nb = \"\xFF\"", "f:2: not UTF-8"},
                                                         {"a = 1979-05-27T07:32:\xC3\xA9", "f:1: "},
                                                         {"a = 1979-05-27", "expected a value"},
                                                         {"a = 0x", "expected a value"},
                                                         {"a = 1__0", "expected a value"},
                                                         {"a = \"\\\xC3\xA9\"", "a backslash that begins no escape"},
                                                         {"a = \"x\nb = 1", "f:1: a text that does not end"},
                                                         {"a = [1,", "does not end"},
                                                         {"a = {b = 1", "f:1: "},
                                                         {"a 1", "expected '='"},
                                                         {"a = \"\x01\"", "control character"},
                                                         {"a =", "expected a value"},
                                                         {std::string("a = 1\0", 6), "f:1: "},
                                                         {repeated("a.", 500000) + "a = 1", "a key more than 32 deep"},
                                                         {"[" + repeated("a.", 500000) + "a]", "a key more than 32 deep"},
                                                         {"a = " + repeated("[", 100000), "more than 32 deep"},
                                                         {"a = " + repeated("{b = ", 100000), "more than 32 deep"}};
  for (const auto& [text, message] : refused) {
    const std::string error = error_of([&text = text] { check_toml(text, "f"); });
    EXPECT_TRUE(contains(error, message)) << text.substr(0, 60) << ": " << error.substr(0, 200);
  }
  for (const std::string& text :
       {std::string(), std::string("# only\r\n"),
        std::string("\xEF\xBB\xBF"
                    "a = 1\r\nb.\"c d\".'e' = [1, 2.5, [\"x\", 'y#]'],\n # comment\n]\n"),
        std::string("[a.b] # comment\n[[ c . d ]]\nx = {y = 1, z = {}}\n"),
        std::string("a = \"\\u00e9 \xC3\xA9 \\\\ \\\"\"\nb = '\\'\n"),
        std::string("a = \"\"\"x\ny \"\" z\"\"\"\"\"\nb = '''\n#[\n'''\nc = \"\"\n"),
        std::string("a = +1_000\nb = 0xFF\nc = -1.5e-3\nd = inf\ne = true\nf=-nan"),
        "a = " + repeated("[", kDeepest) + repeated("]", kDeepest), repeated("a.", kDeepest - 1) + "a = 1"}) {
    EXPECT_EQ(error_of([&] { check_toml(text, "f"); }), "(no error)") << text;
  }
}

// ---- kinds --------------------------------------------------------------------------------------------------------------

TEST(FileKind, IsToldByTheFirstBytes) {
  using namespace std::string_literals;
  const std::pair<std::string, FileKind> cases[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", FileKind::lfs_pointer},
      {"\n<!DOCTYPE html>\n<html>", FileKind::html},
      {"<HTML lang=\"en\">", FileKind::html},
      {"<?xml version=\"1.0\"?><svg/>", FileKind::xml},
      {"PK\x03\x04"s, FileKind::zip},
      {"\x1F\x8B\x08"s, FileKind::gzip},
      {"%PDF-1.4", FileKind::pdf},
      {"\x7F"
       "ELF\x02",
       FileKind::elf},
      {"SQLite format 3\0"s + std::string(100, '\0'), FileKind::sqlite},
      {"SQLite format 3\0"s + std::string(52, '\0') + "EXAR", FileKind::run_store},
      {"\xFF\xFE"
       "0\0:\0"s,
       FileKind::utf16},
      {"{\"simulation\": {\"memspec\": \"x\"}}", FileKind::simulation},
      {"{\n \"memspec\": {", FileKind::memspec},
      {"{\"memoryId\": \"x\", \"memarchitecturespec\": {}}", FileKind::memspec},
      {"{ \"CONGEN\": {", FileKind::mapping},
      {"{\"addressmapping\": {", FileKind::mapping},
      {"{\"BYTE_BIT\": [], \"COLUMN_BIT\": [], \"ROW_BIT\": []}", FileKind::mapping},
      {"{\"mcconfig\": {}}", FileKind::controller},
      {"{\"name\": \"x\", \"parameters\": {}}", FileKind::space},
      {"{\"id\": 1, \"layer\": {}, \"directives\": []}", FileKind::problems},
      {"{\"a\": 1}", FileKind::json},
      {"# plan\nname = \"x\"\n", FileKind::plan},
      {"// note\nNetwork x {\n", FileKind::maestro_network},
      {"Dataflow {\n", FileKind::maestro_dataflow},
      {"num_pes: 168\n", FileKind::maestro_hardware},
      {"K,C,Y,X,R,S,T\n1,1,1,1,1,1,1\n", FileKind::layer_table},
      {"M,N,K,0,0,0,T\n1,1,1,1,1,1,3\n", FileKind::product_table},
      {"trace,PagePolicy\nstream,Open\n", FileKind::csv},
      {"# t\n12: read 0x40\n", FileKind::trace_stl},
      {"12 write 0x40\n", FileKind::trace_stl},
      {"0x40 READ 12\n", FileKind::trace_dramsim3},
      {"0x40 P_MEM_RD 12\n", FileKind::trace_dramsim3},
      {"LD 0x40\n", FileKind::trace_ramulator},
      {"0x40 R\n", FileKind::trace_ramulator},
      {"r,4096,64,0,500\nw,1,64,0,600\n", FileKind::trace_gem5},
      {"0x40 read\n0x80 write 00ff\n", FileKind::trace_dramsim2_misc},
      {"8192 W\n", FileKind::trace_ramulator},
      {"==1== Lackey\nI  04016b80,3\n", FileKind::trace_lackey},
      {"0x401000: R 0x7ffd10\n", FileKind::trace_pin},
      {"-3.0,0.0,1.0,2.0,-1.0,\n", FileKind::trace_scalesim},
      {"0,1,4096\n", FileKind::unknown},
      {"time,RW,Addr\n", FileKind::trace_csv},
      {"10 R 0x1000 0x0\n12 W 0x2000\n", FileKind::trace_cpu},
      {"3 20734016\n1 20846400 20734016\n", FileKind::trace_cpu},
      {"", FileKind::unknown},
      {"\x1F", FileKind::unknown},
      {"hello world\n", FileKind::unknown},
      {"read, write\nand so on\n", FileKind::unknown},
      {"12 0x40\nread\n", FileKind::unknown}};
  for (const auto& [head, kind] : cases) EXPECT_EQ(name_of(kind_of(head)), name_of(kind)) << head;
}

// ---- messages -----------------------------------------------------------------------------------------------------------

TEST(Text, Utf8IsToldFromOtherBytes) {
  for (const char* text : {"", "abc", "\xC3\xA9", "\xE2\x80\x99", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(text)) << text;
  for (const char* text :
       {"\xFF", "\x80", "a\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF0\x9F\x98"}) {
    EXPECT_FALSE(is_utf8(text)) << printable(text);
  }
}

TEST(Text, MessagesCannotSteerATerminal) {
  EXPECT_EQ(printable("tr\x1B]0;x\x07"
                      "ace\n"),
            "tr\\x1B]0;x\\x07ace\\x0A");
  EXPECT_EQ(printable("caf\xC3\xA9 \xFF \xC2\x9B 1\xE2\x80\xAE"), "caf\xC3\xA9 \\xFF \\xC2\\x9B 1\\xE2\\x80\\xAE");
  EXPECT_EQ(in_quotes(std::string(1000, 'a')), "'" + std::string(40, 'a') + "..." + std::string(20, 'a') + "'");
  EXPECT_TRUE(is_utf8(printable(repeated("\xC3\xA9", 1000), 61)));
}

TEST(Text, MessagesAreShortAndKeepBothEnds) {
  for (const std::string& middle :
       {std::string(3000000, '9'), repeated("9 ", 1000000), std::string(3000000, '\x1B'), repeated("\x1B ", 1000000)}) {
    const std::string message = printable_message("f.csv:2: '" + middle + "' is not an integer; write one");
    EXPECT_LE(message.size(), 2003u);
    EXPECT_TRUE(message.starts_with("f.csv:2: '")) << message;
    EXPECT_TRUE(message.ends_with("' is not an integer; write one")) << message;
  }
  const std::string path = "/" + repeated("folder/", 50) + "f: cannot be read";
  EXPECT_EQ(printable_message(path), path);
}

TEST(DidYouMean, OneTypoAwayOnly) {
  const std::vector<std::string> words{"AllBank", "NoRefresh", "latency", "ga", "K", "average_power_mw"};
  const std::pair<std::string, std::string> cases[] = {{"allbank", "AllBank"},
                                                       {"AllBnak", "AllBank"},
                                                       {"AlBank", "AllBank"},
                                                       {"AllBankk", "AllBank"},
                                                       {"AllBonk", "AllBank"},
                                                       {"PerBank", ""},
                                                       {"Rankwise", ""},
                                                       {"latncy", "latency"},
                                                       {"lateny", "latency"},
                                                       {"latenyc", "latency"},
                                                       {"ltncy", ""},
                                                       {"gaa", "ga"},
                                                       {"GA", "ga"},
                                                       {"sa", ""},
                                                       {"k", "K"},
                                                       {"C", ""},
                                                       {"", ""},
                                                       {"average_power", ""},
                                                       {"average_power_mW", "average_power_mw"},
                                                       {"Refresh", ""}};
  for (const auto& [word, suggestion] : cases) EXPECT_EQ(nearest(word, words), suggestion) << word;
  EXPECT_EQ(nearest(std::string(5000000, 'a'), words), "");
}

}  // namespace
}  // namespace exarch
