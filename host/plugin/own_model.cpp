#include "host/plugin/own_model.hpp"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <set>
#include <utility>

#include "host/env/hash.hpp"
#include "host/error.hpp"
#include "host/files/text.hpp"

namespace exarch {
namespace {

constexpr const char* kWorkloadOption = "workload";
constexpr std::size_t kSignedDesigns = 8;    // per workload
constexpr std::size_t kSignedWorkloads = 8;  // a plug-in is signed whenever it is loaded
constexpr std::uint64_t kAnyNan = 0x7FF8000000000000ull;

struct OwnWorkload final : Workload {
  std::size_t number = 0;
};

bool is_plain_name(std::string_view text, bool dashes) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto good = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_' || (dashes && c == '-'); };
  return !text.empty() && letter(text.front()) && std::ranges::all_of(text, good);
}

// Parameters and metrics are columns of tables, beside others, and SQL compares columns without case.
class TakenNames {
 public:
  explicit TakenNames(std::string model) : model_(std::move(model)) {}
  void take(const std::string& kind, const std::string& name, bool dashes) {
    if (!is_plain_name(name, dashes)) {
      throw UsageError(model_ + kind + " " + in_quotes(name) + ": expected letters, digits" + (dashes ? ", - and _" : " and _") +
                       ", a letter first");
    }
    std::string plain = name;
    std::ranges::transform(plain, plain.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!taken_.insert(plain).second) throw UsageError(model_ + kind + " '" + name + "': the name is taken; choose another");
  }

 private:
  std::string model_;
  std::set<std::string> taken_{"id", "status", "proof", "artifact", "checksum", "rowid", "oid", kWorkloadOption};
};

Description completed(Description d, const std::vector<std::string>& workloads) {
  const std::string model = "model '" + printable(d.name, 60) + "': ";
  if (!is_plain_name(d.name, true)) {
    throw UsageError("model name " + in_quotes(d.name) + ": expected letters, digits, - and _, a letter first");
  }
  if (d.parameters.empty() || d.metrics.empty()) throw UsageError("model '" + d.name + "' needs parameters and metrics");
  TakenNames names(model);
  for (const ParameterInfo& parameter : d.parameters) names.take("parameter", parameter.name, true);
  for (const MetricInfo& metric : d.metrics) {
    names.take("metric", metric.name, false);
    d.counters.push_back({metric.name, metric.unit, metric.doc, true, CounterInfo::Kind::real});
  }
  std::set<std::string> once;
  for (const std::string& workload : workloads) {
    if (workload.empty() || workload.find(',') != std::string::npos || !is_utf8(workload) || !once.insert(workload).second) {
      throw UsageError(model + "workload " + in_quotes(workload) + ": expected a name without commas, once");
    }
  }
  if (workloads.empty()) throw UsageError(model + "it has no workloads");
  d.workload_options = {
      {kWorkloadOption, workloads.front(), "what the model is evaluated on", WorkloadOption::Kind::text, 0, 0, true}};
  if (d.objectives.empty()) d.objectives = {{d.metrics.front().name, "min:" + d.metrics.front().name}};
  for (const auto& [name, expression] : d.objectives) (void)Objective::parse(expression, d.metrics, {});  // throws
  const std::set<std::size_t> axes(d.tradeoffs.begin(), d.tradeoffs.end());
  if (axes.size() != d.tradeoffs.size() || axes.size() == 1 || axes.size() > 3 ||
      (!axes.empty() && *axes.rbegin() >= d.metrics.size())) {
    throw UsageError(model + "trade-offs are of two or three of its metrics, or there are none");
  }
  d.statuses = {"ok", "failed"};
  return d;
}

}  // namespace

OwnModel::OwnModel(Description description, std::vector<std::string> workloads)
    : Environment(completed(std::move(description), workloads)), workloads_(std::move(workloads)) {}

std::shared_ptr<const Workload> OwnModel::load_workload(const WorkloadOptions& options) const {
  auto workload = std::make_shared<OwnWorkload>();
  workload->name = complete_options(*this, options).at(kWorkloadOption);
  const auto known = std::ranges::find(workloads_, workload->name);
  if (known == workloads_.end()) {
    throw UsageError("unknown workload '" + workload->name + "'" + did_you_mean(workload->name, workloads_) +
                     "; see exarch envs " + name());
  }
  workload->number = static_cast<std::size_t>(known - workloads_.begin());
  workload->identity = model_version() + " " + workload->name;
  return workload;
}

std::vector<WorkloadFact> OwnModel::describe_workload(const Workload& /*workload*/) const {
  return {};
}

void OwnModel::simulate(const Workload& workload, std::span<const std::int64_t> designs, Engine /*engine*/, Backend& backend,
                        Outcomes& outcomes) const {
  const std::size_t count = designs.size() / parameters().size(), columns = metrics().size();
  if (count == 0) return;
  std::vector<double> results(count * columns);
  evaluate(dynamic_cast<const OwnWorkload&>(workload).number, designs, backend, results);
  for (std::size_t i = 0; i < count; ++i) {
    const std::span<const double> row = std::span(results).subspan(i * columns, columns);
    outcomes.status.push_back(std::ranges::any_of(row, [](double value) { return std::isnan(value); }) ? 1 : 0);
  }
  for (const double value : results) outcomes.counters.push_back(std::bit_cast<std::uint64_t>(value));
}

void OwnModel::price(const Workload& /*workload*/, std::span<const std::int64_t> /*design*/,
                     std::span<const std::uint64_t> counters, std::span<double> values) const {
  for (std::size_t k = 0; k < values.size(); ++k) values[k] = std::bit_cast<double>(counters[k]);
}

std::uint64_t OwnModel::signature() const {
  Design designs = default_design(parameters());
  const Design drawn = random_designs(spaces().front(), kSignedDesigns - 1, 1);
  designs.insert(designs.end(), drawn.begin(), drawn.end());
  std::vector<double> results(kSignedDesigns * metrics().size());
  Backend backend("cpu", 1);
  Fnv1a hash;
  for (std::size_t w = 0; w < std::min(workloads_.size(), kSignedWorkloads); ++w) {
    evaluate(w, designs, backend, results);
    for (const double value : results) hash.add(std::isnan(value) ? kAnyNan : std::bit_cast<std::uint64_t>(value));
  }
  return hash.value();
}

}  // namespace exarch
