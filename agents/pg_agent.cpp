// Policy gradient: a distribution over the values of every parameter, moved towards what costs less than expected. REINFORCE with
// a baseline (Williams, 1992), and PPO's clipped objective (Schulman et al., 2017). An episode is one step, as in ArchGym's
// environments. docs/agents.md has the equations.
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "agents/agents_internal.hpp"

namespace exarch {
namespace {

enum class Update : std::uint8_t { reinforce, ppo };

constexpr double kLargestAdvantage = 3;  // one lucky candidate must not decide
constexpr double kLargestLogit = 30;     // exp() of differences stays finite

const AgentInfo& pg_info(Update update) {
  static const HyperparameterInfo kEntropy = {"entropy", "0.01", "0 to 10",
                                              "weight of the policy's entropy, which keeps it from settling early"};
  static const AgentInfo reinforce = {
      "pg",
      "policy gradient: REINFORCE with a moving-average baseline",
      {{"rate", "2", "above 0, up to 100", "step along the gradient per generation"},
       {"baseline", "0.9", "0 to 1", "how slowly the expected cost follows the generations' means"},
       kEntropy}};
  static const AgentInfo ppo = {
      "pg:ppo",
      "policy gradient with PPO's clipped objective",
      {{"rate", "4", "above 0, up to 100", "step along the gradient per epoch"},
       {"epochs", "4", "1 to 1000", "steps per generation"},
       {"clip", "0.2", "above 0, below 1", "how far a candidate's probability ratio may move before it no longer counts"},
       kEntropy}};
  return update == Update::ppo ? ppo : reinforce;
}

template <Update kUpdate>
class PgAgent final : public GenerationAgent {
 public:
  PgAgent(const DesignSpace& space, const AgentOptions& options) : GenerationAgent(pg_info(kUpdate), space, options) {
    const Hyperparameters values(info_, options);
    rate_ = values.real("rate", 1e-9, 100);
    entropy_ = values.real("entropy", 0, 10);
    if constexpr (kUpdate == Update::ppo) {
      epochs_ = values.integer("epochs", 1, 1000);
      clip_ = values.real("clip", 1e-9, 1 - 1e-9);
    } else {
      following_ = values.real("baseline", 0, 1);
    }
    for (std::size_t p = 0; p < space.dimensions(); ++p) {
      logits_.emplace_back(Eigen::VectorXd::Zero(static_cast<Eigen::Index>(space.values(p).size())));
    }
  }

  void ask(GeneBatch& batch) override {
    resize_batch(batch, space_, population_);
    std::vector<Eigen::VectorXd> below = policy();
    for (Eigen::VectorXd& b : below) {
      for (Eigen::Index v = 1; v < b.size(); ++v) b(v) += b(v - 1);
    }
    for (std::size_t c = 0; c < population_; ++c) {
      PhiloxStream draws = stream(c, Purpose::policy);
      for (std::size_t p = 0; p < below.size(); ++p) {
        const Eigen::VectorXd& b = below[p];
        const double* end = b.data() + b.size();
        const double* place = std::upper_bound(b.data(), end, draws.unit() * b(b.size() - 1));
        batch.row(c)[p] = static_cast<Gene>(std::min<std::ptrdiff_t>(place - b.data(), b.size() - 1));
      }
    }
  }

  void tell(const GeneBatch& batch, std::span<const double> told) override {
    check_told(population_, batch, told);
    const std::vector<double> advantage = advantages(comparable(told));
    if (!advantage.empty()) {
      if constexpr (kUpdate == Update::ppo) {
        const std::vector<Eigen::VectorXd> old = policy();
        for (std::uint64_t epoch = 0; epoch < epochs_; ++epoch) ascend(batch, clipped(batch, advantage, old));
      } else {
        ascend(batch, advantage);
      }
    }
    ++generation_;
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer = begin_state();
    writer.put(expected_);
    writer.put(spread_);
    for (const Eigen::VectorXd& l : logits_) {
      writer.put(static_cast<std::uint64_t>(l.size()), 4);
      writer.put(std::span<const double>(l.data(), static_cast<std::size_t>(l.size())));
    }
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader(info_.name, state);
    const std::uint32_t generation = begin_restore(reader);
    const std::vector<double> expected = reader.get_doubles(2);
    std::vector<Eigen::VectorXd> logits = logits_;
    for (Eigen::VectorXd& l : logits) {
      if (reader.get(4) != static_cast<std::uint64_t>(l.size())) reader.fail("it is of another space");
      for (double& value : l) {
        value = reader.get_double();
        if (!(std::abs(value) <= kLargestLogit)) reader.fail("a value is out of range");
      }
    }
    reader.finish();
    generation_ = generation;
    expected_ = expected[0];
    spread_ = expected[1];
    logits_ = std::move(logits);
  }

