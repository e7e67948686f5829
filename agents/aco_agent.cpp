// Ant colony optimisation on integer genes: every parameter has a table of pheromones, and an ant chooses one value from each.
// The variants differ in what the colony deposits. docs/agents.md has the equations and their sources.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "agents/agents_internal.hpp"
#include "agents/pheromones.hpp"
#include "host/metric/metric.hpp"

namespace exarch {
namespace {

constexpr double kMaxDeposit = 1e6;  // a cost of zero has no inverse

enum class Deposit : std::uint8_t { rank, inverse_cost, archgym };

// Help texts are made before main(): everything the tables are made of lives inside.
const AgentInfo& aco_info(Deposit deposit) {
  using Row = HyperparameterInfo;
  const auto greediness = [](const char* value) {
    return Row{"greediness", value, "0 to 1", "probability of taking the value with the most pheromone (q0)"};
  };
  const auto evaporation = [](const char* value) {
    return Row{"evaporation", value, "0 to 1", "share of the pheromone that a deposit replaces (rho)"};
  };
  const auto decay = [](const char* value) {
    return Row{"decay", value, "0 to 1", "share of the way back to its start that a value's pheromone goes per use (xi)"};
  };
  const Row start = {"start", "0.1", "1e-9 to 1e9", "pheromone of every value before the first colony"};
  static const AgentInfo rank = {
      "aco",
      "ant colony, rank-based deposits between bounds",
      {{"ranks", "6", "1 to 1000000", "weight of the best ant so far; the best ranks - 1 of a colony weigh ranks - 1, ..., 1"},
       evaporation("0.3"),
       {"best_probability", "0.05", "1e-6 to 0.999999", "probability of drawing the best ant from converged pheromones"},
       greediness("0"),
       decay("0")}};
  static const AgentInfo inverse_cost = {"aco:inverse_cost",
                                         "ant colony, the best ant of each colony deposits 1 / cost",
                                         {greediness("0.5"), evaporation("0.1"), decay("0.1"), start}};
  static const AgentInfo archgym = {"aco:archgym",
                                    "ant colony as ArchGym runs it; punishes its best ant when the objective is maximised",
                                    {greediness("0.5"), evaporation("0.1"), decay("0.1"), start}};
  switch (deposit) {
    case Deposit::rank:
      return rank;
    case Deposit::inverse_cost:
      return inverse_cost;
    case Deposit::archgym:
      return archgym;
  }
  return rank;
}

// 1 / cost with the cost `reference` as its unit, so that costs of any scale deposit numbers around one. A maximised objective's
// cost is minus its value; the value takes the place of 1 / cost then.
double inverse_cost_deposit(double cost, double reference) {
  if (cost == reference) return 1;
  if (cost > 0 && reference > 0) return std::min(reference / cost, kMaxDeposit);
  if (cost < 0 && reference < 0) return std::min(cost / reference, kMaxDeposit);
  return cost < reference ? kMaxDeposit : 0;  // zero lies between them, or is one of them
}

double archgym_deposit(double cost) {
  return std::clamp(1 / (10 * cost), -kMaxDeposit, kMaxDeposit);
}

class AcoAgent final : public GenerationAgent {
 public:
  AcoAgent(Deposit deposit, const DesignSpace& space, const AgentOptions& options)
      : GenerationAgent(aco_info(deposit), space, options), deposit_(deposit) {
    const Hyperparameters values(info_, options);
    greediness_ = values.real("greediness", 0, 1);
    evaporation_ = values.real("evaporation", 0, 1);
    decay_ = values.real("decay", 0, 1);
    if (deposit == Deposit::rank) {
      ranks_ = values.integer("ranks", 1, 1'000'000);
      best_probability_ = values.real("best_probability", 1e-6, 0.999999);
    } else {
      start_ = values.real("start", 1e-9, 1e9);
    }
    const std::size_t searched = std::max<std::size_t>(1, searched_parameters(space).size());
    converged_share_ = std::pow(best_probability_, 1.0 / static_cast<double>(searched));
    for (std::size_t p = 0; p < space.dimensions(); ++p) tables_.emplace_back(space.values(p).size(), start_of(p));
    best_.resize(space.dimensions());
  }

