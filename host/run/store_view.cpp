#include "host/run/store_view.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "host/error.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "host/run/problem.hpp"
#include "host/run/store_writer.hpp"

namespace exarch {
namespace {

// What a store says about itself was written by a run that could read it: whatever is wrong with it now is damage.
template <class Body>
auto stored_text(const RunStore& store, const std::string& key, const Body& body) {
  try {
    return body(store.identity_value(key));
  } catch (const nlohmann::json::exception&) {
    store.fail_damaged("its '" + key + "' is no JSON");
  } catch (const UsageError& error) {
    store.fail_damaged("its '" + key + "' has no meaning: " + error.what());
  }
}

std::size_t objectives_of(const RunStore& store, const Environment& environment) {
  return stored_text(store, "objective", [&](const std::string& text) {
    if (text.empty()) throw UsageError("it is empty");
    return parse_objectives(environment, text).size();
  });
}

void check_points(const RunStore& store, std::size_t workloads, std::uint64_t points) {
  for (std::uint32_t w = 0; w < workloads; ++w) {
    if (store.points_done(w) > points) store.fail_damaged("it has more points than its sweep");
  }
}

}  // namespace

OpenedStore open_store(const std::string& path, Observer& observer) {
  RunStore store{std::filesystem::path(path)};
  const std::string model = store.identity_value("environment");
  if (std::ranges::find(environments(), model, &Environment::name) == environments().end()) {
    throw Error(path + ": made with model " + store.identity_value("model") + " of environment " + in_quotes(model) +
                ", which is not there; load its plug-in (--plugin FILE), or make an instance of it in Python, first");
  }
  const Environment& environment =
      *stored_text(store, "environment", [](const std::string& name) { return &find_environment(name); });
  if (store.identity_value("model") != environment.model_version()) {
    throw Error(path + ": made with model " + store.identity_value("model") + ", this is " + environment.model_version() +
                "; use the version of exarch that made it, or run again");
  }
  const RunStore::Layout layout = store_layout(environment);
  if (store.layout().parameters != layout.parameters || store.layout().counters != layout.counters ||
      store.layout().artifact != layout.artifact) {
    store.fail_damaged("its columns are not the parameters and counters of " + environment.name());
  }
  DesignSpace space = stored_text(
      store, "space", [&](const std::string& json) { return DesignSpace::from_json(json, path, environment.parameters()); });
  std::vector<std::shared_ptr<const Workload>> workloads;
  for (const WorkloadOptions& options : stored_text(
           store, "workloads", [&](const std::string& text) { return workloads_from_json(text, path + ", its workloads"); })) {
    workloads.push_back(load(environment, options, observer));
  }
  if (store.identity_value("workload content") != workload_content(workloads)) {
    throw Error(path + ": a file that describes its workloads has changed since; restore it, or run again into another store");
  }
  std::string kind = store.identity_value("command");
  const bool is_sweep = kind == "sweep";
  if (workloads.empty() || (!is_sweep && (kind != "search" || workloads.size() != 1))) {
    store.fail_damaged("it is neither a sweep nor a search");
  }
  const std::uint64_t sample = is_sweep ? store.identity_number("sample") : 0;
  std::string keep = is_sweep ? store.identity_value("keep") : "all";
  std::string kept_by;
  if (const std::size_t by = keep.find(" by "), end = keep.find(kKeptWithFront);
      by != std::string::npos && end != std::string::npos && by + 4 <= end) {
    kept_by = keep.substr(by + 4, end - by - 4);
  }
  for (const auto& [key, value] : store.notes()) {
    if (key == kAskedObjective && kept_by.empty()) kept_by = value;
  }
  const std::uint64_t seed = store.identity_number("seed");
  const std::size_t objectives = is_sweep ? 0 : objectives_of(store, environment);
  if (is_sweep) check_points(store, workloads.size(), sample == 0 ? space.size() : sample);
  return {
      std::move(store), environment, std::move(space), std::move(workloads), std::move(kind), std::move(keep), std::move(kept_by),
      sample,           seed,        objectives};
}

void check_generation(const RunStore& store, const DesignSpace& space, std::size_t objectives,
                      const StoredGeneration& generation) {
  const std::size_t parameters = space.dimensions(), candidates = generation.results.size();
  bool sound =
      candidates > 0 && generation.genes.size() == candidates * parameters && generation.costs.size() == candidates * objectives;
  for (std::size_t g = 0; sound && g < generation.genes.size(); ++g) {
    sound = generation.genes[g] < space.values(g % parameters).size();
  }
  if (!sound) {
    store.fail_damaged("generation " + std::to_string(generation.generation) + " has genes or costs that its search cannot have");
  }
}

void for_each_generation(const OpenedStore& opened, const std::function<void(const StoredGeneration&)>& visit) {
  opened.store.for_each_generation([&](const StoredGeneration& generation) {
    check_generation(opened.store, opened.space, opened.objectives, generation);
    visit(generation);
    return true;
  });
}

ResultTable::Row ResultTable::at(std::uint32_t workload, ResultId id) {
  if (workload != workload_) load(workload);
  const std::size_t i = id - first_;
  if (id < first_ || i >= row_of_.size() || row_of_[i] == kNone) {
    store_.fail_damaged("a candidate refers to result " + std::to_string(id) + " of another workload");
  }
  const std::size_t n = store_.layout().counters.size();
  const std::string_view artifact = artifacts_.empty() ? std::string_view{} : std::string_view(artifacts_[row_of_[i]]);
  return {status_[row_of_[i]], std::span(counters_).subspan(row_of_[i] * n, n), artifact};
}

void ResultTable::load(std::uint32_t workload) {
  workload_ = workload;
  row_of_.clear();
  status_.clear();
  counters_.clear();
  artifacts_.clear();
  const bool has_artifacts = !store_.layout().artifact.empty();
  store_.for_each_result(
      [this, has_artifacts](ResultId id, const StoredResult& result) {
        if (status_.empty()) first_ = id;
        row_of_.resize(id - first_ + 1, kNone);
        row_of_.back() = static_cast<std::uint32_t>(status_.size());
        status_.push_back(result.status);
        counters_.insert(counters_.end(), result.counters.begin(), result.counters.end());
        if (has_artifacts) artifacts_.push_back(result.artifact);
        return true;
      },
      workload);
}

void sweep_genes(const DesignSpace& space, std::uint64_t sample, std::uint64_t seed, std::uint64_t i, std::span<Gene> genes) {
  if (sample == 0) {
    space.genes_of(i, genes);
  } else {
    random_genes(space, seed, i, genes);
  }
}

void for_each_candidate(const OpenedStore& opened,
                        const std::function<bool(std::uint32_t, std::uint64_t, std::span<const Gene>, ResultId)>& visit) {
  std::vector<Gene> genes(opened.space.dimensions());
  bool go_on = true;
  if (opened.kind == "sweep") {
    for (std::uint32_t w = 0; w < opened.workloads.size() && go_on; ++w) {
      for (const KeptPoint& kept : opened.store.kept_points(w)) {
        sweep_genes(opened.space, opened.sample, opened.seed, kept.point, genes);
        if (!(go_on = visit(w, kept.point, genes, kept.result))) break;
      }
      opened.store.for_each_points(w, [&](std::uint64_t first, std::span<const ResultId> results) {
        for (std::size_t i = 0; i < results.size() && go_on; ++i) {
          sweep_genes(opened.space, opened.sample, opened.seed, first + i, genes);
          go_on = visit(w, first + i, genes, results[i]);
        }
        return go_on;
      });
    }
    return;
  }
  std::uint64_t number = 0;
  for_each_generation(opened, [&](const StoredGeneration& generation) {
    const std::span all(generation.genes);
    for (std::size_t c = 0; c < generation.results.size() && go_on; ++c) {
      go_on = visit(0, number++, all.subspan(c * genes.size(), genes.size()), generation.results[c]);
    }
  });
}

TruthTable truth_of(const OpenedStore& opened, std::uint32_t workload) {
  return truth_of(opened, workload, opened.space);
}

TruthTable truth_of(const OpenedStore& opened, std::uint32_t workload, const DesignSpace& space) {
  const RunStore& store = opened.store;
  if (opened.kind != "sweep" || opened.sample != 0 || opened.keep != "all" || !opened.space.is_numbered() ||
      store.points_done(workload) != opened.space.size()) {
    throw Error(store.path() + ": not a store of every point of its space; make one with exarch sweep --all, and let it end");
  }
  std::vector<std::uint32_t> results(opened.space.size());
  store.for_each_points(workload, [&results](std::uint64_t first, std::span<const ResultId> part) {
    std::ranges::copy(part, results.begin() + static_cast<std::ptrdiff_t>(first));
    return true;
  });
  ResultTable table(store);
  return {opened.environment, space, *opened.workloads[workload], results, [&table, workload](ResultId id) {
            const ResultTable::Row row = table.at(workload, id);
            return TruthTable::Result{row.status, row.counters};
          }};
}

Objective objective_for(const OpenedStore& opened, const std::string& given) {
  std::string text = given;
  if (text.empty() && opened.kind == "search") {
    const std::vector<Objective> all = parse_objectives(opened.environment, opened.store.identity_value("objective"));
    text = all.front().text();
    const std::span first = all.front().constraints();
    std::vector<std::string> known(first.begin(), first.end());
    for (const Objective& objective : all) {
      for (const std::string& constraint : objective.constraints()) {
        if (std::ranges::find(known, constraint) != known.end()) continue;
        known.push_back(constraint);
        text += "," + constraint;
      }
    }
  }
  if (text.empty()) text = opened.kept_by;
  return parse_objective(opened.environment, text);
}

void for_each_priced(const OpenedStore& opened, const std::function<void(const PricedCandidate&)>& visit) {
  ResultTable results(opened.store);
  std::vector<double> metrics(opened.environment.metrics().size());
  Design design(opened.space.dimensions());
  for_each_candidate(opened, [&](std::uint32_t w, std::uint64_t candidate, std::span<const Gene> genes, ResultId id) {
    const ResultTable::Row row = results.at(w, id);
    opened.space.design_of(genes, design);
    if (row.status == 0) opened.environment.price(*opened.workloads[w], design, row.counters, metrics);
    visit({w, candidate, id, design, metrics, row});
    return true;
  });
}

}  // namespace exarch
