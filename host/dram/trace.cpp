#include "host/dram/trace.hpp"

#include <algorithm>
#include <bit>
#include <compare>
#include <limits>
#include <span>
#include <system_error>
#include <utility>

#include "host/dram/formats/formats.hpp"
#include "host/dram/last_index.hpp"
#include "host/error.hpp"
#include "host/files/data_dir.hpp"

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

enum class Problem { none, below_offset, gap_too_large, too_many, partial_burst, beyond_64_bits };

std::uint64_t row_key(const PackedRequest& request) {
  return request.row_bank_write >> 1;
}

// Builds a PackedTrace request by request. Until finish(), the two link arrays hold the halves of the addresses, so that nothing
// else has to be kept per request.
class Packer {
 public:
  Packer(const MemSpec& memspec, const AddressMapping& mapping, bool relative, std::uint64_t address_offset)
      : memspec_(memspec), mapping_(mapping), max_address_(max_address(mapping)), address_offset_(address_offset) {
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

  // A request of several bursts becomes as many requests, in order and at the same time.
  Problem add(const TraceRequest& request) {
    const std::uint32_t burst_bytes = memspec_.bytes_per_burst();
    if (request.bytes == 0 || request.bytes == burst_bytes) return add_burst(request);
    if (request.bytes % burst_bytes != 0) return Problem::partial_burst;
    if (request.address > std::numeric_limits<std::uint64_t>::max() - request.bytes) return Problem::beyond_64_bits;
    ++long_requests_;
    TraceRequest burst = request;
    for (std::uint32_t offset = 0; offset < request.bytes; offset += burst_bytes) {
      burst.address = request.address + offset;
      if (const Problem problem = add_burst(burst); problem != Problem::none) return problem;
      if (trace_.relative) burst.issue = 0;
    }
    return Problem::none;
  }

  [[nodiscard]] std::string describe(Problem problem) const {
    switch (problem) {
      case Problem::below_offset:
        return "the address is below the address offset";
      case Problem::gap_too_large:
        return "more than " + std::to_string(kMaxGap) + " player cycles after the previous request";
      case Problem::too_many:
        return "more than " + std::to_string(kMaxRequests) + " requests";
      case Problem::partial_burst:
        return "the length in parentheses is in bytes and must be a multiple of " + std::to_string(memspec_.bytes_per_burst()) +
               ", the burst of memory '" + memspec_.id +
               "' (width x devices / 8 x burstLength); a request without a length is one burst";
      case Problem::beyond_64_bits:
        return "the end of the request does not fit in 64 bits";
      case Problem::none:
        break;
    }
    return "";
  }

  PackedTrace finish(const std::string& name) {
    warn_of_lengths(name);
    warn_of_unmapped_bits(name);
    warn_of_bits_inside_bursts(name);
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
  Problem add_burst(const TraceRequest& request) {
    if (request.address < address_offset_) return Problem::below_offset;
    const std::uint64_t address = request.address - address_offset_;
    const std::uint64_t gap = gap_of(request.issue);
    if (gap > kMaxGap) return Problem::gap_too_large;
    if (trace_.requests.size() == kMaxRequests) return Problem::too_many;
    trace_.last_issue += gap;
    trace_.has_writes = trace_.has_writes || request.is_write;
    if (address > max_address_) ++trace_.out_of_range;
    set_in_some_ |= address;
    set_in_all_ &= address;
    hash_.add(request.issue);
    hash_.add(address);
    hash_.add(request.is_write ? 1 : 0);
    const DecodedAddress decoded = decode_address(mapping_, address);
    trace_.requests.push_back({.gap = static_cast<std::uint32_t>(gap),
                               .row_bank_write = decoded.row << 8 | (decoded.rank * memspec_.banks + decoded.bank) << 1 |
                                                 (request.is_write ? 1u : 0u)});
    trace_.next_same_row.push_back(static_cast<std::uint32_t>(address));
    trace_.previous_same_address.push_back(static_cast<std::uint32_t>(address >> 32));
    return Problem::none;
  }

  void warn_of_lengths(const std::string& name) {
    if (long_requests_ == 0) return;
    const bool one = long_requests_ == 1;
    trace_.warnings.push_back(std::to_string(long_requests_) + (one ? " request of " : " requests of ") + name +
                              (one ? " is" : " are") + " longer than a burst of " + std::to_string(memspec_.bytes_per_burst()) +
                              " bytes and read as consecutive bursts at the same time, " +
                              std::to_string(trace_.requests.size()) + " requests in all");
  }

  // The addresses are still in the link arrays.
  [[nodiscard]] std::uint64_t address_of(std::size_t i) const {
    return std::uint64_t{trace_.previous_same_address[i]} << 32 | trace_.next_same_row[i];
  }

  // How many of the least column bits number the columns of a burst; none where bursts are no power of two.
  [[nodiscard]] std::size_t burst_column_bits() const {
    if (!std::has_single_bit(memspec_.burst_length)) return 0;
    return std::min(static_cast<std::size_t>(std::countr_zero(memspec_.burst_length)), mapping_.column_bits.size());
  }

  // Requests whose burst is also that of another address: one that differs in the bits that no field names.
  [[nodiscard]] std::uint64_t count_aliases() const {
    const std::uint64_t unmapped = max_address_ & ~mapped_bits(mapping_);
    std::uint64_t inside_burst = 0;
    for (const std::uint32_t bit : mapping_.byte_bits) inside_burst |= 1ull << bit;
    for (std::size_t i = 0; i < burst_column_bits(); ++i) inside_burst |= 1ull << mapping_.column_bits[i];
    using Place = std::pair<std::uint64_t, std::uint64_t>;  // the burst that is reached, and what of the address is lost
    std::vector<Place> places;
    for (std::size_t i = 0; i < trace_.requests.size(); ++i) {
      const std::uint64_t address = address_of(i);
      places.push_back({location_of(mapping_, address) & ~inside_burst, address & unmapped});
    }
    std::ranges::sort(places);
    std::uint64_t aliases = 0;
    for (auto first = places.begin(); first != places.end();) {
      const auto end = std::find_if(first, places.end(), [&](const Place& place) { return place.first != first->first; });
      if (first->second != std::prev(end)->second) aliases += static_cast<std::uint64_t>(end - first);
      first = end;
    }
    return aliases;
  }

  // A bit that no field names is lost. Where the requests differ in it, the memory is smaller than it seems.
  void warn_of_unmapped_bits(const std::string& name) {
    const std::uint64_t lost = set_in_some_ & ~set_in_all_ & max_address_ & ~mapped_bits(mapping_);
    if (lost == 0) return;
    std::vector<std::uint32_t> bits;
    for (std::uint32_t bit = 0; bit < 64; ++bit) {
      if ((lost >> bit & 1u) != 0) bits.push_back(bit);
    }
    trace_.warnings.push_back("address mapping '" + mapping_.id + "': bit " + listed(bits) + (bits.size() == 1 ? " is" : " are") +
                              " in no field; " + std::to_string(count_aliases()) + " of " +
                              std::to_string(trace_.requests.size()) + " requests of " + name +
                              " alias (another address has their place in the memory), as in the reference simulator");
  }

  // Addresses of whole bursts agree in the bits inside a burst. A bank, row or burst number made of such bits never changes.
  void warn_of_bits_inside_bursts(const std::string& name) {
    const std::uint32_t burst_bytes = memspec_.bytes_per_burst();
    if (!std::has_single_bit(burst_bytes) || !std::has_single_bit(memspec_.burst_length)) return;
    const auto inside = static_cast<std::uint32_t>(std::countr_zero(burst_bytes));
    std::string fields;
    const auto check = [&](const char* key, std::span<const std::uint32_t> bits) {
      std::vector<std::uint32_t> found;
      for (const std::uint32_t bit : bits) {
        const bool replaced = std::ranges::any_of(mapping_.xors, [bit](const auto& pair) { return pair.first == bit; });
        if (bit < inside && !replaced) found.push_back(bit);
      }
      if (!found.empty()) fields += (fields.empty() ? "" : ", ") + std::string(key) + " bit " + listed(found);
    };
    check("BANK_BIT", mapping_.bank_bits);
    check("ROW_BIT", mapping_.row_bits);
    check("COLUMN_BIT", std::span(mapping_.column_bits).subspan(burst_column_bits()));
    if (fields.empty()) return;
    std::vector<std::uint64_t> per_bank(std::size_t{memspec_.ranks} * memspec_.banks);
    for (const PackedRequest& request : trace_.requests) ++per_bank[request.bank()];
    const auto used = std::ranges::count_if(per_bank, [](std::uint64_t requests) { return requests > 0; });
    const auto bank = std::ranges::find(per_bank, trace_.requests.size()) - per_bank.begin();
    trace_.warnings.push_back(
        "address mapping '" + mapping_.id + "': " + fields + " inside a burst of " + std::to_string(burst_bytes) +
        " bytes (bits 0 to " + std::to_string(inside - 1) + "), which no whole burst changes; " +
        (used == 1
             ? "all requests of " + name + " are in bank " + std::to_string(bank)
             : "requests of " + name + " use " + std::to_string(used) + " of " + std::to_string(per_bank.size()) + " banks") +
        ", as in the reference simulator");
  }

  static std::string listed(std::span<const std::uint32_t> bits) {
    std::string text;
    for (const std::uint32_t bit : bits) text += (text.empty() ? "" : ", ") + std::to_string(bit);
    return text;
  }

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

  const MemSpec& memspec_;
  const AddressMapping& mapping_;
  std::uint64_t max_address_;
  std::uint64_t address_offset_;
  std::uint64_t set_in_some_ = 0, set_in_all_ = ~std::uint64_t{0};  // address bits
  std::uint64_t long_requests_ = 0;                                 // of several bursts
  ContentHash hash_;
  PackedTrace trace_;
};

// A guess at how many requests a file has, for formats without a length that is known: too few costs copying, too many nothing
// but addresses. 0 for compressed files.
std::uint64_t expected_requests(const std::filesystem::path& path) {
  constexpr std::uint64_t kTypicalLineBytes = 20;
  std::error_code ec;
  const std::uintmax_t bytes = std::filesystem::file_size(path, ec);
  return ec ? 0 : bytes / kTypicalLineBytes;
}

PackedTrace read_packed(const TraceFormat& format, const std::filesystem::path& path, const std::string& name,
                        const MemSpec& memspec, const AddressMapping& mapping, std::uint64_t address_offset,
                        std::uint32_t clk_mhz) {
  const RequestReaderPtr reader = format.open(path, {.clk_mhz = clk_mhz});
  Packer packer(memspec, mapping, reader->relative(), address_offset);
  packer.reserve(expected_requests(path));
  TraceRequest request{};
  while (reader->next(request)) {
    if (format.has_lengths) request = whole_bursts(*reader, request, memspec.bytes_per_burst());
    const Problem problem = packer.add(request);
    if (problem != Problem::none) reader->fail(packer.describe(problem));
  }
  PackedTrace trace = packer.finish(name);
  if (!is_stl(format)) trace.warnings.insert(trace.warnings.begin(), read_as(format, name, *reader));
  return trace;
}

}  // namespace

std::filesystem::path find_trace_file(const std::string& name) {
  return find_data_file("dram/traces", name, {".stl", ".rstl", ".stl.gz", ".rstl.gz", ".stl.zst", ".rstl.zst"});
}

PackedTrace load_trace(const std::string& name, const MemSpec& memspec, const AddressMapping& mapping,
                       std::uint64_t address_offset, std::uint32_t clk_mhz) {
  const std::filesystem::path path = find_trace_file(name);
  const TraceFormat& format = recognise_trace(path);
  return reading_trace(format, path, [&] { return read_packed(format, path, name, memspec, mapping, address_offset, clk_mhz); });
}

PackedTrace pack_trace(const std::string& name, const std::vector<TraceRequest>& requests, bool relative, const MemSpec& memspec,
                       const AddressMapping& mapping, std::uint64_t address_offset) {
  if (requests.empty()) throw Error(name + ": the trace has no requests");
  Packer packer(memspec, mapping, relative, address_offset);
  packer.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Problem problem = packer.add(requests[i]);
    if (problem != Problem::none) {
      throw Error(name + ": request " + std::to_string(i + 1) + ": " + packer.describe(problem));
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
  info.per_bank.assign(std::size_t{memspec.ranks} * memspec.banks, 0);
  std::vector<std::uint64_t> last_row(info.per_bank.size(), std::numeric_limits<std::uint64_t>::max());
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
