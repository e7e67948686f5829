// Batches of DRAM candidates on the CPU or on CUDA devices: hashes to compare the two by, and throughput over ways to launch.
//
//   exarch_batch_bench hash  --backend cpu|cuda [--candidates N] [--traces A,B] [--requests N] [--seed N] [--threads N]
//   exarch_batch_bench sweep [--instances N,M] [--traces A,B] [--blocks N,M] [--bins 1,0] [--shapes auto,dense,lanes] [--seconds
//   N] [--repeats N]
//
// Candidates are random points of the space archgym-union. `hash` prints one JSON line over all of them; `sweep` one per setting,
// the best of the repeats after one run to warm up, and stops when its time is used up.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "host/dram/device.hpp"
#include "host/dram/environment.hpp"
#include "host/env/hash.hpp"
#include "host/error.hpp"
#include "kernels/core/philox.hpp"

namespace exarch {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Options {
 public:
  Options(int argc, char** argv, std::map<std::string, std::string> defaults) : values_(std::move(defaults)) {
    for (int i = 2; i < argc; i += 2) {
      const std::string name = argv[i];
      if (!name.starts_with("--") || !values_.contains(name.substr(2)) || i + 1 == argc) {
        throw UsageError("'" + name + "' is no option here, or lacks its value");
      }
      values_[name.substr(2)] = argv[i + 1];
    }
  }

  [[nodiscard]] const std::string& text(const std::string& name) const { return values_.at(name); }
  [[nodiscard]] std::vector<std::string> list(const std::string& name) const {
    std::vector<std::string> parts;
    std::istringstream in(text(name));
    for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
    return parts;
  }
  [[nodiscard]] std::uint64_t number(const std::string& name) const { return number_of(text(name)); }
  [[nodiscard]] static std::uint64_t number_of(const std::string& text) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos || text.size() > 18) {
      throw UsageError("'" + text + "' is not a whole number");
    }
    return std::stoull(text);
  }

 private:
  std::map<std::string, std::string> values_;
};

// Candidates [first, first + count) of a seed: the same whoever asks.
std::vector<std::int64_t> designs_of(std::uint64_t seed, std::uint64_t first, std::uint64_t count) {
  constexpr std::uint32_t kBenchPurpose = 0xB4;
  const DesignSpace& space = find_space(dram_environment(), "archgym-union");
  std::vector<Gene> genes(space.dimensions());
  Design design(space.dimensions());
  std::vector<std::int64_t> designs;
  designs.reserve(count * space.dimensions());
  for (std::uint64_t i = first; i < first + count; ++i) {
    PhiloxStream draws(seed, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), kBenchPurpose);
    space.genes_of(draws.below(static_cast<std::uint32_t>(space.size())), genes);
    space.design_of(genes, design);
    designs.insert(designs.end(), design.begin(), design.end());
  }
  return designs;
}

// A shipped trace, or only its first requests (0: all).
std::shared_ptr<const dram::DramWorkload> load(const std::string& trace, std::uint64_t requests) {
  auto whole = std::static_pointer_cast<const dram::DramWorkload>(dram_environment().load_workload({{"trace", trace}}));
  if (requests == 0 || requests >= whole->view.count) return whole;
  auto part = std::make_shared<dram::DramWorkload>(*whole);
  part->trace.requests.resize(requests);
  part->trace.next_same_row.resize(requests);
  if (part->trace.has_writes) part->trace.previous_same_address.resize(requests);
  for (std::uint32_t& next : part->trace.next_same_row) {
    if (next >= requests) next = dram::kNoRequest;
  }
  refer_to(part->trace, part->view);
  return part;
}

class Hash {
 public:
  void add(const void* data, std::size_t bytes) {
    const auto* p = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; ++i) hash_.add_word(p[i]);
  }
  [[nodiscard]] std::string text() const {
    char text[32];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash_.value()));
    return text;
  }

 private:
  Fnv1a hash_;
};

// Status, counters and witness of every candidate. Each trace gets its share of the candidates, as they stand.
int hash(const Options& options) {
  Backend backend(options.text("backend"), static_cast<unsigned>(options.number("threads")));
  const auto traces = options.list("traces");
  const std::uint64_t share = (options.number("candidates") + traces.size() - 1) / traces.size();
  constexpr std::uint64_t kBlock = 1u << 17;
  Hash all;
  double seconds = 0;
  std::uint64_t requests = 0, done = 0;
  std::map<std::string, std::uint64_t> statuses;
  for (const std::string& trace : traces) {
    const auto workload = load(trace, options.number("requests"));
    for (std::uint64_t first = 0; first < share; first += kBlock) {
      const std::uint64_t count = std::min(kBlock, share - first);
      const auto designs = designs_of(options.number("seed"), first, count);
      Outcomes outcomes;
      const auto start = Clock::now();
      dram_environment().simulate(*workload, designs, Engine::fast, backend, outcomes);
      seconds += seconds_since(start);
      all.add(outcomes.status.data(), outcomes.status.size());
      all.add(outcomes.counters.data(), outcomes.counters.size() * sizeof(std::uint64_t));
      all.add(outcomes.detail.data(), outcomes.detail.size());
      for (const std::uint8_t status : outcomes.status) ++statuses[dram_environment().status_text(status)];
      requests += count * workload->view.count;
      done += count;
    }
  }
  std::cout << Json{{"backend", backend.description()},
                    {"candidates", done},
                    {"traces", traces},
                    {"statuses", statuses},
                    {"hash", all.text()},
                    {"seconds", seconds},
                    {"evaluations_per_s", static_cast<double>(done) / seconds},
                    {"requests_per_s", static_cast<double>(requests) / seconds}}
                   .dump()
            << "\n";
  return 0;
}

