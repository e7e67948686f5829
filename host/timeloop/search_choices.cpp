#include "host/timeloop/search_choices.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>

#include "host/error.hpp"

namespace exarch::timeloop {
namespace {

bool has(DimSet set, Dim dim) {
  return (set & set_of(dim)) != 0;
}

// Whether a divisor may be the factor of a loop.
std::array<std::vector<bool>, kDims> factors_of(const Problem& problem, const BlockConstraint& constraint,
                                                const TileLattice& tiles, const std::string& where) {
  std::array<std::vector<bool>, kDims> allowed;
  for (std::uint32_t d = 0; d < kDims; ++d) {
    const std::vector<std::int64_t>& divisors = tiles.divisors(d);
    const std::int64_t fixed = constraint.factor[d] == BlockConstraint::kWhole ? problem.bound[d] : constraint.factor[d];
    for (const std::int64_t factor : divisors) {
      const bool within = factor >= constraint.least[d] && (constraint.most[d] == 0 || factor <= constraint.most[d]);
      allowed[d].push_back(within && (fixed == BlockConstraint::kOpen || factor == fixed));
    }
    if (std::find(allowed[d].begin(), allowed[d].end(), true) == allowed[d].end()) {
      std::string wanted = fixed == BlockConstraint::kOpen ? "" : " is " + std::to_string(fixed);
      if (constraint.least[d] != 0) wanted += " is at least " + std::to_string(constraint.least[d]);
      if (constraint.most[d] != 0) wanted += " is at most " + std::to_string(constraint.most[d]);
      throw Error(where + ": no factor of " + kDimNames[d] + " = " + std::to_string(problem.bound[d]) + wanted +
                  "; factors divide the bound");
    }
  }
  return allowed;
}

// ---- spatial blocks --------------------------------------------------------------------------------------------------------

// Whether loops over `x` on X and over `y` on Y can stand on the two sides of a split that the constraint allows. Loops with
// bound 1 fill the places between; there is a place for every dimension that the problem has.
bool splits(const BlockConstraint& constraint, std::int32_t places, DimSet x, DimSet y) {
  for (std::int32_t split = 0; split <= places; ++split) {
    if (constraint.split >= 0 && std::min(constraint.split, places) != split) continue;
    DimSet left = static_cast<DimSet>(x | y);
    std::int32_t at = 0, places_on_x = split;
    bool good = true;
    const auto put = [&](Dim dim, std::int32_t place) {
      if (place < split) --places_on_x;
      good = good && !(place < split ? has(y, dim) : has(x, dim));
      left = static_cast<DimSet>(left & ~set_of(dim));
    };
    for (const Dim dim : constraint.innermost) put(dim, at++);
    at = places - static_cast<std::int32_t>(constraint.outermost.size());
    for (const Dim dim : constraint.outermost) put(dim, at++);
    const auto fixed = static_cast<std::int32_t>(constraint.innermost.size() + constraint.outermost.size());
    const std::int32_t places_on_y = places - fixed - places_on_x;
    if (good && std::popcount(static_cast<DimSet>(left & x)) <= places_on_x &&
        std::popcount(static_cast<DimSet>(left & y)) <= places_on_y) {
      return true;
    }
  }
  return false;
}

// The dimensions of a set in the order of a constraint, those it leaves open in between.
std::vector<Dim> ordered(const BlockConstraint& constraint, DimSet set) {
  std::vector<Dim> order;
  const auto take = [&](Dim dim) {
    if (has(set, dim)) order.push_back(dim);
    set = static_cast<DimSet>(set & ~set_of(dim));
  };
  DimSet outer = 0;
  for (const Dim dim : constraint.outermost) outer = static_cast<DimSet>(outer | set_of(dim));
  for (const Dim dim : constraint.innermost) take(dim);
  for (std::uint32_t d = 0; d < kDims; ++d) {
    if (!has(outer, static_cast<Dim>(d))) take(static_cast<Dim>(d));
  }
  for (const Dim dim : constraint.outermost) take(dim);
  return order;
}

Block block_of(const std::vector<Dim>& x, const std::vector<Dim>& y, const TileLattice& tiles,
               const TileLattice::Digits& digits) {
  Block block{};
  const auto add = [&](Dim dim, Axis axis) {
    block.loop[block.count++] = {dim, axis, tiles.divisors(index_of(dim))[digits[index_of(dim)]]};
  };
  for (const Dim dim : x) add(dim, Axis::x);
  for (const Dim dim : y) add(dim, Axis::y);
  return block;
}

struct SpreadMaker {
  const TileLattice& tiles;
  const BlockConstraint& constraint;
  std::array<std::vector<bool>, kDims> allowed;
  std::int64_t wide, high;
  std::int32_t places;
  std::vector<Spread> spreads;
  std::vector<bool> seen;
  TileLattice::Digits digits{};

