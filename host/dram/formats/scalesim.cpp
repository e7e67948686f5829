// SCALE-Sim's traces of its memories: a line per cycle, with the elements that are read or written in it. A prefetch lies before
// cycle 0, so that cycles may be negative. Nothing in the file says whether they are reads: its name does (OFMAP: writes).
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string>

#include "host/dram/formats/formats.hpp"
#include "host/dram/formats/lines.hpp"

namespace exarch::dram {
namespace {

bool is_of_outputs(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.find("ofmap") != std::string::npos || name.find("_write") != std::string::npos;
}

class ScalesimReader final : public LineRequests {
 public:
  ScalesimReader(const std::filesystem::path& path, const ReadOptions& options)
      : LineRequests(path, "12,4096,4097,4098"),
        is_write_(options.is_write.value_or(is_of_outputs(path))),
        word_bytes_(options.word_bytes) {}

  [[nodiscard]] std::string note() const override {
    std::string text = std::string("all are ") + (is_write_ ? "writes" : "reads") + ", of elements of " +
                       std::to_string(word_bytes_) + (word_bytes_ == 1 ? " byte" : " bytes");
    if (shift_ > 0) text += "; cycle 0 is cycle -" + std::to_string(shift_) + " of the file";
    return text;
  }

 private:
  // Whole numbers, written with a point by some versions ("12.0"); "" and negative ones (-1) are no element.
  [[nodiscard]] std::int64_t number(std::string_view cell) const {
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc() || end != cell.data() + cell.size() || std::floor(value) != value || std::fabs(value) > 0x1p53) {
      lines().fail("'" + escaped(cell, 40) + "' is not a whole number");
    }
    return static_cast<std::int64_t>(value);
  }

  std::string_view take_cell() {
    const std::size_t end = std::min(rest_.find(','), rest_.size());
    std::string_view cell = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    while (cell.starts_with(' ')) cell.remove_prefix(1);
    while (cell.ends_with(' ')) cell.remove_suffix(1);
    return cell;
  }

  // The next element of the line; false behind the last.
  bool take_element(std::uint64_t& element) {
    while (!rest_.empty()) {
      const std::string_view cell = take_cell();
      if (cell.empty()) continue;
      const std::int64_t value = number(cell);
      if (value < 0) continue;
      element = static_cast<std::uint64_t>(value);
      return true;
    }
    return false;
  }

  bool parse(std::string_view line, TraceRequest& request) override {
    rest_ = line;
    const std::int64_t cycle = number(take_cell());
    if (!has_first_cycle_ && cycle < 0) shift_ = static_cast<std::uint64_t>(-cycle);
    has_first_cycle_ = true;
    const std::int64_t shifted = cycle + static_cast<std::int64_t>(shift_);
    if (shifted < 0) lines().fail("a negative cycle before that of the first line");
    cycle_ = static_cast<std::uint64_t>(shifted);
    has_element_ = take_element(element_);
    return pending(request);
  }

  // Neighbours in a line are one request.
  bool pending(TraceRequest& request) override {
    if (!has_element_) return false;
    const std::uint64_t first = element_;
    std::uint64_t count = 0;
    do {
      ++count;
      has_element_ = take_element(element_);
    } while (has_element_ && element_ == first + count && (count + 1) * word_bytes_ <= kMaxRequestBytes);
    if (first > std::numeric_limits<std::uint64_t>::max() / word_bytes_) lines().fail("an address does not fit in 64 bits");
    request = {.issue = cycle_,
               .address = first * word_bytes_,
               .is_write = is_write_,
               .bytes = static_cast<std::uint32_t>(count * word_bytes_)};
    return true;
  }

  bool is_write_;
  std::uint32_t word_bytes_;
  bool has_first_cycle_ = false, has_element_ = false;
  std::uint64_t shift_ = 0, cycle_ = 0, element_ = 0;
  std::string_view rest_;  // of the line
};

}  // namespace

RequestReaderPtr open_scalesim(const std::filesystem::path& path, const ReadOptions& options) {
  return std::make_unique<ScalesimReader>(path, options);
}

}  // namespace exarch::dram
