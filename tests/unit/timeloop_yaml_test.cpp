// What users of Timeloop rely on when they give its own files: they say the same as recorded problems, in every spelling; what is
// not modelled is refused by name, with file and line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "host/files/json.hpp"
#include "host/timeloop/written_input.hpp"
#include "host/timeloop/yaml.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/timeloop_records.hpp"

namespace exarch::timeloop {
namespace {

using nlohmann::ordered_json;
using test::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class TimeloopYaml : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  TimeloopFiles read(const std::vector<std::string>& names, const TemplateValues& values = {}) {
    std::vector<std::filesystem::path> paths;
    for (const std::string& name : names) paths.emplace_back(folder_ / name);
    return read_timeloop(paths, values);
  }
  TimeloopFiles read_text(const std::string& text) {
    write("all.yaml", text);
    return read({"all.yaml"});
  }
  // The message about a text, without the folder.
  std::string fault_of(const std::string& text) {
    const std::string message = error_of([&] { (void)read_text(text); });
    const std::string folder = folder_ / "";
    return message.starts_with(folder) ? message.substr(folder.size()) : message;
  }

  exarch::testing::TempFolder folder_;
};

// ---- records as Timeloop's files ------------------------------------------------------------------------------------------

// What Timeloop says of a valid record; "" of others.
std::string answer_of(const Record& record) {
  const ordered_json json = answer(nullptr, record, FillRule::current);
  return json["status"] == "ok" ? json["out"].dump() : "";
}

std::string number_text(double value) {
  return ordered_json(value).dump();
}

std::string storage_text(const Storage& s, const std::string& name, bool old_spelling) {
  const auto key = [&](std::string underscores) {
    if (old_spelling) std::ranges::replace(underscores, '_', '-');
    return underscores;
  };
  std::string text = "    - name: " + name + "[1.." + std::to_string(s.instances) + "]\n";
  text += std::string("      class: ") + (s.size < 0 ? "DRAM" : "storage") + "\n      attributes:\n";
  const auto add = [&](const std::string& attribute, const std::string& value) {
    text += "        " + attribute + ": " + value + "\n";
  };
  if (s.size >= 0) add("entries", std::to_string(s.size));
  add(key("block_size"), std::to_string(s.block_size));
  add(key("cluster_size"), std::to_string(s.cluster_size));
  add("meshX", std::to_string(s.mesh_x));
  add("meshY", std::to_string(s.mesh_y));
  if (s.read_bw > 0) add("read_bandwidth", number_text(s.read_bw));
  if (s.write_bw > 0) add("write_bandwidth", number_text(s.write_bw));
  return text;
}

std::string architecture_text(const Record& record, bool old_spelling) {
  const Architecture& a = record.input.architecture;
  std::string text = std::string("architecture:\n  version: ") + (old_spelling ? "0.3" : "'0.4'") +
                     "\n  subtree:\n  - name: system\n    local:\n";
  for (std::uint32_t s = a.levels; s-- > 0;) text += storage_text(a.storage[s], record.level_names[s], old_spelling);
  text += "    - name: " + record.compute_name + "[0.." + std::to_string(a.compute.instances - 1) + "]\n      class: intmac\n" +
          "      attributes: {meshX: " + std::to_string(a.compute.mesh_x) + ", meshY: " + std::to_string(a.compute.mesh_y) +
          "}\n";
  return text;
}

std::string tables_text(const Record& record) {
  const Architecture& a = record.input.architecture;
  std::string ert = "ERT:\n  version: 0.4\n  tables:\n", art = "ART:\n  version: 0.4\n  tables:\n";
  const auto action = [](const std::string& name, double energy) {
    return "    - {name: " + name + ", arguments: {data_delta: 0}, energy: 0}\n    - {name: " + name +
           ", energy: " + number_text(energy) + "}\n";
  };
  for (std::uint32_t s = 0; s < a.levels; ++s) {
    const Storage& storage = a.storage[s];
    const std::string name = "system.chip.PE[0..3]." + record.level_names[s] + "[1.." + std::to_string(storage.instances) + "]";
    ert += "  - name: " + name + "\n    actions:\n" + action("read", storage.read_pj) + action("fill", storage.fill_pj) +
           action("update", storage.update_pj) + action("leak", storage.leak_pj);
    art += "  - {name: '" + name + "', area: " + number_text(storage.area_um2) + "}\n";
  }
  ert += "  - name: system." + record.compute_name + "\n    actions:\n" + action("compute", a.compute.compute_pj);
  art += "  - {name: system." + record.compute_name + ", area: " + number_text(a.compute.area_um2) + "}\n";
  return ert + art;
}

std::string problem_text(const Record& record) {
  constexpr const char* kNames[] = {"C", "K", "R", "S", "N", "P", "Q", "G"};  // Timeloop's own shape has K
  const Problem& p = record.input.problem;
  std::string text = "problem:\n  shape:";
  text += p.bound[index_of(Dim::G)] == 1 ? " cnn-layer\n" : R"(
    dimensions: [C, K, R, S, N, P, Q, G]
    coefficients: [{name: Wstride, default: 1}, {name: Hstride, default: 1}, {name: Wdilation, default: 1},
      {name: Hdilation, default: 1}]
    data_spaces:
    - {name: Weights, projection: [G, C, K, R, S]}
    - {name: Inputs, projection: [N, C, G, [[R, Wdilation], [P, Wstride]], [[S, Hdilation], [Q, Hstride]]]}
    - {name: Outputs, projection: [N, G, K, Q, P], read_write: true}
)";
  for (std::uint32_t d = 0; d < kDims; ++d) text += std::string("  ") + kNames[d] + ": " + std::to_string(p.bound[d]) + "\n";
  return text + "  Wstride: " + std::to_string(p.wstride) + "\n  Hstride: " + std::to_string(p.hstride) +
         "\n  Wdilation: " + std::to_string(p.wdilation) + "\n  Hdilation: " + std::to_string(p.hdilation) + "\n";
}