  void make(std::uint32_t d, std::int64_t x, std::int64_t y, DimSet on_x, DimSet on_y) {
    if (d == kDims) {
      add(on_x, on_y);
      return;
    }
    const auto divisors = static_cast<std::uint8_t>(tiles.divisors(d).size());  // fewer than kNone
    for (std::uint8_t i = 0; i < divisors; ++i) {
      const std::int64_t factor = tiles.divisors(d)[i];
      if (!allowed[d][i]) continue;
      digits[d] = i;
      const DimSet bit = set_of(static_cast<Dim>(d));
      if (factor == 1) {
        make(d + 1, x, y, on_x, on_y);
        continue;
      }
      if (x * factor <= wide) make(d + 1, x * factor, y, static_cast<DimSet>(on_x | bit), on_y);
      if (y * factor <= high) make(d + 1, x, y * factor, on_x, static_cast<DimSet>(on_y | bit));
    }
    digits[d] = 0;
  }

  void add(DimSet on_x, DimSet on_y) {
    const std::uint32_t state = tiles.state(digits);
    if (seen[state] || !splits(constraint, places, on_x, on_y)) return;
    seen[state] = true;
    Spread spread;
    spread.state = state;
    spread.digits = digits;
    spread.children = tiles.computes(state);
    spread.dims = static_cast<DimSet>(on_x | on_y);
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      for (std::uint32_t d = 0; d < kDims; ++d) {
        if (!has(kIdle[space], static_cast<Dim>(d))) spread.distinct[space] *= static_cast<double>(tiles.divisors(d)[digits[d]]);
      }
    }
    spread.blocks.push_back(block_of(ordered(constraint, on_x), ordered(constraint, on_y), tiles, digits));
    spreads.push_back(spread);
  }
};

// ---- orders ----------------------------------------------------------------------------------------------------------------

// Orders of the dimensions of `set`, one of which is best for every tensor and every way to go on. What a tensor pays for depends
// on the loops inside the first that moves it. For the inputs it depends on which loop that is, too, because tiles overlap. A
// second moving loop matters where it moves along the same rank, because movements can cancel. A loop over groups moves every
// tensor to other words, and what is outside it finds nothing that it could use: it is the outermost one.
std::vector<std::vector<Dim>> good_orders(const Problem& problem, DimSet set) {
  std::vector<std::vector<Dim>> orders;
  const auto add = [&](std::vector<Dim> first, Space idle) {
    DimSet left = set;
    for (const Dim dim : first) left = static_cast<DimSet>(left & ~set_of(dim));
    for (const bool idles : {true, false}) {
      for (const Dim dim : {Dim::M, Dim::R, Dim::S, Dim::P, Dim::Q, Dim::N, Dim::C, Dim::G}) {
        if (has(left, dim) && (idle_of(dim) == idle) == idles) first.push_back(dim);
      }
    }
    if (std::find(orders.begin(), orders.end(), first) == orders.end()) orders.push_back(std::move(first));
  };
  const bool sliding = slides(problem);
  const auto partner = [](Dim dim) {
    return dim == Dim::R ? Dim::P : dim == Dim::P ? Dim::R : dim == Dim::S ? Dim::Q : dim == Dim::Q ? Dim::S : Dim::N;
  };
  // Inputs are moved by `dim`, after loops that do not move them.
  const auto add_movers = [&](const std::vector<Dim>& before, Dim dim, Space idle) {
    std::vector<Dim> first = before;
    first.push_back(dim);
    add(first, idle);
    const Dim second = partner(dim);
    if (second == Dim::N || !has(set, second)) return;
    first.push_back(second);
    add(first, idle);
  };
  for (const Space idle : {kWeights, kInputs, kOutputs}) {
    if ((set & kIdle[idle]) == 0) continue;
    if (!sliding) {
      add({}, idle);
    } else if (idle == kInputs) {
      bool moved = false;
      for (std::uint32_t d = 0; d < kDims; ++d) {
        const Dim dim = static_cast<Dim>(d);
        if (dim == Dim::M || dim == Dim::G || !has(set, dim)) continue;
        moved = true;
        add_movers({Dim::M}, dim, idle);
      }
      if (!moved) add({}, idle);
    } else {
      for (std::uint32_t d = 0; d < kDims; ++d) {
        const Dim dim = static_cast<Dim>(d);
        if (has(set, dim) && idle_of(dim) == idle) add_movers({}, dim, idle);
      }
    }
  }
  if (orders.empty()) add({}, kSpaces);
  return orders;
}

// The orders of a set of dimensions that a constraint allows.
std::vector<Order> orders_of(const Problem& problem, const BlockConstraint& constraint, DimSet set) {
  DimSet open = set;
  for (const auto* fixed : {&constraint.innermost, &constraint.outermost}) {
    for (const Dim dim : *fixed) open = static_cast<DimSet>(open & ~set_of(dim));
  }
  std::vector<Order> orders;
  for (const std::vector<Dim>& free : good_orders(problem, open)) {
    Order order;
    const auto add = [&](Dim dim) {
      if (has(set, dim)) order.loop[order.count++] = dim;
    };
    for (const Dim dim : constraint.innermost) add(dim);
    for (const Dim dim : free) add(dim);
    for (const Dim dim : constraint.outermost) add(dim);
    orders.push_back(order);
  }
  return orders;
}

std::vector<std::uint8_t> keeps_of(const std::array<Choice, kSpaces>& keep, bool is_last) {
  std::vector<std::uint8_t> sets;
  for (std::uint8_t set = 0; set < 1u << kSpaces; ++set) {
    bool good = true;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      const bool kept = (set >> space & 1u) != 0;
      // Nothing counts where a tensor comes from that the outermost level does not keep.
      if (keep[space] == Choice::open) good = good && (kept || !is_last);
      if (keep[space] == Choice::no) good = good && !kept;
      if (keep[space] == Choice::yes) good = good && kept;
    }
    if (good) sets.push_back(set);
  }
  return sets;
}

