// Designs as Python writes them, and spaces: names and numbers in, tables of integers out.
#include "host/env/environment.hpp"
#include "host/error.hpp"
#include "host/files/text.hpp"
#include "host/metric/metric.hpp"
#include "host/run/inputs.hpp"
#include "python/src/bind.hpp"

namespace exarch::python {
namespace {

// A value as Python has it: a label, a whole number of any kind (NumPy's too), a float without a fraction (pandas makes them).
std::int64_t value_of(const ParameterInfo& parameter, nb::handle value) {
  if (nb::isinstance<nb::str>(value)) return parameter.parse(nb::cast<std::string>(value));
  if (parameter.kind == ParameterKind::integer && !PyBool_Check(value.ptr())) {
    if (PyIndex_Check(value.ptr())) {
      const nb::object number = nb::steal(PyNumber_Index(value.ptr()));
      if (!number.is_valid()) throw nb::python_error();
      int overflow = 0;
      const long long whole = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
      if (overflow == 0 && whole >= parameter.minimum && whole <= parameter.maximum) return whole;
      return parameter.parse(nb::cast<std::string>(nb::str(number)));  // refuses it, in its own words
    }
    if (PyFloat_Check(value.ptr())) {
      const double number = PyFloat_AsDouble(value.ptr());
      const auto whole = static_cast<std::int64_t>(number);
      if (static_cast<double>(whole) == number) return parameter.parse(std::to_string(whole));
    }
  }
  return parameter.parse(nb::cast<std::string>(nb::str(value)));
}

// Designs from dicts; a parameter that one leaves out has its default.
Out<std::int64_t> designs_from_dicts(const Environment& environment, const nb::sequence& dicts) {
  const Design standard = default_design(environment);
  const std::size_t count = nb::len(dicts);
  std::vector<std::int64_t> designs;
  designs.reserve(count * standard.size());
  std::map<std::string, std::size_t, std::less<>> places;
  for (std::size_t p = 0; p < standard.size(); ++p) places.emplace(environment.parameters()[p].name, p);
  for (std::size_t i = 0; i < count; ++i) {
    const nb::object dict = dicts[i];
    Design design = standard;
    try {
      if (!nb::isinstance<nb::dict>(dict)) throw UsageError("expected a dict of parameters");
      for (const auto& [key, value] : nb::borrow<nb::dict>(dict)) {
        const std::string name = nb::cast<std::string>(nb::str(key));
        const auto place = places.find(name);
        const std::size_t p = place != places.end() ? place->second : parameter_index(environment, name);  // which refuses it
        design[p] = value_of(environment.parameters()[p], value);
      }
    } catch (const UsageError& error) {
      throw UsageError("designs[" + std::to_string(i) + "]: " + error.what());
    }
    designs.insert(designs.end(), design.begin(), design.end());
  }
  return give(std::move(designs), {count, standard.size()});
}

[[noreturn]] void refuse_width(std::size_t columns, std::size_t parameters) {
  throw UsageError("designs have " + std::to_string(columns) + " columns, expected one for each of the " +
                   std::to_string(parameters) + " parameters");
}

Out<std::int64_t> designs_from_genes(const DesignSpace& space, const In<std::int64_t, 2>& genes) {
  const std::size_t count = genes.shape(0), width = space.dimensions();
  if (genes.shape(1) != width) refuse_width(genes.shape(1), width);
  std::vector<std::span<const std::int64_t>> values;
  for (std::size_t p = 0; p < width; ++p) values.push_back(space.values(p));
  std::vector<std::int64_t> designs(count * width);
  const std::int64_t* gene = genes.data();
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t p = 0; p < width; ++p, ++gene) {
      if (static_cast<std::uint64_t>(*gene) >= values[p].size()) {  // a negative one, too
        throw UsageError("genes[" + std::to_string(i) + "]: " + space.parameters()[p].name + " = " + std::to_string(*gene) +
                         ": expected 0 to " + std::to_string(values[p].size() - 1) + " in space '" + space.name() + "'");
      }
      designs[i * width + p] = values[p][static_cast<std::size_t>(*gene)];
    }
  }
  return give(std::move(designs), {count, width});
}

Out<std::uint16_t> genes_of_points(const DesignSpace& space, const In<std::uint64_t, 1>& points) {
  const std::size_t count = points.shape(0), width = space.dimensions();
  const std::uint64_t size = space.size();
  std::vector<Gene> genes(count * width);
  for (std::size_t i = 0; i < count; ++i) {
    if (points(i) >= size) {
      throw UsageError("points[" + std::to_string(i) + "] = " + std::to_string(points(i)) + ": space '" + space.name() +
                       "' has " + with_commas(size) + " points, numbered from 0");
    }
    space.genes_of(points(i), std::span(genes).subspan(i * width, width));
  }
  return give(std::move(genes), {count, width});
}

