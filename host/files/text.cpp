#include "host/files/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

namespace exarch {
namespace {

// Decodes the character at the beginning of `text`; its length in bytes, 0 if it is not UTF-8.
std::size_t decode(std::string_view text, std::uint32_t& character) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  character = byte(0);
  if (character < 0x80) return 1;
  const std::size_t length = character >= 0xF0 ? 4 : character >= 0xE0 ? 3 : 2;
  if (character < 0xC2 || character > 0xF4 || length > text.size()) return 0;
  character &= 0x7Fu >> length;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) return 0;
    character = character << 6 | (byte(i) & 0x3Fu);
  }
  const bool overlong = (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
  const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
  return overlong || surrogate || character > 0x10FFFF ? 0 : length;
}

bool is_harmless(std::uint32_t c) {
  const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
  const bool direction =
      c == 0x061C || (c >= 0x200E && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  const bool line_end = c == 0x2028 || c == 0x2029;
  return !control && !direction && !line_end;
}

// The first and the last part of `text`, cut between characters.
std::string shortened(std::string_view text, std::size_t limit, std::size_t head) {
  if (text.size() <= limit) return std::string(text);
  const auto inside = [text](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u;
  };
  std::size_t first = head, last = text.size() - (limit - head);
  for (int i = 0; i < 3 && first > 0 && inside(first); ++i) --first;
  for (int i = 0; i < 3 && inside(last); ++i) ++last;
  return std::string(text.substr(0, first)) + "..." + std::string(text.substr(last));
}

}  // namespace

bool is_utf8(std::string_view text) {
  std::uint32_t character = 0;
  while (!text.empty()) {
    const std::size_t length = decode(text, character);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string shown;
  std::uint32_t character = 0;
  while (!text.empty()) {
    const std::size_t length = decode(text, character);
    if (length != 0 && is_harmless(character)) {
      shown += text.substr(0, length);
    } else {
      for (const char c : text.substr(0, std::max<std::size_t>(length, 1))) {
        const auto byte = static_cast<unsigned char>(c);
        shown += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15u]};
      }
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return shown;
}

std::string printable(std::string_view text, std::size_t limit) {
  return printable(shortened(text, limit, limit * 2 / 3));
}

std::string in_quotes(std::string_view text, std::size_t limit) {
  return "'" + printable(text, limit) + "'";
}

std::string printable_message(std::string_view text) {
  constexpr std::size_t kLongestWord = 400, kLongest = 2000;
  std::string words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size() - 1) + 1;
    words += printable(shortened(text.substr(0, end), kLongestWord, kLongestWord / 2));
    text.remove_prefix(end);
  }
  return shortened(words, kLongest, kLongest / 2);  // when escapes have made it longer
}

std::string short_count(double n) {
  static constexpr std::array<const char*, 5> kSuffix{"", " k", " M", " G", " T"};
  std::size_t i = 0;
  while (n >= 1000 && i + 1 < kSuffix.size()) {
    n /= 1000;
    ++i;
  }
  char text[32];
  std::snprintf(text, sizeof text, i == 0 ? "%.0f%s" : "%.1f%s", n, kSuffix[i]);
  return text;
}

std::string short_time(double seconds) {
  const auto s = static_cast<long>(std::ceil(seconds));
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3600) return std::to_string(s / 60) + " m " + std::to_string(s % 60) + " s";
  return std::to_string(s / 3600) + " h " + std::to_string(s / 60 % 60) + " m";
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string with_decimals(double value, int decimals) {
  char text[512];  // the largest double has 309 digits before the point
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

}  // namespace exarch
