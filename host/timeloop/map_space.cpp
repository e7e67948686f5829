#include "host/timeloop/map_space.hpp"

#include <initializer_list>

namespace exarch::timeloop {
namespace {

// A block whose loops are the given ones only, in this order. Their factors are open.
BlockConstraint only(std::initializer_list<Dim> loops) {
  BlockConstraint block;
  block.factor.fill(1);
  for (const Dim dim : loops) block.factor[index_of(dim)] = BlockConstraint::kOpen;
  block.innermost = loops;
  return block;
}

}  // namespace

Constraints row_stationary() {
  enum Level : std::uint8_t { kPsums, kFilters, kIfmaps, kColumns, kGlobal, kDram };
  Constraints c;
  for (BlockConstraint& block : c.spatial) block = only({});
  for (BlockConstraint& block : c.temporal) block = only({});
  c.temporal[kPsums] = only({Dim::M});
  c.temporal[kFilters] = only({Dim::C, Dim::R});
  c.temporal[kFilters].factor[index_of(Dim::R)] = BlockConstraint::kWhole;
  c.temporal[kGlobal] = only({Dim::C, Dim::P, Dim::N, Dim::M});
  c.temporal[kGlobal].factor[index_of(Dim::P)] = BlockConstraint::kWhole;
  c.temporal[kDram] = only({Dim::C, Dim::M, Dim::N, Dim::Q});
  c.spatial[kColumns] = only({Dim::S, Dim::C, Dim::M});
  c.spatial[kColumns].factor[index_of(Dim::S)] = BlockConstraint::kWhole;
  c.spatial[kColumns].split = 0;
  c.spatial[kGlobal] = only({Dim::M, Dim::Q});
  c.spatial[kGlobal].split = kDims;

  const auto keep = [&c](Level level, std::initializer_list<Space> kept) {
    c.keep[level].fill(Choice::no);
    for (const Space space : kept) c.keep[level][space] = Choice::yes;
  };
  keep(kPsums, {kOutputs});
  keep(kFilters, {kWeights});
  keep(kIfmaps, {kInputs});
  keep(kColumns, {});
  keep(kGlobal, {kInputs, kOutputs});
  keep(kDram, {kWeights, kInputs, kOutputs});
  return c;
}

}  // namespace exarch::timeloop
