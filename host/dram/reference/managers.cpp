#include "host/dram/reference/managers.hpp"

#include <algorithm>
#include <cstddef>

namespace exarch::dram::reference {

// ---- power-down ---------------------------------------------------------------------------------------------------------

PowerDownManager::PowerDownManager(const RankContext& context)
    : context_(context), enabled_(context.params.power_down_policy == PowerDownPolicy::Staggered) {}

Tick PowerDownManager::evaluate() {
  proposal_.reset();
  if (!enabled_) return kNever;
  const auto command = [this]() -> std::optional<Command> {
    if (exit_) {
      switch (state_) {
        case State::active_power_down:
          return Command::PDXA;
        case State::precharge_power_down:
          return Command::PDXP;
        case State::self_refresh:
          return Command::SREFEX;
        case State::extra_refresh:
          return Command::REFA;
        case State::idle:
          break;
      }
    }
    if (entry_) return open_ != 0 ? Command::PDEA : Command::PDEP;
    if (self_) return Command::SREFEN;
    return std::nullopt;
  }();
  if (!command) return kNever;
  proposal_ = context_.propose(*command, context_.first_bank(), kPowerDownId);
  return proposal_->time;
}

void PowerDownManager::request_arrives() {
  idle_ = self_ = entry_ = false;
  if (state_ != State::idle) exit_ = true;
}

void PowerDownManager::rank_is_idle() {
  idle_ = true;
  if (state_ == State::idle) entry_ = true;
}

void PowerDownManager::refresh_is_due() {
  entry_ = false;
  if (state_ != State::idle) exit_ = true;
}

void PowerDownManager::update(Command command) {
  switch (command) {
    case Command::ACT:
      ++open_;
      break;
    case Command::PRE:
      --open_;
      break;
    case Command::PREA:
      open_ = 0;
      break;
    case Command::PDEA:
      state_ = State::active_power_down;
      entry_ = false;
      break;
    case Command::PDEP:
      state_ = State::precharge_power_down;
      entry_ = false;
      break;
    case Command::SREFEN:
      state_ = State::self_refresh;
      entry_ = self_ = false;
      break;
    case Command::PDXA:
      state_ = State::idle;
      exit_ = false;
      break;
    case Command::PDXP:
      state_ = State::idle;
      exit_ = false;
      if (idle_) self_ = true;
      break;
    case Command::SREFEX:
      state_ = State::extra_refresh;
      break;
    case Command::REFA:
      if (state_ == State::extra_refresh) {
        state_ = State::idle;
        exit_ = false;
      } else if (idle_) {
        entry_ = true;
      }
      break;
    case Command::REFB:
      if (idle_) entry_ = true;
      break;
    default:
      break;
  }
}

// ---- refresh ------------------------------------------------------------------------------------------------------------

namespace {

// The ranks' first refreshes are spread over an interval: in the order of their numbers with the bits reversed.
Tick first_refresh(const RankContext& context, std::uint32_t interval) {
  const std::uint32_t ranks = context.protocol.ranks;
  std::uint64_t reversed = 0;
  for (std::uint32_t bit = 1; bit < ranks; bit <<= 1) reversed = reversed << 1 | ((context.rank & bit) != 0 ? 1 : 0);
  const std::uint64_t cycles = (std::uint64_t{interval} * ranks - reversed * interval + ranks - 1) / ranks;
  return cycles * context.protocol.tck_ps;
}

class NoRefresh final : public RefreshManager {
 public:
  Tick evaluate() override { return kNever; }
  void update(Command /*command*/, std::uint32_t /*bank*/) override {}
};

// What both kinds have in common: when a refresh is due, the limits, sleep.
class DueRefresh : public RefreshManager {
 public:
  DueRefresh(const RankContext& context, PowerDownManager& power_down, std::uint32_t interval, std::uint32_t scale)
      : context_(context),
        power_down_(power_down),
        interval_(Tick{interval} * context.protocol.tck_ps),
        due_(first_refresh(context, interval)),
        most_postponed_(std::int64_t{context.params.refresh_max_postponed} * scale),
        most_pulled_in_(std::int64_t{context.params.refresh_max_pulledin} * scale) {}

  Tick evaluate() final {
    proposal_.reset();
    const Tick now = context_.kernel.now();
    if (now < due_) return due_;
    power_down_.refresh_is_due();
    if (asleep_) return kNever;
    if (now >= due_ + interval_) {
      due_ += interval_;
      pulled_in_ = false;
    }
    return pulled_in_ ? evaluate_pulled_in() : evaluate_regular();
  }

  void update(Command command, std::uint32_t bank) final {
    switch (command) {
      case Command::PDEA:
      case Command::PDEP:
        asleep_ = true;
        break;
      case Command::SREFEN:
        asleep_ = true;
        due_ = kNever;
        break;
      case Command::PDXA:
      case Command::PDXP:
        asleep_ = false;
        break;
      default:
        update_refresh(command, bank);
        break;
    }
  }

 protected:
  virtual Tick evaluate_regular() = 0;
  virtual Tick evaluate_pulled_in() = 0;
  virtual void update_refresh(Command command, std::uint32_t bank) = 0;

