// Tables of requests with a header: "time,rw,addr", columns in any order. The name of the time's column says its unit.
#include <algorithm>
#include <cctype>

#include "host/dram/formats/formats.hpp"
#include "host/dram/formats/lines.hpp"

namespace exarch::dram {
namespace {

enum class Role { ignored, cycle, ns, ps, rw, address, bytes };

struct ColumnName {
  std::string_view name;
  Role role;
};
constexpr ColumnName kColumnNames[] = {
    {"time", Role::cycle},   {"cycle", Role::cycle},  {"cycles", Role::cycle},    {"time_ns", Role::ns}, {"ns", Role::ns},
    {"time_ps", Role::ps},   {"ps", Role::ps},        {"tick", Role::ps},         {"ticks", Role::ps},   {"rw", Role::rw},
    {"r/w", Role::rw},       {"type", Role::rw},      {"op", Role::rw},           {"cmd", Role::rw},     {"command", Role::rw},
    {"operation", Role::rw}, {"addr", Role::address}, {"address", Role::address}, {"size", Role::bytes}, {"bytes", Role::bytes},
    {"length", Role::bytes},
};

std::string lowered(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool is_time(Role role) {
  return role == Role::cycle || role == Role::ns || role == Role::ps;
}

class CsvReader final : public LineRequests {
 public:
  CsvReader(const std::filesystem::path& path, std::uint32_t clk_mhz)
      : LineRequests(path, "a header time,rw,addr, then 12,R,0x3F40"), clk_mhz_(clk_mhz) {}

  [[nodiscard]] std::string note() const override {
    std::string text;
    for (const std::string& name : ignored_) text += (text.empty() ? "" : ", ") + ("'" + escaped(name, 40) + "'");
    if (!text.empty()) text = (ignored_.size() == 1 ? "column " : "columns ") + text + " left out";
    if (!roles_.empty() && !has_time_)
      text += (text.empty() ? "" : "; ") + std::string("there is no time: requests are numbered");
    return text;
  }

 private:
  bool parse(std::string_view line, TraceRequest& request) override {
    if (roles_.empty()) {
      read_header(line);
      return false;
    }
    request = {.issue = count(), .address = 0, .is_write = false};
    std::size_t column = 0;
    for_each_cell(line, [&](std::string_view cell) {
      if (column < roles_.size()) read_cell(roles_[column], cell, request);
      ++column;
    });
    if (column != roles_.size()) {
      lines().fail(std::to_string(column) + " cells, where the header has " + std::to_string(roles_.size()));
    }
    return true;
  }

  template <class Body>
  static void for_each_cell(std::string_view line, Body&& body) {
    while (true) {
      const std::size_t end = std::min(line.find(','), line.size());
      std::string_view cell = line.substr(0, end);
      while (!cell.empty() && (cell.front() == ' ' || cell.front() == '\t')) cell.remove_prefix(1);
      while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\t')) cell.remove_suffix(1);
      if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') cell = cell.substr(1, cell.size() - 2);
      body(cell);
      if (end == line.size()) return;
      line.remove_prefix(end + 1);
    }
  }

  void read_header(std::string_view line) {
    if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    bool has_address = false, has_direction = false;
    for_each_cell(line, [&](std::string_view cell) {
      const std::string name = lowered(cell);
      const auto* known = std::ranges::find(kColumnNames, name, &ColumnName::name);
      const Role role = known == std::end(kColumnNames) ? Role::ignored : known->role;
      if (role == Role::ignored && ignored_.size() < 20) ignored_.emplace_back(cell);
      for (const Role other : roles_) {
        if (role != Role::ignored && (other == role || (is_time(other) && is_time(role)))) {
          lines().fail("column '" + escaped(cell, 40) + "' means what another column of the header means");
        }
      }
      roles_.push_back(role);
      has_time_ = has_time_ || is_time(role);
      has_address = has_address || role == Role::address;
      has_direction = has_direction || role == Role::rw;
    });
    if (!has_address || !has_direction) {
      lines().fail(std::string("the header has no column ") + (has_address ? "rw (or type, op, cmd)" : "addr (or address)"));
    }
  }

  void read_cell(Role role, std::string_view cell, TraceRequest& request) const {
    constexpr std::uint64_t kPicoseconds = 1'000'000'000'000;
    if (role == Role::cycle) request.issue = whole_number(cell, "time");
    if (role == Role::ps) request.issue = cycles_of(*this, whole_number(cell, "time"), kPicoseconds, clk_mhz_);
    if (role == Role::ns) request.issue = cycles_of(*this, picoseconds(cell), kPicoseconds, clk_mhz_);
    if (role == Role::address) request.address = any_address(cell);
    if (role == Role::bytes) request.bytes = length(cell);
    if (role == Role::rw) {
      request.is_write = direction(lowered(cell), {"read", "r", "rd", "load", "ld"}, {"write", "w", "wr", "store", "st"});
    }
  }

  // Of ns with at most three decimals.
  [[nodiscard]] std::uint64_t picoseconds(std::string_view cell) const {
    const std::size_t point = std::min(cell.find('.'), cell.size());
    const std::string_view decimals = cell.substr(std::min(point + 1, cell.size()));
    if (decimals.size() > 3) lines().fail("time '" + escaped(cell, 40) + "' has more than 3 decimals (ps)");
    const std::uint64_t whole = whole_number(cell.substr(0, point), "time");
    std::string fraction(decimals);
    fraction.resize(3, '0');
    const std::uint64_t rest = whole_number(fraction, "time");
    if (whole > std::numeric_limits<std::uint64_t>::max() / 1000 - 1) lines().fail("the time does not fit in 64 bits");
    return whole * 1000 + rest;
  }

  std::uint32_t clk_mhz_;
  bool has_time_ = false;
  std::vector<Role> roles_;  // (column)
  std::vector<std::string> ignored_;
};

}  // namespace

RequestReaderPtr open_csv(const std::filesystem::path& path, const ReadOptions& options) {
  return std::make_unique<CsvReader>(path, options.clk_mhz);
}

}  // namespace exarch::dram
