#include "tools/exarch/study_prepared.hpp"

#include <algorithm>
#include <filesystem>

#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/file_kind.hpp"
#include "host/study/truth.hpp"
#include "tools/exarch/embedded.hpp"
#include "tools/exarch/study_plan.hpp"

namespace exarch::cli {
namespace {

StudyPlan read_plan(const std::string& name) {
  if (name.ends_with(".toml")) {
    const std::string expected = "a study plan";
    return named_if_foreign(name, {FileKind::plan}, expected,
                            [&] { return StudyPlan::from_toml(read_text(name, expected), name); });
  }
  return StudyPlan::from_toml(embedded_file(name + ".toml"), name + ".toml");
}

// A preset's variant: "lottery" with the agents and rewards of ArchGym as released.
std::string plan_name(const Arguments& arguments) {
  const std::string& name = arguments.positional[0];
  const std::string& compat = arguments.text("compat");
  if (compat != "archgym" && compat != "fixed") throw UsageError("--compat " + compat + ": expected archgym or fixed");
  if (arguments.has("compat") && compat == "fixed" && name.ends_with("-archgym")) {
    throw UsageError("--compat fixed: study '" + name + "' is ArchGym as released");
  }
  if (!arguments.has("compat") || compat == "fixed") return name;
  const std::vector<std::string> shipped = shipped_plans();
  if (std::ranges::find(shipped, name + "-archgym") == shipped.end()) {
    throw UsageError("--compat archgym: study '" + name + "' has no such variant");
  }
  return name + "-archgym";
}

// What others find wrong with the plan, with a place before it: that of the key which `key_of` an error is.
template <class KeyOf, class Body>
decltype(auto) located_by(const StudyPlan& plan, const KeyOf& key_of, const Body& body) {
  try {
    return body();
  } catch (const UsageError& error) {
    throw UsageError(plan.place(key_of(error.what())) + error.what());
  } catch (const Error& error) {
    throw Error(plan.place(key_of(error.what())) + error.what());
  }
}

template <class Body>
decltype(auto) located(const StudyPlan& plan, const std::string& key, const Body& body) {
  return located_by(
      plan, [&key](const std::string&) { return key; }, body);
}

// What is wrong with a workload is the matter of one of its options: the one whose name or value the error has, else the primary.
template <class Body>
decltype(auto) located_in_workload(const StudyPlan& plan, const Environment& environment, const Body& body) {
  const auto key_of = [&](const std::string& error) {
    const std::string& primary = primary_option(environment).name;
    for (const auto& [name, value] : plan.workload) {
      if (name == primary) continue;
      if (error.find(name) != std::string::npos || error.find(value) != std::string::npos) return "workload." + name;
    }
    return "workload." + primary;
  };
  return located_by(plan, key_of, body);
}

// The plan with what the command line says instead.
StudyPlan plan_of(const Arguments& arguments) {
  StudyPlan plan = read_plan(plan_name(arguments));
  if (arguments.has("seeds")) plan.set_seeds(arguments.number("seeds", 1, 1'000'000));
  if (arguments.has("seed")) plan.first_seed = arguments.seed();
  if (arguments.has("space")) {
    plan.space = arguments.text("space");
    plan.places.erase("space");
  }
  if (arguments.has("objective")) {
    plan.objectives = arguments.all("objective");
    plan.reported_as.clear();
    plan.places.erase("objectives");
  }
  const Environment& environment = located(
      plan, "environment", [&]() -> auto& { return find_environment(plan.environment); });
  std::vector<std::string> options;
  for (const WorkloadOption& option : environment.workload_options()) options.push_back(option.name);
  for (const auto& [name, value] : plan.workload) {
    if (std::ranges::find(options, name) != options.end()) continue;
    throw UsageError(plan.place("workload." + name) + "'" + name + "' of [workload] does not describe a workload of " +
                     plan.environment + did_you_mean(name, options));
  }
  for (const auto& [name, value] : given_options(environment, arguments)) {
    plan.workload[name] = value;
    plan.places.erase("workload." + name);
  }
  return plan;
}

// The command line that describes the plan's workloads and space to the other verbs.
Arguments with_plan(const Arguments& arguments, const StudyPlan& plan) {
  Arguments all = arguments;
  const auto set = [&all](const std::string& name, const std::string& value) {
    all.values[name] = {value};
    all.given[name] = true;
  };
  if (!plan.space.empty()) set("space", plan.space);
  for (const auto& [name, value] : plan.workload) set(name, value);
  return all;
}

}  // namespace

PreparedStudy::PreparedStudy(const Arguments& arguments)
    : plan(plan_of(arguments)),
      effective(with_plan(arguments, plan)),
      environment(find_environment(plan.environment)),
      space(located(plan, "space", [this] { return resolve_space(environment, plan.space); })),
      options(located_in_workload(plan, environment, [this] { return given_workloads(environment, effective); })) {
  const auto parse = [this](const std::string& key, const std::vector<std::string>& texts, std::vector<Objective>& parsed) {
    located(plan, key, [&] {
      for (const std::string& text : texts) parsed.push_back(parse_objective(environment, text));
    });
  };
  parse("objectives", plan.objectives, objectives);
  parse("reported_as", plan.reported_as, reported);
  if (plan.truth) located(plan, "space", [this] { TruthTable::check_size(space); });
  check_duplicates();
}

// What is named twice would count twice.
void PreparedStudy::check_duplicates() const {
  for (std::size_t i = 0; i < objectives.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (objectives[i].text() != objectives[j].text()) continue;
      throw UsageError(plan.place("objectives") + "'" + plan.objectives[j] + "' and '" + plan.objectives[i] +
                       "' are the same objective");
    }
  }
  const std::string& primary = primary_option(environment).name;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (std::count(options.begin(), options.begin() + static_cast<std::ptrdiff_t>(i), options[i]) == 0) continue;
    throw UsageError(plan.place("workload." + primary) + "'" + options[i].at(primary) + "' stands there twice");
  }
}

