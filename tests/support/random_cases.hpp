// Random traces and designs for property tests; reproducible from a seed.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "host/dram/environment.hpp"

namespace exarch::dram::testing {

enum class TraceKind { dense_reads, dense_writes, sparse_reads, sparse_writes, bursty };

inline std::vector<TraceRequest> random_requests(std::mt19937_64& rng, TraceKind kind, std::size_t count) {
  const auto below = [&rng](std::uint64_t n) { return rng() % n; };
  const std::uint64_t rows = 1 + below(6);
  const std::uint64_t columns = 1 + below(8);
  const std::uint64_t banks = 1 + below(8);
  const std::uint64_t write_percent = kind == TraceKind::dense_writes || kind == TraceKind::sparse_writes ? 5 + below(80) : 0;
  const std::uint64_t idle = kind == TraceKind::sparse_reads || kind == TraceKind::sparse_writes ? 1 + below(120) : 1;
  const std::uint64_t long_idle = 500 + below(30000);
  std::vector<TraceRequest> requests;
  std::uint64_t time = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t address = below(rows) << 16 | below(banks) << 13 | below(columns) << 6;
    const bool writes = kind == TraceKind::bursty ? below(100) < 30 : below(100) < write_percent;
    requests.push_back({time, address, writes});
    time += below(idle + 1);
    if (kind != TraceKind::dense_reads && kind != TraceKind::dense_writes && below(kind == TraceKind::bursty ? 40 : 200) == 0) {
      time += below(long_idle);
    }
  }
  return requests;
}

inline ControllerParams random_params(std::mt19937_64& rng) {
  const auto below = [&rng](std::uint64_t n) { return static_cast<std::uint32_t>(rng() % n); };
  ControllerParams p;
  p.page_policy = static_cast<PagePolicy>(below(4));
  p.scheduler = static_cast<Scheduler>(below(3));
  p.scheduler_buffer = static_cast<SchedulerBuffer>(below(3));
  p.resp_queue = static_cast<RespQueue>(below(2));
  p.refresh_policy = static_cast<RefreshPolicy>(below(2));
  p.arbiter = static_cast<Arbiter>(below(3));
  p.request_buffer_size = below(8) == 0 ? 128 : 1 + below(8);
  p.refresh_max_postponed = below(9);
  p.refresh_max_pulledin = below(9);
  p.max_active_transactions = below(3) == 0 ? 1 + below(20) : 1u << below(8);
  return p;
}

// The same as a design of the DRAM environment; the parameters the controller does not have are 0.
inline std::vector<std::int64_t> design_of(const ControllerParams& p) {
  return {static_cast<std::int64_t>(p.page_policy),
          static_cast<std::int64_t>(p.scheduler),
          static_cast<std::int64_t>(p.scheduler_buffer),
          p.request_buffer_size,
          static_cast<std::int64_t>(p.resp_queue),
          static_cast<std::int64_t>(p.refresh_policy),
          p.refresh_max_postponed,
          p.refresh_max_pulledin,
          static_cast<std::int64_t>(p.arbiter),
          p.max_active_transactions,
          0,
          0};
}

inline std::string describe(const ControllerParams& p) {
  std::string text;
  for (const std::uint32_t v :
       {static_cast<std::uint32_t>(p.page_policy), static_cast<std::uint32_t>(p.scheduler),
        static_cast<std::uint32_t>(p.scheduler_buffer), p.request_buffer_size, static_cast<std::uint32_t>(p.resp_queue),
        static_cast<std::uint32_t>(p.refresh_policy), p.refresh_max_postponed, p.refresh_max_pulledin,
        static_cast<std::uint32_t>(p.arbiter), p.max_active_transactions}) {
    text += std::to_string(v) + " ";
  }
  return text;
}

// A workload over requests in memory, on the DDR3-1600 part of the ArchGym experiments.
inline std::shared_ptr<DramWorkload> make_workload(const std::vector<TraceRequest>& requests, bool relative = false,
                                                   std::uint32_t clk_mhz = 800,
                                                   const std::string& memspec = "MICRON_1Gb_DDR3-1600_8bit_G") {
  auto workload = std::make_shared<DramWorkload>();
  workload->memspec = load_memspec(memspec);
  workload->trace =
      pack_trace("random", requests, relative, workload->memspec, load_address_mapping("am_ddr3_8x1Gbx8_dimm_p1KB_rbc"));
  workload->view = make_view(workload->trace, workload->memspec, clk_mhz);
  workload->distances = make_distances(workload->view.timing);
  workload->name = "random";
  return workload;
}

}  // namespace exarch::dram::testing
