// The reference model's arbiter and trace players.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "host/dram/reference/controller.hpp"

namespace exarch::dram::reference {

struct PlayerMessage {
  enum class Kind : std::uint8_t { acknowledge, response };
  Kind kind;
  std::uint32_t request;
};

class ArbiterAgent {
 public:
  ArbiterAgent(EventKernel& kernel, MessageList<ArbiterMessage>& inbox, std::deque<MessageList<PlayerMessage>>& to_players,
               std::deque<Controller>& controllers, std::vector<Request>& requests, const ControllerParams& params,
               const system::Delays& delays, Tick tck);

  void run();

 private:
  struct Channel {
    bool is_busy = false;
    std::deque<std::uint32_t> queue;
    Tick last_accepted = kNever;
    std::uint64_t admitted = 0;
  };
  struct OfPlayer {
    std::uint64_t active = 0;  // admitted and not yet returned
    std::optional<std::uint32_t> parked;
    bool is_busy = false;  // a response is on its way to it
    std::set<std::pair<std::uint64_t, std::uint32_t>> listed;
    std::uint64_t received = 0, next = 1, admitted = 0;
    Tick last_consumed = kNever;
  };

  [[nodiscard]] bool is_simple() const { return params_.arbiter == Arbiter::Simple; }
  [[nodiscard]] Channel& channel_of(std::uint32_t request) { return channels_[requests_[request].what.channel]; }
  [[nodiscard]] OfPlayer& player_of(std::uint32_t request) { return players_[requests_[request].player]; }

  void request_from_player(std::uint32_t request);
  void accepted_by_controller(std::uint32_t request);
  void response_from_controller(std::uint32_t request);
  void consumed_by_player(std::uint32_t request);
  void admit(std::uint32_t request);
  void forward(std::uint32_t request);
  void acknowledge(std::uint32_t request);
  [[nodiscard]] static bool next_response_is_listed(const OfPlayer& player);
  void send_next_response(OfPlayer& player, Tick delay);

  EventKernel& kernel_;
  MessageList<ArbiterMessage>& inbox_;
  std::deque<MessageList<PlayerMessage>>& to_players_;
  std::deque<Controller>& controllers_;
  std::vector<Request>& requests_;
  const ControllerParams& params_;
  Tick tck_, forward_delay_, backward_delay_;
  std::vector<Channel> channels_;
  std::vector<OfPlayer> players_;
};

class PlayerAgent {
 public:
  // Its requests are those from `first` on.
  PlayerAgent(EventKernel& kernel, MessageList<PlayerMessage>& inbox, MessageList<ArbiterMessage>& to_arbiter,
              const system::Player& player, std::uint32_t first, std::vector<Request>& requests, std::uint64_t& created, Tick tck,
              std::vector<system::SystemCounters>& counters);

  void start() { send_next_request(0); }
  void run();
  [[nodiscard]] bool finished() const { return consumed_ == player_.count; }

 private:
  void send_next_request(Tick earliest);
  void consume(std::uint32_t request);

  EventKernel& kernel_;
  MessageList<PlayerMessage>& inbox_;
  MessageList<ArbiterMessage>& to_arbiter_;
  const system::Player& player_;
  std::uint32_t first_;
  std::vector<Request>& requests_;
  std::uint64_t& created_;
  Tick tck_;
  std::vector<system::SystemCounters>& counters_;

  std::uint32_t sent_ = 0;
  std::uint32_t consumed_ = 0;
  Tick issue_ = 0;  // absolute traces: earliest issue time of the last request
};

}  // namespace exarch::dram::reference
