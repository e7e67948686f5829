#include <time.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/env/dram.hpp"
#include "host/error.hpp"
#include "host/spec/data_dir.hpp"
#include "host/spec/memspec.hpp"
#include "tools/exarch/common.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// CPU seconds of one evaluation by the reference simulator as a process: median and tenth percentile of 3,000 runs per trace
// (docs/performance.md says how they were measured).
struct ReferenceCost {
  const char* trace;
  double median, tenth_percentile;
};
constexpr ReferenceCost kReferenceCosts[] = {
    {"stream", 0.0436, 0.0311}, {"random", 0.0584, 0.0428}, {"cloud-1", 0.0526, 0.0392}, {"cloud-2", 0.0518, 0.0383}};

std::vector<dram::ControllerParams> sample_params(std::size_t count, std::uint64_t seed) {
  const DesignSpace& space = dram_environment().spaces().front();
  std::vector<Gene> genes(space.dimensions());
  Design design(space.dimensions());
  std::vector<dram::ControllerParams> params;
  for (std::size_t i = 0; i < count; ++i) {
    space.genes_of(sweep_point(space, count, seed, i), genes);
    space.design_of(genes, design);
    params.push_back(dram::params_of(design));
  }
  return params;
}

std::shared_ptr<const dram::DramWorkload> load_dram(const std::string& trace) {
  return std::static_pointer_cast<const dram::DramWorkload>(dram_environment().load_workload({{"trace", trace}}));
}

// Mean CPU seconds per evaluation of the sample, every candidate simulated as it stands, on one core.
double mean_cost(const dram::DramWorkload& workload, const std::vector<dram::ControllerParams>& params) {
  dram::Workspace workspace;
  dram::RunResult result;
  const double start = cpu_seconds();
  for (const dram::ControllerParams& p : params) (void)workspace.run(workload, p, result);
  return (cpu_seconds() - start) / static_cast<double>(params.size());
}

