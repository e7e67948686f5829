#include "host/dram/reference/players.hpp"

#include <algorithm>
#include <cstddef>

namespace exarch::dram::reference {

ArbiterAgent::ArbiterAgent(EventKernel& kernel, MessageList<ArbiterMessage>& inbox,
                           std::deque<MessageList<PlayerMessage>>& to_players, std::deque<Controller>& controllers,
                           std::vector<Request>& requests, const ControllerParams& params, const system::Delays& delays, Tick tck)
    : kernel_(kernel),
      inbox_(inbox),
      to_players_(to_players),
      controllers_(controllers),
      requests_(requests),
      params_(params),
      tck_(tck),
      // Fifo and Reorder ignore the arbitration delays.
      forward_delay_(is_simple() ? delays.arbitration_forward * tck : 0),
      backward_delay_(is_simple() ? delays.arbitration_backward * tck : 0),
      channels_(controllers.size()),
      players_(to_players.size()) {}

void ArbiterAgent::run() {
  while (const std::optional<ArbiterMessage> message = inbox_.receive()) {
    switch (message->kind) {
      case ArbiterMessage::Kind::request:
        requests_[message->request].arrival = kernel_.now();
        request_from_player(message->request);
        break;
      case ArbiterMessage::Kind::accepted:
        accepted_by_controller(message->request);
        break;
      case ArbiterMessage::Kind::response:
        response_from_controller(message->request);
        break;
      case ArbiterMessage::Kind::consumed:
        consumed_by_player(message->request);
        break;
    }
  }
  inbox_.renew();
}

void ArbiterAgent::request_from_player(std::uint32_t request) {
  if (!is_simple()) {
    OfPlayer& player = player_of(request);
    if (player.active >= params_.max_active_transactions) {
      player.parked = request;
      return;
    }
    ++player.active;
    acknowledge(request);
  }
  admit(request);
  forward(request);
}

void ArbiterAgent::accepted_by_controller(std::uint32_t request) {
  Channel& channel = channel_of(request);
  channel.last_accepted = kernel_.now();
  if (is_simple()) acknowledge(request);
  if (channel.queue.empty()) {
    channel.is_busy = false;
    return;
  }
  const std::uint32_t next = channel.queue.front();
  channel.queue.pop_front();
  controllers_[requests_[next].what.channel].offer(next, tck_ + forward_delay_);
}

void ArbiterAgent::response_from_controller(std::uint32_t request) {
  if (!is_simple()) controllers_[requests_[request].what.channel].response_done();
  OfPlayer& player = player_of(request);
  // Responses are listed in order of arrival, with Reorder in order of their requests.
  ++player.received;
  player.listed.insert({params_.arbiter == Arbiter::Reorder ? requests_[request].id_of_player : player.received, request});
  if (player.is_busy || !next_response_is_listed(player)) return;
  player.is_busy = true;
  const Tick delay = !is_simple() && player.last_consumed == kernel_.now() ? tck_ : 0;
  send_next_response(player, delay + backward_delay_);
}

void ArbiterAgent::consumed_by_player(std::uint32_t request) {
  OfPlayer& player = player_of(request);
  if (is_simple()) {
    controllers_[requests_[request].what.channel].response_done();
  } else {
    player.last_consumed = kernel_.now();
    if (player.parked) {
      // The parked request takes over the place of the one that left.
      const std::uint32_t parked = *player.parked;
      player.parked.reset();
      acknowledge(parked);
      admit(parked);
      forward(parked);
    } else {
      --player.active;
    }
  }
  if (next_response_is_listed(player)) {
    send_next_response(player, tck_ + backward_delay_);
  } else {
    player.is_busy = false;
  }
}

void ArbiterAgent::admit(std::uint32_t request) {
  requests_[request].id_of_player = ++player_of(request).admitted;
  requests_[request].id_of_channel = ++channel_of(request).admitted;
}

// Offers a request to its controller, or queues it behind the one being offered.
void ArbiterAgent::forward(std::uint32_t request) {
  Channel& channel = channel_of(request);
  if (channel.is_busy) {
    channel.queue.push_back(request);
    return;
  }
  channel.is_busy = true;
  const Tick delay = !is_simple() && channel.last_accepted == kernel_.now() ? tck_ : 0;
  controllers_[requests_[request].what.channel].offer(request, delay + forward_delay_);
}

void ArbiterAgent::acknowledge(std::uint32_t request) {
  to_players_[requests_[request].player].send({PlayerMessage::Kind::acknowledge, request}, 0);
}

bool ArbiterAgent::next_response_is_listed(const OfPlayer& player) {
  return !player.listed.empty() && player.listed.begin()->first == player.next;
}

void ArbiterAgent::send_next_response(OfPlayer& player, Tick delay) {
  const std::uint32_t request = player.listed.begin()->second;
  player.listed.erase(player.listed.begin());
  ++player.next;
  to_players_[requests_[request].player].send({PlayerMessage::Kind::response, request}, delay);
}

PlayerAgent::PlayerAgent(EventKernel& kernel, MessageList<PlayerMessage>& inbox, MessageList<ArbiterMessage>& to_arbiter,
                         const system::Player& player, std::uint32_t first, std::vector<Request>& requests,
                         std::uint64_t& created, Tick tck, std::vector<system::SystemCounters>& counters)
    : kernel_(kernel),
      inbox_(inbox),
      to_arbiter_(to_arbiter),
      player_(player),
      first_(first),
      requests_(requests),
      created_(created),
      tck_(tck),
      counters_(counters) {}

void PlayerAgent::run() {
  while (const std::optional<PlayerMessage> message = inbox_.receive()) {
    switch (message->kind) {
      case PlayerMessage::Kind::acknowledge:
        // The next request leaves at the first player clock edge after now.
        if (sent_ < player_.count) send_next_request((kernel_.now() / player_.period_ps + 1) * player_.period_ps);
        break;
      case PlayerMessage::Kind::response:
        consume(message->request);
        break;
    }
  }
  inbox_.renew();
}

void PlayerAgent::send_next_request(Tick earliest) {
  const std::uint32_t request = first_ + sent_;
  const Tick gap = Tick{requests_[request].what.gap} * player_.period_ps;
  issue_ += gap;
  const Tick leaves = player_.relative ? earliest + gap : std::max(earliest, issue_);
  // The arbiter sees it at the next controller clock edge.
  const Tick arrives = (leaves + tck_ - 1) / tck_ * tck_;
  requests_[request].created = ++created_;
  to_arbiter_.send({ArbiterMessage::Kind::request, request}, arrives - kernel_.now());
  ++sent_;
}

void PlayerAgent::consume(std::uint32_t request) {
  ++consumed_;
  const Tick now = kernel_.now();
  requests_[request].response = now;
  const Tick latency = now - requests_[request].arrival;
  system::SystemCounters& counters = counters_[requests_[request].what.channel];
  counters.latency_sum_ps += latency;
  counters.latency_max_ps = std::max(counters.latency_max_ps, latency);
  ++counters.latency_histogram[latency_bucket(latency / tck_)];
  // Off the clock's edges (HBM2) the arbiter hears of it at the next one.
  to_arbiter_.send({ArbiterMessage::Kind::consumed, request}, (now + tck_ - 1) / tck_ * tck_ - now);
}

}  // namespace exarch::dram::reference
