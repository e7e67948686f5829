// The genetic algorithm that ArchGym uses, rule by rule: Gray-coded bits, tournaments of three, two-point crossover of every
// pair, bit flips, no elites. For comparison; `ga` searches better. docs/agents.md has the pseudo-code and the quirks.
#include <algorithm>
#include <bit>
#include <cmath>

#include "agents/agents_internal.hpp"
#include "host/error.hpp"
#include "host/metric/metric.hpp"
#include "kernels/core/philox.hpp"

namespace exarch {
namespace {

constexpr int kTournament = 3;

// The bits of one parameter; a chromosome is a row of them, the parameters' bits one after another, the most significant first.
using Code = std::uint16_t;

const AgentInfo& ga_archgym_info() {
  static const AgentInfo info = {"ga:archgym",
                                 "genetic algorithm as ArchGym runs it: Gray-coded bits, no elites; takes even populations",
                                 {{"mutation_rate", "0.1", "0 to 1", "probability per bit of being flipped"}}};
  return info;
}

std::uint32_t gray_to_binary(std::uint32_t code) {
  for (const int shift : {8, 4, 2, 1}) code ^= code >> shift;
  return code;
}

class GaArchgymAgent final : public Agent {
 public:
  GaArchgymAgent(const DesignSpace& space, const AgentOptions& options)
      : space_(space), seed_(options.seed), population_(options.population) {
    mutation_rate_ = Hyperparameters(ga_archgym_info(), options).real("mutation_rate", 0, 1);
    if (population_ % 2 != 0) {
      throw UsageError("agent 'ga:archgym' crosses its candidates in pairs; make the population " + std::to_string(population_) +
                       " even");
    }
    for (std::size_t p = 0; p < space.dimensions(); ++p) {
      bits_.push_back(static_cast<std::uint32_t>(std::bit_width(space.values(p).size() - 1)));
      all_bits_ += bits_.back();
    }
    draw_first_generation();
  }

  void ask(GeneBatch& batch) override {
    resize_batch(batch, space_, population_);
    for (std::size_t c = 0; c < population_; ++c) {
      const auto codes = row(chromosomes_, c);
      const auto genes = batch.row(c);
      // Codes beyond the last value mean the last value, which thereby is drawn more often than the others.
      for (std::size_t p = 0; p < codes.size(); ++p) {
        const std::size_t last = space_.values(p).size() - 1;
        genes[p] = static_cast<Gene>(std::min<std::size_t>(gray_to_binary(codes[p]), last));
      }
    }
  }

  void tell(const GeneBatch& batch, std::span<const double> costs) override {
    check_told(population_, batch, costs);
    ++generation_;
    select(costs);
    const std::size_t pairs = population_ / 2;
    for (std::size_t i = 0; i < pairs; ++i) cross(i, row(chromosomes_, i), row(chromosomes_, i + pairs));
    for (std::size_t c = 0; c < population_; ++c) mutate(c, row(chromosomes_, c));
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer(ga_archgym_info().name);
    writer.put(generation_, 4);
    writer.put(population_, 4);
    writer.put(bits_.size(), 4);
    for (const Code code : chromosomes_) writer.put(code, sizeof(Code));
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader(ga_archgym_info().name, state);
    const auto generation = static_cast<std::uint32_t>(reader.get(4));
    if (reader.get(4) != population_) reader.fail("it has another population");
    if (reader.get(4) != bits_.size()) reader.fail("it is of another space");
    std::vector<Code> chromosomes(chromosomes_.size());
    for (std::size_t i = 0; i < chromosomes.size(); ++i) {
      chromosomes[i] = static_cast<Code>(reader.get(sizeof(Code)));
      if (chromosomes[i] >> bits_[i % bits_.size()] != 0) reader.fail("it is of another space");
    }
    reader.finish();
    generation_ = generation;
    chromosomes_ = std::move(chromosomes);
  }

