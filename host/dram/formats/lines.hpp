// What the readers of text formats have in common. For the files of this folder.
#pragma once

#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>

#include "host/dram/request_reader.hpp"
#include "host/error.hpp"
#include "host/files/line_reader.hpp"

namespace exarch::dram {

// A reader of lines; a format says what a line is.
class LineRequests : public RequestReader {
 public:
  LineRequests(const std::filesystem::path& path, std::string example) : lines_(path, std::move(example)) {}

  bool next(TraceRequest& request) override {
    bool found = pending(request);
    std::string_view line;
    while (!found && lines_.next(line)) found = !Fields(line).skippable() && parse(line, request);
    if (found) {
      ++count_;
      return true;
    }
    if (count_ == 0) throw Error(lines_.path() + ": the trace has no requests" + (note().empty() ? "" : ": " + note()));
    return false;
  }

  [[noreturn]] void fail(std::string_view what) const override { lines_.fail(what); }

 protected:
  // The request of a line that is neither blank nor a comment; false where it has none.
  virtual bool parse(std::string_view line, TraceRequest& request) = 0;
  // A further request of the line read last.
  virtual bool pending(TraceRequest& /*request*/) { return false; }

  [[nodiscard]] const LineReader& lines() const { return lines_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }  // requests handed out

  void expect_end(Fields& fields) const {
    if (!fields.empty()) lines_.fail("unexpected '" + escaped(fields.take(), 40) + "' after the request");
  }

  [[nodiscard]] std::uint64_t whole_number(std::string_view field, const std::string& what) const {
    std::uint64_t value = 0;
    if (parse_decimal(field, value) != Parsed::ok) {
      lines_.fail(what + " '" + escaped(field, 40) + "' is not a whole number of at most 64 bits");
    }
    return value;
  }

  // Decimal, or hexadecimal with 0x.
  [[nodiscard]] std::uint64_t any_address(std::string_view field) const {
    if (field.starts_with("0x") || field.starts_with("0X")) return parse_address(lines_, field, HexPrefix::required);
    std::uint64_t address = 0;
    if (parse_decimal(field, address) != Parsed::ok) {
      lines_.fail("address '" + escaped(field, 40) + "' is neither decimal nor hexadecimal with 0x, or does not fit in 64 bits");
    }
    return address;
  }

  [[nodiscard]] std::uint32_t length(std::string_view field) const {
    const std::uint64_t bytes = whole_number(field, "length");
    if (bytes < 1 || bytes > kMaxRequestBytes) {
      lines_.fail("a length of " + std::to_string(bytes) + " bytes; expected 1 to " + std::to_string(kMaxRequestBytes));
    }
    return static_cast<std::uint32_t>(bytes);
  }

  // True for a write word, false for a read word, else an error, which names the first of each.
  using Names = std::initializer_list<std::string_view>;
  [[nodiscard]] bool direction(std::string_view field, Names read, Names write) const {
    for (const std::string_view word : read) {
      if (word == field) return false;
    }
    for (const std::string_view word : write) {
      if (word == field) return true;
    }
    lines_.fail("unknown command '" + escaped(field, 40) + "', expected " + std::string(*read.begin()) + " or " +
                std::string(*write.begin()));
  }

 private:
  LineReader lines_;
  std::uint64_t count_ = 0;
};

// Cycles of the player's clock of `clk_mhz`, whole ones that have passed after `ticks` of `hertz`. Its period is rounded to ps,
// as everywhere. Error text through `reader` beyond 64 bits.
inline std::uint64_t cycles_of(const RequestReader& reader, std::uint64_t ticks, std::uint64_t hertz, std::uint32_t clk_mhz) {
  __extension__ using Wide = unsigned __int128;
  constexpr std::uint64_t kPicosecond = 1'000'000'000'000;
  const std::uint64_t period_ps = (1'000'000 + clk_mhz / 2) / clk_mhz;
  const Wide cycles = static_cast<Wide>(ticks) * kPicosecond / hertz / period_ps;
  if (cycles > std::numeric_limits<std::uint64_t>::max()) reader.fail("the time does not fit in 64 bits");
  return static_cast<std::uint64_t>(cycles);
}

}  // namespace exarch::dram
