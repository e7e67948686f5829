// gem5's packet traces as its util/decode_packet_trace.py writes them: "r,4096,64,0,500", the last number (or the fifth, where a
// packet's number and the PC follow) in ticks of 1 ps.
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
    std::array<std::string_view, 7> cells;  // command, address, size, flags, tick, and in some files packet and PC
    std::size_t count = 0;
    while (true) {
      const std::size_t end = std::min(line.find(','), line.size());
      if (count == cells.size()) lines().fail("more than 7 numbers");
      std::string_view cell = line.substr(0, end);
      while (cell.starts_with(' ')) cell.remove_prefix(1);
      while (cell.ends_with(' ')) cell.remove_suffix(1);
      cells[count++] = cell;
      if (end == line.size()) break;
      line.remove_prefix(end + 1);
    }
    if (count < 5) lines().fail("fewer than 5 fields; expected command, address, size, flags and tick");
    const bool other = cells[0] == "u";
    request = {};
    if (!other) request.is_write = direction(cells[0], {"r"}, {"w"});
    request.address = any_address(cells[1]);
    const std::uint64_t bytes = whole_number(cells[2], "size");
    if (bytes > kMaxRequestBytes) lines().fail("a size above " + std::to_string(kMaxRequestBytes) + " bytes");
    request.bytes = static_cast<std::uint32_t>(bytes);
    request.issue = cycles_of(*this, whole_number(cells[4], "tick"), 1'000'000'000'000, clk_mhz_);
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