StageChoices choices_of(const Problem& problem, const Architecture& architecture, const Constraints& constraints,
                        const TileLattice& tiles, std::uint32_t level, const std::string& level_name) {
  StageChoices choices;
  choices.level = choices.lowest = level;
  choices.temporal = factors_of(problem, constraints.temporal[level], tiles, level_name + ", temporal loops");
  const bool inner = level == 0;
  const Storage& storage = architecture.storage[level];
  const std::int64_t wide = (inner ? architecture.compute.mesh_x : architecture.storage[level - 1].mesh_x) / storage.mesh_x;
  const std::int64_t high = (inner ? architecture.compute.mesh_y : architecture.storage[level - 1].mesh_y) / storage.mesh_y;
  const BlockConstraint& spatial = constraints.spatial[level];
  SpreadMaker maker{tiles, spatial, {}, wide, high, places_of(problem, constraints), {}, std::vector<bool>(tiles.count()), {}};
  if (wide * high == 1) {
    for (std::uint32_t d = 0; d < kDims; ++d) {
      const std::int64_t fixed = spatial.factor[d] == BlockConstraint::kWhole ? problem.bound[d] : spatial.factor[d];
      if (fixed > 1) {
        throw Error(level_name + ": the constraints spread " + kDimNames[d] + " = " + std::to_string(fixed) +
                    " over its children, and it has one");
      }
      maker.allowed[d].assign(tiles.divisors(d).size(), false);
      maker.allowed[d][0] = true;
    }
  } else {
    maker.allowed = factors_of(problem, spatial, tiles, level_name + ", spatial loops");
  }
  maker.make(0, 1, 1, 0, 0);
  choices.spreads = std::move(maker.spreads);
  DimSet looping = 0;  // dimensions that a loop may be over
  for (std::uint32_t d = 0; d < kDims; ++d) {
    const std::vector<bool>& allowed = choices.temporal[d];
    if (std::find(allowed.begin() + 1, allowed.end(), true) != allowed.end()) looping = static_cast<DimSet>(looping | 1u << d);
  }
  for (std::uint32_t set = 0; set < choices.orders.size(); ++set) {
    if ((set & ~looping) != 0) continue;
    choices.orders[set] = orders_of(problem, constraints.temporal[level], static_cast<DimSet>(set));
  }
  choices.keeps = keeps_of(constraints.keep[level], level + 1 == architecture.levels);
  return choices;
}

