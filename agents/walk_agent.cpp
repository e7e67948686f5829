// Random walks: each candidate is a walker that changes one parameter per generation, wherever that leads.
#include "agents/variation.hpp"

namespace exarch {
namespace {

const AgentInfo& walk_info() {
  static const AgentInfo info = {
      "random:walk",
      "random walks that change one parameter at a time, blind to costs",
      {{"locality", "0", "0 to 1", "probability that an integer parameter moves to the value above or below, not to any"}}};
  return info;
}

class WalkAgent final : public GenerationAgent {
 public:
  WalkAgent(const DesignSpace& space, const AgentOptions& options)
      : GenerationAgent(walk_info(), space, options),
        searched_(searched_parameters(space)),
        locality_(Hyperparameters(walk_info(), options).real("locality", 0, 1)) {}

  void ask(GeneBatch& batch) override {
    if (generation_ == 0) return ask_uniform(batch);
    batch = at_;
    for (std::size_t c = 0; c < population_; ++c) {
      PhiloxStream draws = stream(c, Purpose::neighbour);
      move_one(space_, searched_, locality_, batch.row(c), draws);
    }
  }

  void tell(const GeneBatch& batch, std::span<const double> costs) override {
    check_told(population_, batch, costs);
    at_ = batch;
    ++generation_;
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer = begin_state();
    writer.put(std::span<const Gene>(at_.genes));
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader(info_.name, state);
    const std::uint32_t generation = begin_restore(reader);
    GeneBatch at = reader.get_genes(space_, generation == 0 ? 0 : population_);
    reader.finish();
    generation_ = generation;
    at_ = std::move(at);
  }

 private:
  std::vector<std::size_t> searched_;
  double locality_;
  GeneBatch at_;
};

}  // namespace

const AgentEntry& random_walk_agent() {
  static const AgentEntry entry = {walk_info(), make<WalkAgent>};
  return entry;
}

}  // namespace exarch
