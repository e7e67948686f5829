#include "host/dram/convert.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <system_error>
#include <utility>
#include <vector>

#include "host/dram/trace_reader.hpp"
#include "host/error.hpp"
#include "host/files/file_kind.hpp"

namespace exarch::dram {
namespace {

// A file that is written under a temporary name and renamed by commit(); otherwise it is removed.
class TraceWriter {
 public:
  explicit TraceWriter(const std::filesystem::path& path)
      : path_(path), temporary_(path.string() + ".part-" + std::to_string(::getpid())) {
    file_ = std::fopen(temporary_.c_str(), "wb");
    if (file_ == nullptr) fail();
  }
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;
  ~TraceWriter() {
    if (file_ != nullptr) std::fclose(file_);
    std::error_code ec;
    if (!committed_) std::filesystem::remove(temporary_, ec);
  }

  void write(const TraceRequest& request) {
    std::array<char, 64> line;
    char* at = std::to_chars(line.data(), line.data() + 20, request.issue).ptr;
    at = append(at, ":\t");
    if (request.bytes != 0) {
      at = append(at, "(");
      at = std::to_chars(at, at + 10, request.bytes).ptr;
      at = append(at, ")\t");
    }
    at = append(at, request.is_write ? "write\t0x" : "read\t0x");
    at = std::to_chars(at, line.data() + line.size() - 1, request.address, 16).ptr;
    *at++ = '\n';
    const auto size = static_cast<std::size_t>(at - line.data());
    if (std::fwrite(line.data(), 1, size, file_) != size) fail();
  }

  void commit() {
    const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
    if (!closed) fail();
    std::error_code ec;
    std::filesystem::rename(temporary_, path_, ec);
    if (ec) throw Error(path_.string() + ": cannot write the file: " + ec.message());
    committed_ = true;
  }

 private:
  static char* append(char* at, std::string_view text) {
    std::memcpy(at, text.data(), text.size());
    return at + text.size();
  }

  [[noreturn]] void fail() const { throw Error(path_.string() + ": cannot write the file: " + std::strerror(errno)); }

  std::filesystem::path path_, temporary_;
  std::FILE* file_ = nullptr;
  bool committed_ = false;
};

using ParseLine = TraceRequest (*)(const LineReader& lines, Fields& fields, std::uint64_t index);

using Names = std::initializer_list<std::string_view>;

// True for a write word, false for a read word, else an error, which names the first of each.
bool parse_direction(const LineReader& lines, std::string_view field, Names read, Names write) {
  if (std::ranges::find(read, field) != read.end()) return false;
  if (std::ranges::find(write, field) != write.end()) return true;
  lines.fail("unknown command '" + escaped(field, 40) + "', expected " + std::string(*read.begin()) + " or " +
             std::string(*write.begin()));
}

TraceRequest parse_dramsim3(const LineReader& lines, Fields& fields, std::uint64_t) {
  TraceRequest request{};
  request.address = parse_address(lines, fields.take(), HexPrefix::required);
  // Both tools take these words for the same; DRAMSim2's others (interrupts, locked accesses, I/O) they read in two ways.
  request.is_write = parse_direction(lines, fields.take(), {"READ", "read", "P_MEM_RD", "P_FETCH", "IFETCH"},
                                     {"WRITE", "write", "P_MEM_WR", "BOFF"});
  const std::string_view cycle = fields.take();
  if (parse_decimal(cycle, request.issue) != Parsed::ok) {
    lines.fail("cycle '" + escaped(cycle, 40) + "' is not a whole number of at most 64 bits");
  }
  return request;
}

TraceRequest parse_ramulator(const LineReader& lines, Fields& fields, std::uint64_t index) {
  TraceRequest request{.issue = index, .address = 0, .is_write = false};
  const std::string_view first = fields.take();
  if (first.starts_with('0')) {
    request.address = parse_address(lines, first, HexPrefix::required);
    request.is_write = parse_direction(lines, fields.take(), {"R"}, {"W"});
    return request;
  }
  if (first == "R" || first == "W") {
    lines.fail(
        "Ramulator 2's read/write traces have no addresses but numbers of channel, rank, bank and so on, of a memory that "
        "is not known here; write LD or ST and an address");
  }
  request.is_write = parse_direction(lines, first, {"LD"}, {"ST"});
  const std::string_view address = fields.take();
  if (address.starts_with("0x") || address.starts_with("0X")) {
    request.address = parse_address(lines, address, HexPrefix::required);
  } else if (parse_decimal(address, request.address) != Parsed::ok) {
    lines.fail("address '" + escaped(address, 40) + "' is neither decimal nor hexadecimal with 0x, or does not fit in 64 bits");
  }
  return request;
}

std::uint64_t convert_lines(LineReader lines, ParseLine parse, TraceWriter& writer) {
  std::uint64_t count = 0;
  std::string_view line;
  while (lines.next(line)) {
    Fields fields(line);
    if (fields.skippable()) continue;
    const TraceRequest request = parse(lines, fields, count);
    if (!fields.empty()) {
      lines.fail("unexpected '" + escaped(fields.take(), 40) + "' after the request");
    }
    writer.write(request);
    ++count;
  }
  if (count == 0) throw Error(lines.path() + ": the trace has no requests");
  return count;
}

void check_format(const std::string& format) {
  const std::vector<std::string> known{"dramsim2", "dramsim3", "ramulator", "stl"};
  for (const std::string& name : known) {
    if (name == format) return;
  }
  throw UsageError("unknown trace format '" + format + "'" + did_you_mean(format, known) +
                   ", expected dramsim2, dramsim3, ramulator or stl");
}

}  // namespace

std::uint64_t convert_trace(const std::string& from_format, const std::filesystem::path& in, const std::filesystem::path& out) {
  check_format(from_format);
  const bool relative = from_format == "stl" && trace_is_relative(in);
  if (out.extension() == ".gz") throw UsageError(out.string() + ": converted traces are not compressed; leave out .gz");
  if (trace_is_relative(out) != relative) {
    throw UsageError(out.string() + ": the converted trace must be named " + (relative ? "*.rstl" : "*.stl"));
  }
  std::error_code ec;
  if (!std::filesystem::exists(in, ec)) throw Error(in.string() + ": there is no such file");
  if (is_same_file(in, out)) throw UsageError(out.string() + ": is the trace to be converted; choose another file");
  TraceWriter writer(out);
  std::uint64_t count = 0;
  if (from_format == "stl") {
    count = named_if_foreign(in, {FileKind::trace_stl, FileKind::gzip}, "a trace (.stl, .rstl)",
                             [&] { return read_trace(in, [&](const TraceRequest& request) { writer.write(request); }); });
  } else if (from_format != "ramulator") {  // DRAMSim2 and DRAMsim3 write the same lines
    count = named_if_foreign(in, {FileKind::trace_dramsim3, FileKind::gzip}, "a DRAMsim trace",
                             [&] { return convert_lines(LineReader(in, "0x3F40 READ 12"), parse_dramsim3, writer); });
  } else {
    count = named_if_foreign(in, {FileKind::trace_ramulator, FileKind::gzip}, "a Ramulator trace",
                             [&] { return convert_lines(LineReader(in, "LD 0x3F40"), parse_ramulator, writer); });
  }
  writer.commit();
  return count;
}

}  // namespace exarch::dram
