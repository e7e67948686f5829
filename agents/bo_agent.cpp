// Bayesian optimisation: a Gaussian process over what is known, expected improvement, batches by the constant liar.
// docs/agents.md has the equations. Its twin for thousands of candidates per generation is bo:tpe (tpe_agent.cpp).
#include <algorithm>
#include <cmath>
#include <set>

#include "agents/gaussian_process.hpp"
#include "agents/observations.hpp"
#include "agents/variation.hpp"

namespace exarch {
namespace {

constexpr std::size_t kLargestPopulation = 1024;
constexpr std::size_t kFitted = 160;         // observations that the kernel's lengths are fitted to
constexpr std::size_t kNeighbourhoods = 20;  // best observations whose neighbours join the pool

const AgentInfo& bo_info() {
  static const AgentInfo info = [] {
    AgentInfo i = {
        "bo",
        "Bayesian optimisation: Gaussian process, expected improvement, constant liar",
        {{"observations", "512", "16 to 2048", "candidates the process is conditioned on: half the best, half the newest"},
         {"pool", "1000", "16 to 10000", "random points, and as many neighbours of the best, that are compared per generation"},
         {"exploration", "0.01", "0 to 10", "improvement that is asked for, in standard deviations of the costs"}}};
    i.max_population = kLargestPopulation;
    return i;
  }();
  return info;
}

// The value below which a standard normal variable lies with probability p: Newton's method on the error function.
double normal_quantile(double p) {
  double x = 0;
  for (int i = 0; i < 60; ++i) {
    const double density = std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
    const double step = (0.5 * std::erfc(-x / std::sqrt(2.0)) - p) / density;
    x -= std::clamp(step, -1.0, 1.0);
    if (std::abs(step) < 1e-12) break;
  }
  return x;
}

class BoAgent final : public GenerationAgent {
 public:
  BoAgent(const DesignSpace& space, const AgentOptions& options)
      : GenerationAgent(bo_info(), space, options),
        searched_(searched_parameters(space)),
        known_(space, half(options), half(options)),
        process_(space) {
    const Hyperparameters values(info_, options);
    pool_ = values.integer("pool", 16, 10'000);
    exploration_ = values.real("exploration", 0, 10);
  }

  void ask(GeneBatch& batch) override {
    ask_uniform(batch);  // what no pool point takes the place of
    if (generation_ == 0) return;
    const GeneBatch pool = draw_pool();
    if (pool.candidates() == 0) return;  // a small space may be known to the last point
    const std::vector<double> scores = normal_scores();
    GaussianProcess process = process_;
    process.condition(known_.candidates(), scores, pool);
    // The liar's promise is the best value there is, so that the next pick goes elsewhere (Ginsbourger, Le Riche and Carraro,
    // 2010).
    const double best = *std::ranges::min_element(scores);
    std::vector<bool> taken(pool.candidates());
    const std::size_t picks = std::min(population_, pool.candidates());
    for (std::size_t pick = 0; pick < picks; ++pick) {
      const std::size_t chosen = most_promising(process, best - exploration_, taken);
      taken[chosen] = true;
      std::ranges::copy(pool.row(chosen), batch.row(pick).begin());
      if (pick + 1 < picks) process.add(chosen, best);
    }
  }

  void tell(const GeneBatch& batch, std::span<const double> costs) override {
    check_told(population_, batch, costs);
    known_.add(batch, comparable(costs));
    fit();
    ++generation_;
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer = begin_state();
    writer.put(process_.lengths());
    known_.write(writer);
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader(info_.name, state);
    const std::uint32_t generation = begin_restore(reader);
    const std::vector<double> lengths = reader.get_doubles(space_.dimensions());
    if (std::ranges::any_of(lengths, [](double length) { return !(length > 0) || !std::isfinite(length); })) {
      reader.fail("a length is not positive");
    }
    Observations known = known_;
    known.read(reader);
    reader.finish();
    if ((known.size() == 0) != (generation == 0)) reader.fail("it remembers nothing");
    generation_ = generation;
    process_.set_lengths(lengths);
    known_.assign(std::move(known));
  }

 private:
  [[nodiscard]] static std::size_t half(const AgentOptions& options) {
    return Hyperparameters(bo_info(), options).integer("observations", 16, 2048) / 2;
  }

  // Costs by rank, as if normally distributed: a reward near its target, or an infeasible design, would drown all others.
  [[nodiscard]] std::vector<double> normal_scores() const {
    const std::vector<std::uint32_t> order = known_.by_cost();
    std::vector<double> scores(order.size());
    for (std::size_t first = 0; first < order.size();) {
      std::size_t end = first + 1;  // equal costs have the score of their mean rank
      while (end < order.size() && known_.costs()[order[end]] == known_.costs()[order[first]]) ++end;
      const double rank = (static_cast<double>(first) + static_cast<double>(end)) / 2;
      const double score = normal_quantile(rank / static_cast<double>(order.size()));
      for (std::size_t i = first; i < end; ++i) scores[order[i]] = score;
      first = end;
    }
    return scores;
  }

  void fit() {
    const std::vector<double> scores = normal_scores();
    const std::vector<std::uint32_t> order = known_.by_cost();
    GeneBatch points;
    std::vector<double> values;
    resize_batch(points, space_, std::min(kFitted, order.size()));
    // Evenly over the ranks.
    for (std::size_t i = 0; i < points.candidates(); ++i) {
      const std::uint32_t member = order[i * order.size() / points.candidates()];
      std::ranges::copy(known_.candidates().row(member), points.row(i).begin());
      values.push_back(scores[member]);
    }
    process_.fit_lengths(points, values);
  }

  // Different points that are not yet known: uniform ones and neighbours of the best.
  [[nodiscard]] GeneBatch draw_pool() const {
    std::set<std::vector<Gene>> seen = known_.points();
    GeneBatch pool;
    resize_batch(pool, space_, 0);
    const auto offer = [&](const std::vector<Gene>& genes) {
      if (seen.insert(genes).second) pool.genes.insert(pool.genes.end(), genes.begin(), genes.end());
    };
    const std::vector<std::uint32_t> order = known_.by_cost();
    const std::size_t centres = std::min(kNeighbourhoods, order.size());
    const std::size_t points = std::max<std::size_t>(pool_, population_);
    std::vector<Gene> genes(space_.dimensions());
    for (std::size_t i = 0; i < points; ++i) {
      PhiloxStream draws = stream(i, Purpose::pool);
      for (std::size_t p = 0; p < genes.size(); ++p)
        genes[p] = static_cast<Gene>(draws.below(static_cast<std::uint32_t>(space_.values(p).size())));
      offer(genes);
      const auto centre = known_.candidates().row(order[i % centres]);
      genes.assign(centre.begin(), centre.end());
      const std::uint32_t moves = 1 + draws.below(3);
      for (std::uint32_t move = 0; move < moves; ++move) move_one(space_, searched_, 0.5, genes, draws);
      offer(genes);
    }
    return pool;
  }

  // The pool point of the largest expected improvement on `target` (Jones, Schonlau and Welch, 1998), the first of equal ones.
  [[nodiscard]] static std::size_t most_promising(const GaussianProcess& process, double target, const std::vector<bool>& taken) {
    std::size_t best = taken.size();
    double most = -1;
    for (std::size_t i = 0; i < taken.size(); ++i) {
      if (taken[i]) continue;
      const auto at = static_cast<Eigen::Index>(i);
      const double deviation = std::sqrt(process.variance()(at));
      const double z = (target - process.mean()(at)) / deviation;
      const double improvement =
          deviation * (z * 0.5 * std::erfc(-z / std::sqrt(2.0)) + std::exp(-z * z / 2) / std::sqrt(2 * M_PI));
      if (improvement > most) {
        most = improvement;
        best = i;
      }
    }
    return best;
  }

  std::vector<std::size_t> searched_;
  std::uint64_t pool_ = 0;
  double exploration_ = 0;

  Observations known_;
  GaussianProcess process_;
};

}  // namespace

const AgentEntry& bo_agent() {
  static const AgentEntry entry = {bo_info(), make<BoAgent>};
  return entry;
}

}  // namespace exarch