  void ask(GeneBatch& batch) override {
    resize_batch(batch, space_, next_colony());
    if (asks_first_ant()) {
      draw_uniform(space_, seed_, generation_, 0, batch.row(0));
      return;
    }
    std::vector<Pheromones> tables = tables_;  // tell() makes the local updates for good
    for (std::size_t ant = 0; ant < population_; ++ant) {
      walk(ant, tables, batch.row(ant));
      update_locally(tables, batch.row(ant));
    }
  }

  void tell(const GeneBatch& batch, std::span<const double> costs) override {
    check_told(next_colony(), batch, costs);
    const std::vector<std::uint32_t> cheapest = in_order_of_cost(costs);
    // NaN has no order; a cost that cannot be compared is the worst there is.
    const double cost = cheapest.empty() ? kInfinity : costs[cheapest[0]];
    if (!asks_first_ant()) {
      for (std::size_t ant = 0; ant < population_; ++ant) update_locally(tables_, batch.row(ant));
    }
    // ArchGym lets the newest of equal ants lead, whatever their cost; it matters for what the first colony deposits.
    if (cost < best_cost_ || (deposit_ == Deposit::archgym && cost == best_cost_)) {
      best_cost_ = cost;
      std::ranges::copy(batch.row(cheapest.empty() ? 0 : cheapest[0]), best_.begin());
    }
    if (deposit_ == Deposit::rank) {
      deposit_by_rank(batch, cheapest);
    } else if (deposit_ == Deposit::inverse_cost && cost < kInfinity) {
      if (reference_ == kInfinity) reference_ = cost;
      deposit_along(batch.row(cheapest[0]), inverse_cost_deposit(cost, reference_));
    } else if (deposit_ == Deposit::archgym && !asks_first_ant()) {
      deposit_along(best_, archgym_deposit(best_cost_));
    }
    ++generation_;
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer = begin_state();
    for (const Pheromones& table : tables_) writer.put(table.size(), 4);
    writer.put(std::span<const Gene>(best_));
    writer.put(best_cost_);
    writer.put(reference_);
    for (const Pheromones& table : tables_) {
      for (std::size_t v = 0; v < table.size(); ++v) writer.put(table.at(v));
    }
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader(info_.name, state);
    const std::uint32_t generation = begin_restore(reader);
    for (const Pheromones& table : tables_) {
      if (reader.get(4) != table.size()) reader.fail("it is of another space");
    }
    std::vector<Gene> best = reader.get_genes(space_, 1).genes;
    const double best_cost = reader.get_double(), reference = reader.get_double();
    if (std::isnan(best_cost) || std::isnan(reference)) reader.fail("a cost is not a number");
    std::vector<Pheromones> tables = tables_;
    for (Pheromones& table : tables) {
      for (std::size_t v = 0; v < table.size(); ++v) {
        const double pheromone = reader.get_double();
        if (!std::isfinite(pheromone)) reader.fail("a pheromone is not a number");
        table.set(v, pheromone);
      }
    }
    reader.finish();
    generation_ = generation;
    best_ = std::move(best);
    best_cost_ = best_cost;
    reference_ = reference;
    tables_ = std::move(tables);
  }

 private:
  // ArchGym evaluates one random ant before its colonies: it is the best so far that the first of them has to match.
  [[nodiscard]] bool asks_first_ant() const { return deposit_ == Deposit::archgym && generation_ == 0; }
  [[nodiscard]] std::size_t next_colony() const { return asks_first_ant() ? 1 : population_; }

  // Ranked deposits sum to one per parameter, so pheromones start as, and stay near, probabilities.
  [[nodiscard]] double start_of(std::size_t p) const {
    return deposit_ == Deposit::rank ? 1.0 / static_cast<double>(space_.values(p).size()) : start_;
  }

  void walk(std::size_t ant, const std::vector<Pheromones>& tables, std::span<Gene> genes) const {
    PhiloxStream draws = stream(ant, Purpose::ant);
    for (std::size_t p = 0; p < genes.size(); ++p) {
      const Pheromones& table = tables[p];
      if (table.size() == 1) {
        genes[p] = 0;
      } else if (draws.unit() < greediness_) {
        genes[p] = table.largest(draws.below(table.ties()));
      } else {
        genes[p] = table.roulette(draws.unit());
      }
    }
  }

