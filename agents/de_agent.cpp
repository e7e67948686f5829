// Differential evolution on integers: rand/1/bin over real vectors that are rounded down to genes where they are evaluated (Storn
// and Price, 1997). docs/agents.md has the equations.
#include <cmath>

#include "agents/agents_internal.hpp"

namespace exarch {
namespace {

const AgentInfo& de_info() {
  static const AgentInfo info = [] {
    AgentInfo i = {"de",
                   "differential evolution on integers, rand/1/bin",
                   {{"weight", "0.3", "0 to 2", "smallest factor of the difference of two members"},
                    {"dither", "0.5", "0 to 2", "how much larger a generation's factor may be, uniformly drawn"},
                    {"crossover_rate", "0.5", "0 to 1", "probability that a parameter comes from the mutant"}}};
    i.min_population = 4;  // a member and three different others
    return i;
  }();
  return info;
}

class DeAgent final : public GenerationAgent {
 public:
  DeAgent(const DesignSpace& space, const AgentOptions& options) : GenerationAgent(de_info(), space, options) {
    const Hyperparameters values(info_, options);
    weight_ = values.real("weight", 0, 2);
    dither_ = values.real("dither", 0, 2);
    crossover_rate_ = values.real("crossover_rate", 0, 1);
  }

  void ask(GeneBatch& batch) override {
    resize_batch(batch, space_, population_);
    std::vector<double> trial(space_.dimensions());
    for (std::size_t c = 0; c < population_; ++c) {
      propose(c, trial);
      for (std::size_t p = 0; p < trial.size(); ++p) batch.row(c)[p] = static_cast<Gene>(trial[p]);
    }
  }

  void tell(const GeneBatch& batch, std::span<const double> told) override {
    check_told(population_, batch, told);
    const std::vector<double> costs = comparable(told);
    std::vector<double> next(population_ * space_.dimensions());  // all trials are made from the old generation
    for (std::size_t c = 0; c < population_; ++c)
      propose(c, std::span(next).subspan(c * space_.dimensions(), space_.dimensions()));
    if (generation_ == 0) {
      members_ = std::move(next);
      costs_ = costs;
    } else {
      for (std::size_t c = 0; c < population_; ++c) {
        if (costs[c] > costs_[c]) continue;
        std::ranges::copy(std::span(next).subspan(c * space_.dimensions(), space_.dimensions()), member(c).begin());
        costs_[c] = costs[c];
      }
    }
    ++generation_;
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer = begin_state();
    writer.put(std::span<const double>(members_));
    writer.put(std::span<const double>(costs_));
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader(info_.name, state);
    const std::uint32_t generation = begin_restore(reader);
    const std::size_t count = generation == 0 ? 0 : population_;
    std::vector<double> members = reader.get_doubles(count * space_.dimensions());
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i] < 0 || members[i] >= values_of(i % space_.dimensions())) reader.fail("it is of another space");
    }
    std::vector<double> costs = reader.get_doubles(count);
    reader.finish();
    generation_ = generation;
    members_ = std::move(members);
    costs_ = std::move(costs);
  }

 private:
  [[nodiscard]] double values_of(std::size_t p) const { return static_cast<double>(space_.values(p).size()); }
  [[nodiscard]] std::span<double> member(std::size_t c) {
    return std::span(members_).subspan(c * space_.dimensions(), space_.dimensions());
  }
  [[nodiscard]] std::span<const double> member(std::size_t c) const {
    return std::span(members_).subspan(c * space_.dimensions(), space_.dimensions());
  }

  // Member `c` of the first generation, or what competes with member `c` of a later one.
  void propose(std::size_t c, std::span<double> trial) const {
    PhiloxStream draws = stream(c, Purpose::trial);
    if (generation_ == 0) {
      for (std::size_t p = 0; p < trial.size(); ++p) trial[p] = inside(draws.unit() * values_of(p), p);
      return;
    }
    // Drawn for all members of a generation alike.
    const double factor = weight_ + dither_ * stream(population_, Purpose::trial).unit();
    std::size_t others[3];
    for (std::size_t i = 0; i < 3; ++i) {
      do {
        others[i] = draws.below(static_cast<std::uint32_t>(population_));
      } while (others[i] == c || (i > 0 && others[i] == others[0]) || (i > 1 && others[i] == others[1]));
    }
    const auto base = member(others[0]), plus = member(others[1]), minus = member(others[2]);
    const std::size_t always = draws.below(static_cast<std::uint32_t>(trial.size()));
    std::ranges::copy(member(c), trial.begin());
    for (std::size_t p = 0; p < trial.size(); ++p) {
      const double from_mutant = draws.unit(), choice = draws.unit();
      if (p != always && from_mutant >= crossover_rate_) continue;
      if (space_.parameters()[p].kind == ParameterKind::categorical) {
        // Labels have no differences: where two members disagree, their difference is the first one's label.
        const bool differ = std::floor(plus[p]) != std::floor(minus[p]);
        trial[p] = differ && choice < factor ? plus[p] : base[p];
        continue;
      }
      const double mutant = base[p] + factor * (plus[p] - minus[p]);
      trial[p] = mutant >= 0 && mutant < values_of(p) ? mutant : inside(choice * values_of(p), p);
    }
  }

  // Rounding must not carry a draw out of the range.
  [[nodiscard]] double inside(double value, std::size_t p) const { return std::min(value, std::nextafter(values_of(p), 0.0)); }

  double weight_ = 0, dither_ = 0, crossover_rate_ = 0;
  std::vector<double> members_;  // (member, parameter) in [0, number of values)
  std::vector<double> costs_;    // (member)
};

}  // namespace

const AgentEntry& de_agent() {
  static const AgentEntry entry = {de_info(), make<DeAgent>};
  return entry;
}

}  // namespace exarch
