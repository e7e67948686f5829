// Memory traces: the strict reader of .stl / .rstl files, the packed form the kernels read, and facts about a trace.
//
// Text formats (docs/formats.md): one request per line, "<n>: [(<bytes>)] read|write 0x<address>"; .stl: n is the earliest issue
// time in player clock cycles, .rstl: n is the gap after the previous acknowledgement. Blank lines and lines starting with '#'
// are skipped. A packed trace costs 16 bytes per request whatever the file's length; reading (trace_reader.hpp) is streaming.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/dram/memspec.hpp"
#include "host/dram/trace_reader.hpp"
#include "kernels/dram/types.hpp"

namespace exarch::dram {

// A trace decoded for one memory and mapping. Immutable once built; shared by all candidates.
struct PackedTrace {
  std::string name;       // as the user gave it
  bool relative = false;  // .rstl
  bool has_writes = false;
  std::uint64_t out_of_range = 0;     // addresses above the mapping's range (they wrap, with a warning)
  std::uint64_t last_issue = 0;       // player cycles: latest issue time (.stl), sum of all gaps (.rstl)
  std::vector<std::string> warnings;  // what a user should know of the trace on this memory: lengths, addresses that alias
  // 16 hex digits over `relative` and (issue, address less the offset, direction) of all requests.
  std::string content_hash;
  std::vector<PackedRequest> requests;               // (request)
  std::vector<std::uint32_t> next_same_row;          // (request) as in WorkloadView
  std::vector<std::uint32_t> previous_same_address;  // (request) as in WorkloadView; empty unless has_writes
};

// The file of a trace: a path, or a shipped trace's name ("cloud-1").
[[nodiscard]] std::filesystem::path find_trace_file(const std::string& name);

// Reads and packs a trace. `name` is a path, of any format that is read (formats/formats.hpp), or a shipped trace's name
// ("cloud-1"). `address_offset` is subtracted first. A request of several bursts becomes that many requests at the same time.
// `clk_mhz`, the player's clock, is for formats whose times are no cycles.
[[nodiscard]] PackedTrace load_trace(const std::string& name, const MemSpec& memspec, const AddressMapping& mapping,
                                     std::uint64_t address_offset = 0, std::uint32_t clk_mhz = 800);

// Packs requests that are already in memory (tests, generators); same rules and errors as load_trace.
[[nodiscard]] PackedTrace pack_trace(const std::string& name, const std::vector<TraceRequest>& requests, bool relative,
                                     const MemSpec& memspec, const AddressMapping& mapping, std::uint64_t address_offset = 0);

// What the kernels see. `clk_mhz` is the player's clock, 1..100000. The view refers to `trace`, which
// must outlive it. Throws if the clock is out of range or the time stamps exceed 2^62 ps (53 days).
[[nodiscard]] WorkloadView make_view(const PackedTrace& trace, const MemSpec& memspec, std::uint32_t clk_mhz);

// Lets `view` refer to (a copy of) the trace it was made for, whole.
void refer_to(const PackedTrace& trace, WorkloadView& view);

// Facts for `exarch trace info`.
struct TraceInfo {
  std::uint64_t requests = 0, reads = 0, writes = 0, distinct_rows = 0, out_of_range = 0;
  std::uint64_t first_issue = 0, last_issue = 0;   // player cycles (.rstl: the first gap, the sum of all gaps)
  std::uint64_t same_row_as_previous_in_bank = 0;  // row locality: requests whose bank's previous request had the same row
  std::vector<std::uint64_t> per_bank;
};
[[nodiscard]] TraceInfo trace_info(const PackedTrace& trace, const MemSpec& memspec);

}  // namespace exarch::dram