double mean_kernel_cost(const dram::DramWorkload& workload, const std::vector<dram::ControllerParams>& params, bool exact) {
  dram::Workspace workspace;
  dram::RunResult result;
  const double start = cpu_seconds();
  for (const dram::ControllerParams& p : params) workspace.run_kernel(workload, p, exact, result);
  return (cpu_seconds() - start) / static_cast<double>(params.size());
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Json bench_traces(std::size_t designs, std::size_t rounds) {
  const auto params = sample_params(designs, 1);
  std::vector<std::shared_ptr<const dram::DramWorkload>> workloads;
  for (const ReferenceCost& cost : kReferenceCosts) workloads.push_back(load_dram(cost.trace));
  std::vector<std::vector<double>> whole(4), pass(4), exact(4);
  for (std::size_t round = 0; round < rounds; ++round) {  // interleaved, so that a noisy moment hits all
    for (std::size_t w = 0; w < 4; ++w) {
      whole[w].push_back(mean_cost(*workloads[w], params));
      pass[w].push_back(mean_kernel_cost(*workloads[w], params, false));
      exact[w].push_back(mean_kernel_cost(*workloads[w], params, true));
    }
  }
  Json json;
  for (std::size_t w = 0; w < 4; ++w) {
    const double cost = median(whole[w]);
    json[kReferenceCosts[w].trace] = {{"evaluations_per_cpu_s", 1 / cost},
                                      {"requests_per_cpu_s", workloads[w]->view.count / cost},
                                      {"ratio_to_reference_median", kReferenceCosts[w].median / cost},
                                      {"ratio_to_reference_fast", kReferenceCosts[w].tenth_percentile / cost},
                                      {"exact_over_single_pass", median(exact[w]) / median(pass[w])}};
  }
  return json;
}

// Cost per request when the buffer or the trace grows, relative to the first of each list.
Json bench_scaling(std::size_t designs) {
  Json json;
  const auto workload = load_dram("random");
  double first = 0;
  for (const std::uint32_t size : {8u, 32u, 128u}) {
    auto params = sample_params(designs, 2);
    for (dram::ControllerParams& p : params) {
      p.request_buffer_size = size;
      p.max_active_transactions = 128;
    }
    const double cost = mean_cost(*workload, params);
    if (first == 0) first = cost;
    json["RequestBufferSize"][std::to_string(size)] = cost / first;
  }
  first = 0;
  for (const std::uint32_t copies : {1u, 100u, 1000u}) {
    dram::DramWorkload longer = *workload;
    longer.trace.requests.clear();
    for (std::uint32_t c = 0; c < copies; ++c) {
      const auto base = static_cast<std::uint32_t>(longer.trace.requests.size());
      for (dram::PackedRequest r : workload->trace.requests) {
        if (r.next_same_row != dram::kNoRequest) r.next_same_row += base;
        r.gap = 1;
        longer.trace.requests.push_back(r);
      }
    }
    longer.view.requests = longer.trace.requests.data();
    longer.view.count = static_cast<std::uint32_t>(longer.trace.requests.size());
    const auto params = sample_params(copies == 1000 ? 2 : copies == 100 ? 10 : 200, 3);
    const double cost = mean_cost(longer, params) / longer.view.count;
    if (first == 0) first = cost;
    json["requests"][std::to_string(longer.view.count)] = cost / first;
  }
  return json;
}

// A hash of every counter of a fixed set of runs, both kernels: equal on every machine, backend and build.
std::string signature() {
  std::uint64_t hash = 0xCBF29CE484222325ull;
  const auto add = [&hash](std::uint64_t value) {
    for (int i = 0; i < 8; ++i) hash = (hash ^ (value >> (8 * i) & 0xFF)) * 0x100000001B3ull;
  };
  const auto params = sample_params(64, 4);
  for (const char* trace : {"stream", "random", "cloud-1", "cloud-2", "ddr3_example", "chstone-sha_32"}) {
    const auto workload = load_dram(trace);
    dram::Workspace workspace;
    for (const dram::ControllerParams& p : params) {
      for (const bool exact : {false, true}) {
        dram::RunResult result;
        workspace.run_kernel(*workload, p, exact, result);
        add(static_cast<std::uint64_t>(result.status));
        if (result.status != dram::Status::ok) continue;
        const dram::Counters& c = result.counters;
        for (const std::uint64_t value :
             {c.cycles, c.act, c.pre, c.rd, c.wr, c.ref, c.active_cycles, c.precharged_cycles, c.row_hits, c.row_misses,
              c.row_conflicts, c.served, p.resp_queue == dram::RespQueue::Fifo ? c.idle_cycles_fifo : c.idle_cycles_reorder,
              c.latency_sum, c.latency_max}) {
          add(value);
        }
        for (const std::uint32_t n : c.latency_histogram) add(n);
      }
    }
  }
  char text[32];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

int run(const Arguments& arguments) {
  if (arguments.flag("signature")) {
    if (!arguments.positional.empty()) throw UsageError("exarch bench --signature takes no argument");
    if (arguments.flag("json")) {
      std::cout << Json{{"signature", signature()}}.dump(2) << "\n";
    } else {
      std::cout << signature() << "\n";
    }
    return 0;
  }
  if (arguments.positional.empty()) throw UsageError("exarch bench takes an environment (dram) or --signature");
  if (find_environment(arguments.positional[0]).name() != "dram") throw UsageError("no benchmark for this environment");
  const std::size_t designs = arguments.number("designs", 10, 100000);
  Backend backend;
  Json json{{"exarch", exarch_version()},
            {"model", dram_environment().model_version()},
            {"kernels", backend.description()},
            {"designs", designs},
            {"traces", bench_traces(designs, arguments.number("rounds", 1, 1000))},
            {"cost_per_request_relative", bench_scaling(std::min<std::size_t>(designs, 200))},
            {"signature", signature()}};
  if (arguments.flag("json")) {
    std::cout << json.dump(2) << "\n";
    return 0;
  }
  const Json flat = json.flatten();
  for (const auto& [key, value] : flat.items()) {
    std::string name = key.substr(1);
    std::ranges::replace(name, '/', '.');
    std::cout << name << " " << (value.is_string() ? value.get<std::string>() : value.dump()) << "\n";
  }
  return 0;
}

}  // namespace

const Verb kBenchVerb{
    .name = "bench",
    .synopsis = "dram [--json] [--designs N] [--rounds N] | --signature",
    .doc = "Measures evaluations per CPU second on one core beside the reference's, or hashes a fixed set of results.",
    .options = {{"signature", "", "print the hash of all counters over a fixed set of runs"},
                {"designs", "N", "random designs of archgym-aco per trace", "300"},
                {"rounds", "N", "interleaved repetitions, of which the median counts", "3"}},
    .json = "the figures as an object",
    .max_positional = 1,
    .examples = "  exarch bench dram --json\n  exarch bench --signature\n",
    .run = run};

}  // namespace exarch::cli
