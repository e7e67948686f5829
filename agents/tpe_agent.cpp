// The tree-structured Parzen estimator: candidates that are likely among the good ones and unlikely among the others (Bergstra,
// Bardenet, Bengio and Kegl, "Algorithms for hyper-parameter optimization", 2011). Its work is linear in what it remembers, so it
// is the Bayesian optimiser for large populations. docs/agents.md has the equations.
#include <algorithm>
#include <cmath>
#include <set>

#include "agents/observations.hpp"

namespace exarch {
namespace {

constexpr std::size_t kRemembered = 2000;  // half the best, half the newest
constexpr std::size_t kFullWeights = 25;   // the newest observations have weight 1
constexpr int kAttempts = 4;               // to find a candidate that is not yet known

const AgentInfo& tpe_info() {
  static const AgentInfo info = {
      "bo:tpe",
      "tree-structured Parzen estimator: Bayesian optimisation for large populations",
      {{"good", "0.1", "above 0, below 1", "share of the observations that count as good"},
       {"most_good", "25", "1 to 1000", "how many they are at most"},
       {"candidates", "24", "1 to 10000", "draws per candidate; the most promising is asked"},
       {"prior", "1", "above 0, up to 1000", "weight of the uniform distribution against one observation"}}};
  return info;
}

// Where observations of one group lie: a distribution over the values of every parameter.
class Estimate {
 public:
  // `weights`: of the members, in the order of their numbers.
  Estimate(const DesignSpace& space, const GeneBatch& candidates, std::span<const std::uint32_t> members,
           std::span<const double> weights, double prior)
      : probability_(space.dimensions()), below_(space.dimensions()) {
    for (std::size_t p = 0; p < space.dimensions(); ++p) {
      const std::size_t values = space.values(p).size();
      const bool ordered = space.parameters()[p].kind == ParameterKind::integer;
      std::vector<double>& mass = probability_[p];
      mass.assign(values, prior / static_cast<double>(values));
      double total = prior;
      for (std::size_t i = 0; i < members.size(); ++i) {
        add(mass, candidates.row(members[i])[p], weights[i], ordered);
        total += weights[i];
      }
      below_[p].resize(values);
      double sum = 0;
      for (std::size_t v = 0; v < values; ++v) {
        mass[v] /= total;
        below_[p][v] = sum += mass[v];
      }
    }
  }

  [[nodiscard]] Gene draw(std::size_t p, PhiloxStream& draws) const {
    const auto& below = below_[p];
    const auto place = std::ranges::upper_bound(below, draws.unit() * below.back());
    return static_cast<Gene>(std::min<std::size_t>(static_cast<std::size_t>(place - below.begin()), below.size() - 1));
  }
  [[nodiscard]] double probability(std::size_t p, Gene value) const { return probability_[p][value]; }

 private:
  // An observation of an ordered value speaks for its neighbours too.
  static void add(std::vector<double>& mass, Gene value, double weight, bool ordered) {
    const std::size_t last = mass.size() - 1;
    if (!ordered || last == 0) {
      mass[value] += weight;
      return;
    }
    mass[value] += weight / 2;
    mass[value == 0 ? 1 : value - 1u] += weight / 4;
    mass[value == last ? last - 1 : value + 1u] += weight / 4;
  }

  std::vector<std::vector<double>> probability_, below_;  // (parameter)(value)
};

class TpeAgent final : public GenerationAgent {
 public:
  TpeAgent(const DesignSpace& space, const AgentOptions& options)
      : GenerationAgent(tpe_info(), space, options), known_(space, kRemembered / 2, kRemembered / 2) {
    const Hyperparameters values(info_, options);
    good_ = values.real("good", 1e-9, 1 - 1e-9);
    most_good_ = values.integer("most_good", 1, 1000);
    candidates_ = values.integer("candidates", 1, 10'000);
    prior_ = values.real("prior", 1e-9, 1000);
  }

  void ask(GeneBatch& batch) override {
    if (generation_ == 0) return ask_uniform(batch);
    resize_batch(batch, space_, population_);
    const std::vector<std::uint32_t> order = known_.by_cost();
    const auto good =
        std::min<std::size_t>(most_good_, static_cast<std::size_t>(std::ceil(good_ * static_cast<double>(order.size()))));
    const Estimate likely = estimate({order.begin(), order.begin() + static_cast<std::ptrdiff_t>(good)});
    const Estimate others = estimate({order.begin() + static_cast<std::ptrdiff_t>(good), order.end()});
    // Remembering every candidate of a huge generation would cost more than it saves.
    const bool repeats = population_ > kRemembered;
    std::set<std::vector<Gene>> seen;
    if (!repeats) seen = known_.points();
    std::vector<Gene> genes(space_.dimensions());
    for (std::size_t c = 0; c < population_; ++c) {
      PhiloxStream draws = stream(c, Purpose::trial);
      for (int attempt = 0; attempt < kAttempts; ++attempt) {
        draw_best(likely, others, draws, genes);
        if (repeats || seen.insert(genes).second) break;
      }
      std::ranges::copy(genes, batch.row(c).begin());
    }
  }

  void tell(const GeneBatch& batch, std::span<const double> costs) override {
    check_told(population_, batch, costs);
    known_.add(batch, comparable(costs));
    ++generation_;
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer = begin_state();
    known_.write(writer);
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader(info_.name, state);
    const std::uint32_t generation = begin_restore(reader);
    Observations known = known_;
    known.read(reader);
    reader.finish();
    generation_ = generation;
    known_.assign(std::move(known));
  }

 private:
  // Old observations fade: of n, the oldest weighs 1/n, the newest 25 weigh 1, linearly in between (as hyperopt and Optuna do).
  [[nodiscard]] Estimate estimate(std::vector<std::uint32_t> members) const {
    std::ranges::sort(members);
    std::vector<double> weights(members.size(), 1.0);
    const double n = static_cast<double>(members.size());
    const std::size_t ramp = members.size() > kFullWeights ? members.size() - kFullWeights : 0;
    for (std::size_t i = 0; i < ramp; ++i) {
      weights[i] = ramp == 1 ? 1 / n : 1 / n + (1 - 1 / n) * static_cast<double>(i) / static_cast<double>(ramp - 1);
    }
    return {space_, known_.candidates(), members, weights, prior_};
  }

  // The draw from the good ones' estimate with the largest ratio to the others'; the first of equal ones.
  void draw_best(const Estimate& likely, const Estimate& others, PhiloxStream& draws, std::vector<Gene>& best) const {
    std::vector<Gene> genes(space_.dimensions());
    double most = 0;
    for (std::uint64_t i = 0; i < candidates_; ++i) {
      double ratio = 1;
      for (std::size_t p = 0; p < genes.size(); ++p) {
        genes[p] = likely.draw(p, draws);
        ratio *= likely.probability(p, genes[p]) / others.probability(p, genes[p]);
      }
      if (i == 0 || ratio > most) {
        most = ratio;
        best = genes;
      }
    }
  }

  double good_ = 0, prior_ = 1;
  std::uint64_t most_good_ = 1, candidates_ = 1;

  Observations known_;
};

}  // namespace

const AgentEntry& bo_tpe_agent() {
  static const AgentEntry entry = {tpe_info(), make<TpeAgent>};
  return entry;
}

}  // namespace exarch
