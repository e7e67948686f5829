// Uniform random search: the baseline every other agent must beat.
#include "agents/agents_internal.hpp"

namespace exarch {
namespace {

class RandomAgent final : public Agent {
 public:
  RandomAgent(const DesignSpace& space, const AgentOptions& options)
      : space_(space), seed_(options.seed), population_(options.population) {}

  void ask(GeneBatch& batch) override {
    resize_batch(batch, space_, population_);
    for (std::size_t c = 0; c < population_; ++c) {
      draw_uniform(space_, seed_, generation_, c, batch.row(c));
    }
  }

  void tell(const GeneBatch& batch, std::span<const double> costs) override {
    check_told(population_, batch, costs);
    ++generation_;
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer("random");
    writer.put(generation_, 4);
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader("random", state);
    const auto generation = static_cast<std::uint32_t>(reader.get(4));
    reader.finish();
    generation_ = generation;
  }

 private:
  const DesignSpace& space_;
  std::uint64_t seed_;
  std::size_t population_;
  std::uint32_t generation_ = 0;  // of the next ask()
};

}  // namespace

const AgentEntry& random_agent() {
  static const AgentEntry entry = {{"random", "uniform random sampling with replacement: the baseline", {}},
                                   [](const DesignSpace& space, const AgentOptions& options) -> std::unique_ptr<Agent> {
                                     return std::make_unique<RandomAgent>(space, options);
                                   }};
  return entry;
}

}  // namespace exarch
