// Traces, plain, compressed and relative, and the conversions from other simulators' formats.
#include <zlib.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "host/dram/convert.hpp"
#include "host/dram/trace_reader.hpp"
#include "host/error.hpp"
#include "tests/fuzz/target.hpp"

namespace exarch::fuzz {
namespace {

using Requests = std::vector<dram::TraceRequest>;

bool same(const Requests& a, const Requests& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.issue == y.issue && x.address == y.address && x.is_write == y.is_write && x.bytes == y.bytes;
  });
}

Requests requests_of(const std::filesystem::path& path) {
  Requests requests;
  dram::read_trace(path, [&requests](const dram::TraceRequest& request) { requests.push_back(request); });
  return requests;
}

std::optional<Requests> requests_if_valid(const std::filesystem::path& path) {
  try {
    return requests_of(path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Read; written and read again, the same; and simulated while that is cheap.
void check_trace(const std::filesystem::path& path) {
  const Requests requests = requests_of(path);
  require(!requests.empty(), "a trace has a request");
  const std::filesystem::path again = scratch("again" + path.extension().string());
  require(dram::convert_trace(path, again, {.from = "stl"}).requests == requests.size(), "all requests are written");
  require(same(requests_of(again), requests), "a trace that is written reads as the same");
  std::uint64_t latest = 0;  // idle time costs the reference steps
  for (const dram::TraceRequest& request : requests) latest = std::max(latest, request.issue);
  if (requests.size() <= 16 && latest <= 100'000) simulate_dram(path.string());
}

void plain(std::string_view input) {
  check_trace(write_scratch("input.stl", input));
}

void relative(std::string_view input) {
  check_trace(write_scratch("input.rstl", input));
}

// What whole gzip members, one behind the other, hold; zeros alone may follow.
std::optional<std::string> inflated(std::string_view input) {
  std::string text;
  while (input.find_first_not_of('\0') != std::string_view::npos) {
    z_stream stream{};
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream.avail_in = static_cast<uInt>(input.size());
    int code = Z_OK;
    while (code == Z_OK) {
      char part[4096];
      stream.next_out = reinterpret_cast<Bytef*>(part);
      stream.avail_out = sizeof part;
      code = inflate(&stream, Z_NO_FLUSH);
      text.append(part, sizeof part - stream.avail_out);
    }
    input.remove_prefix(input.size() - stream.avail_in);
    inflateEnd(&stream);
    if (code != Z_STREAM_END) return std::nullopt;
  }
  return text;
}

std::string deflated(std::string_view text) {
  std::string out(text.size() + 256, '\0');
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "the buffer is large enough");
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

// Bytes as they are: a compressed trace that reads, reads as its decompressed text.
void check_compressed(std::string_view bytes) {
  if (!bytes.starts_with("\x1F\x8B")) return plain(bytes);
  const auto compressed = requests_if_valid(write_scratch("input.stl", bytes));
  const auto text = inflated(bytes);
  if (!text) return require(!compressed, "a damaged archive does not read");
  // A text that is itself an archive is none to the reader.
  const auto expected = text->starts_with("\x1F\x8B") ? std::nullopt : requests_if_valid(write_scratch("input.stl", *text));
  require(compressed.has_value() == expected.has_value(), "a compressed trace is valid if its text is");
  require(!compressed || same(*compressed, *expected), "a compressed trace reads as its text");
}

// Checksums stop a fuzzer, so members are made here: the input is archive bytes, or ('M') a text, cut into members at each '|',
// or ('X', offset, byte) the same with one byte of the archive changed.
void compressed(std::string_view input) {
  if (!input.starts_with('M') && !input.starts_with('X')) return check_compressed(input);
  const bool damaged = input.front() == 'X';
  std::size_t offset = 0;
  unsigned char change = 0;
  if (damaged) {
    if (input.size() < 4) return;
    offset = static_cast<unsigned char>(input[1]) + 256u * static_cast<unsigned char>(input[2]);
    change = static_cast<unsigned char>(input[3]);
    input.remove_prefix(3);
  }
  input.remove_prefix(1);
  std::string archive;
  while (true) {
    const std::size_t end = std::min(input.find('|'), input.size());
    archive += deflated(input.substr(0, end));
    if (end == input.size()) break;
    input.remove_prefix(end + 1);
  }
  if (damaged) archive[offset % archive.size()] = static_cast<char>(archive[offset % archive.size()] ^ change);
  check_compressed(archive);
}

void convert_from(const std::string& format, std::string_view input) {
  const auto in = write_scratch("input.trace", input), out = scratch("converted.stl");
  const std::uint64_t count = dram::convert_trace(in, out, {.from = format}).requests;
  require(requests_of(out).size() == count, "a converted trace reads");
}

// A target has no state: one function for each format that is not DRAMSys' own.
constexpr const char* kFormats[] = {"dramsim3", "dramsim2-misc", "ramulator", "gem5",     "gem5-text",
                                    "lackey",   "pin",           "champsim",  "scalesim", "csv"};

template <std::size_t format>
void convert(std::string_view input) {
  convert_from(kFormats[format], input);
}

template <std::size_t... formats>
void add_formats(std::vector<Target>& targets, std::index_sequence<formats...> /*all*/) {
  (targets.push_back({std::string("convert_") + kFormats[formats], convert<formats>}), ...);
}

}  // namespace

std::vector<Target> trace_targets() {
  std::vector<Target> targets{{"trace", plain}, {"trace_relative", relative}, {"trace_gz", compressed}};
  add_formats(targets, std::make_index_sequence<std::size(kFormats)>{});
  return targets;
}

}  // namespace exarch::fuzz
