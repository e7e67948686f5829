// The reference model's request buffer with its scheduler, and its response queue.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "host/dram/reference/events.hpp"
#include "kernels/dram/system/types.hpp"

namespace exarch::dram::reference {

// A request of any player, and the numbers it is given on its way.
struct Request {
  system::Request what;
  std::uint32_t player;
  std::uint64_t created = 0;        // 1, 2, ... in the order in which the players make them
  std::uint64_t id_of_player = 0;   // 1, 2, ... in order of admission
  std::uint64_t id_of_channel = 0;  // the same per channel
  Tick arrival = kNever;            // at the arbiter
  // What a timeline shows; the model does not look at them. kNever: not reached.
  Tick stored = kNever;         // in the controller's buffer
  Tick first_command = kNever;  // the first that was issued for it: PRE, ACT or its CAS
  Tick cas = kNever, response = kNever;
  RowOutcome outcome = kRowOutcomes;
};

class RequestBuffer {
 public:
  RequestBuffer(const std::vector<Request>& requests, const ControllerParams& params, std::uint32_t banks)
      : requests_(requests), params_(params), waiting_(banks) {}

  // None of the tests looks at the new request: Bankwise asks about the bank of the most recently stored one.
  [[nodiscard]] bool has_space() const {
    const std::size_t size = params_.request_buffer_size;
    switch (params_.scheduler_buffer) {
      case SchedulerBuffer::Bankwise:
        return waiting_[last_stored_bank_].size() < size;
      case SchedulerBuffer::ReadWrite:
        return reads_ < size && writes_ < size;
      case SchedulerBuffer::Shared:
        return reads_ + writes_ < size;
    }
    return false;
  }

  void store(std::uint32_t request) {
    const system::Request& what = requests_[request].what;
    waiting_[what.bank].push_back(request);
    last_stored_bank_ = what.bank;
    ++(what.is_write != 0 ? writes_ : reads_);
  }

  // A request leaves with its CAS command; its direction is the one that FrFcfsGrp then prefers on all banks.
  void remove(std::uint32_t request) {
    const system::Request& what = requests_[request].what;
    std::erase(waiting_[what.bank], request);
    --(what.is_write != 0 ? writes_ : reads_);
    last_cas_was_write_ = what.is_write;
  }

  // The request that a bank works on; `open_row` is set when the bank is activated.
  [[nodiscard]] std::uint32_t choose(std::uint32_t bank, std::optional<std::uint32_t> open_row) const {
    const std::vector<std::uint32_t>& list = waiting_[bank];
    if (list.empty()) return kNoRequest;
    if (!open_row || params_.scheduler == Scheduler::Fifo) return list.front();
    const std::vector<std::uint32_t> hits = row_hits(bank, *open_row);
    if (hits.empty()) return list.front();
    if (params_.scheduler == Scheduler::FrFcfsGrp) {
      for (const std::uint32_t hit : hits) {
        if (requests_[hit].what.is_write == last_cas_was_write_ && !has_older_with_same_address(list, hit)) return hit;
      }
    }
    return hits.front();
  }

  [[nodiscard]] bool has_further_request(std::uint32_t bank) const { return waiting_[bank].size() >= 2; }

  // Fifo looks at the second entry only; the others count the request being served too.
  [[nodiscard]] bool has_further_row_hit(std::uint32_t bank, std::uint32_t open_row) const {
    const std::vector<std::uint32_t>& list = waiting_[bank];
    if (params_.scheduler == Scheduler::Fifo) return list.size() >= 2 && requests_[list[1]].what.row == open_row;
    return row_hits(bank, open_row).size() >= 2;
  }

 private:
  [[nodiscard]] std::vector<std::uint32_t> row_hits(std::uint32_t bank, std::uint32_t open_row) const {
    std::vector<std::uint32_t> hits;
    for (const std::uint32_t request : waiting_[bank]) {
      if (requests_[request].what.row == open_row) hits.push_back(request);
    }
    return hits;
  }

  [[nodiscard]] bool has_older_with_same_address(const std::vector<std::uint32_t>& list, std::uint32_t request) const {
    for (const std::uint32_t other : list) {
      if (other == request) return false;
      if (requests_[other].what.address == requests_[request].what.address) return true;
    }
    return false;
  }

  const std::vector<Request>& requests_;
  const ControllerParams& params_;
  std::vector<std::vector<std::uint32_t>> waiting_;  // (bank), in order of acceptance
  std::uint32_t last_stored_bank_ = 0;
  std::size_t reads_ = 0;
  std::size_t writes_ = 0;
  std::uint8_t last_cas_was_write_ = 0;
};

class ResponseQueue {
 public:
  ResponseQueue(const std::vector<Request>& requests, RespQueue order)
      : requests_(requests), order_(order), next_(order == RespQueue::Fifo ? 0 : 1) {}

  void insert(std::uint32_t request, Tick ready) {
    const std::uint64_t key = order_ == RespQueue::Fifo ? cas_count_++ : requests_[request].id_of_channel;
    entries_.emplace(key, Entry{request, ready});
  }

  // When the data of the next response in order are complete; kNever while its CAS is still to come.
  [[nodiscard]] Tick next_ready() const { return next_is_here() ? entries_.begin()->second.ready : kNever; }

  [[nodiscard]] std::optional<std::uint32_t> take_deliverable(Tick now) {
    if (!next_is_here() || entries_.begin()->second.ready > now) return std::nullopt;
    const std::uint32_t request = entries_.begin()->second.request;
    entries_.erase(entries_.begin());
    ++next_;
    return request;
  }

 private:
  struct Entry {
    std::uint32_t request;
    Tick ready;
  };

  [[nodiscard]] bool next_is_here() const { return !entries_.empty() && entries_.begin()->first == next_; }

  const std::vector<Request>& requests_;
  RespQueue order_;
  std::map<std::uint64_t, Entry> entries_;  // by place in CAS order (Fifo) or by the channel's id (Reorder)
  std::uint64_t cas_count_ = 0;
  std::uint64_t next_;
};

}  // namespace exarch::dram::reference
