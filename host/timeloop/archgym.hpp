// ArchGym's TimeloopGym: 26 parameters of an accelerator like Eyeriss, what its parts cost, and its architecture.
//
// Parameters and their order are those of an action of TimeloopGym. Energies and areas are looked up: they come from Accelergy,
// which is not part of Exarch. Example:
//
//   const EnergyTable table = EnergyTable::shipped();
//   const Accelerator accelerator = accelerator_of(default_design(archgym_parameters()), table);
//   if (accelerator.status == GymStatus::ok) use(accelerator.architecture);
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/space/design_space.hpp"
#include "host/timeloop/row_stationary.hpp"

namespace exarch::timeloop {

inline constexpr std::size_t kGymParameters = 26;

[[nodiscard]] std::vector<ParameterInfo> archgym_parameters();
[[nodiscard]] std::vector<DesignSpace> archgym_spaces(std::span<const ParameterInfo> parameters);
// The place of a parameter in a design; std::logic_error for a name that is none.
[[nodiscard]] std::size_t gym_parameter(std::string_view name);

// Columns of DummyBuffers, and the most rows of PEs below them.
inline constexpr std::int64_t kArrayColumns = 14, kMostRows = 24;

// The four parts whose class, depth and block size are parameters, and which the table has.
enum class GymPart : std::uint8_t { spad, dummy_buffer, shared_glb };

// What a storage costs: pJ per vector access, um2 per instance. Writes are fills and updates.
struct PartCost {
  double read_pj, write_pj, area_um2;
};

class EnergyTable {
 public:
  // The one that comes with Exarch.
  [[nodiscard]] static EnergyTable shipped();
  // Error with the file, the entry, and what is wrong.
  [[nodiscard]] static EnergyTable read(const std::filesystem::path& path);

  // None where the estimator has no solution, or the table no such entry. `banks` of shared_glb alone.
  [[nodiscard]] std::optional<PartCost> find(GymPart part, std::int64_t kind, std::int64_t depth, std::int64_t block,
                                             std::int64_t banks = 0) const;
  // Whether it has an entry, be it without a solution.
  [[nodiscard]] bool has(GymPart part, std::int64_t kind, std::int64_t depth, std::int64_t block, std::int64_t banks = 0) const;

  // The sizes of what it has, in words, in ascending order.
  [[nodiscard]] std::vector<std::int64_t> sizes(GymPart part) const;

  double compute_pj = 0, compute_um2 = 0;
  PartCost dram{};
  std::int64_t dram_block = 1;
  std::uint64_t hash = 0;  // of the file's text

 private:
  using Key = std::array<std::int64_t, 5>;  // part, class, depth, block, banks
  std::map<Key, std::optional<PartCost>> entries_;
};

enum class GymStatus : std::uint8_t {
  ok,
  no_estimate,  // Accelergy has no energy for a part
  no_fanout,    // one row of PEs: Timeloop stops at the spatial constraint of DummyBuffer
  no_mapping,   // of some layer, none fits
};
inline constexpr std::array<const char*, 4> kGymStatusNames{"ok", "no_estimate", "no_fanout", "no_mapping"};

struct Accelerator {
  GymStatus status;
  std::string why;  // where it is not ok: a sentence
  Architecture architecture;
};

// What a design is. Statuses are ok, no_estimate and no_fanout.
[[nodiscard]] Accelerator accelerator_of(std::span<const std::int64_t> design, const EnergyTable& table);

}  // namespace exarch::timeloop