// A list of factors, permutation and split for a block, innermost first; with "=" or without, as both are in use.
std::string block_text(const Block& block, bool equals, bool as_list) {
  constexpr std::string_view kNames = "CKRSNPQG";
  std::string factors, order;
  std::uint32_t on_x = 0;
  for (std::uint32_t l = 0; l < block.count; ++l) {
    const char name = kNames[index_of(block.loop[l].dim)];
    factors += (l == 0    ? ""
                : as_list ? ", "
                          : " ") +
               std::string(1, name) + (equals ? "=" : "") + std::to_string(block.loop[l].bound);
    order.push_back(name);
    if (block.loop[l].axis == Axis::x) ++on_x;
  }
  std::string text = block.count == 0 ? "" : ", factors: " + (as_list ? "[" + factors + "]" : "\"" + factors + "\"");
  if (block.count > 0) text += ", permutation: " + order;
  return text + ", split: " + std::to_string(on_x);
}

std::string mapping_text(const Record& record, bool equals, bool as_list) {
  const Mapping& m = record.input.mapping;
  std::string text = "mapping:\n";
  for (std::uint32_t s = 0; s < record.input.architecture.levels; ++s) {
    const std::string target = "- {target: " + (as_list ? std::to_string(s) : record.level_names[s]) + ", type: ";
    if (m.spatial[s].count > 0) text += target + "spatial" + block_text(m.spatial[s], equals, as_list) + "}\n";
    std::string temporal = block_text(m.temporal[s], equals, as_list);
    text += target + "temporal" + temporal.substr(0, temporal.rfind(", split")) + "}\n";
    std::string keep, bypass;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      std::string& list = m.keep[s][space] ? keep : bypass;
      list += (list.empty() ? "" : ", ") + record.space_names[space];
    }
    text += target + (equals ? "bypass" : "datatype") + ", keep: [" + keep + "], bypass: [" + bypass + "]}\n";
  }
  return text;
}

// Areas are in single precision in Timeloop, and loops of one iteration are not kept.
Record as_timeloop_has_it(Record record) {
  Architecture& a = record.input.architecture;
  for (std::uint32_t s = 0; s < a.levels; ++s) a.storage[s].area_um2 = static_cast<float>(a.storage[s].area_um2);
  a.compute.area_um2 = static_cast<float>(a.compute.area_um2);
  return record;
}

// A DRAM shares no accesses, in Timeloop's files.
bool can_be_written(const Record& record) {
  const Architecture& a = record.input.architecture;
  for (std::uint32_t s = 0; s < a.levels; ++s) {
    if (a.storage[s].size < 0 && a.storage[s].cluster_size != 1) return false;
  }
  return true;
}

TEST_F(TimeloopYaml, FilesSayTheSameAsRecords) {
  std::size_t written = 0;
  for (const ordered_json& row : exarch::testing::timeloop_records("model.jsonl.gz")) {
    const Record record = as_timeloop_has_it(record_of(row));
    if (!can_be_written(record)) continue;
    const bool turn = written++ % 2 == 0;
    write("arch.yaml", architecture_text(record, turn));
    write("tables.yaml", tables_text(record));
    write("problem.yaml", problem_text(record));
    write("mapping.yaml", mapping_text(record, turn, written % 4 < 2));
    const TimeloopFiles files = read({"mapping.yaml", "arch.yaml", "tables.yaml", "problem.yaml"});
    EXPECT_THAT(files.warnings, IsEmpty());
    const Record got = record_of(files);
    ASSERT_EQ(
        exarch::testing::timeloop_difference(answer(nullptr, got, FillRule::current), answer(nullptr, record, FillRule::current)),
        "")
        << row["id"];
    EXPECT_EQ(got.input.problem, record.input.problem);
  }
  EXPECT_GT(written, 300u);
}

// ---- architectures --------------------------------------------------------------------------------------------------------

constexpr const char* kArchitecture = R"(architecture:
  version: 0.3
  subtree:
  - name: system
    local:
    - name: DRAM
      class: DRAM
      attributes: {width: 64, word-bits: 8, block-size: 8}
    subtree:
    - name: PE[0..3]
      local:
      - name: buffer
        class: smartbuffer_SRAM
        attributes: {depth: 64, width: 32, datawidth: 8, block_size: 4, read_bandwidth: 2, meshX: 4}
      - name: mac[1..2]
        class: intmac
        attributes: {datawidth: 8, meshX: 8}
)";
constexpr const char* kConvolution1D = R"(problem:
  shape:
    name: conv1d
    dimensions: [K, R, P]
    data-spaces:
    - {name: Filters, projection: [[[K]], [[R]]]}
    - {name: Samples, projection: [[[R], [P]]]}
    - {name: Results, projection: [[[K]], [[P]]], read-write: True}
  instance: {K: 8, R: 3, P: 16}
)";
constexpr const char* kMapping1D = R"(mapping:
- {target: DRAM, type: spatial, factors: K=4}
- {target: DRAM, type: temporal, factors: P=4 R=1, permutation: PRK}
- {target: buffer, type: spatial, factors: K2}
- {target: buffer, type: temporal, factors: R=3 P=0, permutation: RPK}
- {target: buffer, type: bypass, bypass: [Samples]}
)";

