#include "host/run/store_writer.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "host/error.hpp"
#include "host/files/json.hpp"

namespace exarch {

std::string workloads_json(const std::vector<WorkloadOptions>& workloads) {
  return nlohmann::json(workloads).dump();
}

std::vector<WorkloadOptions> workloads_from_json(const std::string& text, const std::string& where) {
  return parse_json(text, where).get<std::vector<WorkloadOptions>>();
}

RunStore::Layout store_layout(const Environment& environment) {
  RunStore::Layout layout;
  for (const ParameterInfo& p : environment.parameters()) layout.parameters.push_back(p.name);
  for (const CounterInfo& c : environment.counters()) layout.counters.push_back(c.name);
  if (const auto& artifact = environment.artifact()) layout.artifact = artifact->name;
  return layout;
}

std::string workload_content(const std::vector<std::shared_ptr<const Workload>>& workloads) {
  std::string content;
  for (const auto& workload : workloads) content += (content.empty() ? "" : "; ") + workload->identity;
  return content;
}

Notes origin_notes(Executor& executor) {
  return {{"exarch", exarch_version()}, {"backend", executor.description()}, {"processor", processor_name()}};
}

StoreWriter::StoreWriter(RunStore& store, std::uint32_t workload, Evaluator& evaluator)
    : store_(store),
      workload_(workload),
      evaluator_(evaluator),
      taken_(static_cast<ResultId>(store.result_count())),
      written_(taken_) {}

StoredResult StoreWriter::stored(Evaluator::OutcomeId id) const {
  const auto design = evaluator_.simulated_design(id);
  const auto counters = evaluator_.counters(id);
  const auto proof = evaluator_.proof(id);
  StoredResult result;
  result.workload = workload_;
  result.status = evaluator_.status(id);
  result.design.assign(design.begin(), design.end());
  result.counters.assign(counters.begin(), counters.end());
  result.proof.assign(reinterpret_cast<const char*>(proof.data()), proof.size());
  result.artifact = evaluator_.artifact(id);
  return result;
}

ResultId StoreWriter::take(Evaluator::OutcomeId id, std::vector<StoredResult>& taken) {
  if (id >= results_.size()) results_.resize(id + std::size_t{1}, kNotStored);
  if (results_[id] == kNotStored) {
    taken.push_back(stored(id));
    results_[id] = taken_++;
  }
  return results_[id];
}

std::vector<StoredResult> StoreWriter::take_all() {
  std::vector<StoredResult> taken;
  for (auto id = static_cast<Evaluator::OutcomeId>(results_.size()); id < evaluator_.simulated(); ++id) (void)take(id, taken);
  return taken;
}

void StoreWriter::write(std::span<const StoredResult> taken) {
  for (const StoredResult& result : taken) {
    if (store_.add_result(result) != written_++) throw std::logic_error("results are written out of order");
  }
}

Evaluator::OutcomeId StoreWriter::preload(ResultId id, const StoredResult& result) {
  if (result.proof.size() != evaluator_.environment().proof_size()) {
    throw Error(store_.path() + ": its proofs have " + std::to_string(result.proof.size()) + " bytes, those of this program " +
                std::to_string(evaluator_.environment().proof_size()) +
                "; continue it with the version of exarch that made it, or choose another file");
  }
  const auto outcome = evaluator_.preload(result.design, result.status, result.counters,
                                          std::as_bytes(std::span(result.proof.data(), result.proof.size())), result.artifact);
  results_.push_back(id);
  return outcome;
}

}  // namespace exarch
