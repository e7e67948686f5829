// How the search of search.hpp goes about it. For its own sources only.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <queue>
#include <vector>

#include "host/metric/metric.hpp"
#include "host/timeloop/search.hpp"
#include "host/timeloop/search_bound.hpp"
#include "kernels/timeloop/deliveries.hpp"

namespace exarch::timeloop {

// Costs that differ by less are equal.
inline constexpr double kSearchTolerance = 1e-12;

// One search. A stage is what search_choices.hpp says; partial mappings of all stages outside stay, as the inner ones refer to
// them.
class MappingSearch {
 public:
  explicit MappingSearch(const MappingTask& task);
  MappingResult run();

 private:
  // A partial mapping: the blocks of the stages outside one are decided, and what the level of that stage keeps. `tile` is what
  // is left for that level and those inside.
  struct Partial {
    double energy = 0;                     // pJ of what is decided
    double leak = 0;                       // pJ per cycle of the levels decided
    double cycles = 0;                     // that the levels outside need for what is decided
    double used = 1;                       // instances of the level in use
    double distinct = 1;                   // of them, those with different outputs
    double prefix = 1;                     // iterations of the innermost loops outside that leave tensor `idle` in its place
    double partition = 0;                  // words of the outputs that an instance of their source sees in all
    std::uint32_t table = 0;               // of bounds
    std::uint32_t tile = 0;                // state of the lattice
    std::uint32_t parent = 0;              // place in the list of the level outside
    std::uint32_t segment = 0;             // the innermost loops outside, as far as inputs may overlap: a number
    std::uint32_t spread = 0, layout = 0;  // of the stage outside
    std::uint8_t order = 0;                // of its temporal loops
    std::uint8_t keep = 0;                 // tensors that the level keeps
    std::uint8_t idle = kSpaces;
    bool dropped = false;
    std::array<std::int8_t, kSpaces> source{-1, -1, -1};  // (tensor) innermost level so far that keeps it
    std::array<double, kSpaces> instances{};              // (tensor) of the source
    std::array<double, kSpaces> groups{1, 1, 1};          // (tensor) accesses of the source per delivery of this level
    std::array<double, kSpaces> peer{};                   // (tensor) words that an instance of the source has from neighbours
    std::array<double, kMaxLevels> reads{}, writes{};     // (level) words per instance, of what is decided
  };

  // What a source is charged for a tensor: words per instance, pJ in all.
  struct Bill {
    double reads = 0, updates = 0, energy = 0;
  };

  // What a level delivers of a tensor, per instance of the level: accesses, words that a child receives, words from neighbours,
  // and accesses per delivery.
  struct Delivered {
    double accesses = 0, share = 0, link = 0, groups = 1;
  };

  using Cost = std::array<double, 3>;

  using Deliveries = std::array<Delivered, kSpaces>;

  struct Ways {  // what is the same for all orders of the loops of a stage
    std::uint32_t from, child;
    const Spread* spread;
    TileLattice::Digits loops{};  // factors of the temporal loops
    DimSet dims = 0;
    double steps = 0;         // iterations of all temporal loops so far
    std::uint32_t table = 0;  // of bounds
  };
  struct Shape {  // what is the same whatever the next level keeps
    std::uint32_t spread, layout, segment;
    std::uint8_t order, idle;
    double prefix;
  };

  void pass(std::size_t beam);
  void start();
  void go_on(std::uint32_t stage);
  [[nodiscard]] std::size_t room_inside(std::uint32_t stage) const;
  void forget_made();
  void expand(std::uint32_t stage, std::uint32_t at);
  [[nodiscard]] std::uint32_t table_of(std::uint32_t stage, std::uint32_t at, const Spread& spread);
  void visit(std::uint32_t stage, Ways& ways, const TileLattice::Digits& rest, std::size_t place);
  void decide(std::uint32_t stage, Ways& ways);
  void lay_out(std::uint32_t stage, const Ways& ways, std::uint32_t order);
  [[nodiscard]] bool moves_out(std::uint32_t stage, const Order& loops) const;
  void hand_on(std::uint32_t stage, const Ways& ways, Shape& shape, Deliveries& delivered);
  void keep(std::uint32_t stage, const Ways& ways, const Shape& shape, const Deliveries& delivered);
  void finish(const Ways& ways, const Shape& shape, const Deliveries& delivered);
  void add(std::uint32_t stage, const Partial& partial, const Cost& at_least);
  [[nodiscard]] Bill bill(const Partial& from, std::uint32_t space, double content) const;
  [[nodiscard]] double cycles_of(const Partial& partial) const;
  [[nodiscard]] bool dominates(const Partial& a, const Partial& b) const;
  [[nodiscard]] static bool alike(const Partial& a, const Partial& b);
  [[nodiscard]] Cost costs(double energy, double cycles) const;
  [[nodiscard]] bool hopeless(const Cost& cost) const;
  [[nodiscard]] Cost at_least(std::uint32_t stage, const Partial& partial) const;
  [[nodiscard]] Nest outside(std::uint32_t stage, std::uint32_t at) const;
  [[nodiscard]] double input_deliveries(std::uint32_t level, const Nest& nest, std::uint32_t child, const Spread& spread,
                                        bool& may_link) const;
  [[nodiscard]] std::uint32_t segment_of(const Nest& nest, std::uint32_t level);
  [[nodiscard]] const std::vector<std::vector<Block>>& layouts(std::uint32_t stage, std::uint32_t spread);
  [[nodiscard]] const std::vector<Block>& blocks_of(std::uint32_t stage, std::uint32_t spread, std::uint32_t layout) const;
  [[nodiscard]] Mapping mapping_of(const Ways& ways, const Shape& shape) const;
  void set_loops(std::uint32_t stage, const Ways& ways, const Order& order, const std::vector<Block>& blocks, Nest& nest) const;
  bool tell(std::uint32_t stage, double share);

  const MappingTask& task_;
  const Architecture& architecture_;
  TileLattice tiles_;
  std::vector<StageChoices> stages_;
  std::unique_ptr<SearchBound> bound_;
  std::array<std::int64_t, kMaxLevels> wide_{}, high_{};
  double computes_, least_leak_ = 0;
  bool slides_, energy_matters_ = false, cycles_matter_ = false, leaks_ = false, stopped_ = false;
  std::vector<std::uint32_t> split_;  // dimensions with a bound to split
  DimSet hard_ = 0;                   // loops after which a delivery of the inputs is never shortened
  std::array<bool, kMaxLevels> limited_{};
  std::vector<std::vector<Partial>> partials_;       // (stage)
  std::vector<std::vector<std::uint32_t>> by_tile_;  // (tile) of the stage that is being made
  std::map<std::vector<std::int64_t>, std::uint32_t> segments_;
  std::array<std::map<std::uint32_t, std::vector<std::vector<Block>>>, kMaxLevels> layouts_;  // (stage)
  Nest outer_{};  // of the partial mapping that is gone on with
  std::unique_ptr<FullWorkspace> work_ = std::make_unique<FullWorkspace>();
  MappingResult result_;
  Cost best_{kInfinity, kInfinity, kInfinity};
  // With a beam: bounds of the best partial mappings of the stage that is being made, the worst first.
  std::priority_queue<Cost> leaders_;
  std::size_t beam_ = 0;
  std::array<double, kMaxLevels> remaining_{};  // (stage) bound of the partial mappings that are still to be gone on with
  double least_ = kInfinity;                    // bound of the partial mappings of the stage that is being made
};

}  // namespace exarch::timeloop
