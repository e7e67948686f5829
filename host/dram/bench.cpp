// The DRAM environment's part of `exarch bench`: the signature of the two kernels, and what they cost.
#include <algorithm>

#include "host/dram/environment.hpp"
#include "host/env/hash.hpp"
#include "host/env/timing.hpp"

namespace exarch::dram {
namespace {

std::vector<ControllerParams> sample_params(const DesignSpace& space, std::size_t count, std::uint64_t seed) {
  const std::vector<std::int64_t> designs = random_designs(space, count, seed);
  std::vector<ControllerParams> params;
  for (std::size_t i = 0; i < count; ++i) {
    params.push_back(params_of(std::span(designs).subspan(i * space.dimensions(), space.dimensions())));
  }
  return params;
}

std::shared_ptr<const DramWorkload> load(const std::string& trace) {
  return std::static_pointer_cast<const DramWorkload>(dram_environment().load_workload({{"trace", trace}}));
}

// Mean CPU seconds per candidate of `run(workspace, candidate, result)`, on one core.
template <typename Run>
double mean_cost(const std::vector<ControllerParams>& params, const Run& run) {
  Workspace workspace;
  RunResult result;
  const double start = cpu_seconds();
  for (const ControllerParams& p : params) run(workspace, p, result);
  return (cpu_seconds() - start) / static_cast<double>(params.size());
}

double mean_cost(const DramWorkload& workload, const std::vector<ControllerParams>& params) {
  return mean_cost(params, [&](Workspace& w, const ControllerParams& p, RunResult& r) { (void)w.run(workload, p, r); });
}

// What the exact kernel costs beside the single pass, the two in turns so that a noisy moment hits both.
double exact_over_single_pass(const DramWorkload& workload, const std::vector<ControllerParams>& params, std::size_t rounds) {
  std::vector<double> seconds[2];
  for (std::size_t round = 0; round < rounds; ++round) {
    for (const Kernel kernel : {Kernel::dense, Kernel::exact}) {
      seconds[kernel == Kernel::exact ? 1 : 0].push_back(mean_cost(
          params, [&](Workspace& w, const ControllerParams& p, RunResult& r) { w.run_kernel(workload, p, kernel, r); }));
    }
  }
  return median(seconds[1]) / median(seconds[0]);
}

// A trace played several times over.
DramWorkload repeated(const DramWorkload& workload, std::uint32_t copies) {
  DramWorkload longer = workload;
  longer.trace.requests.clear();
  longer.trace.next_same_row.clear();
  longer.trace.previous_same_address.clear();
  for (std::uint32_t c = 0; c < copies; ++c) {
    const auto base = static_cast<std::uint32_t>(longer.trace.requests.size());
    for (PackedRequest r : workload.trace.requests) {
      r.gap = 1;
      longer.trace.requests.push_back(r);
    }
    const auto shifted = [base](std::uint32_t link) { return link == kNoRequest ? kNoRequest : base + link; };
    for (const std::uint32_t next : workload.trace.next_same_row) longer.trace.next_same_row.push_back(shifted(next));
    for (const std::uint32_t previous : workload.trace.previous_same_address) {
      longer.trace.previous_same_address.push_back(shifted(previous));
    }
  }
  refer_to(longer.trace, longer.view);
  return longer;
}

// Cost per request when the buffer or the trace grows, relative to the first of each list.
void measure_scaling(const DesignSpace& space, const BenchOptions& options, std::vector<Measurement>& figures) {
  const auto workload = load("random");
  double first = 0;
  for (const std::uint32_t size : {8u, 32u, 128u}) {
    auto params = sample_params(space, std::min<std::size_t>(options.designs, 200), options.seed + 1);
    for (ControllerParams& p : params) {
      p.request_buffer_size = size;
      p.max_active_transactions = 128;
    }
    const double cost = mean_cost(*workload, params);
    if (first == 0) first = cost;
    figures.push_back({"cost_per_request_relative/RequestBufferSize/" + std::to_string(size), cost / first});
  }
  first = 0;
  for (const std::uint32_t copies : {1u, 100u, 1000u}) {
    const DramWorkload longer = repeated(*workload, copies);
    const auto params = sample_params(space, copies == 1000 ? 2 : copies == 100 ? 10 : 200, options.seed + 2);
    const double cost = mean_cost(longer, params) / longer.view.count;
    if (first == 0) first = cost;
    figures.push_back({"cost_per_request_relative/requests/" + std::to_string(longer.view.count), cost / first});
  }
}

}  // namespace

// Median and tenth percentile of 3,000 runs per trace of DRAMSys 4.0 as ArchGym ships it, one process each
// (docs/performance.md says how they were measured).
std::vector<ReferenceCost> bench_reference_costs() {
  return {{"stream", 0.0436, 0.0311}, {"random", 0.0584, 0.0428}, {"cloud-1", 0.0526, 0.0392}, {"cloud-2", 0.0518, 0.0383}};
}

std::vector<Measurement> bench_measure(const DesignSpace& space, const BenchOptions& options) {
  std::vector<Measurement> figures;
  const auto params = sample_params(space, options.designs, options.seed);
  for (const ReferenceCost& cost : bench_reference_costs()) {
    figures.push_back({"traces/" + cost.workload + "/exact_over_single_pass",
                       exact_over_single_pass(*load(cost.workload), params, options.rounds)});
  }
  measure_scaling(space, options, figures);
  return figures;
}

// Both kernels, and of the idle counts the one the design uses. The other one is not part of what the kernels agree on.
std::uint64_t bench_signature(const DesignSpace& space) {
  Fnv1a hash;
  const auto params = sample_params(space, 64, 4);
  for (const char* trace : {"stream", "random", "cloud-1", "cloud-2", "ddr3_example", "chstone-sha_32"}) {
    const auto workload = load(trace);
    Workspace workspace;
    for (const ControllerParams& p : params) {
      for (const Kernel kernel : {Kernel::dense, Kernel::exact}) {
        RunResult result;
        workspace.run_kernel(*workload, p, kernel, result);
        hash.add(static_cast<std::uint64_t>(result.status));
        if (result.status != Status::ok) continue;
        const Counters& c = result.counters;
        for (const std::uint64_t value :
             {c.cycles, c.act, c.pre, c.rd, c.wr, c.ref, c.active_cycles, c.precharged_cycles, c.row[kRowHit], c.row[kRowMiss],
              c.row[kRowConflict], c.served, p.resp_queue == RespQueue::Fifo ? c.idle_cycles_fifo : c.idle_cycles_reorder,
              c.latency_sum, c.latency_max}) {
          hash.add(value);
        }
        for (const std::uint32_t n : c.latency_histogram) hash.add(n);
      }
    }
  }
  return hash.value();
}

}  // namespace exarch::dram
