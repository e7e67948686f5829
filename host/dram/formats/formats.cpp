#include "host/dram/formats/formats.hpp"

#include <algorithm>

#include "host/dram/trace_reader.hpp"
#include "host/error.hpp"

namespace exarch::dram {
namespace {

const std::vector<TraceFormat>& format_table() {
  using T = TimeKind;
  static const std::string kCycle = "the cycle", kNumbered = "none: the n-th request, from 0, is issued in cycle n";
  static const std::vector<TraceFormat> kTable{
      {"stl", FileKind::trace_stl, T::cycles, false, false, "DRAMSys", "n: [(bytes)] read|write 0xADDR",
       "n, in cycles; in .rstl the gap", open_stl},
      {"dramsim3", FileKind::trace_dramsim3, T::cycles, false, false, "DRAMsim3 or DRAMSim2", "0xADDR READ|WRITE cycle", kCycle,
       open_dramsim},
      {"dramsim2", FileKind::trace_dramsim3, T::cycles, false, false, "DRAMSim2 (k6, mase)", "0xADDR P_MEM_RD|P_MEM_WR|... cycle",
       kCycle, open_dramsim},
      {"dramsim2-misc", FileKind::trace_dramsim2_misc, T::none, false, false, "DRAMSim2 (misc)", "0xADDR read|write [data]",
       kNumbered, open_dramsim2_misc},
      {"ramulator", FileKind::trace_ramulator, T::none, false, false, "Ramulator, Ramulator 2", "ADDR R|W or LD|ST ADDR",
       kNumbered, open_ramulator},
      {"gem5", FileKind::gem5_binary, T::real, true, false, "gem5 (packets, protobuf)", "a binary message per packet",
       "the tick, made cycles of the player", open_gem5},
      {"gem5-text", FileKind::trace_gem5, T::real, true, false, "gem5 (decode_packet_trace.py)",
       "[id,]r|w|u,addr,size,[flags,]tick[,pc]", "the tick (1 ps), made cycles of the player", open_gem5_text},
      {"lackey", FileKind::trace_lackey, T::none, true, false, "Valgrind's lackey", "L|S|M addr,size (I is left out)", kNumbered,
       open_lackey},
      {"pin", FileKind::trace_pin, T::none, true, false, "Pin's pinatrace", "0xIP: R|W 0xADDR [size]", kNumbered, open_pin},
      {"champsim", FileKind::trace_champsim, T::none, false, false, "ChampSim", "64 bytes per instruction", kNumbered,
       open_champsim},
      {"scalesim", FileKind::trace_scalesim, T::cycles, true, true, "SCALE-Sim", "cycle,element,element,...",
       "the cycle, from 0 where the first is negative", open_scalesim},
      {"csv", FileKind::trace_csv, T::real, true, false, "a table (CSV)", "a header, such as time,rw,addr[,size]",
       "time or cycle: cycles; time_ns, time_ps, tick: made cycles; no such column: none", open_csv},
  };
  return kTable;
}

}  // namespace

std::span<const TraceFormat> trace_formats() {
  return format_table();
}

std::string trace_format_names() {
  std::vector<std::string> names;
  for (const TraceFormat& format : trace_formats()) names.push_back(format.name);
  std::ranges::sort(names);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

const TraceFormat& find_trace_format(const std::string& name) {
  std::vector<std::string> known;
  for (const TraceFormat& format : trace_formats()) {
    if (format.name == name) return format;
    known.push_back(format.name);
  }
  throw UsageError("unknown trace format '" + name + "'" + did_you_mean(name, known) +
                   ", expected one of: " + trace_format_names());
}

const TraceFormat& recognise_trace(const std::filesystem::path& path) {
  const FileKind kind = kind_of_file(path, true);
  const auto found = std::ranges::find(trace_formats(), kind, &TraceFormat::kind);
  return found == trace_formats().end() ? trace_formats().front() : *found;
}

std::string read_as(const TraceFormat& format, const std::string& name, const RequestReader& reader) {
  std::string text = name + " is read as a trace of " + format.tool + " (" + format.name + "); time: " + format.time;
  if (!reader.note().empty()) text += "; " + reader.note();
  return text;
}

TraceRequest whole_bursts(const RequestReader& reader, TraceRequest request, std::uint32_t burst_bytes) {
  if (request.bytes == 0) return request;
  const std::uint64_t skew = request.address % burst_bytes;
  const std::uint64_t bytes = (skew + request.bytes + burst_bytes - 1) / burst_bytes * burst_bytes;
  request.address -= skew;
  if (request.address > ~std::uint64_t{0} - bytes) reader.fail("the end of the request does not fit in 64 bits");
  request.bytes = static_cast<std::uint32_t>(bytes);
  return request;
}

RequestReaderPtr open_stl(const std::filesystem::path& path, const ReadOptions& /*options*/) {
  const std::string extension = uncompressed_name(path).extension().string();
  // Under another name, the content decides.
  const bool named = extension == ".stl" || extension == ".rstl";
  if (!named && kind_of_file(path, true) == FileKind::trace_stl) return std::make_unique<TraceReader>(path, false);
  return std::make_unique<TraceReader>(path);
}

}  // namespace exarch::dram
