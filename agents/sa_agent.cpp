// Simulated annealing, and hill climbing with restarts: every candidate is a chain of its own that proposes one neighbour per
// generation. docs/agents.md has the equations.
#include <cmath>
#include <limits>

#include "agents/variation.hpp"

namespace exarch {
namespace {

enum class Acceptance : std::uint8_t { annealing, greedy };

constexpr const char* kLocalityDoc = "probability that an integer parameter moves to the value above or below, not to any";

const AgentInfo& sa_info(Acceptance acceptance) {
  static const AgentInfo annealing = {
      "sa",
      "simulated annealing, one chain per candidate",
      {{"acceptance", "0.8", "above 0, below 1", "share of worse neighbours accepted at first; sets the first temperature"},
       {"cooling", "0.9", "above 0, up to 1", "temperature of a generation over that of the one before"},
       {"locality", "0.5", "0 to 1", kLocalityDoc}}};
  static const AgentInfo greedy = {
      "sa:local",
      "hill climbing, one climber per candidate, that starts again where it finds nothing better",
      {{"patience", "auto", "auto, or 1 to 1000000",
        "neighbours in a row that must not be better before a restart; auto = the number of neighbours"},
       {"locality", "0", "0 to 1", kLocalityDoc}}};
  return acceptance == Acceptance::annealing ? annealing : greedy;
}

template <Acceptance kAcceptance>
class SaAgent final : public GenerationAgent {
 public:
  SaAgent(const DesignSpace& space, const AgentOptions& options)
      : GenerationAgent(sa_info(kAcceptance), space, options), searched_(searched_parameters(space)) {
    const Hyperparameters values(info_, options);
    locality_ = values.real("locality", 0, 1);
    if constexpr (kAcceptance == Acceptance::annealing) {
      first_acceptance_ = values.real("acceptance", 1e-9, 1 - 1e-9);
      cooling_ = values.real("cooling", 1e-9, 1);
    } else {
      patience_ = 0;
      for (const std::size_t p : searched_) patience_ += space.values(p).size() - 1;
      if (values.text("patience") != "auto") patience_ = values.integer("patience", 1, 1'000'000);
    }
  }

  void ask(GeneBatch& batch) override {
    ask_uniform(batch);
    if (generation_ == 0) return;
    for (std::size_t c = 0; c < population_; ++c) {
      if (restarts(c)) continue;  // its uniform draw stands
      std::ranges::copy(at_.row(c), batch.row(c).begin());
      PhiloxStream draws = stream(c, Purpose::neighbour);
      move_one(space_, searched_, locality_, batch.row(c), draws);
    }
  }

  void tell(const GeneBatch& batch, std::span<const double> told) override {
    check_told(population_, batch, told);
    const std::vector<double> costs = comparable(told);
    if (generation_ == 0) {
      at_ = batch;
      costs_ = costs;
      failures_.assign(population_, 0);
    } else {
      if (generation_ == 1) temperature_ = first_temperature(costs);
      for (std::size_t c = 0; c < population_; ++c) {
        const bool fresh = restarts(c);
        failures_[c] = fresh || costs[c] < costs_[c] ? 0 : failures_[c] + 1;
        if (!fresh && !accepts(c, costs[c])) continue;
        std::ranges::copy(batch.row(c), at_.row(c).begin());
        costs_[c] = costs[c];
      }
      temperature_ *= cooling_;
    }
    ++generation_;
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer = begin_state();
    writer.put(temperature_);
    writer.put(std::span<const Gene>(at_.genes));
    writer.put(std::span<const double>(costs_));
    for (const std::uint32_t failures : failures_) writer.put(failures, 4);
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader(info_.name, state);
    const std::uint32_t generation = begin_restore(reader);
    const std::size_t chains = generation == 0 ? 0 : population_;
    const double temperature = reader.get_doubles(1)[0];
    GeneBatch at = reader.get_genes(space_, chains);
    std::vector<double> costs = reader.get_doubles(chains);
    std::vector<std::uint32_t> failures(chains);
    for (std::uint32_t& f : failures) f = static_cast<std::uint32_t>(reader.get(4));
    reader.finish();
    generation_ = generation;
    temperature_ = temperature;
    at_ = std::move(at);
    costs_ = std::move(costs);
    failures_ = std::move(failures);
  }

 private:
  [[nodiscard]] bool restarts(std::size_t c) const { return kAcceptance == Acceptance::greedy && failures_[c] >= patience_; }

  // Metropolis: never worse costs at temperature 0, worse ones with probability exp(-difference / temperature).
  [[nodiscard]] bool accepts(std::size_t c, double cost) const {
    if (cost <= costs_[c]) return true;
    if (temperature_ <= 0 || !std::isfinite(cost)) return false;
    return stream(c, Purpose::acceptance).unit() < std::exp((costs_[c] - cost) / temperature_);
  }

  // The temperature at which the mean worsening among the first neighbours has the first acceptance (Ben-Ameur, 2004, section 1:
  // the usual start of his iteration). Without any, the chains climb.
  [[nodiscard]] double first_temperature(std::span<const double> costs) const {
    if constexpr (kAcceptance == Acceptance::greedy) return 0;
    double sum = 0;
    std::size_t worse = 0;
    for (std::size_t c = 0; c < population_; ++c) {
      const double difference = costs[c] - costs_[c];
      if (!(difference > 0) || !std::isfinite(difference)) continue;
      sum += difference;
      ++worse;
    }
    const double mean = worse == 0 ? 0 : sum / static_cast<double>(worse);
    return std::isfinite(mean) ? -mean / std::log(first_acceptance_) : 0;
  }

  std::vector<std::size_t> searched_;
  double locality_ = 0, first_acceptance_ = 0.5, cooling_ = 1;
  std::uint64_t patience_ = 0;

  double temperature_ = 0;
  GeneBatch at_;                         // (chain) where it is
  std::vector<double> costs_;            // (chain)
  std::vector<std::uint32_t> failures_;  // (chain) neighbours since the last better one
};

template <Acceptance kAcceptance>
const AgentEntry& entry() {
  static const AgentEntry entry = {sa_info(kAcceptance), make<SaAgent<kAcceptance>>};
  return entry;
}

}  // namespace

const AgentEntry& sa_agent() {
  return entry<Acceptance::annealing>();
}

const AgentEntry& sa_local_agent() {
  return entry<Acceptance::greedy>();
}

}  // namespace exarch
