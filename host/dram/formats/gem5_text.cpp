// gem5's packet traces as its util/decode_packet_trace.py writes them: "r,4096,64,0,500" is command, address, size, flags and
// tick of 1 ps. Where the trace has them, the packet's number stands in front and the PC behind; flags may be left out.
#include <array>

#include "host/dram/formats/formats.hpp"
#include "host/dram/formats/lines.hpp"

namespace exarch::dram {
namespace {

class Gem5TextReader final : public LineRequests {
 public:
  Gem5TextReader(const std::filesystem::path& path, std::uint32_t clk_mhz)
      : LineRequests(path, "r,4096,64,0,500"), clk_mhz_(clk_mhz) {}

  [[nodiscard]] std::string note() const override {
    return left_out_ == 0 ? "" : std::to_string(left_out_) + " packets that neither read nor write (u) are left out";
  }

 private:
  bool parse(std::string_view line, TraceRequest& request) override {
    std::array<std::string_view, 7> cells;  // number, command, address, size, flags, tick, PC
    std::size_t count = 0;
    while (true) {
      const std::size_t end = std::min(line.find(','), line.size());
      if (count == cells.size()) lines().fail("more than 7 fields");
      std::string_view cell = line.substr(0, end);
      while (cell.starts_with(' ')) cell.remove_prefix(1);
      while (cell.ends_with(' ')) cell.remove_suffix(1);
      cells[count++] = cell;
      if (end == line.size()) break;
      line.remove_prefix(end + 1);
    }
    // A packet's own number stands in front.
    const std::size_t first = !cells[0].empty() && cells[0].find_first_not_of("0123456789") == std::string_view::npos ? 1 : 0;
    const std::size_t times = count - std::min(count, first + 3);  // tick; flags and tick; flags, tick and PC
    if (times < 1 || times > 3)
      lines().fail("expected command, address, size, flags and tick, and at most a number before and a PC behind");
    const std::string_view command = cells[first], tick = cells[first + (times == 1 ? 3 : 4)];
    const bool other = command == "u";
    request = {};
    if (!other) request.is_write = direction(command, {"r"}, {"w"});
    request.address = any_address(cells[first + 1]);
    const std::uint64_t bytes = whole_number(cells[first + 2], "size");
    if (bytes > kMaxRequestBytes) lines().fail("a size above " + std::to_string(kMaxRequestBytes) + " bytes");
    request.bytes = static_cast<std::uint32_t>(bytes);
    request.issue = cycles_of(*this, whole_number(tick, "tick"), 1'000'000'000'000, clk_mhz_);
    left_out_ += other ? 1u : 0u;
    return !other;
  }

  std::uint32_t clk_mhz_;
  std::uint64_t left_out_ = 0;
};

}  // namespace

RequestReaderPtr open_gem5_text(const std::filesystem::path& path, const ReadOptions& options) {
  return std::make_unique<Gem5TextReader>(path, options.clk_mhz);
}

}  // namespace exarch::dram