struct Setting {
  std::string trace, shape;
  std::uint64_t instances;
  dram::DeviceTuning tuning;
};

std::vector<Setting> settings_of(const Options& options) {
  std::vector<Setting> settings;
  for (const std::string& instances : options.list("instances")) {
    for (const std::string& trace : options.list("traces")) {
      for (const std::string& block : options.list("blocks")) {
        for (const std::string& bin : options.list("bins")) {
          for (const std::string& shape : options.list("shapes")) {
            dram::DeviceTuning tuning;
            tuning.block = static_cast<std::uint32_t>(Options::number_of(block));
            tuning.bin = bin != "0";
            if (shape == "dense") tuning.shape = dram::Kernel::dense;
            if (shape == "lanes") tuning.shape = dram::Kernel::lanes;
            settings.push_back({trace, shape, Options::number_of(instances), tuning});
          }
        }
      }
    }
  }
  return settings;
}

int sweep(const Options& options) {
  const auto begin = Clock::now();
  Backend backend("cuda");
  std::map<std::string, std::shared_ptr<const dram::DramWorkload>> workloads;
  for (const std::string& trace : options.list("traces")) workloads[trace] = load(trace, 0);
  const auto limit = static_cast<double>(options.number("seconds"));
  for (const Setting& setting : settings_of(options)) {
    if (seconds_since(begin) > limit) {
      std::cout << Json{{"stopped", "the time of --seconds is used up"}}.dump() << std::endl;
      return 0;
    }
    const auto designs = designs_of(1, 0, setting.instances);
    const std::size_t columns = designs.size() / setting.instances;
    std::vector<dram::ControllerParams> params;
    for (std::size_t i = 0; i < setting.instances; ++i) {
      params.push_back(dram::params_of(std::span(designs).subspan(i * columns, columns)));
    }
    std::vector<dram::Run> runs(params.size());
    const dram::DramWorkload& workload = *workloads.at(setting.trace);
    double best = 0;
    for (std::uint64_t repeat = 0; repeat <= options.number("repeats"); ++repeat) {
      const auto start = Clock::now();
      dram::run_on_devices(workload, params, backend.devices(), runs, setting.tuning);
      const double seconds = seconds_since(start);
      if (repeat == 1 || (repeat > 1 && seconds < best)) best = seconds;
    }
    const auto n = static_cast<double>(setting.instances);
    std::cout << Json{{"shape", setting.shape},
                      {"trace", setting.trace},
                      {"instances", setting.instances},
                      {"block", setting.tuning.block},
                      {"bin", setting.tuning.bin},
                      {"exact_runs", std::ranges::count(runs, true, &dram::Run::exact)},
                      {"seconds", best},
                      {"evaluations_per_s", n / best},
                      {"requests_per_s", n * workload.view.count / best}}
                     .dump()
              << std::endl;
  }
  return 0;
}

int run(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  const std::string traces = "stream,random,cloud-1,cloud-2";
  if (mode == "hash") {
    return hash(
        {argc,
         argv,
         {{"backend", "auto"}, {"candidates", "10000"}, {"traces", traces}, {"requests", "0"}, {"seed", "1"}, {"threads", "0"}}});
  }
  if (mode == "sweep") {
    return sweep({argc,
                  argv,
                  {{"instances", "1024,4096,16384,65536,262144,1048576"},
                   {"traces", traces},
                   {"blocks", "32,64,128,256"},
                   {"bins", "1,0"},
                   {"shapes", "auto"},
                   {"seconds", "120"},
                   {"repeats", "2"}}});
  }
  throw UsageError("usage: exarch_batch_bench hash|sweep [--option value ...]; the head of bench/dram_batch_bench.cpp explains");
}

}  // namespace
}  // namespace exarch

int main(int argc, char** argv) {
  try {
    return exarch::run(argc, argv);
  } catch (const exarch::UsageError& error) {
    std::cerr << "exarch_batch_bench: " << error.what() << "\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "exarch_batch_bench: " << error.what() << "\n";
    return 1;
  }
}
