#include "host/plugin/plugin.hpp"

#include <string.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "host/error.hpp"
#include "host/files/text.hpp"
#include "host/plugin/exarch_plugin.h"
#include "host/plugin/own_model.hpp"
#include "host/plugin/shared_library.hpp"

namespace exarch {
namespace {

constexpr const char* kEntry = "exarch_get_plugin";
constexpr std::uint64_t kMaxRows = 256;       // parameters, metrics and the like
constexpr std::uint64_t kMaxValues = 65536;   // of a parameter
constexpr std::size_t kMaxText = 4096;        // bytes of a name or description
constexpr std::size_t kDesignsOfACall = 256;  // designs of a call, where calls may overlap
// Stands in results before a call, and behind them. No computation gives this NaN.
constexpr std::uint64_t kUnwritten = 0x7FF8E7A2C4015AB1ull;

class PluginModel final : public OwnModel {
 public:
  PluginModel(Description description, std::vector<std::string> workloads, std::string path, const exarch_plugin& plugin)
      : OwnModel(std::move(description), std::move(workloads)), path_(std::move(path)), plugin_(plugin) {
    const DesignSpace& space = spaces().front();
    for (std::size_t p = 0; p < space.dimensions(); ++p) {
      std::ranges::sort(values_.emplace_back(space.values(p).begin(), space.values(p).end()));
    }
  }

 protected:
  void evaluate(std::size_t workload, std::span<const std::int64_t> designs, Backend& backend,
                std::span<double> results) const override {
    check_values(designs);
    if ((plugin_.flags & EXARCH_PLUGIN_THREADS) == 0) {
      const std::lock_guard alone(mutex_);
      call(workload, designs, results);
      return;
    }
    const std::size_t width = parameters().size(), columns = metrics().size(), count = designs.size() / width;
    backend.pool().for_each((count + kDesignsOfACall - 1) / kDesignsOfACall, [&](std::size_t block, unsigned /*worker*/) {
      const std::size_t first = block * kDesignsOfACall, some = std::min(kDesignsOfACall, count - first);
      call(workload, designs.subspan(first * width, some * width), results.subspan(first * columns, some * columns));
    });
  }

 private:
  // A parameter's range is that of its values, which may have gaps.
  void check_values(std::span<const std::int64_t> designs) const {
    for (std::size_t i = 0; i < designs.size(); ++i) {
      const std::size_t p = i % parameters().size();
      if (std::ranges::binary_search(values_[p], designs[i])) continue;
      const auto above = std::ranges::lower_bound(values_[p], designs[i]);
      std::string near;
      if (above != values_[p].begin()) near = std::to_string(*std::prev(above));
      if (above != values_[p].end()) near += (near.empty() ? "" : " and ") + std::to_string(*above);
      throw UsageError(parameters()[p].name + ": " + std::to_string(designs[i]) + " is no value of plug-in '" + name() +
                       "' (nearest: " + near + ")");
    }
  }

  [[noreturn]] void fail(const std::string& what) const { throw Error(path_ + ": plug-in '" + name() + "' " + what); }

  void call(std::size_t workload, std::span<const std::int64_t> designs, std::span<double> results) const {
    const std::size_t count = designs.size() / parameters().size(), columns = metrics().size();
    std::vector<double> room(results.size() + columns, std::bit_cast<double>(kUnwritten));
    std::array<char, 1024> error{};
    int code = 0;
    try {
      code = plugin_.evaluate(plugin_.state, workload, designs.data(), count, room.data(), error.data(), error.size());
    } catch (const std::exception& thrown) {
      fail(std::string("threw an exception: ") + printable(thrown.what(), 400));
    } catch (...) {
      fail("threw an exception");
    }
    error.back() = '\0';
    const std::string said = printable(error.data(), 400);
    if (code != 0)
      fail("could not evaluate " + std::to_string(count) + " designs: " + (said.empty() ? "it does not say why" : said));
    const auto unwritten = [](double value) { return std::bit_cast<std::uint64_t>(value) == kUnwritten; };
    if (!std::all_of(room.end() - static_cast<std::ptrdiff_t>(columns), room.end(), unwritten)) {
      fail("wrote behind the " + std::to_string(count) + " designs that it was given; results are (design, metric), row by row");
    }
    room.resize(results.size());
    if (const auto gap = std::ranges::find_if(room, unwritten); gap != room.end()) {
      const auto at = static_cast<std::size_t>(gap - room.begin());
      fail("did not write " + metrics()[at % columns].name + " of design " + std::to_string(at / columns) + " of " +
           std::to_string(count) + "; write NaN where there is no result");
    }
    std::ranges::copy(room, results.begin());
  }

