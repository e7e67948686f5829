// Ramulator ("0xADDR R|W") and Ramulator 2 ("LD|ST ADDR"): requests without times.
#include "host/dram/formats/formats.hpp"
#include "host/dram/formats/lines.hpp"

namespace exarch::dram {
namespace {

class RamulatorReader final : public LineRequests {
 public:
  explicit RamulatorReader(const std::filesystem::path& path) : LineRequests(path, "LD 0x3F40") {}

 private:
  bool parse(std::string_view line, TraceRequest& request) override {
    Fields fields(line);
    request = {.issue = count(), .address = 0, .is_write = false};
    const std::string_view first = fields.take(), second = fields.take();
    if (first == "R" || first == "W") {
      lines().fail(
          "Ramulator 2's read/write traces have no addresses but numbers of channel, rank, bank and so on, of a memory that "
          "is not known here; write LD or ST and an address");
    }
    if (second == "R" || second == "W") {
      request.address = any_address(first);
      request.is_write = second == "W";
    } else if (first.starts_with('0')) {
      request.address = parse_address(lines(), first, HexPrefix::required);
      request.is_write = direction(second, {"R"}, {"W"});
    } else {
      request.is_write = direction(first, {"LD"}, {"ST"});
      request.address = any_address(second);
    }
    expect_end(fields);
    return true;
  }
};

}  // namespace

RequestReaderPtr open_ramulator(const std::filesystem::path& path, const ReadOptions& /*options*/) {
  return std::make_unique<RamulatorReader>(path);
}

}  // namespace exarch::dram