// Whether the constraints let loops of a level stand at the next one outside.
bool can_move_out(const StageChoices& level, const BlockConstraint& next) {
  bool open = next.innermost.empty() && next.outermost.empty();
  for (std::uint32_t d = 0; d < kDims; ++d) {
    open = open && next.factor[d] == BlockConstraint::kOpen && next.most[d] == 0 && next.least[d] <= 1;
  }
  return open && std::all_of(level.temporal.begin(), level.temporal.end(), [](const std::vector<bool>& f) { return f[0]; });
}

bool has_no_loops(const StageChoices& level) {
  return std::all_of(level.temporal.begin(), level.temporal.end(), [](const std::vector<bool>& allowed) {
    return allowed[0] && std::find(allowed.begin() + 1, allowed.end(), true) == allowed.end();
  });
}

}  // namespace

std::int32_t places_of(const Problem& problem, const Constraints& constraints) {
  return static_cast<std::int32_t>(with_groups(constraints, problem).dims.size());
}

bool slides(const Problem& problem) {
  const auto more = [&](Dim a, Dim b) { return problem.bound[index_of(a)] > 1 && problem.bound[index_of(b)] > 1; };
  return more(Dim::R, Dim::P) || more(Dim::S, Dim::Q);
}

std::vector<Spread> together(const TileLattice& tiles, const std::vector<Spread>& inner, const std::vector<Spread>& outer) {
  std::vector<Spread> spreads;
  std::vector<bool> seen(tiles.count());
  for (const Spread& a : inner) {
    for (const Spread& b : outer) {
      Spread both = a;
      if (!tiles.multiply(a.digits, b.digits, both.digits)) continue;
      both.state = tiles.state(both.digits);
      if (seen[both.state]) continue;
      seen[both.state] = true;
      both.children *= b.children;
      both.dims = static_cast<DimSet>(a.dims | b.dims);
      for (std::uint32_t space = 0; space < kSpaces; ++space) both.distinct[space] *= b.distinct[space];
      both.blocks.insert(both.blocks.end(), b.blocks.begin(), b.blocks.end());
      spreads.push_back(std::move(both));
    }
  }
  return spreads;
}

std::vector<StageChoices> stages_of(const Problem& problem, const Architecture& architecture, const Constraints& constraints,
                                    const TileLattice& tiles, const std::vector<std::string>& level_names) {
  std::vector<StageChoices> stages;
  for (std::uint32_t s = 0; s < architecture.levels; ++s) {
    StageChoices level = choices_of(problem, architecture, constraints, tiles, s, level_names[s]);
    level.passes = s > 0 && s + 1 < architecture.levels && level.keeps == std::vector<std::uint8_t>{0} &&
                   can_move_out(level, constraints.temporal[s + 1]);
    if (level.passes && !slides(problem)) {
      for (std::vector<bool>& allowed : level.temporal) std::fill(allowed.begin() + 1, allowed.end(), false);
    }
    if (!stages.empty() && stages.back().level + 1 == s && !slides(problem) && stages.back().lowest > 0 &&
        stages.back().keeps == std::vector<std::uint8_t>{0} && has_no_loops(stages.back()) &&
        architecture.storage[stages.back().level].leak_pj == 0) {
      const StageChoices inner = std::move(stages.back());
      stages.pop_back();
      level.lowest = inner.lowest;
      level.spreads = together(tiles, inner.spreads, level.spreads);
    }
    stages.push_back(std::move(level));
  }
  return stages;
}