TEST_F(TimeloopYaml, SizesMeshesAndBuiltInEnergiesFollowTimeloop) {
  const TimeloopFiles files = read_text(kArchitecture);
  ASSERT_TRUE(files.machine);
  EXPECT_FALSE(files.layer || files.mapping || files.constraints || files.mapper);
  const Architecture& a = files.machine->architecture;
  ASSERT_EQ(files.machine->level_names, (std::vector<std::string>{"buffer", "DRAM"}));
  EXPECT_EQ(files.machine->compute_name, "mac");
  const Storage &buffer = a.storage[0], &dram = a.storage[1];
  EXPECT_EQ(buffer.size, 64 * 4);  // depth counts blocks
  EXPECT_EQ(buffer.block_size, 4);
  EXPECT_EQ(buffer.cluster_size, 1);
  EXPECT_EQ(buffer.instances, 4);
  EXPECT_EQ(buffer.read_bw, 2);
  EXPECT_EQ(buffer.write_bw, 0);  // without limit
  // 0.25 KB on the line through 0.5 KB = 1 pJ and 100 KB = 6 pJ, for 16 bits of the 32 of an access.
  EXPECT_DOUBLE_EQ(buffer.read_pj, (1 - 0.25 * 5 / 99.5) * 32 / 16);
  EXPECT_EQ(buffer.read_pj, buffer.fill_pj);
  EXPECT_EQ(dram.size, -1);
  EXPECT_EQ(dram.read_pj, 200.0 * 64 / 16);
  EXPECT_EQ(a.compute.instances, 8);
  EXPECT_EQ(a.compute.mesh_y, 1);
  EXPECT_EQ(a.compute.compute_pj, 0.25);  // 8 x 8 bits
}

TEST_F(TimeloopYaml, OneFileOrSeveralInAnyOrderAreTheSame) {
  write("a.yaml", kArchitecture);
  write("p.yaml", kConvolution1D);
  write("m.yaml", kMapping1D);
  const ordered_json apart = answer(nullptr, record_of(read({"m.yaml", "p.yaml", "a.yaml"})), FillRule::current);
  const ordered_json together =
      answer(nullptr, record_of(read_text(std::string(kArchitecture) + kConvolution1D + kMapping1D)), FillRule::current);
  EXPECT_EQ(apart["status"], "ok");
  EXPECT_EQ(apart, together);
  // Tensors have the names that the shape gives them.
  EXPECT_EQ(apart["out"]["levels"][0]["ds"]["Samples"]["keep"], false);
  EXPECT_EQ(apart["out"]["levels"][1]["ds"]["Results"]["updates"], 8 * 16);
}

TEST_F(TimeloopYaml, TheListsOfTimeloopsFirstFilesAreRead) {
  const TimeloopFiles files = read_text(R"(arch:
  arithmetic: {name: MACs, instances: 16, word-bits: 8, meshX: 16}
  storage:
  - {name: RF, entries: 16, instances: 16, meshX: 16, word-bits: 8}
  - {name: L2, sizeKB: 2, instances: 1, word-bits: 8, block-size: 4}
  - {name: DRAM, technology: DRAM, instances: 1, word-bits: 8}
)");
  EXPECT_EQ(files.machine->level_names, (std::vector<std::string>{"RF", "L2", "DRAM"}));
  EXPECT_EQ(files.machine->architecture.storage[1].size, 2048);
  EXPECT_EQ(files.machine->architecture.storage[2].size, -1);
  EXPECT_EQ(files.machine->architecture.compute.mesh_x, 16);
}

TEST_F(TimeloopYaml, TablesOfBothVersionsTakeTheDearestArguments) {
  write("a.yaml", kArchitecture);
  write("old.yaml", R"(ERT:
  version: 0.2
  tables:
    system.PE[0..3].buffer:
      read: [{arguments: {data_delta: 0}, energy: 1}, {arguments: {data_delta: 1}, energy: 3}]
      write: {energy: 2}
    system.DRAM: {read: [{energy: 100}], write: [{energy: 110}]}
    system.PE[0..3].mac[1..2]: {mac_random: [{energy: 0.5}], mac_gated: [{energy: 9}]}
)");
  write("new.yaml", R"(ERT:
  version: '0.4'
  tables:
  - name: system.PE[0..3].buffer[1..4]
    actions: [{name: read, energy: 1}, {name: read, arguments: {x: 1}, energy: 3}, {name: write, energy: 2}, {name: leak, energy: 0.25}]
  - {name: system.DRAM, actions: [{name: read, energy: 100}, {name: write, energy: 110}]}
  - {name: system.mac, actions: [{name: compute, energy: 0.5}]}
ART:
  version: '0.4'
  tables: [{name: 'system.PE[0..3].buffer[1..4]', area: 0.1}]
)");
  const Architecture old = read({"a.yaml", "old.yaml"}).machine->architecture;
  const Architecture now = read({"a.yaml", "new.yaml"}).machine->architecture;
  for (const Architecture& a : {old, now}) {
    EXPECT_EQ(a.storage[0].read_pj, 3);
    EXPECT_EQ(a.storage[0].fill_pj, 2);
    EXPECT_EQ(a.storage[0].update_pj, 2);
    EXPECT_EQ(a.storage[1].update_pj, 110);
    EXPECT_EQ(a.compute.compute_pj, 0.5);
  }
  EXPECT_EQ(old.storage[0].leak_pj, 0);
  EXPECT_EQ(now.storage[0].leak_pj, 0.25);
  EXPECT_EQ(now.storage[0].area_um2, 0.1f);  // in single precision, as Timeloop has it
}

