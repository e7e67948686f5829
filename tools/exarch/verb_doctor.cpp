#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "host/files/data_dir.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

// One short evaluation whose result is known: "ok", or what is wrong. A plug-in brings no result: that it answers has to do.
std::string self_test(const Environment& environment, const std::shared_ptr<Executor>& executor) {
  const KnownResult& known = environment.description().known_result;
  Evaluator evaluator(environment, environment.load_workload(known.workload), executor);
  const Design design = parse_design(environment, known.settings);
  const auto id = evaluator.evaluate(design)[0];
  if (known.metric.empty()) return "ok";
  std::vector<double> metrics(environment.metrics().size());
  evaluator.price(id, design, metrics);
  const auto metric = std::ranges::find(environment.metrics(), known.metric, &MetricInfo::name);
  const std::string value = format_metric(*metric, metrics[static_cast<std::size_t>(metric - environment.metrics().begin())]);
  if (value == known.value) return "ok";
  return "FAILED: " + known.metric + " is " + value + " instead of " + known.value;
}

// What there is of an environment; "self test" is not "ok" if it cannot be used.
Json examine(const Environment& environment, const std::shared_ptr<Executor>& executor) {
  Json report{{"model", environment.model_version()}};
  try {
    report[primary_option(environment).name + "s"] = environment.shipped_workloads().size();
    report["self test"] = self_test(environment, executor);
  } catch (const std::exception& error) {
    report["self test"] = std::string("FAILED: ") + error.what();
  }
  return report;
}

std::string data_folder() {
  try {
    return printable(data_dir().string());  // JSON has no other names
  } catch (const std::exception& error) {
    return std::string("FAILED: ") + error.what();
  }
}

void print(const Json& report, const std::string& prefix) {
  for (const auto& [key, value] : report.items()) {
    if (value.is_object()) {
      print(value, prefix + key + " ");
    } else {
      std::cout << prefix << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << "\n";
    }
  }
}

int doctor_verb(const Arguments& arguments) {
  const std::shared_ptr<Executor> executor = make_executor(arguments);
  const CudaProbe cuda = probe_cuda();
  Json report{{"exarch", exarch_version()},
              {"backend", executor->description()},
              {"cuda", (cuda.available ? "available: " : "not available: ") + cuda.reason},
              {"data", data_folder()}};
  bool good = true;
  for (const Environment* environment : environments()) {
    Json& found = report["environments"][environment->name()];
    found = examine(*environment, executor);
    good = good && found["self test"] == "ok";
  }
  if (arguments.flag("json")) {
    std::cout << report.dump(2) << "\n";
  } else {
    const Json found = std::move(report["environments"]);
    report.erase("environments");
    for (const auto& [name, one] : found.items()) report[name] = one;
    print(report, "");
  }
  return good ? 0 : 1;
}

}  // namespace

const Verb kDoctorVerb{.name = "doctor",
                       .synopsis = "[--json]",
                       .doc = "Says what this installation can do and checks known results.",
                       .simulates = true,
                       .json = "an object",
                       .examples = "  exarch doctor\n  exarch doctor --json\n",
                       .run = doctor_verb};

}  // namespace exarch::cli
