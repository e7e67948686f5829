#include "host/dram/system_engine.hpp"

#include <algorithm>

#include "host/error.hpp"

namespace exarch::dram {

SystemEngine::SystemEngine(const system::SystemView& view, std::uint64_t step_budget)
    : view_(&view),
      step_budget_(step_budget),
      functions_(&system::cpu_system_functions()),
      tables_(system::make_tables(*view.protocol)),
      size_(system::usual_scratch()) {}

void SystemEngine::use(const system::CpuSystemFunctions& functions, const system::ScratchSize& size) {
  functions_ = &functions;
  size_ = size;
}

SystemRun SystemEngine::run(const ControllerParams& params) {
  SystemRun run;
  run.channels.resize(view_->channel_count);
  for (system::ScratchSize size = size_;;) {
    const std::uint64_t words = functions_->scratch_words(*view_, size);
    if (block_.size() < words) block_.resize(words);
    system::SystemResult result{};
    functions_->run(*view_, tables_, params, size, block_.data(), step_budget_, run.channels.data(), result);
    run.status = result.status;
    if (run.status != system::SystemStatus::out_of_space) return run;
    const system::ScratchSize larger = system::larger_scratch(size);
    if (larger.heap == size.heap && larger.transactions == size.transactions) {
      throw Error("internal error: a run outgrew its largest scratch area");
    }
    size = larger;
  }
}

RunResult in_ddr3_terms(const SystemRun& run, std::uint32_t tck_ps) {
  RunResult result{};
  result.status = run.status == system::SystemStatus::ok ? Status::ok : Status::step_limit;
  const system::SystemCounters& from = run.channels.front();
  Counters& to = result.counters;
  to.cycles = from.time_ps / tck_ps;
  to.act = from.energy.act;
  to.pre = from.energy.pre;
  to.rd = from.energy.rd;
  to.wr = from.energy.wr;
  to.ref = from.energy.ref;
  to.active_cycles = from.energy.active;
  to.precharged_cycles = from.energy.precharged;
  std::ranges::copy(from.row, to.row);
  to.served = from.served;
  to.idle_cycles_fifo = to.idle_cycles_reorder = from.idle_ps / tck_ps;
  to.latency_sum = from.latency_sum_ps / tck_ps;
  to.latency_max = from.latency_max_ps / tck_ps;
  std::ranges::copy(from.latency_histogram, to.latency_histogram);
  return result;
}

}  // namespace exarch::dram
