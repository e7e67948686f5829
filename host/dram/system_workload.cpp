#include "host/dram/system_workload.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "host/dram/formats/formats.hpp"
#include "host/dram/trace.hpp"
#include "host/error.hpp"
#include "host/files/text.hpp"

namespace exarch::dram {
namespace {

constexpr std::uint64_t kMostCycles = kNoRequest - 1;
constexpr std::uint64_t kMaxDelay_ns = 1'000'000;

// The parts between "+"; the name of a file that exists is one part, whatever is in it.
std::vector<std::string> split_initiators(const std::string& text) {
  std::error_code none;
  if (std::filesystem::is_regular_file(text, none)) return {text};
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '+') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::uint32_t clock_of(const std::string& text) {
  std::uint64_t mhz = 0;
  if (parse_decimal(text, mhz) != Parsed::ok || mhz < 1 || mhz > 100'000) {
    throw UsageError("clk_mhz: expected a whole number from 1 to 100000, or one per initiator joined with '+', found '" +
                     escaped(text, 40) + "'");
  }
  return static_cast<std::uint32_t>(mhz);
}

// A full address is known by its number: two requests have the same one exactly if their addresses are equal.
class AddressNumbers {
 public:
  std::uint32_t of(std::uint64_t address) {
    return numbers_.emplace(address, static_cast<std::uint32_t>(numbers_.size())).first->second;
  }