  std::string path_;
  const exarch_plugin& plugin_;
  std::vector<std::vector<std::int64_t>> values_;  // (parameter) sorted
  mutable std::mutex mutex_;
};

// Reads the tables; errors name the file.
class Reader {
 public:
  Reader(std::string path, const exarch_plugin& plugin) : path_(std::move(path)), plugin_(plugin) {}

  [[nodiscard]] std::string text(const char* text, const std::string& what, bool required) const {
    if (text == nullptr || *text == '\0') {
      if (required) refuse(what + " is missing");
      return "";
    }
    std::string copy(text, strnlen(text, kMaxText + 1));
    if (copy.size() > kMaxText) refuse(what + " is longer than " + std::to_string(kMaxText) + " bytes");
    if (!is_utf8(copy) || printable(copy) != copy) refuse(what + " " + in_quotes(copy) + " is not printable UTF-8");
    return copy;
  }

  template <class Row>
  [[nodiscard]] std::span<const Row> rows(const Row* first, std::uint64_t count, const std::string& what, bool required,
                                          std::uint64_t most = kMaxRows) const {
    if (count > most || (required && count == 0)) {
      refuse("it has " + std::to_string(count) + " " + what + "; from " + (required ? "1" : "0") + " to " + std::to_string(most) +
             " are possible");
    }
    if (count > 0 && first == nullptr) refuse("it has " + std::to_string(count) + " " + what + ", and no table of them");
    return {first, static_cast<std::size_t>(count)};
  }

  [[nodiscard]] Description description() const {
    Description d;
    d.name = text(plugin_.name, "its name", true);
    d.doc = text(plugin_.doc, "its doc", false);
    d.model_version = text(plugin_.version, "its version", true);
    std::vector<std::vector<std::int64_t>> values;
    for (const auto& row : rows(plugin_.parameters, plugin_.parameter_count, "parameters", true)) {
      d.parameters.push_back(parameter(row, values.emplace_back()));
    }
    for (const auto& row : rows(plugin_.metrics, plugin_.metric_count, "metrics", true)) {
      const std::string metric = text(row.name, "the name of a metric", true);
      d.metrics.push_back(
          {metric, text(row.unit, "the unit of " + metric, false), text(row.doc, "the doc of " + metric, false), kShortest});
    }
    for (const auto& row : rows(plugin_.objectives, plugin_.objective_count, "objectives", false)) {
      const std::string objective = text(row.name, "the name of an objective", true);
      d.objectives.emplace_back(objective, text(row.expression, "the objective " + objective, true));
    }
    for (const std::uint64_t place : rows(plugin_.tradeoffs, plugin_.tradeoff_count, "trade-offs", false, 3)) {
      d.tradeoffs.push_back(static_cast<std::size_t>(place));
    }
    d.spaces.emplace_back("all", "every design", d.parameters, std::move(values));
    return d;
  }

  [[nodiscard]] std::vector<std::string> workloads() const {
    std::vector<std::string> names;
    for (const char* name : rows(plugin_.workloads, plugin_.workload_count, "workloads", false, kMaxValues)) {
      names.push_back(text(name, "the name of a workload", true));
    }
    return names.empty() ? std::vector<std::string>{"default"} : names;
  }

  [[noreturn]] void refuse(const std::string& what) const { throw UsageError(path_ + ": the plug-in cannot be used: " + what); }

