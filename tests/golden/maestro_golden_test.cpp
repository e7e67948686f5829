// Every recorded row of MAESTRO, in both versions, column by column; the independent reference on the same rows; ArchGym's
// decoder, observations and rewards; files of several layers; and raw texts that are wrong or odd.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/maestro/cost.hpp"
#include "host/maestro/environment.hpp"
#include "host/maestro/file.hpp"
#include "host/maestro/reference.hpp"
#include "host/maestro/rows.hpp"
#include "tests/support/maestro_rows.hpp"
#include "tests/support/recorded_rows.hpp"

namespace exarch {
namespace {

using namespace maestro;
using Json = nlohmann::ordered_json;
using testing::maestro_rows;

std::string digits(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

// "" or how a column differs: integers and texts are equal; reals are equal to 6 digits and to 1e-12.
std::string difference(const Json& got, const Json& want) {
  if (want.is_number_float() && got.is_number()) {
    const auto a = got.get<double>(), b = want.get<double>();
    if (digits(a) == digits(b) && std::abs(a - b) <= 1e-12 * std::abs(b)) return "";
  } else if (got.is_number_float() ? want.is_number() && got.get<double>() == want.get<double>() : got == want) {
    return "";
  }
  return got.dump() + " instead of " + want.dump();
}

void expect_equal_row(const Json& got, const Json& want, const std::string& row) {
  ASSERT_EQ(got.size(), want.size()) << row;
  for (const auto& [column, value] : want.items()) {
    ASSERT_TRUE(got.contains(column)) << row << " lacks " << column;
    EXPECT_EQ(difference(got[column], value), "") << row << " " << column;
  }
}

// What a version of the tool did with a row: its output, or null where it gave none; discarded where that was not recorded.
Json recorded(const Json& row, Version version) {
  const Json out = row.contains("out") ? row["out"] : Json();
  if (version == Version::e1d8efd8) return out;
  if (!row.contains("head")) return Json(Json::value_t::discarded);
  if (row["head"] == "same") return out;
  return row["head"].contains("error") ? Json() : row["head"];
}

class MaestroGolden : public ::testing::TestWithParam<std::tuple<const char*, Version, std::size_t, std::size_t>> {};

TEST_P(MaestroGolden, EveryColumnOfEveryRow) {
  const auto& [file, version, ok_rows, failing_rows] = GetParam();
  std::size_t ok = 0, failing = 0;
  for (const Json& row : maestro_rows(file)) {
    const Json want = recorded(row, version);
    if (want.is_discarded()) continue;
    const Json got = answer(row, version);
    const std::string id = row["id"].get<std::string>() + " status " + got["status"].get<std::string>();
    EXPECT_EQ(got["id"], row["id"]);
    ASSERT_EQ(got.contains("out"), !want.is_null()) << id;
    EXPECT_EQ(got["status"] == "ok", !want.is_null()) << id;
    if (want.is_null()) {
      ++failing;
    } else {
      ++ok;
      expect_equal_row(got["out"], want, id);
    }
  }
  EXPECT_EQ(ok, ok_rows);
  EXPECT_EQ(failing, failing_rows);
}

std::tuple<const char*, Version, std::size_t, std::size_t> at(const testing::RecordedLayers& rows, Version version) {
  if (version == Version::head) return {rows.file, version, rows.head_results, rows.head_failures};
  return {rows.file, version, rows.results, rows.failures};
}

INSTANTIATE_TEST_SUITE_P(Rows, MaestroGolden,
                         ::testing::Values(at(testing::kDevRows, Version::e1d8efd8), at(testing::kDevRows, Version::head),
                                           at(testing::kStressRows, Version::e1d8efd8), at(testing::kStressRows, Version::head),
                                           at(testing::kFailureRows, Version::e1d8efd8)));

TEST(MaestroGoldenStatus, SaysWhyTheToolFailed) {
  const std::map<std::string, std::string> kNames{{"non_positive_size", "non_positive_size"},
                                                  {"clusters_exceed_pes", "clusters_exceed_pes"},
                                                  {"zero_compute_delay", "zero_compute_delay"}};
  for (const Json& row : maestro_rows("failures.jsonl.gz")) {
    EXPECT_EQ(answer(row, Version::e1d8efd8)["status"], kNames.at(row["error"]["reason"])) << row["id"];
  }
}

// Bit for bit, so also where nothing was recorded.
void expect_equal_counters(const Problem& problem, Version version, const std::string& what) {
  Counters fast, slow;
  std::memset(&fast, 0, sizeof fast);
  std::memset(&slow, 0, sizeof slow);
  const Status status = cpu_functions().problem(problem, version, fast);
  ASSERT_EQ(status, evaluate_reference(problem.layer, problem.mapping, problem.hardware, version, slow)) << what;
  if (status == Status::ok) {
    EXPECT_EQ(std::memcmp(&fast, &slow, sizeof fast), 0) << what;
  }
}

TEST(MaestroReference, EqualsTheKernelOnEveryRow) {
  for (const char* file : {"dev.jsonl.gz", "stress.jsonl.gz", "failures.jsonl.gz"}) {
    for (const Json& row : maestro_rows(file)) {
      for (const Version version : {Version::e1d8efd8, Version::head}) {
        expect_equal_counters(problem_of(row), version, row["id"].get<std::string>());
      }
    }
  }
}

ArchgymDesign genes_of(const Json& row) {
  ArchgymDesign design{};
  for (std::size_t g = 0; g < kArchgymGenes; ++g) design.gene[g] = row["source"]["genome"][g].get<std::uint32_t>();
  design.outer_seed = row["source"]["rng_state_seed"].get<std::uint32_t>();
  return design;
}

TEST(MaestroArchgym, DecodesGenesAsMaestroGymDoes) {
  std::size_t decoded = 0;
  for (const char* file : {"dev.jsonl.gz", "failures.jsonl.gz"}) {
    for (const Json& row : maestro_rows(file)) {
      if (row["set"] != "archgym") continue;
      const Problem want = problem_of(row);
      Mapping got;
      ASSERT_EQ(decode(genes_of(row), want.layer, got), Status::ok);
      ASSERT_EQ(got.count, want.mapping.count) << row["id"];
      for (std::uint32_t d = 0; d < got.count; ++d) {
        const Directive &a = got.directive[d], &b = want.mapping.directive[d];
        EXPECT_TRUE(a.map == b.map && a.size == b.size && (a.map == Map::cluster || (a.dim == b.dim && a.offset == b.offset)))
            << row["id"] << " directive " << d;
      }
      ++decoded;
    }
  }
  EXPECT_EQ(decoded, testing::kGenomes);
}

// Rows of kind `shipped` went through the index step of the released environment.
TEST(MaestroArchgym, AltersGenesAsTheReleasedEnvironmentDoes) {
  std::size_t compared = 0;
  for (const Json& row : maestro_rows("dev.jsonl.gz")) {
    if (row["set"] != "archgym" || row["source"]["kind"] != "shipped") continue;
    ArchgymDesign design{};
    for (std::size_t g = 0; g < kArchgymGenes; ++g) {
      const auto raw = row["source"]["raw"][g].get<double>();
      design.gene[g] = static_cast<std::uint32_t>(raw);
    }
    const ArchgymDesign shipped = as_shipped(design, problem_of(row).layer), want = genes_of(row);
    for (std::size_t g = 0; g < kArchgymGenes; ++g) EXPECT_EQ(shipped.gene[g], want.gene[g]) << row["id"] << " gene " << g;
    ++compared;
  }
  EXPECT_GE(compared, 50u);
}

// Through the environment, from genes to what ArchGym's agents see.
TEST(MaestroArchgym, GivesItsObservationsAndRewards) {
  const Environment& environment = maestro_archgym_environment();
  const auto metrics = environment.metrics();
  const auto column = [&](const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(metrics, name, &MetricInfo::name) - metrics.begin());
  };
  Backend backend("cpu", 1);
  std::map<WorkloadOptions, std::shared_ptr<const Workload>> workloads;
  std::size_t compared = 0;
  for (const Json& row : maestro_rows("dev.jsonl.gz")) {
    const Problem problem = problem_of(row);
    if (row["set"] != "archgym" || std::memcmp(&problem.hardware, &kArchgymHardware, sizeof kArchgymHardware) != 0) continue;
    const WorkloadOptions options{{"model", row["source"]["model"].get<std::string>()},
                                  {"layer", std::to_string(row["source"]["layer_id"].get<int>())}};
    auto& workload = workloads[options];
    if (!workload) workload = environment.load_workload(options);
    std::vector<std::int64_t> design;
    for (const Json& gene : row["source"]["genome"]) design.push_back(gene.get<std::int64_t>());
    design.push_back(row["source"]["rng_state_seed"].get<std::int64_t>());
    Outcomes outcomes;
    environment.simulate(*workload, design, Engine::fast, backend, outcomes);
    ASSERT_EQ(outcomes.status[0], 0) << row["id"];
    std::vector<double> values(metrics.size());
    environment.price(*workload, design, outcomes.counters, values);
    const Json& want = row["archgym"];
    const std::pair<const char*, Json> expected[] = {{"runtime_cycles", want["obs"][0]},
                                                     {"archgym_throughput", want["obs"][1]},
                                                     {"archgym_energy", want["obs"][2]},
                                                     {"archgym_area", want["obs"][3]},
                                                     {"archgym_reward_latency", want["reward_latency"]},
                                                     {"archgym_reward_energy", want["reward_energy"]},
                                                     {"archgym_reward_area", want["reward_area"]}};
    for (const auto& [name, value] : expected) {
      EXPECT_DOUBLE_EQ(values[column(name)], value.get<double>()) << row["id"] << " " << name;
    }
    ++compared;
  }
  EXPECT_GE(compared, 300u);
}

// Designs of `maestro` that the tool itself evaluated: the clean decoder against somebody else than its author.
TEST(MaestroClean, DesignsCostWhatTheToolSays) {
  const Environment& environment = maestro_environment();
  const auto metrics = environment.metrics();
  Backend backend("cpu", 1);
  std::size_t rows = 0;
  for (const Json& row : maestro_rows("clean.jsonl.gz")) {
    const auto workload = environment.load_workload({{"model", row["model"]}, {"layer", row["layer"]}});
    std::vector<std::int64_t> design;
    for (const ParameterInfo& parameter : environment.parameters()) {
      const Json& value = row["design"][parameter.name];
      design.push_back(parameter.parse(value.is_string() ? value.get<std::string>() : value.dump()));
    }
    Outcomes outcomes;
    environment.simulate(*workload, design, Engine::fast, backend, outcomes);
    ASSERT_EQ(outcomes.status[0], 0);
    std::vector<double> values(metrics.size());
    environment.price(*workload, design, outcomes.counters, values);
    const std::pair<const char*, const char*> columns[] = {{"runtime", "runtime_cycles"},
                                                           {"energy_nj", "energy_nj"},
                                                           {"throughput", "throughput"},
                                                           {"area", "area_um2"},
                                                           {"power", "power_mw"},
                                                           {"l1_size_req", "l1_size_req"},
                                                           {"l2_size_req", "l2_size_req"},
                                                           {"num_macs", "num_macs"},
                                                           {"avg_active_pes", "avg_active_pes"},
                                                           {"arithmetic_intensity", "arithmetic_intensity"}};
    for (const auto& [column, metric] : columns) {
      const double value =
          values[static_cast<std::size_t>(std::ranges::find(metrics, metric, &MetricInfo::name) - metrics.begin())];
      const std::string printed = row["csv"][column];
      const bool whole = printed.find_first_of(".e") == std::string::npos;
      EXPECT_EQ(whole && value < 1e15 ? std::to_string(std::llround(value)) : digits(value), printed)
          << "row " << rows << " " << column;
    }
    ++rows;
  }
  EXPECT_EQ(rows, testing::kCleanRows);
}

// The tool prices a layer behind another one with the L1 accesses of the layer before.
TEST(MaestroGoldenFiles, OfSeveralLayers) {
  std::size_t layers = 0;
  for (const Json& file : maestro_rows("multilayer.jsonl.gz")) {
    Counters before{};
    bool first = true;
    for (const Json& recorded_layer : file["layers"]) {
      Json row = recorded_layer;
      row["hw"] = file["hw"];
      const Problem problem = problem_of(row);
      Counters counters;
      ASSERT_EQ(cpu_functions().problem(problem, Version::e1d8efd8, counters), Status::ok);
      Json got = output_of(problem, counters);
      const bool clustered = counters.l1_in_energy == 0;
      if (clustered && !first) {
        const double energy = energy_behind(counters, before);
        const double macs = static_cast<double>(counters.num_macs);
        got["energy_nj"] = energy;
        got["throughput_per_energy"] = macs / static_cast<double>(counters.runtime) / energy * 1e9;
        got["ops_per_joule"] = macs / energy * 1e9;
      }
      expect_equal_row(got, recorded_layer["out"], file["file"].get<std::string>() + " layer " + std::to_string(layers));
      before = counters;
      first = false;
      ++layers;
    }
  }
  EXPECT_EQ(layers, testing::kMultilayerLayers);
  EXPECT_EQ(maestro_rows("multilayer.jsonl.gz").size(), testing::kMultilayerFiles);
}

// Texts with something wrong or odd in them: what is made of each. "row": the tool's own row, by its runtime. "line N": refused
// by the reader, which names the line. Anything else is a status.
const std::map<std::string, std::string> kDecided{
    {"control_valid", "row"},
    {"zero_map_size", "line 9"},
    {"negative_map_size", "line 9"},  // the tool reads -4 as 4
    {"zero_offset", "line 9"},
    {"non_numeric_size", "line 9"},
    {"fraction_size", "line 9"},  // the tool reads 4.9 as 4
    {"cluster_zero", "line 12"},
    {"cluster_bad_type", "line 12"},  // the tool crashes
    {"cluster_larger_than_pes", "clusters_exceed_pes"},
    {"cluster_not_dividing_pes", "row"},
    {"zero_pes", "non_positive_hardware"},
    {"one_pe", "clusters_exceed_pes"},
    {"negative_pes", "non_positive_hardware"},  // the tool computes negative power
    {"zero_noc_bw", "non_positive_hardware"},
    {"negative_noc_bw", "non_positive_hardware"},  // the tool computes
    {"zero_offchip_bw", "non_positive_hardware"},
    {"zero_simd", "non_positive_hardware"},
    {"negative_simd", "non_positive_hardware"},
    {"huge_hop_latency", "row"},
    {"no_spatial_map_outer", "spatial_maps"},
    {"no_spatial_map_inner", "spatial_maps"},
    {"three_spatial_maps", "spatial_maps"},
    {"two_spatial_maps", "row"},
    {"four_clusters", "too_many_clusters"},
    {"five_clusters", "too_many_clusters"},
    {"empty_dataflow", "empty_mapping"},
    {"no_dataflow_block", "no mapping"},
    {"unknown_layer_type", "line 3"},
    {"fc_layer_type", "line 3"},
    {"missing_type", "line 2"},
    {"dsconv_with_K_directive", "missing_dimension"},
    {"dsconv_no_spatial_after_drop", "spatial_maps"},
    {"missing_dim_S", "missing_dimension"},
    {"missing_dim_C", "missing_dimension"},
    {"undeclared_dim_Z", "line"},
    {"dim_zero", "line 4"},
    {"dim_negative", "line 4"},  // the tool reads -64 as 64
    {"dim_huge", "line 4"},      // the tool reads a number beyond 32 bits as another one
    {"sz_of_undefined", "line"},
    {"filter_larger_than_input", "row"},
    {"both_X_and_Xprime_dims", "axis_forms"},
    {"stride_after_dims", "line 5"},
    {"stride_zero", "line 4"},
    {"rs_tile_minus_one", "row"},
    {"rs_size_ne_offset", "row"},
    {"spatial_R_partial", "row"},
    {"missing_close_brace", "line"},
    {"extra_close_brace", "line"},  // the tool reads over it
    {"empty_file", "line"},
    {"garbage_file", "line"},
    {"unknown_token_in_dataflow", "line 13"},
    {"missing_semicolons", "row"},
    {"glued_comment", "row"},
    {"inner_tile_larger_than_outer", "row"},
    {"prime_without_filter_directive", "missing_filter_directive"},
    {"offset_larger_than_size", "row"},
    {"size_larger_than_dim", "row"},
    {"product_overflow", "occurrence_overflow"},
};

// The sixth column of the tool's line.
std::string runtime_in(const std::string& csv) {
  std::string line = csv.substr(csv.find('\n') + 1);
  for (int i = 0; i < 3; ++i) line = line.substr(line.find(',') + 1);
  return line.substr(0, line.find(','));
}

std::string made_of(const Json& row, Version version, const std::string& text) {
  Hardware hardware{};
  {
    const Json layer{{"type", "GEMM"}, {"dims", {{"M", 1}, {"N", 1}, {"K", 1}}}};
    hardware = problem_of({{"layer", layer}, {"directives", Json::array()}, {"hw", row["hw"]}}).hardware;
  }
  NetworkFile file;
  try {
    file = parse_network(text, "text");
  } catch (const Error& error) {
    const std::string what = error.what();
    const std::size_t colon = what.find("text:");
    return colon == std::string::npos ? "error without a line: " + what : "line " + what.substr(5, what.find(':', 5) - 5);
  }
  if (!file.layers[0].mapping) return "no mapping";
  Counters counters;
  const Status status = cpu_functions().problem({file.layers[0].layer, *file.layers[0].mapping, hardware}, version, counters);
  return status == Status::ok ? std::to_string(counters.runtime) : maestro::name_of(status);
}

TEST(MaestroInvalid, EveryTextHasADecidedAnswer) {
  std::size_t texts = 0;
  for (const Json& row : maestro_rows("invalid.jsonl.gz")) {
    const std::string name = row["name"];
    for (const auto& [key, version] : {std::pair{"e1d", Version::e1d8efd8}, std::pair{"head", Version::head}}) {
      ASSERT_TRUE(kDecided.contains(name)) << name;
      std::string want = kDecided.at(name);
      const Json& csv = row[key]["csv"];
      if (want == "row") want = csv.is_null() ? "filter_tile" : runtime_in(csv);
      if (name == "missing_dim_S" && version == Version::head) want = "filter_tile";  // no tile is the whole of no filter
      const std::string got = made_of(row, version, row["mapping_text"]);
      if (want == "line") {
        EXPECT_TRUE(got.starts_with("line ")) << name << ": " << got;
      } else {
        EXPECT_EQ(got, want) << name << " " << key;
      }
    }
    ++texts;
  }
  EXPECT_EQ(texts, testing::kInvalidTexts);
}

}  // namespace
}  // namespace exarch