Workloads PreparedStudy::load_workloads() const {
  return located_in_workload(plan, environment, [this] {
    Workloads workloads;
    for (const WorkloadOptions& one : options) workloads.push_back(load(environment, one));
    return workloads;
  });
}

std::string truth_path(const Arguments& arguments) {
  if (arguments.has("truth")) return arguments.text("truth");
  std::filesystem::path out = arguments.text("out");
  return out.replace_extension(".truth.db").string();
}

std::optional<TruthStore> truth_at(const std::string& path, const PreparedStudy& study, const Workloads& workloads) {
  if (!is_store_of(path, StoreKind::run)) return std::nullopt;  // missing, or refused by whoever writes it
  OpenedStore opened = open_store(path);
  const auto refuse = [&path](const std::string& why) {
    throw Error(path + ": no truth about this study: " + why + "; name another file by --truth");
  };
  if (opened.kind != "sweep" || opened.sample != 0 || opened.keep != "all") refuse("it is not the sweep of a whole space");
  if (opened.environment.name() != study.environment.name()) refuse("it is about " + opened.environment.name());
  if (opened.space.to_json() != study.space.to_json()) {
    refuse("it is about space '" + opened.space.name() + "', with other values than '" + study.space.name() + "' here");
  }
  std::vector<std::uint32_t> numbers;
  bool complete = true;
  for (const auto& workload : workloads) {
    const auto found = std::ranges::find(opened.workloads, workload->identity, [](const auto& w) { return w->identity; });
    if (found == opened.workloads.end()) refuse("it knows no workload '" + workload->name + "'");
    numbers.push_back(static_cast<std::uint32_t>(found - opened.workloads.begin()));
    complete = complete && opened.store.points_done(numbers.back()) == opened.space.size();
  }
  if (complete) return TruthStore{std::move(opened), std::move(numbers)};
  for (std::uint32_t w = 0; w < opened.workloads.size(); ++w) {
    if (w < numbers.size() && numbers[w] == w) continue;
    refuse("it is incomplete, and about more than this study's workloads, or in another order; continue it by its own command");
  }
  return std::nullopt;
}

std::vector<std::string> shipped_plans() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name.ends_with(".toml")) names.emplace_back(file.name.substr(0, file.name.size() - 5));
  }
  return names;
}

}  // namespace exarch::cli
