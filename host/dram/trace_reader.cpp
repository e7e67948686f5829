#include "host/dram/trace_reader.hpp"

#include <string>

#include "host/error.hpp"

namespace exarch::dram {
namespace {

constexpr char kExample[] = "12: read 0x3F40";

[[noreturn]] void fail_time(const LineReader& lines, std::string_view field, Parsed parsed) {
  const std::string quoted = "time '" + escaped(field, 40) + "'";
  if (parsed == Parsed::overflow) lines.fail(quoted + " does not fit in 64 bits");
  if (field.starts_with('-')) lines.fail(quoted + " is negative");
  const std::size_t end = field.find_first_not_of("0123456789");
  if (end != 0 && end != std::string_view::npos) {
    if (field[end] == '.') lines.fail(quoted + " is not a whole number of player clock cycles");
    if (field[end] == ':') lines.fail("a blank is missing after the ':' of " + quoted);
  }
  lines.fail(quoted + " is not a number");
}

std::uint64_t parse_time(const LineReader& lines, std::string_view field) {
  std::string_view digits = field;
  if (digits.ends_with(':')) digits.remove_suffix(1);
  std::uint64_t time = 0;
  const Parsed parsed = parse_decimal(digits, time);
  if (parsed != Parsed::ok) fail_time(lines, field, parsed);
  return time;
}

bool parse_command(const LineReader& lines, std::string_view field) {
  if (field == "read") return false;
  if (field == "write") return true;
  if (field.empty()) lines.fail("the command is missing, expected read or write");
  lines.fail("unknown command '" + escaped(field, 40) + "', expected read or write (in lower case)");
}

// The length before the command, "(64)"; the packer, which knows the memory, checks it against the burst.
std::uint32_t parse_length(const LineReader& lines, std::string_view field) {
  std::uint64_t bytes = 0;
  const bool closed = field.ends_with(')');
  if (!closed || parse_decimal(field.substr(1, field.size() - 2), bytes) != Parsed::ok || bytes < 1 || bytes > kMaxRequestBytes) {
    lines.fail("length '" + escaped(field, 40) + "' is not a whole number of bytes in parentheses, from (1) to (" +
               std::to_string(kMaxRequestBytes) + "), with a blank behind it");
  }
  return static_cast<std::uint32_t>(bytes);
}

// A write may carry its data, which timing does not depend on: checked to be hexadecimal, then
// ignored.
void check_rest(const LineReader& lines, Fields& fields, bool is_write) {
  const std::string_view data = fields.take();
  const bool is_data = is_write && data.size() > 2 && (data.starts_with("0x") || data.starts_with("0X")) &&
                       data.substr(2).find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  const std::string_view extra = is_data ? fields.take() : data;
  if (!extra.empty()) lines.fail("unexpected '" + escaped(extra, 40) + "' after the request");
}

}  // namespace

bool trace_is_relative(const std::filesystem::path& path) {
  const std::string extension = uncompressed_name(path).extension().string();
  if (extension == ".stl") return false;
  if (extension == ".rstl") return true;
  throw Error(path.string() + ": " +
              (extension.empty() ? "the name has no extension" : "unknown trace type '" + extension + "'") +
              ", expected .stl (issue times) or .rstl (gaps), or one of them compressed (.stl.gz, .stl.zst); other formats are "
              "recognised by their content (exarch trace formats)");
}

TraceReader::TraceReader(const std::filesystem::path& path, bool relative) : relative_(relative), lines_(path, kExample) {}

bool TraceReader::next(TraceRequest& request) {
  std::string_view line;
  while (lines_.next(line)) {
    Fields fields(line);
    if (fields.skippable()) continue;
    request.issue = parse_time(lines_, fields.take());
    std::string_view command = fields.take();
    request.bytes = 0;
    if (command.starts_with('(')) {
      request.bytes = parse_length(lines_, command);
      command = fields.take();
    }
    request.is_write = parse_command(lines_, command);
    request.address = parse_address(lines_, fields.take(), HexPrefix::optional);
    if (!fields.empty()) check_rest(lines_, fields, request.is_write);
    ++requests_;
    return true;
  }
  if (requests_ == 0) {
    throw Error(lines_.path() + ": the trace has no requests; a valid line: \"" + kExample + "\"");
  }
  return false;
}

}  // namespace exarch::dram
