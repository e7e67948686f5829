// What the levels inside a tile cost at least, whatever is chosen there. A search leaves out what cannot be better than the best
// mapping it has.
//
// The bound is a shortest path over tiles, from the multipliers outwards. It takes the energy of each level for a mapping in
// which
// - of a temporal block the loops that leave one tensor in its place come first, and the others are free;
// - what happens outside is as good as it can be: all loops that leave that tensor in its place;
// - children share what comes from outside as far as the spatial blocks outside let them, if those are decided, and all of them
//   otherwise;
// - halos of the inputs are never read again.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "host/timeloop/search_choices.hpp"

namespace exarch::timeloop {

class SearchBound {
 public:
  static constexpr std::uint32_t kStates = kSpaces + 1;  // the tensor that the loop just outside leaves in its place, or none

  SearchBound(const Problem& problem, const Architecture& architecture, FillRule rule, const TileLattice& tiles,
              const std::vector<StageChoices>& stages);

  // (tensor) Children of the innermost level decided that share a delivery of the level that the tensor comes from.
  using Shares = std::array<double, kSpaces>;

  // The number of a table of bounds: for `stage`, when that is the innermost stage decided, and the stages inside up to the next
  // one with a choice of spreads. Made when it is asked for. Table 0 is for a search that has decided nothing.
  [[nodiscard]] std::uint32_t table(std::uint32_t stage, const Shares& shares);

  // Energy in pJ of what is not decided at a tile of a stage: accesses from its level inwards, but for the fills of the level
  // itself. `idle`: the tensor that the innermost loop outside leaves in its place, kSpaces where there is no loop.
  // Infinite where nothing fits.
  [[nodiscard]] double energy(std::uint32_t table, std::uint32_t stage, std::uint32_t tile, std::uint32_t idle) const {
    return tables_[table].energy[place(tables_[table], stage, tile) + idle];
  }
  // The least of energy() over `idle`.
  [[nodiscard]] double energy(std::uint32_t table, std::uint32_t stage, std::uint32_t tile) const {
    const double* e = &tables_[table].energy[place(tables_[table], stage, tile)];
    return std::min(std::min(e[0], e[1]), std::min(e[2], e[3]));
  }
  // Multipliers that a tile of a stage can use at most.
  [[nodiscard]] double multipliers(std::uint32_t stage, std::uint32_t tile) const {
    return multipliers_[std::size_t{stage} * tiles_.count() + tile];
  }
  // Whether the level of a stage has room for a tile of the tensors in `keep`.
  [[nodiscard]] bool fits(std::uint32_t stage, std::uint32_t tile, std::uint8_t keep) const;

 private:
  // What a word costs that comes from the level of a stage, or from one outside that may be its parent.
  struct Source {
    double read = 0, update = 0;  // pJ per word, the least of all that may be the parent
    double shared = 1;            // children that may share a delivery, between the parent and the level
    double first = 0;             // words of the outputs that need not be read again, at most
  };

  // What is decided between a tile and the tiles of the next stage inside that keeps anything.
  struct Step {
    std::uint32_t stage;                            // the outermost one
    std::int32_t child;                             // the next stage that keeps something; -1: the multipliers
    std::vector<Spread> spreads;                    // of all stages in between together
    std::array<std::vector<bool>, kDims> temporal;  // (dim, divisor) may be a factor of their temporal loops
  };

  struct Table {
    std::uint32_t lowest = 0, anchor = 0;  // the stages it is for
    Shares shares{};
    std::array<std::array<Source, kSpaces>, kMaxLevels> source;  // (stage, tensor)
    std::vector<double> energy;                                  // (stage from the lowest, tile, idle)
  };
  // Bytes of tables; beyond, shares are taken as large as they can be.
  static constexpr std::size_t kMemory = std::size_t{1} << 29;

  [[nodiscard]] std::size_t place(const Table& table, std::uint32_t stage, std::uint32_t tile) const {
    return (std::size_t{stage - table.lowest} * tiles_.count() + tile) * kStates;
  }
  [[nodiscard]] Source source_of(const Table& table, std::uint32_t stage, std::uint32_t space) const;
  void make_stage(std::uint32_t stage, Table& table);
  [[nodiscard]] std::uint32_t child_table(const Step& step, std::uint32_t inner, const Spread& spread, const Table& table);
  void make_multipliers(std::uint32_t stage);
  [[nodiscard]] bool may(std::uint32_t stage, std::uint32_t space, bool kept) const;
  [[nodiscard]] Step step_of(std::uint32_t stage) const;
  void add_child(const Step& step, std::uint32_t child, const Table& table, std::vector<double>& reached,
                 std::vector<double>& bare);
  void spread_out(const Step& step, std::vector<double>& reached) const;
  [[nodiscard]] double input_words(std::uint32_t child, const std::array<std::int64_t, kDims>& strides) const;
  [[nodiscard]] double most_shared(const Step& step, const Spread& spread, std::uint32_t child,
                                   const std::array<std::int64_t, kDims>& strides) const;
  [[nodiscard]] double deliver(const Source& source, std::uint32_t space, double words, double shared) const;
  [[nodiscard]] const Storage& storage(std::uint32_t stage) const { return architecture_.storage[stages_[stage].level]; }

  Problem problem_;
  const Architecture& architecture_;
  FillRule rule_;
  const TileLattice& tiles_;
  const std::vector<StageChoices>& stages_;
  bool slides_, dense_;
  double computes_;
  std::vector<Step> steps_;                          // (stage)
  std::vector<std::vector<std::uint32_t>> fitting_;  // (stage) tiles that its level has room for
  std::vector<double> multipliers_;                  // (stage, tile)
  std::deque<Table> tables_;
  std::map<std::pair<std::uint32_t, Shares>, std::uint32_t> numbers_;  // of tables
};

}  // namespace exarch::timeloop
