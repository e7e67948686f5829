#include "host/maestro/cost.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace exarch::maestro {
namespace {

constexpr double kJoulesPerAccess = 0.00023;  // nJ per relative unit
constexpr double kL1Access = 1.68, kL2Access = 18.61;

double as_double(std::int64_t value) {
  return static_cast<double>(value);
}

// L1 reads and writes of the tensors, in the tool's order.
void add_l1(const Counters& c, double& sum) {
  for (const std::int64_t accesses : {c.num_macs, c.l2_read[kInput], c.num_macs, c.l2_read[kWeight], c.l1_output, c.l1_output}) {
    sum += kL1Access * as_double(accesses);
  }
}

void add_l2(const Counters& c, double& sum) {
  for (const std::int64_t accesses :
       {c.l2_read[kInput], c.l2_write[kInput], c.l2_read[kWeight], c.l2_write[kWeight], c.l2_write[kOutput]}) {
    sum += kL2Access * as_double(accesses);
  }
}

// The largest power of two that is not larger than a positive normal number: its exponent alone.
double power_of_two_below(double number) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(number) & 0x7FF0000000000000u);
}

}  // namespace

Energy energy_of(const Counters& counters) {
  double l2 = 0;
  add_l2(counters, l2);
  double all = l2;
  add_l1(counters, all);
  return {(counters.l1_in_energy != 0 ? all : l2) * kJoulesPerAccess, all * kJoulesPerAccess};
}

double energy_behind(const Counters& counters, const Counters& before) {
  double sum = 0;
  add_l1(before, sum);
  add_l2(counters, sum);
  return sum * kJoulesPerAccess;
}

// Within a power of two every addition rounds to the same number of units in the last place, unless it is a tie, so that many can
// be taken at once.
double repeated_sum(double term, std::int64_t count) {
  if (term < 0) return -repeated_sum(-term, count);  // rounding is symmetric
  double sum = 0;
  const bool plain = !(term > 0) || !std::isfinite(term);
  while (count > 0) {
    const double next = sum + term;
    const double step = next - sum;
    --count;
    if (!plain && sum >= std::numeric_limits<double>::min() && count > 1) {
      const double power = power_of_two_below(sum), end = 2 * power, unit = 0x1p-52 * power;
      const bool tie = std::abs(term - step) * 2 == unit;
      const double steps = std::floor((end - next) / step) - 1;
      if (!tie && next < end && steps >= 1) {
        const std::int64_t taken = std::min<std::int64_t>(count, static_cast<std::int64_t>(steps));
        sum = next + step * as_double(taken);
        count -= taken;
        continue;
      }
    }
    sum = next;
  }
  return sum;
}

AreaPower area_and_power(const Counters& counters, const Hardware& hardware) {
  const double l1 = counters.l1_size == 0 ? 1 : as_double(counters.l1_size);
  const double l2 = counters.l2_size == 0 ? 1 : as_double(counters.l2_size);
  const double lanes = hardware.num_simd_lanes, pes = hardware.num_pes, bw = hardware.noc_bw;
  AreaPower result{};
  const double pe_area = repeated_sum(283 * lanes + 0.104 * l1, hardware.num_pes);
  const double pe_power = repeated_sum(1.2223 * lanes + 0.00345 * l1, hardware.num_pes);
  const double bus = 14.662 * pes + 28.895;
  const double arbiter = 1.2886 * pes * pes + 5.5814 * pes - 23.711;
  const double noc_area = 101.7938 * bus * bw + std::max(395.473 * arbiter, 395.473);
  result.noc_mw = 0.8 * bus / 1000 * bw + std::max(0.34 * arbiter / 1000, 0.34);
  result.l2_mw = 0.00345 * l2;
  result.pe_mw = repeated_sum(1.2223 * lanes, hardware.num_pes);
  result.l1_mw = repeated_sum(0.00345 * l1, hardware.num_pes);
  result.area_um2 = pe_area + 0.104 * l2 + noc_area;
  result.total_mw = pe_power + result.l2_mw + result.noc_mw;
  return result;
}

double archgym_area(const Counters& counters) {
  constexpr double kPes = 1024;
  return kPes * 4470 + std::ceil(as_double(counters.l2_size) / 32768) * 4161.536 +
         std::ceil(as_double(counters.l1_size) / 64) * 4505.1889 * kPes;
}

}  // namespace exarch::maestro