 private:
  [[nodiscard]] ParameterInfo parameter(const exarch_plugin_parameter& row, std::vector<std::int64_t>& values) const {
    ParameterInfo info{};
    info.name = text(row.name, "the name of a parameter", true);
    info.unit = text(row.unit, "the unit of " + info.name, false);
    info.doc = text(row.doc, "the doc of " + info.name, false);
    if ((row.labels == nullptr) == (row.numbers == nullptr)) {
      refuse("parameter " + info.name + " needs labels or numbers, one of the two");
    }
    if (row.default_value >= row.value_count) refuse("parameter " + info.name + ": its default is none of its values");
    if (row.labels == nullptr) {
      const auto numbers = rows(row.numbers, row.value_count, "values of " + info.name, true, kMaxValues);
      info.kind = ParameterKind::integer;
      values.assign(numbers.begin(), numbers.end());
      info.minimum = std::ranges::min(values);
      info.maximum = std::ranges::max(values);
      info.default_value = values[row.default_value];
      return info;
    }
    info.kind = ParameterKind::categorical;
    for (const char* label : rows(row.labels, row.value_count, "values of " + info.name, true, kMaxValues)) {
      values.push_back(static_cast<std::int64_t>(info.labels.size()));
      info.labels.push_back(text(label, "a label of " + info.name, true));
    }
    std::vector<std::string> sorted = info.labels;
    std::ranges::sort(sorted);
    if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end()) {
      refuse("parameter " + info.name + " has the label '" + *twice + "' twice");
    }
    info.maximum = static_cast<std::int64_t>(info.labels.size()) - 1;
    info.default_value = static_cast<std::int64_t>(row.default_value);
    return info;
  }

  std::string path_;
  const exarch_plugin& plugin_;
};

const exarch_plugin& plugin_of(const std::string& path, void* library) {
  const auto get = reinterpret_cast<exarch_get_plugin_function>(find_symbol(library, kEntry));
  if (get == nullptr) {
    throw UsageError(path + ": the library has no function " + kEntry + "(), so it is no plug-in; see exarch_plugin.h");
  }
  const exarch_plugin* const plugin = get();
  if (plugin == nullptr) throw UsageError(path + ": the plug-in says that it cannot be used on this machine");
  if (plugin->abi != EXARCH_PLUGIN_ABI || plugin->size != sizeof(exarch_plugin)) {
    throw UsageError(path + ": the plug-in has version " + std::to_string(plugin->abi) + " of the interface (" +
                     std::to_string(plugin->size) + " bytes), this program has version " + std::to_string(EXARCH_PLUGIN_ABI) +
                     " (" + std::to_string(sizeof(exarch_plugin)) + " bytes); compile it with this program's exarch_plugin.h");
  }
  return *plugin;
}

std::string signature_of(const OwnModel& model) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(model.signature()));
  return text.data();
}

}  // namespace

const Environment& load_plugin(const std::string& path) {
  static std::map<void*, std::unique_ptr<const PluginModel>> loaded;  // the loader gives one library the same handle again
  void* const library = open_library(path);
  if (const auto known = loaded.find(library); known != loaded.end()) return *known->second;
  const exarch_plugin& plugin = plugin_of(path, library);
  const Reader reader(path, plugin);
  if (plugin.evaluate == nullptr) reader.refuse("it has no evaluate()");
  if ((plugin.flags & ~std::uint64_t{EXARCH_PLUGIN_THREADS}) != 0) reader.refuse("it has flags that this program does not know");
  Description description;
  try {
    description = reader.description();
    const std::string version = "plug-in " + description.name + "/" + description.model_version;
    const PluginModel unsigned_model(description, reader.workloads(), path, plugin);
    description.model_version = version + ", signature " + signature_of(unsigned_model);
    for (const Environment* known : environments()) {
      if (known->name() == description.name) reader.refuse("there is an environment '" + description.name + "' already");
    }
  } catch (const UsageError& error) {
    const std::string what = error.what();
    if (what.starts_with(path)) throw;
    reader.refuse(what);
  }
  auto made = std::make_unique<const PluginModel>(std::move(description), reader.workloads(), path, plugin);
  register_environment(*made);
  return *(loaded[library] = std::move(made));
}

}  // namespace exarch