 private:
  // (parameter)(value) probabilities.
  [[nodiscard]] std::vector<Eigen::VectorXd> policy() const {
    std::vector<Eigen::VectorXd> policy = logits_;
    for (Eigen::VectorXd& p : policy) {
      p = (p.array() - p.maxCoeff()).exp();
      p /= p.sum();
    }
    return policy;
  }

  // How much less than expected each candidate costs, in standard deviations; empty when there is nothing to learn from. An
  // infeasible candidate counts as the worst feasible one.
  [[nodiscard]] std::vector<double> advantages(std::vector<double> costs) {
    double worst = -std::numeric_limits<double>::infinity();
    for (const double cost : costs) {
      if (std::isfinite(cost)) worst = std::max(worst, cost);
    }
    if (!std::isfinite(worst)) return {};
    std::ranges::replace_if(
        costs, [](double cost) { return !std::isfinite(cost); }, worst);
    const Eigen::Map<const Eigen::ArrayXd> all(costs.data(), static_cast<Eigen::Index>(costs.size()));
    const double mean = all.mean();
    const double deviation = std::sqrt((all - mean).square().mean());
    if (!std::isfinite(mean) || !std::isfinite(deviation)) return {};
    const double keep = spread_ > 0 ? following_ : 0;
    expected_ = keep * expected_ + (1 - keep) * mean;
    spread_ = keep * spread_ + (1 - keep) * deviation;
    if (!(spread_ > 0)) return {};
    for (double& cost : costs) cost = std::clamp((expected_ - cost) / spread_, -kLargestAdvantage, kLargestAdvantage);
    return costs;
  }

  // What the clipped objective leaves of each candidate's advantage, times the ratio of its probabilities.
  [[nodiscard]] std::vector<double> clipped(const GeneBatch& batch, std::span<const double> advantage,
                                            const std::vector<Eigen::VectorXd>& old) const {
    const std::vector<Eigen::VectorXd> now = policy();
    std::vector<double> weight(advantage.begin(), advantage.end());
    for (std::size_t c = 0; c < weight.size(); ++c) {
      double ratio = 1;
      for (std::size_t p = 0; p < now.size(); ++p) ratio *= now[p](batch.row(c)[p]) / old[p](batch.row(c)[p]);
      const bool beyond = weight[c] > 0 ? ratio > 1 + clip_ : ratio < 1 - clip_;
      weight[c] *= beyond ? 0 : ratio;
    }
    return weight;
  }

  // One step along the gradient of the mean of weight * log probability, plus the entropy's.
  void ascend(const GeneBatch& batch, std::span<const double> weight) {
    const std::vector<Eigen::VectorXd> now = policy();
    double total = 0;
    for (const double w : weight) total += w;
    const auto candidates = static_cast<double>(weight.size());
    for (std::size_t p = 0; p < now.size(); ++p) {
      if (now[p].size() == 1) continue;
      Eigen::VectorXd gradient = -total * now[p];
      for (std::size_t c = 0; c < weight.size(); ++c) gradient(batch.row(c)[p]) += weight[c];
      gradient /= candidates;
      const Eigen::ArrayXd logs = now[p].array().max(1e-300).log();
      const double entropy = -(now[p].array() * logs).sum();
      gradient.array() -= entropy_ * now[p].array() * (logs + entropy);
      logits_[p] += rate_ * gradient;
      logits_[p].array() -= logits_[p].mean();
      logits_[p] = logits_[p].cwiseMax(-kLargestLogit).cwiseMin(kLargestLogit);
    }
  }

  double rate_ = 0, entropy_ = 0, following_ = 0, clip_ = 0;
  std::uint64_t epochs_ = 1;

  std::vector<Eigen::VectorXd> logits_;  // (parameter)(value)
  double expected_ = 0, spread_ = 0;     // of the costs
};

template <Update kUpdate>
const AgentEntry& entry() {
  static const AgentEntry entry = {pg_info(kUpdate), make<PgAgent<kUpdate>>};
  return entry;
}

}  // namespace

const AgentEntry& pg_agent() {
  return entry<Update::reinforce>();
}

const AgentEntry& pg_ppo_agent() {
  return entry<Update::ppo>();
}

}  // namespace exarch
