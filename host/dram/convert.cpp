#include "host/dram/convert.hpp"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "host/dram/trace_reader.hpp"
#include "host/dram/trace_writer.hpp"
#include "host/error.hpp"

namespace exarch::dram {
namespace {

constexpr std::uint32_t kUsualBurst = 64;  // bytes: 8 beats of 64 bits

// What would be ignored is refused.
void check_options(const TraceFormat& format, const ConvertOptions& options) {
  const ReadOptions none;
  const auto refuse = [&format](const std::string& option, const std::string& why) {
    throw UsageError(option + " has no effect on a trace of " + format.tool + " (" + format.name + "): " + why +
                     "; leave it out");
  };
  if (options.read.clk_mhz != none.clk_mhz && format.time_kind != TimeKind::real) {
    refuse("--clk_mhz", format.time_kind == TimeKind::none ? "it has no times" : "its times are cycles already");
  }
  if (options.interval != 1 && format.time_kind != TimeKind::none) refuse("--interval", "it has times");
  if (options.burst_bytes != 0 && !format.has_lengths && !is_stl(format)) refuse("--burst", "its requests have no lengths");
  if (!format.counts_elements) {
    if (options.read.word_bytes != none.word_bytes) refuse("--word-bytes", "its addresses are bytes");
    if (options.read.is_write.has_value()) refuse("--direction", "it says what reads and what writes");
  }
}

// Hands the requests that are taken to `sink`, as they are to be written. Returns how many of the input were seen.
template <class Sink>
std::uint64_t take_requests(const TraceFormat& format, RequestReader& reader, const ConvertOptions& options, Sink&& sink) {
  const std::uint32_t burst = options.burst_bytes != 0 ? options.burst_bytes : format.has_lengths ? kUsualBurst : 0;
  std::uint64_t seen = 0, taken = 0, first_issue = 0;
  TraceRequest request{};
  while (taken < options.limit && reader.next(request)) {
    if (seen++ < options.skip) continue;
    if (format.time_kind == TimeKind::none) {
      if (options.interval != 0 && taken > std::numeric_limits<std::uint64_t>::max() / options.interval)
        reader.fail("the time does not fit in 64 bits");
      request.issue = taken * options.interval;
    }
    if (taken++ == 0) first_issue = request.issue;
    // Times that go back are played late; before the first one they are played with it.
    if (options.from_zero) request.issue -= reader.relative() && taken > 1 ? 0 : std::min(request.issue, first_issue);
    if (burst != 0 && request.bytes != 0) {
      if (is_stl(format) && request.bytes % burst != 0)
        reader.fail("the length is no multiple of a burst of " + std::to_string(burst) + " bytes");
      request = whole_bursts(reader, request, burst);
    }
    if (request.address < options.address_offset) reader.fail("the address is below the address offset");
    request.address -= options.address_offset;
    if (burst == 0 || request.bytes == 0) {
      sink(request);
      continue;
    }
    const std::uint32_t bytes = std::exchange(request.bytes, 0);
    for (std::uint32_t done = 0; done < bytes; done += burst, request.address += burst) {
      sink(request);
      if (reader.relative()) request.issue = 0;
    }
  }
  return seen;
}

}  // namespace

Conversion convert_trace(const std::filesystem::path& in, const std::filesystem::path& out, const ConvertOptions& options) {
  if (!options.from.empty()) (void)find_trace_format(options.from);
  std::error_code ec;
  if (!std::filesystem::exists(in, ec)) throw Error(in.string() + ": there is no such file");
  const TraceFormat& format = options.from.empty() ? recognise_trace(in) : find_trace_format(options.from);
  check_options(format, options);
  if (out.extension() == ".gz" || out.extension() == ".zst") {
    throw UsageError(out.string() + ": converted traces are not compressed; leave out " + out.extension().string());
  }
  const bool out_relative = trace_is_relative(out);
  if (is_same_file(in, out)) throw UsageError(out.string() + ": is the trace to be converted; choose another file");
  return reading_trace(format, in, [&] {
    const RequestReaderPtr reader = format.open(in, options.read);
    const bool relative = reader->relative();
    if (out_relative != relative) {
      throw UsageError(out.string() + ": the converted trace must be named " + (relative ? "*.rstl" : "*.stl"));
    }
    TraceWriter writer(out);
    Conversion done{.requests = 0, .format = format.name, .note = ""};
    const std::uint64_t seen = take_requests(format, *reader, options, [&](const TraceRequest& request) {
      writer.write(request);
      ++done.requests;
    });
    if (done.requests == 0) {
      throw UsageError("no request is left: " + in.string() + " has " + std::to_string(seen) + ", of which --skip leaves out " +
                       std::to_string(options.skip));
    }
    writer.commit();
    if (!is_stl(format)) done.note = read_as(format, in.string(), *reader);
    return done;
  });
}

}  // namespace exarch::dram