// The numbers would be others than those that the user measured: that must not pass in silence.
TEST_F(TimeloopYaml, LevelsThatTheTablesLackAreNamed) {
  write("a.yaml", kArchitecture);
  write("t.yaml", "ERT: {version: 0.4, tables: [{name: system.DRAM, actions: [{name: read, energy: 1}]}]}\n");
  const TimeloopFiles files = read({"a.yaml", "t.yaml"});
  ASSERT_EQ(files.warnings.size(), 2u);
  EXPECT_THAT(files.warnings[0], HasSubstr("t.yaml:1: the ERT does not have 'buffer'"));
  EXPECT_THAT(files.warnings[1], HasSubstr("no compute energy of 'mac'"));
}

TEST_F(TimeloopYaml, BracketsWithoutEndAreCounted) {
  for (const char* bracket : {"[", "{a: "}) {
    std::string text = "problem: ";
    for (int i = 0; i < 100'000; ++i) text += bracket;
    EXPECT_THAT(fault_of(text), HasSubstr("more than 64 lists and maps within each other"));
  }
}

// What is written for Timeloop says the same when it is read.
TEST_F(TimeloopYaml, WrittenInputsComeBack) {
  std::mt19937_64 rng(8);
  for (int i = 0; i < 200; ++i) {
    Record record = exarch::testing::random_timeloop_record(rng);
    Architecture& a = record.input.architecture;
    for (Storage& level : std::span(a.storage, a.levels)) level.cluster_size = level.size < 0 ? 1 : level.cluster_size;
    if (answer_of(record).empty()) continue;
    MappingNames names{record.level_names, record.dim_names, record.space_names};
    const Record back = record_of(read_text(written_input(record.input, record.compute_name, names)));
    EXPECT_EQ(answer_of(back), answer_of(record)) << i;
  }
}

// ---- problems -------------------------------------------------------------------------------------------------------------

TEST_F(TimeloopYaml, MatrixProductsFitTheLoopsOfAConvolution) {
  const TimeloopFiles named = read_text("problem: {shape: gemm_ABZ, M: 4, N: 5, K: 6}\n");
  const TimeloopFiles inline_shape = read_text(R"(problem:
  shape:
    dimensions: [M, N, K]
    data_spaces:
    - {name: A, projection: [M, K]}
    - {name: B, projection: [N, K]}
    - {name: Z, projection: [M, N], read_write: true}
  instance: {M: 4, N: 5, K: 6}
)");
  for (const TimeloopFiles& files : {named, inline_shape}) {
    const Layer& layer = *files.layer;
    std::int64_t computes = 1;
    for (const std::int64_t bound : layer.problem.bound) computes *= bound;
    EXPECT_EQ(computes, 4 * 5 * 6);
    EXPECT_EQ(layer.problem.bound[index_of(Dim::C)], 6);
    EXPECT_EQ(layer.space_names[kOutputs], "Z");
    EXPECT_EQ(layer.dims, (std::vector<std::string>{"M", "N", "K"}));
    EXPECT_EQ(layer.loops[2], Dim::C);
  }
}

TEST_F(TimeloopYaml, CoefficientsAreThoseOfTheirDimension) {
  const Problem problem =
      read_text("problem: {C: 2, K: 3, R: 3, S: 5, N: 1, P: 8, Q: 9, Wstride: 2, Hdilation: 3}\n").layer->problem;
  EXPECT_EQ(problem, (Problem{{2, 3, 3, 5, 1, 8, 9, 1}, 2, 1, 1, 3}));
}

constexpr const char* kGrouped = R"(problem:
  shape:
    dimensions: [G, M, C, P]
    data_spaces:
    - {name: W, projection: [G, M, C]}
    - {name: I, projection: [G, C, P]}
    - {name: O, projection: [G, M, P], read_write: true}
  instance: {M: 4, C: 6, P: 7, G: )";

TEST_F(TimeloopYaml, GroupsAreADimensionOfAllTensors) {
  const Layer grouped = *read_text(std::string(kGrouped) + "5}\n").layer;
  EXPECT_EQ(grouped.problem.bound[index_of(Dim::M)], 4);
  EXPECT_EQ(grouped.problem.bound[index_of(Dim::G)], 5);
  // Depthwise: C is in all tensors. A batch of matrix products: B is.
  const Layer depthwise = *read_text(R"(problem:
  shape:
    dimensions: [C, R, P]
    data_spaces:
    - {name: Weights, projection: [C, R]}
    - {name: Inputs, projection: [C, [[R], [P]]]}
    - {name: Outputs, projection: [C, P], read_write: true}
  instance: {C: 6, R: 3, P: 7}
)")
                               .layer;
  EXPECT_EQ(depthwise.problem, (Problem{{1, 1, 3, 1, 1, 7, 1, 6}, 1, 1, 1, 1}));
  EXPECT_EQ(depthwise.loops[0], Dim::G);
  const Layer batch = *read_text(R"(problem:
  shape:
    dimensions: [B, M, N, K]
    data_spaces:
    - {name: A, projection: [B, M, K]}
    - {name: W, projection: [B, N, K]}
    - {name: Z, projection: [B, M, N], read_write: true}
  instance: {B: 8, M: 4, N: 5, K: 6}
)")
                           .layer;
  EXPECT_EQ(batch.problem.bound[index_of(Dim::G)], 8);
  EXPECT_EQ(batch.problem.bound[index_of(Dim::C)], 6);
}

TEST_F(TimeloopYaml, TwoDimensionsOfAllTensorsAreRefused) {
  EXPECT_THAT(
      fault_of(R"(problem:
  shape:
    dimensions: [B, H, M, N, K]
    data_spaces:
    - {name: A, projection: [B, H, M, K]}
    - {name: W, projection: [B, H, N, K]}
    - {name: Z, projection: [B, H, M, N], read_write: true}
  instance: {B: 8, H: 2, M: 4, N: 5, K: 6}
)"),
      StartsWith("all.yaml:2: the dimension H (size 2) is in all tensors (A, W, Z), and so is B; the model has one such"));
}

// ---- mappings -------------------------------------------------------------------------------------------------------------

TEST_F(TimeloopYaml, FactorZeroIsTheRest) {
  const Record record = record_of(read_text(std::string(kArchitecture) + kConvolution1D + kMapping1D));
  const Block& inner = record.input.mapping.temporal[0];
  ASSERT_EQ(inner.count, 2u);
  EXPECT_EQ(inner.loop[0].bound, 3);  // R, the innermost of RPK
  EXPECT_EQ(inner.loop[1].bound, 4);  // P: 16, of which DRAM has 4
}

TEST_F(TimeloopYaml, SplitCountsTheDimensionsOnX) {
  const auto axes = [&](const std::string& split) {
    const Record record = record_of(read_text(std::string(kArchitecture) + kConvolution1D + "mapping:\n" +
                                              "- {target: DRAM, type: spatial, factors: P=2 K=2, permutation: RPK" + split +
                                              "}\n" + "- {target: DRAM, type: temporal, factors: R=3 P=8 K=4}\n"));
    std::string text;
    for (std::uint32_t l = 0; l < 2; ++l) text += record.input.mapping.spatial[1].loop[l].axis == Axis::x ? 'x' : 'y';
    return text;
  };
  EXPECT_EQ(axes(""), "xx");
  EXPECT_EQ(axes(", split: 7"), "xx");
  EXPECT_EQ(axes(", split: 2"), "xy");  // R and P are on X
  EXPECT_EQ(axes(", split: 0"), "yy");
}

// ---- constraints and mapper -----------------------------------------------------------------------------------------------

TEST_F(TimeloopYaml, ConstraintsOfArchitectureAndMapSpaceAddUp) {
  const TimeloopFiles files = read_text(std::string(kArchitecture) + kConvolution1D + R"(architecture_constraints:
  targets:
  - {target: buffer, type: bypass, keep: [Results], bypass: [Samples]}
  - {target: buffer, type: temporal, factors: R=0 P<=8 K>=2, permutation: R_K}
  - {target: buffer, type: parallelism, min: 0.5}
mapspace_constraints:
  targets:
  - {target: DRAM, type: spatial, factors: R=1 P=1, permutation: RPK, split: 3}
  - {target: DRAM, type: temporal, factors: K=2}
)");
  EXPECT_FALSE(files.mapping);
  ASSERT_TRUE(files.constraints);
  const Constraints& c = *files.constraints;
  const auto loop = [&](const char* name) {
    const auto& dims = files.layer->dims;
    return index_of(*files.layer->loops[static_cast<std::size_t>(std::ranges::find(dims, name) - dims.begin())]);
  };
  const BlockConstraint& inner = c.temporal[0];
  EXPECT_EQ(inner.factor[loop("R")], BlockConstraint::kWhole);
  EXPECT_EQ(inner.factor[loop("P")], BlockConstraint::kOpen);
  EXPECT_EQ(inner.most[loop("P")], 8);
  EXPECT_EQ(inner.least[loop("K")], 2);
  ASSERT_EQ(inner.innermost.size(), 1u);
  ASSERT_EQ(inner.outermost.size(), 1u);
  EXPECT_EQ(index_of(inner.innermost[0]), loop("R"));
  EXPECT_EQ(index_of(inner.outermost[0]), loop("K"));
  EXPECT_EQ(c.spatial[1].split, 3);
  EXPECT_EQ(c.spatial[1].factor[loop("R")], 1);
  EXPECT_EQ(c.spatial[0].split, -1);
  EXPECT_EQ(c.temporal[1].factor[loop("K")], 2);
  EXPECT_EQ(c.min_parallelism, 0.5);
  const auto space = [&](const char* name) {
    return static_cast<std::size_t>(std::ranges::find(files.layer->space_names, name) - files.layer->space_names.begin());
  };
  EXPECT_EQ(c.keep[0][space("Samples")], Choice::no);
  EXPECT_EQ(c.keep[0][space("Results")], Choice::yes);
  EXPECT_EQ(c.keep[0][space("Filters")], Choice::open);
  EXPECT_EQ(c.keep[1][space("Filters")], Choice::yes);  // the outermost level holds everything
}

TEST_F(TimeloopYaml, AMappingThatBreaksAConstraintIsNamed) {
  const auto broken = [&](const std::string& constraint) {
    const TimeloopFiles files =
        read_text(std::string(kArchitecture) + kConvolution1D + kMapping1D + "mapspace_constraints:\n- " + constraint + "\n");
    return broken_constraint(record_of(files), *files.constraints);
  };
  EXPECT_EQ(broken("{target: buffer, type: temporal, factors: R=3 P<=4, permutation: RPK}"), "");
  EXPECT_EQ(broken("{target: buffer, type: temporal, factors: P<=2}"), "buffer has P = 4, where the constraints say at most 2");
  EXPECT_EQ(broken("{target: buffer, type: temporal, permutation: PR}"),
            "buffer has its loops in another order than the constraints say");
}

TEST_F(TimeloopYaml, MapperKeysHaveTimeloopsDefaults) {
  const MapperKeys keys =
      *read_text("mapper: {optimization-metrics: [delay, energy], num-threads: 2, timeout: 15000, algorithm: random-pruned}\n")
           .mapper;
  EXPECT_EQ(keys.algorithm, "random_pruned");
  EXPECT_EQ(keys.goals(), (Goals{Goal::cycles, Goal::energy}));
  EXPECT_EQ(keys.threads, 2u);
  EXPECT_EQ(keys.timeout, 15000u);
  EXPECT_EQ(keys.victory_condition, 500u);
  EXPECT_EQ(read_text("mapper: {optimization_metric: edp}\n").mapper->goals(), Goals{Goal::edp});
  EXPECT_THAT(error_of([&] { (void)read_text("mapper: {optimization_metrics: [last_level_accesses]}\n").mapper->goals(); }),
              HasSubstr("last_level_accesses"));
}

// ---- version 0.4 ----------------------------------------------------------------------------------------------------------

constexpr const char* kNodes = R"(variables: {version: 0.4, BITS: 8}
architecture:
  version: 0.4
  nodes:
  - !Container
    name: system
    attributes: {datawidth: BITS, technology: "45nm"}
  - !Component
    name: DRAM
    class: DRAM
    attributes: {width: datawidth * 8}
  - !Container
    name: PE
    spatial: {meshX: 2 * 2}
    constraints: {spatial: {factors: [R=1, P=1], permutation: [R, P, K], split: 3}}
  - !Parallel
    nodes:
    - !Component
      name: weights
      class: SRAM
      attributes:
        depth: 16 if BITS >= 8 else 8
        width: max(8, BITS)
      constraints: {dataspace: {keep: [Filters]}, temporal: {factors_only: [R=3]}}
    - !Component
      name: results
      class: regfile
      attributes: {depth: weights.attributes.depth * 2, width: BITS}
      constraints: {dataspace: {keep: [Results, Samples]}}
  - !Component
    name: mac
    class: intmac
    spatial: {meshY: 2}
    attributes: {multiplier_width: BITS}
)";

