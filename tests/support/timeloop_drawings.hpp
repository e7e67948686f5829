// Map spaces to draw random mappings of, and what is drawn.
#pragma once

#include <gtest/gtest.h>

#include <bit>

#include "host/timeloop/archgym.hpp"
#include "host/timeloop/drawing.hpp"

namespace exarch::testing {

// Three levels, the middle one with a network of 2 x 2; factors, orders and splits are open, and what the middle level keeps.
inline timeloop::MapSpace small_map_space() {
  using namespace timeloop;
  const Problem problem{{4, 2, 1, 1, 1, 3, 1, 1}, 1, 1, 1, 1};
  Architecture architecture{};
  architecture.levels = 3;
  architecture.compute = {4, 2, 2, 1, 1};
  architecture.storage[0] = {8, 1, 1, 4, 2, 2, 0, 0, 1, 1, 1, 0, 1};
  architecture.storage[1] = {20, 2, 1, 1, 1, 1, 2, 2, 6, 6, 6, 0, 1};
  architecture.storage[2] = {-1, 4, 1, 1, 1, 1, 1, 1, 200, 200, 200, 0, 1};
  Constraints constraints;
  constraints.dims = {Dim::C, Dim::M, Dim::P};
  for (auto& level : constraints.keep) level.fill(Choice::yes);
  constraints.keep[1] = {Choice::open, Choice::yes, Choice::open};
  constraints.temporal[2].innermost = {Dim::P};
  return MapSpace(problem, architecture, constraints);
}

// AlexNet's third layer on ArchGym's architecture; levels keep what is given there, all else is open.
inline timeloop::MapSpace layer_map_space() {
  using namespace timeloop;
  const Accelerator accelerator = accelerator_of(default_design(archgym_parameters()), EnergyTable::shipped());
  Constraints constraints;
  constraints.keep = row_stationary().keep;
  return MapSpace({{256, 384, 3, 3, 1, 13, 13, 1}, 1, 1, 1, 1}, accelerator.architecture, constraints);
}

inline void expect_same_draws(const timeloop::Drawn& got, const timeloop::Drawn& want) {
  EXPECT_EQ(got.found, want.found);
  EXPECT_EQ(got.number, want.number);
  EXPECT_EQ(got.totals.cycles, want.totals.cycles);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(got.totals.energy_pj), std::bit_cast<std::uint64_t>(want.totals.energy_pj));
  EXPECT_EQ(got.fanout, want.fanout);
  EXPECT_EQ(got.capacity, want.capacity);
  EXPECT_EQ(got.refused, want.refused);
  EXPECT_EQ(got.valid, want.valid);
}

}  // namespace exarch::testing
