// What the CUDA kernels do per request, counted on the CPU, and what an H100 would allow by these counts. No device is needed.
//
//   device_profile [--only TEXT] [--json FILE]     prints a row per kernel and trace; FILE: all counts, for machines
//   device_profile --check FILE                    exit 1 if a row needs over 2 % more warp instructions than in FILE
//                                                  exit 77 if FILE was made with another nvcc
//
// The compiled kernels (PTX) run as C++ (tests/device); each warp's instructions and accesses are counted through a model of one
// multiprocessor's caches (tests/device/runtime/profile.hpp). The output names what is assumed. Every row's results are compared
// with the CPU's.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "host/dram/device.hpp"
#include "host/dram/environment.hpp"
#include "host/error.hpp"
#include "host/execute/backend.hpp"
#include "host/maestro/environment.hpp"
#include "host/timeloop/environment.hpp"
#include "kernels/core/philox.hpp"
#include "tests/device/runtime/profile.hpp"
#include "tests/device/runtime/standin.hpp"
#include "tests/support/ptxas_log.hpp"
#include "tests/support/timeloop_drawings.hpp"

namespace exarch {
namespace {

using Json = nlohmann::ordered_json;

// An H100 SXM. Rates are NVIDIA's; that of L2 is what others have measured.
struct Gpu {
  static constexpr const char* name = "H100 SXM";
  static constexpr const char* architecture = "sm_90";
  static constexpr double multiprocessors = 132, hertz = 1.7e9, schedulers = 4;
  static constexpr double l2_bytes_per_s = 5.5e12, memory_bytes_per_s = 3.35e12;
  static constexpr double dependent_cycles = 5;  // between two instructions of a warp, none waiting for memory
  static constexpr unsigned registers = 65536, warps = 64, blocks = 32;
  static constexpr std::size_t l1_bytes = 256 << 10, l2_bytes = 50 << 20, reserved_shared = 1 << 10;
  static constexpr std::array<std::size_t, 10> shared_kb{0, 8, 16, 32, 64, 100, 132, 164, 196, 228};
};

const char* const kAssumptions[] = {
    "an instruction of PTX is one of the machine's: ptxas merges some and splits others, and adds those of spills",
    "132 multiprocessors at 1.7 GHz, each with 4 schedulers that issue one warp instruction per cycle",
    "resident blocks as registers, shared memory, 64 warps and 32 blocks allow; the grid is large enough to fill them",
    "local memory belongs to a warp's place on the multiprocessor: the next warp there uses it again",
    "L1 is 256 KB less the smallest carve-out of shared memory that the resident blocks need; L2 is shared evenly, 50 MB / 132",
    "both caches: 128-byte lines in 32-byte sectors, 16 ways, least recently used; local memory is written back, global through",
    "L2 gives 5.5 TB/s (measured by others), memory 3.35 TB/s",
    "latency: a warp issues every 5 cycles at best; waits for memory come on top, and nothing here says how long they are",
    "candidates lie as in a large sorted batch: all sort keys of open page and row hits first, equally many designs of each",
};

constexpr double kTolerance = 1.02;
constexpr std::uint32_t kNumbersOfThread = 64;

// ---- what ptxas says of kernels

struct Registers {
  std::map<std::string, unsigned> by_kernel;  // mangled