TEST_F(TimeloopYaml, NodesBecomeLevels) {
  const TimeloopFiles files = read_text(std::string(kNodes) + kConvolution1D);
  EXPECT_EQ(files.machine->level_names,
            (std::vector<std::string>{"inter_mac_spatial", "results", "weights", "inter_PE_spatial", "DRAM"}));
  const Architecture& a = files.machine->architecture;
  EXPECT_EQ(a.storage[1].size, 32);
  EXPECT_EQ(a.storage[2].size, 16);
  EXPECT_EQ(a.storage[2].mesh_x, 4);
  EXPECT_EQ(a.storage[3].instances, 1);
  EXPECT_EQ(a.storage[4].block_size, 8);
  EXPECT_EQ(a.compute.mesh_x, 4);
  EXPECT_EQ(a.compute.mesh_y, 2);
  const Constraints& c = *files.constraints;
  EXPECT_EQ(c.keep[3][kWeights], Choice::no);  // there for the fanout alone
  EXPECT_EQ(c.keep[2][kWeights], Choice::yes);
  EXPECT_EQ(c.keep[2][kOutputs], Choice::no);  // another branch keeps them
  EXPECT_EQ(c.spatial[3].split, 3);
  EXPECT_EQ(c.temporal[2].factor[index_of(Dim::P)], 1);
}

