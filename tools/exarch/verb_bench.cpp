#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/env/timing.hpp"
#include "host/run/inputs.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string signature_text(const Environment& environment) {
  char text[32];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(environment.signature()));
  return text;
}

// CPU seconds per evaluation, every candidate simulated as it stands, on one core.
double mean_cost(const Environment& environment, const Workload& workload, std::span<const std::int64_t> designs) {
  static Backend one_core("cpu", 1);
  Outcomes outcomes;
  const double start = cpu_seconds();
  environment.simulate(workload, designs, Engine::fast, one_core, outcomes);
  return (cpu_seconds() - start) / static_cast<double>(outcomes.status.size());
}

// Evaluations per CPU second on one core, beside the reference's.
Json bench_workloads(const Environment& environment, const BenchOptions& options) {
  const std::vector<std::int64_t> designs = random_designs(environment.spaces().front(), options.designs, options.seed);
  const std::vector<ReferenceCost>& references = environment.description().reference_costs;
  std::vector<std::shared_ptr<const Workload>> workloads;
  for (const ReferenceCost& reference : references) {
    workloads.push_back(environment.load_workload({{primary_option(environment).name, reference.workload}}));
  }
  std::vector<std::vector<double>> seconds(references.size());
  for (std::size_t round = 0; round < options.rounds; ++round) {  // interleaved, so that a noisy moment hits all
    for (std::size_t w = 0; w < workloads.size(); ++w) seconds[w].push_back(mean_cost(environment, *workloads[w], designs));
  }
  Json json = Json::object();
  for (std::size_t w = 0; w < workloads.size(); ++w) {
    const double cost = median(seconds[w]);
    Json& figures = json[references[w].workload];
    figures["evaluations_per_cpu_s"] = 1 / cost;
    if (!workloads[w]->work_unit.empty()) {
      figures[workloads[w]->work_unit + "_per_cpu_s"] = static_cast<double>(workloads[w]->work) / cost;
    }
    figures["ratio_to_reference_median"] = references[w].median / cost;
    if (references[w].tenth_percentile > 0) figures["ratio_to_reference_fast"] = references[w].tenth_percentile / cost;
  }
  return json;
}

// A JSON pointer would take the "8" in "requests/8" for an index.
void place(const Measurement& figure, Json& json) {
  Json* at = &json;
  std::istringstream path(figure.name);
  for (std::string step; std::getline(path, step, '/');) at = &(*at)[step];
  *at = figure.value;
}

void print_flat(const Json& json) {
  const Json flat = json.flatten();
  for (const auto& [key, value] : flat.items()) {
    std::string name = key.substr(1);
    std::ranges::replace(name, '/', '.');
    std::cout << name << " " << (value.is_string() ? value.get<std::string>() : value.dump()) << "\n";
  }
}

int bench_verb(const Arguments& arguments) {
  const Environment& environment =
      arguments.positional.empty() ? *environments().front() : find_environment(arguments.positional[0]);
  if (arguments.flag("signature")) {
    allow_only(kBenchVerb, arguments, "a signature, which is of a fixed set of runs", {"signature"});
    const std::string signature = signature_text(environment);
    std::cout << (arguments.flag("json") ? Json{{"signature", signature}}.dump(2) : signature) << "\n";
    return 0;
  }
  const BenchOptions options{arguments.number("designs", 10, 100000), arguments.number("rounds", 1, 1000), arguments.seed()};
  Json json{{"exarch", exarch_version()},
            {"model", environment.model_version()},
            {"kernels", Backend().description()},
            {"designs", options.designs}};
  if (!environment.description().reference_costs.empty()) {
    json[primary_option(environment).name + "s"] = bench_workloads(environment, options);
  }
  for (const Measurement& figure : environment.measure(options)) place(figure, json);
  json["signature"] = signature_text(environment);
  if (arguments.flag("json")) {
    std::cout << json.dump(2) << "\n";
  } else {
    print_flat(json);
  }
  return 0;
}

}  // namespace

const Verb kBenchVerb{
    .name = "bench",
    .synopsis = "[ENVIRONMENT] [--designs N] [--rounds N] [--signature] [--json]",
    .doc = "Measures evaluations per CPU second on one core beside the reference's, or hashes a fixed set of results.",
    .options = {{"signature", "", "print only the hash of all counters over a fixed set of runs"},
                {"designs", "N", "random designs of the environment's first space, per workload", "300"},
                {"rounds", "N", "interleaved repetitions, of which the median counts", "3"}},
    .draws = true,
    .json = "the figures as an object",
    .max_positional = 1,
    .examples = "  exarch bench dram --json\n  exarch bench --signature\n",
    .run = bench_verb};

}  // namespace exarch::cli