  Registers() {
    for (const testing::PtxasKernel& kernel : testing::ptxas_kernels(EXARCH_CUDA_LOGS)) {
      if (kernel.architecture == Gpu::architecture) by_kernel[kernel.name] = kernel.registers;
    }
  }
};

standin::Residency residency_of(const standin::LaunchShape& launch, unsigned registers) {
  const unsigned warps = (launch.threads + 31) / 32;
  const unsigned per_warp = (registers + 7) / 8 * 8 * 32;
  const unsigned by_registers = 4 * (Gpu::registers / 4 / per_warp) / warps;  // each scheduler has a quarter of them
  const std::size_t shared = launch.shared + Gpu::reserved_shared;
  const auto by_shared = static_cast<unsigned>((Gpu::shared_kb.back() << 10) / shared);
  const unsigned blocks = std::max(1u, std::min({by_registers, by_shared, Gpu::warps / warps, Gpu::blocks}));
  const std::size_t needed = launch.shared == 0 ? 0 : blocks * shared;
  const auto carve_out = std::ranges::find_if(Gpu::shared_kb, [&](std::size_t kb) { return kb << 10 >= needed; });
  return {blocks, Gpu::l1_bytes - (*carve_out << 10)};
}

// ---- the batches

// The first requests of a bundled trace.
std::shared_ptr<dram::DramWorkload> beginning(const std::string& trace, std::uint32_t requests) {
  const auto whole = std::static_pointer_cast<const dram::DramWorkload>(dram_environment().load_workload({{"trace", trace}}));
  auto part = std::make_shared<dram::DramWorkload>(*whole);
  part->trace.requests.resize(requests);
  part->trace.next_same_row.resize(requests);
  if (part->trace.has_writes) part->trace.previous_same_address.resize(requests);
  for (auto& next : part->trace.next_same_row) {
    if (next >= requests) next = dram::kNoRequest;
  }
  dram::refer_to(part->trace, part->view);
  return part;
}

// Random designs of archgym-union with an open page and row hits first (one bin), as a sorted batch has them one after the other.
std::vector<dram::ControllerParams> sorted_designs(const dram::DramWorkload& workload, std::size_t count) {
  constexpr std::uint32_t kPurpose = 0xB5, kBin = 1;
  const DesignSpace& space = find_space(dram_environment(), "archgym-union");
  std::map<std::uint32_t, std::vector<dram::ControllerParams>> by_key;
  std::vector<Gene> genes(space.dimensions());
  Design design(space.dimensions());
  for (std::uint32_t i = 0; i < 60000; ++i) {
    PhiloxStream draws(1, i, 0, kPurpose);
    space.genes_of(draws.below(static_cast<std::uint32_t>(space.size())), genes);
    space.design_of(genes, design);
    const dram::ControllerParams p = dram::params_of(design);
    if (dram::cuda_kernels()->bin_of(p, workload.view.has_writes) != kBin) continue;
    by_key[static_cast<std::uint32_t>(p.arbiter) << 2 | static_cast<std::uint32_t>(p.resp_queue) << 1 |
           static_cast<std::uint32_t>(p.refresh_policy)]
        .push_back(p);
  }
  std::vector<dram::ControllerParams> params;
  std::size_t key = 0;
  for (const auto& [_, all] : by_key) {
    const std::size_t end = count * ++key / by_key.size();
    for (std::size_t i = 0; params.size() < end; ++i) params.push_back(all[i % all.size()]);
  }
  return params;
}

struct Row {
  std::string name, kernel;  // kernel: a part of the mangled name of those that count
  std::string trace;         // empty: not of DRAM
  std::uint32_t requests;    // of the trace
  std::size_t candidates;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows{
      {"dense, stream", "dense_kernel", "stream", 400, 2048},  {"dense, cloud-1", "dense_kernel", "cloud-1", 400, 2048},
      {"dense, random", "dense_kernel", "random", 400, 2048},  {"lanes, stream", "lanes_kernel", "stream", 400, 256},
      {"lanes, cloud-1", "lanes_kernel", "cloud-1", 400, 256}, {"lanes, random", "lanes_kernel", "random", 400, 256},
      {"exact, random", "exact_kernel", "random", 300, 1536},  {"MAESTRO, a layer", "layer_kernel", "", 1, 1024},
      {"Timeloop, kept", "kept_kernel", "", 1, 4096},          {"Timeloop, drawn", "draw_kernel", "", 1, 131072},
  };
  return kRows;
}

// Runs a row's batch on the stand-in and on the CPU. Returns how many candidates differ.
std::size_t run_dram(const Row& row) {
  const auto workload = beginning(row.trace, row.requests);
  workload->exact_from_start = row.kernel == "exact_kernel";
  const auto params = sorted_designs(*workload, row.candidates);
  dram::DeviceTuning tuning;
  tuning.shape = row.kernel == "lanes_kernel" ? dram::Kernel::lanes : dram::Kernel::dense;
  Backend gpu("cuda", 1);
  std::vector<dram::Run> got(params.size());
  dram::run_on_devices(*workload, params, gpu.devices(), got, tuning);
  dram::Workspace workspace;
  std::size_t differing = 0;
  for (std::size_t i = 0; i < params.size(); ++i) {
    dram::RunResult want;
    (void)workspace.run(*workload, params[i], want);
    differing +=
        got[i].result.status != want.status || std::memcmp(&got[i].result.counters, &want.counters, sizeof want.counters) != 0;
  }
  return differing;
}

std::size_t run_maestro(const Row& row) {
  const auto workload = maestro_environment().load_workload({{"model", "resnet18"}, {"layer", "2"}});
  const auto designs = random_designs(maestro_environment().spaces().front(), row.candidates, 5);
  Backend gpu("cuda", 1), cpu("cpu", 1);
  Outcomes got, want;
  maestro_environment().simulate(*workload, designs, Engine::fast, gpu, got);
  maestro_environment().simulate(*workload, designs, Engine::fast, cpu, want);
  return got.status == want.status && got.counters == want.counters ? 0 : row.candidates;
}

std::size_t run_kept(const Row& row) {
  const auto workload = timeloop_mapping_environment().load_workload({});
  const auto designs = random_designs(timeloop_mapping_environment().spaces().front(), row.candidates, 5);
  Backend gpu("cuda", 1), cpu("cpu", 1);
  Outcomes got, want;
  timeloop_mapping_environment().simulate(*workload, designs, Engine::fast, gpu, got);
  timeloop_mapping_environment().simulate(*workload, designs, Engine::fast, cpu, want);
  return got.status == want.status && got.counters == want.counters ? 0 : row.candidates;
}

std::size_t run_drawn(const Row& row) {
  const timeloop::MapSpace space = testing::layer_map_space();
  const timeloop::Drawing drawing(space, timeloop::FillRule::current, {timeloop::Goal::edp});
  Backend gpu("cuda", 1), cpu("cpu", 1);
  // As many numbers to a thread as in a large batch.
  const timeloop::Drawn got = drawing.best_on(gpu.devices(), 5, 0, row.candidates, timeloop::cuda_kernels(), kNumbersOfThread);
  const timeloop::Drawn want = drawing.best(5, 0, row.candidates, cpu);
  return got.number == want.number && got.valid == want.valid && got.totals.energy_pj == want.totals.energy_pj ? 0
                                                                                                               : row.candidates;
}

std::size_t run_row(const Row& row) {
  if (!row.trace.empty()) return run_dram(row);
  if (row.kernel == "kept_kernel") return run_kept(row);
  return row.kernel == "draw_kernel" ? run_drawn(row) : run_maestro(row);
}

// ---- rows as JSON and as lines

Json profile(const Row& row, const Registers& registers) {
  standin::configure({.order = standin::Order::lazy});
  unsigned used = 0;
  std::string unknown;  // a kernel without a log
  const standin::Profile watched(
      {.watched = [&](const std::string& kernel) { return kernel.find(row.kernel) != std::string::npos; },
       .residency =
           [&](const standin::LaunchShape& launch) {
             const auto found = registers.by_kernel.find(launch.kernel);
             if (found == registers.by_kernel.end()) unknown = launch.kernel;
             used = found == registers.by_kernel.end() ? 255 : found->second;
             return residency_of(launch, used);
           },
       .l2_bytes = static_cast<std::size_t>(Gpu::l2_bytes / Gpu::multiprocessors)});
  const std::size_t differing = run_row(row);
  if (differing != 0) throw Error(row.name + ": the results of " + std::to_string(differing) + " candidates are wrong");

  if (!unknown.empty())
    throw Error("no log in " EXARCH_CUDA_LOGS " says how many registers " + unknown + " has for " + Gpu::architecture);
  const standin::ProfileCounters& c = watched.counters();
  if (c.warp_instructions == 0) throw Error(row.name + ": no kernel was watched");
  const auto items = static_cast<double>(row.candidates) * row.requests;
  const auto instructions = static_cast<double>(c.warp_instructions);
  const double per_item = instructions / items;
  const double l2 = 32.0 * static_cast<double>(c.l2_read + c.l1_written_back + c.written_through) / items;
  const double memory = 32.0 * static_cast<double>(c.memory_read + c.memory_written) / items;
  const double per_second = Gpu::multiprocessors * Gpu::hertz;
  const std::map<std::string, double> bounds{
      {"issue", per_second * Gpu::schedulers / per_item},
      {"latency", per_second * c.resident_warps / Gpu::dependent_cycles / per_item},
      {"L2", l2 > 0 ? Gpu::l2_bytes_per_s / l2 : 1e300},
      {"memory", memory > 0 ? Gpu::memory_bytes_per_s / memory : 1e300},
  };
  const auto lowest = std::ranges::min_element(bounds, {}, [](const auto& bound) { return bound.second; });
  const auto rounded = [](double value) { return std::stod((std::ostringstream() << value).str()); };
  Json out{{"name", row.name},
           {"candidates", row.candidates},
           {"requests", row.requests},
           {"registers", used},
           {"resident_warps", c.resident_warps},
           {"warp_instructions", c.warp_instructions},
           {"per_request",
            {{"warp_instructions", rounded(per_item)},
             {"l1_lines", rounded(static_cast<double>(c.l1_lines) / items)},
             {"bytes_to_l2", rounded(l2)},
             {"bytes_to_memory", rounded(memory)}}},
           {"simd_efficiency", rounded(static_cast<double>(c.thread_instructions) / instructions / 32)}};
  for (const char* bound : {"issue", "latency", "L2", "memory"}) {
    out["requests_per_second_at_most"][bound] = rounded(bounds.at(bound));
  }
  out["decided_by"] = lowest->first;
  return out;
}

std::string line_of(const Json& row) {
  const Json& each = row["per_request"];
  const Json& most = row["requests_per_second_at_most"];
  const auto billions = [&](const char* bound) { return most[bound].get<double>() / 1e9; };
  char text[300];
  std::snprintf(text, sizeof text,
                "%-18s %9u %6u %11.0f %5.0f%% %9.0f %9.0f %9.0f   %8.3g by %s (issue %.3g, latency %.3g, L2 %.3g, memory %.3g)",
                row["name"].get<std::string>().c_str(), row["registers"].get<unsigned>(), row["resident_warps"].get<unsigned>(),
                each["warp_instructions"].get<double>(), 100 * row["simd_efficiency"].get<double>(),
                each["l1_lines"].get<double>(), each["bytes_to_l2"].get<double>(), each["bytes_to_memory"].get<double>(),
                billions(row["decided_by"].get<std::string>().c_str()), row["decided_by"].get<std::string>().c_str(),
                billions("issue"), billions("latency"), billions("L2"), billions("memory"));
  return text;
}

constexpr const char* kRenew = "device_profile --json bench/results/device_profile.json\n";

// Whether no row needs more than in the file of before.
bool no_worse(const Json& now, const Json& before) {
  bool good = true;
  for (const Json& row : now["rows"]) {
    const auto same = std::ranges::find_if(before["rows"], [&](const Json& other) { return other["name"] == row["name"]; });
    if (same == before["rows"].end()) {
      std::cout << row["name"].get<std::string>() << ": no such row in the file\n";
      good = false;
      continue;
    }
    const auto count = row["warp_instructions"].get<double>(), recorded = (*same)["warp_instructions"].get<double>();
    if (count <= recorded * kTolerance) continue;
    std::cout << row["name"].get<std::string>() << ": " << 100 * (count / recorded - 1)
              << " % more warp instructions than in the file\n";
    good = false;
  }
  if (!good) std::cout << "If the change is meant, renew the file and say so in the commit:\n  " << kRenew;
  return good;
}

Json read(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw Error("cannot read " + file);
  return Json::parse(in);
}

int run(const std::map<std::string, std::string>& options) {
  const auto option = [&](const char* name) { return options.contains(name) ? options.at(name) : std::string(); };
  Json before;
  if (options.contains("--check")) {
    before = read(option("--check"));
    if (before["nvcc"] != EXARCH_NVCC_VERSION) {
      std::cout << "skipped: " << option("--check") << " was made with nvcc " << before["nvcc"].get<std::string>()
                << ", this build with " << EXARCH_NVCC_VERSION << ". To compare from now on, renew it:\n  " << kRenew;
      return 77;
    }
  }
  std::cout << "per request (MAESTRO: per design, Timeloop: per mapping), on one " << Gpu::name
            << "; bounds in 1e9 requests per second, each as if nothing else limited\n";
  std::printf("%-18s %9s %6s %11s %6s %9s %9s %9s   %s\n", "", "registers", "warps", "warp instr", "SIMD", "L1 lines", "B to L2",
              "B to mem", "at most");
  const Registers registers;
  Json out{{"nvcc", EXARCH_NVCC_VERSION},
           {"device", Gpu::name},
           {"assumed", std::vector<std::string>(std::begin(kAssumptions), std::end(kAssumptions))},
           {"rows", Json::array()}};
  for (const Row& row : rows()) {
    if (row.name.find(option("--only")) == std::string::npos) continue;
    out["rows"].push_back(profile(row, registers));
    std::printf("%s\n", line_of(out["rows"].back()).c_str());
    std::fflush(stdout);
  }
  std::cout << "assumed:\n";
  for (const char* assumption : kAssumptions) std::cout << "  " << assumption << "\n";
  if (options.contains("--json")) {
    std::ofstream file(option("--json"));
    file << out.dump(2) << "\n";
    if (!file.flush()) throw Error("cannot write " + option("--json"));
  }
  return before.is_null() || no_worse(out, before) ? 0 : 1;
}

}  // namespace
}  // namespace exarch

int main(int argc, char** argv) {
  setenv("EXARCH_STANDIN_DEVICES", "1", 1);  // which gets the whole batch
  std::map<std::string, std::string> options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if ((name != "--only" && name != "--json" && name != "--check") || i + 1 == argc) {
      std::cerr << "device_profile [--only TEXT] [--json FILE] [--check FILE]\n";
      return 2;
    }
    options[name] = argv[i + 1];
  }
  try {
    return exarch::run(options);
  } catch (const std::exception& error) {
    std::cerr << "device_profile: " << error.what() << "\n";
    return 1;
  }
}
