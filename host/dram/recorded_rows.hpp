// Rows as DRAMSys runs are recorded: one row is one simulation of any memory, with its traces, clocks, delays and settings; the
// answer has a value per channel. `exarch eval dram --in rows.csv` reads them; docs/formats.md ("Rows of any memory") has the
// columns.
//
//   RecordedRows rows({"memspec", "addressmapping", "trace", "clk_mhz", "RefreshPolicy"}, {}, Engine::fast);
//   const RecordedAnswer answer = rows.answer({"HBM2", "am_hbm2_8Gb_pc_brc", "stream", "1000", "PerBank"});
//   answer.cells()[1];   // "75999", or "518742|518742|518742|518742"
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/dram/system_pricing.hpp"
#include "host/dram/system_workload.hpp"
#include "host/env/environment.hpp"

namespace exarch::dram {

inline constexpr std::array<std::string_view, 6> kAnswerColumns{"status",           "total_time_ps", "total_energy_pj",
                                                                "average_power_mw", "avg_bw_gbps",   "avg_bw_idle_gbps"};

// The candidate that parameters by name make; those left out have their defaults. UsageError as ParameterInfo::parse().
[[nodiscard]] ControllerParams row_params(const std::map<std::string, std::string>& values);

// The workload that values by name describe: memspec, addressmapping, trace, clk_mhz and address_offset, which must be there, and
// the delays that are. UsageError likewise.
[[nodiscard]] SystemSetup row_setup(const std::map<std::string, std::string>& values);

struct RecordedAnswer {
  // "ok"; "stalled": the run ended although an initiator never finished, and its figures are those of that moment; "timeout": it
  // would never end; "step_limit": it was given up; "error": it could not be run. Only the first two have figures.
  std::string status;
  std::string message;  // what a status other than "ok" means here
  std::uint64_t time_ps = 0;
  bool has_energy = false;
  std::vector<ChannelMetrics> channels;
  std::vector<std::string> warnings;

  // In the order of kAnswerColumns: two decimals, channels joined with "|", energy empty where it was not asked for.
  [[nodiscard]] std::array<std::string, kAnswerColumns.size()> cells() const;
};

class RecordedRows {
 public:
  // Throws UsageError on a column that is neither an input nor the result of an earlier run. `defaults`: values, by column, of
  // cells that are empty or have no column.
  RecordedRows(std::vector<std::string> header, std::map<std::string, std::string> defaults, Engine engine);

  // Whether a header has a column that only such rows have.
  [[nodiscard]] static bool has_header(const std::vector<std::string>& header);

  // Columns of the header that say nothing about the run.
  [[nodiscard]] const std::vector<std::string>& ignored() const { return ignored_; }
  [[nodiscard]] bool is_input(std::size_t column) const { return inputs_[column]; }

  // A row that cannot be run is an answer too: no row costs another its own. `row` is as long as the header.
  [[nodiscard]] RecordedAnswer answer(const std::vector<std::string>& row);

 private:
  [[nodiscard]] RecordedAnswer run(const std::map<std::string, std::string>& values);

  std::vector<std::string> header_, ignored_;
  std::vector<bool> inputs_;
  std::map<std::string, std::string> defaults_;
  Engine engine_;
  // The workload of the last row; rows of the same follow each other often.
  std::map<std::string, std::string> workload_key_;
  std::unique_ptr<SystemWorkload> workload_;
};

}  // namespace exarch::dram
