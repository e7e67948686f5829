// A generational genetic algorithm on integer genes: tournament selection, crossover, mutation, elitism. docs/agents.md has
// the pseudo-code.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "agents/agents_internal.hpp"
#include "kernels/core/philox.hpp"

namespace exarch {
namespace {

enum class Crossover : std::uint8_t { two_point, uniform };
const std::vector<std::string> kCrossovers = {"two-point", "uniform"};
constexpr std::uint64_t kMaxTournament = 1000;

const AgentInfo& ga_info() {
  static const AgentInfo info = {
      "ga",
      "generational genetic algorithm on integer genes",
      {{"tournament", "3", "1 to 1000", "candidates drawn per parent; the cheapest wins"},
       {"crossover", "two-point", "two-point, uniform", "how two parents make a child"},
       {"crossover_rate", "0.9", "0 to 1", "probability that a child has two parents"},
       {"mutation_rate", "auto", "auto, or 0 to 1", "probability per gene of another value; auto = 1 / searched parameters"},
       {"elites", "2", "0 to 1000000", "best candidates asked again unchanged; at most population - 1"}}};
  return info;
}

// One over the number of parameters that have a choice: one mutation per child on average.
double automatic_mutation_rate(const DesignSpace& space) {
  std::size_t searched = 0;
  for (std::size_t p = 0; p < space.dimensions(); ++p) searched += space.values(p).size() > 1;
  return 1.0 / static_cast<double>(std::max<std::size_t>(1, searched));
}

class GaAgent final : public Agent {
 public:
  GaAgent(const DesignSpace& space, const AgentOptions& options)
      : space_(space), seed_(options.seed), population_(options.population) {
    const Hyperparameters values(ga_info(), options);
    tournament_ = values.integer("tournament", 1, kMaxTournament);
    crossover_ = static_cast<Crossover>(values.choice("crossover", kCrossovers));
    crossover_rate_ = values.real("crossover_rate", 0, 1);
    mutation_rate_ = values.text("mutation_rate") == "auto" ? automatic_mutation_rate(space) : values.real("mutation_rate", 0, 1);
    elites_ = std::min<std::size_t>(values.integer("elites", 0, 1'000'000), population_ - 1);
  }

  void ask(GeneBatch& batch) override {
    resize_batch(batch, space_, population_);
    if (generation_ == 0) {
      for (std::size_t c = 0; c < population_; ++c) {
        draw_uniform(space_, seed_, generation_, c, batch.row(c));
      }
      return;
    }
    const std::vector<std::uint32_t> elites = best_candidates();
    for (std::size_t c = 0; c < elites.size(); ++c) {
      std::ranges::copy(told_.row(elites[c]), batch.row(c).begin());
    }
    for (std::size_t c = elites.size(); c < population_; ++c) breed(c, batch.row(c));
  }

  void tell(const GeneBatch& batch, std::span<const double> costs) override {
    check_told(population_, batch, costs);
    told_ = batch;
    costs_.assign(costs.begin(), costs.end());
    // NaN has no order; a cost that cannot be compared is the worst there is.
    for (double& cost : costs_) {
      if (std::isnan(cost)) cost = std::numeric_limits<double>::infinity();
    }
    ++generation_;
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer("ga");
    writer.put(generation_, 4);
    writer.put(costs_.size(), 4);
    writer.put(space_.dimensions(), 4);
    for (const Gene gene : told_.genes) writer.put(gene, sizeof(Gene));
    for (const double cost : costs_) writer.put(cost);
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader("ga", state);
    const auto generation = static_cast<std::uint32_t>(reader.get(4));
    const auto candidates = static_cast<std::size_t>(reader.get(4));
    const auto dimensions = static_cast<std::size_t>(reader.get(4));
    if (candidates != (generation == 0 ? 0 : population_)) {
      reader.fail("it has another population");
    }
    if (dimensions != space_.dimensions()) reader.fail("it is of another space");
    GeneBatch told;
    resize_batch(told, space_, candidates);
    for (std::size_t i = 0; i < told.genes.size(); ++i) {
      told.genes[i] = static_cast<Gene>(reader.get(sizeof(Gene)));
      if (told.genes[i] >= space_.values(i % dimensions).size()) {
        reader.fail("it is of another space");
      }
    }
    std::vector<double> costs(candidates);
    for (double& cost : costs) {
      cost = reader.get_double();
      if (std::isnan(cost)) reader.fail("a cost is not a number");
    }
    reader.finish();
    generation_ = generation;
    told_ = std::move(told);
    costs_ = std::move(costs);
  }

