#include "host/files/line_reader.hpp"

#include <array>
#include <cstring>
#include <limits>

#include "host/error.hpp"

namespace exarch {
namespace {

constexpr std::array<std::int8_t, 256> make_hex_values() {
  std::array<std::int8_t, 256> values{};
  for (std::int8_t& value : values) value = -1;
  for (int i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = static_cast<std::int8_t>(i);
  for (int i = 0; i < 6; ++i) {
    values[static_cast<std::size_t>('a' + i)] = static_cast<std::int8_t>(10 + i);
    values[static_cast<std::size_t>('A' + i)] = static_cast<std::int8_t>(10 + i);
  }
  return values;
}
constexpr std::array<std::int8_t, 256> kHexValues = make_hex_values();

}  // namespace

LineReader::LineReader(const std::filesystem::path& path, std::string example, LongLines longer)
    : stream_(path), path_(path.string()), example_(std::move(example)), longer_(longer), buffer_(kLongestLine + 1) {}

bool LineReader::next(std::string_view& line) {
  if (cut_) skip_line();
  const char* newline = nullptr;
  for (;;) {
    const char* start = buffer_.data() + begin_;
    newline = static_cast<const char*>(std::memchr(start, '\n', end_ - begin_));
    if (newline != nullptr || end_of_file_) break;
    if (end_ - begin_ == buffer_.size()) {
      cut_ = true;
      break;
    }
    refill();
  }
  if (newline == nullptr && begin_ == end_) return false;
  const char* start = buffer_.data() + begin_;
  const std::size_t length = newline != nullptr ? static_cast<std::size_t>(newline - start) : end_ - begin_;
  begin_ += length + (newline != nullptr ? 1 : 0);
  ++line_number_;
  line_ = std::string_view(start, length);
  if (cut_ && longer_ == LongLines::refused) fail("the line is longer than " + std::to_string(kLongestLine) + " bytes");
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  line = line_;
  return true;
}

// Moves the incomplete line to the front and reads on behind it.
void LineReader::refill() {
  const std::size_t rest = end_ - begin_;
  std::memmove(buffer_.data(), buffer_.data() + begin_, rest);
  begin_ = 0;
  const std::size_t got = stream_.read(buffer_.data() + rest, buffer_.size() - rest);
  end_ = rest + got;
  end_of_file_ = got == 0;
}

// Passes over what is left of a line that was cut.
void LineReader::skip_line() {
  cut_ = false;
  while (true) {
    const char* start = buffer_.data() + begin_;
    const auto* newline = static_cast<const char*>(std::memchr(start, '\n', end_ - begin_));
    begin_ = newline != nullptr ? static_cast<std::size_t>(newline - buffer_.data()) + 1 : end_;
    if (newline != nullptr || end_of_file_) return;
    refill();
  }
}

void LineReader::fail(std::string_view what) const {
  throw Error(path_ + ":" + std::to_string(line_number_) + ": " + std::string(what) + "; the line reads \"" + escaped(line_) +
              "\"; a valid line: \"" + example_ + "\"");
}

std::string escaped(std::string_view text, std::size_t limit) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text.substr(0, limit)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte >= 0x7F) {
      out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15u]};
    } else {
      out += c;
    }
  }
  return text.size() > limit ? out + "..." : out;
}

Parsed parse_decimal(std::string_view text, std::uint64_t& value) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t number = 0;
  bool overflow = false;
  for (const char c : text) {
    if (c < '0' || c > '9') return Parsed::garbage;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    overflow = overflow || number > (kMax - digit) / 10;
    number = number * 10 + digit;
  }
  value = number;
  if (text.empty()) return Parsed::garbage;
  return overflow ? Parsed::overflow : Parsed::ok;
}

Parsed parse_hex(std::string_view text, std::uint64_t& value) {
  if (text.size() < 3 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X')) {
    return Parsed::garbage;
  }
  std::uint64_t number = 0;
  bool overflow = false;
  for (const char c : text.substr(2)) {
    const std::int8_t digit = kHexValues[static_cast<unsigned char>(c)];
    if (digit < 0) return Parsed::garbage;
    overflow = overflow || (number >> 60) != 0;
    number = number << 4 | static_cast<std::uint64_t>(digit);
  }
  value = number;
  return overflow ? Parsed::overflow : Parsed::ok;
}

std::uint64_t parse_address(const LineReader& lines, std::string_view field, HexPrefix prefix) {
  std::uint64_t address = 0;
  const bool prefixed = field.starts_with("0x") || field.starts_with("0X");
  const Parsed parsed =
      prefixed || prefix == HexPrefix::required ? parse_hex(field, address) : parse_hex("0x" + std::string(field), address);
  if (parsed == Parsed::ok) return address;
  const std::string quoted = "address '" + escaped(field, 40) + "'";
  if (field.empty()) lines.fail("the address is missing");
  if (parsed == Parsed::overflow) lines.fail(quoted + " does not fit in 64 bits");
  if (parse_hex("0x" + std::string(field), address) == Parsed::ok) {
    lines.fail(quoted + " has no 0x: addresses are hexadecimal, write 0x" + std::string(field.substr(0, 40)));
  }
  lines.fail(quoted + " is not a hexadecimal number");
}

}  // namespace exarch
