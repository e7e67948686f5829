// Sampling without learning: uniform, the baseline every other agent must beat; and two ways of covering a space more evenly.
#include <array>
#include <numeric>

#include "agents/agents_internal.hpp"
#include "host/error.hpp"

namespace exarch {
namespace {

enum class Sampling : std::uint8_t { uniform, sobol, latin };

const AgentInfo& random_info(Sampling sampling) {
  static const AgentInfo uniform = {"random", "uniform random sampling with replacement: the baseline", {}};
  static const AgentInfo sobol = {"random:sobol", "quasi-random sampling: a Sobol sequence with a random digital shift", {}};
  static const AgentInfo latin = {
      "random:latin", "Latin hypercubes: each generation takes every value of a parameter equally often", {}};
  return sampling == Sampling::sobol ? sobol : sampling == Sampling::latin ? latin : uniform;
}

// Primitive polynomials and initial direction numbers of dimensions 2 to 21: S. Joe and F. Y. Kuo, "Constructing Sobol sequences
// with better two-dimensional projections" (SIAM J. Sci. Comput. 2008), file new-joe-kuo-6.21201.
struct Polynomial {
  std::uint32_t degree, coefficients;
  std::array<std::uint32_t, 7> initial;
};
// clang-format off
constexpr Polynomial kPolynomials[] = {
    {1,  0, {1}},                    {2,  1, {1, 3}},                 {3,  1, {1, 3, 1}},
    {3,  2, {1, 1, 1}},              {4,  1, {1, 1, 3, 3}},           {4,  4, {1, 3, 5, 13}},
    {5,  2, {1, 1, 5, 5, 17}},       {5,  4, {1, 1, 5, 5, 5}},        {5,  7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},        {5, 13, {1, 1, 1, 3, 11}},       {5, 14, {1, 3, 5, 5, 31}},
    {6,  1, {1, 3, 3, 9, 7, 49}},    {6, 13, {1, 1, 1, 15, 21, 21}},  {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},    {6, 22, {1, 3, 1, 15, 13, 25}},  {6, 25, {1, 1, 5, 5, 19, 61}},
    {7,  1, {1, 3, 7, 11, 23, 15, 103}},                              {7,  4, {1, 3, 7, 13, 13, 15, 69}}};
// clang-format on
constexpr std::size_t kSobolDimensions = 1 + std::size(kPolynomials);

using Directions = std::array<std::uint32_t, 32>;

// Direction numbers of one dimension, counted from 0 (Bratley and Fox, ACM TOMS Algorithm 659).
Directions directions_of(std::size_t dimension) {
  Directions v{};
  if (dimension == 0) {
    for (std::uint32_t i = 0; i < 32; ++i) v[i] = 1u << (31 - i);
    return v;
  }
  const Polynomial& polynomial = kPolynomials[dimension - 1];
  const std::uint32_t s = polynomial.degree;
  for (std::uint32_t i = 0; i < s; ++i) v[i] = polynomial.initial[i] << (31 - i);
  for (std::uint32_t i = s; i < 32; ++i) {
    v[i] = v[i - s] ^ (v[i - s] >> s);
    for (std::uint32_t k = 1; k < s; ++k) v[i] ^= ((polynomial.coefficients >> (s - 1 - k)) & 1u) * v[i - k];
  }
  return v;
}

// A fraction of 2^32 as one of `values` equal shares.
Gene share_of(std::uint32_t fraction, std::size_t values) {
  return static_cast<Gene>(std::uint64_t{fraction} * values >> 32);
}

template <Sampling kSampling>
class RandomAgent final : public Agent {
 public:
  RandomAgent(const DesignSpace& space, const AgentOptions& options)
      : space_(space), seed_(options.seed), population_(options.population) {
    if constexpr (kSampling == Sampling::sobol) {
      searched_ = searched_parameters(space);
      if (searched_.size() > kSobolDimensions) {
        throw UsageError("agent 'random:sobol' takes up to " + std::to_string(kSobolDimensions) +
                         " searched parameters, the space has " + std::to_string(searched_.size()) + "; use random:latin");
      }
      for (std::size_t d = 0; d < searched_.size(); ++d) {
        directions_.push_back(directions_of(d));
        shifts_.push_back(stream(d, Purpose::digital_shift, 0).next());
      }
    }
  }

