// The best of many random mappings of a layer on an architecture: millions per second, nothing proved. The search (search.hpp) is
// better where its proof ends in time; this one has any size of map space, and its mappings are those that sampling mappers try.
//
// Mapping number n of a seed is always the same, so that a result does not depend on threads, devices or batches. Example:
//
//   const MapSpace space(problem, architecture, constraints);
//   const Drawing drawing(space, FillRule::current, {Goal::edp});
//   Backend backend("cpu");
//   const Drawn best = drawing.best(1, 0, 10'000'000, backend);     // seed 1, the first ten million
//   if (best.found) input.mapping = drawing.mapping(1, best.number);
#pragma once

#include <optional>
#include <vector>

#include "host/execute/backend.hpp"
#include "host/timeloop/map_space.hpp"
#include "kernels/launch/timeloop_device.hpp"
#include "kernels/timeloop/draw.hpp"

namespace exarch::timeloop {

class Drawing {
 public:
  // Error where the model refuses layer or architecture, and where a bound has too many splits for a table; UsageError where
  // there are not one to three goals.
  Drawing(const MapSpace& space, FillRule rule, const Goals& goals);
  Drawing(const Drawing&) = delete;
  Drawing& operator=(const Drawing&) = delete;

  // The best of the mappings `first` to below first + count.
  [[nodiscard]] Drawn best(std::uint64_t seed, std::uint64_t first, std::uint64_t count, Backend& backend) const;
  // The same on devices. A thread takes up to `each` of the numbers in a launch, where there are enough for that.
  [[nodiscard]] Drawn best_on(Devices& devices, std::uint64_t seed, std::uint64_t first, std::uint64_t count,
                              const DeviceKernels* kernels = cuda_kernels(), std::uint32_t each = 1024) const;

  // A mapping; none where it was rejected before all of it was drawn.
  [[nodiscard]] std::optional<Mapping> mapping(std::uint64_t seed, std::uint64_t number) const;

  // With pointers to memory of the host, which is this object's.
  [[nodiscard]] const DrawView& view() const { return view_; }

 private:
  friend class DrawingOnDevice;

  struct Table {
    std::vector<Bucket> buckets;
    std::vector<float> spatial;
    std::vector<RowRange> ranges;
    std::vector<std::uint32_t> extents, factors;
  };
  void lay_blocks(const MapSpace& space);
  void lay_table(const MapSpace& space, std::size_t dim);
  void lay_keeps(const MapSpace& space);

  DrawView view_{};
  std::vector<Table> tables_;  // (table)
};

}  // namespace exarch::timeloop
