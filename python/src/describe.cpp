// What environments say about themselves, and workloads.
#include "host/env/environment.hpp"
#include "host/execute/backend.hpp"
#include "host/run/inputs.hpp"
#include "host/run/problem.hpp"
#include "python/src/bind.hpp"

namespace exarch::python {
namespace {

nb::dict parameter_dict(const ParameterInfo& parameter) {
  nb::dict row;
  row["name"] = parameter.name;
  row["categorical"] = parameter.kind == ParameterKind::categorical;
  row["labels"] = parameter.labels;
  row["minimum"] = parameter.minimum;
  row["maximum"] = parameter.maximum;
  row["default"] = parameter.default_value;
  row["unit"] = parameter.unit;
  row["doc"] = parameter.doc;
  return row;
}

// Counters that are shown.
nb::list counter_list(const Environment& environment) {
  nb::list rows;
  for (std::size_t c = 0; c < environment.counters().size(); ++c) {
    const CounterInfo& counter = environment.counters()[c];
    if (counter.internal) continue;
    nb::dict row;
    row["column"] = c;
    row["name"] = counter.name;
    row["unit"] = counter.unit;
    row["doc"] = counter.doc;
    row["kind"] = counter.kind == CounterInfo::Kind::real      ? "real"
                  : counter.kind == CounterInfo::Kind::integer ? "integer"
                                                               : "natural";
    rows.append(row);
  }
  return rows;
}

nb::dict describe(const Environment& environment) {
  const Description& d = environment.description();
  nb::dict row;
  row["name"] = d.name;
  row["doc"] = d.doc;
  row["model"] = d.model_version;
  nb::list parameters, metrics, options, spaces;
  for (const ParameterInfo& parameter : d.parameters) parameters.append(parameter_dict(parameter));
  for (const MetricInfo& metric : d.metrics) metrics.append(nb::make_tuple(metric.name, metric.unit, metric.doc));
  for (const WorkloadOption& option : d.workload_options) {
    options.append(nb::make_tuple(option.name, option.default_value, option.doc, option.primary));
  }
  for (const DesignSpace& space : d.spaces) spaces.append(nb::make_tuple(space.name(), space.doc()));
  for (const WorkloadSpace& space : d.workload_spaces) spaces.append(nb::make_tuple(space.name, space.doc));
  row["parameters"] = parameters;
  row["counters"] = counter_list(environment);
  row["metrics"] = metrics;
  row["options"] = options;
  row["spaces"] = spaces;
  row["objectives"] = d.objectives;
  row["statuses"] = d.statuses;
  row["artifact"] = d.artifact ? nb::cast(d.artifact->name) : nb::none();
  row["tradeoffs"] = d.tradeoffs;
  return row;
}

nb::dict facts_of(const Environment& environment, const Workload& workload) {
  nb::dict facts;
  for (const WorkloadFact& fact : environment.describe_workload(workload)) {
    std::visit([&](const auto& value) { facts[fact.name.c_str()] = nb::cast(value); }, fact.value);
  }
  return facts;
}

}  // namespace

nb::dict design_dict(const Environment& environment, std::span<const std::int64_t> design) {
  nb::dict values;
  for (std::size_t p = 0; p < design.size(); ++p) {
    const ParameterInfo& parameter = environment.parameters()[p];
    values[parameter.name.c_str()] =
        parameter.kind == ParameterKind::categorical ? nb::cast(parameter.format(design[p])) : nb::cast(design[p]);
  }
  return values;
}

void add_describe(nb::module_& m) {
  nb::class_<Environment>(m, "Environment", "A cost model; it lives as long as the interpreter.")
      .def_prop_ro("name", &Environment::name)
      .def("describe", &describe, "Its tables, as a dict.")
      .def("shipped_workloads", &Environment::shipped_workloads);
  m.def(
      "environments",
      [] {
        return std::vector<std::string>([] {
          std::vector<std::string> names;
          for (const Environment* environment : environments()) names.push_back(environment->name());
          return names;
        }());
      },
      "Names of all environments.");
  m.def("find_environment", &find_environment, "name"_a, nb::rv_policy::reference);
  // Python never changes one.
  nb::class_<Workload>(m, "Workload", "A loaded workload; it never changes.")
      .def_ro("name", &Workload::name)
      .def_ro("identity", &Workload::identity)
      .def_ro("warnings", &Workload::warnings);
  m.def(
      "load_workload",
      [](const Environment& environment, const WorkloadOptions& options) {
        const nb::gil_scoped_release released;
        return std::const_pointer_cast<Workload>(environment.load_workload(options));
      },
      "environment"_a, "options"_a);
  m.def("workload_facts", &facts_of, "environment"_a, "workload"_a);
  m.def("complete_options", &complete_options, "environment"_a, "given"_a);
  m.def("list_workloads", &list_workloads, "environment"_a, "options"_a);
}

}  // namespace exarch::python