  void ask(GeneBatch& batch) override {
    resize_batch(batch, space_, population_);
    if constexpr (kSampling == Sampling::uniform) {
      for (std::size_t c = 0; c < population_; ++c) draw_uniform(space_, seed_, generation_, c, batch.row(c));
    } else if constexpr (kSampling == Sampling::sobol) {
      for (std::size_t c = 0; c < population_; ++c) ask_sobol(generation_ * population_ + c, batch.row(c));
    } else {
      for (std::size_t p = 0; p < space_.dimensions(); ++p) ask_latin(p, batch);
    }
  }

  void tell(const GeneBatch& batch, std::span<const double> costs) override {
    check_told(population_, batch, costs);
    ++generation_;
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer(random_info(kSampling).name);
    writer.put(generation_, 4);
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader(random_info(kSampling).name, state);
    const auto generation = static_cast<std::uint32_t>(reader.get(4));
    reader.finish();
    generation_ = generation;
  }

 private:
  [[nodiscard]] PhiloxStream stream(std::size_t candidate, Purpose purpose, std::uint32_t generation) const {
    return {seed_, static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(candidate), generation};
  }

  // The sequence has period 2^32. In the order of the Gray code, each point differs from the last by one direction number.
  void ask_sobol(std::uint64_t number, std::span<Gene> genes) const {
    const auto index = static_cast<std::uint32_t>(number);
    const std::uint32_t gray = index ^ (index >> 1);
    for (Gene& gene : genes) gene = 0;
    for (std::size_t d = 0; d < searched_.size(); ++d) {
      std::uint32_t fraction = shifts_[d];
      for (std::uint32_t bit = 0; bit < 32; ++bit) fraction ^= ((gray >> bit) & 1u) * directions_[d][bit];
      genes[searched_[d]] = share_of(fraction, space_.values(searched_[d]).size());
    }
  }

  void ask_latin(std::size_t p, GeneBatch& batch) const {
    PhiloxStream draws = stream(p, Purpose::permutation, generation_);
    std::vector<std::uint32_t> stratum(population_);
    std::iota(stratum.begin(), stratum.end(), 0u);
    for (std::size_t i = population_; i > 1; --i) std::swap(stratum[i - 1], stratum[draws.below(static_cast<std::uint32_t>(i))]);
    const auto values = static_cast<double>(space_.values(p).size());
    for (std::size_t c = 0; c < population_; ++c) {
      const double place = (stratum[c] + draws.unit()) / static_cast<double>(population_);
      batch.row(c)[p] = static_cast<Gene>(std::min(place * values, values - 1));
    }
  }

  const DesignSpace& space_;
  std::uint64_t seed_;
  std::size_t population_;
  std::vector<std::size_t> searched_;   // sobol: which parameter a dimension is
  std::vector<Directions> directions_;  // (dimension)
  std::vector<std::uint32_t> shifts_;   // (dimension)
  std::uint32_t generation_ = 0;        // of the next ask()
};

template <Sampling kSampling>
const AgentEntry& entry() {
  static const AgentEntry entry = {random_info(kSampling), make<RandomAgent<kSampling>>};
  return entry;
}

}  // namespace

const AgentEntry& random_agent() {
  return entry<Sampling::uniform>();
}

const AgentEntry& random_sobol_agent() {
  return entry<Sampling::sobol>();
}

const AgentEntry& random_latin_agent() {
  return entry<Sampling::latin>();
}

}  // namespace exarch
