// A generational genetic algorithm on integer genes: tournament selection, crossover, mutation, elitism. docs/agents.md has
// the pseudo-code.
#include <algorithm>
#include <numeric>
#include <optional>

#include "agents/agents_internal.hpp"
#include "agents/variation.hpp"

namespace exarch {
namespace {

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

const AgentInfo& gamma_info() {
  static const AgentInfo info = [] {
    AgentInfo gamma = ga_info();
    gamma.name = "ga:gamma";
    gamma.doc = "genetic algorithm with the operators of GAMMA: reordering of loops, growing of tiles, aging";
    gamma.hyperparameters.insert(
        gamma.hyperparameters.end(),
        {{"reorder_rate", "0.5", "0 to 1", "probability per child that two loops of an order change places"},
         {"growth_rate", "0.5", "0 to 1", "probability per child that a tile takes the next value up or down"},
         {"age_limit", "10", "0 to 1000000", "generations after which an elite is asked no more; 0 = never"}});
    return gamma;
  }();
  return info;
}

// The plain algorithm, or, with kDomain, GAMMA's operators on top.
template <bool kDomain>
class GaAgent final : public Agent {
 public:
  GaAgent(const DesignSpace& space, const AgentOptions& options)
      : space_(space), seed_(options.seed), population_(options.population), breeding_(Hyperparameters(info(), options), space) {
    const Hyperparameters values(info(), options);
    tournament_ = values.integer("tournament", 1, kMaxTournament);
    elites_ = std::min<std::size_t>(values.integer("elites", 0, 1'000'000), population_ - 1);
    if constexpr (kDomain) {
      domain_.emplace(values, space);
      age_limit_ = static_cast<std::uint32_t>(values.integer("age_limit", 0, 1'000'000));
    }
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
    asked_ages_.assign(population_, 0);
    for (std::size_t c = 0; c < elites.size(); ++c) {
      std::ranges::copy(told_.row(elites[c]), batch.row(c).begin());
      if (!ages_.empty()) asked_ages_[c] = ages_[elites[c]] + 1;
    }
    for (std::size_t c = elites.size(); c < population_; ++c) breed(c, batch.row(c));
  }

  void tell(const GeneBatch& batch, std::span<const double> costs) override {
    check_told(population_, batch, costs);
    told_ = batch;
    costs_ = comparable(costs);
    if constexpr (kDomain) {
      ages_ = asked_ages_;
      ages_.resize(population_);
    }
    ++generation_;
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer(info().name);
    writer.put(generation_, 4);
    writer.put(costs_.size(), 4);
    writer.put(space_.dimensions(), 4);
    writer.put(std::span<const Gene>(told_.genes));
    writer.put(std::span<const double>(costs_));
    for (const std::uint32_t age : ages_) writer.put(age, 4);
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader(info().name, state);
    const auto generation = static_cast<std::uint32_t>(reader.get(4));
    const auto candidates = static_cast<std::size_t>(reader.get(4));
    const auto dimensions = static_cast<std::size_t>(reader.get(4));
    if (candidates != (generation == 0 ? 0 : population_)) {
      reader.fail("it has another population");
    }
    if (dimensions != space_.dimensions()) reader.fail("it is of another space");
    GeneBatch told = reader.get_genes(space_, candidates);
    std::vector<double> costs = reader.get_doubles(candidates);
    std::vector<std::uint32_t> ages(kDomain ? candidates : 0);
    for (std::uint32_t& age : ages) age = static_cast<std::uint32_t>(reader.get(4));
    reader.finish();
    ages_ = std::move(ages);
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
    if (age_limit_ != 0) std::erase_if(order, [this](std::uint32_t candidate) { return ages_[candidate] >= age_limit_; });
    const std::size_t kept = std::min(elites_, order.size());
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(kept);
    std::nth_element(order.begin(), end, order.end(), by_rank);
    std::sort(order.begin(), end, by_rank);
    order.resize(kept);
    return order;
  }

  [[nodiscard]] PhiloxStream stream(std::size_t candidate, Purpose purpose) const {
    return {seed_, static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(candidate), generation_};
  }

  void breed(std::size_t child, std::span<Gene> genes) const {
    PhiloxStream draws = stream(child, Purpose::parents);
    const auto first = told_.row(tournament_winner(draws));
    const auto second = told_.row(tournament_winner(draws));
    breeding_.make_child(space_, first, second, stream(child, Purpose::crossover), stream(child, Purpose::mutation), genes);
    if constexpr (kDomain) domain_->apply(space_, genes, stream(child, Purpose::domain_move));
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

  [[nodiscard]] static const AgentInfo& info() { return kDomain ? gamma_info() : ga_info(); }

  const DesignSpace& space_;
  std::uint64_t seed_;
  std::size_t population_;
  Breeding breeding_;
  std::uint64_t tournament_ = 0;
  std::size_t elites_ = 0;
  std::optional<DomainMoves> domain_;
  std::uint32_t age_limit_ = 0;

  std::uint32_t generation_ = 0;  // of the next ask()
  GeneBatch told_;                // the last generation and its costs
  std::vector<double> costs_;
  // (candidate) generations for which it has been an elite; of the last generation, with kDomain only, and of the one asked.
  std::vector<std::uint32_t> ages_, asked_ages_;
};

}  // namespace

const AgentEntry& ga_agent() {
  static const AgentEntry entry = {ga_info(), make<GaAgent<false>>};
  return entry;
}

const AgentEntry& ga_gamma_agent() {
  static const AgentEntry entry = {gamma_info(), make<GaAgent<true>>};
  return entry;
}

}  // namespace exarch
