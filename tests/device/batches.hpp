// Batches on the stand-in's devices, and the CPU's results to hold them against.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "host/dram/device.hpp"
#include "host/execute/devices.hpp"
#include "tests/support/random_cases.hpp"

namespace exarch::standin {

using Params = std::vector<dram::ControllerParams>;
using Runs = std::vector<dram::Run>;

inline Params random_params(std::mt19937_64& rng, std::size_t count) {
  Params params;
  for (std::size_t i = 0; i < count; ++i) params.push_back(dram::testing::random_params(rng));
  return params;
}

inline std::shared_ptr<dram::DramWorkload> random_workload(std::mt19937_64& rng, dram::testing::TraceKind kind,
                                                           std::size_t requests) {
  return dram::testing::make_workload(dram::testing::random_requests(rng, kind, requests));
}

inline Runs on_cpu(const dram::DramWorkload& workload, const Params& params) {
  Runs runs(params.size());
  dram::Workspace workspace;
  for (std::size_t i = 0; i < params.size(); ++i) runs[i].exact = workspace.run(workload, params[i], runs[i].result);
  return runs;
}

inline Runs on_devices(const dram::DramWorkload& workload, const Params& params, Devices& devices,
                       const dram::DeviceTuning& tuning) {
  Runs runs(params.size());
  dram::run_on_devices(workload, params, devices, runs, tuning);
  return runs;
}

inline bool equal(const Runs& a, const Runs& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].result.status != b[i].result.status || a[i].exact != b[i].exact ||
        std::memcmp(&a[i].result.counters, &b[i].result.counters, sizeof(dram::Counters)) != 0 ||
        std::memcmp(&a[i].result.witness, &b[i].result.witness, sizeof(dram::Witness)) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace exarch::standin
