// Which simulator's trace a text is. Its first lines are looked at, one by one for every format.
#include <cctype>
#include <string>

#include "host/files/kind_words.hpp"

namespace exarch {
namespace {

// "3 20734016", "3 20734016 20734080": how many instructions pass, then one or two addresses.
bool is_cpu_line(std::string_view line) {
  const Words words = fields_of(line);
  return (words.size() == 2 || words.size() == 3) && is_number(words[0]) &&
         std::all_of(words.begin() + 1, words.end(), [](std::string_view word) { return is_number(word) || is_hex(word); });
}

bool is_hex_digits(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// " L 1ffeffe7e0,8"
bool is_lackey_line(std::string_view line) {
  const Words words = fields_of(line);
  if (words.size() != 2 || !is_one_of(words[0], {"I", "L", "S", "M"})) return false;
  const Words place = split_at(words[1], ",");
  return place.size() == 2 && is_hex_digits(place[0]) && is_number(place[1]);
}

// Numbers alone, with a sign or a point or without, and a row of them: less would be any table.
bool is_scalesim_line(std::string_view line) {
  constexpr std::size_t kLeast = 5;
  Words cells = split_at(line, ",");
  if (!cells.empty() && cells.back().empty()) cells.pop_back();
  return cells.size() >= kLeast && std::ranges::all_of(cells, [](std::string_view cell) {
           if (cell.starts_with('-')) cell.remove_prefix(1);
           if (cell.ends_with(".0")) cell.remove_suffix(2);
           return is_number(cell);
         });
}

// A header with a column of addresses and one of directions.
bool is_request_table(std::string_view header) {
  bool address = false, direction = false;
  for (const std::string_view cell : split_at(header, ",")) {
    std::string name(cell);
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    address = address || is_one_of(name, {"addr", "address"});
    direction = direction || is_one_of(name, {"rw", "r/w", "type", "op", "cmd", "command", "operation"});
  }
  return address && direction;
}

}  // namespace

FileKind trace_kind(std::string_view text) {
  std::string_view line = take_line(text, "#");
  while (line.starts_with("==") || line.starts_with("--")) line = take_line(text, "#");  // Valgrind's own
  Words packet = split_at(line, ",");
  if (packet.size() > 4 && is_number(packet[0])) packet.erase(packet.begin());  // the packet's number
  if (packet.size() >= 4 && is_one_of(packet[0], {"r", "w", "u"}) && std::all_of(packet.begin() + 1, packet.end(), is_number)) {
    return FileKind::trace_gem5;
  }
  if (is_scalesim_line(line)) return FileKind::trace_scalesim;
  if (is_request_table(line)) return FileKind::trace_csv;
  if (is_lackey_line(line)) return FileKind::trace_lackey;
  const Words words = fields_of(line);
  if (words.size() < 2) return FileKind::unknown;
  const std::string_view time = words[0].ends_with(':') ? words[0].substr(0, words[0].size() - 1) : words[0];
  if (is_number(time) && is_one_of(words[1], {"read", "write"})) return FileKind::trace_stl;
  if (is_number(time) && words[1].starts_with('(') && words.size() > 2) return FileKind::trace_stl;
  const bool letters = is_one_of(words[1], {"R", "W"});
  if (words[0].ends_with(':') && is_hex(time) && letters && words.size() > 2) return FileKind::trace_pin;
  if (is_number(words[0]) && letters && words.size() > 2) return FileKind::trace_cpu;
  if (is_cpu_line(line) && is_cpu_line(take_line(text, "#"))) return FileKind::trace_cpu;
  constexpr std::size_t kMostDigits = 20;  // of a cycle; data of a write are longer
  if (is_hex(words[0]) && words.size() == 3 && is_number(words[2]) && words[2].size() <= kMostDigits &&
      std::isalpha(static_cast<unsigned char>(words[1][0])) != 0) {
    return FileKind::trace_dramsim3;
  }
  if (is_hex(words[0]) && is_one_of(words[1], {"read", "write"}) && words.size() <= 3) return FileKind::trace_dramsim2_misc;
  if ((is_hex(words[0]) || is_number(words[0])) && words.size() == 2 && letters) return FileKind::trace_ramulator;
  if (is_one_of(words[0], {"LD", "ST"})) return FileKind::trace_ramulator;
  return FileKind::unknown;
}

bool is_champsim(std::string_view head) {
  constexpr std::size_t kInstruction = 64;
  head = head.substr(0, kKindBytes);
  if (head.empty() || head.size() % kInstruction != 0) return false;
  const auto byte = [&head](std::size_t at) { return static_cast<unsigned char>(head[at]); };
  // Addresses of 64-bit machines have 48 to 57 bits; the rest is the sign.
  const auto is_address = [&byte](std::size_t at) {
    return (byte(at + 7) == 0 || byte(at + 7) == 0xFF) && (byte(at + 6) == 0 || byte(at + 6) == 0xFF);
  };
  for (std::size_t at = 0; at < head.size(); at += kInstruction) {
    const std::string_view ip = head.substr(at, 8);
    if (ip.find_first_not_of('\0') == std::string_view::npos || byte(at + 8) > 1 || byte(at + 9) > byte(at + 8)) return false;
    for (std::size_t word = at; word < at + kInstruction; word += 8) {
      if (word != at + 8 && !is_address(word)) return false;
    }
  }
  return true;
}

}  // namespace exarch
