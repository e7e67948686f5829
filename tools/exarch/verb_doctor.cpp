#include <iostream>
#include <nlohmann/json.hpp>

#include "host/env/dram.hpp"
#include "host/spec/data_dir.hpp"
#include "tools/exarch/common.hpp"

namespace exarch::cli {
namespace {

// One short evaluation whose result is known (DRAMSys 4.0 prints this time for it).
std::string self_test(Backend& backend) {
  const Environment& environment = dram_environment();
  Evaluator evaluator(environment, environment.load_workload({{"trace", "stream"}}), backend);
  Design design = default_design(environment);
  for (const char* assignment : {"PagePolicy=Open", "Scheduler=FrFcfs", "SchedulerBuffer=Shared", "RequestBufferSize=1",
                                 "RefreshPolicy=NoRefresh", "Arbiter=Fifo", "MaxActiveTransactions=64"}) {
    assign(environment, assignment, design);
  }
  const auto id = evaluator.evaluate(design)[0];
  std::vector<double> metrics(environment.metrics().size());
  evaluator.price(id, design, metrics);
  const std::string time = format_metric(environment.metrics()[0], metrics[0]);
  return time == "51595000" ? "ok" : "FAILED: stream took " + time + " ps instead of 51595000 ps";
}

int run(const Arguments& arguments) {
  Backend backend = make_backend(arguments);
  const CudaProbe cuda = probe_cuda();
  nlohmann::ordered_json report{{"exarch", exarch_version()}};
  for (const Environment* environment : environments()) report["models"][environment->name()] = environment->model_version();
  report["backend"] = backend.description();
  report["cuda"] = (cuda.available ? "available: " : "not available: ") + cuda.reason;
  bool good = true;
  try {
    report["data"] = data_dir().string();
    report["traces"] = shipped_names("dram/traces").size();
    report["self test"] = self_test(backend);
    good = report["self test"] == "ok";
  } catch (const std::exception& error) {
    report["data"] = std::string("FAILED: ") + error.what();
    good = false;
  }
  if (arguments.flag("json")) {
    std::cout << report.dump(2) << "\n";
  } else {
    for (const auto& [key, value] : report.items()) {
      std::cout << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << "\n";
    }
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
                       .run = run};

}  // namespace exarch::cli
