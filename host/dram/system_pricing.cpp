#include "host/dram/system_pricing.hpp"

#include <limits>

#include "host/dram/standards/standard.hpp"

namespace exarch::dram {
namespace {

// Each term over the voltage domains first, then the terms one by one: the order of DRAMPower, so that the last printed digit
// agrees.
double device_energy_pj(const MemSpec& m, const system::EnergyCounters& e, EnergyShares& shares) {
  const double clk_ns = 1000.0 / m.clk_mhz;
  const PowerSpec &p = m.power, &q = m.second_power;
  const auto term = [&](double cycles, double PowerSpec::*above, double PowerSpec::*below) {
    const auto domain = [&](const PowerSpec& d) {
      return cycles * clk_ns * (d.*above - (below == nullptr ? 0 : d.*below)) * d.vdd;
    };
    return domain(p) + domain(q);
  };
  const auto times = [](std::uint64_t commands, std::uint32_t cycles) {
    return static_cast<double>(commands) * static_cast<double>(cycles);
  };
  const auto n = [](std::uint64_t cycles) { return static_cast<double>(cycles); };
  const std::uint32_t burst = m.burst_length / m.data_rate;
  const std::uint32_t rfc = refresh_cycles(m);
  const auto refresh_in_sleep =
      static_cast<double>(e.self_refresh_active) + n(e.exit_active) + n(e.self_refresh_precharged) + n(e.exit_precharged);
  const double act = term(times(e.act, m.cycles("RAS")), &PowerSpec::idd0, &PowerSpec::idd3n);
  const double pre = term(times(e.pre, m.cycles("RC") - m.cycles("RAS")), &PowerSpec::idd0, &PowerSpec::idd2n);
  const double rd = term(times(e.rd, burst), &PowerSpec::idd4r, &PowerSpec::idd3n);
  const double wr = term(times(e.wr, burst), &PowerSpec::idd4w, &PowerSpec::idd3n);
  const double ref = term(times(e.ref, rfc), &PowerSpec::idd5, &PowerSpec::idd3n);
  const double states =
      term(n(e.active), &PowerSpec::idd3n, nullptr) + term(n(e.precharged), &PowerSpec::idd2n, nullptr) +
      (term(n(e.self_refresh), &PowerSpec::idd6, nullptr) + term(refresh_in_sleep, &PowerSpec::idd5, &PowerSpec::idd3n)) +
      term(n(e.active_power_down), &PowerSpec::idd3p0, nullptr) + term(n(e.precharge_power_down), &PowerSpec::idd2p0, nullptr) +
      (term(static_cast<double>(e.self_refresh_active), &PowerSpec::idd3p0, nullptr) +
       term(n(e.self_refresh_precharged), &PowerSpec::idd2p0, nullptr)) +
      (term(n(e.exit_active), &PowerSpec::idd3n, nullptr) + term(n(e.exit_precharged), &PowerSpec::idd2n, nullptr));
  const double background = m.ranks * states;
  shares = {m.devices * act, m.devices * pre, m.devices * rd, m.devices * wr, m.devices * ref, m.devices * background};
  return act + pre + rd + wr + ref + background;
}

}  // namespace

ChannelMetrics price_channel(const MemSpec& m, const system::SystemCounters& counters) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  ChannelMetrics metrics;
  if (m.has_energy) {
    const double energy = m.devices * device_energy_pj(m, counters.energy, metrics.energy);
    const auto window = static_cast<double>(counters.energy.window());
    metrics.total_energy_pj = energy;
    metrics.average_power_mw = counters.energy.window() == 0 ? kNan : energy / (window * (1000.0 / m.clk_mhz));
  }
  metrics.max_bw_gbps = 1000.0 / m.tck_ps * m.data_rate * m.width * m.devices;
  const std::uint32_t burst = m.burst_length / m.data_rate;
  const double moving = static_cast<double>(counters.served) * burst * m.tck_ps;
  const auto bandwidth = [&](std::uint64_t time_ps) {
    return time_ps == 0 ? kNan : moving / static_cast<double>(time_ps) * metrics.max_bw_gbps;
  };
  metrics.avg_bw_gbps = bandwidth(counters.time_ps);
  metrics.avg_bw_idle_gbps = bandwidth(counters.time_ps - counters.idle_ps);
  return metrics;
}

}  // namespace exarch::dram
