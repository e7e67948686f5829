// Exhaustive search: every point of the space once, in point order.
#include <algorithm>

#include "agents/agents_internal.hpp"

namespace exarch {
namespace {

class GridAgent final : public Agent {
 public:
  GridAgent(const DesignSpace& space, const AgentOptions& options)
      : space_(space), size_(space.size()), population_(options.population) {}

  void ask(GeneBatch& batch) override {
    const std::size_t candidates = next_batch();
    resize_batch(batch, space_, candidates);
    for (std::size_t c = 0; c < candidates; ++c) space_.genes_of(next_point_ + c, batch.row(c));
  }

  void tell(const GeneBatch& batch, std::span<const double> costs) override {
    check_told(next_batch(), batch, costs);
    next_point_ += batch.candidates();
  }

  [[nodiscard]] std::string state() const override {
    StateWriter writer("grid");
    writer.put(next_point_, 8);
    return writer.take();
  }

  void restore(const std::string& state) override {
    StateReader reader("grid", state);
    const std::uint64_t next_point = reader.get(8);
    reader.finish();
    if (next_point > size_) reader.fail("its next point lies outside the space");
    next_point_ = next_point;
  }

 private:
  [[nodiscard]] std::size_t next_batch() const {
    return static_cast<std::size_t>(std::min<std::uint64_t>(population_, size_ - next_point_));
  }

  const DesignSpace& space_;
  std::uint64_t size_;
  std::size_t population_;
  std::uint64_t next_point_ = 0;
};

}  // namespace

const AgentEntry& grid_agent() {
  static const AgentEntry entry = {{"grid", "every point of the space once, in point order; done when the space is", {}},
                                   make<GridAgent>};
  return entry;
}

}  // namespace exarch
