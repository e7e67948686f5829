#include "host/dram/system_engine.hpp"

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

}  // namespace exarch::dram
