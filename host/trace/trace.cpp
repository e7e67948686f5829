#include "host/trace/trace.hpp"

#include <algorithm>
#include <limits>
#include <system_error>
#include <utility>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "host/spec/data_dir.hpp"
#include "host/trace/last_index.hpp"

namespace exarch::dram {
namespace {

constexpr std::uint64_t kMaxGap = kNoRequest - 1;
constexpr std::uint64_t kMaxRequests = kNoRequest - 1;

// Order-dependent 64-bit mixing (the finalizer of SplitMix64 after each word).
class ContentHash {
 public:
  void add(std::uint64_t word) {
    state_ = (state_ ^ word) + 0x9E3779B97F4A7C15ull;
    state_ = (state_ ^ (state_ >> 30)) * 0xBF58476D1CE4E5B9ull;
    state_ = (state_ ^ (state_ >> 27)) * 0x94D049BB133111EBull;
    state_ ^= state_ >> 31;
  }

  [[nodiscard]] std::string hex() const {
    std::string text(16, '0');
    for (std::size_t i = 0; i < 16; ++i) {
      text[i] = "0123456789abcdef"[(state_ >> (60 - 4 * i)) & 15u];
    }
    return text;
  }

 private:
  std::uint64_t state_ = 0;
};

enum class Problem { none, below_offset, gap_too_large, too_many };

std::string describe(Problem problem) {
  switch (problem) {
    case Problem::below_offset:
      return "the address is below the address offset";
    case Problem::gap_too_large:
      return "more than " + std::to_string(kMaxGap) + " player cycles after the previous request";
    case Problem::too_many:
      return "more than " + std::to_string(kMaxRequests) + " requests";
    case Problem::none:
      break;
  }
  return "";
}

std::uint64_t row_key(const PackedRequest& request) {
  return request.row_bank_write >> 1;
}

// Builds a PackedTrace request by request. Until finish(), the two link arrays hold the halves of the addresses, so that nothing
// else has to be kept per request.
class Packer {
 public:
  Packer(const MemSpec& memspec, const AddressMapping& mapping, bool relative, std::uint64_t address_offset)
      : mapping_(mapping), max_address_(max_address(mapping)), address_offset_(address_offset) {
    check_mapping_fits(memspec, mapping);
    trace_.relative = relative;
    hash_.add(relative ? 1 : 0);
  }

  void reserve(std::uint64_t requests) {
    const auto count = static_cast<std::size_t>(std::min(requests, kMaxRequests));
    trace_.requests.reserve(count);
    trace_.next_same_row.reserve(count);
    trace_.previous_same_address.reserve(count);
  }

  Problem add(const TraceRequest& request) {
    if (request.address < address_offset_) return Problem::below_offset;
    const std::uint64_t address = request.address - address_offset_;
    const std::uint64_t gap = gap_of(request.issue);
    if (gap > kMaxGap) return Problem::gap_too_large;
    if (trace_.requests.size() == kMaxRequests) return Problem::too_many;
    trace_.last_issue += gap;
    trace_.has_writes = trace_.has_writes || request.is_write;
    if (address > max_address_) ++trace_.out_of_range;
    hash_.add(request.issue);
    hash_.add(address);
    hash_.add(request.is_write ? 1 : 0);
    const DecodedAddress decoded = decode_address(mapping_, address);
    trace_.requests.push_back({.gap = static_cast<std::uint32_t>(gap),
                               .row_bank_write = decoded.row << 8 | decoded.bank << 1 | (request.is_write ? 1u : 0u)});
    trace_.next_same_row.push_back(static_cast<std::uint32_t>(address));
    trace_.previous_same_address.push_back(static_cast<std::uint32_t>(address >> 32));
    return Problem::none;
  }

  PackedTrace finish(const std::string& name) {
    if (trace_.has_writes) {
      link_with_addresses();
    } else {
      (void)link_rows(trace_.next_same_row);
      trace_.previous_same_address = {};
    }
    trace_.name = name;
    trace_.content_hash = hash_.hex();
    return std::move(trace_);
  }

 private:
  // Absolute times that go back are played late, so only their running maximum counts.
  [[nodiscard]] std::uint64_t gap_of(std::uint64_t issue) const {
    if (trace_.relative) return issue;
    return issue > trace_.last_issue ? issue - trace_.last_issue : 0;
  }

  // Fills in next_same_row; the chains start at the requests that the index returns.
  LastIndex link_rows(std::vector<std::uint32_t>& next) {
    LastIndex rows;
    for (std::size_t i = next.size(); i-- > 0;) {
      next[i] = rows.exchange(row_key(trace_.requests[i]), static_cast<std::uint32_t>(i));
    }
    return rows;
  }