  void update_locally(std::vector<Pheromones>& tables, std::span<const Gene> genes) const {
    if (decay_ == 0) return;
    for (std::size_t p = 0; p < genes.size(); ++p) {
      tables[p].set(genes[p], (1 - decay_) * tables[p].at(genes[p]) + decay_ * start_of(p));
    }
  }

  void deposit_along(std::span<const Gene> genes, double deposit) {
    for (std::size_t p = 0; p < genes.size(); ++p) {
      tables_[p].set(genes[p], (1 - evaporation_) * tables_[p].at(genes[p]) + evaporation_ * deposit);
    }
  }

  // The feasible ants that may deposit, cheapest first; equal costs in order of their numbers.
  [[nodiscard]] std::vector<std::uint32_t> in_order_of_cost(std::span<const double> costs) const {
    std::vector<std::uint32_t> order;
    for (std::uint32_t ant = 0; ant < costs.size(); ++ant) {
      if (costs[ant] < kInfinity) order.push_back(ant);
    }
    const std::size_t wanted = std::min<std::size_t>(order.size(), std::max<std::uint64_t>(1, ranks_ - 1));
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(wanted);
    const auto by_cost = [costs](std::uint32_t a, std::uint32_t b) { return costs[a] != costs[b] ? costs[a] < costs[b] : a < b; };
    std::nth_element(order.begin(), end, order.end(), by_cost);
    std::sort(order.begin(), end, by_cost);
    order.resize(wanted);
    return order;
  }

  void deposit_by_rank(const GeneBatch& batch, std::span<const std::uint32_t> cheapest) {
    if (best_cost_ == kInfinity) return;
    const std::size_t depositing = std::min<std::size_t>(cheapest.size(), ranks_ - 1);
    double total = static_cast<double>(ranks_);
    for (std::size_t r = 0; r < depositing; ++r) total += static_cast<double>(ranks_ - 1 - r);
    for (std::size_t p = 0; p < tables_.size(); ++p) {
      Pheromones& table = tables_[p];
      if (table.size() == 1) continue;
      std::vector<double> weight(table.size());
      weight[best_[p]] = static_cast<double>(ranks_);
      for (std::size_t r = 0; r < depositing; ++r) weight[batch.row(cheapest[r])[p]] += static_cast<double>(ranks_ - 1 - r);
      const double upper = std::max(converged_share_, start_of(p));
      const double lower = (1 - upper) / static_cast<double>(table.size() - 1);
      for (std::size_t v = 0; v < table.size(); ++v) {
        const double pheromone = (1 - evaporation_) * table.at(v) + evaporation_ * weight[v] / total;
        table.set(v, std::clamp(pheromone, lower, upper));
      }
    }
  }

  Deposit deposit_;
  double greediness_ = 0, evaporation_ = 0, decay_ = 0, start_ = 0;
  std::uint64_t ranks_ = 1;
  double best_probability_ = 0, converged_share_ = 0;  // p_best, and its root: the probability of the best value of a parameter

  std::vector<Pheromones> tables_;
  std::vector<Gene> best_;  // so far
  double best_cost_ = kInfinity;
  double reference_ = kInfinity;  // the first finite cost of a colony's best ant
};

template <Deposit deposit>
const AgentEntry& entry() {
  static const AgentEntry entry = {aco_info(deposit),
                                   [](const DesignSpace& space, const AgentOptions& options) -> std::unique_ptr<Agent> {
                                     return std::make_unique<AcoAgent>(deposit, space, options);
                                   }};
  return entry;
}

}  // namespace

const AgentEntry& aco_agent() {
  return entry<Deposit::rank>();
}

const AgentEntry& aco_inverse_cost_agent() {
  return entry<Deposit::inverse_cost>();
}

const AgentEntry& aco_archgym_agent() {
  return entry<Deposit::archgym>();
}

}  // namespace exarch