TEST_F(TimeloopYaml, WhatNodesSayGivesWayToAMapping) {
  const std::string mapping =
      "mapping:\n- {target: PE, type: spatial, factors: K=4, permutation: KRP, split: 0}\n"
      "- {target: DRAM, type: temporal, factors: K=2 P=16}\n";
  const Record record = record_of(read_text(std::string(kNodes) + kConvolution1D + mapping));
  EXPECT_EQ(record.input.mapping.spatial[3].loop[0].axis, Axis::y);
  EXPECT_EQ(record.input.mapping.temporal[2].loop[0].bound, 3);  // of the node: R=3
}

// What timeloopfe would write for them, and Timeloop read.
TEST_F(TimeloopYaml, NodesAreTheSameAsTheFlatFilesOfTimeloopfe) {
  const std::string flat = R"(architecture:
  version: '0.4'
  subtree:
  - name: system
    local:
    - {name: 'DRAM[1..1]', class: DRAM, attributes: {width: 64, datawidth: 8, meshX: 1, meshY: 1, power_gated_at: null}}
    - {name: 'inter_PE_spatial[1..1]', class: dummy_storage, attributes: {width: 1, depth: 1, datawidth: 1, meshX: 1, meshY: 1}}
    - {name: 'weights[1..4]', class: SRAM, attributes: {depth: 16, width: 8, datawidth: 8, meshX: 4, meshY: 1}}
    - {name: 'results[1..4]', class: regfile, attributes: {depth: 32, width: 8, datawidth: 8, meshX: 4, meshY: 1}}
    - {name: 'inter_mac_spatial[1..4]', class: dummy_storage, attributes: {width: 1, depth: 1, datawidth: 1, meshX: 4, meshY: 1}}
    - {name: 'mac[1..8]', class: intmac, attributes: {datawidth: 8, meshX: 4, meshY: 2}}
)";
  const std::string loops =
      "- {target: DRAM, type: temporal, factors: P=16, permutation: PRK}\n- {target: weights, type: temporal, factors: R=3, "
      "permutation: RPK}\n";
  const std::string outer =
      "- {target: inter_PE_spatial, type: bypass, bypass: [Filters, Samples, Results]}\n"
      "- {target: inter_mac_spatial, type: bypass, bypass: [Filters, Samples, Results]}\n"
      "- {target: weights, type: bypass, keep: [Filters], bypass: [Samples, Results]}\n"
      "- {target: results, type: bypass, bypass: [Filters]}\n"
      "- {target: inter_PE_spatial, type: spatial, factors: 'R=1,P=1,K=4', permutation: RPK, split: 3}\n"
      "- {target: inter_mac_spatial, type: spatial, factors: K=2, permutation: KRP, split: 0}\n";
  const std::string inner =
      "- {target: PE, type: spatial, factors: [K=4]}\n- {target: mac, type: spatial, factors: [K=2], split: 0}\n";
  const ordered_json want =
      answer(nullptr, record_of(read_text(flat + kConvolution1D + "mapping:\n" + loops + outer)), FillRule::current);
  const ordered_json got = answer(
      nullptr, record_of(read_text(std::string(kNodes) + kConvolution1D + "mapping:\n" + loops + inner)), FillRule::current);
  EXPECT_EQ(want["status"], "ok");
  EXPECT_EQ(exarch::testing::timeloop_difference(got, want), "");
}

