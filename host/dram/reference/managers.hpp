// The reference model's managers of a rank: refresh (all banks together, or bank by bank) and staggered power-down.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "host/dram/reference/timing.hpp"
#include "kernels/dram/system/types.hpp"

namespace exarch::dram::reference {

struct Proposal {
  Command command;
  std::uint32_t rank, bank;  // bank: of the channel; the rank's first for commands to a whole rank
  std::uint32_t request;     // kNoRequest where no request is served
  std::uint64_t id;          // decides ties: 0 of refresh, the channel's id of a request, kPowerDownId
  Tick time;
};
inline constexpr std::uint64_t kPowerDownId = ~std::uint64_t{0};

struct BankMachine {
  bool activated = false;
  bool blocked = false;  // by a forced refresh
  bool asleep = false;   // in power-down or self-refresh
  std::uint32_t open_row = 0;
  std::uint32_t chosen = kNoRequest;
  std::optional<Proposal> proposal;

  // For the row statistics only.
  bool used_since_activate = false;
  bool last_closed_by_pre = false;

  [[nodiscard]] bool is_idle() const { return chosen == kNoRequest; }
};

// What the managers of a rank see.
struct RankContext {
  const EventKernel& kernel;
  const TimingChecker& checker;
  const Protocol& protocol;
  const ControllerParams& params;
  std::vector<BankMachine>& all_banks;  // of the channel
  std::uint32_t rank;

  [[nodiscard]] std::uint32_t first_bank() const { return rank * protocol.banks_per_rank; }
  [[nodiscard]] std::span<BankMachine> banks() const {
    return std::span(all_banks).subspan(first_bank(), protocol.banks_per_rank);
  }
  [[nodiscard]] Proposal propose(Command command, std::uint32_t bank, std::uint64_t id) const {
    return {command, rank, bank, kNoRequest, id, checker.earliest(command, rank, bank, kernel.now())};
  }
};

// Staggered: idle ranks go to power-down, from there to self-refresh. Never proposes anything with NoPowerDown.
class PowerDownManager {
 public:
  explicit PowerDownManager(const RankContext& context);

  // Renews the proposal; its time, or kNever.
  Tick evaluate();
  [[nodiscard]] const std::optional<Proposal>& proposal() const { return proposal_; }

  void request_arrives();  // for a rank that held none
  void rank_is_idle();     // after a command to a rank that holds no request
  void refresh_is_due();
  void update(Command command);

 private:
  enum class State : std::uint8_t { idle, active_power_down, precharge_power_down, self_refresh, extra_refresh };

  RankContext context_;
  bool enabled_;
  std::optional<Proposal> proposal_;
  State state_ = State::idle;
  bool entry_ = true, exit_ = false, self_ = false, idle_ = true;
  std::int64_t open_ = 0;  // RDA and WRA do not change it
};

class RefreshManager {
 public:
  virtual ~RefreshManager() = default;
  // Renews the proposal; when it wants to be asked again, or kNever.
  virtual Tick evaluate() = 0;
  virtual void update(Command command, std::uint32_t bank) = 0;
  [[nodiscard]] const std::optional<Proposal>& proposal() const { return proposal_; }

 protected:
  std::optional<Proposal> proposal_;
};

// The manager that the candidate's RefreshPolicy asks for.
[[nodiscard]] std::unique_ptr<RefreshManager> make_refresh_manager(const RankContext& context, PowerDownManager& power_down);

}  // namespace exarch::dram::reference