 private:
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;
};

struct Decoder {
  const MemSpec& memspec;
  const AddressMapping& mapping;
  std::uint64_t offset;
  std::uint64_t highest;
  AddressNumbers numbers;
};

// Reads one initiator's trace; a request of several bursts becomes as many requests at the same time.
std::vector<system::Request> read_player(const TraceFormat& format, const std::filesystem::path& path, std::uint32_t clk_mhz,
                                         Decoder& decoder, SystemWorkload& workload, system::Player& player) {
  std::vector<system::Request> requests;
  std::uint64_t last_issue = 0;
  const RequestReaderPtr opened = format.open(path, {.clk_mhz = clk_mhz});
  RequestReader& reader = *opened;
  player.relative = reader.relative();
  const std::uint32_t burst_bytes = decoder.memspec.bytes_per_burst();
  TraceRequest request{};
  while (reader.next(request)) {
    if (format.has_lengths) request = whole_bursts(reader, request, burst_bytes);
    const std::uint32_t bytes = request.bytes == 0 ? burst_bytes : request.bytes;
    if (bytes % burst_bytes != 0) {
      reader.fail("the length in parentheses is in bytes and must be a multiple of " + std::to_string(burst_bytes) +
                  ", the burst of memory '" + decoder.memspec.id + "'");
    }
    if (request.address > std::numeric_limits<std::uint64_t>::max() - bytes)
      reader.fail("the end of the request does not fit in 64 bits");
    for (std::uint32_t at = 0; at < bytes; at += burst_bytes) {
      // Below the offset the address wraps around, as in the reference simulator, which warns of it.
      const std::uint64_t address = request.address + at - decoder.offset;
      std::uint64_t gap = request.issue;
      if (player.relative) {
        if (at > 0) gap = 0;
        last_issue += gap;
      } else {
        gap = request.issue > last_issue ? request.issue - last_issue : 0;
        last_issue = std::max(last_issue, request.issue);
      }
      if (gap > kMostCycles)
        reader.fail("more than " + std::to_string(kMostCycles) + " player cycles after the previous request");
      if (last_issue > (std::uint64_t{1} << 62) / player.period_ps) reader.fail("this time exceeds 2^62 ps (53 days)");
      if (requests.size() == kNoRequest - 1) reader.fail("more requests than are supported");
      if (address > decoder.highest) ++workload.out_of_range;
      const DecodedAddress place = decode_address(decoder.mapping, address);
      requests.push_back({.gap = static_cast<std::uint32_t>(gap),
                          .row = place.row,
                          .address = decoder.numbers.of(address),
                          .bank = static_cast<std::uint8_t>(place.rank * decoder.memspec.banks + place.bank),
                          .channel = static_cast<std::uint8_t>(place.channel),
                          .is_write = static_cast<std::uint8_t>(request.is_write ? 1 : 0)});
    }
  }
  if (!is_stl(format)) workload.warnings.push_back(read_as(format, path.string(), reader));
  return requests;
}

std::uint32_t delay_cycles(std::uint64_t ns, std::uint32_t tck_ps, std::string_view key) {
  if (ns > kMaxDelay_ns) {
    throw UsageError(std::string(key) + ": " + std::to_string(ns) + " ns; expected at most " + std::to_string(kMaxDelay_ns));
  }
  return static_cast<std::uint32_t>((ns * 1000 + tck_ps / 2) / tck_ps);
}

}  // namespace

std::vector<std::uint32_t> player_clocks(const std::string& text) {
  std::vector<std::uint32_t> clocks;
  for (const std::string& part : split_initiators(text)) clocks.push_back(clock_of(part));
  return clocks;
}

std::unique_ptr<SystemWorkload> load_system_workload(const SystemSetup& setup) {
  auto workload = std::make_unique<SystemWorkload>();
  workload->memspec = load_memspec(setup.memspec);
  const AddressMapping mapping = load_address_mapping(setup.mapping);
  check_mapping_fits(workload->memspec, mapping);
  workload->table = protocol_of(workload->memspec);
  workload->warnings = workload->memspec.warnings;

  const std::vector<std::string> traces = split_initiators(setup.traces);
  std::vector<std::uint32_t> clocks = player_clocks(setup.clk_mhz);
  if (traces.size() > system::kMaxPlayers) {
    throw UsageError("trace: " + std::to_string(traces.size()) + " initiators; up to " + std::to_string(system::kMaxPlayers) +
                     " are supported");
  }
  if (clocks.size() == 1) clocks.resize(traces.size(), clocks.front());
  if (clocks.size() != traces.size()) {
    throw UsageError("clk_mhz has " + std::to_string(clocks.size()) + " clocks for " + std::to_string(traces.size()) +
                     " initiators; give one for all, or one each");
  }
  Decoder decoder{workload->memspec, mapping, setup.address_offset, max_address(mapping), {}};
  system::SystemView& view = workload->view;
  view.player_count = static_cast<std::uint32_t>(traces.size());
  view.channel_count = workload->memspec.channels;
  view.protocol = &workload->table.protocol;
  std::uint64_t requests = 0;
  for (std::size_t i = 0; i < traces.size(); ++i) {
    if (traces[i].empty()) throw UsageError("trace: the name of initiator " + std::to_string(i + 1) + " is missing");
    system::Player& player = view.players[i];
    player.period_ps = (1'000'000 + clocks[i] / 2) / clocks[i];
    const std::filesystem::path path = find_trace_file(traces[i]);
    const TraceFormat& format = recognise_trace(path);
    workload->requests.push_back(
        reading_trace(format, path, [&] { return read_player(format, path, clocks[i], decoder, *workload, player); }));
    player.count = static_cast<std::uint32_t>(workload->requests.back().size());
    requests += player.count;
  }
  for (std::size_t i = 0; i < traces.size(); ++i) view.players[i].requests = workload->requests[i].data();
  for (std::size_t d = 0; d < kDelayKeys.size(); ++d) {
    view.delays.*kDelayKeys[d].cycles = delay_cycles(setup.delays_ns[d], workload->memspec.tck_ps, kDelayKeys[d].name);
  }
  if (workload->out_of_range > 0) {
    workload->warnings.push_back(
        std::to_string(workload->out_of_range) + " of " + std::to_string(requests) +
        " addresses lie outside the memory (above it, or below the address offset); their upper bits are ignored, as the "
        "reference simulator does");
  }
  std::uint64_t span = 0;
  for (std::size_t i = 0; i < traces.size(); ++i) {
    std::uint64_t cycles = 0;
    for (const system::Request& request : workload->requests[i]) cycles += request.gap;
    span = std::max(span, cycles * view.players[i].period_ps / workload->memspec.tck_ps);
    if (span > kMaxSpan)
      throw Error("trace " + traces[i] + " spans more than 2^40 controller cycles; cut its idle time, or split it");
  }
  const system::Protocol& p = workload->table.protocol;
  const std::uint64_t interval =
      p.per_bank_interval == 0 ? p.refresh_interval : std::min(p.refresh_interval, p.per_bank_interval);
  workload->refreshes = std::uint64_t{p.ranks} * view.channel_count * (span / interval);
  workload->step_budget = (1u << 20) + 1024 * requests + 64 * workload->refreshes;
  return workload;
}

std::string unable(const MemSpec& memspec, const ControllerParams& params) {
  if (params.refresh_policy == RefreshPolicy::PerBank && !find_standard(memspec.memory_type)->refreshes_banks) {
    return "RefreshPolicy=PerBank: " + memspec.memory_type + " memories are refreshed all banks together (AllBank)";
  }
  if (params.power_down_policy == PowerDownPolicy::Staggered && !memspec.missing.empty()) {
    std::string keys;
    for (const std::string& key : memspec.missing) keys += (keys.empty() ? "" : ", ") + key;
    return "PowerDownPolicy=Staggered: memory '" + memspec.id + "' lacks " + keys;
  }
  return "";
}

}  // namespace exarch::dram
