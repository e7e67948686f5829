// A cost model as a plug-in: a cache, as a formula. docs/plugins.md goes through it.
//
//   c++ -O2 -shared -fPIC -o libcache.so cache.cpp
//   exarch search cache --plugin ./libcache.so --agent ga --objective both --out cache.db
#include <exarch_plugin.h>

#include <cmath>
#include <cstdio>
#include <iterator>

namespace {

constexpr int64_t kWays[] = {1, 2, 4, 8};
constexpr int64_t kSizes[] = {16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256};
constexpr const char* kPolicies[] = {"lru", "random"};
constexpr exarch_plugin_parameter kParameters[] = {
    {"ways", "", "lines of a set", nullptr, kWays, std::size(kWays), 0},
    {"size_kb", "KB", "of the cache", nullptr, kSizes, std::size(kSizes), 0},
    {"policy", "", "which line goes", kPolicies, nullptr, std::size(kPolicies), 0},
};
constexpr exarch_plugin_metric kMetrics[] = {{"time_ns", "ns", "of an access"}, {"area_mm2", "mm2", "of the cache"}};
constexpr exarch_plugin_objective kObjectives[] = {{"time", "min:time_ns"}, {"both", "min:time_ns*area_mm2"}};
constexpr const char* kWorkloads[] = {"cold", "hot"};
constexpr uint64_t kTradeoffs[] = {0, 1};

int evaluate(void* /*state*/, uint64_t workload, const int64_t* designs, uint64_t count, double* results, char* error,
             uint64_t error_size) {
  if (workload >= std::size(kWorkloads)) {
    std::snprintf(error, error_size, "there is no workload %llu", static_cast<unsigned long long>(workload));
    return 1;
  }
  for (uint64_t i = 0; i < count; ++i) {
    const int64_t* const design = designs + i * std::size(kParameters);
    const double ways = static_cast<double>(design[0]), size = static_cast<double>(design[1]);
    const double misses = (design[2] == 0 ? 1.0 : 1.2) / std::sqrt(size * ways) / (workload == 0 ? 1.0 : 2.0);
    double* const result = results + i * std::size(kMetrics);
    result[0] = 1 + 0.1 * ways + 100 * misses;
    result[1] = 0.01 * size;
  }
  return 0;
}

constexpr exarch_plugin kPlugin = {EXARCH_PLUGIN_ABI,
                                   sizeof(exarch_plugin),
                                   "cache",
                                   "a cache, as a formula",
                                   "1",
                                   kParameters,
                                   std::size(kParameters),
                                   kMetrics,
                                   std::size(kMetrics),
                                   kObjectives,
                                   std::size(kObjectives),
                                   kWorkloads,
                                   std::size(kWorkloads),
                                   kTradeoffs,
                                   std::size(kTradeoffs),
                                   EXARCH_PLUGIN_THREADS,
                                   nullptr,
                                   evaluate};

}  // namespace

EXARCH_PLUGIN_EXPORT const exarch_plugin* exarch_get_plugin(void) {
  return &kPlugin;
}