  Tick propose(Command command, std::uint32_t bank) {
    proposal_ = context_.propose(command, bank, 0);
    return proposal_->time;
  }

  Tick put_off() {
    due_ += interval_;
    return due_;
  }

  // The refresh that is due leaves the flexibility alone; only those pulled in after it lower it.
  void count_refresh() {
    if (pulled_in_) {
      --flexibility_;
    } else {
      pulled_in_ = true;
    }
    if (flexibility_ == -most_pulled_in_) {
      pulled_in_ = false;
      due_ += interval_;
    }
  }

  // The refresh that ends self-refresh.
  void start_again() {
    pulled_in_ = false;
    due_ = context_.kernel.now() + interval_;
    asleep_ = false;
  }

  RankContext context_;
  PowerDownManager& power_down_;
  Tick interval_;
  Tick due_;
  std::int64_t most_postponed_, most_pulled_in_;
  bool pulled_in_ = false;
  bool asleep_ = false;
  std::int64_t flexibility_ = 0;
};

class AllBankRefresh final : public DueRefresh {
 public:
  AllBankRefresh(const RankContext& context, PowerDownManager& power_down)
      : DueRefresh(context, power_down, context.protocol.refresh_interval, 1) {}

 private:
  [[nodiscard]] bool is_busy() const {
    return std::ranges::any_of(context_.banks(), [](const BankMachine& bank) { return !bank.is_idle(); });
  }

  Tick evaluate_regular() override {
    if (flexibility_ == most_postponed_) {
      for (BankMachine& bank : context_.banks()) bank.blocked = true;
    } else if (is_busy()) {
      ++flexibility_;
      return put_off();
    }
    return propose(open_ > 0 ? Command::PREA : Command::REFA, context_.first_bank());
  }

  Tick evaluate_pulled_in() override {
    if (is_busy()) {
      pulled_in_ = false;
      return put_off();
    }
    return propose(Command::REFA, context_.first_bank());
  }

  void update_refresh(Command command, std::uint32_t /*bank*/) override {
    if (command == Command::ACT) ++open_;
    if (command == Command::PRE || closes_by_itself(command)) --open_;
    if (command == Command::PREA) open_ = 0;
    if (command != Command::REFA) return;
    if (asleep_) {
      start_again();
    } else {
      count_refresh();
    }
  }

  std::int64_t open_ = 0;
};

class PerBankRefresh final : public DueRefresh {
 public:
  PerBankRefresh(const RankContext& context, PowerDownManager& power_down)
      : DueRefresh(context, power_down, context.protocol.per_bank_interval, context.protocol.banks_per_rank) {
    refill();
  }

 private:
  void refill() {
    for (std::uint32_t b = 0; b < context_.protocol.banks_per_rank; ++b) left_.push_back(context_.first_bank() + b);
  }

  [[nodiscard]] std::optional<std::uint32_t> first_idle() const {
    for (const std::uint32_t bank : left_) {
      if (context_.all_banks[bank].is_idle()) return bank;
    }
    return std::nullopt;
  }

  Tick evaluate_regular() override {
    const bool forced = flexibility_ == most_postponed_;
    bool found = false;
    if (!frozen_) {
      const std::optional<std::uint32_t> idle = first_idle();
      pick_ = idle.value_or(left_.front());
      found = idle.has_value();
    }
    if (!found && !forced) {
      ++flexibility_;
      return put_off();
    }
    BankMachine& bank = context_.all_banks[pick_];
    if (bank.activated) return propose(Command::PRE, pick_);
    const Tick time = propose(Command::REFB, pick_);
    if (forced) {
      bank.blocked = true;
      frozen_ = true;
    }
    return time;
  }

  Tick evaluate_pulled_in() override {
    const std::optional<std::uint32_t> idle = first_idle();
    if (!idle) {
      pulled_in_ = false;
      return put_off();
    }
    pick_ = *idle;
    return propose(context_.all_banks[pick_].activated ? Command::PRE : Command::REFB, pick_);
  }

  void update_refresh(Command command, std::uint32_t bank) override {
    if (command == Command::REFA) start_again();
    if (command != Command::REFB) return;
    frozen_ = false;
    std::erase(left_, bank);
    if (left_.empty()) refill();
    count_refresh();
  }

  std::vector<std::uint32_t> left_;  // banks still to be refreshed
  std::uint32_t pick_ = 0;
  bool frozen_ = false;  // the pick is settled: its bank is blocked
};

}  // namespace

std::unique_ptr<RefreshManager> make_refresh_manager(const RankContext& context, PowerDownManager& power_down) {
  switch (context.params.refresh_policy) {
    case RefreshPolicy::AllBank:
      return std::make_unique<AllBankRefresh>(context, power_down);
    case RefreshPolicy::PerBank:
      return std::make_unique<PerBankRefresh>(context, power_down);
    case RefreshPolicy::NoRefresh:
      break;
  }
  return std::make_unique<NoRefresh>();
}

}  // namespace exarch::dram::reference