  // Identical addresses lie in the same row, so the index of addresses never has to hold more than
  // those of one row: each row's chain is walked on its own.
  void link_with_addresses() {
    std::vector<std::uint32_t> next(trace_.requests.size());
    const LastIndex rows = link_rows(next);
    std::vector<std::uint32_t>& previous = trace_.previous_same_address;
    LastIndex addresses;
    rows.for_each([&](std::uint32_t head) {
      addresses.clear();
      for (std::uint32_t i = head; i != kNoRequest; i = next[i]) {
        previous[i] = addresses.exchange(std::uint64_t{previous[i]} << 32 | trace_.next_same_row[i], i);
      }
    });
    trace_.next_same_row = std::move(next);
  }

  const AddressMapping& mapping_;
  std::uint64_t max_address_;
  std::uint64_t address_offset_;
  ContentHash hash_;
  PackedTrace trace_;
};

PackedTrace read_packed(const std::filesystem::path& path, const std::string& name, const MemSpec& memspec,
                        const AddressMapping& mapping, std::uint64_t address_offset) {
  constexpr std::uint64_t kTypicalLineBytes = 20;
  TraceReader reader(path);
  Packer packer(memspec, mapping, reader.relative(), address_offset);
  std::error_code ec;
  const std::uintmax_t bytes = std::filesystem::file_size(path, ec);
  if (!ec) packer.reserve(bytes / kTypicalLineBytes);
  TraceRequest request{};
  while (reader.next(request)) {
    const Problem problem = packer.add(request);
    if (problem != Problem::none) reader.fail(describe(problem));
  }
  return packer.finish(name);
}

}  // namespace

PackedTrace load_trace(const std::string& name, const MemSpec& memspec, const AddressMapping& mapping,
                       std::uint64_t address_offset) {
  const std::filesystem::path path = find_data_file("dram/traces", name, {".stl", ".rstl"});
  return named_if_foreign(path, {FileKind::trace_stl, FileKind::gzip}, "a trace (.stl, .rstl)",
                          [&] { return read_packed(path, name, memspec, mapping, address_offset); });
}

PackedTrace pack_trace(const std::string& name, const std::vector<TraceRequest>& requests, bool relative, const MemSpec& memspec,
                       const AddressMapping& mapping, std::uint64_t address_offset) {
  if (requests.empty()) throw Error(name + ": the trace has no requests");
  Packer packer(memspec, mapping, relative, address_offset);
  packer.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Problem problem = packer.add(requests[i]);
    if (problem != Problem::none) {
      throw Error(name + ": request " + std::to_string(i + 1) + ": " + describe(problem));
    }
  }
  return packer.finish(name);
}

WorkloadView make_view(const PackedTrace& trace, const MemSpec& memspec, std::uint32_t clk_mhz) {
  constexpr std::uint64_t kMaxTime_ps = std::uint64_t{1} << 62;
  if (clk_mhz < 1 || clk_mhz > 100'000) {
    throw UsageError("player clock of " + std::to_string(clk_mhz) + " MHz: expected a whole number from 1 to 100000");
  }
  const std::uint32_t period_ps = (1'000'000 + clk_mhz / 2) / clk_mhz;
  if (trace.last_issue > kMaxTime_ps / period_ps) {
    throw Error(trace.name + ": the last time stamp, " + std::to_string(trace.last_issue) + " cycles of " +
                std::to_string(period_ps) + " ps, exceeds 2^62 ps (53 days)");
  }
  WorkloadView view{};
  view.relative = trace.relative;
  view.has_writes = trace.has_writes;
  view.player_period_ps = period_ps;
  view.tck_ps = memspec.tck_ps;
  view.timing = memspec.timing;
  refer_to(trace, view);
  return view;
}

void refer_to(const PackedTrace& trace, WorkloadView& view) {
  view.requests = trace.requests.data();
  view.next_same_row = trace.next_same_row.data();
  view.previous_same_address = trace.has_writes ? trace.previous_same_address.data() : nullptr;
  view.part_first = 0;
  view.part_end = view.count = static_cast<std::uint32_t>(trace.requests.size());
}

TraceInfo trace_info(const PackedTrace& trace, const MemSpec& memspec) {
  TraceInfo info;
  info.requests = trace.requests.size();
  info.out_of_range = trace.out_of_range;
  info.first_issue = trace.requests.empty() ? 0 : trace.requests.front().gap;
  info.last_issue = trace.last_issue;
  info.per_bank.assign(memspec.banks, 0);
  std::vector<std::uint64_t> last_row(memspec.banks, std::numeric_limits<std::uint64_t>::max());
  for (const PackedRequest& request : trace.requests) {
    const std::uint32_t bank = request.bank();
    info.writes += request.is_write() ? 1u : 0u;
    info.same_row_as_previous_in_bank += last_row[bank] == request.row() ? 1u : 0u;
    last_row[bank] = request.row();
    ++info.per_bank[bank];
  }
  info.reads = info.requests - info.writes;
  // The last request of a row is the one without a successor: one per distinct row.
  info.distinct_rows = static_cast<std::uint64_t>(std::ranges::count(trace.next_same_row, kNoRequest));
  return info;
}

}  // namespace exarch::dram