TEST_F(TimeloopYaml, TemplatesIncludeOtherFiles) {
  std::string arch = std::string(kNodes).substr(std::string(kNodes).find("architecture:"));
  for (const auto& [from, to] : {std::pair{"Filters", "Weights"}, {"Samples", "Inputs"}, {"Results", "Outputs"}}) {
    for (std::size_t at; (at = arch.find(from)) != std::string::npos;) arch.replace(at, std::strlen(from), to);
  }
  write("inputs/arch.yaml", arch);
  write("inputs/base.yaml", "base: &base\n  shape: cnn-layer\n  instance: {C: 1, K: 1, R: 1, S: 1, N: 1, P: 1, Q: 1}\n");
  write("top.yaml", R"({{add_to_path(cwd() ~ '/inputs')}}
{{include_text('base.yaml')}}
problem:
  <<<: *base
  instance: {C: 4, K: {{channels | default(8)}}}
{% set arch = 'arch.yaml' %}
{% if path_exists(arch) %}
architecture: {{include(arch, 'architecture')}}
{% else %}
architecture: {{nothing}}
{% endif %}
variables: {BITS: {{bits}}}  {# a comment #}
)");
  const TimeloopFiles files = read({"top.yaml"}, {{"bits", "16"}});
  EXPECT_EQ(files.layer->problem.bound[index_of(Dim::C)], 4);
  EXPECT_EQ(files.layer->problem.bound[index_of(Dim::M)], 8);
  EXPECT_EQ(files.machine->architecture.storage[4].block_size, 8);
  EXPECT_EQ(read({"top.yaml"}, {{"bits", "8"}, {"channels", "2"}}).layer->problem.bound[index_of(Dim::M)], 2);
  EXPECT_THAT(error_of([&] { (void)read({"top.yaml"}); }),
              HasSubstr("top.yaml:12: 'bits' is not defined in this template; give it with --define"));
  // A mistake in an included file is one of that file.
  write("inputs/arch.yaml", "architecture:\n  nodes:\n  - !Component {name: a}\n");
  EXPECT_THAT(error_of([&] {
                (void)read({"top.yaml"}, {{"bits", "8"}});
              }),
              HasSubstr("inputs/arch.yaml:3: the component 'a' has no class"));
}

// ---- what is refused ------------------------------------------------------------------------------------------------------

TEST_F(TimeloopYaml, WhatIsNotModelledIsRefusedByNameWithItsLine) {
  const std::string arch = kArchitecture, all = arch + kConvolution1D;
  const auto with = [](std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::pair<std::string, std::string> cases[] = {
      {all + "sparse_optimizations: {targets: [{name: buffer}]}\n", "all.yaml:27: sparse_optimizations: sparsity"},
      {all + "layout: [{target: buffer}]\n", "all.yaml:27: layout: layouts"},
      {all + "mapspace: {template: ruby}\n", "all.yaml:27: template: imperfect factors ('ruby')"},
      {all + "mapping:\n- {target: buffer, type: skew, modulo: 3}\n", "all.yaml:28: skew: skews"},
      {all + "mapping:\n- {target: buffer, type: temporal, factors: 'P=3,1'}\n",
       "all.yaml:28: factors: 'P=3,1': imperfect factors"},
      {all + "mapping:\n- {target: buffer, type: temporal, factors: P<=3}\n",
       "all.yaml:28: factors: a mapping has factors like C=4"},
      {all + "mapping:\n- {target: buffer, type: spatial, no_link_transfer: [Samples]}\n",
       "all.yaml:28: no_link_transfer: is not modelled"},
      {all + "mapping:\n- {target: bufer, type: temporal}\n",
       "all.yaml:28: the storage level 'bufer' is not in the architecture (did you mean 'buffer'?)"},
      {all + "mapping:\n- {target: buffer, type: temporal, factors: X=3}\n",
       "all.yaml:28: the problem has no dimension 'X'; it has K, R, P"},
      {all + "mapping:\n- {target: buffer, type: bypass, keep: [Weights]}\n",
       "all.yaml:28: the problem has no data space 'Weights'"},
      {all + "mapping:\n- {target: buffer, type: temporal, permutation: PRP}\n", "all.yaml:28: permutation: P occurs twice"},
      {all + "mapping:\n- {target: buffer, type: temporal, factors: P=0}\n- {target: DRAM, type: temporal, factors: P=0}\n",
       "all.yaml:29: factors: P has the factor 0, which is the rest, twice"},
      {all + "maping: []\n", "all.yaml:27: the section 'maping' is not known (did you mean 'mapping'?)"},
      {with(arch, "read_bandwidth: 2", "shared_bandwidth: 2"),
       "all.yaml:14: shared_bandwidth: bandwidth that reads and writes share"},
      {with(arch, "read_bandwidth: 2", "wire_energy: 2"), "all.yaml:14: wire_energy: energies of networks"},
      {with(arch, "read_bandwidth: 2", "min_utilization: 0.5"), "all.yaml:14: min_utilization"},
      {with(arch, "read_bandwidth: 2", "network_fill_latency: 2"), "all.yaml:14: network_fill_latency: latencies"},
      {with(arch, "width: 32", "width: 36"), "all.yaml:14: width: 36 bits are no multiple of 32"},
      {with(arch, "depth: 64, ", ""), "all.yaml:12: a buffer needs a size"},
      {with(arch, "depth: 64", "depth: deep"), "all.yaml:14: depth: expected a number, found 'deep'"},
      {with(arch, "class: smartbuffer_SRAM", "class: XY_NoC"), "all.yaml:12: networks of one's own"},
      {with(arch, "PE[0..3]", "PE[3..0]"), "all.yaml:10: name: expected a range like PE[0..167]"},
      {with(all, "R: 3", "R: 3.5"), "all.yaml:26: R: expected a whole number"},
      {with(all, ", P: 16", ""), "all.yaml:26: the size of dimension P is missing"},
      {with(kNodes, "dataspace: {keep: [Filters]}", "dataspace: {keep: [Samples]}"),
       "all.yaml:25: 'Samples' is kept by two branches of !Parallel"},
      {with(kNodes, "!Parallel", "!Pipelined"), "all.yaml:16: !Pipelined"},
      {with(kNodes, "2 * 2", "2 * SIDE"), "all.yaml:14: meshX: expected a number, found '2 * SIDE': 'SIDE' is not defined"},
      {"a: 1\nb: [\n", "all.yaml:2: not valid YAML"},
      {"mapper: {timeout: 1, timeout: 2}\n", "all.yaml:1: the key 'timeout' occurs a second time"},
      {"{% for a in b %}\n", "all.yaml:1: the template statement 'for' is not known here"},
      {"ART: {version: 0.3, tables: []}\n", "all.yaml:1: an ART without an ERT"},
      {"mapping:\n- {target: a, type: temporal}\n", "all.yaml:1: mappings and constraints need the architecture"},
  };
  for (const auto& [text, want] : cases) EXPECT_THAT(fault_of(text), StartsWith(want)) << text;
}

// Both change nothing that can be counted; the user may have thought otherwise.
TEST_F(TimeloopYaml, WhatHasNoEffectIsSaid) {
  std::string nodes = kNodes;
  nodes.replace(nodes.find("split: 3"), 8, "maximize_dims: [[K]]");
  EXPECT_THAT(read_text(nodes + kConvolution1D).warnings,
              ElementsAre(HasSubstr("all.yaml:15: maximize_dims is not carried out")));
  std::string sparse = kConvolution1D;
  sparse.replace(sparse.find("P: 16"), 5, "P: 16, densities: {Filters: {distribution: hypergeometric, density: 0.5}}");
  EXPECT_THAT(read_text(sparse).warnings, ElementsAre(HasSubstr("all.yaml:9: densities have no effect")));
}

TEST_F(TimeloopYaml, AliasesOfAliasesDoNotFillTheMemory) {
  std::string text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = std::to_string(i - 1), name = std::to_string(i);
    text += "a" + name + ": &a" + name + " [";
    for (int k = 0; k < 8; ++k) text += (k == 0 ? "*a" : ", *a") + before;
    text += "]\n";
  }
  EXPECT_THAT(fault_of(text), HasSubstr("more than 200000 values"));
  EXPECT_THAT(fault_of(std::string(100000, '[')), HasSubstr("all.yaml"));
}

// The library for YAML would pass over the rest, or never end.
TEST_F(TimeloopYaml, NothingFollowsTheDocument) {
  for (const char* text : {"mapper: {timeout: 1}\n---\nmapper: {timeout: 2}\n", ", meshX: 8}\nmapper: {}\n", "]\n", "} {\n"}) {
    EXPECT_THAT(fault_of(text), StartsWith("all.yaml")) << text;
  }
  EXPECT_EQ(read_text("---\nmapper: {timeout: 2}\n...\n").mapper->timeout, 2u);
}

TEST_F(TimeloopYaml, WithoutAMappingThereIsNoRecord) {
  EXPECT_EQ(error_of([&] { (void)record_of(read_text(std::string(kArchitecture) + kConvolution1D)); }),
            "the files have no mapping; give one");
}

}  // namespace
}  // namespace exarch::timeloop
