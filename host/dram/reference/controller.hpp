// The reference model's controller of one channel.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "host/dram/reference/managers.hpp"
#include "host/dram/reference/queues.hpp"

namespace exarch::dram::reference {

struct ArbiterMessage {
  enum class Kind : std::uint8_t { request, accepted, response, consumed };
  Kind kind;
  std::uint32_t request;  // index into all requests, in all messages
};

struct LoggedCommand {
  Tick time;
  Command command;
  std::uint32_t rank, bank;  // bank: of the channel; 0 for commands to a whole rank
  std::uint32_t request;     // index; kNoRequest
};

class Controller {
 public:
  // Notification sources of a controller; `first_source` is the number of the first.
  enum Source : std::size_t { kRequest, kResponseDone, kTimer, kData, kSources };

  Controller(EventKernel& kernel, std::size_t first_source, MessageList<ArbiterMessage>& to_arbiter,
             std::vector<Request>& requests, const ProtocolTable& table, const system::Delays& delays,
             const ControllerParams& params, system::SystemCounters& counters);

  // From the arbiter. Visible at once: a controller that runs later in the same round already takes it.
  void offer(std::uint32_t request, Tick delay);
  // From the arbiter: the response that is out has been taken over.
  void response_done();

  // Running a step more often than needed changes nothing.
  void step();

  [[nodiscard]] const std::vector<LoggedCommand>& log() const { return log_; }
  // Time without any request, up to `end`.
  [[nodiscard]] Tick idle_time(Tick end) const { return idle_time_ + (held_ == 0 ? end - idle_since_ : 0); }
  [[nodiscard]] std::uint64_t served_cas() const { return next_cas_ - 1; }

 private:
  struct Offer {
    std::uint32_t request;
    Tick time;
  };

  void handle_responses();
  void notify_data();
  void accept_request(Tick message_delay);
  Tick evaluate_bank(std::uint32_t bank);
  [[nodiscard]] Command command_of_activated(std::uint32_t bank) const;
  [[nodiscard]] std::vector<Proposal> proposals() const;
  [[nodiscard]] std::optional<Proposal> select(const std::vector<Proposal>& proposals) const;
  void issue(const Proposal& proposal);
  // Returns how a CAS found its row; kRowOutcomes of other commands.
  RowOutcome update_bank(BankMachine& bank, Command command);

  EventKernel& kernel_;
  std::size_t first_source_;
  MessageList<ArbiterMessage>& to_arbiter_;
  std::vector<Request>& requests_;
  const Protocol& protocol_;
  const system::Delays& delays_;
  const ControllerParams& params_;
  system::SystemCounters& counters_;

  TimingChecker checker_;
  RequestBuffer buffer_;
  ResponseQueue responses_;
  std::vector<BankMachine> banks_;
  std::deque<PowerDownManager> power_down_;               // (rank)
  std::vector<std::unique_ptr<RefreshManager>> refresh_;  // (rank)
  std::vector<std::uint64_t> requests_of_rank_;           // stored and without CAS
  std::vector<LoggedCommand> log_;
  std::uint64_t next_cas_ = 1;  // the channel's id that CmdMux Strict serves next

  std::optional<Offer> offered_;
  bool response_is_out_ = false;
  Tick last_done_ = kNever;  // time of the last completed response handshake; kNever while a response is out

  std::uint64_t held_ = 0;  // requests stored and not yet returned
  Tick idle_since_ = 0;
  Tick idle_time_ = 0;
};

}  // namespace exarch::dram::reference