double most_alike(const Spread& spread, const TileLattice& tiles, std::uint32_t space) {
  if (space != kInputs) return spread.children / spread.distinct[space];
  const auto factor = [&](Dim dim) {
    const std::uint32_t d = index_of(dim);
    return static_cast<double>(tiles.divisors(d)[spread.digits[d]]);
  };
  return factor(Dim::M) * std::min(factor(Dim::R), factor(Dim::P)) * std::min(factor(Dim::S), factor(Dim::Q));
}

double distinct_sums(std::int64_t a, std::int64_t n, std::int64_t b, std::int64_t m) {
  const std::int64_t g = std::gcd(a, b);
  const std::int64_t repeats = std::max<std::int64_t>(0, n - b / g) * std::max<std::int64_t>(0, m - a / g);
  return static_cast<double>(n * m - repeats);
}

double input_groups(const Problem& problem, const Spread& spread, const TileLattice& tiles, std::uint32_t child) {
  const std::array<std::int64_t, kDims> extents = tiles.extents(child);
  double groups = 1;
  for (std::uint32_t r = 0; r < kRanks; ++r) {
    const Rank rank = rank_of(problem, kInputs, r);
    const std::uint32_t a = index_of(rank.dim[0]), b = index_of(rank.dim[1]);
    const std::int64_t n = tiles.divisors(a)[spread.digits[a]], m = tiles.divisors(b)[spread.digits[b]];
    groups *=
        a == b ? static_cast<double>(n) : distinct_sums(rank.coefficient[0] * extents[a], n, rank.coefficient[1] * extents[b], m);
  }
  return groups;
}

std::vector<Block> layouts_of(const Spread& spread, const TileLattice& tiles, const BlockConstraint& constraint,
                              std::int64_t wide, std::int64_t high, std::int32_t places) {
  std::vector<Block> layouts;
  const auto fits = [&](DimSet set, std::int64_t room) {
    std::int64_t product = 1;
    for (std::uint32_t d = 0; d < kDims; ++d) {
      if (has(set, static_cast<Dim>(d))) product *= tiles.divisors(d)[spread.digits[d]];
    }
    return product <= room;
  };
  // All orders of one side that agree with the order of the constraint.
  const auto orders = [&](DimSet set) {
    std::vector<std::vector<Dim>> good;
    std::vector<Dim> order;
    for (std::uint32_t d = 0; d < kDims; ++d) {
      if (has(set, static_cast<Dim>(d))) order.push_back(static_cast<Dim>(d));
    }
    const auto place = [&](Dim dim) {
      const auto inner = std::find(constraint.innermost.begin(), constraint.innermost.end(), dim);
      if (inner != constraint.innermost.end()) return static_cast<int>(inner - constraint.innermost.begin());
      const auto outer = std::find(constraint.outermost.begin(), constraint.outermost.end(), dim);
      if (outer != constraint.outermost.end()) return 100 + static_cast<int>(outer - constraint.outermost.begin());
      return 50;
    };
    do {
      if (std::is_sorted(order.begin(), order.end(), [&](Dim a, Dim b) { return place(a) < place(b); })) good.push_back(order);
    } while (std::next_permutation(order.begin(), order.end()));
    return good;
  };
  for (std::uint32_t x = spread.dims;; x = (x - 1) & spread.dims) {
    const auto on_x = static_cast<DimSet>(x), on_y = static_cast<DimSet>(spread.dims & ~x);
    if (fits(on_x, wide) && fits(on_y, high) && splits(constraint, places, on_x, on_y)) {
      for (const std::vector<Dim>& a : orders(on_x)) {
        for (const std::vector<Dim>& b : orders(on_y)) layouts.push_back(block_of(a, b, tiles, spread.digits));
      }
    }
    if (x == 0) break;
  }
  return layouts;
}

}  // namespace exarch::timeloop
