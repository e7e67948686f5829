// Timeloop's recorded problems, networks, and its own files.
#include <algorithm>

#include "host/error.hpp"
#include "host/files/json.hpp"
#include "host/timeloop/archgym.hpp"
#include "host/timeloop/layers.hpp"
#include "host/timeloop/records.hpp"
#include "host/timeloop/reference.hpp"
#include "host/timeloop/yaml.hpp"
#include "tests/fuzz/target.hpp"

namespace exarch::fuzz {
namespace {

using namespace timeloop;

// The reference compares the children of a level one by one, so that many take it long.
bool is_small(const Mapping& mapping) {
  return std::ranges::all_of(mapping.spatial, [](const Block& block) {
    std::int64_t children = 1;
    for (std::uint32_t l = 0; l < block.count && children <= 64; ++l) children *= block.loop[l].bound;
    return children <= 64;
  });
}

// The kernel ends, and says what the reference says.
void check_costs(const Input& input, FillRule rule) {
  Counters counts, want_counts;
  Price price, want_price;
  Fault fault, want_fault;
  const Status status = cpu_functions().evaluate(input, rule, counts, price, fault);
  if (status > Status::level || !is_small(input.mapping)) return;  // a limit of the kernel's, or slow
  require(status == evaluate_reference(input, rule, want_counts, want_price, want_fault), "kernel and reference end alike");
  if (status != Status::ok) return;
  require(counts.steps == want_counts.steps && price.cycles == want_price.cycles && price.energy_pj == want_price.energy_pj &&
              price.area_um2 == want_price.area_um2,
          "kernel and reference cost alike");
}

void record(std::string_view input) {
  const std::string text(input);
  for (const FillRule rule : {FillRule::current, FillRule::y2022}) {
    const LineAnswer line = answer_line(text, rule);
    require(nlohmann::ordered_json::accept(line.text), "an answer is JSON");
    if (line.fault.empty()) check_costs(record_of(parse_json<nlohmann::ordered_json>(text, "record.json")).input, rule);
  }
}

// The best mapping of every layer with few of them is valid, and costs what the kernel says.
void gym_network(std::string_view input) {
  static const EnergyTable kTable = EnergyTable::shipped();
  static const Accelerator kAccelerator = accelerator_of(default_design(archgym_parameters()), kTable);
  const auto spads = kTable.sizes(GymPart::spad);
  const Hardware hardware{{kArrayColumns, kMostRows}, {spads, spads, spads, kTable.sizes(GymPart::shared_glb)}};
  for (const NamedProblem& layer : layers_of(parse_json<nlohmann::ordered_json>(std::string(input), "network.json"))) {
    const RowStationary mappings(layer.problem, FillRule::y2022, hardware);
    if (mappings.size() > 5000) continue;
    const auto best = mappings.best(kAccelerator.architecture, MapObjective::edp);
    if (!best) continue;
    const Input priced{layer.problem, kAccelerator.architecture, mappings.mapping(best->index)};
    Counters counts;
    Price price;
    Fault fault;
    require(cpu_functions().evaluate(priced, FillRule::y2022, counts, price, fault) == Status::ok, "the best mapping is valid");
    require(price.cycles == best->cycles && price.energy_pj == best->energy_pj, "the search prices as the kernel does");
  }
}

// A file with all sections. What is read of it can be evaluated.
void timeloop_yaml(std::string_view input) {
  const std::vector<std::filesystem::path> paths{write_scratch("all.yaml", input)};
  const TimeloopFiles files = read_timeloop(paths);
  if (!files.machine || !files.layer || !files.mapping) return;
  const Record record = record_of(files);
  if (files.constraints) (void)broken_constraint(record, *files.constraints);
  for (const FillRule rule : {FillRule::current, FillRule::y2022}) {
    require(answer(nullptr, record, rule).contains("status"), "a record has an answer");
    check_costs(record.input, rule);
  }
}

}  // namespace

std::vector<Target> timeloop_targets() {
  return {{"record", record}, {"gym_network", gym_network}, {"timeloop_yaml", timeloop_yaml}};
}

}  // namespace exarch::fuzz
