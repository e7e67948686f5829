// NSGA-II: a genetic algorithm that ranks by non-dominated fronts and crowding (Deb, Pratap, Agarwal and Meyarivan, "A fast and
// elitist multiobjective genetic algorithm: NSGA-II", IEEE Trans. Evol. Comput. 2002). docs/agents.md has the pseudo-code.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "agents/variation.hpp"
#include "host/metric/metric.hpp"

namespace exarch {
namespace {

constexpr std::size_t kMaxObjectives = 3;

const AgentInfo& nsga2_info() {
  static const AgentInfo info = [] {
    AgentInfo i = {
        "nsga2",
        "NSGA-II, for one to three objectives",
        {{"crossover", "uniform", "two-point, uniform", "how two parents make a child"},
         {"crossover_rate", "0.9", "0 to 1", "probability that a child has two parents"},
         {"mutation_rate", "auto", "auto, or 0 to 1", "probability per gene of another value; auto = 1 / searched parameters"}}};
    i.max_objectives = kMaxObjectives;
    return i;
  }();
  return info;
}

class Nsga2Agent final : public GenerationAgent {
 public:
  Nsga2Agent(const DesignSpace& space, const AgentOptions& options)
      : GenerationAgent(nsga2_info(), space, options),
        objectives_(options.objectives),
        breeding_(Hyperparameters(nsga2_info(), options), space) {}

  void ask(GeneBatch& batch) override {
    if (generation_ == 0) return ask_uniform(batch);
    resize_batch(batch, space_, population_);
    for (std::size_t c = 0; c < population_; ++c) breed(c, batch.row(c));
  }

  void tell(const GeneBatch& batch, std::span<const double> told) override {
    check_told(population_, batch, told, objectives_);
    const std::vector<double> costs = comparable(told);
    if (generation_ == 0) {
      parents_ = batch;
      costs_ = costs;
    } else {
      select_survivors(batch, costs);
    }
    rank_parents();
    ++generation_;
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer = begin_state();
    writer.put(objectives_, 4);
    writer.put(std::span<const Gene>(parents_.genes));
    writer.put(std::span<const double>(costs_));
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader(info_.name, state);
    const std::uint32_t generation = begin_restore(reader);
    const std::size_t count = generation == 0 ? 0 : population_;
    if (reader.get(4) != objectives_) reader.fail("it has another number of objectives");
    GeneBatch parents = reader.get_genes(space_, count);
    std::vector<double> costs = reader.get_doubles(count * objectives_);
    reader.finish();
    generation_ = generation;
    parents_ = std::move(parents);
    costs_ = std::move(costs);
    if (generation_ > 0) rank_parents();
  }

 private:
  using Members = std::vector<std::uint32_t>;

  [[nodiscard]] static std::span<const double> costs_of(const std::vector<double>& costs, std::uint32_t member,
                                                        std::size_t objectives) {
    return std::span(costs).subspan(member * objectives, objectives);
  }

  // a is nowhere worse than b, and somewhere better.
  [[nodiscard]] static bool dominates(std::span<const double> a, std::span<const double> b) {
    bool better = false;
    for (std::size_t k = 0; k < a.size(); ++k) {
      if (a[k] > b[k]) return false;
      better = better || a[k] < b[k];
    }
    return better;
  }

  // Non-dominated sorting by insertion into fronts in lexicographic order of the costs (Zhang, Tian, Cheng and Jin, "An efficient
  // approach to nondominated sorting", 2015): only earlier members can dominate, and of two objectives only the latest in a front
  // needs to be looked at. `copies` are left out: they make the last front.
  [[nodiscard]] std::vector<Members> fronts_of(const std::vector<double>& costs, const std::vector<bool>& copies) const {
    Members order(copies.size());
    std::iota(order.begin(), order.end(), 0u);
    const auto row = [&](std::uint32_t m) { return costs_of(costs, m, objectives_); };
    std::ranges::stable_sort(
        order, [&](std::uint32_t a, std::uint32_t b) { return std::ranges::lexicographical_compare(row(a), row(b)); });
    std::vector<Members> fronts;
    const auto beaten_in = [&](const Members& front, std::uint32_t member) {
      if (objectives_ <= 2) return dominates(row(front.back()), row(member));
      return std::any_of(front.rbegin(), front.rend(), [&](std::uint32_t other) { return dominates(row(other), row(member)); });
    };
    Members last;
    for (const std::uint32_t member : order) {
      if (copies[member]) {
        last.push_back(member);
        continue;
      }
      const auto place = std::ranges::partition_point(fronts, [&](const Members& front) { return beaten_in(front, member); });
      if (place == fronts.end()) {
        fronts.push_back({member});
      } else {
        place->push_back(member);
      }
    }
    if (!last.empty()) fronts.push_back(std::move(last));
    return fronts;
  }