Out<std::uint64_t> points_of_designs(const DesignSpace& space, const In<std::int64_t, 2>& designs) {
  const std::size_t count = designs.shape(0), width = space.dimensions();
  if (designs.shape(1) != width) refuse_width(designs.shape(1), width);
  std::vector<std::uint64_t> points(count);
  for (std::size_t i = 0; i < count; ++i)
    points[i] = point_of(space, Design(designs.data() + i * width, designs.data() + (i + 1) * width));
  return give(std::move(points));
}

Out<std::uint16_t> sample_genes(const DesignSpace& space, std::size_t count, std::uint64_t seed) {
  const std::size_t width = space.dimensions();
  std::vector<Gene> genes(count * width);
  for (std::size_t i = 0; i < count; ++i) random_genes(space, seed, i, std::span(genes).subspan(i * width, width));
  return give(std::move(genes), {count, width});
}

std::string name_by_nearest(const std::string& what, const std::string& name, const std::vector<std::string>& names) {
  return "unknown " + what + " " + in_quotes(name) + did_you_mean(name, names);
}

}  // namespace

void add_designs(nb::module_& m) {
  m.def("designs_from_dicts", &designs_from_dicts, "environment"_a, "designs"_a);
  m.def(
      "parse_value",
      [](const Environment& environment, std::size_t parameter, nb::handle value) {
        return value_of(environment.parameters()[parameter], value);
      },
      "environment"_a, "parameter"_a, "value"_a);
  m.def("parameter_index", &parameter_index, "environment"_a, "name"_a);
  m.def(
      "default_design", [](const Environment& environment) { return default_design(environment); }, "environment"_a);
  m.def(
      "design_dict",
      [](const Environment& environment, const In<std::int64_t, 1>& design) {
        if (design.size() != environment.parameters().size()) refuse_width(design.size(), environment.parameters().size());
        return design_dict(environment, span_of(design));
      },
      "environment"_a, "design"_a);
  m.def("unknown_name", &name_by_nearest, "what"_a, "name"_a, "names"_a, "The words about a name that is none of `names`.");
  nb::class_<DesignSpace>(m, "Space", "The values that each parameter may take.")
      .def_prop_ro("name", &DesignSpace::name)
      .def_prop_ro("doc", &DesignSpace::doc)
      .def_prop_ro("is_numbered", &DesignSpace::is_numbered)
      .def("size", &DesignSpace::size)
      .def("size_text", &DesignSpace::size_text)
      .def("rough_size", &DesignSpace::rough_size)
      .def("dimensions", &DesignSpace::dimensions)
      .def("to_json", &DesignSpace::to_json)
      .def(
          "values",
          [](const DesignSpace& space, std::size_t p) {
            if (p >= space.dimensions()) throw nb::index_error();
            return std::vector<std::int64_t>(space.values(p).begin(), space.values(p).end());
          },
          "parameter"_a)
      .def("designs", &designs_from_genes, "genes"_a)
      .def("genes", &genes_of_points, "points"_a)
      .def("points", &points_of_designs, "designs"_a)
      .def("sample", &sample_genes, "count"_a, "seed"_a);
  m.def(
      "resolve_space",
      [](const Environment& environment, const std::string& name, const std::vector<WorkloadOptions>& workloads) {
        return std::make_shared<DesignSpace>(resolve_space(environment, name, workloads));
      },
      "environment"_a, "name"_a, "workloads"_a);
  m.def(
      "space_from_json",
      [](const Environment& environment, const std::string& text) {
        return std::make_shared<DesignSpace>(DesignSpace::from_json(text, "space", environment.parameters()));
      },
      "environment"_a, "text"_a);
  m.def(
      "fix_parameters",
      [](const Environment& environment, const DesignSpace& space, const std::vector<std::string>& assignments) {
        return std::make_shared<DesignSpace>(fix_parameters(environment, space, assignments));
      },
      "environment"_a, "space"_a, "assignments"_a);
  m.def(
      "objective_text",
      [](const Environment& environment, const std::string& text) {
        std::vector<std::string> texts;
        for (const Objective& objective : parse_objectives(environment, text)) texts.push_back(objective.text());
        return texts;
      },
      "environment"_a, "text"_a, "Objectives written out, one text each.");
  m.def(
      "score",
      [](const Environment& environment, const std::string& text, const In<double, 2>& metrics,
         const In<std::uint8_t, 1>& status) {
        const Objective objective = parse_objective(environment, text);
        const std::size_t width = environment.metrics().size(), count = status.size();
        if (metrics.shape(0) != width || metrics.shape(1) != count) throw std::logic_error("metrics are not (metric, design)");
        std::vector<double> costs(count), values(count), row(width);
        for (std::size_t i = 0; i < count; ++i) {
          for (std::size_t k = 0; k < width; ++k) row[k] = metrics(k, i);
          const Score score = objective.score(row, status(i) == 0);
          costs[i] = score.cost;
          values[i] = score.value;
        }
        return nb::make_tuple(give(std::move(costs)), give(std::move(values)));
      },
      "environment"_a, "objective"_a, "metrics"_a, "status"_a, "(costs, values) of results; +infinity costs what is infeasible.");
}

}  // namespace exarch::python