 private:
  [[nodiscard]] std::span<Code> row(std::vector<Code>& chromosomes, std::size_t c) const {
    return std::span(chromosomes).subspan(c * bits_.size(), bits_.size());
  }

  // Draws of generation g make the candidates that it asks.
  [[nodiscard]] PhiloxStream stream(std::size_t number, Purpose purpose) const {
    return {seed_, static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(number), generation_};
  }

  void draw_first_generation() {
    chromosomes_.resize(population_ * bits_.size());
    for (std::size_t c = 0; c < population_; ++c) {
      PhiloxStream draws = stream(c, Purpose::chromosome);
      const auto codes = row(chromosomes_, c);
      for (std::size_t p = 0; p < codes.size(); ++p) codes[p] = static_cast<Code>(draws.below(1u << bits_[p]));
    }
  }

  // Every place goes to the cheapest of three candidates, the first drawn of equal ones.
  void select(std::span<const double> costs) {
    // NaN has no order; a cost that cannot be compared is the worst there is.
    const auto cost = [costs](std::uint32_t c) { return std::isnan(costs[c]) ? kInfinity : costs[c]; };
    std::vector<Code> winners(chromosomes_.size());
    for (std::size_t c = 0; c < population_; ++c) {
      PhiloxStream draws = stream(c, Purpose::parents);
      const auto population = static_cast<std::uint32_t>(population_);
      std::uint32_t winner = draws.below(population);
      for (int i = 1; i < kTournament; ++i) {
        const std::uint32_t rival = draws.below(population);
        if (cost(rival) < cost(winner)) winner = rival;
      }
      std::ranges::copy(row(chromosomes_, winner), row(winners, c).begin());
    }
    chromosomes_ = std::move(winners);
  }

  // Swaps the bits from the smaller of two places up to, not including, the larger; no place lies behind the last bit, so that
  // one always stays.
  void cross(std::size_t pair, std::span<Code> first, std::span<Code> second) const {
    if (all_bits_ == 0) return;
    PhiloxStream draws = stream(pair, Purpose::crossover);
    const std::uint32_t a = draws.below(all_bits_), b = draws.below(all_bits_);
    const std::uint32_t begin = std::min(a, b), end = std::max(a, b);
    std::uint32_t offset = 0;  // of the parameter's first bit
    for (std::size_t p = 0; p < bits_.size(); offset += bits_[p++]) {
      const auto below = [&](std::uint32_t place) {  // the parameter's bits before the place
        const std::uint32_t taken = std::clamp(place, offset, offset + bits_[p]) - offset;
        return ((1u << bits_[p]) - 1) & ~((1u << (bits_[p] - taken)) - 1);
      };
      const auto swapped = static_cast<Code>((first[p] ^ second[p]) & below(end) & ~below(begin));
      first[p] ^= swapped;
      second[p] ^= swapped;
    }
  }

  void mutate(std::size_t candidate, std::span<Code> codes) const {
    PhiloxStream draws = stream(candidate, Purpose::mutation);
    for (std::size_t p = 0; p < codes.size(); ++p) {
      for (std::uint32_t bit = bits_[p]; bit-- > 0;) {
        if (draws.unit() < mutation_rate_) codes[p] = static_cast<Code>(codes[p] ^ (1u << bit));
      }
    }
  }

  const DesignSpace& space_;
  std::uint64_t seed_;
  std::size_t population_;
  double mutation_rate_ = 0;
  std::vector<std::uint32_t> bits_;  // per parameter; none for a single value
  std::uint32_t all_bits_ = 0;

  std::uint32_t generation_ = 0;   // of the next ask()
  std::vector<Code> chromosomes_;  // (candidate, parameter): what it asks
};

}  // namespace

const AgentEntry& ga_archgym_agent() {
  static const AgentEntry entry = {ga_archgym_info(), make<GaArchgymAgent>};
  return entry;
}

}  // namespace exarch