  // Members whose costs an earlier one has: in a discrete space many designs cost the same, and more than one of them says
  // nothing new about the front.
  [[nodiscard]] std::vector<bool> copies_in(const std::vector<double>& costs) const {
    const auto row = [&](std::uint32_t m) { return costs_of(costs, m, objectives_); };
    Members order(costs.size() / objectives_);
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::stable_sort(
        order, [&](std::uint32_t a, std::uint32_t b) { return std::ranges::lexicographical_compare(row(a), row(b)); });
    std::vector<bool> copies(order.size());
    for (std::size_t i = 1; i < order.size(); ++i) copies[order[i]] = std::ranges::equal(row(order[i]), row(order[i - 1]));
    return copies;
  }

  // Adds the crowding distances of a front's members.
  void add_crowding(const Members& front, const std::vector<double>& costs, std::vector<double>& crowding) const {
    Members order = front;
    for (std::size_t k = 0; k < objectives_; ++k) {
      const auto cost = [&](std::uint32_t m) { return costs[m * objectives_ + k]; };
      std::ranges::stable_sort(order, {}, cost);
      const double range = cost(order.back()) - cost(order.front());
      crowding[order.front()] = crowding[order.back()] = kInfinity;
      if (!(range > 0) || !std::isfinite(range)) continue;
      for (std::size_t i = 1; i + 1 < order.size(); ++i) crowding[order[i]] += (cost(order[i + 1]) - cost(order[i - 1])) / range;
    }
  }

  // The next parents: whole fronts of parents and children together, and of the front that no longer fits the least crowded.
  void select_survivors(const GeneBatch& children, const std::vector<double>& costs) {
    GeneBatch all = parents_;
    all.genes.insert(all.genes.end(), children.genes.begin(), children.genes.end());
    std::vector<double> all_costs = costs_;
    all_costs.insert(all_costs.end(), costs.begin(), costs.end());
    Members survivors;
    std::vector<double> crowding(all.candidates());
    for (Members& front : fronts_of(all_costs, copies_in(all_costs))) {
      const std::size_t room = population_ - survivors.size();
      if (front.size() > room) {
        add_crowding(front, all_costs, crowding);
        std::ranges::stable_sort(front, [&](std::uint32_t a, std::uint32_t b) { return crowding[a] > crowding[b]; });
        front.resize(room);
      }
      survivors.insert(survivors.end(), front.begin(), front.end());
    }
    for (std::size_t c = 0; c < population_; ++c) {
      std::ranges::copy(all.row(survivors[c]), parents_.row(c).begin());
      std::ranges::copy(costs_of(all_costs, survivors[c], objectives_),
                        costs_.begin() + static_cast<std::ptrdiff_t>(c * objectives_));
    }
  }

  void rank_parents() {
    front_.assign(population_, 0);
    crowding_.assign(population_, 0);
    std::uint32_t number = 0;
    for (const Members& front : fronts_of(costs_, copies_in(costs_))) {
      for (const std::uint32_t member : front) front_[member] = number;
      add_crowding(front, costs_, crowding_);
      ++number;
    }
  }

  [[nodiscard]] std::uint32_t tournament_winner(PhiloxStream& draws) const {
    const auto population = static_cast<std::uint32_t>(population_);
    const std::uint32_t a = draws.below(population), b = draws.below(population);
    if (front_[a] != front_[b]) return front_[a] < front_[b] ? a : b;
    return crowding_[b] > crowding_[a] ? b : a;
  }

  void breed(std::size_t child, std::span<Gene> genes) const {
    PhiloxStream draws = stream(child, Purpose::parents);
    const auto first = parents_.row(tournament_winner(draws));
    const auto second = parents_.row(tournament_winner(draws));
    breeding_.make_child(space_, first, second, stream(child, Purpose::crossover), stream(child, Purpose::mutation), genes);
  }

  std::size_t objectives_;
  Breeding breeding_;

  GeneBatch parents_;
  std::vector<double> costs_;         // (parent, objective)
  std::vector<std::uint32_t> front_;  // (parent) 0: not dominated by any
  std::vector<double> crowding_;      // (parent)
};

}  // namespace

const AgentEntry& nsga2_agent() {
  static const AgentEntry entry = {nsga2_info(), make<Nsga2Agent>};
  return entry;
}

}  // namespace exarch
