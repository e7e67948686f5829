// DRAMSim2 and DRAMsim3: an address, a word and a cycle. DRAMSim2's `misc` has no cycle, and may have the data of writes.
#include "host/dram/formats/formats.hpp"
#include "host/dram/formats/lines.hpp"

namespace exarch::dram {
namespace {

class DramsimReader final : public LineRequests {
 public:
  explicit DramsimReader(const std::filesystem::path& path) : LineRequests(path, "0x3F40 READ 12") {}

 private:
  bool parse(std::string_view line, TraceRequest& request) override {
    Fields fields(line);
    request = {};
    request.address = parse_address(lines(), fields.take(), HexPrefix::required);
    // Both tools take these words for the same, P_LOCK_WR for a read too; DRAMSim2's others (interrupts, I/O) they read in two
    // ways.
    request.is_write = direction(fields.take(), {"READ", "read", "P_MEM_RD", "P_FETCH", "IFETCH", "P_LOCK_RD", "P_LOCK_WR"},
                                 {"WRITE", "write", "P_MEM_WR", "BOFF"});
    request.issue = whole_number(fields.take(), "cycle");
    expect_end(fields);
    return true;
  }
};

class DramsimMiscReader final : public LineRequests {
 public:
  explicit DramsimMiscReader(const std::filesystem::path& path) : LineRequests(path, "0x3F40 read") {}

 private:
  bool parse(std::string_view line, TraceRequest& request) override {
    Fields fields(line);
    request = {.issue = count(), .address = parse_address(lines(), fields.take(), HexPrefix::required), .is_write = false};
    request.is_write = direction(fields.take(), {"read"}, {"write"});
    if (!request.is_write || fields.empty()) {
      expect_end(fields);
      return true;
    }
    const std::string_view data = fields.take();
    if (data.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      lines().fail("the data '" + escaped(data, 40) + "' of a write are not hexadecimal digits");
    }
    expect_end(fields);
    return true;
  }
};

}  // namespace

RequestReaderPtr open_dramsim(const std::filesystem::path& path, const ReadOptions& /*options*/) {
  return std::make_unique<DramsimReader>(path);
}

RequestReaderPtr open_dramsim2_misc(const std::filesystem::path& path, const ReadOptions& /*options*/) {
  return std::make_unique<DramsimMiscReader>(path);
}

}  // namespace exarch::dram