 private:
  // Candidates in order of cost; equal costs (+infinity included) in order of their numbers, so the order is total.
  [[nodiscard]] bool better(std::uint32_t a, std::uint32_t b) const {
    return costs_[a] != costs_[b] ? costs_[a] < costs_[b] : a < b;
  }

  [[nodiscard]] std::vector<std::uint32_t> best_candidates() const {
    const auto by_rank = [this](std::uint32_t a, std::uint32_t b) { return better(a, b); };
    std::vector<std::uint32_t> order(population_);
    std::iota(order.begin(), order.end(), 0u);
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(elites_);
    std::nth_element(order.begin(), end, order.end(), by_rank);
    std::sort(order.begin(), end, by_rank);
    order.resize(elites_);
    return order;
  }

  [[nodiscard]] PhiloxStream stream(std::size_t candidate, Purpose purpose) const {
    return {seed_, static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(candidate), generation_};
  }

  void breed(std::size_t child, std::span<Gene> genes) const {
    PhiloxStream draws = stream(child, Purpose::parents);
    const auto first = told_.row(tournament_winner(draws));
    const auto second = told_.row(tournament_winner(draws));
    std::ranges::copy(first, genes.begin());
    cross(child, second, genes);
    mutate(child, genes);
  }

  [[nodiscard]] std::uint32_t tournament_winner(PhiloxStream& draws) const {
    const auto population = static_cast<std::uint32_t>(population_);
    std::uint32_t winner = draws.below(population);
    for (std::uint64_t i = 1; i < tournament_; ++i) {
      const std::uint32_t rival = draws.below(population);
      if (better(rival, winner)) winner = rival;
    }
    return winner;
  }

  void cross(std::size_t child, std::span<const Gene> other, std::span<Gene> genes) const {
    PhiloxStream draws = stream(child, Purpose::crossover);
    if (draws.unit() >= crossover_rate_) return;
    if (crossover_ == Crossover::uniform) {
      for (std::size_t p = 0; p < genes.size(); ++p) {
        if (draws.below(2) == 1) genes[p] = other[p];
      }
      return;
    }
    // Two different cuts among the places before, between and after the genes; the second parent gives what lies between.
    const auto places = static_cast<std::uint32_t>(genes.size() + 1);
    const std::uint32_t a = draws.below(places);
    std::uint32_t b = draws.below(places - 1);
    if (b >= a) ++b;
    for (std::uint32_t p = std::min(a, b); p < std::max(a, b); ++p) genes[p] = other[p];
  }

  void mutate(std::size_t child, std::span<Gene> genes) const {
    PhiloxStream draws = stream(child, Purpose::mutation);
    for (std::size_t p = 0; p < genes.size(); ++p) {
      const auto values = static_cast<std::uint32_t>(space_.values(p).size());
      if (values == 1 || draws.unit() >= mutation_rate_) continue;
      const std::uint32_t other = draws.below(values - 1);  // numbers all values but the present one
      genes[p] = static_cast<Gene>(other < genes[p] ? other : other + 1);
    }
  }

  const DesignSpace& space_;
  std::uint64_t seed_;
  std::size_t population_;
  std::uint64_t tournament_ = 0;
  Crossover crossover_ = Crossover::two_point;
  double crossover_rate_ = 0, mutation_rate_ = 0;
  std::size_t elites_ = 0;

  std::uint32_t generation_ = 0;  // of the next ask()
  GeneBatch told_;                // the last generation and its costs
  std::vector<double> costs_;
};

}  // namespace

const AgentEntry& ga_agent() {
  static const AgentEntry entry = {ga_info(),
                                   [](const DesignSpace& space, const AgentOptions& options) -> std::unique_ptr<Agent> {
                                     return std::make_unique<GaAgent>(space, options);
                                   }};
  return entry;
}

}  // namespace exarch
